"""What a homeserver says of keys, and rooms of their rules, taken with care."""

from datetime import timedelta
from typing import Any

import pytest
import vodozemac

from connectors.matrix.crypto.roomkeys import Rotation, read_rotation
from connectors.matrix.crypto.shown import single_keys, sound_devices


def _device(**changes: Any) -> dict[str, Any]:
    account = vodozemac.Account()
    signature = account.sign(b"anything").to_base64()
    return {
        "user_id": "@ann:x",
        "device_id": "D",
        "algorithms": ["m.megolm.v1.aes-sha2"],
        "keys": {
            "ed25519:D": account.ed25519_key.to_base64(),
            "curve25519:D": account.curve25519_key.to_base64(),
        },
        "signatures": {"@ann:x": {"ed25519:D": signature, "ed25519:other": 7}, "@eve:x": []},
        "unsigned": {"device_display_name": None, "more": 1},
        **changes,
    }


def test_a_sound_device_is_kept_with_no_more_than_is_needed() -> None:
    found = sound_devices({"device_keys": {"@ann:x": {"D": _device()}}})["@ann:x"]["D"]
    assert set(found["signatures"]) == {"@ann:x"}
    assert set(found["signatures"]["@ann:x"]) == {"ed25519:D"}
    assert found["unsigned"] == {"device_display_name": ""}


@pytest.mark.parametrize(
    "spoilt",
    [
        {"user_id": "@eve:x"},
        {"device_id": "E"},
        {"keys": {"ed25519:D": "garbage", "curve25519:D": "garbage"}},
        {"keys": {}},
        {"keys": None},
        {"signatures": {}},
        {"signatures": {"@ann:x": {"ed25519:D": "garbage"}}},
        {"algorithms": None},
        {"algorithms": [1]},
        {"unsigned": 5},
    ],
)
def test_a_spoilt_device_costs_itself_alone(spoilt: dict[str, Any]) -> None:
    devices = {"@ann:x": {"D": _device(**spoilt), "odd": "word"}, "@bob:x": {"D": None}, "x": []}
    assert sound_devices({"device_keys": devices}) == {"@ann:x": {}, "@bob:x": {}, "x": {}}


def test_what_is_no_answer_holds_no_devices_and_no_keys() -> None:
    for told in ({}, {"device_keys": None, "one_time_keys": 3}):
        assert sound_devices(told) == {}
        assert single_keys(told) == []


def test_claimed_keys_come_one_by_one() -> None:
    told = {
        "one_time_keys": {"@ann:x": {"D": {"k": {}}, "E": {}, "F": 1}, "@bob:x": {"G": {"l": 2}}}
    }
    assert single_keys(told) == [
        {"one_time_keys": {"@ann:x": {"D": {"k": {}}}}},
        {"one_time_keys": {"@bob:x": {"G": {"l": 2}}}},
    ]


@pytest.mark.parametrize(
    ("rules", "messages", "age"),
    [
        ({}, 100, timedelta(days=7)),
        ({"rotation_period_msgs": 5, "rotation_period_ms": 3_600_000}, 5, timedelta(hours=1)),
        ({"rotation_period_msgs": 0, "rotation_period_ms": -1}, 100, timedelta(days=7)),
        ({"rotation_period_msgs": True, "rotation_period_ms": "1"}, 100, timedelta(days=7)),
        ({"rotation_period_msgs": 10**30, "rotation_period_ms": 1}, 10_000, timedelta(minutes=1)),
        ({"rotation_period_ms": 10**30}, 100, timedelta(days=365)),
    ],
)
def test_a_room_s_rules_are_kept_within_what_can_be_done(
    rules: dict[str, Any], messages: int, age: timedelta
) -> None:
    assert read_rotation(rules) == Rotation(messages, age)
