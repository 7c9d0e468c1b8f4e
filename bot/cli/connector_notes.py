"""What was found of the bot on Discord: written down, and told to the person who set it up."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.cli.beginning import with_operators, with_section, write_settings
from bot.cli.connector_channels import Admission
from bot.config.credentials import kept_file
from bot.config.places import Places, default_socket_name
from bot.config.settings import load_settings, variable
from bot.reply import Block, Fields, Text
from connectors.discord.permissions import invite_link
from connectors.discord.survey import Application, BotUser, Guild
from fleet.private_files import write_private
from fleet.roster.edit import set_connector
from fleet.roster.file import demo_roster
from fleet.roster.store import RosterStore

TOKEN = "DISCORD_BOT_TOKEN"  # noqa: S105 - a variable's name
_CARDS_CHANNEL = ("connectors", "discord", "cards_channel_id")


@dataclass(frozen=True, slots=True)
class Found:
    """What Discord says of the bot and of the channels that were chosen.

    ``cards`` is where cards get their threads, None when that is the primary channel.
    """

    bot: BotUser
    application: Application
    guild: Guild
    primary: Admission
    cards: Admission | None
    sessions_left: int

    @property
    def admissions(self) -> tuple[Admission, ...]:
        """The channels, each once."""
        return (self.primary,) if self.cards is None else (self.primary, self.cards)

    @property
    def works(self) -> bool:
        """Whether everything is there that the bot needs."""
        can_work = all(one.is_full for one in self.admissions)
        return self.application.reads_words and can_work and self.sessions_left > 0


def write_down(
    places: Places,
    found: Found,
    environ: Mapping[str, str],
    *,
    token: str | None,
    operators: tuple[str, ...],
) -> tuple[list[str], tuple[str, ...]]:
    """Keep the token, if there is a new one; name the channel in the roster, the operators and the cards' in the settings.

    Returns the files that were written, and what a person must still write. Errors are those of the roster's file.
    """
    places.prepare()
    written = [] if token is None else [_keep_token(places, token)]
    if not places.roster_file.exists():
        roster = demo_roster(default_socket_name(places, environ))
        places.roster_file.write_text(roster, encoding="utf-8")
    keys = {"guild_id": found.guild.id, "channel_id": found.primary.channel.id}
    store = RosterStore(places)
    asyncio.run(store.change(lambda text: set_connector(text, "discord", keys)))
    written.append(str(places.roster_file))
    changed, notes = _keep(places, *with_operators(places, operators))
    too, more = _keep(places, *_with_cards_channel(places, found, environ))
    written += [str(places.settings_file)] if changed or too else []
    return written, (*notes, *more, *_first_steps(places, environ, operators))


def _first_steps(
    places: Places, environ: Mapping[str, str], operators: tuple[str, ...]
) -> tuple[str, ...]:
    """Return what a person must do when nobody on Discord may say anything to the fleet yet."""
    access = load_settings(places, environ).access
    known = (*operators, *access.operators, *access.members)
    if any(one.startswith("discord:") for one in known):
        return ()
    return ("nobody on Discord is an operator yet: give --operators ID, or link an account there",)


def _keep(places: Places, text: str | None, notes: tuple[str, ...]) -> tuple[bool, tuple[str, ...]]:
    if text is not None:
        write_settings(places, text)
    return text is not None, notes


def _with_cards_channel(
    places: Places, found: Found, environ: Mapping[str, str]
) -> tuple[str | None, tuple[str, ...]]:
    """Return mosaic.toml with the channel of the cards, or None and what a person must write, which may be nothing."""
    in_force = load_settings(places, environ).connectors.discord.cards_channel_id
    primary = found.primary.channel.id
    wanted = "" if found.cards is None else found.cards.channel.id
    if (wanted or primary) == (in_force or primary):
        return None, ()
    name = variable(_CARDS_CHANNEL)
    if name in environ:
        said = f"set it to {wanted}" if wanted else "take it away"
        return None, (f"{name} says {in_force} and goes before {places.settings_file}; {said}",)
    *section, key = _CARDS_CHANNEL
    return with_section(places, ".".join(section), f'{key} = "{wanted}"')


def _keep_token(places: Places, token: str) -> str:
    places.secrets_directory.mkdir(mode=0o700, exist_ok=True)
    file = kept_file(places.secrets_directory, TOKEN)
    write_private(file, f"{token}\n")
    return str(file)


def data_of(found: Found, written: list[str], notes: tuple[str, ...]) -> dict[str, Any]:
    """Return what ``--json`` prints."""
    primary, cards = found.primary, found.cards
    return {
        "bot": {"id": found.bot.id, "name": found.bot.username},
        "guild": {"id": found.guild.id, "name": found.guild.name},
        "channel": _channel_data(primary),
        "cards_channel": None if cards is None else _channel_data(cards),
        "message_content": found.application.reads_words,
        "missing_permissions": list(primary.lacking),
        "cards_missing_permissions": [] if cards is None else list(cards.lacking),
        "sessions_left": found.sessions_left,
        "invite": invite_link(found.application.id, found.guild.id),
        "works": found.works,
        "written": written,
        "notes": [*_advice(found), *notes],
    }


def _channel_data(one: Admission) -> dict[str, str | None]:
    """Return its id and name; a channel that the server does not have has none."""
    return {"id": one.channel.id, "name": one.channel.name if one.is_there else None}


def blocks_of(found: Found, written: list[str], notes: tuple[str, ...]) -> tuple[Block, ...]:
    """Return what people read."""
    words = "told" if found.application.reads_words else f"not told: {found.application.page}"
    lacking = [
        f"missing in #{one.channel.name}: {', '.join(one.lacking)}"
        for one in found.admissions
        if one.lacking
    ]
    pairs = (
        ("bot", f"{found.bot.username} ({found.bot.id})"),
        ("server", f"{found.guild.name} ({found.guild.id})"),
        ("channel", _shown(found.primary)),
        ("threads of cards", "the same channel" if found.cards is None else _shown(found.cards)),
        ("people's words", words),
        ("permissions", "; ".join(lacking) or "all there"),
        ("connections left today", str(found.sessions_left)),
    )
    lines = [*(f"Written: {file}" for file in written), *_advice(found), *notes]
    if written:
        lines.append("Next: mosaic up, or mosaic restart when it runs")
    return (Fields(pairs), *((Text("\n".join(lines)),) if lines else ()))


def _shown(one: Admission) -> str:
    return f"{one.channel.label} ({one.channel.id})" if one.is_there else f"{one.channel.id}, gone"


def _advice(found: Found) -> tuple[str, ...]:
    """Return what a person may do about the channel of the cards."""
    if found.cards is None:
        return ()
    channel, untagged = found.cards.channel, ", ".join(found.cards.untagged)
    if not found.cards.is_there:
        gone = f"{found.guild.name} has no text channel or forum {channel.id} for threads of cards"
        return (f"{gone}: choose one with --cards-channel-id",)
    if not untagged:
        return ()
    lacks = f"#{channel.name} has no tags for cards that are {untagged}"
    return (f"{lacks}: the bot makes them only with Manage Channels there; else make them by hand",)
