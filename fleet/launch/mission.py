"""The mission: what the fleet is for, and an agent's place in it."""

from collections.abc import Iterator

from bot.config.places import Places
from bot.errors import UserError
from fleet.profiles.library import find_profile
from fleet.roster.document import Agent, Roster


def mission(roster: Roster, agent: Agent, places: Places) -> tuple[str, str]:
    """Return where the mission comes from and its text; empty for an agent of whose place nothing is said.

    A profile that is not there any more, or not to be used, takes its purpose with it; the source says so.
    """
    profile_id = agent.profile or roster.profile
    source, purpose = ("roster", "") if profile_id is None else _purpose(profile_id, places)
    lines = [*_purpose_lines(purpose), *_place_lines(roster, agent)]
    return source, "\n".join(("## What you are here for", "", *lines)) if lines else ""


def _purpose(profile_id: str, places: Places) -> tuple[str, str]:
    try:
        found = find_profile(profile_id, places)
    except UserError as error:
        return f"roster ({error.message})", ""
    told = found.source if found.refused is None else f"{found.source} ({found.refused})"
    return f"{told}, roster", found.purpose


def _purpose_lines(purpose: str) -> Iterator[str]:
    if purpose:
        yield purpose
        yield ""


def _place_lines(roster: Roster, agent: Agent) -> Iterator[str]:
    below = roster.reports_of(agent.name)
    leads = roster.lead == agent.name
    if agent.reports_to is not None:
        superior = next(one for one in roster.agents if one.name == agent.reports_to)
        yield f"* You report to {_called(superior)}: results, blockers, and what is not yours to decide go there."
    if leads:
        yield "* You lead this fleet: people talk to you, and you answer for what all of it does."
    if below:
        yield f"* To you report: {', '.join(map(_called, below))}. Hand them work, and ask them how it goes."
    elif agent.reports_to is not None:
        yield "* Nobody reports to you."


def _called(agent: Agent) -> str:
    return f"`{agent.name}` (class {agent.agent_class})"
