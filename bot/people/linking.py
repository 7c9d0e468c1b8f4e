"""Links of accounts: who is one person with whom, and how two sides come to say so."""

import asyncio
import secrets
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from bot.errors import UserError
from bot.mail.mailbox import Mailbox
from bot.model import Address, Message, MessageKind, Principal, derived_id
from bot.persons import LinkRequest, LinkRequests, Links, Persons, is_linkable
from bot.reply import Offer, Text

LIFETIME = timedelta(minutes=10)
"""How long a code is good, and how long its owner has for the last word."""

CODE_LENGTH = 8
_LETTERS = (
    "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"  # nothing that is misread: 32^8 codes, none worth guessing
)
_LOOK = timedelta(seconds=2)


class Linking:
    """The part ``links``: makes and ends links, and knows those of every daemon on the database.

    A code is bound to who asked for it. Whoever says it on another side agrees to become one person with that
    one; then that one is told who said it, and has the last word. So nobody is linked by a code that was
    overheard, nor by having been talked into saying one without seeing whose it is.
    """

    name = "links"

    def __init__(
        self,
        requests: LinkRequests,
        links: Links,
        mailbox: Mailbox,
        *,
        lifetime: timedelta = LIFETIME,
        look: timedelta = _LOOK,
    ) -> None:
        self.persons = Persons()
        self._requests = requests
        self._links = links
        self._mailbox = mailbox
        self._lifetime = lifetime
        self._look = look

    async def run(self, ready: Callable[[str], None]) -> None:
        """Read the links now and then until cancelled, since another daemon may write; TransientError at times."""
        while True:
            await self.refresh()
            ready("knows whose accounts belong together")
            await asyncio.sleep(self._look.total_seconds())

    async def refresh(self) -> None:
        """Read the links anew; until the first time nobody is linked."""
        self.persons = await self._links.persons()

    async def ask(self, principal: Principal, place: Address, reply_to: str | None) -> LinkRequest:
        """Give somebody a code, good once and for ``LIFETIME``; UserError for who is never linked."""
        _require_linkable(principal)
        code = "".join(secrets.choice(_LETTERS) for _ in range(CODE_LENGTH))
        request = LinkRequest(code, principal, place, reply_to)
        await self._requests.ask(request, self._lifetime)
        return request

    async def find(self, code: str, said_by: Principal) -> LinkRequest:
        """Return the request that somebody may answer by saying its code; UserError says why not."""
        _require_linkable(said_by)
        request = await self._requests.find(code.upper())
        if request is None or request.said_by is not None:
            raise _no_such_code(code)
        if said_by.id in self.persons.of(request.asked_by.id):
            raise UserError(
                f"{request.asked_by.id} is you already",
                code="same_person",
                hint="say the code with the other account",
            )
        return request

    async def say(self, code: str, said_by: Principal, told: str) -> LinkRequest:
        """Answer a request by its code; its owner is told it in these words, and asked for the last one."""
        request = replace(await self.find(code, said_by), said_by=said_by)
        letters = self._mailbox.seal([self._question(request, told)])
        if not await self._requests.say(request.code, said_by, letters):
            raise _no_such_code(code)
        self._mailbox.posted.set()
        return request

    async def settle(self, code: str, owner: Principal, *, agreed: bool) -> LinkRequest:
        """Say the last word on a code of one's own that was said, with any account of the person that asked for it.

        UserError when none waits for it.
        """
        for owner_id in sorted(self.persons.of(owner.id)):
            request = await self._requests.settle(code.upper(), owner_id, agreed=agreed)
            if request is not None:
                break
        else:
            raise UserError(
                f"no code {code!r} of yours waits for your word",
                code="not_found",
                hint="`account link` gives a new one",
            )
        await self.refresh()
        return request

    async def part(self, principal_id: str) -> None:
        """Take an account out of its person; UserError when it is linked with nobody."""
        parted = await self._links.part(principal_id)
        await self.refresh()
        if not parted:
            raise UserError(f"{principal_id} is linked with nobody", code="not_found")

    def _question(self, request: LinkRequest, told: str) -> Message:
        owner, code = request.asked_by.id, request.code
        return Message(
            id=derived_id("link", code, owner),
            to=request.place,
            kind=MessageKind.NOTICE,
            blocks=(Text(told),),
            reply_to=request.reply_to,
            offers=(
                Offer("✅", f"account accept {code}", "yes, both are me", self._lifetime, owner),
                Offer("❌", f"account refuse {code}", "that is not me", self._lifetime, owner),
            ),
        )


def _require_linkable(principal: Principal) -> None:
    if not is_linkable(principal):
        raise UserError(
            f"{principal.id} is never linked: only people's accounts on chat platforms are",
            code="forbidden",
            hint="say it in a room",
        )


def _no_such_code(code: str) -> UserError:
    return UserError(
        f"no code {code!r} waits to be said",
        code="not_found",
        hint=f"a code is good once, for {LIFETIME.seconds // 60} minutes; `account link` gives one",
    )
