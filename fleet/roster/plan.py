"""What a changed roster means for the agents that run: pure, so that it can be shown before and tested whole."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fleet.roster.document import Agent, Roster

_MATTERS = (
    *("agent_class", "runtime", "model_hint", "socket", "yolo", "pretrust", "command", "args"),
    *("env", "env_from", "context_tokens"),
)
"""Fields that a running program cannot take up: whoever differs in one is started anew."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Names of one host's agents by what happens to them; ``restart`` says which fields are the reason."""

    start: tuple[str, ...] = ()
    stop: tuple[str, ...] = ()
    restart: Mapping[str, tuple[str, ...]] | None = None
    unchanged: tuple[str, ...] = ()

    @property
    def ends(self) -> Sequence[str]:
        """Whose session ends: those that go, and those that are started anew."""
        return (*self.stop, *(self.restart or {}))

    def sentence(self) -> str:
        """Return the plan in one line."""
        anew = [f"{name} ({', '.join(why)})" for name, why in (self.restart or {}).items()]
        parts = (("start", self.start), ("restart", anew), ("stop", self.stop))
        said = [f"{verb} {', '.join(names)}" for verb, names in parts if names]
        return "; ".join([*said, f"unchanged {len(self.unchanged)}"])


def make_plan(before: Roster, after: Roster, host: str) -> Plan:
    """Return what becomes of a host's agents when one roster takes another's place."""
    old = {agent.name: agent for agent in before.agents_on(host)}
    new = {agent.name: agent for agent in after.agents_on(host)}
    moved = before.tmux != after.tmux
    restart: dict[str, tuple[str, ...]] = {}
    for name in old.keys() & new.keys():
        why = _differences(before, old[name], after, new[name])
        if why or moved:
            restart[name] = (*why, *(("tmux",) if moved else ()))
    return Plan(
        start=tuple(name for name in new if name not in old),
        stop=tuple(name for name in old if name not in new),
        restart={name: restart[name] for name in new if name in restart},
        unchanged=tuple(name for name in new if name in old and name not in restart),
    )


def _differences(before: Roster, old: Agent, after: Roster, new: Agent) -> tuple[str, ...]:
    changed = [name for name in _MATTERS if getattr(old, name) != getattr(new, name)]
    places = (
        old.working_directory or before.defaults.working_directory,
        new.working_directory or after.defaults.working_directory,
    )
    if places[0] != places[1]:
        changed.append("working_directory")
    return tuple("class" if name == "agent_class" else name for name in changed)
