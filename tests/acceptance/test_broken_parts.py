"""A part that cannot work is reported and tried again; the rest goes on, and mending heals without a restart."""

import json
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.stages.installation import Installation
from tests.stages.line import Line
from tests.stages.postgres import Tier
from tests.stages.room import PATIENCE, OpsRoom, ops_room
from tests.stages.synapse import Town
from tests.waiting import until


def part_is(installation: Installation, name: str, state: str, *words: str) -> Callable[[], object]:
    """Return the fact that a part is in a state and its detail says these words."""

    async def fact() -> bool:
        part = (await installation.status())["parts"].get(name, {"state": "", "detail": ""})
        return part["state"] == state and all(word in part["detail"] for word in words)

    return fact


async def reported(installation: Installation, name: str, state: str, *words: str) -> None:
    """Wait until status says so of a part."""
    what = f"{name} {state}: {' '.join(words)}"
    await until(part_is(installation, name, state, *words), PATIENCE, what)


async def console_works(installation: Installation) -> None:
    """Insist that the rest of the daemon does its work."""
    said = b"!backlog stats\nhello\n"
    ended = await installation.mosaic("chat", stdin=said)
    assert "dogfood orchestrator: hello" in ended.out, f"{ended}\n{installation.log()}"


@asynccontextmanager
async def line_to(port: int) -> AsyncIterator[Line]:
    """Lend a line to a server, open at first."""
    line = Line(port)
    await line.restore()
    try:
        yield line
    finally:
        await line.cut()


# -- Matrix --------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
async def matrix_line(homeserver: Town) -> AsyncIterator[Line]:
    async with line_to(urlsplit(homeserver.url).port or 0) as line:
        yield line


@pytest.fixture(scope="module")
async def token_file(home: Path) -> Path:
    return home.parent / "token"


@pytest.fixture(scope="module")
async def cut_off(
    home: Path, homeserver: Town, matrix_line: Line, token_file: Path
) -> AsyncIterator[OpsRoom]:
    """A running installation whose homeserver is behind a line, and whose token is in a file."""
    async with ops_room(home, homeserver) as room:
        file = home / "fleet" / "roster.yaml"
        text = file.read_text(encoding="utf-8")
        file.write_text(text.replace(homeserver.url, f"http://127.0.0.1:{matrix_line.port}"))
        room.installation.give({"MATRIX_ACCESS_TOKEN_FILE": str(token_file)})
        await room.installation.up()
        yield room


async def test_without_a_token_the_rest_works(cut_off: OpsRoom) -> None:
    installation = cut_off.installation
    await reported(installation, "connector.matrix", "stopped", "MATRIX_ACCESS_TOKEN_FILE")
    await console_works(installation)
    shown = await installation.mosaic("status")
    assert "MATRIX_ACCESS_TOKEN_FILE" in shown.out


async def test_a_wrong_token_is_named_and_never_shown(cut_off: OpsRoom, token_file: Path) -> None:
    write_private(token_file, "syt_this_is_no_token_at_all")
    await reported(cut_off.installation, "connector.matrix", "stopped", "M_UNKNOWN_TOKEN")
    await console_works(cut_off.installation)
    seen = json.dumps(await cut_off.installation.status()) + cut_off.installation.log()
    assert "syt_this" not in seen


async def test_a_homeserver_that_is_away_is_waited_for(
    cut_off: OpsRoom, matrix_line: Line, token_file: Path
) -> None:
    await matrix_line.cut()
    write_private(token_file, cut_off.bot.token)
    await reported(cut_off.installation, "connector.matrix", "retrying")
    await console_works(cut_off.installation)


async def test_mending_heals_without_a_restart(cut_off: OpsRoom, matrix_line: Line) -> None:
    pid = cut_off.installation.pid
    await matrix_line.restore()
    await reported(cut_off.installation, "connector.matrix", "ok")
    assert await cut_off.ask("hello") == "dogfood orchestrator: hello"
    assert cut_off.installation.pid == pid


async def test_what_is_said_while_the_line_is_cut_is_answered_when_it_is_back(
    cut_off: OpsRoom, matrix_line: Line
) -> None:
    await matrix_line.cut()
    await reported(cut_off.installation, "connector.matrix", "retrying")
    asked = [await cut_off.say(f"!backlog create --id L{n} --title cut") for n in range(3)]
    await matrix_line.restore()
    for event_id in asked:
        await cut_off.answer(event_id)
        assert len(cut_off.answers(event_id)) == 1
    await reported(cut_off.installation, "connector.matrix", "ok")
    assert cut_off.notices("recovered") == ["recovered 3, lost 0"]
    assert cut_off.installation.bugs() == []


# -- the roster ----------------------------------------------------------------------------------------


async def test_a_bad_roster_is_named_by_line_and_the_running_fleet_goes_on(
    cut_off: OpsRoom,
) -> None:
    installation = cut_off.installation
    file = installation.home / "fleet" / "roster.yaml"
    good, before = file.read_text(encoding="utf-8"), await installation.agent_pids()
    file.write_text(good.replace("runtime: dogfood", "runtime: catfood", 1))
    line = 1 + good[: good.index("runtime: dogfood")].count("\n")
    await reported(installation, "fleet", "stopped", f"{file}:{line}:", "catfood", "dogfood")
    assert await installation.agent_pids() == before
    await console_works(installation)
    file.write_text(good)
    await reported(installation, "fleet", "ok")
    assert await installation.agent_pids() == before


