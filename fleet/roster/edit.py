"""The roster's text, changed as a person would change it: comments, order and style stay (ruamel.yaml)."""

import io
from collections.abc import Mapping, Sequence
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import YAMLError

from bot.errors import UserError
from fleet.roster.document import ORCHESTRATOR, Roster

_WIDTH = 4096


def add_agent(text: str, agent: Mapping[str, Any]) -> str:
    """Return the text with one more agent at the end, in one line when those before it stand so."""
    document, agents = _read(text)
    _append(agents, agent)
    return _write(document)


def _append(agents: CommentedSeq, agent: Mapping[str, Any]) -> None:
    entry = CommentedMap({key: _in_one_line(value) for key, value in agent.items()})
    if not agents:
        agents.fa.set_block_style()  # an empty one stays as it is written: it has no other form
    before = agents[-1] if agents else None
    if not isinstance(before, CommentedMap) or before.fa.flow_style():
        entry.fa.set_flow_style()
    agents.append(entry)


def extend(
    text: str,
    added: Sequence[Mapping[str, Any]],
    superiors: Mapping[str, str],
    head: Mapping[str, Any],
) -> str:
    """Return the text with more agents, with superiors for some that are there, and with keys of the whole fleet.

    New keys stand above the agents and the comment that belongs to them; a text that needs nothing is the same.
    """
    if head:
        text = _with_keys(text, head)
    if not added and not superiors:
        return text
    document, agents = _read(text)
    for name, superior in superiors.items():
        agents[_place(agents, name)]["reports_to"] = superior
    for agent in added:
        _append(agents, agent)
    return _write(document)


def _with_keys(text: str, head: Mapping[str, Any]) -> str:
    document, _ = _read(text)
    keys = CommentedMap({key: _in_one_line(value) for key, value in head.items()})
    if document.fa.flow_style() or document.keys() & head.keys() or not _stands_alone(document):
        document.update(keys)
        return _write(document)
    lines = text.splitlines(keepends=True)
    line = document.lc.key("agents")[0]
    while line > 0 and lines[line - 1].startswith("#"):
        line -= 1
    return "".join((*lines[:line], _write(keys), *lines[line:]))


def _stands_alone(document: CommentedMap) -> bool:
    """Return whether the text itself has the key of the agents, at the beginning of a line."""
    return "agents" in document.lc.data and document.lc.key("agents")[1] == 0


def _in_one_line(value: Any) -> Any:
    if not isinstance(value, Mapping | list):
        return value
    written = CommentedMap(value) if isinstance(value, Mapping) else CommentedSeq(value)
    written.fa.set_flow_style()
    return written


def edit_agent(text: str, name: str, changes: Mapping[str, Any]) -> str:
    """Return the text with keys of one agent set, or taken away where the value is None."""
    document, agents = _read(text)
    entry = agents[_place(agents, name)]
    for key, value in changes.items():
        if value is None:
            entry.pop(key, None)
        else:
            entry[key] = value
    return _write(document)


def set_connector(text: str, kind: str, keys: Mapping[str, str]) -> str:
    """Return the text with a connector and its keys: the one of that kind, else a further one.

    It becomes the primary one where the roster names none but the console.
    """
    document, _ = _read(text)
    primary, further = document.get("connector"), document.get("connectors") or []
    for block in (primary, *further):
        if isinstance(block, CommentedMap) and block.get("kind") == kind:
            block.setdefault(kind, CommentedMap()).update(keys)
            return _write(document)
    block = {"kind": kind, kind: _in_one_line(dict(keys))}
    if primary is None or primary.get("kind") == "tmux":
        return _with_keys(text, {"connector": block})
    return _with_keys(text, {"connectors": [*further, _in_one_line(block)]})


def remove_agent(text: str, name: str) -> str:
    """Return the text without one agent; who reported to it reports to whom it reported.

    UserError for the agent that leads.
    """
    document, agents = _read(text)
    entry = agents.pop(_place(agents, name))
    if document.get("lead") == name:
        raise UserError(
            f"name: {name} leads the fleet and stays",
            code="needed_agent",
            hint="name another agent as lead in the roster first",
        )
    _hand_over(agents, name, entry.get("reports_to"))
    return _write(document)


def _hand_over(agents: CommentedSeq, name: str, superior: str | None) -> None:
    for entry in agents:
        if entry.get("reports_to") != name:
            continue
        if superior is None:
            del entry["reports_to"]
        else:
            entry["reports_to"] = superior


def protect(before: Roster, after: Roster) -> None:
    """Refuse a change that leaves the fleet without one of its floor's classes that it had (UserError)."""
    for needed in before.floor:
        had = [agent.name for agent in before.agents if agent.agent_class == needed]
        if had and not any(agent.agent_class == needed for agent in after.agents):
            called = f"the {'sole' if needed == ORCHESTRATOR else 'last'} {needed}"
            raise UserError(
                f"name: {had[0]} is {called} and stays; add another of class {needed} first",
                code="needed_agent",
            )


def _yaml() -> YAML:
    yaml = YAML(typ="rt")
    yaml.preserve_quotes = True
    yaml.width = _WIDTH
    yaml.indent(mapping=2, sequence=4, offset=2)
    return yaml


def _read(text: str) -> tuple[CommentedMap, CommentedSeq]:
    try:
        document = _yaml().load(text)
    except YAMLError as error:
        raise UserError(f"the roster is not YAML: {error}", code="wrong_file") from error
    if not isinstance(document, CommentedMap):
        raise UserError("the roster is no mapping; it begins with version: 1", code="wrong_file")
    agents = document.get("agents")
    if agents is None:
        agents = document["agents"] = CommentedSeq()
    if not isinstance(agents, CommentedSeq):
        raise UserError("agents: must be a list", code="wrong_file")
    return document, agents


def _place(agents: CommentedSeq, name: str) -> int:
    names = [str(entry.get("name")) for entry in agents if isinstance(entry, CommentedMap)]
    if name not in names:
        known = ", ".join(names) or "nobody"
        raise UserError(
            f"name: no agent is named {name}; the roster has: {known}", code="unknown_agent"
        )
    return names.index(name)


def _write(document: CommentedMap) -> str:
    out = io.StringIO()
    _yaml().dump(document, out)
    return out.getvalue()
