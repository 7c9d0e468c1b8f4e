"""What `make up` says on a machine that lacks something."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "find-python.sh"
OLD_PYTHON = '#!/bin/sh\ncase "$2" in *platform*) echo 3.9.2 ;; *) exit 1 ;; esac\n'
GOOD_PYTHON = f'#!/bin/sh\nexec "{Path(sys.base_prefix) / "bin" / "python3"}" "$@"\n'
NO_VENV_PYTHON = '#!/bin/sh\ncase "$2" in *ensurepip*) exit 1 ;; *) exit 0 ;; esac\n'


class Machine:
    """A search path with nothing on it but what a test puts there."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        for tool in ("sh", "sed", "id"):
            (directory / tool).symlink_to(str(shutil.which(tool)))

    def has(self, name: str, text: str = "#!/bin/sh\n") -> None:
        (self.directory / name).write_text(text)
        (self.directory / name).chmod(0o755)

    def look(self) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [SCRIPT],
            env={"PATH": str(self.directory)},
            capture_output=True,
            check=False,
            text=True,
        )


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_a_machine_with_everything_gets_its_python_named(machine: Machine) -> None:
    for tool in ("tmux", "make"):
        machine.has(tool)
    machine.has("python3", GOOD_PYTHON)
    looked = machine.look()
    assert (looked.returncode, looked.stdout) == (0, f"{machine.directory / 'python3'}\n")


def test_everything_that_is_missing_is_in_one_command(machine: Machine) -> None:
    machine.has("apt-get")
    looked = machine.look()
    assert looked.returncode == 1
    assert "apt-get install -y python3 python3-venv tmux make\n" in looked.stderr


@pytest.mark.parametrize(
    ("manager", "command"),
    [
        ("dnf", "dnf install -y tmux make\n"),
        ("zypper", "zypper install tmux make\n"),
        ("pacman", "pacman -S --needed tmux make\n"),
        ("apk", "apk add tmux make\n"),
        ("brew", "brew install tmux make\n"),
    ],
)
def test_other_package_managers_are_known(machine: Machine, manager: str, command: str) -> None:
    machine.has(manager)
    machine.has("python3", GOOD_PYTHON)
    assert command in machine.look().stderr


def test_an_old_python_is_named_with_its_version(machine: Machine) -> None:
    machine.has("apt-get")
    machine.has("python3", OLD_PYTHON)
    said = machine.look().stderr
    assert f"needs Python 3.11 or newer; {machine.directory / 'python3'} is 3.9.2." in said
    assert "python3.11 python3.11-venv" in said


def test_a_newer_python_beside_an_old_one_is_found(machine: Machine) -> None:
    machine.has("python3", OLD_PYTHON)
    machine.has("python3.12", GOOD_PYTHON)
    for tool in ("tmux", "make"):
        machine.has(tool)
    assert machine.look().stdout == f"{machine.directory / 'python3.12'}\n"


def test_a_python_without_venv_is_noticed(machine: Machine) -> None:
    machine.has("apt-get")
    machine.has("python3.12", NO_VENV_PYTHON)
    for tool in ("tmux", "make"):
        machine.has(tool)
    assert "apt-get install -y python3.12-venv\n" in machine.look().stderr


def test_without_a_package_manager_the_things_are_still_named(machine: Machine) -> None:
    machine.has("python3", GOOD_PYTHON)
    assert "install: tmux make\n" in machine.look().stderr
