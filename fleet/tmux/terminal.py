"""tmux on one socket: sessions to start and end, panes to look at, text to paste under guards.

Every call is ``tmux -u`` with LC_ALL=C.UTF-8, and every argument is an argument: nobody's text becomes part
of a command line or a format. Panes are targeted by ``%id`` only, since names mis-target (spec 4-receipts).
"""

import asyncio
import contextlib
import secrets
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import libtmux.common
from libtmux.exc import LibTmuxException

from bot.errors import SetupError, TransientError
from fleet.tmux.control import ControlLine
from fleet.tmux.gate import Gate
from fleet.tmux.guard import clear_texts, guarded_paste, guarded_press, text_file
from fleet.tmux.panes import FORMAT, OWN_ROLES, Pane, parse_pane

_PATIENCE_SECONDS = 10.0
_KEPT = frozenset({"PATH", "HOME", "LANG", "TERM", "TMUX_TMPDIR"})
_NO_SERVER = ("no server running", "error connecting", "server exited", "lost server")


@dataclass(frozen=True, slots=True)
class Answer:
    """What one call of tmux came to."""

    status: int
    out: str
    error: str

    @property
    def lost_server(self) -> bool:
        """Whether there is no server on the socket."""
        return self.status != 0 and self.error.startswith(_NO_SERVER)


