"""A file of cards: version 1 of the form in which cards are imported and exported (ADR 15)."""

import json
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails

from bot.backlog.cards import Card, CardDraft, CardStatus
from bot.backlog.shipment import Entry, Fault
from bot.command.words import shorten
from bot.errors import UserError
from commands.card_words import (
    AcceptanceValue,
    AgentClass,
    AgentName,
    Body,
    CardId,
    DependsOn,
    HostName,
    Key,
    Phase,
    Priority,
    Reason,
    Title,
)
from commands.document import Document, means_itself, read_document

VERSION = 1
MOST_CARDS = 50_000
_MOST_FAULTS = 50
_WIDTH = 100


class CardForm(BaseModel):
    """What a file may say of one card. A claim is nobody's to write down: a card is ready, blocked or done."""

    model_config = ConfigDict(extra="forbid")

    id: CardId
    title: Title | None = None
    status: Literal["ready", "blocked", "done"] = "ready"
    block_reason: Reason | None = None
    phase: Phase | None = None
    priority: Annotated[Priority, Field(strict=True)] | None = None
    depends_on: DependsOn | None = None
    agent_class: AgentClass | None = None
    agent: AgentName | None = None
    host: HostName | None = None
    idempotency_key: Key | None = None
    acceptance: AcceptanceValue = None
    body: Body | None = None


FIELDS = tuple(CardForm.model_fields)


def read_cards(text: str, name: str) -> list[Entry]:
    """Return the cards of a file; UserError with a line ``NAME:LINE: FIELD: …`` for every fault in it."""
    document = read_document(text, name)
    faults: list[Fault] = []
    entries = []
    for number, card in enumerate(_cards_of(document, name)):
        place = ("cards", number)
        found = list(_shape_faults(card, place, document))
        entry = None if found else _read_card(card, place, document, found)
        if entry is not None:
            entries.append(entry)
        faults += found
    if faults:
        raise refusal(faults, name)
    return entries


def refusal(faults: Sequence[Fault], name: str) -> UserError:
    """Return one refusal for all faults, a line each; of very many the first ones."""
    lines = [_told(fault, name) for fault in faults[:_MOST_FAULTS]]
    if len(faults) > _MOST_FAULTS:
        lines.append(f"and {len(faults) - _MOST_FAULTS} more")
    return UserError("\n".join(lines), code="invalid", hint="nothing was imported")


def _told(fault: Fault, name: str) -> str:
    field = f"{fault.field}: " if fault.field else ""
    return f"{name}:{fault.line}: {field}{fault.reason}"


def _cards_of(document: Document, name: str) -> list[Any]:
    value = document.value
    if not isinstance(value, dict):
        raise refusal([Fault(1, "", f"a file of cards begins with `version: {VERSION}`")], name)
    faults = [
        Fault(document.line_of((key,)), key, _unknown(key, ("version", "cards")))
        for key in value
        if key not in {"version", "cards"}
    ]
    version, cards = value.get("version"), value.get("cards")
    if version != VERSION or isinstance(version, bool):
        faults.append(_version_fault(document, version))
    if not isinstance(cards, list):
        faults.append(Fault(document.line_of(("cards",)), "cards", "must be a list of cards"))
    elif len(cards) > MOST_CARDS:
        said = f"{len(cards)} are too many: at most {MOST_CARDS} in a file"
        faults.append(Fault(document.line_of(("cards",)), "cards", said))
    if faults:
        raise refusal(faults, name)
    return list(cards or ())


def _version_fault(document: Document, version: object) -> Fault:
    said = "is missing" if version is None else f"{_shown(version)} is not known"
    return Fault(document.line_of(("version",)), "version", f"{said}; this program reads {VERSION}")


