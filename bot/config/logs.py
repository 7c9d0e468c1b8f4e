"""The log: one JSON object a line, the same keys always, and no secret in it.

Keys are ``at``, ``level``, ``part``, ``event``, then the facts, then ``error`` (a traceback).
"""

import json
import logging
import os
import re
import sys
from collections.abc import Callable, Mapping
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any, TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

Redact = Callable[[str], str]

_SECRET_KEY = re.compile(
    r"(^|_)(token|password|passwd|secret|authorization|api_key|pickle_key)$", re.IGNORECASE
)
_FILE_BYTES = 10_000_000
_FILES_KEPT = 5
_QUIET = {
    "aiohttp.access": logging.WARNING,
    "apscheduler": logging.WARNING,
    "asyncio": logging.WARNING,
    "asyncpg": logging.WARNING,
    "discord": logging.WARNING,
    "libtmux": logging.WARNING,  # its debug lines quote what people say to agents
    "markdown_it": logging.WARNING,
    "nio": logging.WARNING,
    "peewee": logging.WARNING,
}
_FIRST = ("at", "level", "part", "event")


def configure_logs(
    file: Path | None, level: str, redact: Redact, terminal: TextIO | None = None
) -> None:
    """Send everything that is logged in this process to ``file`` and, for people, to ``terminal``.

    Replaces an earlier configuration. The file has mode 0600 and is turned over at 10 MB, five kept.
    """
    before: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        _part,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *before,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    _replace_handlers(_handlers(file, terminal, before, redact))
    logging.getLogger().setLevel(level.upper())
    for name, least in _QUIET.items():
        logging.getLogger(name).setLevel(max(least, logging.getLogger().level))
    logging.captureWarnings(capture=True)


def close_logs() -> None:
    """Flush and close what ``configure_logs`` opened, and give structlog its defaults back."""
    _replace_handlers([])
    logging.captureWarnings(capture=False)
    structlog.reset_defaults()


class _PrivateFile(RotatingFileHandler):
    """A rotating file that only its owner can read."""

    def _open(self) -> TextIOWrapper:
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        return open(os.open(self.baseFilename, flags, 0o600), "a", encoding="utf-8")  # noqa: PTH123


def _handlers(
    file: Path | None, terminal: TextIO | None, before: list[Processor], redact: Redact
) -> list[logging.Handler]:
    handlers: list[logging.Handler] = []
    if file is not None:
        kept = _PrivateFile(file, maxBytes=_FILE_BYTES, backupCount=_FILES_KEPT)
        kept.setFormatter(_formatter(before, redact, _as_json))
        handlers.append(kept)
    if terminal is not None:
        shown = logging.StreamHandler(terminal)
        shown.setFormatter(_formatter(before, redact, _for_people))
        handlers.append(shown)
    return handlers


def _replace_handlers(handlers: list[logging.Handler]) -> None:
    root = logging.getLogger()
    for old in [h for h in root.handlers if getattr(h, "of_mosaic", False)]:
        root.removeHandler(old)
        old.close()
    for handler in handlers:
        handler.of_mosaic = True  # type: ignore[attr-defined]
        root.addHandler(handler)


def _formatter(
    before: list[Processor], redact: Redact, render: Callable[[Mapping[str, Any]], str]
) -> logging.Formatter:
    def finish(_logger: WrappedLogger, _method: str, event: EventDict) -> str:
        event.pop("_record", None)
        event.pop("_from_structlog", None)
        return redact(render(_ordered(_without_secrets(event, redact))))

    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[*before, structlog.stdlib.PositionalArgumentsFormatter()],
        processors=[_error, finish],
    )


def _part(logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Name the part: the one the logger was bound with, else the library whose logger it is."""
    if "part" not in event:
        record = event.get("_record")
        name = record.name if record is not None else getattr(logger, "name", None)
        event["part"] = str(name or "mosaic").partition(".")[0]
    return event


def _error(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Turn an exception into the key ``error``."""
    raised = event.pop("exc_info", None)
    if raised is True:
        raised = sys.exc_info()
    if isinstance(raised, BaseException):
        raised = (type(raised), raised, raised.__traceback__)
    if isinstance(raised, tuple) and raised[0] is not None:
        event["error"] = logging.Formatter().formatException(raised)
    return event


def _without_secrets(value: Any, redact: Redact) -> Any:
    match value:
        case Mapping():
            return {
                str(key): _hidden(item)
                if _SECRET_KEY.search(str(key))
                else _without_secrets(item, redact)
                for key, item in value.items()
            }
        case str():
            return redact(value)
        case bytes():
            return redact(value.decode("utf-8", "backslashreplace"))
        case bool() | int() | float() | None:
            return value
        case list() | tuple() | set() | frozenset():
            return [_without_secrets(item, redact) for item in value]
    return redact(str(value))


def _hidden(value: Any) -> Any:
    """Hide what a key called ``token`` holds; a number or nothing is a fact about it, not the thing."""
    return value if value is None or isinstance(value, bool | int | float) else "[redacted]"


def _ordered(event: Mapping[str, Any]) -> dict[str, Any]:
    ordered = {key: event[key] for key in _FIRST if key in event}
    ordered |= {key: event[key] for key in event if key not in ordered and key != "error"}
    return ordered | {key: event[key] for key in ("error",) if key in event}


def _as_json(event: Mapping[str, Any]) -> str:
    return json.dumps(event, ensure_ascii=False)


def _for_people(event: Mapping[str, Any]) -> str:
    """One line, then the traceback; control characters are shown, never sent to the terminal."""
    clock = str(event.get("at", ""))[11:19]
    head = f"{clock} {event.get('level', ''):<7} {event.get('part', '')}: {event.get('event', '')}"
    facts = [
        f"{key}={json.dumps(value, ensure_ascii=False)}"
        for key, value in event.items()
        if key not in _FIRST and key != "error"
    ]
    lines = [" ".join([head, *facts]), *str(event.get("error", "")).splitlines()]
    return "\n".join(_visible(line) for line in lines)


def _visible(line: str) -> str:
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in line)
