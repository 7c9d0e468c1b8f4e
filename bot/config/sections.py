"""What a person can set: every table of mosaic.toml, with the checks and the description of each key.

docs/reference/settings.md is generated from the strings below the keys.
"""

import socket
from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field, model_validator

from bot.clock.backoff import Backoff
from bot.clock.moments import Rule, read_clock
from bot.clock.quiet import QuietHours
from bot.config.clock_sections import Clock, Quiet
from bot.config.file_sections import Attachments
from bot.config.room_sections import Rooms
from bot.config.section import HostName, ModelChoice, PrincipalId, Seconds, Section, Text, WallTime
from bot.config.talk_sections import Progress, Threads

ClassLimit = Annotated[
    str, Field(strict=True, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63} [1-9][0-9]{0,3}$")
]
Snowflake = Annotated[str, Field(strict=True, pattern=r"^\d{0,20}$")]
ApiUrl = Annotated[str, Field(strict=True, pattern=r"^(https?://[^\s/]+\S*)?$")]
GatewayUrl = Annotated[str, Field(strict=True, pattern=r"^(wss?://[^\s/]+\S*)?$")]


class Access(Section):
    """Who may do what. An empty list is nobody; ``local:<uid>`` is always an operator."""

    operators: tuple[PrincipalId, ...] = ()
    """Ids of people who may run everything, such as `matrix:@ann:example.org`."""

    members: tuple[PrincipalId, ...] = ()
    """Ids of people who may read and talk."""

    rooms: tuple[PrincipalId, ...] = ()
    """Rooms where commands are taken, besides the connectors' own room_id and channel_id."""


class Supervisor(Section):
    """How the supervisor hands cards to agents, and when it tells people."""

    tick_seconds: Seconds = 30.0
    """Time between two ticks when nothing happens; what happens is seen sooner."""

    claim_seconds: Annotated[float, Field(ge=10, le=604_800, strict=True)] = 900.0
    """How long a claim made for an agent lasts; it is renewed while there is evidence of work."""

    accept_seconds: Seconds = 60.0
    """Time in which an agent's program must take a card's prompt, else the card goes to another one."""

    quiet_seconds: Seconds = 30.0
    """How long an agent with a card must stand at its empty prompt before its turn counts as ended."""

    class_limits: tuple[ClassLimit, ...] = ()
    """How many agents of a class may hold cards at once, such as `code 4`; a class not named has no limit."""

    attempt_limit: Annotated[int, Field(ge=0, le=1000, strict=True)] = 6
    """Failed attempts in a row after which a card is blocked and people are told; 0 is never."""

    no_progress_minutes: Annotated[float, Field(gt=0, le=10_080, strict=True)] = 30.0
    """How long nothing may move, while there is work and no pause, before people are told."""

    replan: bool = Field(default=True, strict=True)
    """Whether the planner (or the orchestrator) is asked, once, for more when all cards are done."""

    digest_minutes: Annotated[float, Field(gt=0, le=1440, strict=True)] = 10.0
    """Time for which concerns are gathered before they are said in one message; urgent ones come at once."""

    digest_at: WallTime = "08:00"
    """Time of day of the daily digest, on the clock of `[clock] timezone`; empty is none."""

    @property
    def tick(self) -> timedelta:
        """The time between two ticks."""
        return timedelta(seconds=self.tick_seconds)

    @property
    def limits(self) -> Mapping[str, int]:
        """The limits by class."""
        pairs = (entry.split(" ") for entry in self.class_limits)
        return {name: int(number) for name, number in pairs}

    @property
    def claim(self) -> timedelta:
        """How long a claim lasts."""
        return timedelta(seconds=self.claim_seconds)

    @property
    def no_progress(self) -> timedelta:
        """How long nothing may move."""
        return timedelta(minutes=self.no_progress_minutes)

    @property
    def accept(self) -> timedelta:
        """The time in which a prompt must be taken."""
        return timedelta(seconds=self.accept_seconds)

    @property
    def quiet(self) -> timedelta:
        """How long standing at the prompt means that the turn ended."""
        return timedelta(seconds=self.quiet_seconds)

    @property
    def gather(self) -> timedelta:
        """The time for which concerns are gathered."""
        return timedelta(minutes=self.digest_minutes)

    @property
    def daily(self) -> Rule | None:
        """When the daily digest falls due, None for never."""
        return Rule(tuple(range(7)), read_clock(self.digest_at)) if self.digest_at else None


