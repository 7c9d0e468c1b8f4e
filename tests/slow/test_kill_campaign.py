"""Parts are killed without mercy in a stream of commands: every one runs at most once and is answered once."""

import asyncio
import os
import random
import re
import secrets
import shutil
import signal
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.stages.room import PATIENCE, Event, OpsRoom, answered, insist, mark_on, ops_room
from tests.stages.synapse import Town, town
from tests.waiting import until

pytestmark = pytest.mark.slow

COMMANDS = 300
LOG = "LOG"
Kill = Callable[[random.Random], Awaitable[None]]


@pytest.fixture(scope="module")
async def own_town(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Town]:
    """A homeserver that may be killed."""
    async with town(tmp_path_factory.mktemp("killed-synapse")) as found:
        yield found
        await found.go_home()


@pytest.fixture
async def running(own_town: Town, short_directory: Path) -> AsyncIterator[OpsRoom]:
    """An installation of the test's own, with a card whose history counts what ran."""
    directory = Path(tempfile.mkdtemp(dir=short_directory))
    async with ops_room(directory / "home", own_town) as room:
        await room.installation.up()
        await room.steady()
        assert LOG in await room.ask(f"!backlog create --id {LOG} --title log")
        yield room
    shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture
def rng() -> Iterator[random.Random]:
    """Where the moments come from; a failure says how to have the same ones again."""
    with named_seed(int(os.environ.get("KILL_SEED") or secrets.randbelow(2**32))) as found:
        yield found


@contextmanager
def named_seed(seed: int) -> Iterator[random.Random]:
    print(f"KILL_SEED={seed}")  # noqa: T201 - pytest shows it with a failure
    yield random.Random(seed)


async def test_the_daemon_is_killed_thirty_times(running: OpsRoom, rng: random.Random) -> None:
    installation = running.installation

    async def kill(rng: random.Random) -> None:
        await installation.kill()
        if rng.random() < 0.2:
            await kill_a_start(running, rng)
        await installation.up()

    asked = await survive(running, rng, kill, times=30)
    await check_account(running, asked)


async def test_postgres_is_killed_ten_times(running: OpsRoom, rng: random.Random) -> None:
    file = running.installation.home / "postgres" / "cluster" / "postmaster.pid"

    def postmaster() -> int:
        try:
            return int(file.read_text(encoding="ascii").split()[0])
        except (FileNotFoundError, IndexError):
            return 0

    async def kill(_rng: random.Random) -> None:
        before = await until(postmaster, PATIENCE, "a server to kill")
        os.kill(before, signal.SIGKILL)
        await until(lambda: postmaster() not in {0, before}, PATIENCE, "a new server")

    pid = running.installation.pid
    asked = await survive(running, rng, kill, times=10)
    await check_account(running, asked)
    assert running.installation.pid == pid


async def test_the_homeserver_is_killed_ten_times(running: OpsRoom, rng: random.Random) -> None:
    synapse = running.town.synapse

    async def kill(_rng: random.Random) -> None:
        synapse.kill()
        await synapse.wait()
        await synapse.start()

    pid = running.installation.pid
    asked = await survive(running, rng, kill, times=10)
    interrupted = await check_account(running, asked)
    assert interrupted == [], "the homeserver's death cuts no command short"
    assert running.installation.pid == pid


async def test_free_text_is_typed_at_most_once_whatever_dies(
    running: OpsRoom, rng: random.Random
) -> None:
    installation = running.installation
    texts = [f"note {number} {secrets.token_hex(4)}" for number in range(24)]

    async def kill(rng: random.Random) -> None:
        await installation.kill()
        await installation.up()

    asked = await survive(running, rng, kill, times=10, texts=texts)
    events = [e for e in installation.agent_events("orchestrator") if e["event"] == "submitted"]
    for text in texts:
        assert sum(text in event["text"] for event in events) <= 1, f"{text} was typed twice"
    said = await running.ann.events(running.room_id, running.bot.user_id)
    for text, event_id in zip(texts, asked, strict=True):
        answers = [e["content"]["body"] for e in said if answered(e) == event_id]
        spoken = [body for body in answers if body == f"dogfood orchestrator: {text}"]
        named = [body for body in answers if "may not have arrived" in body]
        assert len(spoken) <= 1
        assert len(named) <= 1
        assert len(spoken) + len(named) == len(answers) > 0


# -- the stream, and its account -----------------------------------------------------------------------


