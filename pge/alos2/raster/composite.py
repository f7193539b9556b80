"""Which layers a product makes: each polarisation in grey, a colour composite, single beams.

The composite is the one in common use for L-band: red is the co-polarised power, green the
cross-polarised, blue their ratio (co over cross), each stretched in dB. Forest, which turns the
polarisation, is green; bare ground, crops and water, which do not, are violet to blue; towns,
bright in both, are yellow to pink. Quad-polarised scenes are drawn in the colours of dual ones:
HH, HV and HH/HV. HV is taken alone and not its mean with VH: they are the same by reciprocity, and
colours can be compared with those of a dual scene.

=============  ====  =====  =====
polarisations  red   green  blue
=============  ====  =====  =====
HH HV          HH    HV     HH/HV
VV VH          VV    VH     VV/VH
HH HV VH VV    HH    HV     HH/HV
=============  ====  =====  =====

Each beam of ScanSAR is a layer in grey, with the limits of its polarisation, so that beams can be
compared; the composite is of all beams together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from alos2.raster.layers import Channel
from alos2.raster.pictures import COMPOSITE, RATIO, band_name
from alos2.types import Polarization

_PAIRS: Final[tuple[tuple[Polarization, Polarization], ...]] = (
    ("HH", "HV"),
    ("VV", "VH"),
    ("HH", "VH"),
    ("VV", "HV"),
)
"""Co- and cross-polarised, the first that is there."""

_CO: Final[tuple[Polarization, ...]] = ("HH", "VV", "HV", "VH")


@dataclass(frozen=True)
class PlannedChannel:
    """One channel, before its limits are known."""

    shows: str
    """For people: ``HH``, ``HH/HV``, ``HH-F1``."""
    limits: str
    """Whose stretch limits it has: a polarisation, or ``ratio``."""
    channel: Channel


@dataclass(frozen=True)
class PlannedLayer:
    """One layer, before its limits, zooms and sink are known."""

    name: str
    channels: tuple[PlannedChannel, ...]


def composite_pair(
    polarizations: Sequence[Polarization],
) -> tuple[Polarization, Polarization] | None:
    """Return the co- and the cross-polarised band of a composite; None if there is no such pair."""
    return next((pair for pair in _PAIRS if set(pair) <= set(polarizations)), None)


def co_polarized(layers: Sequence[str]) -> str:
    """Return the layer that stands for the scene: HH, else VV, else what there is."""
    return next(pol for pol in _CO if pol in layers)


def plan_layers(
    polarizations: Sequence[Polarization],
    beams: Sequence[tuple[Polarization, str]] = (),
    *,
    composite: bool,
) -> tuple[PlannedLayer, ...]:
    """Return the layers: each polarisation, then the composite, then each beam by itself.

    Parameters
    ----------
    polarizations
        The first bands, in order.
    beams
        The bands behind them: polarisation and name, e.g. ``F1``.
    composite
        Whether there is one, where there are two polarisations for it.
    """
    layers = [
        PlannedLayer(pol, (PlannedChannel(pol, pol, Channel(band)),))
        for band, pol in enumerate(polarizations)
    ]
    pair = composite_pair(polarizations) if composite else None
    if pair is not None:
        co, cross = (polarizations.index(pol) for pol in pair)
        channels = (
            PlannedChannel(pair[0], pair[0], Channel(co)),
            PlannedChannel(pair[1], pair[1], Channel(cross)),
            PlannedChannel("/".join(pair), RATIO, Channel(co, over=cross)),
        )
        layers.append(PlannedLayer(COMPOSITE, channels))
    for band, (pol, beam) in enumerate(beams, len(polarizations)):
        name = band_name(pol, beam)
        layers.append(PlannedLayer(name, (PlannedChannel(name, pol, Channel(band)),)))
    return tuple(layers)


def ratio(co: npt.NDArray[np.float32], cross: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return co- over cross-polarised power; NaN where either has no data, or the numbers end."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        quotient: npt.NDArray[np.float32] = co / cross
    quotient[~np.isfinite(quotient)] = np.nan
    return quotient
