"""Typing one message into one pane, with proof (spec 4-receipts, steps 4 to 7).

Whoever uses it has recorded TYPED already and holds the pane's lock.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from bot.backlog.card_prompt import without_token
from bot.config.places import Places
from bot.errors import UserError
from bot.model import ReceiptState, SendResult
from fleet.host import processes
from fleet.host.local import Door
from fleet.readers import read_screen
from fleet.runtimes import Proof
from fleet.tmux.screen import Reading, Screen, ScreenState, screen_of, shows_end
from fleet.turns.envelope import end_mark
from fleet.turns.events import read_events, size_of

_PASTED = re.compile(r"\[(?:Pasted|paste) [^\]]{1,60}\]")
HELD = "its program is held (SIGSTOP, or a debugger)"
_NUMBER = re.compile(r"(?<![#\d])\d+")
_AT_ONCE = timedelta(0)
_TEXT_MAY_STAND = frozenset(
    {ScreenState.DRAFT, ScreenState.BUSY, ScreenState.QUEUED, ScreenState.UNKNOWN}
)


@dataclass(frozen=True, slots=True)
class Patience:
    """How long each step may take. A delivery's steps together stay below its lease of two minutes.

    ``hatch`` is how long a program may take to answer at its hatch, which it does in 0.1 s. ``afterwards`` is for
    how long a message without proof is looked for again before its fate is called unknown.
    """

    look: timedelta = timedelta(milliseconds=200)
    prompt: timedelta = timedelta(seconds=30)
    lock: timedelta = timedelta(seconds=5)
    refused: timedelta = timedelta(seconds=10)
    echo: timedelta = timedelta(seconds=10)
    first_enter: timedelta = timedelta(seconds=2)
    second_enter: timedelta = timedelta(seconds=8)
    screen: timedelta = timedelta(seconds=1)
    proof_poll: timedelta = timedelta(milliseconds=20)
    hatch: timedelta = timedelta(seconds=1)
    afterwards: timedelta = timedelta(seconds=20)


@dataclass(slots=True)
class Enters:
    """How often Enter may still be pressed for one message: once, and once more."""

    left: int = 2


@dataclass(frozen=True, slots=True)
class Look:
    """One look at a pane: how its screen is read, and the screen itself."""

    reading: Reading
    screen: Screen

    def evidence(self) -> dict[str, Any]:
        """Return what was seen last, for a receipt."""
        rows = [without_token(row.rstrip()) for row in self.screen.rows]
        shown = [row for row in rows[: self.screen.cursor_y + 3] if row][-12:]
        return {"state": self.reading.state.value, "reader": self.reading.reader, "screen": shown}


async def look_at(door: Door) -> Look:
    """Look once; a pane that is gone reads as dead."""
    seen = await door.terminal.look(door.pane.id)
    screen = Screen((), 0, 0, dead=True) if seen is None else screen_of(*seen)
    return Look(read_screen(door.runtime.name, screen), screen)


def is_held(door: Door) -> bool:
    """Whether an agent's program is stopped from outside: it draws nothing, and takes nothing until it goes on."""
    process = processes.find(door.pane.pid)
    return process is not None and process.stopped


def find_proof(
    path: Path, message_id: str, since: int = 0, session_id: str | None = None
) -> SendResult | None:
    """Return the proof in an events file that a message was submitted, None when there is none."""
    if size_of(path) == since:
        return None
    for event in read_events(path, since).events:
        if event.event != "submitted" or message_id not in event.message_ids:
            continue
        if session_id in {None, event.session_id}:
            return SendResult(ReceiptState.ACCEPTED, by="submitted", evidence=event.evidence(path))
    return None


