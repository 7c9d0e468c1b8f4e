"""What people are told without having asked, and when: bulletin, outcry, digests and reminders, put together."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.backlog.ports import CardShelf
from bot.clock.schedule import Appointment, Job, Schedule
from bot.command.interpreter import Interpreter
from bot.config.settings import Settings
from bot.mail.mailbox import Mailbox
from bot.mail.post import spoken
from bot.model import Address
from bot.news.bulletin import Bulletin
from bot.news.daily import DailyDigest
from bot.news.digest import Digest
from bot.news.outcry import Outcry
from bot.news.reminding import Reminding
from bot.policy import Policy
from bot.ports import Fleet, Part
from bot.supervision.concerns import ConcernKind
from bot.supervision.pause import Pause
from commands.remind import RemindCommands
from fleet.watch.announcements import Dialog, announcement, offers, shown
from storage.backlog.activity import PostgresActivity
from storage.database import Database
from storage.mail.reminders import PostgresReminders
from storage.supervision.concerns import PostgresConcerns

_LOOK_FOR_REMINDERS = timedelta(seconds=15)
_LOOK_FOR_DIGEST = timedelta(minutes=5)
_ROWS = 12


@dataclass(frozen=True, slots=True)
class Speech:
    """How something gets said: the way out, and the place where the operators are told."""

    mailbox: Mailbox
    primary: Callable[[], Address]


class Announcements:
    """The parts and jobs that speak first. ``concerns`` is where the rest of the daemon raises what lasts."""

    def __init__(
        self,
        database: Database,
        settings: Settings,
        speech: Speech,
        host: str,
        leads: Callable[[], bool] = lambda: True,
    ) -> None:
        self._settings = settings
        self._speech = speech
        self._host = host
        self._leads = leads
        self._reminding: Reminding | None = None
        self._activity = PostgresActivity(database)
        self.concerns = PostgresConcerns(database)
        self.reminders = PostgresReminders(database)
        mailbox, primary, quiet = speech.mailbox, speech.primary, settings.quiet_hours
        self.bulletin = Bulletin(mailbox, primary, quiet)
        self._outcry = Outcry(self.concerns, mailbox, primary, quiet=quiet)
        self._digest = Digest(
            self.concerns,
            mailbox,
            primary,
            quiet=quiet,
            zone=settings.clock.zone,
            gather=settings.supervisor.gather,
            leads=leads,
        )

    def parts(self) -> Sequence[Part]:
        """Return what speaks when there is something to say."""
        return self.bulletin, self._outcry, self._digest

    def topics(self, policy: Callable[[], Policy]) -> tuple[object, ...]:
        """Return the commands about reminders."""
        zone_of, primary = self._settings.clock.timezone_of, self._speech.primary
        return (RemindCommands(self.reminders, policy, zone_of, primary, self._expect),)

    def schedule(
        self,
        jobs: Sequence[Job],
        interpreter: Interpreter,
        shelf: CardShelf,
        fleet: Fleet,
        *,
        pause: Callable[[], Pause | None],
    ) -> Schedule:
        """Return the clock with these jobs and with what speaks at its time; ``pause`` says which one stands."""
        schedule, mailbox = Schedule(jobs), self._speech.mailbox
        self._reminding = Reminding(self.reminders, mailbox, interpreter, schedule.at)
        schedule.add(Job("reminders", _LOOK_FOR_REMINDERS, self._reminding.look))
        rule, zone = self._settings.supervisor.daily, self._settings.clock.zone
        if rule is not None:
            daily = DailyDigest(
                rule,
                zone,
                shelf=shelf,
                activity=self._activity,
                concerns=self.concerns,
                fleet=fleet,
                mailbox=mailbox,
                primary=self._speech.primary,
                leads=self._leads,
                paused=lambda: None if (stands := pause()) is None else stands.sentence(),
            )
            schedule.add(Appointment("daily digest", rule, zone, daily.look))
            schedule.add(Job("late daily digest", _LOOK_FOR_DIGEST, daily.look))
        return schedule

    def _expect(self, due_at: datetime) -> None:
        if self._reminding is not None:
            self._reminding.expect(due_at)

    def call_out(self, dialog: Dialog) -> None:
        """Say that an agent waits at a dialog, with its screen."""
        evidence = "\n".join((dialog.title, *shown(dialog.rows)[-_ROWS:]))
        subject, said = self._subject(dialog.agent), announcement(dialog)
        self._outcry.cry(ConcernKind.DIALOG, subject, evidence, *said, offers=offers(dialog))

    def dialogs_open(self, agents: frozenset[str]) -> None:
        """Be told which agents of this host wait at a dialog: nobody else does any more."""
        subjects = frozenset(map(self._subject, agents))
        self._outcry.calm(ConcernKind.DIALOG, self._subject(""), subjects)

    def _subject(self, agent: str) -> str:
        return spoken(f"{self._host}/{agent}")
