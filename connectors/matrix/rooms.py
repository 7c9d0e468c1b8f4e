"""Where we may speak, and how: rooms whose encryption is known, entered on an allowed person's invitation.

Nothing is said in clear text in an encrypted room. Encryption in Matrix is never switched off again, so
a room once seen encrypted stays so; that a room is *not* encrypted is believed only while the sync loop
watches for the change, and asked for afresh otherwise.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any, Protocol

import structlog

from bot.errors import MosaicError, SetupError, TransientError, UserError
from bot.model import Principal
from connectors.matrix.answers import RoomEvent, StrippedEvent, read_events
from connectors.matrix.events import ENCRYPTION, KIND, MEGOLM, MEMBER, principal
from connectors.matrix.failures import FORBIDDEN, NOT_FOUND
from connectors.matrix.session import Session
from connectors.matrix.upgrades import Upgrades

MayInvite = Callable[[Principal], Awaitable[bool]]
Report = Callable[[str], Awaitable[None]]

_UNTIL_INVITED = timedelta(seconds=30)
"""Time between two tries to say something in a room that we are not in."""

_LONGEST_REASON = 200


class Hindrance(Protocol):
    """Says what keeps us out of encrypted rooms."""

    def __call__(self, *, speaking: bool) -> str | None:
        """Return why we cannot read there, or not speak there; None when we can."""
        ...


class Rooms:
    """The rooms of one account; ``report`` tells the operators what cannot be said where it happened.

    ``hindrance`` says what keeps us out of encrypted rooms.
    """

    def __init__(
        self,
        session: Session,
        room_id: str,
        may_invite: MayInvite,
        report: Report,
        *,
        upgrades: Upgrades,
        hindrance: Hindrance,
    ) -> None:
        self.upgrades = upgrades
        self.report = report
        self._configured = room_id
        self._watched = False
        self._outside = False
        self._session = session
        self._may_invite = may_invite
        self._clear: set[str] = set()
        self._encrypted: dict[str, Mapping[str, Any]] = {}
        self._hindrance = hindrance
        self._told: set[str] = set()
        self._invited: dict[str, Principal] = {}
        self._log = structlog.get_logger(part=KIND)

    @property
    def primary(self) -> str:
        """The room of the settings, or the one that took over from it."""
        return self.upgrades.current(self._configured)

    @property
    def is_out(self) -> bool:
        """Whether we are known to be out of the primary room."""
        return self._outside

    @property
    def notes(self) -> tuple[str, ...]:
        """What an operator should know of them, one sentence each."""
        notes = [
            f"{room_id} is encrypted: I am silent there"
            for room_id in sorted(self._encrypted)
            if self._closed_by(room_id, speaking=True)
        ]
        if self._outside:
            notes.append(f"I am not in {self.primary}: invite {self._session.user_id} there")
        notes += self.upgrades.notes
        if self.primary != self._configured:
            notes.append(
                f"{self._configured} was replaced by {self.primary}: change room_id in the roster"
            )
        return tuple(notes)

    def watch(self) -> None:
        """From now on the sync loop notes every change of a room here."""
        self._watched = True

    def lose_sight(self) -> None:
        """Believe nothing any more that may change unseen."""
        self._watched = False
        self._clear.clear()

    def note_presence(self, room_id: str, *, inside: bool) -> None:
        """Note that we are in a room, or out of it."""
        if room_id == self.primary:
            self._outside = not inside
        if not inside:
            self._clear.discard(room_id)

    async def note_removal(self, room_id: str, event: RoomEvent) -> None:
        """Tell the operators that somebody put us out of a room; our own leaving is no news."""
        if event.sender == self._session.user_id:
            return
        banned = event.content.get("membership") == "ban"
        reason = event.content.get("reason")
        why = f" ({reason[:_LONGEST_REASON]})" if isinstance(reason, str) and reason else ""
        self._log.warning("removed", room_id=room_id, by=event.sender, banned=banned)
        await self.report(
            f"{event.sender} {'banned' if banned else 'removed'} me from {room_id}{why}."
            " What is to be said there waits until I am invited again."
        )

    async def refuse_outside(self, room_id: str) -> None:
        """Raise TransientError when we are not in a room, so that its messages wait for an invitation."""
        if room_id not in await self._session.joined():
            raise TransientError(
                f"I am not in {room_id}; invite {self._session.user_id} there",
                retry_after=_UNTIL_INVITED,
            )

    async def note_encryption(self, room_id: str, rules: Mapping[str, Any]) -> None:
        """Take down that a room is encrypted and by which rules; tell the operators once if it is closed to us."""
        self._encrypted[room_id] = rules
        self._clear.discard(room_id)
        if self._closed_by(room_id, speaking=False) is not None:
            await self._tell(room_id)

    def rules(self, room_id: str) -> Mapping[str, Any]:
        """Return the rules of a room's encryption (the content of ``m.room.encryption``), empty when not known."""
        return self._encrypted.get(room_id, {})

    async def is_closed(self, room_id: str) -> bool:
        """Return whether a room is encrypted and we cannot read there; UserError when we are not in it."""
        encrypted = await self.is_encrypted(room_id)
        return encrypted and self._closed_by(room_id, speaking=False) is not None

    def _closed_by(self, room_id: str, *, speaking: bool) -> str | None:
        algorithm = self.rules(room_id).get("algorithm")
        if algorithm != MEGOLM:
            return f"its encryption, {algorithm}, is not one that I know"
        return self._hindrance(speaking=speaking)

    async def is_encrypted(self, room_id: str) -> bool:
        """Return whether a room is encrypted; UserError when we are not in it."""
        if room_id in self._encrypted:
            return True
        if room_id in self._clear:
            return False
        watched = self._watched
        try:
            rules = await self._session.state(room_id, ENCRYPTION)
        except UserError as error:
            if error.code != NOT_FOUND:
                raise
        else:
            await self.note_encryption(room_id, rules)
        if room_id in self._encrypted:
            return True
        if watched and self._watched:
            self._clear.add(room_id)
        return False

    async def refuse_closed(self, room_id: str) -> None:
        """Raise UserError when a room is encrypted and we cannot encrypt, after the operators were told."""
        if not await self.is_encrypted(room_id):
            return
        why = self._closed_by(room_id, speaking=True)
        if why is None:
            return
        await self._tell(room_id)
        raise UserError(
            f"the room {room_id} is encrypted, and nothing is said there in clear text: {why}",
            code="encrypted_room",
        )

    async def enter_primary(self) -> None:
        """Make sure that we are in the room of the settings; without an invitation there it waits for one."""
        try:
            await self.is_encrypted(self.primary)
        except UserError as error:
            if error.code != FORBIDDEN:
                raise SetupError(error.message, hint="check room_id") from error
            await self._join(self.primary)
        await self.upgrades.look_ahead(self.primary)
        await self.upgrades.follow()

    async def consider(self, room_id: str, state: Sequence[Any]) -> None:
        """Note an invitation if whoever sent it may invite; a stranger's is left lying.

        The room of the settings is entered whoever invites us there: the operator chose it.
        """
        events = read_events(StrippedEvent, state)
        inviter = next((event for event in events if self._is_our_invite(event)), None)
        if inviter is None:
            return
        who = principal(inviter.sender)
        expected = room_id == self.primary or self.upgrades.waits_for(room_id)
        if expected or await self._may_invite(who):
            self._invited[room_id] = who
        else:
            self._log.info("invitation ignored", room_id=room_id, principal=who.id)

    async def follow_invitations(self) -> None:
        """Enter the rooms of noted invitations; one that the homeserver cannot do now stays noted."""
        await self.upgrades.follow()
        for room_id, who in list(self._invited.items()):
            try:
                entered = await self._join(room_id)
                if entered:
                    await self.upgrades.look_back(room_id)
            except TransientError as error:
                self._log.info("not joined yet", room_id=room_id, error=error.message)
                continue
            del self._invited[room_id]
            if entered:
                self._log.info("invitation accepted", room_id=room_id, principal=who.id)
                await self.is_encrypted(room_id)

    async def _join(self, room_id: str) -> bool:
        try:
            await self._session.join(room_id)
        except UserError as error:
            self._log.warning("not joined", room_id=room_id, error=error.message)
            self.note_presence(room_id, inside=False)
            return False
        self.note_presence(room_id, inside=True)
        return True

    def _is_our_invite(self, event: StrippedEvent) -> bool:
        return (
            event.type == MEMBER
            and event.state_key == self._session.user_id
            and event.content.get("membership") == "invite"
        )

    async def _tell(self, room_id: str) -> None:
        if room_id in self._told:
            return
        self._told.add(room_id)
        self._log.warning("room is encrypted", room_id=room_id)
        try:
            deaf = self._closed_by(room_id, speaking=False)
            await self.report(
                f"The Matrix room {room_id} is encrypted."
                + (" Messages there are not read, and nothing" if deaf else " Nothing")
                + f" is said there: {deaf or self._closed_by(room_id, speaking=True)}."
            )
        except MosaicError:
            self._told.discard(room_id)
            raise
