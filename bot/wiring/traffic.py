"""What comes in and what goes out, put together: the router, the relay, and what they show of their work."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial

from bot.command.interpreter import Interpreter
from bot.config.settings import Settings
from bot.mail.addressee import addressee
from bot.mail.choices import Choices
from bot.mail.intake import Intake
from bot.mail.mailbox import Mailbox
from bot.mail.marks import Marks
from bot.mail.presence import Typing
from bot.mail.progress import Progress
from bot.mail.relay import Relay
from bot.mail.revising import Revising
from bot.mail.router import Router
from bot.wiring.connections import Connections
from fleet.host.local import LocalFleet
from fleet.turns.records import doing_of
from storage.backlog.threads import PostgresThreads
from storage.database import Database
from storage.mail.correspondence import PostgresCorrespondence
from storage.mail.journal import PostgresJournal, PostgresRevisions
from storage.mail.offers import PostgresOffers
from storage.mail.outbox import PostgresOutbox


@dataclass(frozen=True, slots=True)
class Traffic:
    """The one way in, and what follows mail on its way out. All three are parts of the daemon."""

    router: Router
    relay: Relay
    progress: Progress


def make_traffic(
    database: Database,
    fleet: LocalFleet,
    mailbox: Mailbox,
    connections: Connections,
    interpreter: Interpreter,
    *,
    settings: Settings,
    intake: Intake,
    token: str,
    prepare: Callable[[], Awaitable[None]],
) -> Traffic:
    """Return the traffic of this daemon; ``token`` is its life's, ``prepare`` runs before anything is handled."""
    presence = Typing(connections.typing)
    outbox, correspondence = PostgresOutbox(database), PostgresCorrespondence(database)
    threads = PostgresThreads(database)
    progress = Progress(
        mailbox,
        correspondence,
        partial(doing_of, fleet.places),
        lambda kind: settings.progress.show and connections.edits(kind),
        carrier=f"agent:{settings.host.name}",
        pace=settings.progress.pace,
    )
    relay = Relay(
        mailbox,
        outbox,
        correspondence,
        presence,
        marks=Marks(mailbox, correspondence),
        progress=progress,
        home=lambda mail: threads.of_dispatch(mail.id),
    )
    router = Router(
        PostgresJournal(database),
        mailbox,
        interpreter,
        partial(addressee, fleet, threads),
        presence,
        choices=Choices(PostgresOffers(database), interpreter, mailbox),
        intake=intake,
        revising=Revising(PostgresRevisions(database), outbox, correspondence),
        token=token,
        threads=settings.threads.conversations,
        prepare=prepare,
    )
    return Traffic(router, relay, progress)
