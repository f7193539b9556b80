"""The options of ``alos2 ingest`` about pictures, and what they mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

import click

from alos2.cli.grouped import GroupedOption
from alos2.errors import UsageError

if TYPE_CHECKING:
    from alos2.raster.pictures import PictureOptions

_TILES: Final = "Map tiles"
_STRETCH: Final = "Grey levels"
_OTHER: Final = "Other pictures"
_NAMES: Final = ("HH", "HV", "VH", "VV", "ratio")

PICTURE_OPTIONS: Final = (
    click.option(
        "--tiles/--no-tiles", default=True, cls=GroupedOption, heading=_TILES,
        help="Whether there are any [default: yes].",
    ),
    click.option(
        "--max-zoom", type=click.IntRange(0, 22), cls=GroupedOption, heading=_TILES,
        help="Deepest zoom [default: 14, or the product's own where that is deeper, to 17].",
    ),
    click.option(
        "--rgb/--no-rgb", default=True, cls=GroupedOption, heading=_TILES,
        help="A colour composite of two polarisations or more [default: yes].",
    ),
    click.option(
        "--xyz", is_flag=True, cls=GroupedOption, heading=_TILES,
        help="Rows from the north, not TMS.",
    ),
    click.option(
        "--pmtiles", is_flag=True, cls=GroupedOption, heading=_TILES,
        help="One PMTiles archive a layer instead of files.",
    ),
    click.option(
        "--tile-budget", type=click.IntRange(min=0), metavar="N", cls=GroupedOption,
        heading=_TILES,
        help="Most tile files of a dataset; what is beyond goes into PMTiles; 0: no limit "
        "[default: 3000 under HySDS, else 0].",
    ),
    click.option(
        "--stretch", multiple=True, metavar="[POL=]LOW,HIGH", cls=GroupedOption, heading=_STRETCH,
        help="Sigma nought [dB] that is darkest and brightest, of all polarisations or of one "
        "(HH, HV, VH, VV, or ratio: the composite's blue); may be given several times "
        "[default: 2 and 98 percent of the scene].",
    ),
    click.option(
        "--stretch-from", type=click.Path(path_type=Path, exists=True), cls=GroupedOption,
        heading=_STRETCH,
        help="Take the levels of another dataset (its folder or met.json), as for a stack.",
    ),
    click.option(
        "--cog", type=click.Choice(["db", "power", "amplitude"]), cls=GroupedOption,
        heading=_OTHER,
        help="Also a Cloud-Optimised GeoTIFF of sigma nought of each polarisation.",
    ),
    click.option(
        "--beams/--no-beams", default=None, cls=GroupedOption, heading=_OTHER,
        help="Pictures of each beam of ScanSAR level 1.1 beside those of all together "
        "[default: yes].",
    ),
    click.option(
        "--height", "height_m", type=click.FloatRange(-1000, 10_000), metavar="METRES",
        default=0.0, cls=GroupedOption, heading=_OTHER,
        help="Height above the ellipsoid at which level 1.1 is brought to the map [default: 0].",
    ),
)  # fmt: skip
"""In the order of the help."""


def picture_options(
    base: PictureOptions,
    *,
    tiles: bool,
    max_zoom: int | None,
    rgb: bool,
    xyz: bool,
    pmtiles: bool,
    tile_budget: int | None,
    stretch: Sequence[str],
    stretch_from: Path | None,
    cog: Literal["db", "power", "amplitude"] | None,
    beams: bool | None,
    height_m: float,
) -> PictureOptions:
    """Return `base`, as the settings imply it, with what the flags say.

    Raises
    ------
    UsageError
        Limits that are none, or a dataset that says nothing of its own.
    """
    from alos2.dataset.stretch import read_stretch

    stretch_of: dict[str, tuple[float, float]] = {}
    origin = ""
    if stretch_from is not None:
        stretch_of, origin = dict(read_stretch(stretch_from)), stretch_from.resolve().name
    everywhere, single = parse_stretch(stretch)
    if origin and (everywhere is not None or single):
        raise UsageError("--stretch and --stretch-from say both what the grey levels are")
    return replace(
        base,
        tiles=tiles,
        max_zoom=max_zoom,
        composite=rgb,
        tms=not xyz,
        pmtiles=pmtiles or base.pmtiles,
        tile_budget=base.tile_budget if tile_budget is None else tile_budget,
        stretch_db=everywhere,
        stretch_of={**stretch_of, **single},
        stretch_from=origin,
        cog=cog or base.cog,
        beams=base.beams if beams is None else beams,
        height_m=height_m,
    )


def parse_stretch(
    texts: Sequence[str],
) -> tuple[tuple[float, float] | None, Mapping[str, tuple[float, float]]]:
    """Read ``LOW,HIGH`` and ``POL=LOW,HIGH``.

    Returns
    -------
    everywhere : tuple of float, or None
        Limits of all polarisations, dB.
    single : mapping
        Limits of one, by its name.

    Raises
    ------
    UsageError
        Something else was given.
    """
    everywhere: tuple[float, float] | None = None
    single: dict[str, Any] = {}
    for text in texts:
        name, _, limits = text.rpartition("=")
        try:
            low, high = (float(part) for part in limits.split(","))
        except ValueError:
            raise UsageError(
                f"--stretch {text!r} is not LOW,HIGH in dB", hint="e.g. -25,0 or HV=-30,-5"
            ) from None
        if not name:
            everywhere = (low, high)
        elif name in _NAMES:
            single[name] = (low, high)
        else:
            raise UsageError(f"--stretch {text!r}: {name} is not one of {', '.join(_NAMES)}")
    return everywhere, single
