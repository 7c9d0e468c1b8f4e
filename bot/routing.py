"""The way in put together: the router over Postgres, with offers, revisions and places that moved."""

from bot.choices import Choices
from bot.interpreter import Interpreter
from bot.mailbox import Mailbox
from bot.moving import Moving
from bot.ports import Presence
from bot.revising import Revising
from bot.router import Addressee, Router
from storage.correspondence import PostgresCorrespondence
from storage.database import Database
from storage.journal import PostgresJournal, PostgresRevisions
from storage.offers import PostgresOffers
from storage.outbox import PostgresOutbox


def make_router(
    database: Database,
    mailbox: Mailbox,
    interpreter: Interpreter,
    addressee: Addressee,
    presence: Presence,
    *,
    moving: Moving,
    token: str,
) -> Router:
    """Return the router of one life of the daemon."""
    return Router(
        PostgresJournal(database),
        mailbox,
        interpreter,
        addressee,
        presence,
        choices=Choices(PostgresOffers(database), interpreter, mailbox),
        revising=Revising(
            PostgresRevisions(database), PostgresOutbox(database), PostgresCorrespondence(database)
        ),
        prepare=lambda: moving.learn("matrix"),
        token=token,
    )
