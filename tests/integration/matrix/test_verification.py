"""Devices verified by symbols, on a real Synapse, with nio as the other side."""

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.errors import UserError
from bot.model import Address, Principal
from bot.rooms.devices import DeviceTrust, Verification, VerificationStep
from connectors.matrix.connector import MatrixConnector
from connectors.matrix.crypto.exchange import Exchange, Word
from connectors.matrix.crypto.identity import new_identity
from connectors.matrix.crypto.sas import Side
from connectors.matrix.events import principal
from tests.stages.comparing import Comparing, ask, cross_sign, mended, vouch
from tests.stages.encrypted import PrivatePerson, another_device, meet_in_private, private_person
from tests.stages.matrix import Bot, Ear
from tests.stages.synapse import Town
from tests.waiting import until

OPERATOR = Principal("matrix:@op:e.org", "op")
SOON = timedelta(milliseconds=200)


@pytest.fixture(autouse=True)
def _as_specified() -> Iterator[None]:
    with mended():
        yield


def marks(verification: Verification) -> list[tuple[str, str]]:
    return [(one.mark, one.name) for one in verification.symbols]


async def trust_of(connector: MatrixConnector, person: PrivatePerson) -> DeviceTrust:
    assert connector.devices is not None
    found = await connector.devices.of(principal(person.user_id))
    return next(one.trust for one in found if one.id == person.account.device_id)


async def answer(connector: MatrixConnector, code: str, *, same: bool = True) -> Verification:
    assert connector.verifications is not None
    return await connector.verifications.answer(code, same=same)


async def test_a_person_begins_and_both_sides_believe_each_other_after_both_said_yes(
    matrix_town: Town, tmp_path: Path
) -> None:
    ann, bot, vault = await meet_in_private(matrix_town, tmp_path)
    async with ann.listening(), bot.listening(Ear(), keys=vault) as connector:
        comparing = Comparing(ann, bot)
        await ann.say(bot.room_id, "hello")  # her client learns of the bot's device
        await comparing.request()
        shown = await bot.step(VerificationStep.COMPARE)
        assert marks(shown) == await comparing.symbols()
        assert len(shown.symbols) == 7
        assert shown.asked_by == f"matrix:{ann.user_id}"
        assert shown.place == Address("matrix", bot.room_id)
        assert shown.private
        assert (await answer(connector, shown.code)).step is VerificationStep.CONFIRMED
        assert await trust_of(connector, ann) is DeviceTrust.UNSET
        await comparing.confirm()
        await bot.step(VerificationStep.VERIFIED)
        assert await trust_of(connector, ann) is DeviceTrust.VERIFIED
        await until(lambda: comparing.trusts, what="her client to believe the bot")
        await until(lambda: "done" in comparing.words, what="the bot's last word")
        assert connector.verifications is not None
        assert connector.verifications.open() == []


async def test_an_operator_asks_a_device_and_the_person_is_vouched_for(
    matrix_town: Town, tmp_path: Path
) -> None:
    ann, bot, vault = await meet_in_private(matrix_town, tmp_path)
    async with ann.listening(), bot.listening(Ear(), keys=vault) as connector:
        identity = await cross_sign(ann)
        comparing = Comparing(ann, bot)
        await ann.say(bot.room_id, "hello")
        assert connector.verifications is not None
        place = Address("matrix", bot.room_id, "$thread")
        who = principal(ann.user_id)
        begun = await connector.verifications.begin(who, ann.account.device_id, place, OPERATOR)
        assert (begun.step, begun.asked_by) == (VerificationStep.ASKED, OPERATOR.id)
        shown = await bot.step(VerificationStep.COMPARE)
        assert (shown.code, shown.place) == (begun.code, place)
        assert marks(shown) == await comparing.symbols()
        await comparing.confirm(identity)
        await answer(connector, shown.code)
        assert (await bot.step(VerificationStep.VERIFIED)).vouched
        assert connector.devices is not None
        (device,) = await connector.devices.of(who)
        assert device.signed
    told = await as_bot(bot, "/keys/query", {"device_keys": {ann.user_id: []}})
    own = await as_bot(bot, "/keys/query", {"device_keys": {bot.user_id: []}})
    (by,) = own["user_signing_keys"][bot.user_id]["keys"]
    assert by in told["master_keys"][ann.user_id]["signatures"][bot.user_id]
    (master,) = own["master_keys"][bot.user_id]["keys"]
    assert comparing.proved == {f"ed25519:{bot.account.device_id}", master}


async def as_bot(bot: Bot, path: str, body: dict[str, Any]) -> dict[str, Any]:
    client: Any = bot.town.client(bot.account)
    return await ask(client, path, body)


