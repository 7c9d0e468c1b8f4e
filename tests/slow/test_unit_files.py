"""systemd's own word on the units: `systemd-analyze verify`, any output a failure."""

import os
import subprocess
from pathlib import Path

import pytest

from bot.config.places import Places
from fleet.host.units import SystemdUnits

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("place", ["home", "a home's 100% $place"])
def test_systemd_has_nothing_to_say_about_the_units(tmp_path: Path, place: str) -> None:
    runtime = tmp_path / "runtime"
    runtime.mkdir(mode=0o700)
    files = []
    for name, text in (
        SystemdUnits(Places(tmp_path / place), {"HOME": str(tmp_path)}).texts().items()
    ):
        path = tmp_path / name
        path.write_text(text)
        files.append(str(path))
    assert len(files) == 2
    ended = subprocess.run(
        ["systemd-analyze", "verify", "--user", *files],
        env={"XDG_RUNTIME_DIR": str(runtime), "PATH": os.environ["PATH"], "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")
