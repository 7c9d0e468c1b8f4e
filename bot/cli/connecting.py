"""``mosaic connector discord``: leads from a token to a channel in which the bot can do all that it needs.

With a person at the terminal it asks step by step; without one the words must say what cannot be found out.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from bot.cli.connector_channels import Visit
from bot.cli.connector_notes import TOKEN, Found, blocks_of, data_of, write_down
from bot.cli.connector_wishes import Wish, read_wish
from bot.cli.talk import Talk
from bot.config.credentials import Credentials
from bot.config.places import Places
from bot.config.settings import load_settings
from bot.errors import MosaicError, SetupError, UsageError, UserError
from bot.reply import Block
from connectors.discord.permissions import NEEDED, invite_link
from connectors.discord.survey import Application, Guild, Survey
from fleet.roster.file import load

_TOKEN_FORM = re.compile(r"[A-Za-z0-9_.-]{20,200}")
_TRY = "Say a word in #{}, and take it back?"
_PORTAL = "https://discord.com/developers/applications"


def connect(
    places: Places, words: Sequence[str], environ: Mapping[str, str], talk: Talk | None
) -> tuple[dict[str, Any], tuple[Block, ...]]:
    """Set the Discord connector up, or with ``--check`` look at it; return data, and what people are told.

    UserError says what is missing; ``declined`` when the person leaves. The token is never shown.
    """
    settings = load_settings(places, environ).connectors.discord
    wish = _with_channel(read_wish(words), places, settings.channel_id)
    credentials = Credentials(environ, places.secrets_directory)
    token, is_new = _token(wish, credentials, settings.api_url, talk)
    found = _look(Survey(token, settings.api_url), wish, settings.cards_channel_id, talk)
    written, notes = list[str](), tuple[str, ...]()
    if not wish.check and (talk is None or talk.agrees("\nWrite it down?")):
        kept, operators = token if is_new else None, wish.operators
        written, notes = write_down(places, found, environ, token=kept, operators=operators)
    return data_of(found, written, notes), blocks_of(found, written, notes)


def _with_channel(wish: Wish, places: Places, by_settings: str) -> Wish:
    """Let a check look at the channel in force, the roster's before that of the settings, unless one is named."""
    if not wish.check or wish.channel_id is not None:
        return wish
    roster = load(places.roster_file) if places.roster_file.exists() else None
    blocks = () if roster is None else (roster.connector, *roster.connectors)
    named = (block.discord.channel_id for block in blocks if block.discord is not None)
    return replace(wish, channel_id=next(filter(None, named), None) or by_settings or None)


# -- the steps ---------------------------------------------------------------------------------------


def _token(
    wish: Wish, credentials: Credentials, api_url: str, talk: Talk | None
) -> tuple[str, bool]:
    """Return a token that Discord knows, and whether it is to be written down."""
    if wish.token_file is not None:
        return _good_token(_read_file(Path(wish.token_file).expanduser()), api_url), True
    known = credentials.get(TOKEN)
    if known is not None and (talk is None or _is_kept(known, api_url, talk)):
        return _good_token(known, api_url), False
    if talk is None:
        raise UserError(
            "there is no token yet",
            code="no_token",
            hint=f"give --token-file FILE, or set {TOKEN} or {TOKEN}_FILE",
        )
    talk.say(
        f"\nMake an application on {_PORTAL}, open its page Bot, press Reset Token and copy it."
    )
    token = talk.ask_hidden("Token (it is not shown):", lambda said: _good_token(said, api_url))
    return token, True


def _is_kept(token: str, api_url: str, talk: Talk) -> bool:
    try:
        name = Survey(_good_token(token, api_url), api_url).bot().username
    except UserError as error:
        talk.say(f"The token that is there is no good: {error.message}.")
        return False
    return talk.agrees(f"There is a token of the bot {name}. Use it?")


def _good_token(said: str, api_url: str) -> str:
    """Return a token that Discord knows; UserError says why not, and never names it."""
    if not _TOKEN_FORM.fullmatch(said):
        raise UsageError(
            "that is no bot token: one is 20 to 200 letters, digits, dots, dashes and underscores"
        )
    Survey(said, api_url).bot()
    return said


def _read_file(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SetupError(f"--token-file: {path} cannot be read: {type(error).__name__}") from error


def _look(survey: Survey, wish: Wish, cards_in_force: str, talk: Talk | None) -> Found:
    bot, application = survey.bot(), survey.application()
    if talk is not None:
        talk.say(f"\nThe bot is {bot.username} ({bot.id}).")
        application = _with_words(survey, application, talk)
    guild = _guild(survey, application, wish, talk)
    visit = Visit(survey, application, bot, guild, talk)
    channel = visit.choose_primary(wish.channel_id)
    asks = not wish.check
    cards_id = visit.choose_cards(channel, wish.cards_channel_id, cards_in_force, asks=asks)
    primary = visit.admit(channel.id)
    cards = visit.admit(cards_id) if cards_id else None
    if primary.is_full and (talk is None or talk.agrees(_TRY.format(channel.name))):
        survey.try_out(channel.id)
    return Found(bot, application, guild, primary, cards, survey.sessions_left())


def _with_words(survey: Survey, application: Application, talk: Talk) -> Application:
    """See to it that the bot is told what people write."""
    if application.reads_words:
        return application
    talk.say(
        "The Message Content Intent is off: of what people write, the bot would hear slash commands and mentions only."
    )
    if talk.agrees("Switch it on?"):
        try:
            application = survey.switch_words_on(application)
        except MosaicError as error:
            talk.say(f"  {error.message}")
    if not application.reads_words:
        talk.say(f"Switch it on by hand: {application.page}, Privileged Gateway Intents.")
        talk.ask("Press Enter when it is on, or to go on without it.", "", str)
        application = survey.application()
    return application


def _guild(survey: Survey, application: Application, wish: Wish, talk: Talk | None) -> Guild:
    link = invite_link(application.id, wish.guild_id)
    while True:
        guilds = [one for one in survey.guilds() if wish.guild_id in {None, one.id}]
        if talk is None or guilds:
            break
        talk.say(f"\nLet the bot into your server: {link}")
        talk.say(f"It asks for the least that works: {', '.join(NEEDED)}.")
        talk.ask("Press Enter when it is in.", "", str)
    if len(guilds) == 1:
        return guilds[0]
    if not guilds:
        where = "any server" if wish.guild_id is None else f"the server {wish.guild_id}"
        raise UserError(
            f"the bot is not in {where}", code="not_in_guild", hint=f"let it in: {link}"
        )
    if talk is None:
        known = ", ".join(f"{one.id} ({one.name})" for one in guilds)
        raise UsageError(f"--guild-id is missing; the bot is in: {known}")
    chosen = talk.choose("Which server?", [(one.id, one.name) for one in guilds], guilds[0].id)
    return next(one for one in guilds if one.id == chosen)