class Backlog(Section):
    """How the backlog is kept fast and right."""

    archive_after_days: Annotated[int, Field(ge=0, le=36_500, strict=True)] = 30
    """Done cards that nobody touched for so many days are put away; 0 keeps them in sight for ever."""

    require_acceptance: Annotated[bool, Field(strict=True)] = False
    """Whether a card with a checklist can be completed only when every item is met."""

    recount_seconds: Seconds = 3600.0
    """Time between two comparisons of the counters of unmet dependencies with the graph."""

    longest_transaction_seconds: Seconds = 300.0
    """Age at which a database transaction is ended if it is ours, and reported if it is not."""

    @property
    def archive_after(self) -> timedelta | None:
        """The age at which done cards are put away, None for never."""
        return timedelta(days=self.archive_after_days) if self.archive_after_days else None

    @property
    def recount(self) -> timedelta:
        """The time between two comparisons."""
        return timedelta(seconds=self.recount_seconds)

    @property
    def longest_transaction(self) -> timedelta:
        """The longest that a transaction may last."""
        return timedelta(seconds=self.longest_transaction_seconds)


class Heartbeat(Section):
    """How agents show that they are alive."""

    interval_seconds: Seconds = 15.0
    """Time between two heartbeats of an agent."""

    stale_seconds: Seconds = 60.0
    """Age at which a heartbeat is no longer believed; longer than interval_seconds."""

    idle_threshold: Seconds = 300.0
    """Seconds without a sign of work after which an agent that says nothing of itself counts as free."""

    @property
    def interval(self) -> timedelta:
        """The time between two heartbeats."""
        return timedelta(seconds=self.interval_seconds)

    @property
    def stale(self) -> timedelta:
        """The age at which a heartbeat is no longer believed."""
        return timedelta(seconds=self.stale_seconds)

    @property
    def idle(self) -> timedelta:
        """The silence after which an agent counts as free."""
        return timedelta(seconds=self.idle_threshold)

    @model_validator(mode="after")
    def _ordered(self) -> "Heartbeat":
        if self.stale_seconds <= self.interval_seconds:
            raise ValueError("stale_seconds must be greater than interval_seconds")
        return self


class MatrixSettings(Section):
    """Matrix; homeserver_url, user_id and room_id come from the roster's connector block."""

    trust: Literal["tofu", "verified"] = "tofu"
    """Whose devices take part in encrypted rooms: tofu, all whose keys stay those first seen; verified, verified ones only."""
    read_receipts: Literal["public", "private", "off"] = "public"
    """Who sees how far the bot has read: everybody in the room, nobody but the bot, or none are sent."""


class DiscordSettings(Section):
    """Discord; the token is a secret and comes from DISCORD_BOT_TOKEN."""

    guild_id: Snowflake = ""
    """Id of the server, digits; found out from the channel when empty. The roster's block goes before."""

    channel_id: Snowflake = ""
    """Id of the channel where commands are taken, digits. The roster's block goes before."""

    cards_channel_id: Snowflake = ""
    """Id of the text channel or forum where cards get their threads (`[threads] cards`); empty is channel_id."""

    api_url: ApiUrl = ""
    """A local stand-in's HTTP address for tests, with /api/v10, no trailing slash; empty is Discord."""

    gateway_url: GatewayUrl = ""
    """A local stand-in's gateway address for tests; empty is Discord."""


class Connectors(Section):
    """One table per platform."""

    matrix: MatrixSettings = MatrixSettings()
    discord: DiscordSettings = DiscordSettings()


class Commands(Section):
    """How typed commands are run."""

    timeout_seconds: Seconds = 30.0
    """Time after which a running command is given up."""

    confirm_seconds: Seconds = 120.0
    """Time in which a destructive command may be confirmed."""

    @property
    def timeout(self) -> timedelta:
        """The time after which a running command is given up."""
        return timedelta(seconds=self.timeout_seconds)

    @property
    def confirm(self) -> timedelta:
        """The time in which a destructive command may be confirmed."""
        return timedelta(seconds=self.confirm_seconds)


