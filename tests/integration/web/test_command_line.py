"""The `mosaic` command against a served face: exit statuses, one JSON document, a yes, standard input."""

import asyncio
import json
import os
import pty
import select
import sys
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import pytest

from bot.command.declare import EVERYONE, Call, Effect, Help, Rest, command, topic
from bot.reply import Reply, say
from tests.stages.face import PEOPLE, Face, serve
from tests.waiting import until


class Ended(NamedTuple):
    """How a call of the command ended."""

    status: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        return json.loads(self.out)


@topic("mail")
class Drills:
    """A destructive command and one that never ends, under names that the shipped table has."""

    def __init__(self) -> None:
        self.wiped: list[str] = []
        self.started = asyncio.Event()
        self.shows = ["one letter"]
        """What is shown with the question, one time after the other; the last one from then on."""

    async def show(self, call: Call, message_id: str) -> Reply:
        return say(self.shows.pop(0) if len(self.shows) > 1 else self.shows[0])

    @command(
        "retry",
        roles=EVERYONE,
        effect=Effect.WRITE,
        confirm="All of it will be gone.",
        preview="show",
    )
    async def wipe(self, call: Call, message_id: Annotated[str, Rest(), Help("what")]) -> Reply:
        """Wipe."""
        self.wiped.append(message_id)
        return say("Gone.")

    @command("dead", roles=EVERYONE)
    async def wait(self, call: Call) -> Reply:
        """Wait for ever."""
        self.started.set()
        await asyncio.Event().wait()
        return say("")


class Shell:
    """Calls the command in a home."""

    def __init__(self, face: Face, drills: Drills) -> None:
        self.face = face
        self.drills = drills
        self.home = face.path.parent.parent

    @property
    def environ(self) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.home),
            "MOSAIC_HOME": str(self.home),
            "LANG": "C.UTF-8",
        }

    async def start(
        self, *words: str | bytes, environ: Mapping[str, str] | None = None, **kwargs: Any
    ) -> asyncio.subprocess.Process:
        pipe = asyncio.subprocess.PIPE
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bot", *words),
            **{"stdin": pipe, "stdout": pipe, "stderr": pipe, **kwargs},
            env=self.environ | dict(environ or {}),
        )

    async def __call__(
        self, *words: str | bytes, stdin: bytes = b"", environ: Mapping[str, str] | None = None
    ) -> Ended:
        process = await self.start(*words, environ=environ)
        async with asyncio.timeout(30):
            out, err = await process.communicate(stdin)
        return Ended(process.returncode or 0, out.decode(), err.decode())


@pytest.fixture
async def mosaic(home: Path) -> AsyncIterator[Shell]:
    drills = Drills()
    async with serve(home / "run" / "api.sock", instead_of_mail=drills) as face:
        yield Shell(face, drills)


async def test_an_answer_is_a_table_for_people_and_one_document_for_programs(mosaic: Shell) -> None:
    made = await mosaic("backlog", "create", "--id", "A1", "--title", "größer", "--json")
    assert (made.status, made.data["title"], made.err) == (0, "größer", "")
    listed = await mosaic("--json", "backlog", "list")
    assert [card["id"] for card in listed.data] == ["A1"]
    shown = await mosaic("backlog", "list")
    assert (shown.status, "A1" in shown.out, "größer" in shown.out) == (0, True, True)
    assert "\x1b" not in shown.out


async def test_nothing_to_claim_is_null_and_no_failure(mosaic: Shell) -> None:
    ended = await mosaic("backlog", "claim", "--owner", "me", "--json")
    assert (ended.status, ended.data) == (0, None)


async def test_a_refusal_exits_with_1_and_a_usage_error_with_2(mosaic: Shell) -> None:
    for words, status, code in (
        (["backlog", "show", "none"], 1, "unknown_card"),
        (["backlog", "show"], 2, "usage"),
        (["backlog", "list", "--limit", "many"], 2, "usage"),
        (["backlog", "lits"], 2, "unknown_command"),
    ):
        ended = await mosaic(*words, "--json")
        assert (ended.status, ended.data["error"]["code"]) == (status, code)
        assert ended.data["error"]["message"] in ended.err
        assert "Traceback" not in ended.err


