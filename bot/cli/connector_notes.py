"""What was found of the bot on Discord: written down, and told to the person who set it up."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.cli.beginning import with_operators, write_settings
from bot.config.credentials import kept_file
from bot.config.places import Places, default_socket_name
from bot.reply import Block, Fields, Text
from connectors.discord.permissions import invite_link
from connectors.discord.survey import Application, BotUser, Channel, Guild
from fleet.private_files import write_private
from fleet.roster.edit import set_connector
from fleet.roster.file import demo_roster
from fleet.roster.store import RosterStore

TOKEN = "DISCORD_BOT_TOKEN"  # noqa: S105 - a variable's name


@dataclass(frozen=True, slots=True)
class Found:
    """What Discord says of the bot and of the channel that was chosen; ``lacking`` are permissions by name."""

    bot: BotUser
    application: Application
    guild: Guild
    channel: Channel
    lacking: tuple[str, ...]
    sessions_left: int

    @property
    def works(self) -> bool:
        """Whether everything is there that the bot needs."""
        return self.application.reads_words and not self.lacking and self.sessions_left > 0


def write_down(
    places: Places,
    found: Found,
    environ: Mapping[str, str],
    *,
    token: str | None,
    operators: tuple[str, ...],
) -> tuple[list[str], tuple[str, ...]]:
    """Keep the token, if there is a new one, name the channel in the roster and the operators in the settings.

    Returns the files that were written, and what a person must still write. Errors are those of the roster's file.
    """
    places.prepare()
    written = [] if token is None else [_keep_token(places, token)]
    if not places.roster_file.exists():
        roster = demo_roster(default_socket_name(places, environ))
        places.roster_file.write_text(roster, encoding="utf-8")
    keys = {"guild_id": found.guild.id, "channel_id": found.channel.id}
    store = RosterStore(places)
    asyncio.run(store.change(lambda text: set_connector(text, "discord", keys)))
    written.append(str(places.roster_file))
    settings, notes = with_operators(places, operators)
    if settings is not None:
        write_settings(places, settings)
        written.append(str(places.settings_file))
    return written, notes


def _keep_token(places: Places, token: str) -> str:
    places.secrets_directory.mkdir(mode=0o700, exist_ok=True)
    file = kept_file(places.secrets_directory, TOKEN)
    write_private(file, f"{token}\n")
    return str(file)


def data_of(found: Found, written: list[str], notes: tuple[str, ...]) -> dict[str, Any]:
    """Return what ``--json`` prints."""
    return {
        "bot": {"id": found.bot.id, "name": found.bot.username},
        "guild": {"id": found.guild.id, "name": found.guild.name},
        "channel": {"id": found.channel.id, "name": found.channel.name},
        "message_content": found.application.reads_words,
        "missing_permissions": list(found.lacking),
        "sessions_left": found.sessions_left,
        "invite": invite_link(found.application.id, found.guild.id),
        "works": found.works,
        "written": written,
        "notes": list(notes),
    }


def blocks_of(found: Found, written: list[str], notes: tuple[str, ...]) -> tuple[Block, ...]:
    """Return what people read."""
    words = "told" if found.application.reads_words else f"not told: {found.application.page}"
    pairs = (
        ("bot", f"{found.bot.username} ({found.bot.id})"),
        ("server", f"{found.guild.name} ({found.guild.id})"),
        ("channel", f"#{found.channel.name} ({found.channel.id})"),
        ("people's words", words),
        ("permissions", f"missing: {', '.join(found.lacking)}" if found.lacking else "all there"),
        ("connections left today", str(found.sessions_left)),
    )
    lines = [*(f"Written: {file}" for file in written), *notes]
    if written:
        lines.append("Next: mosaic up, or mosaic restart when it runs")
    return (Fields(pairs), *((Text("\n".join(lines)),) if lines else ()))
