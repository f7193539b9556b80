"""``alos2 simulate``: a format-true synthetic product with known truth."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import click

from alos2.cli.output import json_line
from alos2.naming import ALL_LEVELS, MODES
from alos2.types import POLARIZATIONS, LookSide, PassDirection, ProductFormat

if TYPE_CHECKING:
    from alos2.simulate import SimulationResult, StackResult

_CHOICE = click.Choice


@click.command("simulate")
@click.argument("out", type=click.Path(path_type=Path, file_okay=False))
@click.option("--level", type=_CHOICE(ALL_LEVELS), default="1.1", show_default=True)
@click.option("--format", type=_CHOICE(get_args(ProductFormat)), default="ceos", show_default=True)
@click.option(
    "--mode",
    type=_CHOICE(MODES),
    default="FBD",
    show_default=True,
    metavar="MODE",
    help="UBS, FBD, HBQ, WBD, ...",
)
@click.option("--look", type=_CHOICE(get_args(LookSide)), default="R", show_default=True)
@click.option(
    "--pass",
    "pass_direction",
    type=_CHOICE(get_args(PassDirection)),
    default="A",
    show_default=True,
)
@click.option("--pixels", type=int, default=512, show_default=True)
@click.option("--lines", type=int, default=512, show_default=True)
@click.option("--seed", type=int, default=0, show_default=True, help="Same seed, same bytes.")
@click.option(
    "--lat",
    "lat_deg",
    type=float,
    default=35.2,
    show_default=True,
    help="Scene centre, degrees north.",
)
@click.option(
    "--lon",
    "lon_deg",
    type=float,
    default=138.6,
    show_default=True,
    help="Scene centre, degrees east.",
)
@click.option(
    "--date",
    type=click.DateTime(["%Y-%m-%d"]),
    default="2020-06-15",
    show_default="2020-06-15",
    help="UTC day.",
)
@click.option(
    "--option",
    type=_CHOICE(["G", "R"]),
    default="G",
    show_default=True,
    help="Geocoded or georeferenced (levels 1.5 and 3.1).",
)
@click.option(
    "--projection",
    type=_CHOICE(["U", "P", "M", "L"]),
    default="U",
    show_default=True,
    help="UTM, polar stereographic, Mercator, LCC (all levels but 1.1).",
)
@click.option("--spacing", "spacing_m", type=float, help="Pixel spacing, m; else the mode's.")
@click.option("--off-nadir", "off_nadir_deg", type=float, help="Degrees; else the mode's.")
@click.option(
    "--height",
    "height_m",
    type=float,
    default=0.0,
    show_default=True,
    help="Of the ground above the ellipsoid, m.",
)
@click.option(
    "--polarization",
    "polarizations",
    multiple=True,
    type=_CHOICE(POLARIZATIONS),
    help="Repeat for several; else the mode's.",
)
@click.option("--zip", type=_CHOICE(["auig2"]), help="Also pack it as AUIG2 delivers.")
@click.option(
    "--compat",
    multiple=True,
    type=_CHOICE(["sarpy"]),
    help="Please a reader that wants what real products lack.",
)
@click.option(
    "--terrain",
    help="ridge:HEIGHT,WIDTH,AZIMUTH, also roof: or hills:, or file:DEM; metres, degrees.",
)
@click.option("--dem/--no-dem", default=True, show_default=True, help="Write the terrain's DEM.")
@click.option(
    "--targets/--no-targets",
    default=None,
    help="Point targets on the ground; else all levels but 2.2 have them.",
)
@click.option(
    "--change",
    "changes",
    multiple=True,
    help="'FROM[/UNTIL] disc:EAST,NORTH,RADIUS HH=DB,HV=DB [KINDS]', also polygon:E,N;E,N;...",
)
@click.option("--stack", "dates", type=int, help="Make so many dates of one path.")
@click.option(
    "--every", "every_days", type=int, default=14, show_default=True, help="Days between them."
)
@click.option(
    "--frames", type=int, default=1, show_default=True, help="Overlapping scenes of each pass."
)
@click.option(
    "--tracks", type=int, default=1, show_default=True, help="Neighbouring tracks of each date."
)
@click.option(
    "--baseline",
    "baseline_m",
    type=float,
    default=0.0,
    show_default=True,
    help="Orbits lie up to so far to the side of the first date's, m.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(
    out: Path,
    *,
    as_json: bool,
    date: datetime,
    terrain: str | None,
    dem: bool,
    dates: int | None,
    every_days: int,
    frames: int,
    tracks: int,
    baseline_m: float,
    **chosen: Any,
) -> None:
    """Write a synthetic product into the folder OUT, and beside it what is true of it.

    Corners, point targets and sigma-0 patches are in the truth file (JSON). With --stack, --frames
    or --tracks: a stack of products of one ground, its DEM and its truth.
    """
    # Imported late, so that --help is quick.
    from alos2.simulate import SimulationSpec, StackSpec, simulate, simulate_stack
    from alos2.simulate.words import parse_change, parse_terrain

    chosen["polarizations"] = chosen["polarizations"] or None
    chosen["compat"] = frozenset(chosen["compat"])
    if chosen["targets"] is None:
        chosen["targets"] = chosen["level"] != "2.2"
    chosen["changes"] = tuple(parse_change(words) for words in chosen["changes"])
    relief = None if terrain is None else parse_terrain(terrain)
    with_dem = dem and relief is not None and relief.kind != "file"
    spec = SimulationSpec(date=date.date(), terrain=relief, dem=with_dem, **chosen)
    if dates is None and frames == tracks == 1:
        made = _product_words(simulate(spec, out))
    else:
        stack = StackSpec(spec, dates or 1, every_days, frames, tracks, baseline_m)
        made = _stack_words(simulate_stack(stack, out))
    if as_json:
        json_line(made)
        return
    for name, value in made.items():
        for line in value if isinstance(value, list) else [value]:
            click.echo(f"{name:<12} {line or '-'}")


def _product_words(result: SimulationResult) -> dict[str, Any]:
    """Give what is said of one product."""
    made: dict[str, Any] = {
        "id": f"{result.scene}-{result.product}",
        "product_dir": str(result.product_dir),
        "archive": None if result.archive is None else str(result.archive),
        "truth": str(result.truth_path),
    }
    if result.dem_path is not None:
        made["dem"] = str(result.dem_path)
    return made


def _stack_words(result: StackResult) -> dict[str, Any]:
    """Give what is said of a stack."""
    return {
        "product_dir": [str(scene.product_dir) for scene in result.scenes],
        "archive": [str(s.archive) for s in result.scenes if s.archive is not None],
        "dem": None if result.dem_path is None else str(result.dem_path),
        "truth": str(result.truth_path),
    }
