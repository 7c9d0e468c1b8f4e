"""The local homeserver's programs: an extra that is installed when it is first asked for."""

import importlib.util
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from bot import __version__
from bot.errors import SetupError

_LOCK = Path(__file__).parents[2] / "requirements-homeserver.lock"
_SHOWN_LINES = 5


def install_homeserver(out: Callable[[str], None]) -> None:
    """Install Synapse beside us unless it is there; ``out`` is told before a wait.

    In a checkout the pinned versions are installed, elsewhere the extra of this very version. Raises
    SetupError with the end of pip's own words.
    """
    if importlib.util.find_spec("synapse") is not None:
        return
    out("Installing the local homeserver (matrix-synapse), which takes about a minute …")
    pinned = ["--require-hashes", "-r", str(_LOCK)]
    wanted = pinned if _LOCK.exists() else [f"mosaic-fleet[homeserver]=={__version__}"]
    call = [sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check", *wanted]
    ended = subprocess.run(call, capture_output=True, text=True, check=False)
    if ended.returncode != 0:
        said = " ".join(ended.stderr.strip().splitlines()[-_SHOWN_LINES:])
        raise SetupError(
            f"the homeserver could not be installed: {said}", hint="try `make install-homeserver`"
        )
