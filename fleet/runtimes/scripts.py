"""Scripts of ours that run inside agent programs, each with one path that its first line names."""

import json
from importlib.resources import files
from pathlib import Path


def script(name: str, path: Path, constant: str = "FILE") -> str:
    """Return a script of this package that finds a path (a file to note turns in) under a constant's name."""
    source = files("fleet.runtimes").joinpath(name).read_text(encoding="utf-8")
    return f"const {constant} = {json.dumps(str(path))};\n{source}"
