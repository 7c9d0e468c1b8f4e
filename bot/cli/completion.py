"""Completion for bash, zsh and fish: small scripts that ask `mosaic __complete SHELL WORD…` at every tab."""

from collections.abc import Iterator, Sequence

from bot.cli.table import GLOBAL_FLAGS, OWN, Entry, Table, own_command

Candidate = tuple[str, str]
"""A word that may stand here, and what it means."""

_BASH = """\
# mosaic's completion for bash: put this in ~/.bashrc:  source <(mosaic completion bash)
_mosaic() {
    local IFS=$'\\n'
    COMPREPLY=($("${COMP_WORDS[0]}" __complete bash "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
}
complete -o default -F _mosaic mosaic
"""

_ZSH = """\
#compdef mosaic
# mosaic's completion for zsh: put this in ~/.zshrc after compinit:  source <(mosaic completion zsh)
_mosaic() {
    local -a found
    found=("${(@f)$("${words[1]}" __complete zsh "${(@)words[2,CURRENT]}" 2>/dev/null)}")
    if [[ -n "${found[1]}" ]]; then _describe -V mosaic found; else _files; fi
}
if [[ "${funcstack[1]}" == _mosaic ]]; then _mosaic "$@"; else compdef _mosaic mosaic; fi
"""

_FISH = """\
# mosaic's completion for fish: put this in ~/.config/fish/config.fish:  mosaic completion fish | source
function __mosaic_complete
    set -l before (commandline -opc)
    set -l current (commandline -ct)
    $before[1] __complete fish $before[2..-1] "$current" 2>/dev/null
end
complete -c mosaic -a '(__mosaic_complete)'
"""

SCRIPTS = {"bash": _BASH, "zsh": _ZSH, "fish": _FISH}


def answer(shell: str, words: Sequence[str], table: Table) -> str:
    """Return the candidates for the last of the words, in the form that the shell's script reads."""
    lines = []
    for word, meaning in candidates(words or [""], table):
        if shell == "zsh":
            lines.append(f"{word.replace(':', chr(92) + ':')}:{meaning}")
        elif shell == "fish":
            lines.append(f"{word}\t{meaning}")
        else:
            lines.append(word)
    return "\n".join(lines)


def candidates(words: Sequence[str], table: Table) -> list[Candidate]:
    """Return what may stand in the place of the last word, which may be begun; nothing means a file."""
    *before, current = words
    if before and before[-1] == "--home":
        return []
    said = [word.lower() for word in _without_global_flags(before)]
    if said[:1] == ["help"]:
        return _starting(_names(said[1:], table), current)
    return _starting(_possible(said, current, before, table), current)


def _possible(
    said: list[str], current: str, before: Sequence[str], table: Table
) -> Iterator[Candidate]:
    found = table.find(said)
    if found is not None and said and (choices := _value_choices(found[0], said[-1])) is not None:
        yield from ((choice, "") for choice in choices)
        return
    own = own_command(*said[:2])
    if current.startswith("-"):
        flags = own.flags if own else _flags(found[0]) if found else ()
        yield from (flag for flag in (*flags, *GLOBAL_FLAGS) if flag[0] not in before)
    elif own is not None:
        yield from ((choice, "") for choice in own.choices if len(said) == 1)
    else:
        yield from _names(said, table)
        if found is not None:
            yield from ((choice, "") for choice in _place_choices(found[0], said[found[1] :]))


def _names(said: Sequence[str], table: Table) -> Iterator[Candidate]:
    """Yield the next words of the commands that begin with what was said."""
    seen: set[str] = set()
    for own in OWN:
        rest = own.name.split()
        if rest[: len(said)] == list(said) and len(rest) > len(said):
            seen.add(rest[len(said)])
            yield rest[len(said)], own.summary if len(rest) == len(said) + 1 else "…"
    for name, entry in table.below(said):
        rest = name.split()[len(said) :]
        if rest[0] not in seen:
            seen.add(rest[0])
            yield rest[0], entry["summary"] if len(rest) == 1 else "…"


def _value_choices(entry: Entry, last: str) -> list[str] | None:
    """Return the choices of the flag that waits for its value, None when none waits."""
    for parameter in entry["parameters"]:
        if parameter["kind"] == "flag" and parameter["written"] == last:
            return list(parameter["choices"])
    return None


def _flags(entry: Entry) -> tuple[Candidate, ...]:
    return tuple(
        (parameter["written"], parameter["help"])
        for parameter in entry["parameters"]
        if parameter["kind"] in {"flag", "switch"}
    )


def _place_choices(entry: Entry, given: Sequence[str]) -> list[str]:
    """Return the choices of the next word, which is the one after those that are no flags or their values."""
    taking = {p["written"] for p in entry["parameters"] if p["kind"] == "flag"}
    filled = sum(
        1
        for index, word in enumerate(given)
        if not word.startswith("--") and (index == 0 or given[index - 1] not in taking)
    )
    places = [p for p in entry["parameters"] if p["kind"] in {"word", "rest"}]
    return list(places[filled]["choices"]) if filled < len(places) else []


def _without_global_flags(words: Sequence[str]) -> list[str]:
    flags = {flag for flag, _ in GLOBAL_FLAGS}
    kept: list[str] = []
    skip = False
    for word in words:
        if skip or word in flags:
            skip = word == "--home" and not skip
        else:
            kept.append(word)
    return kept


def _starting(found: Iterator[Candidate], begun: str) -> list[Candidate]:
    return [candidate for candidate in found if candidate[0].startswith(begun)]
