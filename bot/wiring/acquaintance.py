"""People as they meet us on several platforms, put together: whose accounts belong together, and what is shown elsewhere."""

from collections.abc import Callable, Sequence
from typing import Literal

from bot.mail.mailbox import Mailbox
from bot.model import Address, Principal, Via
from bot.people.linking import Linking
from bot.people.mirror import Mirror
from bot.policy import TALK, Policy
from bot.ports import Part
from bot.wiring.connections import Connections
from commands.accounts import AccountCommands
from storage.database import Database
from storage.mail.offers import PostgresOffers
from storage.people.persons import PostgresLinkRequests, PostgresLinks
from storage.people.reflections import PostgresOverheard, PostgresReflections


class Acquaintance:
    """Knows people by all of their accounts; from here on the policy does too.

    ``mirror`` says which threads are shown in each other (``[threads] mirror``).
    """

    def __init__(
        self,
        database: Database,
        connections: Connections,
        mailbox: Mailbox,
        mirror: Literal["off", "open", "all"],
    ) -> None:
        self._database = database
        self._connections = connections
        self._mailbox = mailbox
        self._mirror = mirror
        requests, links = PostgresLinkRequests(database), PostgresLinks(database)
        self._linking = Linking(requests, links, mailbox)
        connections.know(lambda: self._linking.persons)

    def topics(self, policy: Callable[[], Policy]) -> tuple[object, ...]:
        """Return the commands on accounts."""
        return (AccountCommands(self._linking, policy),)

    def parts(self, policy: Callable[[], Policy]) -> Sequence[Part]:
        """Return what runs."""

        def hears(principal: Principal, place: Address) -> bool:
            return policy().authorize(principal, TALK, place.lane, Via.CHAT).allowed

        mirror = Mirror(
            PostgresOverheard(self._database),
            PostgresReflections(self._database),
            PostgresOffers(self._database),
            self._mailbox,
            several=self._has_several,
            active=lambda: self._mirror != "off",
            hears=hears,
            joins=self._joins,
            persons=lambda: self._linking.persons,
        )
        return (self._linking, mirror)

    async def refresh(self) -> None:
        """Read whose accounts belong together, before anything is decided."""
        await self._linking.refresh()

    def _has_several(self) -> bool:
        """Whether there are several platforms besides the console, which has no threads."""
        return len({*self._connections.kinds()} - {"tmux"}) > 1

    async def _joins(self, one: Address, other: Address) -> bool:
        """Return whether two threads are one conversation: as things are, what is encrypted stays among the encrypted."""
        if not {one.kind, other.kind} <= {*self._connections.kinds()}:
            return False
        if self._mirror == "all":
            return True
        encrypted = self._connections.is_encrypted
        return await encrypted(one) is await encrypted(other)
