"""System types: which there are, what this fleet would be as one, and making it so."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated, Any

from pydantic import Field

from bot.agents.provisioning import Chair, Provision, Provisioning, SystemType, Wishes
from bot.agents.units import Units
from bot.command.declare import (
    EVERYONE,
    OPERATORS,
    Call,
    Effect,
    Help,
    Names,
    Subject,
    command,
    topic,
)
from bot.command.words import quoted
from bot.model import Via
from bot.reply import Block, Code, Fields, Offer, Reply, Table, Text, standing_offer
from commands.chart_drawing import chart_mermaid, chart_tree

Profile = Annotated[
    str,
    Field(min_length=1, max_length=64),
    Names(Subject.PROFILE),
    Help("a system type; `fleet profiles` lists them"),
]
Runtime = Annotated[
    str | None,
    Field(min_length=1, max_length=32),
    Help(
        "one program for all new agents; else what [models] says, else the first that is installed"
    ),
]
Directory = Annotated[
    str | None,
    Field(min_length=1, max_length=1000),
    Help("where the new agents work; ~ is your home"),
]
DryRun = Annotated[bool, Help("show what it would do, and do nothing")]


class ChartForm(StrEnum):
    """How an org chart is drawn."""

    MERMAID = "mermaid"
    TREE = "tree"


Form = Annotated[ChartForm | None, Help("how it is drawn; in a room mermaid, else as a tree")]


def _look(profile: str) -> Offer:
    """Return the offer to see what a system type would change here; nothing is changed by it."""
    return standing_offer(f"fleet provision {quoted(profile)} --dry-run", f"plan {profile}")


@topic("fleet")
class ProfileCommands:
    """Profiles and provisioning (spec 3-contracts, Fleet and agents). The fleet follows the roster that is written."""

    def __init__(self, provisioning: Provisioning, units: Units) -> None:
        self._provisioning = provisioning
        self._units = units

    @command("profiles", roles=EVERYONE)
    async def profiles(self, call: Call, profile: Profile | None = None) -> Reply:
        """List the system types that a fleet can be, or show one with its org chart."""
        if profile is not None:
            shown = self._provisioning.type(profile)
            return Reply(_type_data(shown), _type_blocks(shown, _form(None, call)))
        found = self._provisioning.types()
        rows = tuple(
            (one.id, one.title, one.lead, ", ".join(one.floor), str(len(one.chart)), one.source)
            for one in found
        )
        table = Table(("id", "title", "lead", "floor", "agents", "from"), rows)
        refused = [Text(f"Not used: {said}") for said in self._provisioning.refusals()]
        looks = tuple(_look(one.id) for one in found)
        return Reply([_type_data(one) for one in found], (table, *refused), looks)

    @command("chart", roles=EVERYONE)
    async def chart(self, call: Call, *, format: Form = None) -> Reply:
        """Draw the fleet's org chart: who reports to whom."""
        chairs = self._provisioning.chart()
        return Reply([_chair_data(one) for one in chairs], (_drawn(chairs, _form(format, call)),))

    async def preview(self, call: Call, *, dry_run: bool, **wishes: Any) -> Reply | None:
        """Return what ``provision`` is about to do, None when it is to do nothing anyhow."""
        return None if dry_run else _preview(self._plan(**wishes), call, wishes["format"])

    @command(
        "provision",
        roles=OPERATORS,
        effect=Effect.WRITE,
        confirm="This adds the agents to the roster and starts them.",
        preview="preview",
    )
    async def provision(
        self,
        call: Call,
        profile: Profile,
        *,
        runtime: Runtime = None,
        working_directory: Directory = None,
        dry_run: DryRun = False,
        format: Form = None,
    ) -> Reply:
        """Make the fleet a system type: add the agents that are missing, and keep those that are there."""
        if dry_run:
            plan = self._plan(profile, runtime, working_directory)
            return _preview(plan, call, format)
        wishes = Wishes(runtime, working_directory)
        done = await self._provisioning.provision(profile, wishes)
        for name in done.starts:
            await self._units.enable(name)
        names = ", ".join(str(agent["name"]) for agent in done.added) or "nobody new"
        said = f"In the roster now: {names}. The fleet follows."
        return Reply(
            _provision_data(done),
            (_drawn(done.chart, _form(format, call)), *_conflicts(done), Text(said)),
        )

    def _plan(
        self,
        profile: str,
        runtime: str | None,
        working_directory: str | None,
        format: ChartForm | None = None,
    ) -> Provision:
        return self._provisioning.plan(profile, Wishes(runtime, working_directory))


