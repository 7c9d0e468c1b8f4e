"""The log: fixed keys, libraries routed, and no secret in any form of it."""

import io
import json
import logging
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog

from bot.config.credentials import Credentials
from bot.config.logs import close_logs, configure_logs

SECRET = "syt_Ym90_hUnTeR/22+é"


class Log:
    """What was written, in both forms."""

    def __init__(self, file: Path, terminal: io.StringIO) -> None:
        self.file = file
        self._terminal = terminal

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.file.read_text().splitlines()]

    def shown(self) -> str:
        return self._terminal.getvalue()


def _raised(message: str) -> Exception:
    try:
        int(message)
    except ValueError as error:
        return error
    raise AssertionError(message)


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Log]:
    credentials = Credentials({"MATRIX_ACCESS_TOKEN": SECRET})
    terminal = io.StringIO()
    level = logging.getLogger().level
    configure_logs(tmp_path / "mosaic.log", "info", credentials.redact, terminal)
    yield Log(tmp_path / "mosaic.log", terminal)
    close_logs()
    logging.getLogger().setLevel(level)


def test_a_line_has_the_fixed_keys_first(log: Log) -> None:
    structlog.get_logger(part="matrix").info("synced", events=3)
    (line,) = log.lines()
    assert list(line) == ["at", "level", "part", "event", "events"]
    assert line["at"].endswith("Z")
    assert (line["level"], line["part"], line["event"]) == ("info", "matrix", "synced")


def test_an_exception_becomes_the_key_error(log: Log) -> None:
    structlog.get_logger(part="router").error(
        "command_failed", id="1", exc_info=_raised("no such room")
    )
    (line,) = log.lines()
    assert list(line)[-1] == "error"
    assert line["error"].startswith("Traceback")
    assert "no such room" in line["error"]


def test_lines_below_the_level_are_not_written(log: Log) -> None:
    structlog.get_logger(part="router").debug("quiet")
    assert log.lines() == []


def test_libraries_are_routed_and_tamed(log: Log) -> None:
    logging.getLogger("nio.rooms").info("chatter")
    logging.getLogger("aiohttp.access").info("GET /")
    logging.getLogger("nio.client").warning("timed out after %s s", 30)
    (line,) = log.lines()
    assert (line["part"], line["level"], line["event"]) == (
        "nio",
        "warning",
        "timed out after 30 s",
    )


def test_a_secret_never_passes(log: Log) -> None:
    speaker = structlog.get_logger(part="matrix")
    speaker.info(
        f"token is {SECRET}", token="short", nested={"url": f"/?t={SECRET}", "k": [SECRET]}
    )
    speaker.info("odd", value=SECRET.encode(), thing=Path(SECRET), api_key="abc", claim_token="def")
    logging.getLogger("nio").error("refused %s", SECRET)
    speaker.error("broke", exc_info=_raised(f"bad token {SECRET}"))
    for written in (log.file.read_text(), log.shown()):
        assert "hUnTeR" not in written
        for hidden in ('"short"', '"abc"', '"def"'):
            assert hidden not in written
    assert log.lines()[0]["token"] == "[redacted]"


def test_a_count_of_tokens_is_no_secret(log: Log) -> None:
    structlog.get_logger(part="x").info("spent", token=5, tokens=17)
    assert log.lines()[0]["tokens"] == 17
    assert log.lines()[0]["token"] == 5


def test_people_see_no_control_characters(log: Log) -> None:
    structlog.get_logger(part="x").info("said \x1b[2J", text="\x1b]0;title\x07")
    assert "\x1b" not in log.shown()
    assert "\x07" not in log.shown()
    assert log.shown().count("\n") == 1


def test_the_file_is_private(log: Log) -> None:
    structlog.get_logger(part="x").info("hello")
    assert stat.S_IMODE(log.file.stat().st_mode) == 0o600


def test_configuring_again_writes_every_line_once(log: Log) -> None:
    configure_logs(log.file, "info", str, None)
    structlog.get_logger(part="x").info("hello")
    assert len(log.lines()) == 1
