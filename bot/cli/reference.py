"""Makes what is generated from the declarations: the command table and docs/reference (``make docs``).

``python -m bot.cli.reference`` writes, ``python -m bot.cli.reference --check`` only says what is out of date.
"""

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from bot.cli.client import exit_status
from bot.command.allowed import allowed_values
from bot.command.catalog import Command, read_topic
from bot.config.settings import Section, Settings, settings_keys, variable
from bot.errors import (
    ConfirmationRequired,
    MosaicError,
    SetupError,
    TransientError,
    UsageError,
    UserError,
)
from bot.render.readability import grade, words
from bot.wiring.topics import TOPICS
from fleet.personas.contracts import Contract, shipped_contract
from fleet.personas.persona import shipped_classes
from web.problems import STATUS_OF_CODE, status_of
from web.routes import ROUTES

ROOT = Path(__file__).parents[2]
_GENERATED = "<!-- Made by `make docs` from the declarations in the code; change those. -->\n"

ALONE = frozenset({"declined", "no_token", "wrong_token", "not_in_guild", "not_running"})
"""Codes of the command line alone, which HTTP never answers with."""

CODES: Mapping[str, tuple[type[MosaicError] | None, str]] = {
    "usage": (UsageError, "The words or the body do not fit the command; the message says what is allowed."),
    "unknown_command": (UsageError, "No command is called so; the message names the nearest one."),
    "refused": (UserError, "What was asked cannot be done as asked."),
    "failed": (MosaicError, "It did not work; the message says why."),
    "forbidden": (UserError, "The policy denies it; the hint names the rule, and `why` says more."),
    "invalid": (UserError, "A value is not allowed; the message names its field and what is."),
    "not_found": (UserError, "What was named does not exist."),
    "unknown_agent": (UserError, "The roster names no such agent."),
    "paused": (UserError, "A pause stands; the message says whose, since when and why."),
    "withdrawn": (UserError, "The message was taken back before it was typed, or its delivery has ended."),
    "gone": (UserError, "What was named is not there any more, such as a file's bytes or a thread on Discord."),
    "damaged": (UserError, "An encrypted file is not the one that was sent."),
    "changed": (UserError, "The file changed while it was read."),
    "quota": (UserError, "The folder of the card or the inbox is full; the message names the limit."),
    "type": (UserError, "Files of this type are not taken, or it is not of the type that it says."),
    "nobody_waits": (UserError, "No conversation is open into which a file could go."),
    "crash_loop": (UserError, "The agent ended again and again; it is not started again by itself yet."),
    "dead": (UserError, "The agent does not run."),
    "no_dialog": (UserError, "The agent's program shows no dialog, so no key is pressed."),
    "a_person": (UserError, "Mail is for agents; a person is reached by answering."),
    "other_dialog": (UserError, "Another dialog is open than the one announced, so no key is pressed."),
    "offer_expired": (UserError, "The time of an offer below a message is over."),
    "confirmation_expired": (UserError, "The yes came too late; nothing was done."),
    "offer_taken": (UserError, "Of a message's offers one was chosen before."),
    "no_rooms": (UserError, "No platform where the bot can make rooms is open now."),
    "other_plan": (UserError, "The rooms are not as they were when the plan was shown."),
    "own_address": (UserError, "An agent does not write to itself."),
    "hop_budget": (UserError, "The chain that this mail belongs to has spent its budget ([mail] hop_budget)."),
    "pair_budget": (UserError, "The two agents have spent theirs ([mail] pair_budget)."),
    "unknown_card": (UserError, "No card has this id."),
    "card_exists": (UserError, "A card has this id already, under another idempotency key or none."),
    "key_taken": (UserError, "The idempotency key belongs to a card with another id."),
    "self_link": (UserError, "A card cannot depend on itself."),
    "cycle": (UserError, "The link would close a cycle; the message names it."),
    "stale_token": (UserError, "The claim's token is of an earlier attempt."),
    "token_required": (UserError, "An agent must give its claim's token."),
    "in_use": (UserError, "Other cards depend on it."),
    "not_accepted": (UserError, "Items of the card's checklist are open."),
    "not_undoable": (UserError, "The last change cannot be had back; the message says why."),
    "needed_agent": (UserError, "The fleet needs this agent: it is the only one of its class."),
    "wrong_file": (UserError, "A file of yours cannot be used; the message names the line."),
    "wrong_status": (UserError, "The card's status does not allow it."),
    "interactive_auth": (UserError, "The homeserver wants a person's password for this."),
    "unknown_verification": (UserError, "No verification shows symbols under this code (any more)."),
    "wrong_fingerprint": (UserError, "The device has another fingerprint than the one that was given."),
    "unknown_device": (UserError, "Nobody knows such a device of that person."),
    "encrypted_room": (UserError, "Nothing is said in clear text in an encrypted room."),
    "M_TOO_LARGE": (UserError, "The homeserver takes no event of this size."),
    "declined": (UserError, "A person was asked and did not say yes (the command line alone says so)."),
    "same_person": (UserError, "The two accounts are linked already, or are one."),
    "no_token": (UserError, "No bot token was given (the command line alone says so)."),
    "wrong_token": (UserError, "Discord does not know the bot's token (the command line alone says so)."),
    "not_in_guild": (UserError, "The bot is not in the server yet; the hint is its link (the command line alone says so)."),
    "unknown_token": (UserError, "The bearer token is not known here."),
    "already_running": (UserError, "A daemon runs in this home already; the message names its pid."),
    "wrong_method": (UserError, "This address takes another HTTP method."),
    "too_large": (UserError, "It is larger than the limit; the message names both. A body may have 16 MiB."),
    "confirmation_required": (ConfirmationRequired, "The command is destructive and waits for a yes."),
    "unavailable": (TransientError, "The other side is away or busy; the same call may work later."),
    "setup": (SetupError, "A part cannot work until a person changes something."),
    "not_running": (None, "The daemon does not run (the command line alone says so)."),
    "bug": (None, "Something that nobody foresaw; the log has the details under the reference."),
}  # fmt: skip
"""Every code that an error may bear, with the class that decides how it is handled."""


