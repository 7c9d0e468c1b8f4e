"""Commands that the daemon runs: the words go to it as they are, a person is asked where it wants a yes."""

import json
import os
import sys
from collections.abc import Sequence
from typing import Any

from bot.cli.arguments import Request
from bot.cli.client import Client
from bot.cli.files import Errand, run_errand, write_text
from bot.cli.output import show_answer, show_blocks, tell, visible
from bot.cli.table import Table
from bot.config.places import Places
from bot.errors import ConfirmationRequired, SetupError, UsageError, UserError

_MOST_STDIN_BYTES = 1024 * 1024


def run_words(request: Request, table: Table) -> int:
    """Let the daemon run the words; ask a person first when it says that the command is destructive."""
    found = table.find(request.words)
    if found is None:
        if below := table.below(request.words):
            names = ", ".join(name for name, _ in below)
            raise UsageError(
                f"{' '.join(request.words)!r} is not a whole command; there are: {names}"
            )
        raise table.unknown(request.words)
    _, client = reach(request)
    if "--watch" in request.words and found[0]["name"] == "fleet ps":
        return _watch(request, client)
    errand = run_errand(_with_standard_input(request), *found)
    words = errand.words
    interactive = sys.stdin.isatty() and sys.stderr.isatty()
    answer = _run(client, words, confirmed=request.yes or not interactive)
    if found[0]["name"] in _WAYS and not request.json and interactive:
        from bot.cli.watching import attach

        return attach(answer["data"])
    if errand.writes and not (request.json and errand.target is None):
        _write(request, errand, answer)
    else:
        show_answer(request, answer)
    return status_of(words, answer.get("data"))


def _run(client: Client, words: Sequence[str], *, confirmed: bool) -> dict[str, Any]:
    """Let the daemon run the words; a yes at the terminal is to what was shown, so it may be asked for again."""
    body: dict[str, Any] = {"words": words, "confirmed": confirmed}
    while True:
        try:
            return client.call("POST", "/v1/run", body)
        except ConfirmationRequired as question:
            if confirmed:
                raise
            _ask(question)
            body |= {"confirmed": True, "preview_id": question.preview_id}


_WAYS = frozenset({"agent watch", "agent attach"})


def _watch(request: Request, client: Client) -> int:
    from bot.cli.watching import watch

    if request.json:
        raise UsageError("`--watch` is for people; there is no --json")
    words = [word for word in request.words if word != "--watch"]
    body = {"words": words, "confirmed": False}
    return watch(lambda: client.call("POST", "/v1/run", body), " ".join(words))


def _write(request: Request, errand: Errand, answer: dict[str, Any]) -> None:
    write_text(errand, answer, quiet=request.json)
    if request.json:
        tell(request, {"written": errand.target}, "")


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
    from bot.reply import from_json

    if question.preview:
        show_blocks(from_json(question.preview), sys.stderr)
    sys.stderr.write(f"{visible(question.message)} [y/N] ")
    sys.stderr.flush()
    if sys.stdin.readline().strip().lower() not in {"y", "yes"}:
        raise UserError("nothing was done", code="declined")


def status_of(words: Sequence[str], data: Any) -> int:
    """Return 0, or 1 for a fleet that is not well, or how far a message came (spec 3-contracts)."""
    if [word.lower() for word in words[:2]] == ["fleet", "verify"]:
        return 0 if isinstance(data, dict) and data.get("ok") else 1
    sent = [word.lower() for word in words[:2]] == ["agent", "send"] and "--verify" in words
    if not sent or not isinstance(data, dict):
        return 0
    return {"accepted": 0, "answered": 0, "failed": 1}.get(str(data.get("state")), 4)


def reach(request: Request) -> tuple[Places, Client]:
    """Return the home that is meant, and a client of its daemon; an agent's file names its own way in."""
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
