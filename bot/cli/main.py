"""The `mosaic` command: a thin face on the daemon, cold in a few dozen milliseconds.

Help and completion read the generated command table; a command's words go to the daemon as they are.
What a sub-command alone needs is imported when it runs.
"""

import os
import sys
from collections.abc import Sequence

from bot import __version__
from bot.cli.arguments import Request, read_arguments
from bot.cli.manual import entry_text, group_text, overview, own_text
from bot.cli.output import tell, tell_error, tolerate_any_text
from bot.cli.table import Table, own_command, read_table
from bot.errors import MosaicError

_INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one call of the command and return its exit status (spec 3-contracts)."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    tolerate_any_text()
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
        return tell_error(error, as_json=as_json)
    except KeyboardInterrupt:
        return _INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # nothing more to flush
        return 1
    return status


def _complete(given: Sequence[str], table: Table) -> int:
    from bot.cli.completion import answer

    print(answer(given[0] if given else "bash", given[1:], table))
    return 0


def _answer(request: Request, table: Table) -> int:
    if request.version:
        return tell(request, {"version": __version__}, f"mosaic {__version__}")
    if not request.words or request.help or request.words[0] == "help":
        return _help(request, table)
    own = own_command(*request.words[:2])
    if own is not None:
        from bot.cli.own import run_own

        return run_own(request, own)
    from bot.cli.running import run_words

    return run_words(request, table)


def _help(request: Request, table: Table) -> int:
    words = request.words[1:] if request.words[:1] == ["help"] else request.words
    if not words:
        return tell(request, {"commands": table.entries}, overview(table))
    if (own := own_command(*words[:2])) is not None:
        return tell(request, own._asdict(), own_text(own))
    found = table.find(words)
    if found is not None and not (len(words) > found[1] and table.below(words)):
        return tell(request, found[0], entry_text(found[0]))
    if table.below(words):
        below = [entry for _, entry in table.below(words)]
        return tell(request, {"commands": below}, group_text(table, words))
    raise table.unknown(words)
