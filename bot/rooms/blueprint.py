"""What is to be done so that rooms are as they should be: compared, never guessed, and done only when it was shown."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from bot.model import derived_id
from bot.rooms.ports import Change, ChangeKind, Purpose, RoomFacts, RoomRole, RoomWish

_OUTSIDE = RoomFacts(inside=False)


@dataclass(frozen=True, slots=True)
class Make:
    """A room to be made."""

    wish: RoomWish

    @property
    def sentence(self) -> str:
        """What it is, in words."""
        kind = "space" if self.wish.purpose.role is RoomRole.SPACE else "room"
        how = ", encrypted" if self.wish.encrypted else ""
        with_whom = f", and invite {_list(self.wish.operators)}" if self.wish.operators else ""
        return f"make the {kind} “{self.wish.name}” ({self.wish.purpose}{how}){with_whom}"


@dataclass(frozen=True, slots=True)
class Adopt:
    """A room that is there and whose purpose is to be written down."""

    purpose: Purpose
    place: str
    name: str

    @property
    def sentence(self) -> str:
        """What it is, in words."""
        return f"use {self.name or self.place} as the room for {self.purpose}"


@dataclass(frozen=True, slots=True)
class Mend:
    """Something to be done to a room that is there; a ``child`` is named by its purpose, since it may be made before."""

    purpose: Purpose
    change: Change
    child: Purpose | None = None

    @property
    def sentence(self) -> str:
        """What it is, in words."""
        value = self.change.value
        return {
            ChangeKind.NAME: f"name the room for {self.purpose} “{value}”",
            ChangeKind.TOPIC: f"set the topic of the room for {self.purpose}",
            ChangeKind.AVATAR: f"set the picture of the room for {self.purpose}",
            ChangeKind.INVITE: f"invite {value} to the room for {self.purpose}",
            ChangeKind.POWER: f"give {value} all powers in the room for {self.purpose}",
            ChangeKind.ENCRYPT: f"turn encryption on in the room for {self.purpose}, for ever",
            ChangeKind.CHILD: f"put the room for {self.child} into the space",
        }[self.change.kind]


Step = Make | Adopt | Mend


@dataclass(frozen=True, slots=True)
class Site:
    """What is known of the rooms before anything is done.

    ``kept`` are those written down, ``found`` others that we made, ``primary`` the room of the roster; ``facts`` is
    how each of them is, by place.
    """

    kept: Mapping[Purpose, str]
    found: Mapping[Purpose, str]
    primary: str
    facts: Mapping[str, RoomFacts] = field(default_factory=dict)

    def place(self, purpose: Purpose) -> str | None:
        """Return the room that serves a purpose or can, None when it has to be made."""
        if purpose.role is RoomRole.OPS:
            return self.primary
        for place in (self.kept.get(purpose), self.found.get(purpose)):
            if place is not None and self.facts.get(place, _OUTSIDE).inside:
                return place
        return None


@dataclass(frozen=True, slots=True)
class Blueprint:
    """The steps in the order in which they are to be done, and what stands in the way and only a person can change."""

    steps: tuple[Step, ...]
    obstacles: tuple[str, ...]

    @property
    def digest(self) -> str:
        """A short word that is the same for the same steps: whoever confirms it has seen these."""
        return derived_id("blueprint", *(step.sentence for step in self.steps))[:8]


def wishes(
    space: str,
    projects: Iterable[str],
    operators: tuple[str, ...],
    avatar: str,
    *,
    encrypted: bool,
) -> Sequence[RoomWish]:
    """Return the rooms that there should be, the space first."""

    def wish(role: RoomRole, name: str, topic: str, project: str = "") -> RoomWish:
        closed = encrypted and role is not RoomRole.SPACE
        return RoomWish(Purpose(role, project), name, topic, operators, avatar, closed)

    return (
        wish(RoomRole.SPACE, space, "The rooms of a fleet of coding agents."),
        wish(RoomRole.OPS, f"{space} · ops", "Commands, questions, and what needs a person."),
        wish(RoomRole.MAIL, f"{space} · agents' mail", "What agents write to each other."),
        *(
            wish(RoomRole.PROJECT, f"{space} · {name}", f"The cards of {name}.", name)
            for name in sorted(projects)
        ),
    )


def draw(wishes: Sequence[RoomWish], site: Site) -> Blueprint:
    """Return what is to be done; the first wish is the space."""
    steps: list[Step] = []
    obstacles: list[str] = []
    for wish in wishes:
        place = site.place(wish.purpose)
        facts = site.facts.get(place, _OUTSIDE) if place is not None else _OUTSIDE
        if place is None:
            steps.append(Make(wish))
        elif not facts.inside:
            obstacles.append(f"I am not in {place}, the room for {wish.purpose}: invite me there")
            continue
        else:
            steps += _mending(wish, place, facts, site)
        steps += _held(wish, place, site)
        obstacles += _lacking(wish, facts) if place is not None else ()
    return Blueprint(tuple(steps), tuple(obstacles))


def _mending(wish: RoomWish, place: str, facts: RoomFacts, site: Site) -> Iterator[Step]:
    if site.kept.get(wish.purpose) != place:
        yield Adopt(wish.purpose, place, facts.name)
    for change in (*_looks(wish, facts), *_people(wish, facts)):
        yield Mend(wish.purpose, change)


def _looks(wish: RoomWish, facts: RoomFacts) -> Iterator[Change]:
    """Give a room a name, a topic and a picture if it has none: what people called it stays."""
    for kind, value, present in (
        (ChangeKind.NAME, wish.name, facts.name),
        (ChangeKind.TOPIC, wish.topic, facts.topic),
        (ChangeKind.AVATAR, wish.avatar, facts.avatar),
    ):
        if value and not present and kind not in facts.lacks:
            yield Change(kind, value)
    # It cannot be taken back: in a room that people made they decide themselves.
    if wish.encrypted and facts.ours and not facts.encrypted and "encryption" not in facts.lacks:
        yield Change(ChangeKind.ENCRYPT)


def _people(wish: RoomWish, facts: RoomFacts) -> Iterator[Change]:
    if "invite" not in facts.lacks:
        yield from (
            Change(ChangeKind.INVITE, one) for one in wish.operators if one not in facts.people
        )
    if facts.ours and "power" not in facts.lacks:
        yield from (
            Change(ChangeKind.POWER, one) for one in wish.operators if one not in facts.powerful
        )


def _held(wish: RoomWish, place: str | None, site: Site) -> Iterator[Step]:
    """Put a room into the space, unless it is there."""
    space = Purpose(RoomRole.SPACE)
    if wish.purpose == space:
        return
    at = site.place(space)
    children = site.facts[at].children if at is not None else frozenset()
    if place is None or place not in children:
        yield Mend(space, Change(ChangeKind.CHILD), wish.purpose)


def _lacking(wish: RoomWish, facts: RoomFacts) -> Iterator[str]:
    needed = {"invite": bool(wish.operators), "pin": wish.purpose.role is RoomRole.OPS}
    needed["encryption"] = wish.encrypted and facts.ours and not facts.encrypted
    missing = sorted(word for word in facts.lacks if needed.get(word))
    if missing:
        yield f"I have no power for {_list(missing)} in the room for {wish.purpose}"


def _list(words: Sequence[str]) -> str:
    return ", ".join(words)
