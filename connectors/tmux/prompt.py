"""The console in a terminal: a prompt at the bottom, the conversation above it."""

import asyncio
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from prompt_toolkit import PromptSession
from prompt_toolkit.application import in_terminal
from prompt_toolkit.auto_suggest import AutoSuggestFromHistory
from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document
from prompt_toolkit.filters import Condition
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.history import FileHistory, History, InMemoryHistory
from prompt_toolkit.input import Input
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.output import Output
from prompt_toolkit.styles import Style

from bot.errors import UserError
from connectors.tmux.client import Away, ConsoleClient, Incoming
from connectors.tmux.frames import Reaction, Refused, Said, Spoken, Status, Typing
from connectors.tmux.paint import (
    aside,
    greeting,
    mark_cell,
    mark_column,
    said_rows,
    spoken_rows,
)

_STYLE = Style.from_dict(
    {
        "bottom-toolbar": "noreverse",
        "prompt": "bold ansicyan",
        "up": "ansigreen",
        "away": "ansiyellow",
        "quiet": "ansibrightblack",
        "auto-suggestion": "ansibrightblack",
    }
)
_FOLLOWED = 50
_HEIGHT_OF_PROMPT = 10  # rows at the bottom that may belong to the prompt and its menu


class CommandCompleter(Completer):
    """Completes ``!`` commands, word by word; ``commands`` are names with what they do."""

    def __init__(self, commands: Sequence[tuple[str, str]]) -> None:
        self._commands = commands

    def get_completions(
        self,
        document: Document,
        complete_event: CompleteEvent,  # noqa: ARG002 - the library's signature
    ) -> Iterable[Completion]:
        """Yield every command that the line so far begins."""
        line = document.text_before_cursor
        if not line.startswith("!") or "\n" in line:
            return
        for name, meaning in self._commands:
            if name.startswith(line[1:]):
                yield Completion(f"!{name}", start_position=-len(line), display_meta=meaning)