def all_commands() -> tuple[Command, ...]:
    """Return every declared command, in the order of the topics."""
    return tuple(command for topic in TOPICS for command in read_topic(topic))


def documents() -> dict[Path, str]:
    """Return every generated file's path with what it must hold."""
    reference = ROOT / "docs" / "reference"
    return {
        ROOT / "bot" / "cli" / "command_table.json": command_table(all_commands()),
        reference / "commands.md": _commands_page(all_commands()),
        reference / "http.md": _http_page(),
        reference / "errors.md": _errors_page(),
        reference / "settings.md": _settings_page(),
        reference / "personas.md": _personas_page(),
    }


def command_table(commands: Iterable[Command]) -> str:
    """Return the table that the cold command line reads, one command a line."""
    lines = [json.dumps(_entry(command), ensure_ascii=False) for command in commands]
    return '{"commands": [\n' + ",\n".join(lines) + "\n]}\n"


def _entry(command: Command) -> dict[str, Any]:
    permitted = allowed_values(command)
    return {
        "name": command.name,
        "also": list(command.also),
        "summary": command.summary,
        "details": command.details,
        "usage": command.grammar.usage,
        "roles": sorted(command.roles),
        "effect": command.effect,
        "confirm": command.confirm,
        "parameters": [
            {
                "name": parameter.name,
                "written": parameter.written,
                "kind": parameter.kind,
                "required": parameter.required,
                "default": None if parameter.default is None else str(parameter.default),
                "help": parameter.help,
                "choices": list(parameter.choices),
                "allowed": permitted.get(parameter.name, ""),
                **({} if parameter.file is None else {"file": parameter.file}),
            }
            for parameter in command.grammar.parameters
        ],
    }


def _commands_page(commands: Sequence[Command]) -> str:
    text = (
        "# Commands\n\n"
        + _GENERATED
        + "\nIn a room a command begins with `!`; on the command line with"
        " `mosaic`; over HTTP its words are divided by `/`. `--json` at the end asks for the data.\n"
    )
    ordered = sorted(commands, key=lambda command: (" " in command.name, command.name.split()[0]))
    for several, group in groupby(
        ordered, key=lambda command: " " in command.name and command.name.split()[0]
    ):
        text += f"\n## {several or 'General'}\n"
        text += "".join(_command_section(command) for command in group)
    return text


def _command_section(command: Command) -> str:
    entry = _entry(command)
    text = f"\n### {command.name}\n\n{command.summary}\n\n```\n{entry['usage']}\n```\n"
    if command.details:
        text += f"\n{command.details}\n"
    if entry["parameters"]:
        rows = [
            (
                f"`{parameter['written']}`",
                parameter["help"],
                parameter["allowed"],
                "required" if parameter["required"] else parameter["default"] or "",
            )
            for parameter in entry["parameters"]
        ]
        text += "\n" + _table(("argument", "what it is", "allowed", "default"), rows)
    facts = f"For {', '.join(f'{role}s' for role in entry['roles'])}."
    if command.also:
        facts += f" Also: {', '.join(f'`{name}`' for name in command.also)}."
    if command.confirm is not None:
        facts += f" Asks first: {command.confirm}"
    return f"{text}\n{facts}\n"