def _counts(text: str) -> set[int]:
    """Return how many lines or characters a program may say that it has folded away: each counts in its way."""
    breaks = text.count("\n")
    return {breaks, breaks + 1, len(text), len(text.encode()), len(text.encode("utf-16-le")) // 2}


@dataclass(frozen=True, slots=True)
class Keyboard:
    """The keys of one pane for one message, whose whole ``text`` they type.

    ``since`` is where its proof can begin in the events file. ``enters`` is shared by all who type or
    recollect the same message. With ``holds_on`` the pane's lock was never given up since the prompt was seen
    to be empty: what is folded away there is ours. Else it must be as long as the text.
    """

    door: Door
    places: Places
    message_id: str
    text: str
    patience: Patience
    since: int = 0
    session_id: str | None = None
    enters: Enters = field(default_factory=Enters)
    holds_on: bool = False

    async def type(self) -> SendResult:
        """Paste the text, press Enter once it stands there, and return what is known of it then.

        UserError when tmux refused the paste for good: then not one byte has landed.
        """
        buffer = f"mosaic-{self.message_id}"
        content = self.text.encode()
        if not await self._insist(
            lambda: self.door.terminal.paste(self.door.pane.id, content, buffer)
        ):
            seen = await look_at(self.door)
            raise UserError(f"refused: the pane is {seen.reading.state.value}", code="refused")
        if not await self._echoed(self.patience.echo):
            return await self._unknown("the text did not appear at the cursor")
        return await self.submit()

    async def submit(self) -> SendResult:
        """Press Enter on our own text at the cursor, once more if it still stands there, and seek proof.

        Not while its program is held: it would draw nothing, and find all that was pressed at once later.
        """
        for wait in (self.patience.first_enter, self.patience.second_enter):
            if is_held(self.door):
                return await self._unknown(HELD)
            if not self.enters.left:
                break
            if not await self._enter():
                return await self._unknown("Enter was refused")
            proof = await self._proof(wait)
            if proof is not None:
                return proof
            if not await self.stands():
                return await self._proof_of_what_left() or await self._unknown(
                    "no proof after Enter"
                )
        return await self._unknown("the text still stands at the cursor after two Enters")

    async def _enter(self) -> bool:
        self.enters.left -= (
            1  # before it is pressed: whoever is interrupted here may have pressed it
        )
        if await self._insist(lambda: self.door.terminal.press(self.door.pane.id, "Enter")):
            return True
        self.enters.left += 1
        return False

    async def recollect(self) -> SendResult:
        """Return what became of a message that may have been typed before: it is never typed again."""
        if self.door.runtime.proof is not Proof.SCREEN and await self._echoed(_AT_ONCE):
            return await self.submit()
        return await self._unknown("nothing proves that it arrived, and it stands in no prompt")

    async def stands(self) -> bool:
        """Whether our own text, not submitted, stands at the cursor."""
        seen = await look_at(self.door)
        if seen.reading.state not in _TEXT_MAY_STAND:
            return False
        folded = _PASTED.fullmatch(seen.reading.draft_tail or "")
        if folded is not None and (self.holds_on or self._may_be_ours(folded[0])):
            return True
        rows = 3 if self.door.runtime.full_screen else 1
        return shows_end(seen.screen, end_mark(self.message_id), rows)

    def _may_be_ours(self, folded: str) -> bool:
        return not _counts(self.text).isdisjoint(map(int, _NUMBER.findall(folded)))

    # -- steps -----------------------------------------------------------------------------------------

    async def _insist(self, step: Callable[[], Awaitable[bool]]) -> bool:
        """Repeat a guarded step while the pane is in a mode; false when it stays so, or is dead."""
        done = False

        async def settled() -> bool:
            nonlocal done
            done = await step()
            return done or (await look_at(self.door)).reading.state is ScreenState.DEAD

        await self._until(settled, self.patience.refused, self.patience.look)
        return done

    async def _echoed(self, within: timedelta) -> bool:
        """Wait until our text stands at the cursor, and goes on to stand there."""
        if not await self._until(self.stands, within, self.patience.proof_poll):
            return False
        if not (settle := self.door.runtime.settle):
            return True
        await asyncio.sleep(settle.total_seconds())
        return await self.stands()

    async def _proof(self, within: timedelta) -> SendResult | None:
        if self.door.runtime.proof is Proof.SCREEN:
            return await self._screen_proof()
        path = self.places.events_file(self.door.agent.name)
        deadline = asyncio.get_running_loop().time() + within.total_seconds()
        pauses = _pauses(self.patience.proof_poll)
        while (proof := find_proof(path, self.message_id, self.since, self.session_id)) is None:
            if asyncio.get_running_loop().time() > deadline:
                return None
            await asyncio.sleep(next(pauses))
        return proof

    async def _proof_of_what_left(self) -> SendResult | None:
        """Seek proof of a text that has left the prompt: a program may say nothing of what it has queued."""
        hooked = self.door.runtime.proof is Proof.HOOKS
        if hooked and (await look_at(self.door)).reading.state is ScreenState.QUEUED:
            return await self._screen_proof()
        proof = await self._proof(self.patience.second_enter)
        return await self._screen_proof() if hooked and proof is None else proof

    async def _screen_proof(self) -> SendResult | None:
        await asyncio.sleep(self.patience.screen.total_seconds())
        if await self.stands():
            return None
        if is_held(self.door):
            return await self._unknown(HELD)  # what it drew last says nothing
        seen = await look_at(self.door)
        if seen.reading.state is ScreenState.DEAD:
            return await self._unknown("the program ended after Enter")
        queued = seen.reading.state is ScreenState.QUEUED
        by = "queued" if queued else "screen"
        return SendResult(ReceiptState.ACCEPTED, by=by, evidence=seen.evidence())

    async def _unknown(self, reason: str) -> SendResult:
        seen = await look_at(self.door)
        return SendResult(ReceiptState.UNKNOWN, by=None, evidence=seen.evidence(), reason=reason)

    async def _until(
        self, fact: Callable[[], Awaitable[bool]], within: timedelta, every: timedelta
    ) -> bool:
        deadline = asyncio.get_running_loop().time() + within.total_seconds()
        pauses = _pauses(every)
        while not await fact():
            if asyncio.get_running_loop().time() > deadline:
                return False
            await asyncio.sleep(next(pauses))
        return True


def _pauses(longest: timedelta) -> Iterator[float]:
    """Yield seconds between looks: what a quick program has done at once is not waited for."""
    pause = 0.002
    while True:
        yield min(pause, longest.total_seconds())
        pause *= 2
