"""The face, freshly served for every test, in a directory with a short path."""

import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.stages.face import Face, serve


@pytest.fixture
def home() -> Iterator[Path]:
    made = Path(tempfile.mkdtemp(prefix="mosaic-"))
    yield made
    shutil.rmtree(made)


@pytest.fixture
async def face(home: Path) -> AsyncIterator[Face]:
    async with serve(home / "run" / "api.sock") as served:
        yield served
