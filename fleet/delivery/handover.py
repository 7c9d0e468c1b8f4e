"""Handing one message over through a program's hatch, with proof (spec 4-receipts, step 4).

Whoever uses it holds the pane's lock. Everything goes by files in one private folder: ``ID.knock`` is answered by
``ID.open`` (with the conversation that would take a message) or ``ID.shut``; ``ID.note`` is the message, and
renamed to ``ID.taken`` it is the program's. ``ID.failed`` says that its hand-over ended in an error.
"""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from bot.model import ReceiptState, SendResult
from fleet.delivery.keyboard import HELD, Patience, find_proof, is_held
from fleet.host.local import Door
from fleet.private_files import write_private

_ANSWERS = ("open", "shut")
_ALL = ("knock", *_ANSWERS, "note", "taken", "failed")


@dataclass(frozen=True, slots=True)
class Handover:
    """The hatch of one running agent, for one message. ``since`` is where its proof can begin in ``events``."""

    door: Door
    way: str
    folder: Path
    events: Path
    message_id: str
    patience: Patience
    since: int = 0

    @classmethod
    def to(
        cls, door: Door, events: Path, message_id: str, patience: Patience, since: int = 0
    ) -> "Handover | None":
        """Return the way through an agent's hatch, None when its program has none or has not fitted it."""
        hatch = door.runtime.hatch
        if hatch is None or not (door.folder / hatch.folder / "ready").exists():
            return None
        return cls(door, hatch.way, door.folder / hatch.folder, events, message_id, patience, since)

    async def knock(self) -> str | None:
        """Return the conversation that would take the message now, None when none would: nothing is handed over."""
        self._clear("knock", *_ANSWERS)
        write_private(self._file("knock"), "")
        await self._until(lambda: self._any(*_ANSWERS), self.patience.hatch)
        if self._any("open"):
            # It stays until the message's fate is known: who finds it later must not press Enter for it.
            return self._file("open").read_text(encoding="utf-8")
        self._clear("knock", *_ANSWERS)
        return None

    async def give(self, conversation: str, text: str) -> SendResult | None:
        """Hand a message over, once, and return what is known of it then; None when it certainly was not.

        TYPED must be recorded before. After None nothing of it is left, and it may go another way. A program
        that is held finds it when it goes on.
        """
        write_private(self._file("note"), json.dumps({"conversation": conversation, "text": text}))
        await self._until(lambda: self._any("taken"), self.patience.hatch)
        if is_held(self.door):
            return _unknown(HELD)
        if self._withdrawn():
            self._clear(*_ALL)
            return None
        patience = self.patience.first_enter + self.patience.second_enter
        return await self._fate(conversation, patience)

    async def recollect(self) -> SendResult:
        """Return what is known now of a message that may have been handed over before: it never is again."""
        await self._until(lambda: not self._any("note"), self.patience.hatch)
        if is_held(self.door):
            return _unknown(HELD)
        if self._withdrawn():
            return _unknown("it was taken back before its program took it")
        return await self._fate(None, timedelta()) or _unknown("its program would not take it")

    @property
    def is_under_way(self) -> bool:
        """Whether the message may have gone through the hatch: no Enter of ours can help it then."""
        return self._any("open", "note", "taken", "failed")

    @property
    def may_be_proven(self) -> bool:
        """Whether the program has the message, or may still take it, and has not said that it ended in an error."""
        return self._any("note", "taken") and not self._any("failed")

    # -- steps -----------------------------------------------------------------------------------------

    def _withdrawn(self) -> bool:
        """Take the message back, unless the program has it: of two who want one file, one gets it."""
        if self._any("taken"):
            return False
        try:
            self._file("note").unlink()
        except FileNotFoundError:
            return not self._any("taken")
        return True

    async def _fate(self, conversation: str | None, within: timedelta) -> SendResult | None:
        """Wait for proof of what the program has taken; None when it says that it let it be."""
        found: SendResult | None = None

        def settled() -> bool:
            nonlocal found
            found = find_proof(self.events, self.message_id, self.since, conversation)
            return found is not None or self._any("shut", "failed")

        await self._until(settled, within)
        if found is not None or self._any("shut"):
            self._clear(*_ALL)
            return found
        if self._any("failed"):
            return _unknown("its program ended the hand-over with an error")
        return _unknown("it was handed over, and nothing proves that it arrived")

    def _any(self, *kinds: str) -> bool:
        return any(self._file(kind).exists() for kind in kinds)

    def _clear(self, *kinds: str) -> None:
        for kind in kinds:
            self._file(kind).unlink(missing_ok=True)

    def _file(self, kind: str) -> Path:
        return self.folder / f"{self.message_id}.{kind}"

    async def _until(self, fact: Callable[[], bool], within: timedelta) -> None:
        deadline = asyncio.get_running_loop().time() + within.total_seconds()
        while not fact():
            if asyncio.get_running_loop().time() > deadline:
                return
            await asyncio.sleep(self.patience.proof_poll.total_seconds())


def _unknown(reason: str) -> SendResult:
    return SendResult(ReceiptState.UNKNOWN, by=None, reason=reason)
