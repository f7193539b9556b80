"""What sections of a configuration share: strictness, and fields that say what they mean."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field

OURS: Final = "-"
"""Of a field that OpenSarToolkit has no name for, in a section that it has."""

Words = Annotated[tuple[str, ...], Field(strict=False)]
File = Annotated[Path, Field(strict=False)]


def said(default: Any, text: str, *, old: str = "", ost: str = "", **limits: Any) -> Any:
    """Return a field with its meaning.

    Parameters
    ----------
    default
        What holds where a file says nothing.
    text : str
        What it means: a comment in the file, a row of the reference.
    old : str, optional
        OpenSarToolkit's name of it in 2019.
    ost : str, optional
        OpenSarToolkit's name of it today, where it differs from ours; `OURS` if it has none.
    **limits
        As pydantic's ``Field`` takes them.
    """
    notes: dict[str, Any] = {"old": old, "ost": ost}
    return Field(default, description=text, json_schema_extra=notes, **limits)


class Section(BaseModel):
    """A table of the file: what it does not know it refuses."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, validate_default=False)


def is_numbers(value: Any, count: int) -> bool:
    """Whether a value is a list of so many numbers."""
    return (
        isinstance(value, (list, tuple))
        and len(value) == count
        and all(isinstance(v, (int, float)) and not isinstance(v, bool) for v in value)
    )
