"""How a dogfood agent looks: what scrolls by, and the line on which the cursor stands."""

import os

PROMPT = "dogfood ❯ "  # noqa: RUF001 - a glyph that nobody types
WORKING = "dogfood … "
ASKING = "dogfood ? "

RESET, BOLD, DIM, CYAN, GREEN, YELLOW = (
    f"\x1b[{code}m" for code in ("0", "1", "2", "36", "32", "33")
)


class Canvas:
    """The terminal, ``columns`` wide."""

    def __init__(self, columns: int) -> None:
        self.columns = columns

    def greet(self, name: str) -> None:
        """Say who is here."""
        who = f" dogfood · {name} "
        width = max(44, len(who) + 2)
        lines = (
            f"╭{'─' * width}╮",
            f"│{who.ljust(width)}│",
            f"│{' A small agent without a model. /help'.ljust(width)}│",
            f"╰{'─' * width}╯",
        )
        self.show("".join(f"{CYAN}{line}{RESET}\n" for line in lines) + "\n")

    def hear(self, sender: str, lines: list[str]) -> None:
        """Show the beginning of a message."""
        shown = "".join(f"  {line[: self.columns - 4]}\n" for line in lines[:20])
        self.show(f"{CYAN}●{RESET} {BOLD}{sender}{RESET}\n{shown}")

    def answer(self, text: str) -> None:
        """Show an answer."""
        self.show(f"{GREEN}◆{RESET} {text}\n\n")

    def note(self, text: str) -> None:
        """Show a word beside the conversation."""
        self.show(f"{DIM}  {text}{RESET}\n")

    def ask(self, title: str) -> None:
        """Show a dialog."""
        rule = "─" * 28
        self.show(
            f"{YELLOW}┌─ {title} {rule}{RESET}\n{YELLOW}│{RESET} Run the drill's command?\n"
            f"{YELLOW}│{RESET}   y yes     n no\n{YELLOW}└{rule}{RESET}\n"
        )

    def draw(self, lead: str, rest: str) -> None:
        """Show the line on which the cursor stands: ``lead``, and the end of what follows it."""
        shown = tail(rest, self.columns - len(lead) - 1)
        write(f"\r\x1b[K{BOLD}{lead}{RESET}{shown}")

    def show(self, text: str) -> None:
        """Write whole lines above that line."""
        write(f"\r\x1b[K{text}")


def tail(text: str, columns: int) -> str:
    """Return as much of a text's end as fits, on one line."""
    import unicodedata  # noqa: PLC0415 - a megabyte that a start need not wait for

    flat = text[-2 * columns :].replace("\n", "⏎").replace("\t", " ")
    room = columns - 1
    for at in range(len(flat) - 1, -1, -1):
        wide = unicodedata.east_asian_width(flat[at]) in {"W", "F"}
        room -= 0 if unicodedata.combining(flat[at]) else 1 + wide
        if room < 0:
            return f"…{flat[at + 1 :]}"
    return flat if len(text) == len(flat) else f"…{flat}"


def write(text: str) -> None:
    """Write to the terminal, all of it."""
    content = text.encode(errors="replace")
    while content:
        content = content[os.write(1, content) :]
