"""The whole backlog over one database."""

from bot.backlog.ports import Backlog
from storage.backlog.cards import PostgresCardShelf
from storage.backlog.checklists import PostgresChecklists
from storage.backlog.claims import PostgresClaims
from storage.backlog.dependencies import PostgresDependencies
from storage.backlog.housekeeping import PostgresHousekeeping
from storage.backlog.inquiry import PostgresInquiry
from storage.backlog.keeping import PostgresKeeping
from storage.backlog.overview import PostgresOverview
from storage.backlog.recount import PostgresRecount
from storage.backlog.shipments import PostgresShipments
from storage.backlog.threads import PostgresNewsFeed, PostgresThreads
from storage.database import Database
from storage.files.uploads import PostgresCardFiles


def postgres_backlog(database: Database) -> Backlog:
    """Return every port of the backlog, all on the same database."""
    return Backlog(
        shelf=PostgresCardShelf(database),
        claims=PostgresClaims(database),
        dependencies=PostgresDependencies(database),
        keeping=PostgresKeeping(database),
        checklists=PostgresChecklists(database),
        inquiry=PostgresInquiry(database),
        recount=PostgresRecount(database),
        housekeeping=PostgresHousekeeping(database),
        shipments=PostgresShipments(database),
        overview=PostgresOverview(database),
        threads=PostgresThreads(database),
        news=PostgresNewsFeed(database),
        files=PostgresCardFiles(database),
    )
