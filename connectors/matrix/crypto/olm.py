"""nio's Olm machine, with what it leaves open closed."""

from collections.abc import Callable
from typing import Any

import structlog
import vodozemac
from nio.crypto import InboundGroupSession, Olm

from connectors.matrix.events import KIND


class DeviceOlm(Olm):  # type: ignore[misc]
    """The machine of one device; what is different from nio's stands at each method.

    ``expects`` tells whether words of somebody wait for a room's session.
    """

    _message_index_store_size = 1000
    """What was read is remembered for good in ``replays``; nio's own memory of it may be small."""

    expects: Callable[[str, str, str], bool] = staticmethod(lambda *_: False)

    def create_group_session(
        self, sender_key: str, sender_fp_key: str, room_id: str, session_id: str, session_key: str
    ) -> None:
        """Store a room's key; one that reads less than what we have of the same session changes nothing.

        nio replaces it, and lets a spoilt key's error out.
        """
        try:
            found = InboundGroupSession(session_key, sender_fp_key, sender_key, room_id)
        except (vodozemac.SessionKeyDecodeException, vodozemac.SessionCreationException) as error:
            structlog.get_logger(part=KIND).warning("a room's key is spoilt", error=str(error))
            return
        known = self.inbound_group_store.get(room_id, sender_key, session_id)
        if found.id != session_id or (
            known is not None and known.first_known_index <= found.first_known_index
        ):
            return
        self.inbound_group_store.add(found)
        self.save_inbound_group_session(found)

    def _handle_forwarded_room_key_event(
        self, sender: str, sender_key: str, payload: dict[str, Any]
    ) -> Any:
        """Take a key that we asked for also from the very device that made it, if it is the sender's whom we asked.

        nio takes forwarded keys from our own verified devices only. The maker says no more by it than it said by
        the key itself, and newer clients answer a request in this way. Without the second condition anybody could put
        a key of their own in the place of the one that is missing.
        """
        content = payload["content"]
        made_here = (
            content.get("sender_key") == sender_key
            and content.get("sender_claimed_ed25519_key") == payload["keys"].get("ed25519")
            and not content.get("forwarding_curve25519_key_chain")
        )
        self._maker = content.get("session_id") if made_here else None
        return super()._handle_forwarded_room_key_event(sender, sender_key, payload)

    def _should_accept_forward(self, sender: str, sender_key: str, event: Any) -> bool:
        asked = self.outgoing_key_requests.get(event.session_id)
        if self._maker != event.session_id or asked is None:
            return bool(super()._should_accept_forward(sender, sender_key, event))
        return (
            asked.room_id == event.room_id
            and asked.algorithm == event.algorithm
            and self.expects(event.room_id, event.session_id, sender)
        )

    _maker: str | None = None
