"""The socket's directory is private and short, and says no loudly."""

import shutil
import stat
from pathlib import Path

import pytest

from bot.errors import SetupError
from storage.server import socket_directory
from storage.server.embedded import EmbeddedServer

SHORT = Path("/short")


def test_a_short_home_keeps_its_socket() -> None:
    assert socket_directory.choose(Path("/h/postgres"), SHORT) == Path("/h/postgres/run")


def test_a_long_home_gets_the_same_short_place_every_time() -> None:
    homes = [Path("/h" * 60), Path("/h" * 60), Path("/g" * 60)]
    first, again, other = (socket_directory.choose(home, SHORT) for home in homes)
    assert first.parent == SHORT
    assert first == again != other


def test_no_place_at_all_is_a_setup_error() -> None:
    with pytest.raises(SetupError, match="longer than 100 bytes"):
        socket_directory.choose(Path("/h" * 60), Path("/t" * 60))


def test_bytes_are_counted_not_characters() -> None:
    assert socket_directory.choose(Path("/" + "é" * 45), SHORT).parent == SHORT


@pytest.mark.parametrize("mode", [0o777, 0o710])
def test_a_directory_that_others_may_enter_is_refused(tmp_path: Path, mode: int) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run").chmod(mode)
    with pytest.raises(SetupError, match="not a directory of ours alone"):
        socket_directory.make(tmp_path / "run")


def test_a_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    (tmp_path / "run").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(SetupError, match="not a directory of ours alone"):
        socket_directory.make(tmp_path / "run")


async def test_a_server_with_a_long_path_says_where_its_socket_is(
    data: Path, short_directory: Path
) -> None:
    far = data.parent / ("long" * 25) / "postgres"
    shutil.copytree(data, far)
    server = EmbeddedServer(far, short_directory=short_directory)
    started = await server.start()
    place = started.target.socket_directory
    assert place is not None
    assert (place.parent, stat.S_IMODE(place.stat().st_mode)) == (short_directory, 0o700)
    assert f"socket in {place}" in str(started)
    await server.stop()
    assert not place.exists()
