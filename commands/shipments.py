"""Cards in bulk: a file of them in, and all of them out."""

from typing import Annotated, Literal

from pydantic import AfterValidator, StringConstraints

from bot.backlog.ports import Shipments
from bot.backlog.shipment import Landing
from bot.command.declare import (
    EVERYONE,
    WORKERS,
    Call,
    Effect,
    File,
    FileUse,
    Help,
    Rest,
    command,
    topic,
)
from bot.command.words import unfenced
from bot.errors import UsageError, UserError
from bot.model import Via
from bot.reply import Code, Fields, Reply, Text
from commands.card_file import read_cards, refusal, shipment_data, write_cards
from commands.card_words import one_line

_SHOWN = 20
_ROOMY_BYTES = 40_000
"""A longer export would flood a room."""

FileName = Annotated[
    str, StringConstraints(min_length=1, max_length=1000), AfterValidator(one_line)
]


@topic("backlog", also=("fleet backlog",))
class ShipmentCommands:
    """Import and export (ADR 15)."""

    def __init__(self, shipments: Shipments) -> None:
        self._shipments = shipments

    @command("import", roles=WORKERS, effect=Effect.WRITE)
    async def bring(
        self,
        call: Call,
        file: Annotated[
            FileName, File(FileUse.READ), Help("the file, YAML or JSON; `-` is standard input")
        ],
        text: Annotated[
            str | None,
            Rest(),
            Help("what the file says: in a room a code block below the command"),
        ] = None,
        *,
        update: Annotated[bool, Help("change cards that are there and differ")] = False,
        dry_run: Annotated[bool, Help("only say what would be done")] = False,
    ) -> Reply:
        """Import cards from a file, all of them or none.

        A card whose idempotency key was said before is left alone, and so is one that says the same already.
        A card that is there and differs is refused unless `--update` is given; its status stays in any case.
        """
        if text is None:
            raise UsageError(
                f"text: what {file} says is missing",
                hint="in a room put it below the command, in a code block between lines of ```",
            )
        entries = read_cards(unfenced(text), file)
        landing = await self._shipments.bring(entries, call.caller, update=update, dry_run=dry_run)
        if landing.faults:
            raise refusal(landing.faults, file)
        return _told(landing, file, dry_run=dry_run)

    @command("export", roles=EVERYONE)
    async def export(
        self,
        call: Call,
        file: Annotated[
            FileName | None,
            File(FileUse.WRITE),
            Help("the file to write; without it the text is printed"),
        ] = None,
        *,
        format: Annotated[Literal["yaml", "json"], Help("how it is written")] = "yaml",
    ) -> Reply:
        """Export all cards as a file that import reads.

        A claimed card is written as ready: a claim belongs to its holder. History stays behind.
        """
        if file is not None:
            raise UsageError(
                f"file: {file!r} is a file of yours, which the daemon does not touch",
                hint="leave it out; on the command line `mosaic backlog export FILE` writes it",
            )
        cards = await self._shipments.export()
        text = write_cards(cards, format)
        size = len(text.encode())
        if call.caller.via in {Via.CHAT, Via.CONSOLE} and size > _ROOMY_BYTES:
            raise UserError(
                f"the export of {len(cards)} cards has {size} bytes; a room gets {_ROOMY_BYTES}",
                code="too_large",
                hint="`mosaic backlog export FILE` writes it into a file",
            )
        return Reply(shipment_data(cards), (Code(text, format),))


def _told(landing: Landing, file: str, *, dry_run: bool) -> Reply:
    outcomes = {"created": landing.created, "changed": landing.changed, "left": landing.left}
    data = {name: list(ids) for name, ids in outcomes.items()} | {"dry_run": dry_run}
    counts = ", ".join(f"{len(ids)} {name}" for name, ids in outcomes.items())
    said = (
        f"{file} would do this: {counts}. Nothing was written." if dry_run else f"{file}: {counts}."
    )
    pairs = tuple((name, _listed(ids)) for name, ids in outcomes.items() if ids)
    return Reply(data, (Text(said), *((Fields(pairs),) if pairs else ())))


def _listed(ids: tuple[str, ...]) -> str:
    more = f" and {len(ids) - _SHOWN} more" if len(ids) > _SHOWN else ""
    return ", ".join(ids[:_SHOWN]) + more
