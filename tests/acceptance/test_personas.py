"""A person's own contracts in a running installation: they win, are compared, and a broken one stops nobody."""

import os
from pathlib import Path

from tests.stages.installation import Installation
from tests.waiting import until

AGENTS = [
    {"name": "lead", "class": "orchestrator", "runtime": "dogfood"},
    {"name": "better", "class": "enhancer", "runtime": "dogfood"},
    {"name": "archie", "class": "archivist", "runtime": "dogfood"},
]


def tree(directory: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(directory)): path.read_bytes()
        for path in sorted(directory.rglob("*"))
        if path.is_file()
    }


async def detail(installation: Installation) -> str:
    return str((await installation.status())["parts"]["fleet"]["detail"])


async def role_of(installation: Installation, name: str) -> tuple[str, str]:
    said = (await installation.mosaic("fleet", "prompt", name, "--json")).data
    (piece,) = [piece for piece in said["pieces"] if piece["about"] == "role"]
    return piece["source"], piece["text"]


async def test_own_contracts_win_are_compared_and_a_broken_one_is_named_everywhere(
    tmp_path: Path,
) -> None:
    installation = Installation(tmp_path / "home")
    installation.write_roster(
        {
            "version": 1,
            "tmux": {"socket_name": f"personas-{os.getpid()}"},
            "agents": AGENTS,
        }
    )
    own = installation.home / "fleet" / "roles.local"
    own.mkdir()
    (own / "orchestrator.md").write_text("---\nmodel_tier: huge\n---\n# Ours\n")
    (own / "archivist.md").write_text("---\ndomain: research\n---\n# Archivist\n\nKeep it.\n")
    refusal = f"{own}/orchestrator.md:2: model_tier: 'huge' is not allowed"
    await installation.up()
    try:
        # The broken one is named, and its agent runs with ours.
        async def named() -> bool:
            return refusal in await detail(installation)

        await until(named, what="the refusal in the status")

        async def runs() -> bool:
            rows = (await installation.mosaic("fleet", "ps", "--json")).data
            return {"lead": "lead"}.items() <= {row["name"]: row["session"] for row in rows}.items()

        await until(runs, what="the agent to run")
        source, text = await role_of(installation, "lead")
        assert source.startswith(f"fleet/roles/orchestrator.md ({refusal}")
        assert text.startswith("# Orchestrator\n")
        assert refusal in (await installation.mosaic("doctor")).out
        # A new file is a new class.
        assert await role_of(installation, "archie") == (
            str(own / "archivist.md"),
            "# Archivist\n\nKeep it.\n",
        )
        listed = (await installation.mosaic("fleet", "personas", "--json")).data
        assert len(listed) == 54
        assert {"name": "archivist", "domain": "research", "class": "archivist"}.items() <= {
            **next(row for row in listed if row["name"] == "archivist")
        }.items()
        # Mended while the daemon runs, it is used, and what it was written against is known.
        (own / "orchestrator.md").write_text("# Ours\n")

        async def mended() -> bool:
            return refusal not in await detail(installation)

        await until(mended, what="the mended contract to be seen")
        assert (await role_of(installation, "lead"))[1] == "# Ours\n"
        kept = own / ".baseline" / "orchestrator.md"
        assert kept.read_text().startswith("---\nclass: orchestrator\n")
        # As an older release left it: after the update nothing of the person's has changed.
        kept.write_text(kept.read_text().replace("# Orchestrator\n", "# Conductor\n"))
        before = tree(own)
        assert (await installation.mosaic("restart", limit=120)).status == 0
        compared = await installation.mosaic("fleet", "personas", "diff", "orchestrator", "--json")
        assert compared.data["baseline"] == "changed"
        assert "-# Conductor\n+# Orchestrator\n" in compared.data["since"]
        assert tree(own) == before
        assert (await installation.mosaic("fleet", "personas", "ack", "orchestrator")).status == 0
        again = await installation.mosaic("fleet", "personas", "diff", "orchestrator", "--json")
        assert again.data["baseline"] == "same"
    finally:
        await installation.down()
