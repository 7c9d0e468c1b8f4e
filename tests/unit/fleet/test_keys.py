"""A terminal's bytes, cut anywhere, read as keys."""

from hypothesis import given
from hypothesis import strategies as st

from fleet.tmux.keys import Key, KeyReader, Typed


def merged(items: list[Key | Typed]) -> list[Key | tuple[str, bool]]:
    found: list[Key | tuple[str, bool]] = []
    for item in items:
        last = found[-1] if found else None
        if isinstance(item, Typed):
            if isinstance(last, tuple) and last[1] is item.pasted:
                found[-1] = (last[0] + item.text, item.pasted)
            else:
                found.append((item.text, item.pasted))
        else:
            found.append(item)
    return found


@given(st.lists(st.integers(1, 60), max_size=20), st.text(alphabet="aß漢\n\t!\x1b[", max_size=30))
def test_where_the_bytes_are_cut_does_not_matter(cuts: list[int], pasted: str) -> None:
    content = b"hi \xc3\xbc\x1b[A\x7f\x1b[200~" + pasted.encode() + b"\x1b[201~\r"
    reader, items, at = KeyReader(), [], 0
    for cut in cuts:
        items += reader.feed(content[at : at + cut])
        at += cut
    items += reader.feed(content[at:])
    assert merged(items) == merged(KeyReader().feed(content))


def test_a_paste_keeps_its_line_ends_and_enter_comes_after_it() -> None:
    items = KeyReader().feed(b"\x1b[200~one\ntwo\r\x1b[201~\r")
    assert items == [Typed("one\ntwo\r", pasted=True), Key.ENTER]


def test_a_lone_escape_is_a_key_once_nothing_follows() -> None:
    reader = KeyReader()
    assert reader.feed(b"\x1b") == []
    assert reader.settle() == [Key.ESCAPE]
    assert reader.feed(b"x") == [Typed("x", pasted=False)]
