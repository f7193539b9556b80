"""What is drawn, and how."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from alos2.types import Polarization

Plane: TypeAlias = npt.NDArray[np.float32]

Decode: TypeAlias = Callable[[npt.NDArray[Any]], Plane]
"""From a file's numbers to what they mean, float32, NaN = no data."""


@dataclass(frozen=True)
class Frame:
    """One date of a stack."""

    when: datetime
    layers: Mapping[Polarization, Path]
    """A raster of backscatter of each polarisation, all on one grid."""
    decode: Decode | None = None
    """From the files' numbers to linear power; None: floating-point numbers, power, or decibels
    where the band's unit is dB."""


@dataclass(frozen=True)
class AnimationOptions:
    """How a stack is drawn."""

    max_px: int = 1024
    """Long side of the image at most, without its caption."""
    seconds_per_frame: float = 1.0
    stretch: Literal["percentile", "fixed"] = "percentile"
    """Limits from all dates together, or OpenSarToolkit's: see `limits.FIXED_DB`."""
    percentiles: tuple[float, float] = (2.0, 98.0)
    limits_db: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    """Limits that somebody chose, by polarisation or ``ratio``; they go before all others."""
    composite: bool = True
    """Whether two polarisations are drawn in colours (co, cross, their ratio)."""
    polarization: Polarization | None = None
    """The one that is drawn in grey, whatever else there is; None: HH, else VV."""
    title: str = ""
    """Goes before the date."""
