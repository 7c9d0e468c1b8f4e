"""The roster's text, changed as a person would change it: comments, order and style stay (ruamel.yaml)."""

import io
from collections.abc import Mapping
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import YAMLError

from bot.errors import UserError
from fleet.roster import Roster

_WIDTH = 4096
_NEEDED = {"orchestrator": "the sole orchestrator", "enhancer": "the last enhancer"}


def add_agent(text: str, agent: Mapping[str, Any]) -> str:
    """Return the text with one more agent at the end, in one line when those before it stand so."""
    document, agents = _read(text)
    entry = CommentedMap(agent)
    before = agents[-1] if agents else None
    if not isinstance(before, CommentedMap) or before.fa.flow_style():
        entry.fa.set_flow_style()
    agents.append(entry)
    return _write(document)


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


def remove_agent(text: str, name: str) -> str:
    """Return the text without one agent."""
    document, agents = _read(text)
    del agents[_place(agents, name)]
    return _write(document)


def protect(before: Roster, after: Roster) -> None:
    """Refuse a change that leaves the fleet without an orchestrator or an enhancer that it had (UserError)."""
    for needed, called in _NEEDED.items():
        had = [agent.name for agent in before.agents if agent.agent_class == needed]
        if had and not any(agent.agent_class == needed for agent in after.agents):
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
    if not agents:
        agents.fa.set_block_style()
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
