"""One agent's session, begun or ended without the daemon: ``python -m fleet.host.session start|stop NAME``.

What a unit of systemd runs. It is the daemon's own way to start an agent, under the same lock, so whoever comes
second finds the session and leaves it.
"""

import asyncio
import logging
import os
import sys
from collections.abc import Mapping

import structlog

from bot.config.places import Places
from bot.config.settings import load_settings
from bot.errors import MosaicError
from fleet.health.readiness import Thresholds
from fleet.health.stops import UNIT
from fleet.host.local import LocalFleet

_USAGE = "usage: python -m fleet.host.session start|stop NAME"


async def run(verb: str, name: str, environ: Mapping[str, str]) -> None:
    """Start or stop one agent of the roster; errors as ``LocalFleet``."""
    places = Places.from_environment(environ)
    settings = load_settings(places, environ)
    fleet = LocalFleet(
        places,
        host=settings.host.name,
        tenant_id=settings.host.tenant_id,
        environment=environ,
        thresholds=Thresholds(stale=settings.heartbeat.stale, idle=settings.heartbeat.idle),
    )
    fleet.reload()
    if verb == "start":
        fleet.stops.lift(name, by=UNIT)
        if (by := fleet.stops.by(name)) is not None:
            sys.stderr.write(f"{name} stays stopped: it was stopped by {by}\n")
        await fleet.start(name, by_itself=True)
        await fleet.terminal().ensure_server()
    else:
        await fleet.stop(name, by=UNIT)


def main() -> int:
    """Return 0, or 1 with the reason on standard error, or 2 for wrong words."""
    if len(sys.argv) != 3 or sys.argv[1] not in {"start", "stop"}:
        sys.stderr.write(f"{_USAGE}\n")
        return 2
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    try:
        asyncio.run(run(sys.argv[1], sys.argv[2], os.environ))
    except MosaicError as error:
        sys.stderr.write(f"{sys.argv[2]}: {error.message}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
