"""A Discord of our own for tests: REST v10 and the gateway on a socket, strict where Discord is strict.

It is also a program: ``python -m tests.stages.discord_stand_in --port 8080``.
"""
