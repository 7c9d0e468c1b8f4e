"""The `mosaic` command: a thin face on the daemon, cold in a few dozen milliseconds.

Help and completion read the generated command table; a command's words go to the daemon as they are.
What a sub-command alone needs is imported when it runs.
"""

import json
import os
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TextIO

from bot import __version__
from bot.cli.arguments import Request, read_arguments
from bot.cli.manual import entry_text, group_text, overview, own_text
from bot.cli.table import GLOBAL_FLAGS, Entry, Own, Table, own_command, read_table
from bot.errors import ConfirmationRequired, MosaicError, SetupError, UsageError, UserError

if TYPE_CHECKING:
    from bot.cli.client import Client
    from bot.cli.files import Errand
    from bot.cli.lifecycle import Lifecycle
    from bot.config.places import Places

_MOST_STDIN_BYTES = 1024 * 1024
_INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one call of the command and return its exit status (spec 3-contracts)."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    _tolerate_any_text()
    as_json = "--json" in given
    try:
        table = read_table()
        if given[:1] == ["__complete"]:
            return _complete(given[1:], table)
        request = read_arguments(given, table)
        as_json = request.json
        status = _answer(request, table)
        sys.stdout.flush()
    except MosaicError as error:
        return _fail(error, as_json=as_json)
    except KeyboardInterrupt:
        return _INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # nothing more to flush
        return 1
    return status


