"""Agents' mail: one agent, or a person, writes to an agent and learns whether its program took it."""

import uuid
from dataclasses import replace
from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import Field

from bot.backlog.card_prompt import without_token
from bot.command.declare import EVERYONE, OPERATORS, Call, Effect, Help, Rest, command, topic
from bot.errors import UserError
from bot.mail.post import Item, Post, spoken, spoken_principal
from bot.mail.post_office import PostOffice
from bot.model import Address, Message, MessageKind, Principal, Queueing, derived_id
from bot.ports import Correspondence, Fleet
from bot.reply import Block, Reply, Table, Text, say
from commands.agent_words import AgentName
from commands.mail import MessageId, Story, find_message

LONGEST_TEXT = 64_000

Body = Annotated[
    str,
    Field(min_length=1, max_length=LONGEST_TEXT),
    Rest(),
    Help("what is said; at the command line `-` takes it from standard input"),
]
Host = Annotated[
    str,
    Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$"),
    Help("the agent's host, when the roster here does not say it"),
]
Tag = Annotated[
    str,
    Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,31}$"),
    Help("what sort of message it is: question, report, blocker, handoff"),
]
Verify = Annotated[bool, Help("wait until it is known whether its program has the message")]
Wait = Annotated[
    float, Field(ge=0, le=600, allow_inf_nan=False), Help("with --verify: for how many seconds")
]
When = Annotated[
    Literal["when-idle", "now"], Help("when-idle: at its empty prompt; now: while it works too")
]
Limit = Annotated[int, Field(ge=1, le=500), Help("how many at most, the newest ones")]
_SHOWN = 60


@topic("agent")
class PostCommands:
    """Mail between agents (spec 3-contracts, Fleet and agents)."""

    def __init__(
        self, office: PostOffice, post: Post, correspondence: Correspondence, fleet: Fleet
    ) -> None:
        self._office = office
        self._post = post
        self._correspondence = correspondence
        self._fleet = fleet
        self._story = Story(correspondence, post)

    @command("send", roles=EVERYONE, effect=Effect.WRITE, patience="wait")
    async def send(
        self,
        call: Call,
        name: AgentName,
        text: Body,
        *,
        host: Host | None = None,
        verify: Verify = False,
        class_: Tag = "chat",
        wait: Wait = 30.0,
        queue: When = "when-idle",
    ) -> Reply:
        """Write to an agent; the receipt says whether its program really took the message."""
        draft = self._draft(call, self._fleet.address(name, host), text)
        draft = replace(draft, tag=class_, queueing=Queueing(queue))
        message = await self._office.send(call.caller.principal, draft)
        return await self._sent(message, timedelta(seconds=wait if verify else 0))

    @command("interrupt", roles=OPERATORS, effect=Effect.WRITE, patience="wait")
    async def interrupt(
        self,
        call: Call,
        name: AgentName,
        text: Body,
        *,
        host: Host | None = None,
        wait: Wait = 30.0,
    ) -> Reply:
        """Write to an agent at once: the turn that it is at is ended first, by its own key."""
        draft = self._draft(call, self._fleet.address(name, host), text)
        draft = replace(draft, tag="interrupt", queueing=Queueing.INTERRUPT)
        message = await self._office.send(call.caller.principal, draft)
        return await self._sent(message, timedelta(seconds=wait))

    @command("receipt", roles=EVERYONE)
    async def receipt(self, call: Call, message_id: MessageId) -> Reply:
        """Show what is known of a message to an agent, at any time later."""
        message = await find_message(self._correspondence, message_id)
        return await self._receipt(message, timedelta(0))

    @command("inbox", roles=EVERYONE, private=True)
    async def inbox(self, call: Call, name: AgentName | None = None, *, limit: Limit = 50) -> Reply:
        """Show mail to an agent, and what came of its own; without a name, yours."""
        reader, place = self._reader(call.caller.principal, name)
        items = await self._post.inbox(reader, place, limit)
        if not items:
            return say("Nothing is in the inbox.", [])
        if call.caller.principal.platform != "agent":
            items = [_for_others(item) for item in items]
        rows = tuple(_row(item) for item in items)
        table = Table(("message", "from", "to", "state", "text", "answer"), rows)
        blocks: tuple[Block, ...] = (table, Text("`agent ack ID` puts one away."))
        return Reply([_item_data(item) for item in items], blocks)

    @command("ack", roles=EVERYONE, effect=Effect.WRITE)
    async def ack(self, call: Call, message_id: MessageId) -> Reply:
        """Put a message, or the answer to one of yours, out of your inbox."""
        message = await find_message(self._correspondence, message_id)
        reader = call.caller.principal.id
        if reader not in {message.author, str(message.to)}:
            raise UserError(
                f"the message {message.id} is neither to you nor from you", code="forbidden"
            )
        await self._post.acknowledge(message.id, reader)
        data = {"message_id": message.id, "acknowledged": True}
        return Reply(data, (Text(f"{message.id} is put away."),))

    # -- steps -----------------------------------------------------------------------------------------

    def _draft(self, call: Call, to: Address, text: str) -> Message:
        if not text.strip():
            raise UserError("text: there is nothing in it", code="usage")
        return Message(
            # A chat event that is handled twice is one message; every other call is one of its own.
            id=derived_id("post", call.id) if call.thread is not None else uuid.uuid4().hex,
            to=to,
            kind=MessageKind.MAIL,
            blocks=(Text(text),),
            origin=call.thread,
            origin_event=call.event_id,
        )

    async def _sent(self, message: Message, within: timedelta) -> Reply:
        """Return what is known by then; what becomes of it later is shown on the event that asked."""
        return replace(await self._receipt(message, within), goes_on=True)

    async def _receipt(self, message: Message, within: timedelta) -> Reply:
        receipts = await self._office.follow(message.id, within)
        return await self._story.tell(message, receipts)

    def _reader(self, principal: Principal, name: str | None) -> tuple[str, str]:
        """Return whose inbox is meant: a principal's id, and the place of one that is an agent."""
        own = principal.id.partition(":")[2] if principal.platform == "agent" else ""
        if name is None:
            return principal.id, own
        address = self._fleet.address(name, None)
        if own and address.place != own:
            raise UserError(f"the inbox of {name} is not yours", code="forbidden")
        return str(address), address.place


def _for_others(item: Item) -> Item:
    """Return an item as people may read it: a claim's token is its agent's alone."""
    text = Text(without_token(_text(item.message)))
    return replace(item, message=replace(item.message, blocks=(text,)))


def _item_data(item: Item) -> dict[str, Any]:
    return {
        "message_id": item.message.id,
        "from": spoken_principal(item.message.author),
        "to": spoken(item.message.to.place),
        "class": item.message.tag,
        "text": _text(item.message),
        "files": [file.name for file in item.message.files],
        "state": item.state,
        "answer": item.answer,
        "reason": item.reason,
        "at": item.at.isoformat(),
    }


def _row(item: Item) -> tuple[str, ...]:
    data = _item_data(item)
    return (
        item.message.id[:8],
        data["from"],
        data["to"],
        str(item.state),
        _short(data["text"]),
        _short(item.answer or item.reason or ""),
    )


def _text(message: Message) -> str:
    return "\n".join(block.text for block in message.blocks if isinstance(block, Text))


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _SHOWN else f"{line[: _SHOWN - 1]}…"
