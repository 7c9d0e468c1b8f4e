"""The terminal on a real tmux server of its own."""

import asyncio
import os
import sys
from pathlib import Path

from fleet.host.chat_window import ChatWindow
from fleet.tmux.terminal import Terminal
from fleet.tmux.terminals import Terminals
from tests.waiting import until


async def socket_file(terminal: Terminal) -> Path:
    return Path((await terminal.run("display-message", "-p", "#{socket_path}")).strip())


def exists(path: Path) -> bool:
    return path.exists()


def read(path: Path) -> str:
    return path.read_text()


async def test_a_server_that_we_started_goes_with_its_socket(terminal: Terminal) -> None:
    await terminal.ensure_server()
    socket = await socket_file(terminal)
    assert exists(socket)
    assert await terminal.close_server() == []
    assert not exists(socket)
    assert await terminal.panes() == []


async def test_a_server_of_somebody_else_is_left_running(terminal: Terminal) -> None:
    await terminal.run("new-session", "-d", "-s", "theirs", "--", "cat", "-")
    await terminal.ensure_server()
    assert await terminal.close_server() == ["theirs"]
    assert [pane.session for pane in await terminal.panes()] == ["theirs"]


async def test_two_starters_meet_on_one_holder(terminal: Terminal, tmp_path: Path) -> None:
    other = Terminal(terminal.socket_name, environment=dict(os.environ), owner=str(tmp_path))
    await asyncio.gather(terminal.ensure_server(), other.ensure_server())
    assert [pane.role for pane in await terminal.panes()] == ["holder"]


async def test_a_session_name_is_matched_exactly(terminal: Terminal) -> None:
    await terminal.new_session("coder10", ["cat"], role="agent")
    assert not await terminal.has_session("coder1")
    await terminal.end_session("coder1")
    assert await terminal.has_session("coder10")


async def test_the_servers_environment_is_allow_listed(terminal: Terminal, tmp_path: Path) -> None:
    secretive = Terminal(
        terminal.socket_name,
        environment=dict(os.environ)
        | {"MATRIX_ACCESS_TOKEN": "s3cret", "DATABASE_URL": "postgres"},
        owner=str(tmp_path),
    )
    pane = await secretive.new_session("plain", ["cat"], role="agent")
    shown = await terminal.run("show-environment", "-g")
    environ = read(Path(f"/proc/{pane.pid}/environ"))
    assert "PATH=" in shown
    assert "s3cret" not in shown + environ
    assert "DATABASE_URL" not in shown + environ


async def test_a_paste_into_a_dead_pane_is_refused_and_the_server_lives(typist: Terminal) -> None:
    pane = await typist.new_session("dead", ["sh", "-c", "exit 3"], role="agent", remain=True)

    async def dead() -> bool:
        seen = await typist.look(pane.id)
        return seen is not None and seen[0].dead

    await until(dead)
    assert not await typist.paste(pane.id, b"text", "mosaic-test")
    assert not await typist.press(pane.id, "Enter")
    assert len(await typist.panes()) == 2
    assert await typist.run("list-buffers") == ""


async def test_a_pane_in_copy_mode_takes_neither_text_nor_key(typist: Terminal) -> None:
    pane = await typist.new_session("cat", ["cat"], role="agent")
    await typist.run("copy-mode", "-t", pane.id)
    assert not await typist.paste(pane.id, b"text", "mosaic-test")
    assert not await typist.press(pane.id, "x")
    await typist.run("send-keys", "-t", pane.id, "-X", "cancel")
    assert await typist.press(pane.id, "y")
    await until(lambda: first_row(typist, pane.id, "y"))


async def test_a_paste_into_a_vanished_pane_leaves_no_buffer(typist: Terminal) -> None:
    assert not await typist.paste("%999", b"secret text", "mosaic-test")
    assert not await typist.press("%999", "Enter")
    assert await typist.look("%999") is None
    assert await typist.run("list-buffers") == ""


async def test_pasted_text_arrives_as_it_is(typist: Terminal) -> None:
    pane = await typist.new_session("cat", ["cat"], role="agent")
    text = "#{pane_id} ünï 'q' \\"
    assert await typist.paste(pane.id, text.encode(), "mosaic-test")
    await until(lambda: first_row(typist, pane.id, text))


async def test_texts_and_looks_at_the_same_time_do_not_mix(typist: Terminal) -> None:
    panes = [await typist.new_session(f"cat{n}", ["cat"], role="agent") for n in range(5)]

    async def type_into(number: int, pane_id: str) -> None:
        for round_ in range(5):
            text = f"<{number}.{round_}>".encode()
            assert await typist.paste(pane_id, text, f"mosaic-{number}")
            assert (await typist.look(pane_id)) is not None
            assert not await typist.press("%999", "Enter")

    await asyncio.gather(*(type_into(n, pane.id) for n, pane in enumerate(panes)))
    for number, pane in enumerate(panes):
        text = "".join(f"<{number}.{round_}>" for round_ in range(5))
        await until(lambda pane=pane, text=text: first_row(typist, pane.id, text))  # type: ignore[misc]


async def first_row(terminal: Terminal, pane_id: str, text: str) -> bool:
    seen = await terminal.look(pane_id)
    return seen is not None and seen[1].split("\n")[0].strip() == text


async def test_a_session_that_began_anew_is_found_in_its_new_pane(terminal: Terminal) -> None:
    terminals = Terminals(dict(os.environ), "test", Path())
    first = await terminal.new_session("coder", ["cat"], role="agent")
    assert (await terminals.pane_of(terminal, "coder") or first).id == first.id
    await terminal.end_session("coder")
    assert await terminals.pane_of(terminal, "coder") is None
    again = await terminal.new_session("coder", ["cat"], role="agent")
    found = await terminals.pane_of(terminal, "coder")
    assert found is not None
    assert found.id == again.id != first.id
    await terminal.run("rename-session", "-t", "=coder", "other")
    assert await terminals.pane_of(terminal, "coder") is None


async def test_a_chat_window_opens_once_and_closes(terminal: Terminal) -> None:
    window = ChatWindow(
        lambda: terminal,
        session="mosaic-chat",
        argv=[sys.executable, "-c", "import os; print(os.environ['WHO']); input()"],
        environment={"WHO": "ann"},
    )
    first = await window.open()
    assert (await window.open()).id == first.id
    assert first.role == "chat"

    async def greeted() -> bool:
        found = await terminal.look(first.id)
        return found is not None and found[1].split("\n")[0] == "ann"

    await until(greeted)
    assert await window.alive()
    await window.close()
    assert not await window.alive()


async def test_tmux_names_its_version(terminal: Terminal) -> None:
    assert (await terminal.version())[0].isdigit()


async def test_another_installations_window_on_a_shared_socket_is_left_alone(
    terminal: Terminal,
) -> None:
    other = Terminal(terminal.socket_name, environment=dict(os.environ), owner="/elsewhere")
    await terminal.ensure_server()
    await other.new_session("their-chat", ["cat"], role="chat")
    assert await terminal.close_server() == ["their-chat"]
    assert await other.close_server() == []