class Delivery(Section):
    """How messages are brought to their platform."""

    first_wait_seconds: Seconds = 0.2
    """Wait after the first failed try; it doubles from try to try."""

    longest_wait_seconds: Seconds = 60.0
    """The longest wait between two tries."""

    give_up_seconds: Annotated[float, Field(gt=0, le=82_800, strict=True)] = 72_000.0
    """Time after the first try when a delivery becomes a dead letter; a homeserver forgets after a day
    what it has shown, so a later try could show twice."""

    @property
    def backoff(self) -> Backoff:
        """The waits between tries."""
        return Backoff(
            timedelta(seconds=self.first_wait_seconds), timedelta(seconds=self.longest_wait_seconds)
        )

    @property
    def give_up_after(self) -> timedelta:
        """The time after which a delivery becomes a dead letter."""
        return timedelta(seconds=self.give_up_seconds)


class Mail(Section):
    """What stops agents that answer each other for ever."""

    hop_budget: Annotated[int, Field(ge=1, le=1000, strict=True)] = 12
    """Messages that one chain of agents' mail may have before somebody else must speak."""

    pair_budget: Annotated[int, Field(ge=1, le=10_000, strict=True)] = 30
    """Messages that two agents may write to each other within pair_window_seconds."""

    pair_window_seconds: Seconds = 300.0
    """The time in which these messages are counted."""

    @property
    def pair_window(self) -> timedelta:
        """The time in which these messages are counted."""
        return timedelta(seconds=self.pair_window_seconds)


class Host(Section):
    """Who this machine is among the fleet's hosts."""

    name: HostName = Field(default_factory=socket.gethostname, validate_default=False)
    """This host's name in addresses and in the roster; the machine's host name unless set."""

    tenant_id: HostName = "local"
    """The tenant that this installation's rows belong to."""


class Models(Section):
    """Which program and model a new agent gets for the tier that its persona needs: `RUNTIME` or `RUNTIME:MODEL`.

    Empty is the first agent program that is installed, with the model that it has for the tier.
    """

    small: ModelChoice = ""
    """For what is simple or often, such as `claude:haiku`."""

    medium: ModelChoice = ""
    """For most work, such as `claude:sonnet`."""

    large: ModelChoice = ""
    """For what is hard or decides for others, such as `claude:opus`."""

    @property
    def said(self) -> Mapping[str, str]:
        """What was set, by tier."""
        return {tier: text for tier, text in self.model_dump().items() if text}


class Postgres(Section):
    """The embedded server; DATABASE_URL replaces it by an external one."""

    data_directory: Text = ""
    """Absolute path of the server's data; empty is postgres/ below MOSAIC_HOME."""

    start_timeout_seconds: Seconds = 120.0
    """Time in which the server must accept connections, recovery after a crash included."""

    @property
    def start_timeout(self) -> timedelta:
        """The time in which the server must accept connections."""
        return timedelta(seconds=self.start_timeout_seconds)


class Homeserver(Section):
    """The local homeserver of ``mosaic up --with-homeserver``."""

    port: Annotated[int, Field(ge=1024, le=65_535, strict=True)] = 8008
    """The port on 127.0.0.1 that it listens on."""


class Log(Section):
    """What is written to run/mosaic.log."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    """The least important level that is written."""


class Settings(Section):
    """Everything that a person can set, each value checked."""

    access: Access = Access()
    supervisor: Supervisor = Supervisor()
    clock: Clock = Clock()
    quiet: Quiet = Quiet()
    backlog: Backlog = Backlog()
    heartbeat: Heartbeat = Heartbeat()
    connectors: Connectors = Connectors()
    commands: Commands = Commands()
    delivery: Delivery = Delivery()
    mail: Mail = Mail()
    attachments: Attachments = Attachments()
    threads: Threads = Threads()
    rooms: Rooms = Rooms()
    progress: Progress = Progress()
    host: Host = Field(default_factory=Host)
    postgres: Postgres = Postgres()
    homeserver: Homeserver = Homeserver()
    models: Models = Models()
    log: Log = Log()

    @property
    def quiet_hours(self) -> QuietHours:
        """When people are told nothing that can wait."""
        begin, end = self.quiet.times or (None, None)
        return QuietHours(begin, end, self.clock.zone)
