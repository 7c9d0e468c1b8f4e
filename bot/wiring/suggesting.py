"""What can be suggested while people write: this installation's cards, agents, personas and system types."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from bot.agents.personas import Personas
from bot.agents.provisioning import Provisioning
from bot.backlog.ports import Backlog, CardShelf, Inquiry
from bot.backlog.suggested_cards import SuggestedCards
from bot.command.declare import Subject
from bot.command.interpreter import Interpreter
from bot.command.lobby import MOST, Lobby, Source, Suggestion
from bot.policy import Policy
from bot.wiring.topics import FleetPorts
from storage.database import Database
from storage.mail.offers import PostgresOffers


def make_lobby(
    interpreter: Interpreter,
    policy: Callable[[], Policy],
    database: Database,
    backlog: Backlog,
    fleet: FleetPorts,
) -> Lobby:
    """Return what faces with choices ask of this daemon."""
    known = sources(
        backlog.shelf, backlog.inquiry, fleet.fleet.roster, fleet.personas, fleet.provisioning
    )
    return Lobby(lambda: interpreter.catalog, policy, PostgresOffers(database), known)


def sources(
    shelf: CardShelf,
    inquiry: Inquiry,
    roster: Callable[[], Sequence[Mapping[str, Any]]],
    personas: Personas,
    provisioning: Provisioning,
) -> Mapping[Subject, Source]:
    """Return who knows what there is of each subject."""

    async def agents(_command: str, begun: str) -> Sequence[Suggestion]:
        known = ((str(one["name"]), str(one["class"])) for one in roster())
        return _named(known, begun)

    async def classes(_command: str, begun: str) -> Sequence[Suggestion]:
        return _named(((one.agent_class, one.domain) for one in personas.classes()), begun)

    async def profiles(_command: str, begun: str) -> Sequence[Suggestion]:
        return _named(((one.id, one.title) for one in provisioning.types()), begun)

    return {
        Subject.CARD: SuggestedCards(shelf, inquiry),
        Subject.AGENT: agents,
        Subject.PERSONA: classes,
        Subject.PROFILE: profiles,
    }


def _named(known: Iterable[tuple[str, str]], begun: str) -> Sequence[Suggestion]:
    """Return names that hold what was begun, those that begin with it first."""
    sought = begun.casefold()
    found = [one for one in known if sought in one[0].casefold()]
    found.sort(key=lambda one: not one[0].casefold().startswith(sought))
    return [Suggestion(name, f"{name} · {about}") for name, about in found[:MOST]]
