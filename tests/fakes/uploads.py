"""Files that people sent, in memory: the ports Uploads, Arrivals and CardFiles over one list."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import groupby

from bot.enclosure import Enclosure
from bot.files.rules import safe_name
from bot.files.uploads import Arrival, CardFile, Upload
from bot.model import Letter
from storage.files.uploads import free_name
from tests.fakes.contents import MemoryContents
from tests.fakes.mailroom import Room


@dataclass(slots=True)
class Row:
    """An upload as it stands."""

    upload: Upload
    wanted_at: datetime
    due_at: datetime
    state: str = "wanted"
    owner: str | None = None
    leased_until: datetime | None = None
    file: Enclosure | None = None
    reason: str = ""
    ended_at: datetime | None = None
    told: bool = False
    removed_at: datetime | None = None

    @property
    def party(self) -> tuple[str, str, str, str]:
        one = self.upload
        return str(one.source), one.sender.id, one.folder, one.to.place

    @property
    def arrival(self) -> Arrival:
        return Arrival(self.upload, self.file, self.reason)


class MemoryUploads:
    """All three ports; ``room`` holds the clock and what is said, ``contents`` the bytes."""

    def __init__(self, room: Room, contents: MemoryContents) -> None:
        self.rows: list[Row] = []
        self._room = room
        self._contents = contents

    async def want(self, uploads: Sequence[Upload]) -> None:
        self._room.look()
        for upload in uploads:
            if any(row.upload.id == upload.id for row in self.rows):
                continue
            taken = {row.upload.name for row in self.rows if row.upload.folder == upload.folder}
            name = free_name(safe_name(upload.attachment.name), taken)
            now = self._room.now()
            named = replace(upload, name=name, attachment=replace(upload.attachment, name=name))
            self.rows.append(Row(replace(named, wanted_at=now), now, now))

    async def claim(
        self, kinds: Sequence[str], owner: str, lease: timedelta, limit: int
    ) -> Sequence[Upload]:
        self._room.look()
        now = self._room.now()
        free = [row for row in self.rows if row.upload.source.kind in kinds]
        free = [row for row in free if row.state == "wanted" and self._is_free(row, owner, now)]
        for row in free[:limit]:
            row.owner, row.leased_until = owner, now + lease
            used = self._used(row.upload.folder)
            row.upload = replace(row.upload, attempts=row.upload.attempts + 1, used=used)
        return [row.upload for row in free[:limit]]

    def _is_free(self, row: Row, owner: str, now: datetime) -> bool:
        if row.due_at > now:
            return False
        if row.owner is None or row.leased_until is None or row.leased_until <= now:
            return True
        return row.owner != owner and row.owner.partition(" ")[0] == owner.partition(" ")[0]

    def _used(self, folder: str) -> int:
        kept = [row.file for row in self.rows if row.upload.folder == folder and row.file]
        return sum(file.size for file in kept)

    async def postpone(self, upload: Upload, wait: timedelta, reason: str) -> None:
        self._room.look()
        row = self._row(upload.id)
        if row.state == "wanted" and row.upload.attempts == upload.attempts:
            row.due_at, row.owner, row.reason = self._room.now() + wait, None, reason

    async def settle(self, arrival: Arrival) -> None:
        self._room.look()
        row = self._row(arrival.upload.id)
        if row.state != "wanted":
            return
        row.state = "refused" if arrival.file is None else "kept"
        row.file, row.reason, row.ended_at = arrival.file, arrival.reason, self._room.now()
        forgotten = replace(row.upload.attachment, reference={})
        row.upload = replace(row.upload, attachment=forgotten)

    async def untold(self, gather: timedelta, patience: timedelta) -> Sequence[Sequence[Arrival]]:
        self._room.look()
        now = self._room.now()
        untold = sorted((row for row in self.rows if not row.told), key=lambda row: row.party)
        found = []
        for _, members in groupby(untold, key=lambda row: row.party):
            group = list(members)
            late = max(row.wanted_at for row in group) > now - gather
            open_ = any(row.state == "wanted" and row.wanted_at > now - patience for row in group)
            ended = [row.arrival for row in group if row.state != "wanted"]
            if ended and not late and not open_:
                found.append(ended)
        return found

    async def tell(self, arrivals: Sequence[Arrival], letters: Sequence[Letter]) -> None:
        self._room.look()
        rows = [self._row(one.upload.id) for one in arrivals]
        if not any(row.told for row in rows):
            self._room.store(letters)
        for row in rows:
            row.told = True

    async def expire(self, age: timedelta) -> Sequence[str]:
        self._room.look()
        now = self._room.now()
        for row in self.rows:
            old = row.ended_at is not None and row.ended_at < now - age
            if row.state == "kept" and row.told and old and row.upload.card is None:
                row.state, row.file, row.removed_at = "removed", None, now
                self._contents.kept.pop(row.upload.id, None)
        gone = [row.upload for row in self.rows if row.state == "removed"]
        return [f"{one.folder}/{one.name}" for one in gone]

    async def of_card(self, card_id: str) -> Sequence[CardFile]:
        return [
            CardFile(
                row.upload.name,
                row.file.media_type if row.file else row.upload.attachment.media_type,
                row.file.size if row.file else 0,
                row.upload.sender.id,
                row.ended_at or row.wanted_at,
                row.removed_at,
            )
            for row in self.rows
            if row.upload.card == card_id and row.state in {"kept", "removed"}
        ]

    async def enclosed(self, card_id: str) -> Sequence[Enclosure]:
        return [row.file for row in self.rows if row.upload.card == card_id and row.file]

    def _row(self, upload_id: str) -> Row:
        return next(row for row in self.rows if row.upload.id == upload_id)