def _shape_faults(card: Any, place: tuple[str, int], document: Document) -> Iterator[Fault]:
    """Yield what is wrong before any value is looked at: no mapping, keys that nobody knows."""
    if not isinstance(card, dict):
        said = f"{_shown(card)} is no card: a card is a mapping with an id and a title"
        yield Fault(document.line_of(place), "", said)
        return
    for key in card:
        if key not in FIELDS:
            yield Fault(document.line_of((*place, key)), shorten(key), _unknown(key, FIELDS))


def _unknown(key: str, known: Sequence[str]) -> str:
    close = get_close_matches(key[:64], known, n=1)
    meant = f"; did you mean {close[0]}?" if close else ""
    return f"there is no such key{meant} (allowed: {', '.join(known)})"


def _read_card(
    card: Mapping[str, Any], place: tuple[str, int], document: Document, faults: list[Fault]
) -> Entry | None:
    """Return a card's entry, or None with what is wrong added to ``faults``."""
    try:
        form = CardForm.model_validate(card)
    except ValidationError as error:
        faults += [_fault(detail, place, document) for detail in error.errors(include_url=False)]
        return None
    lines = {key: document.line_of((*place, key)) for key in card}
    if form.block_reason and form.status != "blocked":
        said = f"a card that is {form.status} has none; only a blocked one has"
        faults.append(Fault(lines["block_reason"], "block_reason", said))
    said_of = {name: getattr(form, name) for name in CardDraft.__dataclass_fields__}
    return Entry(
        CardDraft(**said_of),
        line=document.line_of(place),
        status=CardStatus(form.status),
        block_reason=form.block_reason or None,
        lines=lines,
    )


def _fault(detail: ErrorDetails, place: tuple[str, int], document: Document) -> Fault:
    name = str(detail["loc"][0]) if detail["loc"] else ""
    line = document.line_of((*place, *detail["loc"]))
    if detail["type"] == "missing":
        return Fault(line, name, "is missing")
    reason = detail["msg"].removeprefix("Value error, ")
    if name == "status":
        reason = "a file says ready, blocked or done"
    said = f"{_shown(detail['input'])} is not allowed: {reason[:1].lower()}{reason[1:]}"
    return Fault(line, name, said)


def _shown(value: object) -> str:
    return shorten(repr(value))


# -- writing -----------------------------------------------------------------------------------------------


def shipment_data(cards: Sequence[Card]) -> dict[str, Any]:
    """Return cards as the values of a file: what is not set is left out, and a claimed card is ready."""
    return {"version": VERSION, "cards": [_card_values(card) for card in cards]}


def write_cards(cards: Sequence[Card], form: Literal["yaml", "json"]) -> str:
    """Return the file that ``read_cards`` reads as these cards."""
    data = shipment_data(cards)
    if form == "json":
        return json.dumps(data, ensure_ascii=False, indent=2) + "\n"
    text: str = yaml.dump(data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=_WIDTH)
    return text


def _card_values(card: Card) -> dict[str, Any]:
    values: dict[str, Any] = {name: getattr(card, name) for name in FIELDS}
    claimed = card.status is CardStatus.CLAIMED
    values["status"] = None if claimed or card.status is CardStatus.READY else card.status.value
    values["depends_on"] = list(card.depends_on)
    values["priority"] = card.priority or None
    kept = {name for name in FIELDS if values[name] not in (None, "", [])} | {"id", "title"}
    if card.acceptance is not None:
        kept.add("acceptance")
    return {name: values[name] for name in FIELDS if name in kept}


class _Dumper(getattr(yaml, "CSafeDumper", yaml.SafeDumper)):  # type: ignore[misc]
    """Writes long texts as blocks that people can read, and never an alias."""

    def ignore_aliases(self, _data: object) -> bool:
        """Write everything out."""
        return True


def _represent_text(dumper: Any, text: str) -> Any:
    lines = text.split("\n")
    block = len(lines) > 1 and all(line.isprintable() and line == line.strip() for line in lines)
    # The library's own idea of what needs quotes is YAML 1.1's: it would write 0E0 without, which we read as a number.
    quoted = None if means_itself(text) else '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if block else quoted)


_Dumper.add_representer(str, _represent_text)