@pytest.mark.parametrize("who", ["here", "there"])
async def test_other_symbols_end_it_and_nothing_is_believed(
    matrix_town: Town, tmp_path: Path, who: str
) -> None:
    ann, bot, vault = await meet_in_private(matrix_town, tmp_path)
    async with ann.listening(), bot.listening(Ear(), keys=vault) as connector:
        comparing = Comparing(ann, bot)
        await ann.say(bot.room_id, "hello")
        await comparing.request()
        shown = await bot.step(VerificationStep.COMPARE)
        await comparing.symbols()
        if who == "here":
            ended = await answer(connector, shown.code, same=False)
            assert ended.step is VerificationStep.ENDED
            await until(lambda: comparing.reasons, what="her client to be told")
            assert comparing.reasons == ["our side saw other symbols"]
        else:
            await comparing.refuse()
            assert "broke it off" in (await bot.step(VerificationStep.ENDED)).why
        assert await trust_of(connector, ann) is DeviceTrust.UNSET
        with pytest.raises(UserError) as refusal:
            await answer(connector, shown.code)
        assert refusal.value.code == "unknown_verification"


async def test_it_ends_by_itself_when_nobody_says_anything(
    matrix_town: Town, tmp_path: Path
) -> None:
    ann, bot, vault = await meet_in_private(matrix_town, tmp_path)
    soon = replace(vault, comparison=timedelta(seconds=2))
    async with ann.listening(), bot.listening(Ear(), keys=soon, hold=SOON) as connector:
        comparing = Comparing(ann, bot)
        await ann.say(bot.room_id, "hello")
        await comparing.request()
        await bot.step(VerificationStep.COMPARE)
        assert (await bot.step(VerificationStep.ENDED)).why == "it took too long"
        await until(lambda: comparing.reasons == ["it took too long"], what="her client to know")
        assert await trust_of(connector, ann) is DeviceTrust.UNSET


async def test_a_client_that_starts_without_asking_is_understood(
    matrix_town: Town, tmp_path: Path
) -> None:
    ann, bot, vault = await meet_in_private(matrix_town, tmp_path)
    async with ann.listening(), bot.listening(Ear(), keys=vault) as connector:
        comparing = Comparing(ann, bot)
        await ann.say(bot.room_id, "hello")
        await comparing.start()
        shown = await bot.step(VerificationStep.COMPARE)
        assert marks(shown) == await comparing.symbols()
        await comparing.confirm()
        await answer(connector, shown.code)
        await bot.step(VerificationStep.VERIFIED)


async def test_strangers_old_requests_and_blocked_devices_get_no_symbols(
    matrix_town: Town, tmp_path: Path
) -> None:
    ann, bot, vault = await meet_in_private(matrix_town, tmp_path)
    async with ann.listening(), bot.listening(Ear(), keys=vault) as connector:
        await ann.say(bot.room_id, "hello")
        old = Comparing(ann, bot)
        await old.request(sent_at=time.time() - 3600)
        assert connector.devices is not None
        who, device_id = principal(ann.user_id), ann.account.device_id
        await connector.devices.decide(who, device_id, DeviceTrust.BLOCKED)
        blocked = Comparing(ann, bot)
        await blocked.request()
        await until(lambda: blocked.reasons, what="the refusal")
        await connector.devices.decide(who, device_id, DeviceTrust.UNSET)
        bot.allowed.clear()
        stranger = Comparing(ann, bot)
        await stranger.request()
        await until(lambda: stranger.reasons, what="the refusal")
        assert "ready" not in (*old.words, *blocked.words, *stranger.words)
        assert "is blocked here" in blocked.reasons[0]
        assert "this fleet's people only" in stranger.reasons[0]
        assert old.reasons == []
        assert bot.verifications == []


async def test_it_works_within_an_encrypted_room(matrix_town: Town, tmp_path: Path) -> None:
    ann, bot, vault = await meet_in_private(matrix_town, tmp_path)
    async with ann.listening(), bot.listening(Ear(), keys=vault) as connector:
        talk = _RoomTalk(ann, bot)
        await talk.request()
        shown = await bot.step(VerificationStep.COMPARE)
        await until(lambda: talk.exchange.symbols, what="her symbols")
        assert talk.exchange.symbols == shown.symbols
        await talk.say(talk.exchange.confirm())
        await answer(connector, shown.code)
        await bot.step(VerificationStep.VERIFIED)
        await until(lambda: talk.exchange.step is VerificationStep.VERIFIED, what="her side")
        assert await trust_of(connector, ann) is DeviceTrust.VERIFIED
        assert all(event["type"] == "m.room.encrypted" for event in await bot.wire())