def _http_page() -> str:
    rows = [
        (f"`{route.method} {route.path}`", route.summary, route.takes, route.answers)
        for route in ROUTES
    ]
    return (
        "# HTTP\n\n" + _GENERATED + "\nThe daemon answers on the unix socket `run/api.sock` below"
        " MOSAIC_HOME. A caller with `Authorization: Bearer TOKEN` is the token's agent; one without is the"
        " agent below whose pane it runs, else the local user, who is an operator.\n\n"
        + _table(("call", "what it does", "body", "answer"), rows)
        + "\nA body is JSON of at most 16 MiB. A failure is `application/problem+json` (RFC 9457) with the"
        ' member `error`: `{"code", "message", "hint"}`; the codes are in [errors.md](errors.md).\n'
    )


def _errors_page() -> str:
    rows = []
    for code, (kind, meaning) in CODES.items():
        status = "" if code in ALONE else str(int(_status(code, kind)))
        rows.append((f"`{code}`", meaning, status, str(exit_status(code))))
    return (
        "# Errors\n\n"
        + _GENERATED
        + "\nEvery error has a code for programs, a message, and a hint where"
        ' there is one; with `--json` it is `{"error": {"code", "message", "hint"}}` on standard output.\n\n'
        + _table(("code", "meaning", "HTTP status", "exit status"), rows)
        + "\nWhat a platform refuses may bear its own code: `M_…` of a homeserver, `discord_…` with Discord's number.\n"
        + "\nExit status 4: `agent send --verify` ended waiting or unknown.\n"
    )


def _status(code: str, kind: type[MosaicError] | None) -> int:
    if code in STATUS_OF_CODE:
        return STATUS_OF_CODE[code]
    return status_of(Exception() if kind is None else kind(""))


def _settings_page() -> str:
    text = (
        "# Settings\n\n" + _GENERATED + "\nmosaic.toml in MOSAIC_HOME. An unknown key is refused. A"
        " variable of the environment overrides its key.\n"
    )
    schema = Settings.model_json_schema()["$defs"]
    for path, keys in groupby(settings_keys(), key=lambda key: key[0][:-1]):
        listed = list(keys)
        section = listed[0][1]
        text += f"\n## [{'.'.join(path)}]\n\n{(section.__doc__ or '').strip()}\n\n"
        text += _table(
            ("key", "what it is", "default", "variable"),
            [_setting_row(full, section, schema) for full, _ in listed],
        )
    return text


def _setting_row(
    path: tuple[str, ...], section: type[Section], schema: Mapping[str, Any]
) -> tuple[str, ...]:
    field = section.model_fields[path[-1]]
    found = schema.get(section.__name__, {}).get("properties", {}).get(path[-1], {})
    default = "" if field.default_factory is not None else f"`{_toml(field.default)}`"
    choices = f" One of {', '.join(found['enum'])}." if "enum" in found else ""
    return f"`{path[-1]}`", f"{field.description}{choices}", default, f"`{variable(path)}`"


def _toml(value: Any) -> str:
    return json.dumps(list(value) if isinstance(value, tuple) else value)


def _personas_page() -> str:
    found = [contract for name in shipped_classes() if (contract := shipped_contract(name))]
    shelves = sorted(found, key=lambda one: (str(one.matter.domain), str(one.matter.agent_class)))
    text = (
        "# Personas\n\n"
        + _GENERATED
        + f"\nThe library has {len(found)} classes. Its contracts are files below"
        " `fleet/roles`; how to write your own stands in [personas](../howto/personas.md). A class that takes cards"
        " is handed cards that name no class, too. The grade is that of Flesch and Kincaid: the years of school"
        " that a text asks for.\n"
    )
    for domain, shelf in groupby(shelves, key=lambda one: str(one.matter.domain)):
        rows = [_persona_row(one) for one in shelf]
        text += f"\n## {domain} ({len(rows)})\n\n"
        text += _table(
            ("class", "words", "grade", "model tier", "takes cards", "keeps its conversation"), rows
        )
    return text


def _persona_row(contract: Contract) -> tuple[str, ...]:
    matter, told = contract.matter, contract.words
    sizes = str(len(words(told))), f"{grade(told):.1f}"
    flags = (("no", "yes")[bool(flag)] for flag in (matter.takes_cards, matter.persistent_persona))
    return f"`{matter.agent_class}`", *sizes, str(matter.model_tier), *flags


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [columns, ["---"] * len(columns), *rows]
    return "".join(f"| {' | '.join(_cell(cell) for cell in line)} |\n" for line in lines)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def stale() -> list[Path]:
    """Return the generated files that are missing or say something else than the declarations."""
    return [
        path
        for path, text in documents().items()
        if not path.exists() or path.read_text(encoding="utf-8") != text
    ]


def main(arguments: Sequence[str]) -> int:
    """Write what is out of date; with ``--check`` only name it and return 1."""
    wanted = documents()
    out_of_date = stale()
    for path in out_of_date:
        sys.stdout.write(f"{path.relative_to(ROOT)}\n")
        if "--check" not in arguments:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(wanted[path], encoding="utf-8")
    if "--check" in arguments and out_of_date:
        sys.stderr.write("out of date: run `make docs`\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
