"""The channels of ``mosaic connector discord``: which ones are chosen, and what the bot lacks in them."""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.backlog.cards import CardStatus
from bot.cli.talk import Talk
from bot.errors import UsageError, UserError
from connectors.discord.permissions import MANAGE_CHANNELS, invite_link, missing
from connectors.discord.survey import Application, BotUser, Channel, Guild, Survey


@dataclass(frozen=True, slots=True)
class Admission:
    """A channel, and what the bot lacks there.

    ``lacking`` are permissions by name. ``untagged`` are the statuses of cards for which a forum has no tag where the
    bot may not make them. ``is_there`` is false when the server has no such channel, which has no name then.
    """

    channel: Channel
    lacking: tuple[str, ...] = ()
    untagged: tuple[str, ...] = ()
    is_there: bool = True

    @property
    def is_full(self) -> bool:
        """Whether the bot can do there all that it needs."""
        return self.is_there and not self.lacking


@dataclass(frozen=True, slots=True)
class Visit:
    """A look at one server; ``talk`` is None when there is nobody to ask."""

    survey: Survey
    application: Application
    bot: BotUser
    guild: Guild
    talk: Talk | None

    def choose_primary(self, wanted: str | None) -> Channel:
        """Return the text channel in which the bot is talked to; errors name those that there are."""
        channels = [one for one in self._channels() if not one.is_forum]
        if wanted is not None:
            return self._wanted(wanted, channels, "text channel")
        if self.talk is None:
            raise UsageError(f"--channel-id is missing; {self.guild.name} has: {_names(channels)}")
        if not channels:
            raise UserError(
                f"{self.guild.name} has no text channel that the bot can see", code="not_found"
            )
        options = [(one.id, one.label) for one in channels]
        chosen = self.talk.choose("In which channel is it talked to?", options, channels[0].id)
        return next(one for one in channels if one.id == chosen)

    def choose_cards(
        self, primary: Channel, wanted: str | None, in_force: str, *, asks: bool
    ) -> str:
        """Return the id of the text channel or forum where cards get their threads, empty when it is the primary one.

        Without a wish, and with nobody who is asked, it stays as it is ``in_force``, which may be a channel that is
        gone.
        """
        channels = self._channels()
        if wanted is not None:
            chosen = self._wanted(wanted, channels, "text channel or forum").id
        elif self.talk is not None and asks:
            chosen = _ask_for_cards(self.talk, primary, channels, in_force)
        else:
            chosen = in_force
        return "" if chosen == primary.id else chosen

    def admit(self, channel_id: str) -> Admission:
        """Return what the bot lacks in a channel; a person may give it meanwhile."""
        found = self._look_at(channel_id)
        while self.talk is not None and found.lacking:
            link = invite_link(self.application.id, self.guild.id)
            self.talk.say(f"\nIn #{found.channel.name} the bot lacks: {', '.join(found.lacking)}.")
            self.talk.say(
                f"Let it in again with them ({link}), or allow them in the channel's settings."
            )
            if not self.talk.agrees("Look again?"):
                break
            found = self._look_at(channel_id)
        return found

    # -- what Discord says -----------------------------------------------------------------------------

    def _channels(self) -> Sequence[Channel]:
        return self.survey.channels(self.guild.id)

    def _wanted(self, id: str, channels: Sequence[Channel], kind: str) -> Channel:
        found = next((one for one in channels if one.id == id), None)
        if found is None:
            raise UserError(
                f"{self.guild.name} has no {kind} {id}; it has: {_names(channels)}",
                code="not_found",
            )
        return found

    def _look_at(self, channel_id: str) -> Admission:
        found = next((one for one in self._channels() if one.id == channel_id), None)
        if found is None:
            return Admission(Channel(id=channel_id, type=-1), is_there=False)
        permissions = self.survey.permissions(self.guild.id, found, self.bot)
        untagged = () if permissions & MANAGE_CHANNELS else _untagged(found)
        return Admission(found, missing(permissions, forum=found.is_forum), untagged)


def _ask_for_cards(talk: Talk, primary: Channel, channels: Sequence[Channel], in_force: str) -> str:
    """Ask where cards get their threads; an empty answer leaves it as it is."""
    others = [one for one in channels if one.id != primary.id]
    if not others:
        return primary.id
    options = [(primary.id, f"{primary.label}, the same channel")]
    options += [(one.id, one.label) for one in others]
    is_known = in_force in {one.id for one in others}
    return talk.choose(
        "Where do cards get their threads?", options, in_force if is_known else primary.id
    )


def _untagged(channel: Channel) -> tuple[str, ...]:
    if not channel.is_forum:
        return ()
    tags = {tag.name for tag in channel.available_tags}
    return tuple(status for status in CardStatus if status not in tags)


def _names(channels: Sequence[Channel]) -> str:
    return ", ".join(f"{one.id} ({one.label})" for one in channels) or "none"
