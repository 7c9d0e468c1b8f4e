"""What the tables of mosaic.toml have in common: how one is read, and the kinds of values that stand in them."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from bot.clock.moments import read_clock, read_zone

Seconds = Annotated[float, Field(gt=0, le=86_400, strict=True)]
PrincipalId = Annotated[str, Field(pattern=r"^[a-z]+:\S+$", strict=True)]
Text = Annotated[str, Field(strict=True)]
HostName = Annotated[str, Field(strict=True, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]

ModelChoice = Annotated[
    str,
    Field(
        strict=True,
        pattern=r"^$|^(claude|codex|opencode|pi|gemini|dogfood|python|bash|generic)(:\S[^\x00-\x1f\x7f]*)?$",
    ),
]


def _known_zone(name: str) -> str:
    read_zone(name)
    return name


def _known_clock(word: str) -> str:
    if word:
        read_clock(word)
    return word


ZoneName = Annotated[Text, AfterValidator(_known_zone)]
WallTime = Annotated[Text, AfterValidator(_known_clock)]


class Section(BaseModel):
    """A table of mosaic.toml: unknown keys are refused, values never change."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)
