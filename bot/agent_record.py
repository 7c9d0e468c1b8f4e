"""How an agent is, as `fleet ps` shows it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AgentRecord:
    """One row of ``fleet ps`` (spec 3-contracts): an agent of the roster, or a stray session."""

    tenant_id: str
    host: str
    name: str
    agent_class: str | None
    runtime: str | None
    model: str | None
    session: str | None
    pane_id: str | None
    pid: int | None
    command: str | None
    idle_seconds: float | None
    heartbeat_age_seconds: float | None
    readiness: str
    evidence: str
    flags: tuple[str, ...]
    card: str | None
    unit_active: str | None
    unit_enabled: str | None
