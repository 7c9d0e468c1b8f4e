"""The whole backlog over one database."""

from bot.backlog.ports import Backlog
from storage.cards import PostgresCardShelf
from storage.checklists import PostgresChecklists
from storage.claims import PostgresClaims
from storage.database import Database
from storage.dependencies import PostgresDependencies
from storage.housekeeping import PostgresHousekeeping
from storage.inquiry import PostgresInquiry
from storage.keeping import PostgresKeeping
from storage.overview import PostgresOverview
from storage.recount import PostgresRecount
from storage.shipments import PostgresShipments
from storage.threads import PostgresNewsFeed, PostgresThreads
from storage.uploads import PostgresCardFiles


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