def preview_blocks(plan: Provision, form: ChartForm) -> tuple[Block, ...]:
    """Return a plan as people read it: the chart, whom it keeps and adds, where it gives way, the whole roster."""
    added = ", ".join(str(agent["name"]) for agent in plan.added) or "nobody"
    pairs = [
        ("keeps", ", ".join(plan.kept) or "nobody"),
        ("adds", added),
        ("starts", ", ".join(plan.starts) or "nobody here"),
        ("models", ", ".join(f"{tier}: {said}" for tier, said in plan.models.items())),
    ]
    if plan.system_type.budget:
        pairs.append(("budget", _budget(plan.system_type)))
    return (
        Text(f"{plan.system_type.title}: {plan.system_type.purpose}"),
        _drawn(plan.chart, form),
        Fields(tuple(pairs)),
        *_conflicts(plan),
        Text("The roster would be:"),
        Code(plan.roster, "yaml"),
    )


def _preview(plan: Provision, call: Call, form: ChartForm | None) -> Reply:
    return Reply(_provision_data(plan), preview_blocks(plan, _form(form, call)))


def _form(asked: ChartForm | None, call: Call) -> ChartForm:
    return asked or (ChartForm.MERMAID if call.caller.via is Via.CHAT else ChartForm.TREE)


def _drawn(chairs: Sequence[Chair], form: ChartForm) -> Code:
    if form is ChartForm.MERMAID:
        return Code(chart_mermaid(chairs), "mermaid")
    return Code(chart_tree(chairs))


def _conflicts(plan: Provision) -> tuple[Text, ...]:
    said: list[str] = []
    if plan.conflicts:
        lines = "\n".join(f"• {one}" for one in plan.conflicts)
        said.append(f"Where the roster says otherwise than the profile, the roster stays:\n{lines}")
    if plan.system_type.refused is not None:
        said.append(f"Not used: {plan.system_type.refused}")
    return tuple(map(Text, said))


def _type_blocks(shown: SystemType, form: ChartForm) -> tuple[Block, ...]:
    pairs = (
        ("lead", shown.lead),
        ("floor", ", ".join(shown.floor)),
        ("budget", _budget(shown) or "none"),
        ("from", shown.source),
    )
    refused = () if shown.refused is None else (Text(f"Not used: {shown.refused}"),)
    head = Text(f"{shown.title}: {shown.purpose}")
    return (head, _drawn(shown.chart, form), Fields(pairs), *refused)


def _budget(shown: SystemType) -> str:
    return ", ".join(f"{value:,} {key.replace('_', ' ')}" for key, value in shown.budget.items())


def _type_data(shown: SystemType) -> dict[str, Any]:
    return {
        "id": shown.id,
        "lead": shown.lead,
        "floor": list(shown.floor),
        "agents": [_chair_data(one) for one in shown.chart],
        "title": shown.title,
        "purpose": shown.purpose,
        "budget": dict(shown.budget),
        "source": shown.source,
        "refused": shown.refused,
    }


def _chair_data(chair: Chair) -> dict[str, Any]:
    said = {"name": chair.name, "class": chair.agent_class, "reports_to": chair.reports_to}
    more = {
        "runtime": chair.runtime,
        "model_hint": chair.model_hint,
        "model_tier": chair.model_tier,
        "note": chair.note or None,
    }
    return said | {key: value for key, value in more.items() if value is not None}


def _provision_data(plan: Provision) -> dict[str, Any]:
    return {
        "profile": plan.system_type.id,
        "chart": [_chair_data(one) for one in plan.chart],
        "added": [dict(one) for one in plan.added],
        "kept": list(plan.kept),
        "conflicts": list(plan.conflicts),
        "starts": list(plan.starts),
        "models": dict(plan.models),
        "roster": plan.roster,
        "source": plan.system_type.source,
        "refused": plan.system_type.refused,
    }
