"""Rooms and spaces made by us.

Source: Matrix client-server API, "Room creation", "Spaces", "Restricted rooms", "Power levels".
"""

from collections.abc import Mapping
from typing import Any

from bot.errors import UserError
from bot.rooms.ports import Change, ChangeKind, Purpose, RoomFacts, RoomRole, RoomWish
from connectors.matrix.answers import RoomEvent, read_events
from connectors.matrix.events import ENCRYPTION, MEMBER
from connectors.matrix.failures import FORBIDDEN, NOT_FOUND
from connectors.matrix.powers import read_powers
from connectors.matrix.session import Session

PURPOSE = "org.mosaic.purpose"
"""The state event in which we say what we made a room for: with it a room is found again after a crash."""

_CREATE = "m.room.create"
_ALGORITHM = {"algorithm": "m.megolm.v1.aes-sha2"}
_PRESENT = frozenset({"join", "invite"})

State = dict[tuple[str, str], RoomEvent]


class Building:
    """The port RoomBuilder, for one account."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def look(self, place: str) -> RoomFacts:
        """Return how a room is, read from its whole state."""
        try:
            return self._facts(_by_key(await self._session.whole_state(place)))
        except UserError as error:
            if error.code in {FORBIDDEN, NOT_FOUND}:
                return RoomFacts(inside=False)
            raise

    async def make(self, wish: RoomWish, space: str | None) -> str:
        """Make a private room; what fails after it is there is mended by the next plan."""
        place = await self._session.create(_creation(wish, space, self._server))
        for person in wish.operators:
            await self.mend(place, Change(ChangeKind.POWER, person))
        return place

    async def mend(self, place: str, change: Change) -> None:
        """Do one thing to a room."""
        match change:
            case Change(ChangeKind.NAME, name):
                await self._session.set_state(place, "m.room.name", {"name": name})
            case Change(ChangeKind.TOPIC, topic):
                await self._session.set_state(place, "m.room.topic", {"topic": topic})
            case Change(ChangeKind.AVATAR, url):
                await self._session.set_state(place, "m.room.avatar", {"url": url})
            case Change(ChangeKind.ENCRYPT):
                await self._session.set_state(place, ENCRYPTION, _ALGORITHM)
            case Change(ChangeKind.CHILD, child):
                await self._session.set_state(
                    place, "m.space.child", {"via": [self._server]}, child
                )
            case Change(ChangeKind.POWER, person):
                await self._empower(place, person)
            case Change(ChangeKind.INVITE, person):
                await self._invite(place, person)

    async def found(self) -> Mapping[Purpose, str]:
        """Return the rooms that bear our own sign; one that somebody else made does not count, whatever it says."""
        found: dict[Purpose, str] = {}
        for room_id in sorted(await self._session.joined()):
            try:
                await self._session.state(room_id, PURPOSE)
                state = _by_key(await self._session.whole_state(room_id))
            except UserError:
                continue
            purpose = self._purpose(state)
            if purpose is not None:
                found.setdefault(purpose, room_id)
        return found

    @property
    def _server(self) -> str:
        return self._session.user_id.partition(":")[2]

    async def _empower(self, place: str, person: str) -> None:
        powers = read_powers(_by_key(await self._session.whole_state(place)))
        if person not in powers.powerful():
            await self._session.set_state(place, "m.room.power_levels", powers.with_all(person))

    async def _invite(self, place: str, person: str) -> None:
        try:
            await self._session.invite(place, person)
        except UserError as error:
            if error.code != FORBIDDEN or person not in (await self.look(place)).people:
                raise

    def _purpose(self, state: State) -> Purpose | None:
        if not self._is_ours(state):
            return None
        sign = state.get((PURPOSE, ""))
        if sign is None or sign.sender != self._session.user_id:
            return None
        role, project = sign.content.get("role"), sign.content.get("project")
        if role not in set(RoomRole) or not isinstance(project, str):
            return None
        return Purpose(RoomRole(role), project)

    def _is_ours(self, state: State) -> bool:
        create = state.get((_CREATE, ""))
        return create is not None and create.sender == self._session.user_id

    def _facts(self, state: State) -> RoomFacts:
        me = state.get((MEMBER, self._session.user_id))
        if me is None or me.content.get("membership") != "join":
            return RoomFacts(inside=False)
        powers = read_powers(state)
        members = (event for (kind, _), event in state.items() if kind == MEMBER)
        return RoomFacts(
            inside=True,
            name=_word(state, "m.room.name", "name"),
            topic=_word(state, "m.room.topic", "topic"),
            avatar=_word(state, "m.room.avatar", "url"),
            encrypted=(ENCRYPTION, "") in state,
            ours=self._is_ours(state),
            people=frozenset(
                str(one.state_key) for one in members if one.content.get("membership") in _PRESENT
            ),
            powerful=powers.powerful(),
            children=frozenset(
                key
                for (kind, key), event in state.items()
                if kind == "m.space.child" and event.content.get("via")
            ),
            lacks=powers.lacks(self._session.user_id),
        )


def _by_key(events: list[Any]) -> State:
    read = read_events(RoomEvent, events)
    return {(event.type, event.state_key or ""): event for event in read}


def _word(state: State, event_type: str, key: str) -> str:
    event = state.get((event_type, ""))
    value = "" if event is None else event.content.get(key)
    return value if isinstance(value, str) else ""


def _creation(wish: RoomWish, space: str | None, server: str) -> dict[str, Any]:
    """Return the request that makes a room: private, and open to whoever is in the space."""
    purpose = wish.purpose
    state: list[dict[str, Any]] = [
        _state(PURPOSE, {"role": purpose.role.value, "project": purpose.project}),
        _state("m.room.guest_access", {"guest_access": "forbidden"}),
    ]
    if wish.avatar:
        state.append(_state("m.room.avatar", {"url": wish.avatar}))
    if wish.encrypted and purpose.role is not RoomRole.SPACE:
        state.append(_state(ENCRYPTION, _ALGORITHM))
    if space is not None:
        allow = [{"type": "m.room_membership", "room_id": space}]
        state.append(_state("m.room.join_rules", {"join_rule": "restricted", "allow": allow}))
        state.append(_state("m.space.parent", {"via": [server], "canonical": True}, space))
    made: dict[str, Any] = {
        "preset": "private_chat",
        "visibility": "private",
        "name": wish.name,
        "topic": wish.topic,
        "invite": list(wish.operators),
        "initial_state": state,
    }
    if purpose.role is RoomRole.SPACE:
        made["creation_content"] = {"type": "m.space"}
        # In a space nobody talks: what it holds is changed by who has power.
        made["power_level_content_override"] = {"events_default": 100}
    return made


def _state(event_type: str, content: dict[str, Any], state_key: str = "") -> dict[str, Any]:
    return {"type": event_type, "state_key": state_key, "content": content}
