"""Makes the pictures of the Matrix how-to: a conversation in Element, in an encrypted room on a real Synapse.

Run by `make pictures`; `python -m scripts.pictures PAGE [DIRECTORY]` takes Element's page from PAGE (a folder, made by
scripts/element) and writes the pictures to DIRECTORY. It needs Chromium. Everything runs on this machine and is
stopped again.
"""

import asyncio
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import nio
from aiohttp import web

from connectors.matrix.homeserver.accounts import new_pickle_key
from scripts.browser import Page, browser
from tests.stages.room import OpsRoom, ops_room
from tests.stages.synapse import Town, town

IMAGES = Path(__file__).parent.parent / "docs" / "images"
_DESK, _PHONE = (1180, 860), (390, 780)
_BODIES = ".mx_RoomView_timeline [data-self=false] .mx_EventTile_body"
_THREAD = ".mx_ThreadView [data-self=false] .mx_EventTile_body"
_SUMMARY = ".mx_ThreadSummary"


class Scene:
    """Ann at her desk and on her phone, in the room with the bot."""

    def __init__(self, page: Page, room: OpsRoom, pictures: Path) -> None:
        self._page = page
        self._room = room
        self._pictures = pictures

    async def log_in(self, address: str) -> None:
        """Log in as people do, and go to the room."""
        page, ann = self._page, self._room.ann
        await page.resize(*_DESK)
        await page.open(f"{address}#/login")
        for field, text in (
            ("username", ann.user_id[1:].partition(":")[0]),
            ("password", ann.account.password),
        ):
            await page.click(f"#mx_LoginForm_{field}")
            await page.type(text)
        await page.press("Enter")
        await page.until("document.querySelector('.mx_LeftPanel, .mx_CompleteSecurityBody')", 120)
        await page.ask("document.querySelector('.mx_CompleteSecurity_skip')?.click()")
        await page.until("document.querySelector('.mx_RoomList, .mx_LeftPanel_roomListContainer')")
        await page.open(f"{address}#/room/{self._room.room_id}")
        await page.until("document.querySelector('.mx_BasicMessageComposer_input')")
        await self.tidy()

    async def tidy(self) -> None:
        """Wave Element's own hints away."""
        hints = ".mx_Toast_buttons [class*=secondary], .mx_ThreadsActivityCentre_releaseAnnouncement button"
        await self._page.ask(
            f"document.querySelectorAll({hints!r}).forEach((hint) => hint.click())"
        )
        await self._page.ask(
            "[...document.querySelectorAll('button')].filter((b) => ['OK', 'Later', 'Dismiss']"
            ".includes(b.innerText.trim())).forEach((b) => b.click())"
        )

    async def say(
        self, text: str, expected: str, *, thread: bool = False, where: str = _BODIES
    ) -> None:
        """Type a line into Element and wait until an answer shows some words."""
        view = ".mx_ThreadView" if thread else ".mx_RoomView_body"
        await self._page.click(f"{view} .mx_BasicMessageComposer_input")
        await self._page.type(text)
        await self._page.press("Enter")
        await self.shows(expected, _THREAD if thread else where)

    async def shows(self, words: str, where: str = _BODIES) -> None:
        """Wait until Element shows some words."""
        found = f"[...document.querySelectorAll({where!r})].some((e) => e.innerText.includes({words!r}))"
        await self._page.until(found)

    async def tap(self, mark: str, words: str) -> None:
        """Tap a reaction below the message that has some words, and wait until it is done."""
        buttons = ".flatMap((tile) => [...tile.querySelectorAll('.mx_ReactionsRowButton')])"
        tiles = f"[...document.querySelectorAll('.mx_EventTile')].filter((e) => e.innerText.includes({words!r}))"
        button = f"{tiles}{buttons}.filter((e) => e.innerText.includes({mark!r})).pop()"
        await self._page.until(button)
        await self._page.ask(f"{button}.click()")
        await self.shows(f"chose {mark}", _SUMMARY)

    async def open_thread(self, news: str) -> None:
        """Open a card's thread from the room, by its newest line."""
        await self._page.choose(".mx_ThreadSummary", news)
        await self._page.until("document.querySelector('.mx_ThreadView .mx_EventTile_body')")

    async def photograph(self, name: str) -> None:
        """Write what is seen."""
        await self.tidy()
        await asyncio.sleep(1.5)  # until what fades in has faded in
        await self._page.ask("document.activeElement?.blur()")
        await self._page.photograph(self._pictures / f"{name}.png")

    async def take_phone(self) -> None:
        """See the room as wide as on a phone; what Element Web keeps beside it is not there on one."""
        await self._page.choose(".mx_BaseCard_header [data-testid=base-card-close-button]")
        hide = ".mx_LeftPanel_outerWrapper, .mx_SpacePanel, .mx_LeftPanel_wrapper {display: none !important}"
        await self._page.ask(
            f"document.head.append(Object.assign(document.createElement('style'), {{textContent: {hide!r}}}))"
        )
        await self._page.resize(*_PHONE, scale=1.5)

    async def play(self) -> None:
        """Hold the conversation and photograph it."""
        mosaic = self._room.installation.mosaic
        await self.say(
            "!backlog create --id A1 --title 'Design the schema' --priority 5", "has card A1"
        )
        await self.say(
            "!backlog create --id A2 --title 'Write the API' --depends-on A1", "has card A2"
        )
        await self.say("!backlog list", "waits for 1")
        await self.say("What should we begin with?", "dogfood orchestrator:", where=_SUMMARY)
        await self.say("!fleet stop enhancer", "This ends the sessions")
        await self.tap("✅", "One tap chooses")
        await self.photograph("element-confirmed")
        claimed = await mosaic("backlog", "claim", "--owner", "coder0")
        if claimed.status:
            raise SystemExit(f"{claimed.out}{claimed.err}")
        await self.open_thread("A1 is claimed")
        await self.say(
            "!backlog block --id A1 --reason 'Ann decides on names'", "blocked", thread=True
        )
        await self.photograph("element-thread")
        await self.take_phone()
        await self.say("!fleet ps", "available")
        await self.photograph("element-phone")


