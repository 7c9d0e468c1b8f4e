"""What a homeserver says of devices and their keys, free of what would end the reading.

A homeserver passes on what anybody uploaded. One spoilt device costs itself, never its neighbours.
"""

from collections.abc import Mapping
from typing import Any

import vodozemac
from nio.crypto import OlmDevice


def sound_devices(told: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the devices of an answer to /keys/query whose keys and signature are well-formed, by user."""
    return {
        user: {
            device_id: device
            for device_id, shown in _pairs(devices)
            if (device := _sound(shown, user, device_id)) is not None
        }
        for user, devices in _pairs(told.get("device_keys"))
    }


def single_keys(told: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return an answer to /keys/claim as one answer for each device."""
    return [
        {"one_time_keys": {user: {device_id: keys}}}
        for user, devices in _pairs(told.get("one_time_keys"))
        for device_id, keys in _pairs(devices)
        if isinstance(keys, dict) and keys
    ]


def shown_key(shown: Mapping[str, Any], device_id: str) -> str:
    """Return the fingerprint of a device that ``sound_devices`` let pass."""
    return str(shown["keys"][f"ed25519:{device_id}"])


def has_other_keys(device: OlmDevice | None, shown: Mapping[str, Any]) -> bool:
    """Return whether a device that we know shows another fingerprint than before."""
    return device is not None and shown_key(shown, device.id) != device.ed25519


def _sound(shown: Any, user: str, device_id: str) -> dict[str, Any] | None:
    """Return a device with no more than is needed of it; None when that is not well-formed."""
    key_id = f"ed25519:{device_id}"
    try:
        vodozemac.Ed25519PublicKey.from_base64(shown["keys"][key_id])
        vodozemac.Curve25519PublicKey.from_base64(shown["keys"][f"curve25519:{device_id}"])
        signature = shown["signatures"][user][key_id]
        vodozemac.Ed25519Signature.from_base64(signature)
        sound = all(isinstance(one, str) for one in (*shown["keys"].values(), *shown["algorithms"]))
        named = (shown["user_id"], shown["device_id"])
        name = shown.get("unsigned", {}).get("device_display_name")
    except (ValueError, TypeError, KeyError, AttributeError):
        return None
    if not sound or named != (user, device_id):
        return None
    unsigned = {"device_display_name": name if isinstance(name, str) else ""}
    return {**shown, "signatures": {user: {key_id: signature}}, "unsigned": unsigned}


def _pairs(value: object) -> list[tuple[str, Any]]:
    return list(value.items()) if isinstance(value, dict) else []
