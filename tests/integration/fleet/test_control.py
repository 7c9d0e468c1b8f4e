"""The control connection on a real tmux server: one line, many answers, and no trust in what panes show."""

import asyncio
import contextlib
import sys
from pathlib import Path

import pytest

from bot.errors import TransientError
from fleet.tmux.control import ControlLine, _blocks
from fleet.tmux.guard import guarded_paste
from fleet.tmux.terminal import Terminal
from tests.stages.installation import is_alive
from tests.waiting import until

SPOOF = """
import sys, time
for number in range(3000):
    print(f"%end {int(time.time())} {number} 1")
print("ready", flush=True)
sys.stdin.read()
"""

ASKS_AND_NEVER_READS = """
import asyncio, os, signal, sys
from fleet.tmux.control import ControlLine

async def main():
    attach = ["attach-session", "-f", "no-output,ignore-size", "-t", "=_holder"]
    line = await ControlLine.open(["tmux", "-L", sys.argv[1], "-C", *attach], os.environ)
    asking = asyncio.create_task(line.batch([("list-keys",)] * 200))
    await asyncio.sleep(0)
    print("asked", flush=True)
    signal.pause()

asyncio.run(main())
"""


@pytest.fixture
async def held(terminal: Terminal) -> Terminal:
    """A terminal with a control connection."""
    await terminal.ensure_server()
    await terminal.hold_line()
    return terminal


async def clients(terminal: Terminal) -> list[str]:
    return (await terminal.run("list-clients", "-F", "#{client_flags}")).splitlines()


async def test_many_commands_are_answered_in_their_order(held: Terminal) -> None:
    asked = [("display-message", "-p", f"number {number}") for number in range(500)]
    answers = await held.ask(*asked)
    assert [answer.out for answer in answers] == [f"number {number}" for number in range(500)]
    assert len(await clients(held)) == 1


async def test_one_failure_leaves_the_other_answers_alone(held: Terminal) -> None:
    first, second, third = await held.ask(
        ("display-message", "-p", "a"),
        ("capture-pane", "-p", "-t", "%999"),
        ("display-message", "-p", "b"),
    )
    assert (first.out, third.out) == ("a", "b")
    assert second.status == 1
    assert "can't find pane" in second.error


async def test_an_argument_is_data_whatever_it_holds(held: Terminal) -> None:
    text = "it's $HOME \"q\" \\ ; # ~ {a} 'b'"
    (answer,) = await held.ask(("display-message", "-p", text))
    assert answer.out == text
    with pytest.raises(TransientError):
        await (await line_of(held)).batch([("display-message", "-p", "a\nkill-server")])
    assert (await held.ask(("display-message", "-p", "alive")))[0].out == "alive"


async def line_of(terminal: Terminal) -> ControlLine:
    line = await terminal._held_line()
    assert line is not None
    return line


async def test_batches_at_the_same_time_do_not_mix(held: Terminal) -> None:
    async def one(number: int) -> list[str]:
        asked = [("display-message", "-p", f"{number}.{place}") for place in range(20)]
        return [answer.out for answer in await held.ask(*asked)]

    answers = await asyncio.gather(*(one(number) for number in range(20)))
    assert answers == [[f"{n}.{place}" for place in range(20)] for n in range(20)]


async def test_a_pane_that_draws_the_end_of_a_block_fools_nobody(held: Terminal) -> None:
    pane = await held.new_session("spoof", [sys.executable, "-c", SPOOF], role="agent")
    plain = await held.new_session("plain", ["cat"], role="agent")

    async def ready() -> bool:
        (text,) = await held.screens([pane.id])
        return text is not None and "ready" in text

    await until(ready)
    for _ in range(5):
        spoofed, other = await held.screens([pane.id, plain.id])
        assert spoofed is not None
        assert spoofed.rstrip().endswith("ready")
        assert other is not None
        assert other.strip() == ""


async def test_a_lost_connection_is_made_anew(held: Terminal) -> None:
    line = await line_of(held)
    await held.run("detach-client", "-a", "-s", "=_holder")
    for client in (await held.run("list-clients", "-F", "#{client_name}")).splitlines():
        await held.run("detach-client", "-t", client)

    async def made_anew() -> bool:
        assert (await held.ask(("display-message", "-p", "again")))[0].out == "again"
        return await line_of(held) is not line

    await until(made_anew)  # tmux may answer once more while it detaches