class TerminalConsole:
    """Talks with one person at a terminal until they leave."""

    def __init__(
        self,
        socket_path: Path,
        history_path: Path | None,
        commands: Sequence[tuple[str, str]],
        *,
        colour: bool = True,
        input: Input | None = None,
        output: Output | None = None,
    ) -> None:
        self._client = ConsoleClient(socket_path, self._show)
        self._commands = commands
        self._colour = colour
        self._state: Status | Away | None = None
        self._working = False
        self._in_thread = False
        self._thread: str | None = None
        self._rows_since: OrderedDict[str, int] = OrderedDict()
        self._width = 0
        self._turn = asyncio.Lock()
        self._showing: set[asyncio.Task[None]] = set()
        history: History = FileHistory(str(history_path)) if history_path else InMemoryHistory()
        self._session: PromptSession[str] = PromptSession(
            self._prompt,
            history=history,
            completer=CommandCompleter(commands),
            complete_while_typing=Condition(self._begins_command),
            auto_suggest=AutoSuggestFromHistory(),
            bottom_toolbar=self._toolbar,
            key_bindings=self._keys(),
            style=_STYLE,
            erase_when_done=True,
            reserve_space_for_menu=6,
            input=input,
            output=output,
        )

    async def run(self) -> None:
        """Talk until Ctrl-D or Ctrl-C on an empty line; UserError when the daemon does not let us in."""
        names = [name for name, _ in self._commands]
        await self._print(greeting(self._columns(), names, colour=self._colour))
        client = asyncio.create_task(self._client.run())
        client.add_done_callback(self._leave)
        try:
            await self._session.prompt_async()
        except (EOFError, KeyboardInterrupt):
            pass
        finally:
            client.remove_done_callback(self._leave)
            client.cancel()
            outcome = (await asyncio.gather(client, return_exceptions=True))[0]
        if isinstance(outcome, Exception):
            raise outcome

    def _leave(self, _client: "asyncio.Task[None]") -> None:
        if self._session.app.is_running:
            self._session.app.exit(exception=EOFError)

    def _say(self, text: str) -> None:
        """Send a line at once, and show it as soon as the terminal is free."""
        thread = self._thread if self._in_thread else None
        event_id, width, colour = None, self._columns(), self._colour
        try:
            event_id = self._client.say(text, thread)
            in_thread = thread is not None
            rows = spoken_rows(text, datetime.now(UTC), width, colour=colour, thread=in_thread)
        except UserError as error:
            rows = aside(f"not taken: {error.message}", width, colour=colour)
        task = asyncio.create_task(self._print(rows, event_id))
        self._showing.add(task)
        task.add_done_callback(self._showing.discard)

    async def _show(self, frame: Incoming | Away) -> None:
        if isinstance(frame, Reaction):
            await self._put_mark(frame.event_id, frame.mark)
        rows = self._rows_of(frame)
        self._note(frame)
        if rows:
            await self._print(rows, frame.event_id if isinstance(frame, Spoken) else None)
        self._session.app.invalidate()

    def _rows_of(self, frame: Incoming | Away) -> list[str]:
        width, colour = self._columns(), self._colour
        match frame:
            case Said():
                return said_rows(frame, width, colour=colour)
            case Spoken(text=text, at=at, author=who, thread=thread):
                return spoken_rows(text, at, width, colour=colour, who=who, thread=bool(thread))
            case Refused(reason=reason):
                return aside(f"not taken: {reason}", width, colour=colour)
            case Status() if isinstance(self._state, Away):
                return aside("the daemon is back", width, colour=colour)
            case Away(reason=reason) if isinstance(self._state, Status):
                return aside(f"{reason}; reconnecting…", width, colour=colour)
        return []

    def _note(self, frame: Incoming | Away) -> None:
        """Keep what later frames and the toolbar need to know of a frame."""
        match frame:
            case Said(thread=thread, reply_to=reply_to):
                self._working = False
                self._thread = thread or reply_to
            case Typing(active=active):
                self._working = active
            case Status():
                self._state = frame
            case Away():
                self._state, self._working = frame, False

    async def _print(self, rows: Sequence[str], event_id: str | None = None) -> None:
        """Write rows above the prompt; those of an event are followed, so that its mark can join them."""
        async with self._turn:
            if self._columns() != self._width:
                self._width = self._columns()
                self._rows_since.clear()  # the terminal may have wrapped them anew
            if event_id is not None:
                self._rows_since[event_id] = 0
            for followed in self._rows_since:
                self._rows_since[followed] += len(rows)
            if len(self._rows_since) > _FOLLOWED:
                self._rows_since.popitem(last=False)
            await self._write("".join(f"{row}\n" for row in rows))

    async def _put_mark(self, event_id: str, mark: str) -> None:
        """Write a mark beside the line that it belongs to, if that is still in sight."""
        async with self._turn:
            distance = self._rows_since.get(event_id, 0)
            height = self._session.app.output.get_size().rows
            if 0 < distance < height - _HEIGHT_OF_PROMPT and self._columns() == self._width:
                place = f"\x1b[{distance}A\x1b[{mark_column(self._width)}G"
                await self._write(f"{place}{mark_cell(mark)}\x1b[{distance}B\r")

    async def _write(self, text: str) -> None:
        async with in_terminal():
            output = self._session.app.output
            output.write_raw(text)
            output.flush()

    def _columns(self) -> int:
        return self._session.app.output.get_size().columns

    def _begins_command(self) -> bool:
        return self._session.default_buffer.text.startswith("!")

    def _prompt(self) -> StyleAndTextTuples:
        margin: StyleAndTextTuples = [("class:quiet", "  ┊ ")] if self._in_thread else []
        return [*margin, ("class:prompt", "❯ ")]  # noqa: RUF001 - a prompt, not a quotation mark

    def _toolbar(self) -> StyleAndTextTuples:
        keys = " · Tab completes · Ctrl-T thread · Ctrl-D leaves"
        waiting = f" · {self._client.untaken} waiting to be sent" if self._client.untaken else ""
        match self._state:
            case Status(consoles=consoles):
                others = f" · {consoles} consoles" if consoles > 1 else ""
                work = " · working…" if self._working else ""
                return [("class:up", " ● "), ("class:quiet", f"connected{others}{work}{keys}")]
            case Away():
                return [
                    ("class:away", " ○ daemon away… reconnecting"),
                    ("class:quiet", waiting + keys),
                ]
        return [("class:quiet", f" ○ connecting…{keys}")]

    def _keys(self) -> KeyBindings:
        keys = KeyBindings()

        @keys.add("c-t")
        def turn_thread(event: KeyPressEvent) -> None:
            self._in_thread = not self._in_thread and self._thread is not None
            event.app.invalidate()

        @keys.add("enter")
        def say(event: KeyPressEvent) -> None:
            text = event.current_buffer.text.strip()
            event.current_buffer.reset(append_to_history=bool(text))
            if text:
                self._say(text)

        @keys.add("escape", "enter")
        def add_line(event: KeyPressEvent) -> None:
            event.current_buffer.insert_text("\n")

        @keys.add("c-c")
        def clear_or_leave(event: KeyPressEvent) -> None:
            if event.current_buffer.text:
                event.current_buffer.reset()
            else:
                event.app.exit(exception=KeyboardInterrupt)

        return keys