@asynccontextmanager
async def _element(page: Path, homeserver: Town) -> AsyncIterator[str]:
    """Serve Element's page on loopback."""

    async def index(_: web.Request) -> web.FileResponse:
        return web.FileResponse(page / "index.html")

    async def config(_: web.Request) -> web.Response:
        return web.json_response({"homeserver_url": homeserver.url, "brand": "Element"})

    app = web.Application()
    app.router.add_get("/", index)
    app.router.add_get("/config.json", config)
    app.router.add_static("/", page)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        host, port, *_ = runner.addresses[0]
        yield f"http://{host}:{port}/"
    finally:
        await runner.cleanup()


async def _names(room: OpsRoom) -> None:
    for person, name in ((room.ann, "Ann"), (room.town.client(room.bot), "Mosaic")):
        person.client.user_id = person.user_id  # it asks for it in this one call
        answer = await person.client.set_displayname(name)
        if isinstance(answer, nio.ProfileSetDisplayNameError):
            raise SystemExit(f"{name}: {answer}")


async def take(page_directory: Path, pictures: Path) -> None:
    """Set everything up, play the scene, stop everything."""
    pictures.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="pictures-") as directory:
        async with (
            town(Path(directory) / "synapse") as homeserver,
            ops_room(Path(directory) / "home", homeserver) as room,
        ):
            secrets = {"MATRIX_ACCESS_TOKEN": room.bot.token, "MATRIX_PICKLE_KEY": new_pickle_key()}
            room.installation.give(secrets)
            await _names(room)
            await room.ann.encrypt(room.room_id)
            await room.installation.up()
            await room.steady()
            async with _element(page_directory, homeserver) as address, browser() as page:
                scene = Scene(page, room, pictures)
                await scene.log_in(address)
                await scene.play()
            await homeserver.go_home()


def main() -> None:
    """Take the pictures."""
    if len(sys.argv) < 2:
        raise SystemExit(__doc__)
    given = [Path(word) for word in sys.argv[1:]]
    asyncio.run(take(given[0], given[1] if len(given) > 1 else IMAGES))


if __name__ == "__main__":
    main()