async def test_without_a_daemon_the_exit_status_is_3_and_up_is_named(
    mosaic: Shell, tmp_path: Path
) -> None:
    for words in (["status"], ["backlog", "list"], ["down"], ["chat"]):
        ended = await mosaic(*words, "--home", str(tmp_path))
        assert (ended.status, "mosaic up" in ended.err) == (3, True)
    ended = await mosaic("status", "--json", "--home", str(tmp_path))
    assert ended.data["error"]["code"] == "not_running"


async def test_a_dead_daemons_socket_is_no_daemon(mosaic: Shell, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir(mode=0o700)
    async with serve(tmp_path / "run" / "other.sock") as face:
        os.link(face.path, tmp_path / "run" / "api.sock")
    assert (await mosaic("status", "--home", str(tmp_path))).status == 3
    assert (await mosaic("down", "--home", str(tmp_path))).status == 3
    assert not (tmp_path / "run" / "api.sock").exists()


async def test_status_is_the_daemons_own_word(mosaic: Shell) -> None:
    ended = await mosaic("status", "--json")
    assert (ended.status, ended.data) == (0, mosaic.face.status)
    shown = await mosaic("status")
    assert (shown.status, "listening" in shown.out) == (0, True)


async def test_whoever_is_not_at_a_terminal_has_said_yes_by_asking(mosaic: Shell) -> None:
    ended = await mosaic("mail", "retry", "abcd")
    assert (ended.status, mosaic.drills.wiped) == (0, ["abcd"])


@pytest.mark.parametrize(
    ("typed", "flags", "status"),
    [(b"y\n", (), 0), (b"n\n", (), 1), (b"\n", (), 1), (b"", ("--yes",), 0)],
)
async def test_a_person_at_a_terminal_is_asked(
    mosaic: Shell, typed: bytes, flags: tuple[str, ...], status: int
) -> None:
    ours, theirs = pty.openpty()
    try:
        process = await mosaic.start("mail", "retry", "abcd", *flags, stdin=theirs, stderr=theirs)
        os.write(ours, typed)
        async with asyncio.timeout(30):
            await process.communicate()
        said = os.read(ours, 4096).decode() if not flags else ""
    finally:
        os.close(ours)
        os.close(theirs)
    assert process.returncode == status
    assert mosaic.drills.wiped == ([] if status else ["abcd"])
    assert flags or "All of it will be gone." in said


async def test_what_a_command_would_do_is_shown_with_the_question(mosaic: Shell) -> None:
    words = ("fleet", "provision", "pair")
    for typed, status in ((b"n\n", 1), (b"y\n", 0)):
        ended, said = await at_a_terminal(mosaic, typed, *words)
        assert ended == status
        assert "orchestrator  (dogfood, new)" in said
        assert said.index("The roster would be:") < said.index("This adds the agents")
    chart = (await mosaic("fleet", "chart", "--json")).data
    assert [one["name"] for one in chart] == ["orchestrator", "enhancer"]
    ended, said = await at_a_terminal(mosaic, b"", *words, "--dry-run")
    assert (ended, said) == (0, "")


@pytest.mark.parametrize(("typed", "status"), [(b"y\ny\n", 0), (b"y\nn\n", 1)])
async def test_a_yes_to_what_has_changed_meanwhile_is_asked_for_again(
    mosaic: Shell, typed: bytes, status: int
) -> None:
    mosaic.drills.shows = ["three letters", "two letters"]
    ended, said = await at_a_terminal(mosaic, typed, "mail", "retry", "abcd")
    assert ended == status
    assert mosaic.drills.wiped == ([] if status else ["abcd"])
    first, changed, last = map(
        said.index, ("three letters", "is not what you were shown", "two letters")
    )
    assert first < last < changed
    assert said.count("All of it will be gone.") == 2


async def at_a_terminal(mosaic: Shell, typed: bytes, *words: str) -> tuple[int, str]:
    """Run a command with input and errors at a terminal; return how it ended and what was said there."""
    ours, theirs = pty.openpty()
    try:
        process = await mosaic.start(*words, stdin=theirs, stderr=theirs)
        os.write(ours, typed)
        async with asyncio.timeout(30):
            await process.communicate()
        os.set_blocking(ours, False)
        said = os.read(ours, 65536).decode() if select.select([ours], [], [], 0)[0] else ""
    finally:
        os.close(ours)
        os.close(theirs)
    return process.returncode or 0, said


async def test_a_fleet_to_begin_with_is_asked_for_in_a_terminal(
    mosaic: Shell, tmp_path: Path
) -> None:
    home = tmp_path / "new"
    ours, theirs = pty.openpty()
    try:
        words = ("fleet", "init", "--home", str(home), "--runtime", "dogfood")
        process = await mosaic.start(*words, stdin=theirs, stdout=theirs, stderr=theirs)
        os.write(ours, b"research\n\n~\n\ny\n")
        async with asyncio.timeout(30):
            await process.wait()
    finally:
        os.close(ours)
        os.close(theirs)
    assert process.returncode == 0
    roster = (home / "fleet" / "roster.yaml").read_text()
    assert "profile: research\nlead: lead-researcher\n" in roster
    refused = await mosaic("fleet", "init", "--home", str(home), "--json")
    assert (refused.status, refused.data["error"]["code"]) == (1, "refused")


async def test_a_text_that_is_a_dash_is_read_from_standard_input(mosaic: Shell) -> None:
    asking = ("why", PEOPLE["member"].id, "-", "--json")
    text = "two lines\nwith `ticks` and 🦊"
    ended = await mosaic(*asking, stdin=f"{text}\n".encode())
    assert (ended.status, ended.data["decision"]["action"]) == (0, text)
    for stdin in (b"\xff", b"x" * 1_100_000):
        refused = await mosaic(*asking, stdin=stdin)
        assert (refused.status, refused.data["error"]["code"]) == (2, "usage")


async def test_an_argument_that_is_no_utf8_is_refused_in_words(mosaic: Shell) -> None:
    ended = await mosaic("backlog", "show", b"\xff\xfe", "--json")
    assert (ended.status, ended.data["error"]["code"]) == (2, "usage")
    assert "Unicode" in ended.err


async def test_a_daemon_that_ends_in_the_middle_of_a_call_is_said_so(home: Path) -> None:
    drills = Drills()
    async with serve(home / "run" / "api.sock", instead_of_mail=drills) as face:
        process = await Shell(face, drills).start("mail", "dead")
        await until(drills.started.is_set)
    out, err = await process.communicate()
    assert (process.returncode, out) == (1, b"")
    assert b"hung up" in err


async def test_an_agent_speaks_with_its_files_socket_and_token(
    mosaic: Shell, tmp_path: Path
) -> None:
    access = {"name": "coder0", "host": "host", "socket": str(mosaic.face.path), "token": "agent"}
    file = tmp_path / "coder0.json"
    file.write_text(json.dumps(access))
    elsewhere = {"MOSAIC_AGENT_FILE": str(file), "MOSAIC_HOME": str(tmp_path / "none")}
    ended = await mosaic("why", "--json", environ=elsewhere)
    assert (ended.status, ended.data["principal"]) == (0, PEOPLE["agent"].id)
    refused = await mosaic("down", "--json", environ=elsewhere)
    assert (refused.status, refused.data["error"]["code"]) == (1, "forbidden")
    assert mosaic.face.stops == []


@pytest.mark.parametrize("text", ["", "{", "[]", '{"socket": "/x"}'])
async def test_a_broken_agent_file_is_named_with_its_path(
    mosaic: Shell, tmp_path: Path, text: str
) -> None:
    file = tmp_path / "agent.json"
    file.write_text(text)
    ended = await mosaic("why", environ={"MOSAIC_AGENT_FILE": str(file)})
    assert (ended.status, f"{file}:1:" in ended.err) == (1, True)


async def test_a_stale_token_is_refused(mosaic: Shell, tmp_path: Path) -> None:
    file = tmp_path / "agent.json"
    file.write_text(json.dumps({"socket": str(mosaic.face.path), "token": "stale"}))
    ended = await mosaic("backlog", "list", "--json", environ={"MOSAIC_AGENT_FILE": str(file)})
    assert (ended.status, ended.data["error"]["code"]) == (1, "unknown_token")


async def test_output_that_nobody_reads_is_no_traceback(mosaic: Shell) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    process = await mosaic.start("--help", stdout=writing)
    os.close(writing)
    _, err = await process.communicate()
    assert b"Traceback" not in err