def _tolerate_any_text() -> None:
    """Never fail at output: a character that the terminal has no form for is spelled out."""
    reconfigure = getattr(sys.stdout, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(errors="backslashreplace")


def _complete(given: Sequence[str], table: Table) -> int:
    from bot.cli.completion import answer

    print(answer(given[0] if given else "bash", given[1:], table))
    return 0


def _answer(request: Request, table: Table) -> int:
    if request.version:
        return _print(request, {"version": __version__}, f"mosaic {__version__}")
    if not request.words or request.help or request.words[0] == "help":
        return _help(request, table)
    own = own_command(*request.words[:2])
    if own is not None:
        return _run_own(request, own)
    return _run_words(request, table)


def _help(request: Request, table: Table) -> int:
    words = request.words[1:] if request.words[:1] == ["help"] else request.words
    if not words:
        return _print(request, {"commands": table.entries}, overview(table))
    if (own := own_command(*words[:2])) is not None:
        return _print(request, own._asdict(), own_text(own))
    found = table.find(words)
    if found is not None and not (len(words) > found[1] and table.below(words)):
        return _print(request, found[0], entry_text(found[0]))
    if table.below(words):
        below = [entry for _, entry in table.below(words)]
        return _print(request, {"commands": below}, group_text(table, words))
    raise _unknown(words, table)


def _unknown(words: Sequence[str], table: Table) -> UsageError:
    nearest = table.nearest(words)
    meant = f"; did you mean `mosaic {nearest}`?" if nearest else ""
    return UsageError(
        f"there is no command {' '.join(words[:3])[:80]!r}{meant}",
        code="unknown_command",
        hint="`mosaic --help` lists what there is",
    )


def _run_words(request: Request, table: Table) -> int:
    """Let the daemon run the words; ask a person first when it says that the command is destructive."""
    found = table.find(request.words)
    if found is None:
        if below := table.below(request.words):
            names = ", ".join(name for name, _ in below)
            raise UsageError(
                f"{' '.join(request.words)!r} is not a whole command; there are: {names}"
            )
        raise _unknown(request.words, table)
    _, client = _reach(request)
    if "--watch" in request.words and found[0]["name"] == "fleet ps":
        return _watch(request, client)
    errand = _errand(_with_standard_input(request), *found)
    words = errand.words
    interactive = sys.stdin.isatty() and sys.stderr.isatty()
    confirmed = request.yes or not interactive
    try:
        answer = client.call("POST", "/v1/run", {"words": words, "confirmed": confirmed})
    except ConfirmationRequired as question:
        if confirmed:
            raise
        _ask(question)
        answer = client.call("POST", "/v1/run", {"words": words, "confirmed": True})
    if found[0]["name"] in _WAYS and not request.json and interactive:
        from bot.cli.watching import attach

        return attach(answer["data"])
    if errand.writes and not (request.json and errand.target is None):
        _write(request, errand, answer)
    else:
        _show(request, answer)
    return _status_of(words, answer.get("data"))


_WAYS = frozenset({"agent watch", "agent attach"})


def _watch(request: Request, client: "Client") -> int:
    from bot.cli.watching import watch

    if request.json:
        raise UsageError("`--watch` is for people; there is no --json")
    words = [word for word in request.words if word != "--watch"]
    body = {"words": words, "confirmed": False}
    return watch(lambda: client.call("POST", "/v1/run", body), " ".join(words))


def _errand(words: list[str], entry: Entry, length: int) -> "Errand":
    """Return the words with the text of the file that they name, and where the answer's text belongs."""
    from bot.cli.files import run_errand

    return run_errand(words, entry, length)


def _write(request: Request, errand: "Errand", answer: dict[str, Any]) -> None:
    from bot.cli.files import write_text

    write_text(errand, answer, quiet=request.json)
    if request.json:
        _print(request, {"written": errand.target}, "")


def _with_standard_input(request: Request) -> list[str]:
    """Return the words, with standard input in the place of a text that is ``-``."""
    words = list(request.words)
    if request.text_at is None or words[request.text_at] != "-":
        return words
    raw = sys.stdin.buffer.read(_MOST_STDIN_BYTES + 1)
    if len(raw) > _MOST_STDIN_BYTES:
        raise UsageError("standard input holds more than 1 MiB")
    try:
        words[request.text_at] = raw.decode("utf-8").removesuffix("\n")
    except UnicodeDecodeError as error:
        raise UsageError(f"standard input is not UTF-8: byte {error.start} fits nowhere") from error
    return words


def _ask(question: ConfirmationRequired) -> None:
    from bot.cli.background import visible
    from bot.reply import from_json

    if question.preview:
        _show_blocks(from_json(question.preview), sys.stderr)
    sys.stderr.write(f"{visible(question.message)} [y/N] ")
    sys.stderr.flush()
    if sys.stdin.readline().strip().lower() not in {"y", "yes"}:
        raise UserError("nothing was done", code="declined")


def _status_of(words: Sequence[str], data: Any) -> int:
    """Return 0, or 1 for a fleet that is not well, or how far a message came (spec 3-contracts)."""
    if [word.lower() for word in words[:2]] == ["fleet", "verify"]:
        return 0 if isinstance(data, dict) and data.get("ok") else 1
    sent = [word.lower() for word in words[:2]] == ["agent", "send"] and "--verify" in words
    if not sent or not isinstance(data, dict):
        return 0
    return {"accepted": 0, "answered": 0, "failed": 1}.get(str(data.get("state")), 4)


def _reach(request: Request) -> "tuple[Places, Client]":
    """Return the home that is meant, and a client of its daemon; an agent's file names its own way in."""
    from bot.cli.client import Client
    from bot.config.places import Places

    environ = os.environ if request.home is None else {**os.environ, "MOSAIC_HOME": request.home}
    places = Places.from_environment(environ)
    file = os.environ.get("MOSAIC_AGENT_FILE")
    if file and request.home is None and os.path.exists(file):  # noqa: PTH110 - cold start
        return places, Client(*_read_agent_file(file))
    return places, Client(str(places.api_socket))


def _read_agent_file(path: str) -> tuple[str, str]:
    try:
        with open(path, encoding="utf-8") as file:  # noqa: PTH123 - cold start
            access = json.load(file)
        return str(access["socket"]), str(access["token"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SetupError(
            f"{path}:1: this agent's access file cannot be used: {error!r}",
            hint="start the agent again: the file is made new",
        ) from error


def _run_own(request: Request, own: Own) -> int:
    """Run a command that the command line answers itself."""
    if own.name in _WHOLE:
        return _WHOLE[own.name](request)
    flags = {word for word in request.words[1:] if word.startswith("-")}
    words = [word for word in request.words[1:] if not word.startswith("-")]
    known = {flag for flag, _ in own.flags} | {"-f"} & {"-f" if own.name == "logs" else ""}
    if unknown := sorted(flags - known):
        allowed = ", ".join(sorted({flag for flag, _ in (*own.flags, *GLOBAL_FLAGS)}))
        raise UsageError(f"mosaic {own.name} has no flag {unknown[0]}; it has {allowed}")
    if own.choices and (len(words) != 1 or words[0] not in own.choices):
        raise UsageError(f"usage: mosaic {own.usage}")
    if words and not own.choices:
        raise UsageError(f"{words[0]!r} is one word too many; usage: mosaic {own.usage}")
    if own.name == "completion":
        from bot.cli.completion import SCRIPTS

        return _print(request, {"script": SCRIPTS[words[0]]}, SCRIPTS[words[0]].rstrip("\n"))
    if own.name == "doctor":
        return _doctor(request)
    from bot.cli.lifecycle import Lifecycle

    places, client = _reach(request)
    return _OWN[own.name](request, Lifecycle(places, client, os.environ), flags)


def _set_up(request: Request) -> int:
    from bot.cli.connecting import connect
    from bot.cli.talk import Talk
    from bot.cli.wizard import begin

    lead = begin if request.words[0].lower() == "fleet" else connect
    places, _ = _reach(request)
    asks = sys.stdin.isatty() and sys.stdout.isatty() and not (request.json or request.yes)
    talk = Talk(sys.stdin, sys.stdout) if asks else None
    written, blocks = lead(places, request.words[2:], os.environ, talk)
    if request.json:
        return _print(request, written, "")
    _show_blocks(blocks)
    return 0


def _screen(request: Request) -> int:
    from bot.cli.capture import read_captured

    found = read_captured(request.words[1:])
    pairs = ((name, value) for name, value in found.items() if value is not None)
    return _print(request, found, "\n".join(f"{name}: {value}" for name, value in pairs))


def _doctor(request: Request) -> int:
    from bot.cli.doctor import examine, findings_text

    places, _ = _reach(request)
    findings = examine(places, os.environ)
    data = {"findings": [finding._asdict() for finding in findings]}
    _print(request, data, findings_text(findings))
    return 1 if any(finding.state == "fail" for finding in findings) else 0


def _up(request: Request, life: "Lifecycle", flags: set[str]) -> int:
    if "--detach" in flags:
        return _when_started(request, life.up_detached(flags, quiet=request.json))
    if request.json:
        raise UsageError("`mosaic up --json` needs --detach: without it the daemon runs here")
    return life.up(flags)


def _when_started(request: Request, status: dict[str, Any]) -> int:
    if request.json:
        _print(request, status, "")
    return 0 if status["state"] == "running" else 1


def _status(request: Request, life: "Lifecycle", _flags: set[str]) -> int:
    from bot.render.vitals import status_blocks

    status = life.status()
    if request.json:
        return _print(request, status, "")
    _show_blocks(status_blocks(status))
    return 0


def _down(request: Request, life: "Lifecycle", flags: set[str]) -> int:
    done = life.down(keep_agents="--keep-agents" in flags)
    left = "The agents go on." if done["keep_agents"] else "The agents are stopped too."
    return _print(request, done, f"The daemon (pid {done['stopped']}) has stopped. {left}")


def _restart(request: Request, life: "Lifecycle", _flags: set[str]) -> int:
    return _when_started(request, life.restart(quiet=request.json))


def _chat(request: Request, life: "Lifecycle", flags: set[str]) -> int:
    if request.json:
        raise UsageError("`mosaic chat` is for people; there is no --json")
    commands = [(entry["name"], entry["summary"]) for entry in read_table().entries]
    return life.chat(flags, commands)


def _logs(request: Request, life: "Lifecycle", flags: set[str]) -> int:
    follow = bool(flags & {"--follow", "-f"})
    if request.json:
        if follow:
            raise UsageError("`mosaic logs --follow` never ends; there is no --json")
        return _print(request, {"entries": life.log_entries()}, "")
    return _print(request, None, "\n".join(life.logs(follow=follow)))


_WHOLE: "dict[str, Callable[[Request], int]]" = {
    "screen": _screen,
    "fleet init": _set_up,
    "connector discord": _set_up,
}
"""Commands that read their own words."""

_OWN: "dict[str, Callable[[Request, Lifecycle, set[str]], int]]" = {
    "up": _up,
    "status": _status,
    "down": _down,
    "restart": _restart,
    "chat": _chat,
    "logs": _logs,
}


def _show(request: Request, answer: dict[str, Any]) -> None:
    if request.json:
        _print(request, answer.get("data"), "")
        if answer.get("data") is None:
            _say_why(answer)
        return
    from bot.reply import from_json

    _show_blocks(from_json(answer.get("blocks", ())))


def _say_why(answer: dict[str, Any]) -> None:
    """Tell on standard error why the answer is null: a pause is no empty backlog."""
    from bot.cli.background import visible

    for block in answer.get("blocks", ()):
        print(visible(str(block.get("text", ""))), file=sys.stderr)


def _show_blocks(blocks: Sequence[Any], file: TextIO | None = None) -> None:
    from bot.render.terminal import show

    show(blocks, file)


def _print(request: Request, data: Any, text: str) -> int:
    """Print one JSON document, or the text for people; return 0."""
    if not request.json:
        print(text)
        return 0
    encoding = (sys.stdout.encoding or "ascii").lower()
    print(json.dumps(data, ensure_ascii=not encoding.startswith("utf"), indent=2))
    return 0


def _fail(error: MosaicError, *, as_json: bool) -> int:
    """Tell the reason on standard error, and with ``--json`` on standard output too."""
    from bot.cli.background import visible
    from bot.cli.client import exit_status

    sys.stdout.flush()
    if as_json:
        found = {"code": error.code, "message": error.message, "hint": error.hint}
        print(json.dumps({"error": found}, indent=2))
    hint = f"\n  {error.hint}" if error.hint else ""
    print(visible(f"mosaic: {error.message}{hint}"), file=sys.stderr)
    return exit_status(error.code)
