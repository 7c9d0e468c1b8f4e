"""A headless Chromium, driven over its own protocol; nothing but the browser itself is needed.

Source: Chrome DevTools Protocol, domains Page, Runtime, Emulation, Input.
"""

import asyncio
import base64
import itertools
import json
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

_NAMES = ("chromium", "chromium-browser", "google-chrome")
_START_SECONDS = 30.0
_PATIENCE = 60.0
_ALL = (
    "[...document.querySelectorAll({0})]"
    ".filter((one) => one.getClientRects().length && (one.innerText || '').includes({1}))"
)


class Page:
    """One tab of a window of so many CSS pixels."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.said: list[str] = []
        self._socket = socket
        self._numbers = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}

    async def listen(self) -> None:
        """Read what the browser says until it ends."""
        async for message in self._socket:
            told = json.loads(message.data)
            if (waiting := self._waiting.pop(told.get("id", 0), None)) is not None:
                waiting.set_result(told)
            elif told.get("method") == "Runtime.consoleAPICalled":
                words = (str(a.get("value", a.get("description"))) for a in told["params"]["args"])
                self.said.append(f"{told['params']['type']}: {' '.join(words)}"[:500])
            elif told.get("method") == "Runtime.exceptionThrown":
                details = told["params"]["exceptionDetails"]
                self.said.append(
                    str(details.get("exception", {}).get("description", details))[:1500]
                )

    async def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Call a method of the protocol and return its result."""
        number = next(self._numbers)
        self._waiting[number] = asyncio.get_running_loop().create_future()
        await self._socket.send_json({"id": number, "method": method, "params": parameters})
        async with asyncio.timeout(_PATIENCE):
            told = await self._waiting[number]
        if "error" in told:
            raise RuntimeError(f"{method}: {told['error']['message']}")
        result: dict[str, Any] = told["result"]
        return result

    async def resize(
        self, width: int, height: int, *, scale: float = 1.0, phone: bool = False
    ) -> None:
        """Give the window another size."""
        await self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width, height=height, deviceScaleFactor=scale, mobile=phone,
        )  # fmt: skip

    async def open(self, url: str) -> None:
        """Go to a page."""
        await self.call("Page.navigate", url=url)

    async def ask(self, expression: str) -> Any:
        """Return what an expression in the page comes to."""
        told = await self.call(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True
        )
        if "exceptionDetails" in told:
            raise RuntimeError(json.dumps(told["exceptionDetails"])[:500])
        return told["result"].get("value")

    async def until(self, expression: str, seconds: float = _PATIENCE) -> None:
        """Wait until an expression in the page is true."""
        try:
            async with asyncio.timeout(seconds):
                while not await self.ask(f"!!({expression})"):
                    await asyncio.sleep(0.1)
        except TimeoutError:
            shown = await self.ask("document.body.innerText.slice(0, 1500)")
            last = "\n".join(self.said[-5:])
            raise SystemExit(f"not within {seconds:.0f} s: {expression}\n{shown}\n{last}") from None

    async def click(self, selector: str, text: str = "") -> None:
        """Click the last element that matches, and holds a text."""
        await self.until(_find(selector, text))
        found = await self.ask(_find(selector, text))
        for kind in ("mousePressed", "mouseReleased"):
            await self.call(
                "Input.dispatchMouseEvent", type=kind, button="left", clickCount=1, **found
            )

    async def choose(self, selector: str, text: str = "") -> None:
        """Click the last element that matches, wherever it has moved meanwhile."""
        found = f"{_ALL.format(json.dumps(selector), json.dumps(text))}.pop()"
        await self.until(found)
        await self.ask(f"{found}.click()")

    async def type(self, text: str) -> None:
        """Type where the cursor is."""
        await self.call("Input.insertText", text=text)

    async def press(self, key: str) -> None:
        """Press Enter, Escape or the like."""
        code = {"Enter": 13, "Escape": 27, "Tab": 9}[key]
        for kind in ("keyDown", "keyUp"):
            await self.call(
                "Input.dispatchKeyEvent", type=kind, key=key, code=key,
                windowsVirtualKeyCode=code, text="\r" if key == "Enter" and kind == "keyDown" else "",
            )  # fmt: skip

    async def photograph(self, path: Path) -> None:
        """Write what is seen as a picture."""
        told = await self.call("Page.captureScreenshot", format=path.suffix[1:], **_quality(path))
        path.write_bytes(base64.b64decode(told["data"]))


def _quality(path: Path) -> dict[str, int]:
    return {"quality": 80} if path.suffix == ".webp" else {}


def _find(selector: str, text: str) -> str:
    return (
        f"(() => {{ const one = {_ALL.format(json.dumps(selector), json.dumps(text))}.pop();"
        " if (!one) return null; one.scrollIntoView({block: 'nearest'});"
        " const box = one.getBoundingClientRect();"
        " return {x: box.x + box.width / 2, y: box.y + box.height / 2}; })()"
    )


@asynccontextmanager
async def browser() -> AsyncIterator[Page]:
    """Lend a tab; SystemExit when there is no Chromium."""
    program = next((found for name in _NAMES if (found := shutil.which(name))), None)
    if program is None:
        raise SystemExit(f"none of {', '.join(_NAMES)} is installed")
    with tempfile.TemporaryDirectory(prefix="browser-", ignore_cleanup_errors=True) as profile:
        process = await asyncio.create_subprocess_exec(
            program, "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
            "--remote-debugging-port=0", f"--user-data-dir={profile}", "--lang=en", "about:blank",
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        try:
            port = await _port(Path(profile))
            async with aiohttp.ClientSession() as http:
                async with http.get(f"http://127.0.0.1:{port}/json") as answer:
                    tabs = await answer.json()
                url = next(tab["webSocketDebuggerUrl"] for tab in tabs if tab["type"] == "page")
                async with http.ws_connect(url, max_msg_size=0) as socket:
                    page = Page(socket)
                    listening = asyncio.create_task(page.listen())
                    await page.call("Page.enable")
                    await page.call("Runtime.enable")
                    yield page
                    listening.cancel()
        finally:
            process.terminate()
            await process.wait()


async def _port(profile: Path) -> int:
    file = profile / "DevToolsActivePort"
    async with asyncio.timeout(_START_SECONDS):
        while not (file.exists() and file.read_text(encoding="ascii").strip()):
            await asyncio.sleep(0.05)
    return int(file.read_text(encoding="ascii").split()[0])
