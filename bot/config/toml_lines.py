"""On which line of a TOML text a key stands: tomllib keeps no positions."""

import re

_HEADER = re.compile(r"^\s*\[{1,2}\s*([^\[\]]+?)\s*\]{1,2}\s*(?:#.*)?$")
_KEY = re.compile(r"^\s*((?:[A-Za-z0-9_-]+|\"[^\"]*\"|'[^']*')(?:\s*\.\s*[A-Za-z0-9_-]+)*)\s*=")


def line_of(text: str, keys: tuple[str, ...]) -> int:
    """Return the line, counted from 1, where the key is set, else where its nearest table begins.

    A best guess for people to look at: a line inside a multi-line string may be taken for a key.
    """
    best_depth, best_line = 0, 1
    table: tuple[str, ...] = ()
    for number, line in enumerate(text.splitlines(), start=1):
        if header := _HEADER.match(line):
            table = found = _steps(header[1])
        elif key := _KEY.match(line):
            found = table + _steps(key[1])
        else:
            continue
        depth = len(found)
        if found == keys[:depth] and depth > best_depth:
            best_depth, best_line = depth, number
    return best_line


def _steps(dotted: str) -> tuple[str, ...]:
    return tuple(step.strip().strip("\"'") for step in dotted.split("."))
