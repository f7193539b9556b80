"""``alos2 simulate``: a format-true synthetic product with known truth."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any, get_args

import click

from alos2.cli.output import json_line
from alos2.naming import LEVELS, MODES
from alos2.types import POLARIZATIONS, LookSide, PassDirection, ProductFormat

_CHOICE = click.Choice


@click.command("simulate")
@click.argument("out", type=click.Path(path_type=Path, file_okay=False))
@click.option("--level", type=_CHOICE(LEVELS), default="1.1", show_default=True)
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
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(out: Path, *, as_json: bool, date: datetime, **chosen: Any) -> None:
    """Write a synthetic product into the folder OUT, and beside it what is true of it.

    Corners, point targets and sigma-0 patches are in the truth file (JSON).
    """
    # Imported late, so that --help is quick.
    from alos2.simulate import SimulationSpec, simulate

    chosen["polarizations"] = chosen["polarizations"] or None
    chosen["compat"] = frozenset(chosen["compat"])
    result = simulate(SimulationSpec(date=date.date(), **chosen), out)
    made = {
        "id": f"{result.scene}-{result.product}",
        "product_dir": str(result.product_dir),
        "archive": None if result.archive is None else str(result.archive),
        "truth": str(result.truth_path),
    }
    if as_json:
        json_line(made)
        return
    for name, value in made.items():
        click.echo(f"{name:<12} {value or '-'}")
