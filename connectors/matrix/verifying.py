"""People's devices verified by comparing symbols: with whom, how far, and who is told (implements Verifications).

nio knows neither the request that clients begin with nor verification in a room, and its symbols are its own
(``crypto.sas``), so all of it is done here. What runs is not stored: after a restart people begin anew.

Source: Matrix client-server API, "Key verification framework".
"""

import asyncio
import secrets
import time
import uuid
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from nio.crypto import OlmDevice

from bot.errors import MosaicError, SetupError, TransientError, UserError
from bot.model import Address, Principal
from bot.rooms.devices import Verification, VerificationStep
from connectors.matrix.answers import RoomEvent
from connectors.matrix.channel import Channel, Heard, from_device, in_room
from connectors.matrix.crypto.acquaintance import Acquaintance
from connectors.matrix.crypto.cipher import Cipher, to_device
from connectors.matrix.crypto.device_list import user_of
from connectors.matrix.crypto.exchange import Exchange, Word
from connectors.matrix.crypto.machine import is_verification
from connectors.matrix.crypto.sas import Side
from connectors.matrix.events import KIND, VERIFICATION, principal
from connectors.matrix.rooms import MayInvite, Rooms

Tell = Callable[[Verification], Awaitable[None]]
Say = Callable[[str, str, dict[str, Any]], Awaitable[None]]

_MOST = 20
"""Verifications that may run at once: anybody of the fleet can begin one."""


@dataclass(slots=True)
class _Running:
    channel: Channel
    exchange: Exchange
    device: Side
    code: str
    asked_by: str
    place: Address
    private: bool
    until: datetime
    master: str | None
    vouched: bool = False
    note: str = ""
    told: VerificationStep = field(default=VerificationStep.ASKED)

    def shown(self) -> Verification:
        return Verification(
            self.code,
            principal(self.device.user_id),
            self.device.device_id,
            self.exchange.step,
            self.until,
            self.place,
            self.private,
            self.asked_by,
            self.exchange.symbols,
            self.exchange.why or self.note,
            self.vouched,
        )