async def test_a_start_with_a_bad_roster_reports_it_and_a_mended_one_starts_the_fleet(
    short_directory: Path,
) -> None:
    home = short_directory / "bad-roster" / "home"
    home.parent.mkdir()
    installation = Installation(home)
    name = f"acceptance-{home.parent.parent.name}"
    installation.write_roster({"version": 1, "tmux": {"socket_name": name}, "agents": "nobody"})
    try:
        await installation.up()
        await reported(installation, "fleet", "stopped", "roster.yaml:4:", "not a list")
        assert (await installation.mosaic("backlog", "list", "--json")).data == []
        agent = {"name": "orchestrator", "class": "orchestrator", "runtime": "dogfood"}
        installation.write_roster({"version": 1, "tmux": {"socket_name": name}, "agents": [agent]})
        await reported(installation, "fleet", "ok", "orchestrator")
        await console_works(installation)
        await installation.down()
        assert installation.traces() == []
    finally:
        await installation.close()


async def test_without_tmux_status_says_so_and_the_fleet_starts_once_it_is_there(
    short_directory: Path,
) -> None:
    programs = short_directory / "no-tmux" / "bin"
    programs.mkdir(parents=True)
    for directory in reversed(os.environ["PATH"].split(":")):
        link_programs(Path(directory), programs)
    tmux = (programs / "tmux").readlink()
    (programs / "tmux").unlink()
    installation = Installation(programs.parent / "home", {"PATH": str(programs)})
    try:
        await installation.up()
        await reported(installation, "fleet", "stopped", "tmux is not installed")
        assert (await installation.mosaic("backlog", "list", "--json")).data == []
        (programs / "tmux").symlink_to(tmux)
        await reported(installation, "fleet", "ok")
        await console_works(installation)
    finally:
        await installation.close()


# -- the database --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
async def far_database(
    server: Tier, short_directory: Path
) -> AsyncIterator[tuple[Installation, Line]]:
    """A running installation whose database is a server behind a line, which is cut."""
    home = short_directory / "far-database" / "home"
    home.parent.mkdir()
    async with server.empty() as target:
        url = urlsplit(target.url or "")
        async with line_to(url.port or 0) as line:
            await line.cut()
            there = url._replace(netloc=url.netloc.replace(f":{url.port}", f":{line.port}"))
            installation = Installation(home, {"DATABASE_URL": there.geturl()})
            try:
                await installation.up()
                yield installation, line
            finally:
                await installation.close()


async def test_without_its_database_the_daemon_says_so_and_serves_what_needs_none(
    far_database: tuple[Installation, Line],
) -> None:
    installation, _ = far_database
    await reported(installation, "database", "retrying")
    refused = await installation.mosaic("backlog", "list", "--json")
    assert (refused.status, refused.data["error"]["code"]) == (1, "unavailable")
    assert "database" in refused.err
    listed = await installation.mosaic("fleet", "list", "--json")
    assert [agent["name"] for agent in listed.data] == ["orchestrator", "enhancer"]
    assert not (installation.home / "postgres").exists(), (
        "no embedded server beside a configured one"
    )


async def test_a_database_that_comes_back_is_used_without_a_restart(
    far_database: tuple[Installation, Line],
) -> None:
    installation, line = far_database
    pid = installation.pid
    await line.restore()
    await reported(installation, "database", "ok", "PostgreSQL")
    await console_works(installation)
    await line.cut()
    await reported(installation, "database", "retrying")
    refused = await installation.mosaic("backlog", "list")
    assert refused.status == 1
    await line.restore()
    await reported(installation, "database", "ok")
    await console_works(installation)
    assert installation.pid == pid
    assert installation.bugs() == []


@pytest.mark.parametrize(
    ("url", "word"),
    [
        ("postgresql://mosaic:secretword@127.0.0.1:port/x", "DATABASE_URL"),
        ("mysql://127.0.0.1/x", "DATABASE_URL"),
    ],
)
async def test_an_address_that_cannot_be_one_is_named_without_its_password(
    short_directory: Path, url: str, word: str
) -> None:
    home = short_directory / f"address-{len(url)}" / "home"
    home.parent.mkdir()
    installation = Installation(home, {"DATABASE_URL": url})
    try:
        await installation.up()
        await reported(installation, "database", "stopped", word)
        shown = (await installation.mosaic("status")).out + installation.log()
        assert "secretword" not in shown
        assert (await installation.mosaic("help")).status == 0
    finally:
        await installation.close()


def link_programs(source: Path, target: Path) -> None:
    """Put a link to every program of a directory into another; a later one wins."""
    for program in source.iterdir() if source.is_dir() else ():
        link = target / program.name
        link.unlink(missing_ok=True)
        link.symlink_to(program)


def write_private(path: Path, text: str) -> None:
    path.touch(mode=0o600)
    path.write_text(text, encoding="utf-8")
