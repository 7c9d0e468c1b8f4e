"""An update changes what ships and nothing that is a person's: the tree is compared before and after."""

import os
import shutil
from pathlib import Path
from typing import Any

import fleet
from tests.stages.installation import Installation
from tests.waiting import until

PACKAGES = ("bot", "commands", "connectors", "fleet", "storage", "web")
SOURCE = Path(fleet.__file__).parents[1]
OWN = {
    "fleet/roles.local/code.md": "# Our coder\n",
    "fleet/roles.local/baker.md": "---\nclass: baker\ndomain: kitchen\n---\n# Baker\n",
    "fleet/roles.local/overlays/_everyone.md": "Speak Dutch.\n",
    "fleet/agents/review.local.md": "Be kind.\n",
    "fleet/profiles.local/personal-assistant.yaml": (
        "# one more\nbudget: {dollars_per_day: 30}\nroster:\n"
        "  - {class: personal-assistant}\n"
        "  - {class: baker, reports_to: personal-assistant, multiplicity: 2}\n"
        "  - {class: code, reports_to: personal-assistant}\n"
        "  - {class: review, reports_to: personal-assistant}\n"
    ),
    "fleet/profiles.local/bakery.yaml": (
        "title: Bakery\npurpose: Bakes.\nlead: baker\nroster: [{class: baker}]\n"
    ),
    "fleet/profiles.local/broken.yaml": "title: Broken\nlead: nobody\n",
}

KEPT = {
    *("mosaic.toml", "fleet/roster.yaml"),
    # What the person's own contracts were written against: `fleet personas diff` needs it after an update.
    *(f"fleet/roles.local/.baseline/{name}.md" for name in ("code", "baker")),
}


def package(directory: Path) -> Path:
    """Return a copy of everything that ships, as an installation of its own."""
    skip = shutil.ignore_patterns("__pycache__")
    for name in PACKAGES:
        shutil.copytree(SOURCE / name, directory / name, ignore=skip)
    return directory


def update(directory: Path) -> None:
    """Change what ships: a contract that is overridden, one that is not, and a profile that is."""
    for name in ("code", "review"):
        path = directory / "fleet" / "roles" / f"{name}.md"
        path.write_text(path.read_text() + "\nNew in this version.\n")
    path = directory / "fleet" / "profiles" / "personal-assistant.yaml"
    text = path.read_text().replace("This fleet takes errands", "NEW. This fleet takes errands")
    path.write_text(text.replace("budget: {dollars_per_day: 15", "budget: {dollars_per_day: 16"))


def tree(home: Path) -> dict[str, tuple[bytes, int]]:
    """Return every file of a person's below a home, with its content and when it was written."""
    files = [home / "mosaic.toml", home / "fleet" / "roster.yaml", *map(home.joinpath, OWN)]
    files += [*home.glob("fleet/*.local/**/*"), *home.glob("fleet/agents/*.local.*")]
    return {
        str(path.relative_to(home)): (path.read_bytes(), path.stat().st_mtime_ns)
        for path in files
        if path.is_file()
    }


async def prompt(installation: Installation, name: str) -> str:
    shown = (await installation.mosaic("fleet", "prompt", name, "--json")).data
    return "\n".join(one["text"] for one in shown["pieces"])


async def provision(installation: Installation) -> dict[str, Any]:
    """Provision, and wait until everybody of the chart runs."""
    words = ("fleet", "provision", "personal-assistant", "--runtime", "dogfood", "--json")
    done = await installation.mosaic(*words)
    assert done.status == 0, done.err
    data: dict[str, Any] = done.data
    wanted = {one["name"] for one in data["chart"]}

    async def all_run() -> bool:
        found = (await installation.mosaic("fleet", "ps", "--json")).data
        return {one["name"] for one in found if one["readiness"] == "available"} == wanted

    await until(all_run, 60, "everybody to run", every=0.2)
    return data


async def test_what_is_a_persons_own_wins_before_and_after_and_no_byte_of_it_changes(
    tmp_path: Path,
) -> None:
    shipped = package(tmp_path / "package")
    installation = Installation(tmp_path / "home", {"PYTHONPATH": str(shipped)}, package=shipped)
    for name, text in OWN.items():
        path = installation.home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    installation.write_settings("# ours\n[commands]\ntimeout_seconds = 20.0\n")
    installation.write_roster(
        {"version": 1, "tmux": {"socket_name": f"update-{os.getpid()}"}, "agents": []}
    )
    await installation.up()
    try:
        await provision(installation)
        assert "Our coder" in await prompt(installation, "code")
        before = tree(installation.home)
        assert OWN.keys() | KEPT == before.keys()

        await installation.mosaic("down", "--keep-agents")
        update(shipped)
        await installation.up()

        again = await provision(installation)
        assert (again["added"], again["starts"]) == ([], [])
        assert tree(installation.home) == before

        mine, theirs = await prompt(installation, "code"), await prompt(installation, "review")
        assert "# Our coder" in mine
        assert "New in this version." not in mine
        assert "New in this version." in theirs
        for said in (mine, theirs):
            assert "NEW. This fleet takes errands" in said
            assert "Speak Dutch." in said
        assert "Be kind." in theirs

        listed = {
            one["id"]: one
            for one in (await installation.mosaic("fleet", "profiles", "--json")).data
        }
        assert listed["personal-assistant"]["budget"] == {"dollars_per_day": 30}
        assert [one["name"] for one in listed["personal-assistant"]["agents"]] == [
            *("personal-assistant", "baker0", "baker1", "code", "review")
        ]
        assert listed["bakery"]["lead"] == "baker"
        assert "broken" not in listed
        said = (await installation.mosaic("fleet", "profiles")).out
        assert "broken.yaml:1: purpose is missing" in said
    finally:
        await installation.close()