async def test_without_a_server_a_held_line_answers_as_a_call_does(terminal: Terminal) -> None:
    await terminal.hold_line()
    assert await terminal.panes() == []
    await terminal.ensure_server()
    assert [pane.role for pane in await terminal.panes()] == ["holder"]
    assert await terminal.close_server() == []
    assert await terminal.panes() == []


async def test_it_neither_resizes_nor_outlives_its_release(held: Terminal) -> None:
    pane = await held.new_session("wide", ["cat"], role="agent")
    size = ("display-message", "-p", "-t", pane.id, "#{window_width}x#{window_height}")

    async def connected() -> bool:
        assert (await held.ask(size))[0].out == "160x48"
        return any("ignore-size" in flags for flags in await clients(held))

    await until(connected)  # one that is lost is made anew at the next question
    await held.release_line()

    async def gone() -> bool:
        return await clients(held) == []

    await until(gone)


async def test_who_asks_first_at_the_same_time_shares_one_connection(held: Terminal) -> None:
    await asyncio.gather(*(held.panes() for _ in range(10)))
    assert len(await clients(held)) == 1


async def test_typing_over_a_connection_that_was_lost_is_neither_done_twice_nor_claimed(
    held: Terminal,
) -> None:
    pane = await held.new_session("cat", ["cat"], role="agent")
    line = await line_of(held)
    line._out.set_exception(ConnectionResetError())
    with pytest.raises(TransientError):
        await held.paste(pane.id, b"once", "mosaic-test")
    assert not line.alive
    assert await held.paste(pane.id, b"again", "mosaic-test")

    async def typed() -> bool:
        (text,) = await held.screens([pane.id])
        return text is not None and text.strip().removeprefix("once") == "again"

    await until(typed)
    assert await line_of(held) is not line


async def test_whoever_waits_behind_somebody_who_gave_up_gets_no_answer_of_theirs(
    held: Terminal,
) -> None:
    line = await line_of(held)
    first = asyncio.create_task(line.batch([("display-message", "-p", "first")]))
    second = asyncio.create_task(line.batch([("display-message", "-p", "second")]))
    await asyncio.sleep(0)
    first.cancel()
    with pytest.raises(TransientError):
        await second
    assert (await held.ask(("display-message", "-p", "third")))[0].out == "third"


async def test_an_end_that_a_pane_drew_is_not_believed() -> None:
    said = [b"%begin 1 7 1", b"drawn", b"%end 1 7 1", b"more", b"%end 1 7 1", b""]
    assert [block.text for block in _blocks(b"\n".join([*said[:2], *said[4:]]))] == ["drawn"]
    with pytest.raises(ValueError, match="had not begun"):
        _blocks(b"\n".join(said))


async def test_a_file_that_tmux_cannot_read_types_nothing(held: Terminal) -> None:
    pane = await held.new_session("cat", ["cat"], role="agent")
    line = await line_of(held)
    load = ("load-buffer", "-b", "gone", "/nonexistent")
    assert not await line.did([load, guarded_paste(pane.id, "gone", "word")], "word")
    assert (await held.ask(("display-message", "-p", "in step")))[0].out == "in step"


async def test_what_a_killed_process_left_is_removed(terminal: Terminal, tmp_path: Path) -> None:
    left = tmp_path / "text-mosaic-1"
    left.write_text("a message")
    await terminal.hold_line()
    await until(lambda: not left.exists())


async def test_a_line_left_behind_with_unread_answers_does_not_keep_its_server_from_ending(
    terminal: Terminal,
) -> None:
    await terminal.ensure_server()
    assert terminal.socket_name is not None
    owner = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", ASKS_AND_NEVER_READS, terminal.socket_name),
        stdout=asyncio.subprocess.PIPE,
    )
    assert owner.stdout is not None
    assert await owner.stdout.readline() == b"asked\n"
    client = int(await terminal.run("list-clients", "-F", "#{client_pid}"))
    owner.kill()
    await owner.wait()
    await until(lambda: not is_alive(client), what="the line to end with its owner")
    await terminal.run("kill-server")
    await until(lambda: started(terminal), what="a new server on the socket")


async def started(terminal: Terminal) -> bool:
    with contextlib.suppress(TransientError):
        await terminal.ensure_server()
        return await terminal.has_session("_holder")
    return False
