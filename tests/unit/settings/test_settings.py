"""Settings: every error names the place, the key, the value and what is allowed."""

import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.config.places import Places
from bot.config.settings import Settings, load_settings, settings_keys, unknown_variables, variable
from bot.errors import SetupError


def _load(tmp_path: Path, text: str | None, **environ: str) -> Settings:
    places = Places(tmp_path)
    if text is not None:
        places.settings_file.write_text(text, encoding="utf-8")
    return load_settings(places, environ)


def _refusal(tmp_path: Path, text: str | None, **environ: str) -> str:
    with pytest.raises(SetupError) as refused:
        _load(tmp_path, text, **environ)
    return refused.value.message.replace(str(tmp_path / "mosaic.toml"), "FILE")


def test_no_file_means_the_defaults(tmp_path: Path) -> None:
    settings = _load(tmp_path, None)
    assert settings.access.operators == ()
    assert settings.heartbeat.stale == timedelta(seconds=60)
    assert settings.commands.timeout == timedelta(seconds=30)
    assert settings.host.name == socket.gethostname()


def test_a_file_is_read(tmp_path: Path) -> None:
    settings = _load(
        tmp_path,
        '[access]\noperators = ["matrix:@ann:example.org"]\n[supervisor]\ntick_seconds = 5\n'
        '[connectors.discord]\nguild_id = "7"\n[connectors.matrix]\n',
    )
    assert settings.access.operators == ("matrix:@ann:example.org",)
    assert settings.supervisor.tick == timedelta(seconds=5)
    assert settings.connectors.discord.guild_id == "7"


def test_the_environment_wins(tmp_path: Path) -> None:
    settings = _load(
        tmp_path,
        "[supervisor]\ntick_seconds = 5\n",
        MOSAIC_SUPERVISOR_TICK_SECONDS="7.5",
        MOSAIC_ACCESS_ROOMS="matrix:!a:x, discord:1",
        MOSAIC_CONNECTORS_DISCORD_GUILD_ID="99",
        MOSAIC_HOMESERVER_PORT="8123",
    )
    assert settings.supervisor.tick_seconds == 7.5
    assert settings.access.rooms == ("matrix:!a:x", "discord:1")
    assert settings.connectors.discord.guild_id == "99"
    assert settings.homeserver.port == 8123


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("\n[acces]\n", "FILE:2: acces: unknown key; allowed: access, supervisor,"),
        (
            "[supervisor]\n\ntick = 3\n",
            "FILE:3: supervisor.tick: unknown key; allowed: tick_seconds",
        ),
        ('[supervisor]\ntick_seconds = "3"\n', "FILE:2: supervisor.tick_seconds: '3' should be"),
        ("[supervisor]\ntick_seconds = true\n", "FILE:2: supervisor.tick_seconds: True should"),
        (
            "supervisor.tick_seconds = -1\n",
            "FILE:1: supervisor.tick_seconds: -1 should be greater than 0",
        ),
        ("[access]\noperators = ['ann']\n", "FILE:2: access.operators: 'ann'"),
        ('[access]\noperators = "matrix:@a:b"\n', "FILE:2: access.operators: 'matrix:@a:b'"),
        ('[log]\nlevel = "loud"\n', "FILE:2: log.level: 'loud' should be 'debug', 'info',"),
        ("[homeserver]\nport = 1.5\n", "FILE:2: homeserver.port: 1.5 should be"),
        ("[connectors.irc]\n", "FILE:1: connectors.irc: unknown key; allowed: matrix, discord"),
        ("supervisor = 3\n", "FILE:1: supervisor: 3 should be"),
        (
            "#\n[heartbeat]\nstale_seconds = 10\n",
            "FILE:2: heartbeat: stale_seconds must be greater than interval_seconds",
        ),
        ("[access]\noperators = \n", "FILE:2: Invalid value"),
        ("[access]\n[access]\n", "FILE:2: Cannot declare"),
        ("a = [", "FILE:1: "),
    ],
)
def test_a_wrong_line_is_named(tmp_path: Path, text: str, message: str) -> None:
    assert _refusal(tmp_path, text).startswith(message)


def test_a_wrong_override_is_named_by_its_variable(tmp_path: Path) -> None:
    assert _refusal(tmp_path, None, MOSAIC_SUPERVISOR_TICK_SECONDS="soon").startswith(
        "MOSAIC_SUPERVISOR_TICK_SECONDS: supervisor.tick_seconds: 'soon' should be a valid number"
    )


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mosaic.toml").write_bytes(b"\xff\xfe")
    assert _refusal(tmp_path, None).startswith("FILE:1: cannot be read")


def test_unknown_variables_warn_and_known_ones_do_not() -> None:
    environ = {
        "MOSAIC_HOME": "x",
        "MOSAIC_AGENT_FILE": "x",
        "MOSAIC_DOGFOOD_WORK_SECONDS": "1",
        "MOSAIC_HEARTBEAT_IDLE_THRESHOLD": "1",
        "MOSAIC_HEARTBEAT_STALE_SECONDS": "61",
        "MOSAIC_SUPERVISER_TICK_SECONDS": "1",
        "PATH": "x",
    }
    assert unknown_variables(environ) == (
        "MOSAIC_SUPERVISER_TICK_SECONDS is no setting and is ignored",
    )


def test_every_key_is_described_and_has_a_variable_of_its_own() -> None:
    keys = list(settings_keys())
    for path, section in keys:
        assert section.model_fields[path[-1]].description, path
    assert len({variable(path) for path, _ in keys}) == len(keys)


def test_the_clock_and_quiet_hours_are_read(tmp_path: Path) -> None:
    settings = _load(
        tmp_path,
        '[clock]\ntimezone = "Europe/Berlin"\npeople = ["matrix:@ann:e.org Asia/Tokyo"]\n'
        '[quiet]\nbegin = "22:00"\nend = "7"\n[supervisor]\ndigest_at = ""\ndigest_minutes = 5\n',
    )
    assert settings.clock.timezone_of("matrix:@ann:e.org") == "Asia/Tokyo"
    assert settings.clock.timezone_of("local:1000") == "Europe/Berlin"
    night = datetime(2026, 11, 25, 21, 30, tzinfo=UTC)
    assert settings.quiet_hours.hold(night), "it is half past ten in Berlin"
    assert not settings.quiet_hours.hold(night - timedelta(hours=1))
    assert settings.supervisor.daily is None
    assert settings.supervisor.gather == timedelta(minutes=5)
    assert not _load(tmp_path, "").quiet_hours.hold(night)
    assert str(_load(tmp_path, "").supervisor.daily) == "day at 08:00"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[clock]\ntimezone = "Mars"\n', "FILE:2: clock.timezone: 'Mars' is no time zone"),
        ('[clock]\npeople = ["local:1 Mars"]\n', "'Mars' is no time zone"),
        ('[clock]\npeople = ["ann"]\n', "FILE:2: clock.people"),
        ('[quiet]\nbegin = "22:00"\n', "begin and end go together"),
        ('[quiet]\nbegin = "22:00"\nend = "22"\n', "begin and end must differ"),
        ('[quiet]\nbegin = "25:00"\n', "FILE:2: quiet.begin: '25:00' is no time of day"),
        ('[supervisor]\ndigest_at = "noon"\n', "supervisor.digest_at: 'noon' is no time of day"),
    ],
)
def test_a_wrong_time_or_zone_is_refused(tmp_path: Path, text: str, said: str) -> None:
    assert said in _refusal(tmp_path, text)
