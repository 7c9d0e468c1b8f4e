"""The agents of this host put together: the fleet itself, what commands need of it, and the window to talk with it."""

import sys
from collections.abc import Mapping

import structlog

from bot.backlog.ports import CardShelf
from bot.config.places import Places, default_socket_name
from bot.config.settings import Settings
from bot.errors import SetupError
from bot.supervision.pause import Pauses, Standing
from bot.wiring.topics import FleetPorts
from fleet.health.readiness import Thresholds
from fleet.host.briefs import LocalBriefs
from fleet.host.chat_window import ChatWindow
from fleet.host.local import LocalFleet
from fleet.host.provisioning import LocalProvisioning
from fleet.host.sessions import LocalSessions
from fleet.host.units import SystemdUnits
from fleet.personas.library import LocalPersonas
from fleet.roster.file import demo_roster
from fleet.roster.store import RosterStore
from fleet.watch.dialogs import LocalDialogs


def make_fleet(
    places: Places, settings: Settings, environ: Mapping[str, str], units: SystemdUnits
) -> LocalFleet:
    """Return this host's fleet, with the demo roster if there is none; one that cannot be used is only logged."""
    fleet = LocalFleet(
        places,
        host=settings.host.name,
        tenant_id=settings.host.tenant_id,
        environment=environ,
        thresholds=Thresholds(stale=settings.heartbeat.stale, idle=settings.heartbeat.idle),
        units=units,
    )
    if not places.roster_file.exists():
        socket_name = default_socket_name(places, environ)
        places.roster_file.write_text(demo_roster(socket_name), encoding="utf-8")
    try:
        fleet.reload()
    except SetupError as error:
        structlog.get_logger(part="daemon").warning("roster", error=error.message)
    return fleet


def fleet_ports(
    fleet: LocalFleet,
    units: SystemdUnits,
    settings: Settings,
    pauses: Pauses,
    *,
    shelf: CardShelf,
    standing: Standing,
) -> FleetPorts:
    """Return all that the commands about agents need, on this host."""
    return FleetPorts(
        fleet=fleet,
        sessions=LocalSessions(fleet),
        dialogs=LocalDialogs(fleet, pauses),
        briefs=LocalBriefs(fleet),
        personas=LocalPersonas(fleet.places),
        rosters=RosterStore(fleet.places),
        provisioning=LocalProvisioning(fleet, settings.models.said),
        units=units,
        shelf=shelf,
        standing=standing,
    )


def make_window(fleet: LocalFleet) -> ChatWindow:
    """Return the window on the fleet's socket in which a person talks."""
    return ChatWindow(
        fleet.terminal,
        session="mosaic-chat",
        argv=[sys.executable, "-P", "-m", "bot", "chat"],
        environment={"MOSAIC_HOME": str(fleet.places.home)},
    )
