"""What must hold in a profile beyond the form of its file: one lead, one tree, classes that exist, sums that fit."""

from collections.abc import Collection, Iterator

from fleet.profiles.profile import Profile, Seat
from fleet.roster.document import circle
from fleet.strict_yaml import Place

Fault = tuple[Place, str]


def faults(profile: Profile, classes: Collection[str]) -> Iterator[Fault]:
    """Yield everything wrong, each with its place in the file; ``classes`` are those of the persona library."""
    seats = {seat.agent_class: seat for seat in profile.roster}
    yield from _of_classes(profile, classes)
    yield from _of_the_lead(profile, seats)
    for number, seat in enumerate(profile.roster):
        yield from _of_a_superior(number, seat, profile, seats)
    for number, one in enumerate(profile.floor):
        if one not in seats:
            yield ("floor", number), f"no seat has class {one}; the roster has: {_listed(seats)}"
    yield from _of_sums(profile)


def _of_classes(profile: Profile, classes: Collection[str]) -> Iterator[Fault]:
    seen: set[str] = set()
    for number, seat in enumerate(profile.roster):
        place: Place = ("roster", number, "class")
        if seat.agent_class not in classes:
            yield (
                place,
                f"the library has no class {seat.agent_class}; `mosaic fleet personas` lists them",
            )
        if seat.agent_class in seen:
            yield place, f"{seat.agent_class} has a seat already; say multiplicity there"
        seen.add(seat.agent_class)


def _of_the_lead(profile: Profile, seats: dict[str, Seat]) -> Iterator[Fault]:
    lead = seats.get(profile.lead)
    if lead is None:
        yield ("lead",), f"no seat has class {profile.lead}; the roster has: {_listed(seats)}"
    elif lead.multiplicity != 1:
        yield ("lead",), f"one agent leads, and {profile.lead} has multiplicity {lead.multiplicity}"


def _of_a_superior(
    number: int, seat: Seat, profile: Profile, seats: dict[str, Seat]
) -> Iterator[Fault]:
    place: Place = ("roster", number, "reports_to")
    leads = seat.agent_class == profile.lead
    if leads and seat.reports_to is not None:
        yield place, f"{seat.agent_class} leads and reports to nobody"
    elif not leads and seat.reports_to is None:
        yield (
            place,
            f"{seat.agent_class} must report to a class of the roster; only the lead does not",
        )
    elif seat.reports_to is not None:
        yield from _of_a_way_up(place, seat, seats)


def _of_a_way_up(place: Place, seat: Seat, seats: dict[str, Seat]) -> Iterator[Fault]:
    superior = seats.get(str(seat.reports_to))
    if superior is None:
        yield place, f"no seat has class {seat.reports_to}; the roster has: {_listed(seats)}"
    elif superior.multiplicity != 1:
        yield place, f"{seat.reports_to} are {superior.multiplicity}; whom others report to is one"
    ring = circle(seat.agent_class, {name: one.reports_to for name, one in seats.items()})
    if ring is not None:
        yield place, f"goes in a circle: {' → '.join(ring)}"


def _of_sums(profile: Profile) -> Iterator[Fault]:
    if profile.budget is None:
        return
    for key in ("dollars_per_day", "tokens_per_day"):
        whole = getattr(profile.budget, key)
        total = sum(
            seat.multiplicity * (getattr(seat.budget, key, None) or 0) for seat in profile.roster
        )
        if whole is not None and total > whole:
            yield ("budget", key), f"{whole:g} is less than the {total:g} of the seats together"


def _listed(seats: Collection[str]) -> str:
    return ", ".join(seats) or "nobody"
