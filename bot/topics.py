"""Every topic class of commands, in the order in which help and the reference show them."""

from commands.backlog import BacklogCommands
from commands.board import BoardCommands
from commands.fleet import FleetCommands
from commands.graph import GraphCommands
from commands.mail import MailCommands
from commands.session import SessionCommands
from commands.shipments import ShipmentCommands
from commands.threads import ThreadCommands

TOPICS: tuple[type, ...] = (
    SessionCommands,
    BacklogCommands,
    ShipmentCommands,
    ThreadCommands,
    GraphCommands,
    BoardCommands,
    FleetCommands,
    MailCommands,
)
