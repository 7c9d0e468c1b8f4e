"""Every system type that ships, provisioned in one home: validated, started, and in the profile's own order."""

import os
from pathlib import Path
from typing import Any

from tests.stages.installation import Installation
from tests.waiting import until

SIX = (
    *("business", "marketing", "operations"),
    *("personal-assistant", "research", "software-delivery"),
)
DEMO = ("orchestrator", "enhancer")


def order(agents: list[dict[str, Any]]) -> dict[str, tuple[str, str | None]]:
    """Return who everybody is and to whom it reports."""
    return {one["name"]: (one["class"], one["reports_to"]) for one in agents}


async def test_all_of_them_one_after_the_other(tmp_path: Path) -> None:
    installation = Installation(tmp_path / "home")
    installation.write_roster(
        {
            "version": 1,
            "tmux": {"socket_name": f"types-{os.getpid()}"},
            "agents": [{"name": one, "class": one, "runtime": "dogfood"} for one in DEMO],
        }
    )
    demo = (installation.home / "fleet" / "roster.yaml").read_text()
    await installation.up()
    try:
        listed = {
            one["id"]: one
            for one in (await installation.mosaic("fleet", "profiles", "--json")).data
        }
        assert tuple(listed) == SIX
        for profile in listed.values():
            await provisioned(installation, profile)
            (installation.home / "fleet" / "roster.yaml").write_text(demo)
        assert installation.bugs() == []
    finally:
        await installation.close()


async def provisioned(installation: Installation, profile: dict[str, Any]) -> None:
    words = ("fleet", "provision", profile["id"], "--runtime", "dogfood", "--json")
    planned = (await installation.mosaic(*words, "--dry-run")).data
    done = await installation.mosaic(*words)
    assert done.status == 0, done.err
    assert done.data == planned
    wanted = order(profile["agents"])
    # The demo's two go on; where the profile has their classes they are its own.
    await runs(installation, wanted.keys() | set(DEMO))
    chart = order((await installation.mosaic("fleet", "chart", "--json")).data)
    assert {name: chart[name] for name in wanted} == wanted
    for name in chart.keys() - wanted.keys():
        assert chart[name] == (name, None), "who is not in the profile is left as it was"
    prompt = (await installation.mosaic("fleet", "prompt", profile["lead"], "--json")).data
    assert [piece["about"] for piece in prompt["pieces"]] == ["role", "mission", "comms"]
    assert profile["purpose"] in prompt["pieces"][1]["text"]


async def runs(installation: Installation, names: set[str]) -> None:
    """Wait until these agents and no others run and take messages."""

    async def all_there() -> bool:
        found = (await installation.mosaic("fleet", "ps", "--json")).data
        return {one["name"] for one in found if one["readiness"] == "available"} == names and len(
            found
        ) == len(names)

    await until(all_there, 60, f"{', '.join(sorted(names))} to run", every=0.2)
