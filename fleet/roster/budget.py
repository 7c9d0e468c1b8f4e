"""What an agent or a whole fleet may spend. It is read, checked and kept; nothing is counted against it yet."""

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Dollars = Annotated[float, Field(gt=0, le=1_000_000, allow_inf_nan=False)]
Tokens = Annotated[int, Field(gt=0, le=1_000_000_000_000)]


class Budget(BaseModel):
    """Bounds of one day. What is not said has no bound; a budget without any is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    dollars_per_day: Dollars | None = None
    tokens_per_day: Tokens | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.dollars_per_day is None and self.tokens_per_day is None:
            raise ValueError("says nothing; give dollars_per_day, tokens_per_day or both")
        return self

    def plain(self) -> dict[str, float]:
        """Return the bounds by key, whole numbers without a point."""
        said = self.model_dump(exclude_none=True)
        return {key: int(value) if value == int(value) else value for key, value in said.items()}