class Verifying:
    """The verifications of one account's device.

    ``may`` says with whom it talks, ``tell`` is called at every new step, ``say`` sends an event as it may stand in a
    room.
    """

    def __init__(
        self,
        cipher: Cipher,
        rooms: Rooms,
        *,
        may: MayInvite,
        tell: Tell,
        say: Say,
        lasts: timedelta,
    ) -> None:
        self._cipher = cipher
        self._acquaintance = Acquaintance(cipher)
        self._rooms = rooms
        self._may = may
        self._tell = tell
        self._say = say
        self._lasts = lasts
        self._turn = asyncio.Lock()
        self._running: dict[Channel, _Running] = {}
        self._outgoing: deque[tuple[Channel, str, Word]] = deque()
        self._log = structlog.get_logger(part=KIND)

    # -- what others say -------------------------------------------------------------------------------

    async def take(self, told: Mapping[str, Any]) -> None:
        """Take in what devices say in a sync, end what took too long, and send what could not be sent before."""
        heard = [from_device(one) for one in to_device(told) if is_verification(one)]
        async with self._turn:
            for one in heard:
                if one is not None:
                    await self._hear(one)
            for running in list(self._running.values()):
                if running.until <= datetime.now(UTC):
                    await self._go_on(
                        running, running.exchange.end("m.timeout", "it took too long")
                    )
            await self._send()

    async def hear(self, room_id: str, event: RoomEvent) -> bool:
        """Take in an event of a room; False when it belongs to no verification."""
        heard = in_room(room_id, event, self._cipher.tools.machine.user_id)
        if heard is None:
            return False
        async with self._turn:
            await self._hear(heard)
            await self._send()
        return True

    async def _hear(self, heard: Heard) -> None:
        running = self._running.get(heard.channel)
        if running is not None:
            await self._go_on(running, running.exchange.hear(heard.kind, heard.content))
        elif heard.begins:
            await self._welcome(heard)

    async def _welcome(self, heard: Heard) -> None:
        """Agree to a verification that somebody begins, if it is one of us and their device is known."""
        user = heard.channel.user_id
        try:
            await self._require_welcome(user)
            device = await self._acquaintance.find(user, heard.device_id)
            running = await self._add(heard.channel, device, None, principal(user).id)
        except (UserError, SetupError) as error:
            self._log.info("verification refused", user=user, why=error.message)
            content = {"code": "m.user", "reason": error.message}
            word = Word("cancel", heard.channel.tie(content))
            self._outgoing.append((heard.channel, heard.device_id, word))
            return
        begun = heard.kind == "request"
        words = running.exchange.agree() if begun else running.exchange.hear("start", heard.content)
        await self._go_on(running, words)

    async def _require_welcome(self, user_id: str) -> None:
        """Refuse strangers; other clients of our own account are none."""
        own = user_id == self._cipher.tools.machine.user_id
        if not own and not await self._may(principal(user_id)):
            raise UserError("I verify devices of this fleet's people only")

    # -- what our people say ---------------------------------------------------------------------------

    async def begin(
        self, who: Principal, device_id: str, place: Address | None, asked_by: Principal
    ) -> Verification:
        """Ask a device (see Verifications)."""
        user = user_of(who)
        async with self._turn:
            device = await self._acquaintance.find(user, device_id)
            channel = Channel(user, uuid.uuid4().hex)
            running = await self._add(channel, device, place, asked_by.id)
            await self._go_on(running, running.exchange.request(time.time_ns() // 1_000_000))
            await self._send()
            return running.shown()

    async def answer(self, code: str, *, same: bool) -> Verification:
        """Say whether the symbols were the same (see Verifications)."""
        async with self._turn:
            found = (one for one in self._running.values() if one.code == code)
            running = next(found, None)
            if running is None or running.exchange.step is not VerificationStep.COMPARE:
                raise UserError(
                    f"no symbols are shown under the code {code}",
                    code="unknown_verification",
                    hint="it is over, or I was restarted: begin anew",
                )
            exchange = running.exchange
            reason = "our side saw other symbols"
            words = exchange.confirm() if same else exchange.end("m.mismatched_sas", reason)
            await self._go_on(running, words)
            await self._send()
            return running.shown()

    def open(self) -> Sequence[Verification]:
        """Return those that run, the oldest first."""
        return [one.shown() for one in sorted(self._running.values(), key=lambda one: one.until)]

    # -- both ------------------------------------------------------------------------------------------

    async def _add(
        self, channel: Channel, device: OlmDevice, place: Address | None, asked_by: str
    ) -> _Running:
        theirs = Side(device.user_id, device.id, device.ed25519)
        for older in list(self._running.values()):
            if older.device == theirs:
                await self._go_on(older, older.exchange.end("m.user", "another one was begun"))
        if len(self._running) >= _MOST:
            raise UserError("too many verifications run at once")
        place = place or Address(KIND, self._rooms.primary)
        exchange, master = await self._acquaintance.exchange(channel.name, channel.tie, theirs)
        running = self._running[channel] = _Running(
            channel,
            exchange,
            theirs,
            self._new_code(),
            asked_by,
            place,
            await self._is_private(place),
            datetime.now(UTC) + self._lasts,
            master,
        )
        return running

    async def _go_on(self, running: _Running, words: Sequence[Word]) -> None:
        """Send words, and note what they mean for the device."""
        step = running.exchange.step
        if step is VerificationStep.VERIFIED and running.told is not step:
            try:
                note = await self._acquaintance.believe(
                    running.device, running.master, running.exchange.proved
                )
                running.vouched, running.note = note == "", note or ""
            except UserError as error:
                words = running.exchange.end("m.key_mismatch", error.message)
        device_id = running.device.device_id
        self._outgoing.extend((running.channel, device_id, word) for word in words)
        if running.exchange.is_over:
            self._running.pop(running.channel, None)
        if running.told is not running.exchange.step:
            running.told = running.exchange.step
            await self._tell(running.shown())

    async def _send(self) -> None:
        """Send what waits, in order; what a homeserver that is away does not take waits for the next sync."""
        while self._outgoing:
            channel, device_id, word = self._outgoing[0]
            event_type = f"{VERIFICATION}{word.kind}"
            try:
                if channel.room_id is None:
                    upkeep = self._cipher.tools.upkeep
                    await upkeep.tell(event_type, channel.user_id, device_id, word.content)
                else:
                    await self._say(channel.room_id, event_type, word.content)
            except TransientError as error:
                self._log.info("verification waits", error=error.message)
                return
            except MosaicError as error:
                self._log.warning("verification not sent", error=error.message)
            self._outgoing.popleft()

    async def _is_private(self, place: Address) -> bool:
        if place.kind != KIND:
            return False
        try:
            return await self._rooms.is_encrypted(place.place)
        except MosaicError:
            return True

    def _new_code(self) -> str:
        used = {one.code for one in self._running.values()}
        while (code := f"{secrets.randbelow(10_000):04d}") in used:
            pass
        return code
