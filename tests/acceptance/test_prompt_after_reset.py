"""An agent that is begun anew between two cards is told again who it is, and what has changed since."""

import hashlib
import json
import os
from functools import partial
from pathlib import Path
from typing import Any

from tests.stages.installation import Installation
from tests.waiting import until


def told(installation: Installation) -> dict[str, str]:
    """Return what coder0 says of its newest life: its session, and the digest of what it was told."""
    path = installation.home / "fleet" / "run" / "coder0.told"
    found: dict[str, str] = json.loads(path.read_text()) if path.exists() else {"session_id": ""}
    return found


async def prompt(installation: Installation) -> str:
    """Return what coder0 is told at its next start, as people are shown it."""
    shown = (await installation.mosaic("fleet", "prompt", "coder0", "--json")).data
    assert [one["about"] for one in shown["pieces"]] == ["role", "mission", "comms", "overlay"]
    assert shown["tokens"] == sum(one["tokens"] for one in shown["pieces"])
    return "\n\n".join(one["text"].strip() for one in shown["pieces"]) + "\n"


def began_since(installation: Installation, session_id: str) -> bool:
    return told(installation)["session_id"] != session_id


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


async def test_contract_mission_comms_and_overlay_come_again_with_the_next_session(
    tmp_path: Path,
) -> None:
    installation = Installation(tmp_path / "home")
    installation.write_settings("[supervisor]\nquiet_seconds = 1\ntick_seconds = 5\n")
    coder: dict[str, Any] = {
        "name": "coder0",
        "class": "code",
        "runtime": "dogfood",
        "reports_to": "lead",
    }
    coder |= {"env": {"MOSAIC_DOGFOOD_WORK_SECONDS": "0.1"}, "reset_between_tasks": True}
    installation.write_roster(
        {
            "version": 1,
            "tmux": {"socket_name": f"anew-{os.getpid()}"},
            "profile": "software-delivery",
            "lead": "lead",
            "agents": [
                {"name": "lead", "class": "orchestrator", "runtime": "dogfood"},
                {"name": "better", "class": "enhancer", "runtime": "dogfood"},
                coder,
            ],
        }
    )
    overlay = installation.home / "fleet" / "roles.local" / "overlays" / "code.md"
    overlay.parent.mkdir(parents=True)
    overlay.write_text("Name every branch after its card.\n")
    await installation.up()
    try:
        first = await prompt(installation)
        for said in ("# Code", "You report to `lead`", "You are `coder0`", "after its card"):
            assert said in first
        await until(lambda: told(installation)["session_id"], 30, "coder0 to begin")
        assert told(installation)["prompt"] == digest(first)
        overlay.write_text("Name every branch after a bird.\n")
        second = await prompt(installation)
        assert second == first.replace("after its card", "after a bird")
        for card in ("A1", "A2"):
            before = told(installation)["session_id"]
            made = await installation.mosaic("backlog", "create", "--id", card, "--title", "Do it")
            assert made.status == 0, made.err
            await until(partial(began_since, installation, before), 30, "coder0 to begin anew")
            assert told(installation)["prompt"] == digest(second), "the whole of what holds now"
            shown = (await installation.mosaic("backlog", "show", card, "--json")).data
            assert shown["status"] == "done"
    finally:
        await installation.close()
