"""What Discord's refusals mean to us."""

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import aiohttp
import discord
import pytest

from bot.errors import MosaicError, SetupError, TransientError, UserError
from connectors.discord.failures import translated


def refusal(status: int, code: int = 0, headers: dict[str, str] | None = None) -> Exception:
    response: Any = SimpleNamespace(status=status, reason="", headers=headers or {})
    return discord.HTTPException(response, {"message": "No", "code": code})


def meaning(error: Exception) -> MosaicError:
    with pytest.raises(MosaicError) as found, translated("sending"):
        raise error
    return found.value


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (discord.LoginFailure(), SetupError),
        (refusal(401), SetupError),
        (refusal(403, 50013), UserError),
        (refusal(404, 10003), UserError),
        (refusal(400), UserError),
        (refusal(500), TransientError),
        (refusal(503), TransientError),
        (refusal(429), TransientError),
        (discord.RateLimited(40), TransientError),
        (TimeoutError(), TransientError),
        (aiohttp.ServerDisconnectedError(), TransientError),
        (ConnectionResetError(), TransientError),
    ],
)
def test_each_failure_is_one_of_ours(error: Exception, kind: type[MosaicError]) -> None:
    assert isinstance(meaning(error), kind)


def test_a_refusal_has_discords_number_as_its_code_and_says_why() -> None:
    found = meaning(refusal(404, 10008))
    assert found.code == "discord_10008"
    assert found.message == "sending: Discord answered 404 (No)"
    assert meaning(refusal(400)).code == "refused"


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "2.5"}, 2.5),
        ({"Retry-After": "-1"}, 0),
        ({"Retry-After": "1e9"}, 3600),
        ({}, 30),
        ({"Retry-After": "nan"}, 30),
        ({"Retry-After": "soon"}, 30),
    ],
)
def test_a_bare_limit_is_kept(headers: dict[str, str], seconds: float) -> None:
    found = meaning(refusal(429, headers=headers))
    assert isinstance(found, TransientError)
    assert found.retry_after == timedelta(seconds=seconds)
