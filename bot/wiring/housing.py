"""Rooms put together: who makes them, what is shown in them, and where cards are talked about."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path

from bot.backlog.ports import Backlog
from bot.config.settings import Settings
from bot.mail.mailbox import Mailbox
from bot.model import Address
from bot.news.newsroom import Newsroom
from bot.policy import Policy
from bot.ports import Part
from bot.rooms.blueprint import wishes
from bot.rooms.caretaker import Caretaker
from bot.rooms.construction import Construction, Ground
from bot.rooms.headline import state_of
from bot.rooms.openings import Openings
from bot.rooms.placards import State
from bot.rooms.ports import Pins, RoomRole, RoomWish
from bot.rooms.showcase import Rhythm, Showcase
from bot.rooms.whereabouts import Whereabouts
from bot.supervision.concerns import Concerns
from bot.supervision.pause import Pause
from bot.wiring.connections import Connections
from commands.devices import DeviceCommands
from commands.rooms import RoomCommands
from fleet.host.local import LocalFleet
from storage.backlog.dispatches import PostgresDispatches
from storage.backlog.kept_threads import PostgresThreadBook
from storage.database import Database
from storage.rooms.book import PostgresRoomBook
from storage.rooms.placards import PostgresPlacards
from storage.supervision.register import PostgresWorkers
from storage.supervision.tenure import PostgresTenure

_LOOK = timedelta(seconds=5)
"""Time between two looks at how things stand: what changed is shown no later than that, unless it was just edited."""


class Housing:
    """All about rooms and who is in them; ``whereabouts`` is what the rest of the daemon asks."""

    def __init__(
        self, database: Database, settings: Settings, connections: Connections, fleet: LocalFleet
    ) -> None:
        self._database = database
        self._settings = settings
        self._connections = connections
        self._fleet = fleet
        book = PostgresRoomBook(database)
        self._kept_threads = PostgresThreadBook(database)
        self.whereabouts = Whereabouts(book, settings.rooms.directories)
        connections.also(self._lanes)
        construction = Construction(self._ground, book, self.whereabouts, self._wishes)
        self._rooms = RoomCommands(construction)

    def topics(self, policy: Callable[[], Policy]) -> tuple[object, ...]:
        """Return the commands on rooms, and on the devices in them."""
        connections = self._connections
        devices = DeviceCommands(connections.devices, connections.verifications, policy)
        return (self._rooms, devices)

    def parts(
        self,
        backlog: Backlog,
        mailbox: Mailbox,
        concerns: Concerns,
        *,
        tell: Callable[[str], None],
        pause: Callable[[], Pause | None],
    ) -> Sequence[Part]:
        """Return what runs: the knowledge of rooms, their placards, cards' threads and the news in them."""
        workers, dispatches = PostgresWorkers(self._database), PostgresDispatches(self._database)

        async def state() -> State:
            stats = await backlog.shelf.stats()
            under_way, open_concerns = await dispatches.open(), await concerns.open()
            return state_of(await workers.all(), stats, under_way, open_concerns, pause())

        zone, rooms = self._settings.clock.zone, self._settings.rooms
        return (
            self.whereabouts,
            Showcase(
                PostgresPlacards(self._database),
                mailbox,
                state,
                wanted=self._with_placard,
                pins=self._pins,
                tell=tell,
                tenure=PostgresTenure(self._database),
                rhythm=Rhythm(rooms.every, look=min(rooms.every, _LOOK), topic=rooms.topic),
                clock=lambda at: f"{at.astimezone(zone):%H:%M %Z}",
            ),
            *self._openings(backlog, mailbox),
            *self._caretaker(backlog, mailbox, tell),
            *([Newsroom(backlog.news, mailbox)] if self._settings.threads.news else []),
        )

    def mirror(self) -> Address | None:
        """Return where agents' mail is shown, if the roster wants that: in the room for it, else in the primary place."""
        if not self._fleet.mirrors_mail:
            return None
        return self.whereabouts.room(RoomRole.MAIL) or self._connections.primary()

    async def prepare(self) -> None:
        """Learn which rooms there are, and mark from where on new cards get threads, before anything is handled."""
        await self.whereabouts.refresh()
        for kind in filter(self.makes_threads, self._connections.kinds()):
            await self._kept_threads.open(kind)

    def makes_threads(self, kind: str) -> bool:
        """Return whether cards get threads of their own on a platform."""
        capabilities = self._connections.limits(kind)
        wanted = self._settings.threads.cards != "off"
        return wanted and capabilities is not None and capabilities.card_threads

    def _openings(self, backlog: Backlog, mailbox: Mailbox) -> Sequence[Part]:
        if not self.whereabouts.projects:
            return ()
        return (Openings(backlog.shelf, backlog.threads, mailbox, self._room_of),)

    def _caretaker(
        self,
        backlog: Backlog,
        mailbox: Mailbox,
        tell: Callable[[str], None],
    ) -> Sequence[Part]:
        wanted = self._settings.threads.cards
        if wanted == "off":
            return ()
        part = Caretaker(
            self._kept_threads,
            backlog.threads,
            mailbox,
            self._connections.card_threads,
            at_creation=wanted == "created",
            tell=tell,
        )
        return (part,)

    def _lanes(self) -> frozenset[str]:
        """Return the rooms where people talk, and where the threads of cards are."""
        cards = self._settings.connectors.discord.cards_channel_id
        return self.whereabouts.lanes() | ({f"discord:{cards}"} if cards else frozenset())

    # -- what is asked --------------------------------------------------------------------------------

    def _ground(self) -> Ground | None:
        place = self._connections.roomy()
        if place is None:
            return None
        return Ground(place.kind, place.place, self._connections.rooms_of(place.kind).builder)

    def _pins(self, kind: str) -> Pins | None:
        capabilities = self._connections.capabilities(kind)
        if capabilities is None or not capabilities.rooms:
            return None
        return self._connections.rooms_of(kind).pins

    def _with_placard(self) -> Sequence[Address]:
        wanted, ops = self._settings.rooms.status, self.whereabouts.room(RoomRole.OPS)
        if wanted == "always":
            return (ops or self._connections.primary(),)
        return () if ops is None or wanted == "never" else (ops,)

    def _room_of(self, owner: str) -> Address | None:
        """Return the room of the project in whose directory a claim's owner works, as far as the roster knows."""
        if not self._fleet.is_known or not self.whereabouts.projects:
            return None
        roster, name = self._fleet.current, owner.rpartition("/")[2]
        agent = next((one for one in roster.agents if one.name == name), None)
        if agent is None:
            return None
        return self.whereabouts.room_for(roster.working_directory(agent, Path.home()))

    def _wishes(self) -> Sequence[RoomWish]:
        place = self._connections.roomy()
        kind = "" if place is None else place.kind
        capabilities = self._connections.capabilities(kind)
        encrypted = (
            capabilities is not None and capabilities.encrypts and self._settings.rooms.encrypted
        )
        people = sorted(self._connections.access().operators)
        operators = tuple(who.partition(":")[2] for who in people if who.startswith(f"{kind}:"))
        return wishes(
            self._settings.rooms.space,
            self.whereabouts.projects,
            operators,
            self._settings.rooms.avatar,
            encrypted=encrypted,
        )
