"""Every topic class of commands, in the order in which help and the reference show them."""

from collections.abc import Callable
from dataclasses import dataclass

from bot.agents.briefs import Briefs
from bot.agents.personas import Personas
from bot.agents.provisioning import Provisioning
from bot.agents.rosters import Rosters
from bot.agents.sessions import Dialogs, Sessions
from bot.agents.units import Units
from bot.backlog.ports import Backlog, CardShelf
from bot.mail.post import Post
from bot.mail.post_office import PostOffice
from bot.ports import Correspondence, Fleet
from bot.supervision.holders import Holders
from bot.supervision.pause import Standing
from commands.accounts import AccountCommands
from commands.backlog import BacklogCommands
from commands.board import BoardCommands
from commands.briefs import BriefCommands
from commands.devices import DeviceCommands
from commands.files import FileCommands
from commands.fleet import FleetCommands
from commands.graph import GraphCommands
from commands.inquiry import InquiryCommands
from commands.keeping import KeepingCommands
from commands.mail import MailCommands
from commands.pause import PauseCommands
from commands.personas import PersonaCommands
from commands.post import PostCommands
from commands.profiles import ProfileCommands
from commands.remind import RemindCommands
from commands.rooms import RoomCommands
from commands.roster import RosterCommands
from commands.session import SessionCommands
from commands.sessions import DialogCommands, FleetChecks, SessionViews
from commands.shipments import ShipmentCommands
from commands.supervisor import SupervisorCommands
from commands.threads import ThreadCommands
from commands.units import UnitCommands


@dataclass(frozen=True, slots=True)
class FleetPorts:
    """All that the commands about agents on this host need; ``shelf`` tells who holds which card.

    ``standing`` asks which pause stands.
    """

    fleet: Fleet
    sessions: Sessions
    dialogs: Dialogs
    briefs: Briefs
    personas: Personas
    rosters: Rosters
    provisioning: Provisioning
    units: Units
    shelf: CardShelf
    standing: Standing


def fleet_topics(ports: FleetPorts) -> tuple[object, ...]:
    """Return the topics about agents on this host."""
    return (
        FleetCommands(ports.fleet, Holders(ports.shelf), ports.standing),
        SessionViews(ports.sessions, ports.fleet),
        DialogCommands(ports.dialogs),
        FleetChecks(ports.sessions),
        BriefCommands(ports.briefs),
        PersonaCommands(ports.personas),
        RosterCommands(ports.rosters, ports.units),
        ProfileCommands(ports.provisioning, ports.units),
        UnitCommands(ports.units, ports.fleet),
    )


def mail_topics(
    office: PostOffice, post: Post, correspondence: Correspondence, fleet: Fleet
) -> tuple[object, ...]:
    """Return the topics about messages."""
    return (
        PostCommands(office, post, correspondence, fleet),
        MailCommands(correspondence, post),
    )


def backlog_topics(
    backlog: Backlog,
    standing: Standing,
    *,
    require_acceptance: bool,
    own_threads: Callable[[str], bool],
) -> tuple[object, ...]:
    """Return the backlog's topics, in the order of ``TOPICS``; ``own_threads`` as BacklogCommands has it."""
    return (
        BacklogCommands(
            backlog.shelf,
            backlog.claims,
            backlog.dependencies,
            backlog.threads,
            require_acceptance=require_acceptance,
            standing=standing,
            files=backlog.files,
            own_threads=own_threads,
        ),
        InquiryCommands(backlog.inquiry, backlog.checklists),
        KeepingCommands(backlog.keeping, backlog.recount),
        ShipmentCommands(backlog.shipments),
        ThreadCommands(backlog.threads),
        GraphCommands(backlog.overview),
        BoardCommands(backlog.overview, standing),
    )


TOPICS: tuple[type, ...] = (
    SessionCommands,
    PauseCommands,
    BacklogCommands,
    InquiryCommands,
    KeepingCommands,
    ShipmentCommands,
    ThreadCommands,
    GraphCommands,
    BoardCommands,
    FleetCommands,
    SessionViews,
    DialogCommands,
    FleetChecks,
    BriefCommands,
    PersonaCommands,
    RosterCommands,
    ProfileCommands,
    UnitCommands,
    PostCommands,
    MailCommands,
    FileCommands,
    SupervisorCommands,
    RemindCommands,
    RoomCommands,
    DeviceCommands,
    AccountCommands,
)