async def survive(
    room: OpsRoom,
    rng: random.Random,
    kill: Kill,
    *,
    times: int,
    texts: Sequence[str] | None = None,
) -> list[str]:
    """Say everything, kill at moments spread over the answers, and return the events when all are answered."""
    lines = list(texts) if texts is not None else [command(n) for n in range(COMMANDS)]
    moments = sorted(rng.sample(range(len(lines) - 1), times))
    run = secrets.token_hex(4)
    asked: list[str] = []

    async def say_all() -> None:
        for number, line in enumerate(lines):
            asked.append(await insist(room.ann, room.room_id, line, f"{run}-{number}"))

    saying = asyncio.create_task(say_all())
    known = {event["event_id"] for event in room.said()}

    def progress() -> int:
        own = set(asked)
        fresh = (answered(event) for event in room.said() if event["event_id"] not in known)
        return len({event_id for event_id in fresh if event_id in own})

    for moment in moments:
        await passed(progress, moment)
        await asyncio.sleep(rng.uniform(0, 0.15))
        await kill(rng)
    await saying
    for event_id in asked:
        await room.answer(event_id)
    # What stands in the lane behind everything else is said when everything else was.
    await room.ask("!backlog stats")
    return asked


async def passed(progress: Callable[[], int], moment: int) -> None:
    """Wait until so many answers are there; patience is for the next answer, not for all of them."""
    while (reached := progress()) <= moment:
        await until(lambda: progress() > reached, 2 * PATIENCE, f"the answer after {reached}")


async def kill_a_start(room: OpsRoom, rng: random.Random) -> None:
    """Start the daemon and kill it before it is ready, or just after."""
    starting = asyncio.create_task(room.installation.mosaic("up", "--detach"))
    old = room.installation.pid
    await until(lambda: room.installation.pid not in {None, old}, PATIENCE, "a start to kill")
    await asyncio.sleep(rng.uniform(0, 1.5))
    await room.installation.kill()
    await starting


def command(number: int) -> str:
    """Return the line of a number: half of them leave a card, half a line in a card's history."""
    if number % 2:
        return f"!backlog edit --id {LOG} --priority {number}"
    return f"!backlog create --id K{number} --title kill"


async def check_account(room: OpsRoom, asked: Sequence[str]) -> list[int]:
    """Insist that all is accounted for; return which commands were named as interrupted."""
    said = await room.ann.events(room.room_id, room.bot.user_id)
    interrupted: list[int] = []
    for number, event_id in enumerate(asked):
        answers = [event for event in said if answered(event) == event_id]
        assert len(answers) == 1, f"{command(number)}: {[e['content'] for e in answers]}"
        if check_answer(answers[0], number):
            interrupted.append(number)
        check_marks(said, event_id, failed=number in interrupted)
    ran = await what_ran(room)
    assert set(Counter(ran).values()) <= {1}, "a command ran twice"
    missing = set(range(len(asked))) - set(ran) - set(interrupted)
    assert not missing, "answered as done, and not done"
    order = [
        e["content"]["m.relates_to"]["m.in_reply_to"]["event_id"] for e in said if is_answer(e)
    ]
    assert [event_id for event_id in order if event_id in asked] == list(asked)
    lost = re.findall(r"recovered \d+, lost (\d+)", "\n".join(map(body_of, said)))
    assert set(lost) <= {"0"}
    return interrupted


def check_answer(event: Event, number: int) -> bool:
    """Insist on an answer's form; return whether it names the command as interrupted."""
    body = body_of(event)
    assert event["content"]["msgtype"] == "m.notice"
    if body.startswith("interrupted: "):
        assert command(number) in body
        return True
    assert ("K" + str(number) in body) or (number % 2 and LOG in body), body
    assert "❌" not in body
    return False


def check_marks(said: Sequence[Event], event_id: str, *, failed: bool) -> None:
    """Insist that each mark stands once, and that what is marked is what happened."""
    marks = Counter(mark for event in said if (mark := mark_on(event, event_id)))
    assert set(marks.values()) == {1}
    assert ("❌" in marks) == failed
    assert ("✅" in marks) != failed


async def what_ran(room: OpsRoom) -> list[int]:
    """Return the numbers of the commands that left a trace in the backlog, as often as they did."""
    cards = (await room.installation.mosaic("backlog", "list", "--json")).data
    history = (await room.installation.mosaic("backlog", "show", LOG, "--json")).data["history"]
    ran = [int(card["id"][1:]) for card in cards if card["id"] != LOG]
    return ran + [e["detail"]["priority"]["to"] for e in history if e["action"] == "edit"]


def is_answer(event: Event) -> bool:
    return answered(event) is not None


def body_of(event: Event) -> str:
    return str(event["content"].get("body", ""))
