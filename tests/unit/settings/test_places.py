"""Places: paths, and sockets that always fit."""

import os
import stat
from pathlib import Path

import pytest

from bot.config.places import LONGEST_SOCKET_PATH, Places, default_home, default_socket_name
from bot.errors import SetupError


def _deep(tmp_path: Path) -> Places:
    return Places(tmp_path / ("d" * 120))


def test_the_default_home_is_below_the_users_config(tmp_path: Path) -> None:
    environ = {"HOME": str(tmp_path)}
    assert Places.from_environment(environ).home == tmp_path / ".config" / "mosaic"
    assert Places.from_environment(environ | {"MOSAIC_HOME": ""}).home == default_home(environ)


def test_mosaic_home_places_everything_elsewhere(tmp_path: Path) -> None:
    places = Places.from_environment({"HOME": "/nowhere", "MOSAIC_HOME": str(tmp_path / "m")})
    assert places.settings_file == tmp_path / "m" / "mosaic.toml"
    assert places.roster_file == tmp_path / "m" / "fleet" / "roster.yaml"
    assert places.paused_file == tmp_path / "m" / "fleet" / "run" / "PAUSED"
    assert places.heartbeat_file("coder0") == tmp_path / "m" / "fleet" / "run" / "coder0.hb"


def test_a_relative_mosaic_home_becomes_absolute() -> None:
    assert Places.from_environment({"MOSAIC_HOME": "here"}).home == Path.cwd() / "here"


def test_directories_are_private_even_when_they_were_not(tmp_path: Path) -> None:
    places = Places(tmp_path / "m")
    places.home.mkdir(mode=0o755)
    places.prepare()
    places.prepare()
    for directory in (places.home, places.run_directory, places.agents_directory):
        assert stat.S_IMODE(directory.stat().st_mode) == 0o700


def test_a_short_home_keeps_its_socket() -> None:
    places = Places(Path("/home/ann/.config/mosaic"))
    assert places.api_socket == places.home / "run" / "api.sock"
    assert places.socket_note is None


def test_a_deep_home_has_a_short_private_socket_and_says_so(tmp_path: Path) -> None:
    places = _deep(tmp_path)
    places.prepare()
    try:
        for path in (places.api_socket, places.postgres_socket_directory / ".s.PGSQL.5432"):
            assert len(os.fsencode(path)) <= LONGEST_SOCKET_PATH
        assert stat.S_IMODE(places.short_directory.stat().st_mode) == 0o700
        assert str(places.api_socket) in (places.socket_note or "")
    finally:
        places.tidy()
    assert not places.short_directory.exists()


def test_a_short_directory_that_is_a_link_is_refused(tmp_path: Path) -> None:
    places = _deep(tmp_path)
    places.short_directory.symlink_to(tmp_path)
    try:
        with pytest.raises(SetupError, match="not a directory of user"):
            places.prepare()
    finally:
        places.short_directory.unlink()


def test_a_home_that_is_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "m").write_text("")
    with pytest.raises(SetupError, match=str(tmp_path / "m")):
        Places(tmp_path / "m").prepare()


def test_two_homes_never_share_a_tmux_socket(tmp_path: Path) -> None:
    environ = {"HOME": str(tmp_path)}
    other = default_socket_name(Places(tmp_path / "other"), environ)
    assert default_socket_name(Places.from_environment(environ), environ) == "mosaic-fleet"
    assert other.startswith("mosaic-fleet-")
    assert len(other) == len("mosaic-fleet-") + 8
    assert other != default_socket_name(Places(tmp_path / "third"), environ)


def test_a_link_to_a_home_is_the_same_home(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert Places(tmp_path / "link").fingerprint == Places(tmp_path / "real").fingerprint
