"""Every topic class of commands, in the order in which help and the reference show them."""

from bot.backlog import Backlog
from commands.backlog import BacklogCommands
from commands.board import BoardCommands
from commands.fleet import FleetCommands
from commands.graph import GraphCommands
from commands.inquiry import InquiryCommands
from commands.keeping import KeepingCommands
from commands.mail import MailCommands
from commands.session import SessionCommands
from commands.shipments import ShipmentCommands
from commands.threads import ThreadCommands


def backlog_topics(backlog: Backlog, *, require_acceptance: bool) -> tuple[object, ...]:
    """Return the backlog's topics, in the order of ``TOPICS``."""
    return (
        BacklogCommands(
            backlog.shelf,
            backlog.claims,
            backlog.dependencies,
            backlog.threads,
            require_acceptance=require_acceptance,
        ),
        InquiryCommands(backlog.inquiry, backlog.checklists),
        KeepingCommands(backlog.keeping, backlog.recount),
        ShipmentCommands(backlog.shipments),
        ThreadCommands(backlog.threads),
        GraphCommands(backlog.overview),
        BoardCommands(backlog.overview),
    )


TOPICS: tuple[type, ...] = (
    SessionCommands,
    BacklogCommands,
    InquiryCommands,
    KeepingCommands,
    ShipmentCommands,
    ThreadCommands,
    GraphCommands,
    BoardCommands,
    FleetCommands,
    MailCommands,
)
