"""Scripts of ours that run inside agent programs: each notes turns in the file that its first line names."""

import json
from importlib.resources import files
from pathlib import Path


def script(name: str, events_file: Path) -> str:
    """Return a script of this package that notes turns in a file."""
    source = files("fleet.runtimes").joinpath(name).read_text(encoding="utf-8")
    return f"const FILE = {json.dumps(str(events_file))};\n{source}"
