"""A person with the library of Element Web, in a process of its own."""

import asyncio
import json
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from connectors.matrix.homeserver.accounts import Account
from tests.stages.matrix import Bot
from tests.stages.programs import PROGRAMS_HOME, path_of_node
from tests.waiting import until

_SCRIPT = Path(__file__).parents[1] / "runtimes" / "element_client.mjs"
_PATIENCE = 60.0


class ElementPerson:
    """What a person's client said, by its name."""

    def __init__(self, process: Process) -> None:
        self.process = process
        self._told: dict[str, Any] = {}

    async def told(self, name: str) -> Any:
        """Wait until the client has said something, and return it."""
        await until(
            lambda: name in self._told or self.process.returncode is not None, _PATIENCE, name
        )
        assert name in self._told, f"the client ended with {self.process.returncode}"
        return self._told[name]

    async def read(self) -> None:
        """Take in what it says until it ends."""
        assert self.process.stdout is not None
        async for line in self.process.stdout:
            if line.startswith(b"##"):
                self._told |= json.loads(line[2:])


@asynccontextmanager
async def element_person(account: Account, bot: Bot, way: str) -> AsyncIterator[ElementPerson]:
    """Lend a person who verifies the bot: in its ``room``, from ``device`` to device, or when ``asked``."""
    arguments = (
        bot.town.url,
        account.user_id,
        account.device_id,
        account.token,
        bot.room_id,
        bot.user_id,
        bot.account.device_id,
        way,
    )
    process = await asyncio.create_subprocess_exec(
        str(path_of_node() / "node"),
        "--input-type=module",
        "-",
        *arguments,
        cwd=PROGRAMS_HOME,  # where its library is looked for
        stdin=PIPE,
        stdout=PIPE,
        stderr=DEVNULL,
        limit=2**24,
    )
    person = ElementPerson(process)
    reading = asyncio.create_task(person.read())
    assert process.stdin is not None
    process.stdin.write(_SCRIPT.read_bytes())
    process.stdin.close()
    try:
        yield person
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        await reading
