"""Files put together: what people send, what agents send, and what becomes of both with time."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import structlog

from bot.clock.schedule import Job
from bot.config.places import Places
from bot.config.settings import Settings
from bot.mail.intake import Intake
from bot.mail.mailbox import Mailbox
from bot.mail.outgoing import Outgoing
from bot.mail.porter import Porter, Waits
from bot.ports import Carrier
from bot.wiring.connections import Connections
from commands.files import FileCommands
from fleet.delivery.luggage import Luggage, remove_files
from fleet.delivery.outgoing import LocalAgentFiles
from fleet.host.local import LocalFleet
from storage.backlog.threads import PostgresThreads
from storage.database import Database
from storage.files.contents import PostgresContents
from storage.files.uploads import PostgresArrivals, PostgresUploads
from storage.mail.correspondence import PostgresCorrespondence

_SWEEP_EVERY = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Filing:
    """All of it: the way in, a part of the daemon, a job of the clock, a topic of commands."""

    intake: Intake
    porter: Porter
    job: Job
    topic: FileCommands


def with_luggage(door: Carrier, places: Places, database: Database) -> Luggage:
    """Return the door into this host's agents with what brings the files of their mail."""
    return Luggage(door, places, PostgresContents(database))


def make_filing(
    database: Database,
    fleet: LocalFleet,
    mailbox: Mailbox,
    connections: Connections,
    settings: Settings,
) -> Filing:
    """Return what this life of the daemon does with files."""
    wanted, delivery = settings.attachments, settings.delivery
    contents, arrivals = PostgresContents(database), PostgresArrivals(database)
    uploads = PostgresUploads(database)
    porter = Porter(
        uploads,
        arrivals,
        contents,
        mailbox,
        connections.fetchers,
        rules=wanted.rules,
        owner=f"{settings.host.name} {uuid.uuid4().hex}",
        waits=Waits(wanted.gather, delivery.give_up_after, delivery.backoff),
    )

    async def sweep() -> None:
        names: Sequence[str] = await arrivals.expire(wanted.keep)
        if count := remove_files(fleet.places, names):
            structlog.get_logger(part=porter.name).info("old files removed", count=count)

    return Filing(
        Intake(uploads, PostgresThreads(database), porter.wanted.set),
        porter,
        Job("old files", _SWEEP_EVERY, sweep),
        FileCommands(
            Outgoing(
                LocalAgentFiles(fleet),
                contents,
                mailbox,
                PostgresCorrespondence(database),
                max_bytes=wanted.max_bytes,
            )
        ),
    )
