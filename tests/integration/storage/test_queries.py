"""Every named query is understood by both servers and takes what it names."""

from storage.database import Database
from storage.queries import Queries, topics


async def test_every_named_query_prepares(database: Database) -> None:
    async with database.connection() as connection:
        for topic in topics():
            for query in Queries.load(topic):
                prepared = await connection.prepare(query.sql)
                assert len(prepared.get_parameters()) == len(query.arguments), (topic, query.name)
