"""nio's Olm machine, with what it leaves open closed."""

from typing import Any

import structlog
import vodozemac
from nio.crypto import InboundGroupSession, Olm

from connectors.matrix.events import KIND


class DeviceOlm(Olm):  # type: ignore[misc]
    """The machine of one device; what is different from nio's stands at each method."""

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
        """Take a key that we asked for also from the very device that made it.

        nio takes forwarded keys from our own verified devices only. The maker says no more by it than it said by
        the key itself, and newer clients answer a request in this way.
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
        return bool(asked.room_id == event.room_id and asked.algorithm == event.algorithm)

    _maker: str | None = None
