"""Audit and confirmations in memory."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.asked import Kept
from bot.model import Decision, Principal, Via


class MemoryAudit:
    """The port Audit."""

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []

    async def note(
        self, principal: Principal, action: str, resource: str, via: Via, decision: Decision
    ) -> None:
        self.rows.append(
            {
                "at": datetime.now(UTC),
                "principal_id": principal.id,
                "principal_name": principal.name,
                "via": via.value,
                "action": action,
                "resource": resource,
                "allowed": decision.allowed,
                "rule": decision.rule,
                "reason": decision.reason,
            }
        )

    async def last(self, principal_id: str | None, limit: int) -> Sequence[dict[str, Any]]:
        found = [row for row in self.rows if principal_id in {None, row["principal_id"]}]
        return found[::-1][:limit]


class MemoryConfirmations:
    """The port Confirmations."""

    def __init__(self, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._now = now
        self._waiting: dict[tuple[str, str], tuple[str, datetime, str | None]] = {}

    async def ask(
        self,
        code: str,
        principal_id: str,
        line: str,
        lifetime: timedelta,
        preview_id: str | None = None,
    ) -> None:
        self._waiting[principal_id, code] = line, self._now() + lifetime, preview_id

    async def take(self, code: str, principal_id: str) -> Kept | None:
        found = self._waiting.pop((principal_id, code), None)
        if found is None:
            return None
        line, expires_at, preview_id = found
        return Kept(line, expires_at <= self._now(), preview_id)
