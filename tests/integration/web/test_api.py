"""What is answered over HTTP: data and blocks, problem documents with fitting statuses, a yes and a stop."""

import asyncio
import json
import os
import socket
import stat
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bot.command.declare import EVERYONE, Call, command, topic
from bot.errors import SetupError, TransientError
from bot.reply import Reply, say
from tests.stages.face import Face, serve
from tests.waiting import until
from web.api import bind_private


@topic("drill")
class Drills:
    """Commands that go wrong in every way."""

    def __init__(self) -> None:
        self.wiped = 0

    @command("wipe", roles=EVERYONE, confirm="Everything will be gone.")
    async def wipe(self, call: Call) -> Reply:
        """Wipe."""
        self.wiped += 1
        return say("Gone.")

    @command("bug", roles=EVERYONE)
    async def bug(self, call: Call) -> Reply:
        """Break."""
        raise RuntimeError("secret detail")

    @command("away", roles=EVERYONE)
    async def away(self, call: Call) -> Reply:
        """Be away."""
        raise TransientError("the database is away")

    @command("setup", roles=EVERYONE)
    async def setup(self, call: Call) -> Reply:
        """Need a person."""
        raise SetupError("no token", hint="set it")


async def ask(face: Face, path: str, body: Any) -> tuple[int, Any]:
    """Post to the face as its operator."""
    async with face.session("operator") as session:
        answer = await session.post(path, json=body)
        return answer.status, await answer.json(content_type=None)


async def test_words_are_run_and_answered_with_data_and_blocks(face: Face) -> None:
    words = ["backlog", "create", "--id", "A1", "--title", "schema"]
    status, document = await ask(face, "/v1/run", {"words": words})
    assert (status, document["data"]["id"]) == (200, "A1")
    assert {block["block"] for block in document["blocks"]} <= {"text", "table", "fields", "code"}


async def test_a_command_takes_named_arguments_under_its_path(face: Face) -> None:
    arguments = {"id": "A1", "title": "schema", "priority": 3}
    status, document = await ask(face, "/v1/commands/backlog/create", arguments)
    assert (status, document["data"]["priority"]) == (200, 3)
    status, document = await ask(face, "/v1/commands/fleet%20backlog/show", {"id": "A1"})
    assert (status, document["data"]["title"]) == (200, "schema")


async def test_every_command_is_described_with_schema_roles_and_usage(face: Face) -> None:
    async with face.session("member") as session:
        document = await (await session.get("/v1/commands")).json()
    described = {entry["name"]: entry for entry in document["commands"]}
    assert set(described) == set(face.interpreter.catalog.commands)
    unlink = described["backlog unlink"]
    assert unlink["usage"] == "backlog unlink --from FROM --to TO"
    assert unlink["schema"]["required"] == ["from", "to"]
    assert unlink["roles"] == ["agent", "operator"]


@pytest.mark.parametrize(
    ("words", "status", "code"),
    [
        (["backlog", "lsit"], 404, "unknown_command"),
        (["backlog", "show"], 400, "usage"),
        (["backlog", "show", "none"], 404, "unknown_card"),
        (["drill", "wipe"], 409, "confirmation_required"),
        (["drill", "away"], 503, "unavailable"),
        (["drill", "setup"], 503, "setup"),
        (["drill", "bug"], 500, "bug"),
    ],
)
async def test_a_failure_is_a_problem_document_with_a_fitting_status(
    home: Path, words: list[str], status: int, code: str
) -> None:
    async with serve(home / "run" / "api.sock", [Drills()]) as face, face.session() as session:
        answer = await session.post("/v1/run", json={"words": words})
        document = await answer.json(content_type="application/problem+json")
    assert (answer.status, document["status"], document["error"]["code"]) == (status, status, code)
    assert document["detail"] == document["error"]["message"]
    assert ("Retry-After" in answer.headers) is (code == "unavailable")
    assert "secret detail" not in json.dumps(document)
    assert "Traceback" not in json.dumps(document)


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/v2/run", 404, "not_found"),
        ("GET", "/v1/run", 405, "wrong_method"),
        ("GET", "/../../etc/passwd", 404, "not_found"),
        ("POST", "/v1/commands/nothing", 404, "unknown_command"),
    ],
)
async def test_what_is_not_there_is_said_in_the_same_form(
    face: Face, method: str, path: str, status: int, code: str
) -> None:
    async with face.session("operator") as session:
        answer = await session.request(method, path)
        document = await answer.json(content_type="application/problem+json")
    assert (answer.status, document["error"]["code"]) == (status, code)


