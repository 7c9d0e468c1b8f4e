#!/usr/bin/env python3
"""Makes an account on your homeserver, or logs one in, and leaves its token in a file.

    account.py ann  --secret secrets/registration_secret
    account.py mosaic --secret secrets/registration_secret --token secrets/matrix_access_token
    account.py mosaic --token secrets/matrix_access_token

With --secret the account is made (Synapse; Tuwunel from 1.9). The password is asked for; an empty one is drawn and
printed. With --token the account gets a device for the bot, and the device's token is written there, mode 0600. Needs
Python alone.

Sources: Synapse's admin API, "Shared-Secret Registration"; Matrix client-server API, "POST /login".
"""

import argparse
import getpass
import hashlib
import hmac
import json
import os
import secrets
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

_REGISTER = "/_synapse/admin/v1/register"
_LOGIN = "/_matrix/client/v3/login"
_PATIENCE_SECONDS = 30


def ask(url: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return a homeserver's answer; SystemExit with its own words when it refuses."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(  # noqa: S310 - the address is the operator's own
        url, data, {"Content-Type": "application/json"}
    )
    try:
        with urllib.request.urlopen(request, timeout=_PATIENCE_SECONDS) as answer:  # noqa: S310
            told: dict[str, Any] = json.load(answer)
            return told
    except urllib.error.HTTPError as error:
        sys.exit(f"{url} answered {error.code}: {error.read().decode('utf-8', 'replace')[:300]}")
    except (urllib.error.URLError, ValueError) as error:
        sys.exit(f"{url}: {error}")


def register(url: str, name: str, password: str, secret: str) -> str:
    """Make an account and return its user id."""
    nonce = ask(url + _REGISTER)["nonce"]
    parts = "\0".join((nonce, name, password, "notadmin"))
    mac = hmac.new(secret.encode(), parts.encode(), hashlib.sha1).hexdigest()
    body = {"nonce": nonce, "username": name, "password": password, "admin": False, "mac": mac}
    return str(ask(url + _REGISTER, {**body, "inhibit_login": True})["user_id"])


def log_in(url: str, name: str, password: str) -> dict[str, Any]:
    """Make a device for the bot and return what the homeserver says of it."""
    body = {
        "type": "m.login.password",
        "identifier": {"type": "m.id.user", "user": name},
        "password": password,
        "initial_device_display_name": "Mosaic Fleet",
    }
    return ask(url + _LOGIN, body)


def keep(path: Path, token: str) -> None:
    """Write a token to a file that only its owner can read; one that is there is replaced."""
    draft = path.with_name(f".{path.name}.new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(f"{token}\n")
    draft.replace(path)


def password_for(name: str, *, new: bool) -> str:
    """Return the password that a person types, or the line that a script gives; draw one when it is empty."""
    asked = f"Password for {name}{' (empty: one is drawn)' if new else ''}: "
    given = getpass.getpass(asked) if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
    if given or not new:
        return given
    drawn = secrets.token_urlsafe(18)
    print(f"password of {name}: {drawn}")
    return drawn


def main() -> None:
    """Do what is asked."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("name", help="the account's name without @ and server")
    parser.add_argument("--url", default="http://127.0.0.1:8008", help="the homeserver's address")
    parser.add_argument(
        "--secret", type=Path, help="file with the registration secret: make the account"
    )
    parser.add_argument("--token", type=Path, help="file for the token of a new device")
    given = parser.parse_args()
    if given.secret is None and given.token is None:
        parser.error("nothing to do: give --secret, --token or both")
    url, password = given.url.rstrip("/"), password_for(given.name, new=given.secret is not None)
    if given.secret is not None:
        secret = given.secret.read_text(encoding="utf-8").strip()
        print(f"made {register(url, given.name, password, secret)}")
    if given.token is not None:
        told = log_in(url, given.name, password)
        keep(given.token, told["access_token"])
        print(
            f"{told['user_id']} has the device {told['device_id']}; its token is in {given.token}"
        )


if __name__ == "__main__":
    main()