def scoped_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Return what a tmux server may copy into every pane: no more than a login needs.

    PATH, HOME, LANG, TERM and XDG_*; TMUX_TMPDIR too, which says where the socket is.
    """
    kept = {
        name: value
        for name, value in environment.items()
        if name in _KEPT or name.startswith("XDG_")
    }
    return kept | {"LC_ALL": "C.UTF-8"}


class Terminal:
    """One tmux socket (``None`` is tmux's default one).

    ``owner`` is written into a server that we start, and only such a server is ever closed. ``texts`` is a
    private directory where a text lies while tmux reads it; without one a paste is a process of its own.
    """

    def __init__(
        self,
        socket_name: str | None,
        *,
        environment: Mapping[str, str],
        owner: str,
        holder: str = "_holder",
        texts: Path | None = None,
    ) -> None:
        self.socket_name = socket_name
        self._environment = scoped_environment(environment)
        self._owner = owner
        self._holder = holder
        self._texts = texts
        self._opening = asyncio.Lock()
        self._opening_line = asyncio.Lock()
        self._gate = Gate()
        self._wants_line = False
        self._line: ControlLine | None = None

    # -- calls -----------------------------------------------------------------------------------------

    async def call(self, *arguments: str, text: bytes | None = None) -> Answer:
        """Run one tmux command line to its end and return what it said.

        Raises SetupError when there is no tmux, TransientError when it does not end in time.
        """
        async with self._gate.together():
            return await self._call(arguments, text)

    async def _call(self, arguments: Sequence[str], text: bytes | None) -> Answer:
        program = ["tmux", "-u", *self._socket_arguments(), *arguments]
        try:
            process = await asyncio.create_subprocess_exec(
                *program,
                stdin=asyncio.subprocess.DEVNULL if text is None else asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                env=self._environment,
            )
        except FileNotFoundError as error:
            raise SetupError("tmux is not installed", hint="apt-get install tmux") from error
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                out, err = await process.communicate(text)
        except TimeoutError as error:
            raise TransientError(f"tmux {arguments[0]} did not answer") from error
        finally:
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
        return Answer(process.returncode or 0, out.decode(errors="replace"), err.decode().strip())

    async def run(self, *arguments: str) -> str:
        """Run one tmux command line and return its output; TransientError with tmux's words if it fails."""
        answer = await self.call(*arguments)
        if answer.status != 0:
            raise TransientError(f"tmux {arguments[0]}: {answer.error}")
        return answer.out

    async def ask(self, *commands: Sequence[str]) -> Sequence[Answer]:
        """Run commands that each print one block: at once over a held line, else by a process for each."""
        line = await self._held_line()
        if line is not None:
            with contextlib.suppress(TransientError):
                return [
                    Answer(int(block.failed), "" if block.failed else block.text, block.text)
                    for block in await line.batch(commands)
                ]
        return [await self.call(*command) for command in commands]

    async def hold_line(self) -> None:
        """Keep a control connection from now on, made anew whenever it is lost."""
        if self._texts is not None and not self._wants_line:
            await asyncio.to_thread(clear_texts, self._texts)
        self._wants_line = True

    async def release_line(self) -> None:
        """Give the control connection up; harmless when there is none."""
        self._wants_line = False
        if self._line is not None:
            await self._line.close()

    async def _held_line(self) -> ControlLine | None:
        if not self._wants_line:
            return None
        async with self._opening_line:
            if self._line is None or not self._line.alive:
                attach = ("attach-session", "-f", "no-output,ignore-size", "-t", f"={self._holder}")
                argv = ["tmux", "-u", *self._socket_arguments(), "-C", *attach]
                try:
                    # A session that is made or ends while a control client introduces itself makes tmux 3.3a write
                    # to what that client does not have yet, and the server dies with all agents.
                    async with self._gate.alone():
                        self._line = await ControlLine.open(argv, self._environment)
                except TransientError:
                    return None
            return self._line

    def _socket_arguments(self) -> list[str]:
        return [] if self.socket_name is None else ["-L", self.socket_name]

    async def version(self) -> str:
        """Return tmux's version as it names itself, such as ``3.3a``; SetupError when there is none."""
        try:
            return str(await asyncio.to_thread(libtmux.common.get_version))
        except LibTmuxException as error:
            raise SetupError("tmux is not installed", hint="apt-get install tmux") from error

    # -- the server ------------------------------------------------------------------------------------

    async def ensure_server(self) -> None:
        """See to it that a server runs and holds our holder session; harmless when it does."""
        async with self._opening:
            if await self.has_session(self._holder):
                return
            running = await self._is_running()
            # Our own server reads nobody's tmux.conf: what it does must not depend on a person's habits.
            plain = [] if running or self.socket_name is None else ["-f", "/dev/null"]
            answer = await self.call(
                *plain,
                *_session_arguments(self._holder, ["cat", "-"], "holder", self._owner, None),
                *([] if running else self._server_options()),
            )
        if answer.status != 0 and not answer.error.startswith("duplicate session"):
            raise TransientError(f"tmux new-session: {answer.error}")

    async def socket_path(self) -> Path:
        """Return where the running server listens; TransientError when none runs."""
        return Path((await self.run("display-message", "-p", "#{socket_path}")).rstrip("\n"))

    def _server_options(self) -> list[str]:
        return [
            *(";", "set-option", "-s", "@mosaic_home", self._owner),
            *(";", "set-option", "-g", "update-environment", ""),
            *(";", "set-option", "-g", "history-limit", "5000"),
        ]

    async def _is_running(self) -> bool:
        return not (await self.call("list-sessions", "-F", "")).lost_server

    async def close_server(self) -> Sequence[str]:
        """End our own sessions; a server that we started goes with its socket when nothing else is on it.

        Returns the names of the sessions that other people left there.
        """
        probe = await self._probe()
        if probe.status != 0:
            await asyncio.to_thread(self._clear_stale_socket, probe.error)
            return []
        owner, _, path = probe.out.rstrip("\n").partition("\t")
        for session in sorted({pane.session for pane in await self.panes() if self._is_own(pane)}):
            await self.end_session(session)
        left = sorted({pane.session for pane in await self.panes()})
        if owner == self._owner and not left:
            await self._until_gone(Path(path))
        return left

    def _is_own(self, pane: Pane) -> bool:
        # Two installations may share tmux's default socket.
        return pane.role in OWN_ROLES and pane.launch == self._owner

    async def _probe(self) -> Answer:
        """Return owner and socket path, or that there is no server: one on its way out is waited for."""
        for _ in range(100):
            answer = await self.call("display-message", "-p", "#{@mosaic_home}\t#{socket_path}")
            if answer.error.startswith(_NO_SERVER[:2]) or (
                # A server that ends while it is asked answers nothing, with status 0.
                answer.status == 0 and "\t/" in answer.out
            ):
                return answer
            await asyncio.sleep(0.02)
        raise TransientError("the tmux server neither answers nor ends")

    def _clear_stale_socket(self, error: str) -> None:
        # A server that ended by itself leaves its file; on a socket of our own name it is ours to remove.
        _, found, path = error.partition("no server running on ")
        if found and self.socket_name is not None and not answers(Path(path)):
            Path(path).unlink(missing_ok=True)

    async def _until_gone(self, path: Path) -> None:
        for _ in range(250):
            if not await asyncio.to_thread(answers, path):
                # tmux 3.3a leaves the file behind: it is ours, and nobody listens on it any more.
                await asyncio.to_thread(path.unlink, missing_ok=True)
                return
            await asyncio.sleep(0.02)
        raise TransientError(f"the tmux server on {path} does not end")

    # -- sessions --------------------------------------------------------------------------------------

    async def has_session(self, session: str) -> bool:
        """Whether a session of exactly this name exists."""
        return (await self.call("has-session", "-t", f"={session}")).status == 0

    async def new_session(
        self,
        session: str,
        argv: Sequence[str],
        *,
        role: str,
        launch: str = "",
        directory: Path | None = None,
        remain: bool = False,
    ) -> Pane:
        """Start ``argv`` (run as it stands, no shell) in a new session and return its pane.

        ``launch`` is what ``Pane.launch`` will be; without one it is the terminal's owner. With ``remain``
        the pane stays, dead, after the program ends, and keeps its size whoever attaches. TransientError
        when tmux refuses.
        """
        await self.ensure_server()
        window = ("set-option", "-w", "-t", f"={session}:")
        # Whoever looks on must not change what a program draws, nor how its screen is read.
        keep = (";", *window, "remain-on-exit", "on", ";", *window, "window-size", "manual")
        shown = (";", "list-panes", "-s", "-t", f"={session}", "-F", FORMAT)
        out = await self.run(
            *_session_arguments(session, argv, role, launch or self._owner, directory),
            *(keep if remain else ()),
            *shown,
        )
        pane = parse_pane(out)
        if pane is None:
            raise TransientError(f"tmux started no session {session}: {out.strip()}")
        return pane

    async def end_session(self, session: str) -> None:
        """End a session of exactly this name; harmless when there is none."""
        await self.call("kill-session", "-t", f"={session}")

    # -- panes -----------------------------------------------------------------------------------------

    async def panes(self) -> Sequence[Pane]:
        """Return every pane on the socket, in one call whatever their number."""
        (answer,) = await self.ask(("list-panes", "-a", "-F", FORMAT))
        if answer.status != 0:
            # "no current target" is a server on its way out: its last session has ended.
            if answer.lost_server or answer.error == "no current target":
                return []
            raise TransientError(f"tmux list-panes: {answer.error}")
        return [pane for line in answer.out.splitlines() if (pane := parse_pane(line)) is not None]

    async def pane(self, pane_id: str) -> Pane | None:
        """Return a pane, None when there is no such one."""
        (answer,) = await self.ask(("display-message", "-p", "-t", pane_id, FORMAT))
        return parse_pane(answer.out) if answer.status == 0 else None

    async def look(self, pane_id: str) -> tuple[Pane, str] | None:
        """Return a pane and its screen with its styles as escapes, None when there is no such pane."""
        asked = ("display-message", "-p", "-t", pane_id, FORMAT)
        shown = ("capture-pane", "-p", "-e", "-t", pane_id)
        if (line := await self._held_line()) is not None:
            with contextlib.suppress(TransientError):
                first, rest = await line.batch([asked, shown])
                pane = None if first.failed or rest.failed else parse_pane(first.text)
                return None if pane is None else (pane, rest.text)
        answer = await self.call(*asked, ";", *shown)
        head, _, text = answer.out.partition("\n")
        pane = parse_pane(head)
        return None if answer.status != 0 or pane is None else (pane, text)

    async def screens(self, pane_ids: Sequence[str]) -> Sequence[str | None]:
        """Return panes' screens with their styles as escapes, None for a pane that is gone."""
        asked = [("capture-pane", "-p", "-e", "-t", pane_id) for pane_id in pane_ids]
        return [answer.out if answer.status == 0 else None for answer in await self.ask(*asked)]

    async def history(self, pane_id: str) -> Sequence[str]:
        """Return the rows of a pane, with those that have scrolled away, as plain text."""
        (answer,) = await self.ask(("capture-pane", "-p", "-S", "-", "-t", pane_id))
        return answer.out.split("\n") if answer.status == 0 else []

    async def paste(self, pane_id: str, text: bytes, buffer: str) -> bool:
        """Paste into a pane as one bracketed paste; false when it is dead, in a mode, or gone.

        False means that not one byte landed; after a TransientError nobody knows.
        """
        word = secrets.token_hex(8)
        paste = guarded_paste(pane_id, buffer, word)
        line = await self._held_line()
        if line is None or self._texts is None:
            load = ("load-buffer", "-b", buffer, "-")
            done = word in (await self.call(*load, ";", *paste, text=text)).out
        else:
            with text_file(self._texts, buffer, text) as path:
                done = await line.did([("load-buffer", "-b", buffer, str(path)), paste], word)
        if not done:
            await self.call("delete-buffer", "-b", buffer)
        return done

    async def press(self, pane_id: str, key: str) -> bool:
        """Press a key (by tmux's name of it) under the same guard; false when it was not pressed."""
        word = secrets.token_hex(8)
        press = guarded_press(pane_id, key, word)
        if (line := await self._held_line()) is not None:
            return await line.did([press], word)
        return word in (await self.call(*press)).out


def _session_arguments(
    session: str, argv: Sequence[str], role: str, launch: str, directory: Path | None
) -> list[str]:
    # One word after `--` would go to a shell; two or more are run as they stand.
    program = ["env", *argv] if len(argv) == 1 else list(argv)
    place = [] if directory is None else ["-c", str(directory)]
    return [
        *(
            "new-session",
            "-d",
            "-E",
            "-s",
            session,
            "-x",
            "160",
            "-y",
            "48",
            *place,
            "--",
            *program,
        ),
        *(";", "set-option", "-t", f"={session}:", "@mosaic_role", role),
        *(";", "set-option", "-t", f"={session}:", "@mosaic_launch", launch),
    ]


def answers(path: Path) -> bool:
    """Whether a server listens on a socket; it costs no process, so it may be asked often."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(str(path))
        except (ConnectionRefusedError, FileNotFoundError):
            return False
        return True