async def test_a_yes_may_name_what_it_is_to(home: Path) -> None:
    drills = Drills()
    async with serve(home / "run" / "api.sock", [drills]) as face, face.session() as session:
        refused = await session.post("/v1/run", json={"words": ["drill", "wipe"]})
        shown = (await refused.json(content_type="application/problem+json"))["preview_id"]
        for named in ("another", shown):
            body = {"words": ["drill", "wipe"], "confirmed": True, "preview_id": named}
            answers = (
                await session.post("/v1/run", json=body),
                await session.post(
                    f"/v1/commands/drill/wipe?confirm=true&preview_id={named}", json={}
                ),
            )
            wanted = 200 if named == shown else 409
            assert [one.status for one in answers] == [wanted, wanted]
    assert drills.wiped == 2


async def test_a_destructive_command_runs_after_a_yes_only(home: Path) -> None:
    drills = Drills()
    async with serve(home / "run" / "api.sock", [drills]) as face:
        await ask(face, "/v1/run", {"words": ["drill", "wipe"]})
        await ask(face, "/v1/commands/drill/wipe?confirm=false", {})
        assert drills.wiped == 0
        await ask(face, "/v1/run", {"words": ["drill", "wipe"], "confirmed": True})
        await ask(face, "/v1/commands/drill/wipe?confirm=true", {})
        assert drills.wiped == 2


@pytest.mark.parametrize("keep_agents", [True, False])
async def test_a_stop_is_answered_and_tells_whether_the_agents_stay(
    face: Face, keep_agents: bool
) -> None:
    status, document = await ask(face, "/v1/stop", {"keep_agents": keep_agents})
    assert (status, document["data"]["stopping"], face.stops) == (200, True, [keep_agents])


async def test_health_asks_for_no_right_and_status_is_the_daemons(face: Face) -> None:
    async with face.session("stranger") as session:
        assert await (await session.get("/v1/health")).json() == {"status": "ok"}
    async with face.session() as session:
        assert await (await session.get("/v1/status")).json() == face.status


async def test_the_socket_is_private_and_goes_with_the_part(home: Path) -> None:
    path = home / "run" / "api.sock"
    async with serve(path):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert not path.exists()


async def test_a_dead_daemons_socket_is_replaced(home: Path) -> None:
    path = home / "run" / "api.sock"
    bind_private(path).close()
    assert path.exists()
    async with serve(path) as face, face.session() as session:
        assert (await session.get("/v1/health")).status == 200


async def test_a_file_in_the_way_is_not_removed(home: Path) -> None:
    (home / "api.sock").write_text("mine")
    with pytest.raises(SetupError, match="in the way"):
        bind_private(home / "api.sock")
    assert (home / "api.sock").read_text() == "mine"


async def test_a_directory_that_others_can_enter_is_refused(home: Path) -> None:
    (home / "open").mkdir()
    (home / "open").chmod(0o755)
    with pytest.raises(SetupError, match="mode 0755"):
        bind_private(home / "open" / "api.sock")


async def test_a_path_that_no_socket_can_have_is_refused_with_its_length(home: Path) -> None:
    with pytest.raises(SetupError, match="at most 107"):
        bind_private(home / ("x" * 120) / "api.sock")


async def test_a_process_umask_is_left_as_it_was(home: Path) -> None:
    before = os.umask(0o022)
    try:
        bind_private(home / "run" / "api.sock").close()
        assert os.umask(0o022) == 0o022
    finally:
        os.umask(before)


async def test_a_client_that_hangs_up_halfway_harms_nobody(face: Face) -> None:
    for piece in (b"POST /v1/run HT", b"\x00\xff\r\n\r\n", b"GET /v1/status HTTP/1.1\r\nHost: x"):
        with socket.socket(socket.AF_UNIX) as raw:
            raw.connect(str(face.path))
            raw.sendall(piece)
    async with face.session() as session:
        assert (await session.get("/v1/health")).status == 200


@topic("slow")
class Slow:
    """A command that waits."""

    def __init__(self) -> None:
        self.started = asyncio.Event()
        self.go_on = asyncio.Event()

    @command("one", roles=EVERYONE)
    async def one(self, call: Call) -> Reply:
        """Take a moment."""
        self.started.set()
        await self.go_on.wait()
        return say("Done.")


async def test_a_call_under_way_may_finish_when_the_daemon_stops(home: Path) -> None:
    slow, path = Slow(), home / "run" / "api.sock"
    connector = aiohttp.UnixConnector(str(path))
    async with aiohttp.ClientSession("http://mosaic", connector=connector) as session:
        async with serve(path, [slow]):
            asking = asyncio.create_task(session.post("/v1/run", json={"words": ["slow", "one"]}))
            await slow.started.wait()
            releasing = asyncio.create_task(_release_when_gone(path, slow.go_on))
        await releasing
        assert (await asking).status == 200


async def _release_when_gone(path: Path, event: asyncio.Event) -> None:
    await until(lambda: not path.exists(), what="the socket to go")
    event.set()
