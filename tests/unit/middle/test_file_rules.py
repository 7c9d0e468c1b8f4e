"""What people send is named and judged by rules that no name and no byte gets around."""

import unicodedata
from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.enclosure import Attachment, size_text
from bot.errors import UserError
from bot.files.rules import LOOKED_AT, TAKEN_TYPES, FileRules, numbered_name, safe_name, shown_type

PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"
ELF = b"\x7fELF\x02\x01\x01\x00"
RULES = FileRules(1000, 1500, TAKEN_TYPES)


def said(media_type: str) -> Attachment:
    return Attachment("x", media_type, None, {})


@pytest.mark.parametrize(
    ("given_name", "kept"),
    [
        ("plan.pdf", "plan.pdf"),
        ("a plan  of mine.pdf", "a_plan_of_mine.pdf"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\ann\\x.txt", "x.txt"),
        ("..", "file"),
        ("", "file"),
        ("/", "file"),
        (".bashrc", "bashrc"),
        ("-rf", "rf"),
        ("--help", "help"),
        ("a\x00b\x1b[31m.txt", "a_b_31m.txt"),
        ("$(reboot)`x`;|&.sh", "(reboot)_x_.sh"),
        ("naïve re\u0301sume\u0301.txt", "naïve_résumé.txt"),
        ("gpj.\u202eexe", "gpj._exe"),
        ("日本 👍.png", "日本_.png"),
        ("n" * 500 + ".tar.gz", "n" * 117 + ".gz"),
        ("trailing. . ", "trailing"),
        ("two\nlines", "two_lines"),
    ],
)
def test_a_name_is_nothing_but_a_name(given_name: str, kept: str) -> None:
    assert safe_name(given_name) == kept


@given(st.text(max_size=400))
def test_no_name_whatever_is_more_than_one(name: str) -> None:
    kept = safe_name(name)
    assert kept
    assert PurePosixPath(kept).name == kept
    assert kept[0] not in ".-"
    assert len(kept) <= 120
    assert len(kept.encode()) <= 200
    assert not any(unicodedata.category(c) in {"Cc", "Cf", "Cs", "Zl", "Zp"} for c in kept)
    assert not set(kept) & set("/\\\"'`$;|&<>*?!\n\t ")
    assert safe_name(kept) == kept, "cleaning twice changes nothing"
    assert numbered_name(kept, 2) != kept


@given(st.text(max_size=200), st.integers(2, 10_000))
def test_a_numbered_name_keeps_its_ending_and_its_length(name: str, number: int) -> None:
    kept = safe_name(name)
    numbered = numbered_name(kept, number)
    assert len(numbered.encode()) <= 200
    assert f"-{number}" in numbered


@pytest.mark.parametrize(
    ("beginning", "shown"),
    [
        (PNG, "image/png"),
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 ", "image/webp"),
        (b"%PDF-1.7\n%\xe2\xe3", "application/pdf"),
        (b"PK\x03\x04rest", "application/zip"),
        (ELF, "application/x-executable"),
        (b"MZ\x90\x00\x03", "application/x-executable"),
        (b"MZ is a word", "text/plain"),
        (b"#!/bin/sh\nreboot\n", "text/plain"),
        ("ein Wörterbuch".encode(), "text/plain"),
        (b"", "text/plain"),
        (b"\x00\x01\x02", "application/octet-stream"),
        (b"\xff\xfe\xfd", "application/octet-stream"),
        ("ü".encode() * 3000, "text/plain"),
        (("x" + "ü" * 3000).encode()[:LOOKED_AT], "text/plain"),
    ],
)
def test_the_first_bytes_show_what_a_file_is(beginning: bytes, shown: str) -> None:
    assert shown_type(beginning[:LOOKED_AT]) == shown


@pytest.mark.parametrize(
    ("media_type", "beginning", "kept"),
    [
        ("text/plain", b"hello", "text/plain"),
        ("text/x-python", b"#!/usr/bin/python\n", "text/x-python"),
        ("image/png", PNG, "image/png"),
        ("image/jpeg", PNG, "image/jpeg"),
        ("image/svg+xml", b"<svg/>", "image/svg+xml"),
        ("application/pdf", b"%PDF-1.4", "application/pdf"),
        ("application/octet-stream", PNG, "image/png"),
        ("application/octet-stream", b"words", "text/plain"),
        ("application/sql", b"SELECT 1", "text/plain"),
        ("application/x-what", b"words", "text/plain"),
    ],
)
def test_what_is_as_it_says_is_taken(media_type: str, beginning: bytes, kept: str) -> None:
    RULES.check_said_type(said(media_type))
    assert RULES.check_bytes(said(media_type), beginning) == kept


@pytest.mark.parametrize(
    ("media_type", "beginning", "words"),
    [
        ("image/png", ELF, "programs are not taken"),
        ("text/plain", ELF, "programs are not taken"),
        ("video/mp4", b"MZ\x90\x00", "programs are not taken"),
        ("application/octet-stream", ELF, "programs are not taken"),
        ("image/png", b"<html>", "says that it is image/png, and its bytes show text/plain"),
        ("text/html", PNG, "says that it is text/html, and its bytes show image/png"),
        ("application/pdf", b"PK\x03\x04", "bytes show application/zip"),
        ("application/json", b"\x00\x01", "bytes show application/octet-stream"),
        (
            "application/octet-stream",
            b"\x00\x01",
            "its type is application/octet-stream; taken are",
        ),
        ("application/x-what", b"\x00\x01", "its type is application/x-what; taken are text/"),
    ],
)
def test_what_is_not_as_it_says_or_not_taken_is_refused(
    media_type: str, beginning: bytes, words: str
) -> None:
    with pytest.raises(UserError, match=words):
        RULES.check_bytes(said(media_type), beginning)


def test_where_nothing_is_allowed_nothing_is_taken() -> None:
    with pytest.raises(UserError, match="taken are none"):
        FileRules(1, 1, ()).check_said_type(said("text/plain"))


def test_limits_are_named_with_the_value() -> None:
    RULES.check_size(1000, 500)
    with pytest.raises(UserError, match="it has 1,001 bytes; the limit is 1,000 bytes"):
        RULES.check_size(1001, 0)
    with pytest.raises(UserError, match="its 1,000 bytes do not fit: 501 of 1,500 bytes"):
        RULES.check_size(1000, 501)


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 bytes"),
        (999, "999 bytes"),
        (1500, "1.5 KiB"),
        (20 << 20, "20.0 MiB"),
        (5 << 40, "5120.0 GiB"),
    ],
)
def test_sizes_are_said_as_people_read_them(size: int, text: str) -> None:
    assert size_text(size) == text
