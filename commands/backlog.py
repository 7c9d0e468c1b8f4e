"""The backlog: cards to write and read, to claim and complete, to link and block."""

from collections.abc import Callable
from datetime import timedelta
from typing import Annotated

from bot.backlog.cards import Card, CardDraft, CardFilter, CardStatus
from bot.backlog.ports import CardShelf, Claims, Dependencies, Threads
from bot.command.declare import EVERYONE, WORKERS, Call, Effect, Help, command, topic
from bot.errors import UsageError
from bot.files.uploads import CardFiles
from bot.reply import Fields, Reply, Text
from bot.supervision.pause import Standing, heeds_pause, nobody_paused, pause_data, pause_line
from commands.card_pages import (
    card_blocks,
    card_data,
    card_fields,
    cards_table,
    event_data,
    file_data,
    files_table,
    stats_data,
    stats_fields,
    token_for,
)
from commands.card_steps import card_steps
from commands.card_words import (
    Acceptance,
    AgentClass,
    AgentName,
    Body,
    CardId,
    DependsOn,
    HostName,
    Key,
    Limit,
    NewCardId,
    Owner,
    Phase,
    Priority,
    Reason,
    Seconds,
    Title,
    Token,
)


@topic("backlog", also=("fleet backlog",))
class BacklogCommands:
    """The backlog's commands (spec 3-contracts, Backlog CLI).

    A claim's token is in the answer of claim and renew, which give it to its holder; elsewhere
    ``claim_token`` is null unless the caller is the claim's owner by id, for operators too: they need
    none to complete a card. ``own_threads`` says on which kinds of platforms a thread is made for each card.
    """

    def __init__(
        self,
        shelf: CardShelf,
        claims: Claims,
        dependencies: Dependencies,
        threads: Threads | None = None,
        *,
        require_acceptance: bool = False,
        standing: Standing = nobody_paused,
        files: CardFiles | None = None,
        own_threads: Callable[[str], bool] = lambda _kind: False,
    ) -> None:
        self._own_threads = own_threads
        self._files = files
        self._require_acceptance = require_acceptance
        self._standing = standing
        self._threads = threads
        self._shelf = shelf
        self._claims = claims
        self._dependencies = dependencies

    @command("create", roles=WORKERS, effect=Effect.WRITE, form="card")
    async def create(
        self,
        call: Call,
        *,
        id: NewCardId,
        title: Title,
        body: Body | None = None,
        phase: Phase | None = None,
        priority: Priority | None = None,
        depends_on: DependsOn | None = None,
        acceptance: Acceptance = None,
        idempotency_key: Key | None = None,
        agent_class: AgentClass | None = None,
        agent: AgentName | None = None,
        host: HostName | None = None,
    ) -> Reply:
        """Write a new card.

        A repeated idempotency key answers with the card that it made, unchanged; a repeated id without its
        key is refused. Said in a room, the thread of this message becomes the card's; where cards get threads of their
        own, only a thread in which it is said does.
        """
        draft = CardDraft(
            id=id,
            title=title,
            body=body,
            phase=phase,
            priority=priority,
            depends_on=depends_on,
            acceptance=acceptance,
            idempotency_key=idempotency_key,
            agent_class=agent_class,
            agent=agent,
            host=host,
        )
        card = await self._shelf.create(draft, call.caller)
        if self._threads is not None and call.thread is not None and not self._gets_its_own(call):
            await self._threads.bind(card.id, call.thread)
        return _told(call, card, f"The backlog has card {card.id}: {card.title}")

    def _gets_its_own(self, call: Call) -> bool:
        return call.source.thread is None and self._own_threads(call.source.kind)

    @command("edit", roles=WORKERS, effect=Effect.WRITE)
    async def edit(
        self,
        call: Call,
        *,
        id: CardId,
        title: Title | None = None,
        body: Body | None = None,
        phase: Phase | None = None,
        priority: Priority | None = None,
        depends_on: DependsOn | None = None,
        acceptance: Acceptance = None,
        idempotency_key: Key | None = None,
        agent_class: AgentClass | None = None,
        agent: AgentName | None = None,
        host: HostName | None = None,
    ) -> Reply:
        """Change what a card says; what is not given stays.

        A repeated idempotency key answers with the card, unchanged.
        """
        draft = CardDraft(
            id=id,
            title=title,
            body=body,
            phase=phase,
            priority=priority,
            depends_on=depends_on,
            acceptance=acceptance,
            idempotency_key=idempotency_key,
            agent_class=agent_class,
            agent=agent,
            host=host,
        )
        card = await self._shelf.edit(draft, call.caller)
        return _told(call, card, f"Card {card.id} now says: {card.title}")

    @command("show", roles=EVERYONE)
    async def show(self, call: Call, id: CardId | None = None) -> Reply:
        """Show a card with its history; in a card's thread that card."""
        card, events = await self._shelf.show(id or await self._card_meant(call))
        data = card_data(card, token_for(call.caller, card))
        data["history"] = [event_data(event) for event in events]
        blocks = card_blocks(card, events)
        threads = [] if self._threads is None else await self._threads.find(card.id)
        if threads:
            data["threads"] = [str(thread) for thread in threads]
            blocks += (Fields(tuple(("thread", str(thread)) for thread in threads)),)
        if files := () if self._files is None else await self._files.of_card(card.id):
            data["files"] = [file_data(file) for file in files]
            blocks += (files_table(files),)
        return Reply(data, blocks, card_steps(card))

    async def _card_meant(self, call: Call) -> str:
        """Return the card in whose thread a call was made."""
        found = None
        if self._threads is not None and call.thread is not None:
            found = await self._threads.card_in(call.thread)
        if found is None:
            raise UsageError("ID is missing", hint="only in a card's own thread it may be left out")
        return found

    @command("list", roles=EVERYONE)
    async def list(
        self,
        call: Call,
        *,
        status: Annotated[CardStatus | None, Help("only cards that stand there")] = None,
        phase: Phase | None = None,
        ready_only: Annotated[bool, Help("only cards that can be claimed now")] = False,
        agent_class: AgentClass | None = None,
        agent: AgentName | None = None,
        host: HostName | None = None,
        owner: Annotated[Owner | None, Help("only cards held by; `me` is you")] = None,
        archived: Annotated[bool, Help("only cards that were put away")] = False,
        limit: Limit | None = None,
        cursor: Annotated[
            CardId | None, Help("go on after this card, the last of the page before")
        ] = None,
    ) -> Reply:
        """List cards, highest priority first, then oldest; archived ones only when asked for."""
        wanted = CardFilter(
            status=status,
            phase=phase or None,
            agent_class=agent_class or None,
            agent=agent or None,
            host=host or None,
            owner=call.caller.principal.id if owner == "me" else owner,
            ready_only=ready_only,
            archived=archived,
        )
        cards = await self._shelf.list(wanted, limit=limit, cursor=cursor)
        data = [card_data(card, token_for(call.caller, card)) for card in cards]
        if not cards:
            return Reply(data, (Text("No card is like that."),))
        if limit is not None and len(cards) == limit:
            more = Text(f"There may be more: add --cursor {cards[-1].id}")
            return Reply(data, (cards_table(cards), more))
        return Reply(data, (cards_table(cards),))

    @command("claim", roles=WORKERS, effect=Effect.WRITE, private=True)
    async def claim(
        self, call: Call, *, owner: Owner, ttl: Seconds = 900, id: CardId | None = None
    ) -> Reply:
        """Claim the best card that is ready and whose dependencies are done, or the one named.

        The answer's claim_token is what renew, release and complete ask for. Nothing claimable is no error,
        and while a pause stands nothing is for an agent: the answer then says `paused`.
        """
        holder = call.caller.principal.id if owner == "me" else owner
        card = await self._claims.claim(holder, timedelta(seconds=ttl), id, call.caller)
        if card is None:
            return Reply(None, (Text(await self._why_none(call, id)),))
        told = Text(f"{card.claim_owner} holds {card.id} for {ttl} s; token {card.claim_token}")
        return Reply(card_data(card, card.claim_token), (told, card_fields(card)), card_steps(card))

    async def _why_none(self, call: Call, id: str | None) -> str:
        pause = await self._standing() if heeds_pause(call.caller.principal) else None
        if pause is not None:
            return pause.notice()
        return "Nothing is claimable." if id is None else f"Card {id} is not claimable."

    @command("renew", roles=WORKERS, effect=Effect.WRITE, private=True)
    async def renew(
        self, call: Call, id: CardId, *, token: Token, ttl: Seconds | None = None
    ) -> Reply:
        """Let a claim's time run anew, by default as long as before."""
        duration = None if ttl is None else timedelta(seconds=ttl)
        card = await self._claims.renew(id, token, duration, call.caller)
        told = Text(f"{card.claim_owner} holds {card.id} for another {card.claim_ttl_seconds} s.")
        return Reply(card_data(card, card.claim_token), (told,))

    @command("release", roles=WORKERS, effect=Effect.WRITE)
    async def release(self, call: Call, id: CardId, *, token: Token) -> Reply:
        """Give a claimed card back."""
        card = await self._claims.release(id, token, call.caller)
        return _told(call, card, f"Card {card.id} is ready again.")

    @command("reclaim", roles=WORKERS, effect=Effect.WRITE)
    async def reclaim(
        self,
        call: Call,
        *,
        id: Annotated[CardId | None, Help("this card, though its claim may have time left")] = None,
    ) -> Reply:
        """End claims whose time is over, or one claim at once."""
        ids = list(await self._claims.reclaim(id, call.caller))
        if ids:
            text = f"Ready again: {', '.join(ids)}"
        else:
            text = "No claim is over." if id is None else f"Nobody holds card {id}."
        return Reply({"reclaimed": ids}, (Text(text),))

    @command("link", roles=WORKERS, effect=Effect.WRITE)
    async def link(
        self,
        call: Call,
        *,
        from_: Annotated[CardId, Help("the card that waits")],
        to: Annotated[CardId, Help("the card that it waits for")],
    ) -> Reply:
        """Make a card wait for another; a cycle is refused and named."""
        card = await self._dependencies.link(from_, to, call.caller)
        return _told(call, card, f"Card {from_} waits for {to}.")

    @command("unlink", roles=WORKERS, effect=Effect.WRITE)
    async def unlink(
        self,
        call: Call,
        *,
        from_: Annotated[CardId, Help("the card that waits")],
        to: Annotated[CardId, Help("the card that it waits for")],
    ) -> Reply:
        """Let a card wait for another no longer."""
        card = await self._dependencies.unlink(from_, to, call.caller)
        return _told(call, card, f"Card {from_} does not wait for {to}.")

    @command("block", roles=WORKERS, effect=Effect.WRITE)
    async def block(self, call: Call, *, id: CardId, reason: Reason | None = None) -> Reply:
        """Hold a card back, which ends its claim."""
        card = await self._dependencies.block(id, reason or None, call.caller)
        return _told(call, card, f"Card {card.id} is blocked.")

    @command("unblock", roles=WORKERS, effect=Effect.WRITE)
    async def unblock(self, call: Call, *, id: CardId, reason: Reason | None = None) -> Reply:
        """Make a blocked card ready."""
        card = await self._dependencies.unblock(id, call.caller, reason or None)
        return _told(call, card, f"Card {card.id} is ready.")

    @command("complete", roles=WORKERS, effect=Effect.WRITE)
    async def complete(
        self,
        call: Call,
        *,
        id: CardId,
        token: Token | None = None,
        checked: Annotated[bool, Help("only if its checklist is met")] = False,
    ) -> Reply:
        """Mark a card done; an agent must give its claim's token."""
        checked = checked or self._require_acceptance
        card = await self._claims.complete(id, token, call.caller, checked=checked)
        return _told(call, card, f"Card {card.id} is done.")

    @command("stats", roles=EVERYONE)
    async def stats(self, call: Call) -> Reply:
        """Show the backlog in numbers."""
        stats, pause = await self._shelf.stats(), await self._standing()
        data = {**stats_data(stats), "paused": pause_data(pause)}
        return Reply(data, (*pause_line(pause), stats_fields(stats)))


def _told(call: Call, card: Card, sentence: str) -> Reply:
    return Reply(card_data(card, token_for(call.caller, card)), (Text(sentence),), card_steps(card))
