"""The ports LinkRequests and Links, for every implementation."""

import asyncio
from datetime import timedelta

from bot.model import Address, Principal
from bot.persons import LinkRequest
from tests.stages.mailroom import Mailroom, letter

ANN = Principal("matrix:@ann:example.org", "Ann")
ANNIE = Principal("discord:1234", "annie")
OFFICE = Principal("matrix:@ann:office.example", "Ann at work")
EVE = Principal("discord:666", "Ann")
MINUTE = timedelta(minutes=1)
OPS = Address("matrix", "!ops:example.org", "$root")


def request(code: str = "AAAABBBB", by: Principal = ANN) -> LinkRequest:
    return LinkRequest(code, by, OPS, "$asked")


async def link(mailroom: Mailroom, one: Principal, other: Principal, code: str) -> None:
    await mailroom.requests.ask(request(code, one), MINUTE)
    assert await mailroom.requests.say(code, other, [])
    assert await mailroom.requests.settle(code, one.id, agreed=True)


async def of(mailroom: Mailroom, principal: Principal) -> set[str]:
    return set((await mailroom.links.persons()).of(principal.id))


async def test_a_code_is_found_with_whom_it_is_bound_to(mailroom: Mailroom) -> None:
    await mailroom.requests.ask(request(), MINUTE)
    assert await mailroom.requests.find("AAAABBBB") == request()
    assert await mailroom.requests.find("AAAABBBC") is None


async def test_the_newest_code_of_a_principal_counts(mailroom: Mailroom) -> None:
    await mailroom.requests.ask(request(), MINUTE)
    await mailroom.requests.say("AAAABBBB", ANNIE, [])
    await mailroom.requests.ask(request("CCCCDDDD"), MINUTE)
    assert await mailroom.requests.find("AAAABBBB") is None
    assert await mailroom.requests.find("CCCCDDDD") == request("CCCCDDDD"), "nobody has said it"


async def test_an_expired_code_is_good_for_nothing(mailroom: Mailroom) -> None:
    await mailroom.requests.ask(request(), timedelta(0))
    assert await mailroom.requests.find("AAAABBBB") is None
    assert not await mailroom.requests.say("AAAABBBB", ANNIE, [])
    assert await mailroom.requests.settle("AAAABBBB", ANN.id, agreed=True) is None


async def test_a_code_is_said_by_one_and_what_is_told_of_it_is_stored_with_that(
    mailroom: Mailroom,
) -> None:
    await mailroom.requests.ask(request(), MINUTE)
    said = await asyncio.gather(
        *(mailroom.requests.say("AAAABBBB", who, [letter(who.name)]) for who in (ANNIE, OFFICE))
    )
    assert sorted(said) == [False, True]
    winner, loser = (ANNIE, OFFICE) if said[0] else (OFFICE, ANNIE)
    found = await mailroom.requests.find("AAAABBBB")
    assert found is not None
    assert found.said_by == winner
    assert await mailroom.correspondence.message(winner.name) is not None
    assert await mailroom.correspondence.message(loser.name) is None


async def test_nobody_says_their_own_code(mailroom: Mailroom) -> None:
    await mailroom.requests.ask(request(), MINUTE)
    assert not await mailroom.requests.say("AAAABBBB", ANN, [letter("told")])
    assert await mailroom.correspondence.message("told") is None


async def test_the_last_word_is_its_owners_once_and_after_it_was_said(mailroom: Mailroom) -> None:
    await mailroom.requests.ask(request(), MINUTE)
    assert await mailroom.requests.settle("AAAABBBB", ANN.id, agreed=True) is None
    await mailroom.requests.say("AAAABBBB", ANNIE, [])
    assert await mailroom.requests.settle("AAAABBBB", ANNIE.id, agreed=True) is None
    takes = [mailroom.requests.settle("AAAABBBB", ANN.id, agreed=True) for _ in range(4)]
    taken = [one for one in await asyncio.gather(*takes) if one is not None]
    assert [one.said_by for one in taken] == [ANNIE]
    assert await of(mailroom, ANN) == await of(mailroom, ANNIE) == {ANN.id, ANNIE.id}


async def test_who_is_refused_is_not_linked(mailroom: Mailroom) -> None:
    await mailroom.requests.ask(request(), MINUTE)
    await mailroom.requests.say("AAAABBBB", EVE, [])
    refused = await mailroom.requests.settle("AAAABBBB", ANN.id, agreed=False)
    assert refused is not None
    assert refused.said_by == EVE
    assert await of(mailroom, ANN) == {ANN.id}
    assert await mailroom.requests.find("AAAABBBB") is None


async def test_a_link_brings_everybody_of_both_together_and_parting_takes_one_out(
    mailroom: Mailroom,
) -> None:
    await link(mailroom, ANN, ANNIE, "AAAABBBB")
    await link(mailroom, OFFICE, ANNIE, "CCCCDDDD")
    everybody = {ANN.id, ANNIE.id, OFFICE.id}
    assert await of(mailroom, ANN) == await of(mailroom, OFFICE) == everybody
    assert await mailroom.links.part(ANNIE.id)
    assert await of(mailroom, ANNIE) == {ANNIE.id}
    assert await of(mailroom, ANN) == {ANN.id, OFFICE.id}
    assert await mailroom.links.part(OFFICE.id)
    assert not (await mailroom.links.persons()).accounts(ANN.id), "nobody is left to be linked with"
    assert not await mailroom.links.part(ANN.id)
    assert not await mailroom.links.part(EVE.id)


async def test_links_of_one_person_at_the_same_time_end_in_one_person(mailroom: Mailroom) -> None:
    others = [Principal(f"discord:{number}", str(number)) for number in range(6)]
    for number, other in enumerate(others):
        await mailroom.requests.ask(request(f"CODE000{number}", other), MINUTE)
        await mailroom.requests.say(f"CODE000{number}", ANN, [])
    agreed = [
        mailroom.requests.settle(f"CODE000{number}", other.id, agreed=True)
        for number, other in enumerate(others)
    ]
    await asyncio.gather(*agreed)
    assert await of(mailroom, ANN) == {ANN.id, *(other.id for other in others)}


async def test_names_are_those_of_the_platform(mailroom: Mailroom) -> None:
    await link(mailroom, ANN, ANNIE, "AAAABBBB")
    persons = await mailroom.links.persons()
    assert persons.name_on("matrix", ANNIE) == "Ann"
    assert persons.name_on("discord", ANN) == "annie"
    assert persons.name_on("tmux", ANN) == "Ann"
    assert persons.name_on("matrix", EVE) == "Ann"
