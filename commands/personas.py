"""The library of personas: what classes there are, and what is a person's own of it."""

from collections.abc import Iterator, Sequence
from typing import Annotated, Any

from pydantic import Field

from bot.agents.personas import Collision, Comparison, Description, Footing, Personas
from bot.command.declare import (
    EVERYONE,
    MEMBERS,
    OPERATORS,
    Call,
    Effect,
    Help,
    Names,
    Subject,
    command,
    topic,
)
from bot.reply import Block, Code, Fields, Markdown, Reply, Table, Text

_WORD = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"
_PERSONA = Names(Subject.PERSONA)
Class = Annotated[str, Field(pattern=_WORD), _PERSONA, Help("a class, such as code")]
OneOrEvery = Annotated[
    str | None, Field(pattern=_WORD), _PERSONA, Help("a class; all when left out")
]
NewClass = Annotated[str | None, Field(pattern=_WORD), Help("the name of a class of your own")]
_SAID = {
    Footing.SHIPPED: "There is no file of yours for {name}: the shipped one is used.",
    Footing.OWN: "{name} is a class of your own: none ships.",
    Footing.SAME: "Nothing changed in the shipped contract since yours was written.",
    Footing.CHANGED: "The shipped contract changed since yours was written. Yours is used as it is.",
    Footing.REFUSED: "Your file cannot be used: the shipped one is.",
}


@topic("fleet")
class PersonaCommands:
    """The library's commands (spec 3-contracts, Fleet and agents)."""

    def __init__(self, personas: Personas) -> None:
        self._personas = personas

    @command("personas", roles=EVERYONE)
    async def personas(self, call: Call, name: OneOrEvery = None) -> Reply:
        """List the classes by domain, or show one with all that its agents are told."""
        if name is not None:
            found = self._personas.describe(name)
            blocks = (Fields(_facts(found)), Markdown(found.contract))
            return Reply({**_data(found), "contract": found.contract}, blocks)
        found_all = self._personas.classes()
        refused = tuple(Text(f"Not used: {line}") for line in self._personas.refusals())
        return Reply([_data(one) for one in found_all], (_table(found_all), *refused))

    @command("personas diff", roles=MEMBERS)
    async def diff(self, call: Call, name: Class) -> Reply:
        """Show what a changed shipped contract would bring to your own file, which is used as it is."""
        found = self._personas.compare(name)
        return Reply(_compared(found), tuple(_comparison(found)))

    @command("personas copy", roles=OPERATORS, effect=Effect.WRITE)
    async def copy(self, call: Call, name: Class, *, as_: NewClass = None) -> Reply:
        """Begin a file of your own with a shipped contract: for that class, or as a class of another name."""
        path = self._personas.copy(name, as_ or name)
        said = Text(f"{path} is yours to change; it is used from an agent's next start on.")
        return Reply({"class": as_ or name, "path": str(path)}, (said,))

    @command("personas ack", roles=OPERATORS, effect=Effect.WRITE)
    async def ack(self, call: Call, name: Class) -> Reply:
        """Say that your own file has what it should of the shipped one: diff begins anew from here."""
        self._personas.acknowledge(name)
        return Reply({"class": name}, (Text(f"What ships now of {name} is known to your file."),))


def _data(found: Description) -> dict[str, Any]:
    return {
        "name": found.agent_class,
        "domain": found.domain,
        "class": found.agent_class,
        "source": found.source,
        "persistent_persona": found.persistent_persona,
        "takes_cards": found.takes_cards,
        "model_tier": found.model_tier,
        "tools": list(found.tools),
        "baseline": str(found.footing),
        "refused": found.refused,
    }


def _facts(found: Description) -> tuple[tuple[str, str], ...]:
    facts = {key: value for key, value in _data(found).items() if key != "name"}
    return tuple((key, _shown(value)) for key, value in facts.items() if value is not None)


def _shown(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(value)
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


def _table(found: Sequence[Description]) -> Table:
    columns = ("domain", "class", "takes cards", "tier", "yours")
    return Table(columns, tuple(_row(one) for one in found))


def _row(one: Description) -> tuple[str, ...]:
    yours = "" if one.footing is Footing.SHIPPED else f"{one.footing}: {one.source}"
    return one.domain, one.agent_class, _shown(one.takes_cards), one.model_tier, yours


def _compared(found: Comparison) -> dict[str, Any]:
    return {
        "name": found.agent_class,
        "class": found.agent_class,
        "path": str(found.path),
        "baseline": str(found.footing),
        "known": found.known,
        "brings": found.brings,
        "since": found.since,
        "own": found.own,
        "collisions": [
            {"line": one.line, "yours": one.theirs, "ours": one.ours} for one in found.collisions
        ],
    }


def _comparison(found: Comparison) -> Iterator[Block]:
    yield Text(_SAID[found.footing].format(name=found.agent_class))
    if not found.known:
        yield Text("Nobody knows which contract it was written against; the one of today is taken.")
    if found.footing is Footing.CHANGED:
        yield from _brought(found)
    if found.own:
        yield Text("What is yours:")
        yield Code(found.own, "diff")


def _brought(found: Comparison) -> Iterator[Block]:
    if found.brings:
        yield Text("It would bring to your file:")
        yield Code(found.brings, "diff")
    for one in found.collisions:
        yield Text(f"{found.path}:{one.line}: you and we changed the same lines:")
        yield Code(_side_by_side(one), "diff")
    if not found.brings and not found.collisions:
        yield Text("Your file has all of it already.")
    yield Text(f"When you have taken what you want: fleet personas ack {found.agent_class}")


def _side_by_side(one: Collision) -> str:
    theirs = [f"-{line}" for line in one.theirs.splitlines()]
    ours = [f"+{line}" for line in one.ours.splitlines()]
    return "\n".join((*theirs, *ours))
