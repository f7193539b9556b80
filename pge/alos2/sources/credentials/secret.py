"""A password, token or key that nobody sees by accident."""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from typing import Final, NoReturn

from alos2.dataset.hidden import MASK, hide

_SHORTEST_COOKIE: Final = 8
"""Shorter cookies are flags and languages; hiding them would hide ordinary words."""


class Secret:
    """A text that prints as ``***`` wherever it is printed, logged, formatted or dumped.

    To make one is enough for its value to be taken out of all that this process writes to logs,
    error reports and tracebacks (`alos2.dataset.scrub`), however it comes there.

    Parameters
    ----------
    value : str
        The secret itself.
    """

    __slots__ = ("__value",)

    def __init__(self, value: str) -> None:
        self.__value = value
        hide(value)

    def reveal(self) -> str:
        """Return the secret itself: only where it is sent."""
        return self.__value

    def __bool__(self) -> bool:
        return bool(self.__value)

    def __eq__(self, other: object) -> bool:
        """Compare with another secret, in a time that does not depend on where they differ."""
        if not isinstance(other, Secret):
            return NotImplemented
        mine, others = (s.reveal().encode("utf-8", "surrogatepass") for s in (self, other))
        return hmac.compare_digest(mine, others)

    def __hash__(self) -> int:
        return hash((Secret, self.__value))

    def __repr__(self) -> str:
        return MASK

    def __str__(self) -> str:
        return MASK

    def __format__(self, spec: str) -> str:
        return format(MASK, spec)

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, memo: object) -> Secret:
        return self

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a Secret cannot be pickled")

    def __setattr__(self, name: str, value: object) -> None:
        if hasattr(self, "_Secret__value"):
            raise AttributeError("a Secret cannot be changed")
        object.__setattr__(self, name, value)


def hide_cookies(values: Iterable[str | None]) -> None:
    """Keep session cookies out of every text; those of fewer than 8 characters are no sessions."""
    hide(*(value for value in values if value and len(value) >= _SHORTEST_COOKIE))
