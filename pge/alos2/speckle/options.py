"""What may be chosen about a speckle filter; names as OpenSarToolkit (and SNAP) has them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias, get_args

from alos2.errors import UsageError

FilterName: TypeAlias = Literal[
    "None", "Boxcar", "Median", "Frost", "Gamma Map", "Lee", "Refined Lee", "Lee Sigma"
]

FILTERS: Final[tuple[FilterName, ...]] = get_args(FilterName)

_LARGEST_WINDOW: Final = 31
_REFINED_LEE_RADIUS: Final = 3
"""Its windows are 7 x 7: the method knows no others."""


@dataclass(frozen=True)
class SpeckleFilter:
    """A speckle filter with its parameters.

    Raises
    ------
    UsageError
        A filter or parameter that cannot be.
    """

    filter: FilterName = "None"
    window_size: int = 7
    """Width and height of the window, odd, pixels. Refined Lee is always 7 x 7."""
    looks: float | None = None
    """Equivalent number of looks of the image (OST: ENL); None: told by the product or estimated.
    Boxcar, Median and Frost need none."""
    sigma: float = 0.9
    """Lee Sigma: share of the speckle's distribution that is averaged, 0.5 to 0.98."""
    target_window_size: int = 3
    """Lee Sigma: window of the first guess of the mean, 3 or 5."""
    damping: float = 2.0
    """Frost: how fast weights fall with the distance."""

    def __post_init__(self) -> None:
        if self.filter not in FILTERS:
            raise UsageError(
                f"there is no speckle filter {self.filter!r}",
                hint=f"choose one of {', '.join(FILTERS)}",
            )
        if self.window_size % 2 == 0 or not 3 <= self.window_size <= _LARGEST_WINDOW:
            raise UsageError(
                f"a speckle filter's window of {self.window_size} pixels cannot be",
                hint=f"it is odd, from 3 to {_LARGEST_WINDOW}",
            )
        if self.looks is not None and not 0 < self.looks < 1e6:
            raise UsageError(f"{self.looks:g} looks cannot be; they are above 0")
        if not 0.5 <= self.sigma <= 0.98:
            raise UsageError(f"a sigma of {self.sigma:g} is not within 0.5 to 0.98")
        if self.target_window_size not in {3, 5}:
            raise UsageError(f"a target window of {self.target_window_size} is neither 3 nor 5")
        if not 0 <= self.damping <= 100:
            raise UsageError(f"a damping of {self.damping:g} is not within 0 to 100")


def needs_looks(options: SpeckleFilter) -> bool:
    """Whether the filter depends on the number of looks."""
    return options.filter in {"Lee", "Refined Lee", "Lee Sigma", "Gamma Map"}


def halo(options: SpeckleFilter) -> int:
    """Return how many pixels beyond a part of an image the filter looks at."""
    if options.filter == "None":
        return 0
    if options.filter == "Refined Lee":
        return _REFINED_LEE_RADIUS
    radius = options.window_size // 2
    # The neighbours' neighbours decide what is a strong target.
    return (
        max(radius, options.target_window_size // 2, 2) if options.filter == "Lee Sigma" else radius
    )
