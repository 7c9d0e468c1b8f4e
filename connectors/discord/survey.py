"""Looks at what a bot's token opens, over REST alone: for whoever sets it up, with no daemon and no gateway.

Only the standard library and pydantic, since the command line uses it.
"""

import http.client
import json
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from bot import __version__
from bot.errors import MosaicError, SetupError, TransientError, UserError
from connectors.discord.permissions import Overwrite, granted

API = "https://discord.com/api/v10"
TEXT_CHANNEL, FORUM = 0, 15
_PATIENCE_SECONDS = 15.0
_LONGEST_WAIT_SECONDS = 30.0
_TRIES = 4
_CONTENT, _CONTENT_LIMITED = 1 << 18, 1 << 19
"""Flags of an application whose bot is told the words of messages; the second one for bots in few servers."""

Shape = TypeVar("Shape")


class _Told(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class BotUser(_Told):
    """The account of the bot."""

    id: str
    username: str


class Application(_Told):
    """What the bot belongs to on Discord's pages for developers."""

    id: str
    flags: int = 0

    @property
    def reads_words(self) -> bool:
        """Whether the message content intent is on."""
        return bool(self.flags & (_CONTENT | _CONTENT_LIMITED))

    @property
    def page(self) -> str:
        """The page on which a person switches it on."""
        return f"https://discord.com/developers/applications/{self.id}/bot"


class Guild(_Told):
    """A server that the bot is in."""

    id: str
    name: str


class _Overwrite(_Told):
    id: str
    allow: int
    deny: int


class _Tag(_Told):
    name: str


class Channel(_Told):
    """A text channel or a forum of a server."""

    id: str
    type: int
    name: str = ""
    permission_overwrites: tuple[_Overwrite, ...] = ()
    available_tags: tuple[_Tag, ...] = ()

    @property
    def is_forum(self) -> bool:
        """Whether nothing but posts can be made there."""
        return self.type == FORUM

    @property
    def label(self) -> str:
        """How people are told of it."""
        return f"#{self.name}, a forum" if self.is_forum else f"#{self.name}"


class _Role(_Told):
    id: str
    permissions: int


class _Member(_Told):
    roles: tuple[str, ...] = ()


class _Limit(_Told):
    remaining: int


class _Gateway(_Told):
    session_start_limit: _Limit


class _Message(_Told):
    id: str


class _NoDetour(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:  # a token is sent nowhere else
        return None


class Survey:
    """One token's view. Every method asks Discord, waits out limits of up to half a minute, and tries again on a 5xx.

    UserError ``wrong_token`` when Discord does not know the token and ``forbidden`` when the bot may not;
    TransientError when Discord is away; SetupError when what answers is not Discord's API.
    """

    def __init__(self, token: str, api_url: str = "") -> None:
        self._token = token
        self._api = (api_url or API).rstrip("/")
        self._opener = urllib.request.build_opener(_NoDetour)

    def bot(self) -> BotUser:
        """Return whose token it is."""
        return self._ask(BotUser, "GET", "/users/@me")

    def application(self) -> Application:
        """Return the bot's application."""
        return self._ask(Application, "GET", "/applications/@me")

    def switch_words_on(self, application: Application) -> Application:
        """Switch the message content intent on, as Discord lets bots in few servers do by themselves."""
        flags = {"flags": application.flags | _CONTENT_LIMITED}
        return self._ask(Application, "PATCH", "/applications/@me", flags)

    def sessions_left(self) -> int:
        """Return how often the bot may still connect anew today."""
        return self._ask(_Gateway, "GET", "/gateway/bot").session_start_limit.remaining

    def guilds(self) -> Sequence[Guild]:
        """Return the servers that the bot is in."""
        return self._ask(list[Guild], "GET", "/users/@me/guilds")

    def channels(self, guild_id: str) -> Sequence[Channel]:
        """Return a server's text channels and forums that the bot is told of."""
        found = self._ask(list[Channel], "GET", f"/guilds/{guild_id}/channels")
        return [one for one in found if one.type in {TEXT_CHANNEL, FORUM}]

    def permissions(self, guild_id: str, channel: Channel, bot: BotUser) -> int:
        """Return the bits of what the bot may do in a channel."""
        roles = self._ask(list[_Role], "GET", f"/guilds/{guild_id}/roles")
        member = self._ask(_Member, "GET", f"/guilds/{guild_id}/members/{bot.id}")
        overwrites = (Overwrite(o.id, o.allow, o.deny) for o in channel.permission_overwrites)
        known = {role.id: role.permissions for role in roles}
        return granted(guild_id, bot.id, known, member.roles, overwrites)

    def try_out(self, channel_id: str) -> None:
        """Say a word in a channel and take it back."""
        words = {
            "content": "Mosaic Fleet can speak here.",
            "nonce": uuid.uuid4().hex[:25],
            "enforce_nonce": True,
            "allowed_mentions": {"parse": []},
        }
        said = self._ask(_Message, "POST", f"/channels/{channel_id}/messages", words)
        self._call("DELETE", f"/channels/{channel_id}/messages/{said.id}", None)

    # -- the wire --------------------------------------------------------------------------------------

    def _ask(self, shape: type[Shape], method: str, path: str, body: Any = None) -> Shape:
        try:
            return TypeAdapter(shape).validate_json(self._call(method, path, body))
        except ValidationError as error:
            raise SetupError(
                f"{self._api}{path} does not answer as Discord does",
                hint="look at [connectors.discord] api_url; empty is Discord",
            ) from error

    def _call(self, method: str, path: str, body: Any) -> bytes:
        failure: MosaicError | None = None
        for attempt in range(_TRIES):
            try:
                return self._call_once(method, path, body)
            except TransientError as error:
                failure = error
                told = None if error.retry_after is None else error.retry_after.total_seconds()
                if told is not None and told > _LONGEST_WAIT_SECONDS:
                    break
                time.sleep(0.2 * 2**attempt if told is None else told)
        raise failure or TransientError("Discord was not asked")

    def _call_once(self, method: str, path: str, body: Any) -> bytes:
        request = urllib.request.Request(  # noqa: S310 - https, or what the settings name
            self._api + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={
                "Authorization": f"Bot {self._token}",
                "User-Agent": f"DiscordBot (mosaic-fleet, {__version__})",
                "Content-Type": "application/json",
            },
        )
        try:
            with self._opener.open(request, timeout=_PATIENCE_SECONDS) as answer:
                return bytes(answer.read())
        except urllib.error.HTTPError as error:
            with error:
                raise _failure(error, path) from None  # its traceback would hold the request
        except (OSError, ValueError, http.client.HTTPException) as error:
            reason = getattr(error, "reason", None) or type(error).__name__
            raise TransientError(f"{self._api} does not answer: {reason}") from None


def _failure(error: urllib.error.HTTPError, path: str) -> MosaicError:
    """Return what an answer that is no success means."""
    if error.code == 401:
        return UserError("Discord does not know this token", code="wrong_token")
    if error.code == 429 or error.code >= 500:
        return TransientError(f"Discord answers {error.code} to {path}", retry_after=_wait(error))
    try:
        said = str(json.loads(error.read())["message"])[:200]
    except (ValueError, KeyError, TypeError, OSError):
        said = "no reason given"
    code = "forbidden" if error.code == 403 else "not_found" if error.code == 404 else "refused"
    return UserError(f"Discord answers {error.code} to {path}: {said}", code=code)


def _wait(error: urllib.error.HTTPError) -> timedelta | None:
    try:
        return timedelta(seconds=min(max(float(error.headers["Retry-After"]), 0.0), 3600.0))
    except (TypeError, ValueError):
        return None
