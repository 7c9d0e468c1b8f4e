"""Files that nobody but their owner can read, not even for a moment."""

from pathlib import Path


def write_private(path: Path, text: str) -> None:
    """Replace a file by rename; it is never readable by others, not even for a moment."""
    draft = path.with_name(f".{path.name}.new")
    draft.unlink(missing_ok=True)
    draft.touch(mode=0o600, exist_ok=False)
    draft.write_text(text, encoding="utf-8")
    draft.replace(path)
