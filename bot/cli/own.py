"""Commands that the command line answers itself: about the daemon's life, setting up, and looking for what is wrong."""

import os
import sys
from collections.abc import Callable
from typing import Any

from bot.cli.arguments import Request
from bot.cli.lifecycle import Lifecycle
from bot.cli.output import show_blocks, tell
from bot.cli.running import reach
from bot.cli.table import GLOBAL_FLAGS, Own, read_table
from bot.errors import UsageError


def run_own(request: Request, own: Own) -> int:
    """Run a command that the command line answers itself."""
    if own.name in _WHOLE:
        return _WHOLE[own.name](request)
    flags = {word for word in request.words[1:] if word.startswith("-")}
    words = [word for word in request.words[1:] if not word.startswith("-")]
    known = {flag for flag, _ in own.flags} | ({"-f"} if own.name == "logs" else set())
    if unknown := sorted(flags - known):
        allowed = ", ".join(sorted({flag for flag, _ in (*own.flags, *GLOBAL_FLAGS)}))
        raise UsageError(f"mosaic {own.name} has no flag {unknown[0]}; it has {allowed}")
    if own.choices and (len(words) != 1 or words[0] not in own.choices):
        raise UsageError(f"usage: mosaic {own.usage}")
    if words and not own.choices:
        raise UsageError(f"{words[0]!r} is one word too many; usage: mosaic {own.usage}")
    if own.name == "completion":
        from bot.cli.completion import SCRIPTS

        return tell(request, {"script": SCRIPTS[words[0]]}, SCRIPTS[words[0]].rstrip("\n"))
    if own.name == "doctor":
        return _doctor(request)
    places, client = reach(request)
    return _OWN[own.name](request, Lifecycle(places, client, os.environ), flags)


def _set_up(request: Request) -> int:
    from bot.cli.connecting import connect
    from bot.cli.talk import Talk
    from bot.cli.wizard import begin

    lead = begin if request.words[0].lower() == "fleet" else connect
    places, _ = reach(request)
    asks = sys.stdin.isatty() and sys.stdout.isatty() and not (request.json or request.yes)
    talk = Talk(sys.stdin, sys.stdout) if asks else None
    written, blocks = lead(places, request.words[2:], os.environ, talk)
    if request.json:
        return tell(request, written, "")
    show_blocks(blocks)
    return 0


def _screen(request: Request) -> int:
    from bot.cli.capture import read_captured

    found = read_captured(request.words[1:])
    pairs = ((name, value) for name, value in found.items() if value is not None)
    return tell(request, found, "\n".join(f"{name}: {value}" for name, value in pairs))


def _doctor(request: Request) -> int:
    from bot.cli.doctor import examine, findings_text

    places, _ = reach(request)
    findings = examine(places, os.environ)
    data = {"findings": [finding._asdict() for finding in findings]}
    tell(request, data, findings_text(findings))
    return 1 if any(finding.state == "fail" for finding in findings) else 0


def _up(request: Request, life: Lifecycle, flags: set[str]) -> int:
    if "--detach" in flags:
        return _when_started(request, life.up_detached(flags, quiet=request.json))
    if request.json:
        raise UsageError("`mosaic up --json` needs --detach: without it the daemon runs here")
    return life.up(flags)


def _when_started(request: Request, status: dict[str, Any]) -> int:
    if request.json:
        tell(request, status, "")
    return 0 if status["state"] == "running" else 1


def _status(request: Request, life: Lifecycle, _flags: set[str]) -> int:
    from bot.render.vitals import status_blocks

    status = life.status()
    if request.json:
        return tell(request, status, "")
    show_blocks(status_blocks(status))
    return 0


def _down(request: Request, life: Lifecycle, flags: set[str]) -> int:
    done = life.down(keep_agents="--keep-agents" in flags)
    left = "The agents go on." if done["keep_agents"] else "The agents are stopped too."
    return tell(request, done, f"The daemon (pid {done['stopped']}) has stopped. {left}")


def _restart(request: Request, life: Lifecycle, _flags: set[str]) -> int:
    return _when_started(request, life.restart(quiet=request.json))


def _chat(request: Request, life: Lifecycle, flags: set[str]) -> int:
    if request.json:
        raise UsageError("`mosaic chat` is for people; there is no --json")
    commands = [(entry["name"], entry["summary"]) for entry in read_table().entries]
    return life.chat(flags, commands)


def _logs(request: Request, life: Lifecycle, flags: set[str]) -> int:
    follow = bool(flags & {"--follow", "-f"})
    if request.json:
        if follow:
            raise UsageError("`mosaic logs --follow` never ends; there is no --json")
        return tell(request, {"entries": life.log_entries()}, "")
    return tell(request, None, "\n".join(life.logs(follow=follow)))


_WHOLE: dict[str, Callable[[Request], int]] = {
    "screen": _screen,
    "fleet init": _set_up,
    "connector discord": _set_up,
}
"""Commands that read their own words."""

_OWN: dict[str, Callable[[Request, Lifecycle, set[str]], int]] = {
    "up": _up,
    "status": _status,
    "down": _down,
    "restart": _restart,
    "chat": _chat,
    "logs": _logs,
}
