"""The port Provisioning: profiles over roster.yaml of this home."""

from collections.abc import Mapping, Sequence

from bot.agents.provisioning import Chair, Provision, SystemType, Wishes
from bot.config.places import Places
from fleet.host.local import LocalFleet
from fleet.personas.tiers import Models
from fleet.profiles.library import find_profile, profiles, refusals
from fleet.profiles.profile import Profile, wanted_by
from fleet.profiles.provision import draft, tier_of
from fleet.roster.document import Roster
from fleet.roster.edit import extend
from fleet.roster.file import parse
from fleet.roster.store import RosterStore

_KEPT, _NEW, _BESIDE = "kept", "new", "kept, not in the profile"


class LocalProvisioning:
    """Reads the files at each question anew: a profile that somebody drops is there at once.

    ``models`` says what a tier means here (``fleet.personas.tiers``).
    """

    def __init__(self, fleet: LocalFleet, models: Mapping[str, str]) -> None:
        self._fleet = fleet
        self._store = RosterStore(fleet.places)
        self._models = Models(models)

    def types(self) -> Sequence[SystemType]:
        """Return every system type by id."""
        return [
            system_type(profile, self._fleet.places) for profile in profiles(self._fleet.places)
        ]

    def type(self, profile: str) -> SystemType:
        """Return one system type."""
        return system_type(find_profile(profile, self._fleet.places), self._fleet.places)

    def refusals(self) -> Sequence[str]:
        """Return what is wrong with a person's own profiles, a line each."""
        return refusals(self._fleet.places)

    def chart(self) -> Sequence[Chair]:
        """Return the org chart of the roster in force."""
        return [
            Chair(one.name, one.agent_class, one.reports_to, one.runtime, one.model_hint)
            for one in self._fleet.current.agents
        ]

    def plan(self, profile: str, wishes: Wishes) -> Provision:
        """Return what it would mean."""
        return self._made(profile, self._store.text(), wishes)

    async def provision(self, profile: str, wishes: Wishes) -> Provision:
        """Write the roster as the profile and the file that is there at this moment make it."""
        done: list[Provision] = []

        def change(text: str) -> str:
            done.append(self._made(profile, text, wishes))
            return done[-1].roster

        await self._store.change(change)
        return done[-1]

    def _made(self, profile: str, text: str, wishes: Wishes) -> Provision:
        places, host = self._fleet.places, self._fleet.host
        return make_provision(profile, text, wishes, places=places, models=self._models, host=host)


def make_provision(
    profile_id: str, text: str, wishes: Wishes, *, places: Places, models: Models, host: str
) -> Provision:
    """Return what a profile makes of a roster's text; UserError when that is no good roster."""
    source = str(places.roster_file)
    profile, before = find_profile(profile_id, places), parse(text, source)
    choices = models.choices(wishes.runtime)
    made = draft(profile, before, places, choices, wishes.working_directory)
    written = extend(text, made.added, made.superiors, made.head)
    after = parse(written, source)
    old = {one.name for one in before.agents}
    return Provision(
        system_type=system_type(profile, places),
        chart=_chart(after, old, made.tiers),
        roster=written,
        added=made.added,
        kept=tuple(one.name for one in before.agents),
        conflicts=made.conflicts,
        starts=tuple(one.name for one in after.agents_on(host) if one.name not in old),
        models={tier: str(choice) for tier, choice in choices.items()},
    )


def _chart(roster: Roster, old: set[str], tiers: Mapping[str, str]) -> tuple[Chair, ...]:
    return tuple(
        Chair(
            name=one.name,
            agent_class=one.agent_class,
            reports_to=one.reports_to,
            runtime=one.runtime,
            model_hint=one.model_hint,
            model_tier=tiers.get(one.name),
            note=_NEW if one.name not in old else _KEPT if one.name in tiers else _BESIDE,
        )
        for one in roster.agents
    )


def system_type(profile: Profile, places: Places) -> SystemType:
    """Return a profile in the words of the port."""
    return SystemType(
        id=profile.id,
        title=profile.title,
        purpose=profile.purpose,
        lead=profile.lead,
        floor=profile.floor,
        chart=tuple(
            Chair(
                one.name,
                one.seat.agent_class,
                one.reports_to,
                model_tier=tier_of(one.seat, places),
            )
            for one in wanted_by(profile)
        ),
        budget={} if profile.budget is None else profile.budget.plain(),
        source=profile.source,
        refused=profile.refused,
    )
