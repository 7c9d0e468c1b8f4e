"""Everything Postgres, and nothing else.

server/ → part                        the embedded server, its schema, and what keeps both alive
database → queries → translation      connections, named statements of ``sql/``, and the driver's errors in our words
session_lock, pauses, audit           what there is once, on every host
mail/, files/                         what came in, what goes out, and its files
backlog/, supervision/                cards and attempts; agents, concerns, who leads
people/, rooms/                       linked accounts, threads shown in each other; rooms and pinned messages
"""
