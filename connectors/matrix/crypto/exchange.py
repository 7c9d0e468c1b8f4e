"""One verification as the two devices talk: what is said next, and what was shown. It sends nothing itself.

Source: Matrix client-server API, "Key verification framework", "Short Authentication String (SAS) verification".
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from bot.rooms.devices import Symbol, VerificationStep
from connectors.matrix.crypto.sas import (
    AGREEMENT,
    AUTHENTICATION,
    DECIMAL,
    EMOJI,
    HASH,
    METHOD,
    Secret,
    SharedSecret,
    Side,
    commitment,
)

Content = dict[str, Any]
Tie = Callable[[Content], Content]
_NEXT = {"accept": frozenset({"key"}), "key": frozenset({"mac"}), "mac": frozenset[str]()}
"""What the other device says after this."""


@dataclass(frozen=True, slots=True)
class Word:
    """One event for the other device; ``kind`` is its type without the prefix."""

    kind: str
    content: Content


class BreachError(Exception):
    """The other device said something that ends a verification; ``code`` is the specification's."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class Exchange:
    """What is said between our device and another, from the first word to the last.

    ``name`` is the transaction's id or that of the request in a room, ``tie`` puts it into a content. The keys of both
    sides stand under their ids; ``proved`` are those of the other's that it proved. ``step`` is how far it is, ``why``
    says why it ended.
    """

    def __init__(
        self,
        name: str,
        ours: Side,
        theirs: Side,
        keys: tuple[Mapping[str, str], Mapping[str, str]],
        tie: Tie,
    ) -> None:
        self.step = VerificationStep.ASKED
        self.symbols: tuple[Symbol, ...] = ()
        self.proved: frozenset[str] = frozenset()
        self.why = ""
        self._name, self._ours, self._theirs = name, ours, theirs
        self._our_keys, self._their_keys = keys
        self._tie = tie
        self._awaits = frozenset({"start"})
        self._heard: dict[str, Mapping[str, Any]] = {}
        self._start: Content | None = None
        self._secret = Secret()
        self._shared: SharedSecret | None = None

    @property
    def is_over(self) -> bool:
        """Whether it came to one of its ends."""
        return self.step in {VerificationStep.VERIFIED, VerificationStep.ENDED}

    # -- what our side does ----------------------------------------------------------------------------

    def request(self, now_ms: int) -> list[Word]:
        """Ask the other device."""
        self._awaits = frozenset({"ready"})
        return [self._word("request", methods=[METHOD], timestamp=now_ms, **self._from)]

    def agree(self) -> list[Word]:
        """Say yes to the other's request: it begins then."""
        return [self._word("ready", methods=[METHOD], **self._from)]

    def confirm(self) -> list[Word]:
        """Say that the symbols are the same; only while they are shown."""
        self.step = VerificationStep.CONFIRMED
        codes = self._known.codes(self._ours, self._theirs, self._name, self._our_keys)
        return [self._word("mac", **codes), *self._finish()]

    def end(self, code: str, reason: str) -> list[Word]:
        """Break it off."""
        self.step, self.why = VerificationStep.ENDED, reason
        return [self._word("cancel", code=code, reason=reason)]

    # -- what the other does ---------------------------------------------------------------------------

    def hear(self, kind: str, content: Mapping[str, Any]) -> list[Word]:
        """Take in a word and return the answers; what breaks the rules ends it. The same word twice is one."""
        if self.is_over or self._heard.get(kind) == content:
            return []
        try:
            return self._hear(kind, content)
        except BreachError as breach:
            return self.end(breach.code, breach.reason)
        except (ValueError, RecursionError):  # half surrogates, and depths that only a mischief has
            return self.end(
                "m.invalid_message", f"what the other device said as {kind} is no Matrix"
            )

    def _hear(self, kind: str, content: Mapping[str, Any]) -> list[Word]:
        if kind == "cancel":
            said = content.get("reason") or content.get("code") or "no reason given"
            self.step, self.why = VerificationStep.ENDED, f"the other device broke it off: {said}"
            return []
        if kind in {"done", "request"}:
            return []  # one changes nothing any more, the other is the word that began it
        if kind not in self._awaits:
            raise BreachError("m.unexpected_message", f"the other device said {kind} out of turn")
        self._heard[kind] = content
        self._awaits = _NEXT.get(kind, self._awaits)
        answer = {
            "ready": self._begin,
            "start": self._accept,
            "accept": self._show_key,
            "key": self._compare,
            "mac": self._check,
        }[kind]
        return answer(content)

    def _begin(self, content: Mapping[str, Any]) -> list[Word]:
        if not _offers(content, "methods", METHOD):
            raise BreachError("m.unknown_method", "the other device does not compare symbols")
        start = self._word(
            "start",
            method=METHOD,
            key_agreement_protocols=[AGREEMENT],
            hashes=[HASH],
            message_authentication_codes=[AUTHENTICATION],
            short_authentication_string=[DECIMAL, EMOJI],
            **self._from,
        )
        self._start = start.content
        self._awaits = frozenset({"accept", "start"})
        return [start]

    def _accept(self, content: Mapping[str, Any]) -> list[Word]:
        if self._start is not None and not self._yields():
            return []  # both began: the one that is first in order counts, and that is ours
        ways = {
            "key_agreement_protocols": AGREEMENT,
            "hashes": HASH,
            "message_authentication_codes": AUTHENTICATION,
            "short_authentication_string": EMOJI,
        }
        if content.get("method") != METHOD or not all(
            _offers(content, *way) for way in ways.items()
        ):
            raise BreachError("m.unknown_method", "the other device knows no way that I know")
        self._start, self._awaits = None, frozenset({"key"})
        return [
            self._word(
                "accept",
                method=METHOD,
                key_agreement_protocol=AGREEMENT,
                hash=HASH,
                message_authentication_code=AUTHENTICATION,
                short_authentication_string=[EMOJI],
                commitment=commitment(self._secret.public_key, content),
            )
        ]

    def _show_key(self, content: Mapping[str, Any]) -> list[Word]:
        chosen = (
            content.get("key_agreement_protocol"),
            content.get("hash"),
            content.get("message_authentication_code"),
        )
        if chosen != (AGREEMENT, HASH, AUTHENTICATION) or not _offers(
            content, "short_authentication_string", EMOJI
        ):
            raise BreachError("m.unknown_method", "the other device chose a way that I do not know")
        return [self._word("key", key=self._secret.public_key)]

    def _compare(self, content: Mapping[str, Any]) -> list[Word]:
        key = str(content.get("key"))
        if self._start is not None:
            bound = self._heard["accept"].get("commitment")
            if bound != commitment(key, self._start):
                raise BreachError("m.mismatched_commitment", "the other device changed its key")
        try:
            self._shared = self._secret.shared(key)
        except ValueError as error:
            raise BreachError("m.invalid_message", "the other device's key is none") from error
        begun_here = self._start is not None
        self.symbols = self._shared.symbols(
            self._ours, self._theirs, self._name, begun_here=begun_here
        )
        self.step = VerificationStep.COMPARE
        return [] if begun_here else [self._word("key", key=self._secret.public_key)]

    def _check(self, content: Mapping[str, Any]) -> list[Word]:
        try:
            proved = self._known.proves(
                self._ours, self._theirs, self._name, content, self._their_keys
            )
        except ValueError as error:
            raise BreachError(
                "m.key_mismatch", "the other device's keys are not those that I know"
            ) from error
        if f"ed25519:{self._theirs.device_id}" not in proved:
            raise BreachError("m.key_mismatch", "the other device does not stand by its key")
        self.proved = proved
        return self._finish()

    def _finish(self) -> list[Word]:
        """End it when both sides said yes."""
        if self.step is not VerificationStep.CONFIRMED or not self.proved:
            return []
        self.step = VerificationStep.VERIFIED
        return [self._word("done")]

    def _yields(self) -> bool:
        ours, theirs = self._ours, self._theirs
        return (theirs.user_id, theirs.device_id) < (ours.user_id, ours.device_id)

    @property
    def _known(self) -> SharedSecret:
        if self._shared is None:
            raise BreachError("m.unexpected_message", "no symbols are shown yet")
        return self._shared

    @property
    def _from(self) -> Content:
        return {"from_device": self._ours.device_id}

    def _word(self, kind: str, **content: Any) -> Word:
        return Word(kind, self._tie(content))


def _offers(content: Mapping[str, Any], name: str, wanted: str) -> bool:
    offered = content.get(name)
    return isinstance(offered, list) and wanted in offered