async def test_a_request_that_was_made_before_the_bot_came_into_the_room_is_answered(
    matrix_town: Town, tmp_path: Path
) -> None:
    ann, bot, vault = await meet_in_private(matrix_town, tmp_path)
    ear = Ear()
    async with ann.listening():
        async with bot.listening(ear, keys=vault):
            await ann.say(bot.room_id, "hello")
            await until(lambda: ear.texts == ["hello"], what="her words")
        talk = _RoomTalk(ann, bot, await ann.make_room(bot.user_id))
        await talk.request()
        async with bot.listening(ear, keys=vault):
            await bot.step(VerificationStep.COMPARE)
            await until(lambda: talk.exchange.symbols, what="her symbols")
    assert ear.texts == ["hello"]


async def test_signed_from_another_client_later_the_device_is_no_longer_unsigned(
    matrix_town: Town, tmp_path: Path
) -> None:
    _, bot, vault = await meet_in_private(matrix_town, tmp_path)
    other = await private_person(
        matrix_town, await another_device(matrix_town, bot.account), tmp_path
    )
    foreign = new_identity(bot.user_id)
    await ask(other, "/keys/device_signing/upload", foreign.public_keys())
    async with bot.listening(Ear(), keys=vault) as connector:
        assert "keys that another client made" in (await connector.health()).detail
        await vouch(other, foreign, bot.account.device_id)

        async def signed() -> bool:
            return "another client" not in (await connector.health()).detail

        await until(signed, what="the note to go")


async def test_another_client_of_the_account_verifies_the_bots_device(
    matrix_town: Town, tmp_path: Path
) -> None:
    _, bot, vault = await meet_in_private(matrix_town, tmp_path)
    account = await another_device(matrix_town, bot.account)
    other = await private_person(matrix_town, account, tmp_path)
    async with other.listening(), bot.listening(Ear(), keys=vault) as connector:
        await until(lambda: _knows(other, bot), what="the bot's device to be known")
        comparing = Comparing(other, bot)
        await comparing.request()
        shown = await bot.step(VerificationStep.COMPARE)
        assert shown.asked_by == f"matrix:{bot.user_id}"
        assert marks(shown) == await comparing.symbols()
        await comparing.confirm()
        await answer(connector, shown.code)
        await bot.step(VerificationStep.VERIFIED)
        await until(lambda: comparing.trusts, what="the other client to believe it")


async def _knows(person: PrivatePerson, bot: Bot) -> bool:
    client = person.client
    client.olm.add_changed_users({bot.user_id})
    await client.keys_query()
    return bot.account.device_id in client.olm.device_store[bot.user_id]


class _RoomTalk:
    """A person's side of a verification within the bot's room."""

    def __init__(self, person: PrivatePerson, bot: Bot, room_id: str = "") -> None:
        self.person, self.bot = person, bot
        self._room_id = room_id or bot.room_id
        self.exchange: Exchange
        self._name = ""
        self._seen: set[str] = set()
        person.client.add_event_callback(self._hear, object)

    async def request(self) -> None:
        account = self.person.account
        content = {
            "msgtype": "m.key.verification.request",
            "body": "please verify",
            "to": self.bot.user_id,
            "from_device": account.device_id,
            "methods": ["m.sas.v1"],
        }
        ours = Side(
            account.user_id,
            account.device_id,
            self.person.client.olm.account.identity_keys["ed25519"],
        )
        device = self.person.client.olm.device_store[self.bot.user_id][self.bot.account.device_id]
        theirs = Side(device.user_id, device.id, device.ed25519)
        keys = tuple({f"ed25519:{side.device_id}": side.ed25519} for side in (ours, theirs))
        self._name = await self.person.send(self._room_id, content)
        self.exchange = Exchange(self._name, ours, theirs, keys, self._tie)  # type: ignore[arg-type]
        self.exchange.request(0)

    async def say(self, words: list[Word]) -> None:
        for word in words:
            await self.person.send(self._room_id, word.content, f"m.key.verification.{word.kind}")

    def _tie(self, content: dict[str, Any]) -> dict[str, Any]:
        return {**content, "m.relates_to": {"rel_type": "m.reference", "event_id": self._name}}

    async def _hear(self, _room: Any, event: Any) -> None:
        source = event.source
        if source["sender"] != self.bot.user_id or source["event_id"] in self._seen:
            return
        self._seen.add(source["event_id"])
        kind = str(source.get("type")).removeprefix("m.key.verification.")
        if kind != source.get("type"):
            await self.say(self.exchange.hear(kind, source["content"]))
