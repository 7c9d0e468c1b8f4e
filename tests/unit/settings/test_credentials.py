"""Credentials: where secrets come from, and that they stay inside."""

from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bot.config.credentials import Credentials
from bot.errors import SetupError


def _file(tmp_path: Path, text: str, mode: int = 0o600) -> str:
    path = tmp_path / "secret"
    path.write_text(text)
    path.chmod(mode)
    return str(path)


def test_a_secret_comes_from_its_variable_or_its_file(tmp_path: Path) -> None:
    path = _file(tmp_path, "from-file\n")
    assert Credentials({"DISCORD_BOT_TOKEN": "direct"}).get("DISCORD_BOT_TOKEN") == "direct"
    assert Credentials({"DISCORD_BOT_TOKEN_FILE": path}).get("DISCORD_BOT_TOKEN") == "from-file"


def test_a_missing_secret_is_none_and_a_required_one_is_named() -> None:
    assert Credentials({}).get("DATABASE_URL") is None
    with pytest.raises(SetupError, match="MATRIX_ACCESS_TOKEN is not set"):
        Credentials({}).require("MATRIX_ACCESS_TOKEN")


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o666])
def test_a_file_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    path = _file(tmp_path, "from-file", mode)
    with pytest.raises(SetupError, match=f"mode {mode:04o}"):
        Credentials({"MATRIX_PICKLE_KEY_FILE": path}).get("MATRIX_PICKLE_KEY")


def test_a_file_that_was_mended_is_read_at_the_next_try(tmp_path: Path) -> None:
    credentials = Credentials({"MATRIX_PICKLE_KEY_FILE": str(tmp_path / "secret")})
    with pytest.raises(SetupError, match="No such file"):
        credentials.get("MATRIX_PICKLE_KEY")
    _file(tmp_path, "now-it-is-here")
    assert credentials.get("MATRIX_PICKLE_KEY") == "now-it-is-here"


def test_an_empty_file_and_a_secret_given_twice_are_refused(tmp_path: Path) -> None:
    path = _file(tmp_path, "\n")
    with pytest.raises(SetupError, match="is empty"):
        Credentials({"DATABASE_URL_FILE": path}).get("DATABASE_URL")
    with pytest.raises(SetupError, match="both set"):
        Credentials({"DATABASE_URL_FILE": path, "DATABASE_URL": "x"}).get("DATABASE_URL")


def test_repr_shows_names_only() -> None:
    shown = repr(Credentials({"DATABASE_URL": "postgresql://u:hunter22@h/d"}))
    assert shown == "Credentials(DATABASE_URL)"


def test_a_password_in_an_address_is_hidden_although_nobody_read_it() -> None:
    text = "no route to postgresql://ann:hunter22@db/fleet"
    assert Credentials({}).redact(text) == "no route to postgresql://ann:[redacted]@db/fleet"


def test_provider_keys_of_the_environment_are_hidden() -> None:
    credentials = Credentials({"ANTHROPIC_API_KEY": "sk-ant-0123456789", "PATH": "/usr/bin"})
    assert credentials.redact("key sk-ant-0123456789 in /usr/bin") == "key [redacted] in /usr/bin"


_WORDS = st.characters(exclude_characters="[]", exclude_categories=["Cs"])


@given(
    st.text(_WORDS, min_size=6, max_size=40),
    st.text(_WORDS, max_size=20),
    st.text(_WORDS, max_size=20),
)
def test_a_secret_that_was_read_never_passes(secret: str, before: str, after: str) -> None:
    credentials = Credentials({"MATRIX_ACCESS_TOKEN": secret})
    known = secret.strip()
    assume(len(known) >= 6 and known not in "redacted")
    credentials.get("MATRIX_ACCESS_TOKEN")
    for form in (known, quote(known, safe="")):
        assert known not in credentials.redact(before + form + after)


def test_what_a_set_up_kept_counts_where_the_environment_says_nothing(tmp_path: Path) -> None:
    kept = tmp_path / "secrets"
    assert Credentials({}, kept).get("DISCORD_BOT_TOKEN") is None
    kept.mkdir()
    file = kept / "discord_bot_token"
    file.write_text("kept-by-us\n")
    file.chmod(0o600)
    assert Credentials({}, kept).get("DISCORD_BOT_TOKEN") == "kept-by-us"
    assert Credentials({"DISCORD_BOT_TOKEN": "said"}, kept).get("DISCORD_BOT_TOKEN") == "said"
    file.chmod(0o644)
    with pytest.raises(SetupError, match="others can read it"):
        Credentials({}, kept).get("DISCORD_BOT_TOKEN")
