"""Tables of 256 colours for numbers, told apart by people with any colour vision.

Each is a few colours joined in OKLab (B. Ottosson, A perceptual color space for image processing,
2020), where equal steps look equal; lightness runs in a straight line, so that a picture reads the
same in grey. No table needs red told from green: hues lie between blue and yellow or orange.
"""

from __future__ import annotations

from functools import cache
from typing import Final, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

Kind: TypeAlias = Literal["sequential", "cyclic", "diverging"]
Colours: TypeAlias = npt.NDArray[np.uint8]

NO_DATA: Final = (74, 80, 92)
"""Slate: neither in the grey of backscatter nor in a table."""

_ANCHORS: Final[dict[Kind, tuple[str, ...]]] = {
    # Water to cities: dark blue, teal, sand.
    "sequential": ("#08142e", "#123f6b", "#1f7a8c", "#74b49a", "#f3e7b3"),
    # Ends meet; opposite phases differ in lightness or between blue and orange.
    "cyclic": ("#f1e9de", "#d18a4a", "#3a2036", "#4f86c0", "#f1e9de"),
    "diverging": ("#1b4b8f", "#7fa8d6", "#f4f2ee", "#dd9a63", "#8a3d0f"),
}

_TO_CONE: Final = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
_TO_LAB: Final = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)


def oklab(colours: Colours) -> npt.NDArray[np.float64]:
    """Return sRGB colours, shape (n, 3), in OKLab: lightness 0 to 1, then two hues."""
    share = colours.astype(np.float64) / 255.0
    light = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    return np.asarray(np.cbrt(light @ _TO_CONE.T) @ _TO_LAB.T)


def _srgb(lab: npt.NDArray[np.float64]) -> Colours:
    light = (lab @ np.linalg.inv(_TO_LAB).T) ** 3 @ np.linalg.inv(_TO_CONE).T
    light = np.clip(light, 0.0, 1.0)
    share = np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)
    return np.asarray(np.rint(share * 255.0), np.uint8)


@cache
def table(kind: Kind) -> Colours:
    """Return 256 colours, shape (256, 3)."""
    hexes = _ANCHORS[kind]
    anchors = np.array([[int(h[i : i + 2], 16) for i in (1, 3, 5)] for h in hexes], np.uint8)
    lab = oklab(anchors)
    if kind == "sequential":
        lab[:, 0] = np.linspace(lab[0, 0], lab[-1, 0], len(lab))
    else:
        # Mirrored about the middle: neither side is shown as the larger one.
        lab[:, 0] = (lab[:, 0] + lab[::-1, 0]) / 2
        lab[[1, -2], 0] = (lab[0, 0] + lab[len(lab) // 2, 0]) / 2
    at = np.linspace(0, len(lab) - 1, 256)
    places = np.arange(len(lab))
    made = _srgb(np.column_stack([np.interp(at, places, lab[:, axis]) for axis in range(3)]))
    made.setflags(write=False)
    return made


def paint(values: npt.NDArray[np.float32], low: float, high: float, kind: Kind) -> Colours:
    """Return the colours of numbers.

    Parameters
    ----------
    values
        Shape (height, width); NaN is drawn as `NO_DATA`.
    low, high
        Of the table's ends; numbers beyond have their colours.

    Returns
    -------
    uint8, shape (height, width, 3)
    """
    share = (values.astype(np.float64) - low) / (high - low)
    known = np.isfinite(share)
    index = np.clip(np.rint(np.where(known, share, 0.0) * 255.0), 0, 255).astype(np.uint8)
    painted = table(kind)[index]
    painted[~known] = NO_DATA
    return painted
