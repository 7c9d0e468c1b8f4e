"""People as they meet us on several platforms, put together: whose accounts belong together."""

from collections.abc import Callable, Sequence

from bot.mail.mailbox import Mailbox
from bot.people.linking import Linking
from bot.policy import Policy
from bot.ports import Part
from bot.wiring.connections import Connections
from commands.accounts import AccountCommands
from storage.database import Database
from storage.persons import PostgresLinkRequests, PostgresLinks


class Acquaintance:
    """Knows people by all of their accounts; from here on the policy does too."""

    def __init__(self, database: Database, connections: Connections, mailbox: Mailbox) -> None:
        requests, links = PostgresLinkRequests(database), PostgresLinks(database)
        self.linking = Linking(requests, links, mailbox)
        connections.know(lambda: self.linking.persons)

    def topics(self, policy: Callable[[], Policy]) -> tuple[object, ...]:
        """Return the commands on accounts."""
        return (AccountCommands(self.linking, policy),)

    def parts(self) -> Sequence[Part]:
        """Return what runs."""
        return (self.linking,)
