"""The two bots, which are killed and started alike."""

import asyncio
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from connectors.matrix.homeserver.accounts import Account, new_pickle_key
from tests.bench.soak.memory import Life
from tests.stages.installation import Installation
from tests.stages.synapse import Person, Town


class Bot(Protocol):
    """One account with a program behind it."""

    user_id: str
    lives: list[Life]

    async def start(self) -> None: ...
    async def kill(self) -> None: ...
    async def close(self) -> None: ...


class Ours:
    """The daemon, with everything that belongs to it."""

    def __init__(
        self,
        home: Path,
        town: Town,
        account: Account,
        people: Sequence[Person],
        rooms: Sequence[str],
    ) -> None:
        self.user_id = account.user_id
        self.lives: list[Life] = []
        secrets = {"MATRIX_ACCESS_TOKEN": account.token, "MATRIX_PICKLE_KEY": new_pickle_key()}
        self.installation = Installation(home, secrets)
        operators = ", ".join(f'"matrix:{person.user_id}"' for person in people)
        others = ", ".join(f'"matrix:{room_id}"' for room_id in rooms)
        self.installation.write_settings(
            f"[access]\noperators = [{operators}]\nrooms = [{others}]\n"
        )
        block = {"homeserver_url": town.url, "user_id": account.user_id, "room_id": rooms[0]}
        self.installation.write_roster(
            {
                "version": 1,
                "tmux": {"socket_name": f"bench-soak-{os.getpid()}-{os.urandom(3).hex()}"},
                "connector": {"kind": "matrix", "matrix": block},
                "agents": [],
            }
        )

    async def start(self) -> None:
        """Start it and wait until it says that it is ready."""
        await self.installation.up()
        pid = self.installation.pid
        assert pid is not None
        self.lives.append(Life(pid))

    async def kill(self) -> None:
        """Kill it without mercy."""
        await self.installation.kill()

    async def close(self) -> None:
        """Stop what is left."""
        await self.installation.close()


class Rival:
    """The bot on ``sync_forever``; one that ends by itself is started again, as systemd would."""

    def __init__(self, store: Path, town: Town, account: Account) -> None:
        store.mkdir(parents=True)
        self.user_id = account.user_id
        self.lives: list[Life] = []
        self.fell = 0
        words = (town.url, account.user_id, account.device_id, account.token, str(store))
        self._command = (sys.executable, "-m", "tests.bench.soak.rival", *words)
        self._process: Process | None = None
        self._keeping: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Start it; it may have to wait for the homeserver."""
        self._process = await asyncio.create_subprocess_exec(
            *self._command, stdin=DEVNULL, stdout=PIPE, stderr=DEVNULL
        )
        self.lives.append(Life(self._process.pid))
        self._keeping = asyncio.create_task(self._keep(self._process))

    async def listening(self) -> None:
        """Wait until it has read where it is, the first time."""
        assert self._process is not None
        assert self._process.stdout is not None
        assert await self._process.stdout.readline() == b"listening\n"

    async def _keep(self, process: Process) -> None:
        await process.wait()
        self.fell += 1
        await asyncio.sleep(1)
        await self.start()

    async def kill(self) -> None:
        """Kill it without mercy."""
        if self._keeping is not None:
            self._keeping.cancel()
            await asyncio.gather(self._keeping, return_exceptions=True)
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()

    async def close(self) -> None:
        """End it."""
        await self.kill()
