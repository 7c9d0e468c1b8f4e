"""The port Provisioning in memory."""

from collections.abc import Mapping, Sequence
from typing import Any

from bot.agents.provisioning import Chair, Provision, SystemType, Wishes
from bot.errors import UserError

PAIR = SystemType(
    id="pair",
    title="A pair",
    purpose="Two of them.",
    lead="orchestrator",
    floor=("orchestrator",),
    chart=(
        Chair("orchestrator", "orchestrator", None, model_tier="large"),
        Chair("enhancer", "enhancer", "orchestrator", model_tier="medium"),
    ),
    budget={"dollars_per_day": 3},
    source="memory",
)


class MemoryProvisioning:
    """Knows one system type; a roster is a dictionary of dictionaries."""

    def __init__(self, *agents: Mapping[str, Any]) -> None:
        self.agents = {str(agent["name"]): dict(agent) for agent in agents}
        self.refused: list[str] = []

    def types(self) -> Sequence[SystemType]:
        return [PAIR]

    def type(self, profile: str) -> SystemType:
        if profile != PAIR.id:
            raise UserError(f"profile: there is no {profile}; there are: pair", code="not_found")
        return PAIR

    def refusals(self) -> Sequence[str]:
        return self.refused

    def chart(self) -> Sequence[Chair]:
        return [_chair(agent) for agent in self.agents.values()]

    def plan(self, profile: str, wishes: Wishes) -> Provision:
        wanted = self.type(profile).chart
        classes = {agent["class"]: name for name, agent in self.agents.items()}
        added = [
            {
                "name": one.name,
                "class": one.agent_class,
                "runtime": wishes.runtime or "dogfood",
                "reports_to": one.reports_to,
            }
            for one in wanted
            if one.agent_class not in classes
        ]
        chart = [*self.chart(), *(_chair(agent, "new") for agent in added)]
        return Provision(
            system_type=PAIR,
            chart=tuple(chart),
            roster="\n".join(one.name for one in chart),
            added=tuple(added),
            kept=tuple(self.agents),
            conflicts=tuple(
                f"{name} is a {agent['runtime']} agent"
                for name, agent in self.agents.items()
                if agent["runtime"] != (wishes.runtime or "dogfood")
            ),
            starts=tuple(str(agent["name"]) for agent in added),
            models={"large": wishes.runtime or "dogfood"},
        )

    async def provision(self, profile: str, wishes: Wishes) -> Provision:
        plan = self.plan(profile, wishes)
        self.agents |= {str(agent["name"]): dict(agent) for agent in plan.added}
        return plan


def _chair(agent: Mapping[str, Any], note: str = "") -> Chair:
    return Chair(
        str(agent["name"]), agent["class"], agent.get("reports_to"), agent["runtime"], note=note
    )
