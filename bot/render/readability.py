"""How hard a text is to read: the grade of Flesch and Kincaid, with syllables counted by a rule of thumb."""

import re

_WORD = re.compile(r"[A-Za-z]+(?:['\u2019][A-Za-z]+)*")
_SENTENCE_END = re.compile(r"(?<=[.!?:])\s+")
_SOUND = re.compile(r"[aeiouy]+")
_MUTE = (  # letters that look like a sound and are none: time, merged, changes, safely
    re.compile(r"[^aeiouy]e$(?<![^aeiouylr]le)"),
    re.compile(r"[^aeiouytd]ed$"),
    re.compile(r"[^aeiouysxzcgh]es$(?<![^aeiouylr]les)"),
    re.compile(r"[aeiouy][^aeiouy]+e(?=ly$|ment|ful|less)"),
)
_DIVIDED = re.compile(r"i[ao](?!n)|ien|eo(?!p)|[aeou]ing|[iy]ing|uat|uou")
_MARKUP = re.compile(r"^(?:[*#>-] ?|#+ )")


def words(text: str) -> list[str]:
    """Return the words of a text; a compound with hyphens counts as its parts."""
    return _WORD.findall(text)


def grade(text: str) -> float:
    """Return the years of school that a Markdown text asks for (Kincaid and others, 1975); headings are left out.

    A line that begins with ``*`` begins a sentence, and a colon ends one. 0 for a text without words.
    """
    said = [words(one) for one in _sentences(text)]
    said = [one for one in said if one]
    total = sum(map(len, said))
    if not total:
        return 0.0
    sounds = sum(syllables(word) for one in said for word in one)
    return 0.39 * total / len(said) + 11.8 * sounds / total - 15.59


def syllables(word: str) -> int:
    """Return about how many syllables an English word has, at least one."""
    plain = re.sub(r"[^a-z]", "", word.lower())
    count = len(_SOUND.findall(plain)) + len(_DIVIDED.findall(plain))
    return max(1, count - sum(len(mute.findall(plain)) for mute in _MUTE))


def _sentences(text: str) -> list[str]:
    paragraphs = re.sub(r"\n(?![*#\n])\s*", " ", text).split("\n")
    told = (line for line in paragraphs if not line.startswith("#"))
    return [one for line in told for one in _SENTENCE_END.split(_MARKUP.sub("", line))]
