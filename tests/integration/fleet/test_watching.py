"""Looking on in an agent's terminal: a real tmux client that neither types nor resizes."""

import pytest

from bot.cli.watching import attach_words
from fleet.host.sessions import LocalSessions
from fleet.tmux.terminal import Terminal
from tests.stages.host import Stage
from tests.waiting import until

AGENT = "{name: a, class: code, runtime: bash, command: cat}"
SIZE = "#{window_width}x#{window_height}"


async def attached(terminal: Terminal) -> list[str]:
    shown = await terminal.run("list-clients", "-t", "=a", "-F", "#{client_flags}")
    return shown.splitlines()


@pytest.mark.parametrize("read_only", [True, False])
async def test_a_client_that_looks_on_neither_types_nor_resizes(
    stage: Stage, terminal: Terminal, *, read_only: bool
) -> None:
    fleet = await stage.open(AGENT)
    way = await LocalSessions(fleet).way("a")
    words = attach_words({"socket": way.socket, "session": way.session, "read_only": read_only})
    outer = await terminal.new_session("person", ["env", "-u", "TMUX", *words], role="agent")

    async def there() -> bool:
        return len(await attached(fleet.terminal())) == 1

    await until(there)
    door = await fleet.door("a")
    await terminal.run("resize-window", "-t", "=person:", "-x", "60", "-y", "20")
    await terminal.run("send-keys", "-t", outer.id, "-l", "typed by a person")

    async def shown_there() -> bool:
        found = await fleet.terminal().look(door.pane.id)
        return found is not None and "typed by a person" in found[1]

    size = await fleet.terminal().run("display-message", "-p", "-t", door.pane.id, SIZE)
    assert size.strip() == "160x48"
    assert ("read-only" in (await attached(fleet.terminal()))[0]) is read_only
    # Whoever only looks on may still leave; then all that was typed before has been taken or refused.
    await terminal.run("send-keys", "-t", outer.id, "C-b", "d")

    async def left() -> bool:
        return await attached(fleet.terminal()) == []

    await until(left)
    if read_only:
        assert not await shown_there()
    else:
        await until(shown_there)
