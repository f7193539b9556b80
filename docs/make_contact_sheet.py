"""Draw docs/contact-sheet.png: what each kind of product looks like, from simulated ones.

``python docs/make_contact_sheet.py [OUT.png]`` simulates a product of each kind, makes its pictures
as an ingest does, and puts browse pictures and mosaics of tiles onto one sheet.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PIL import Image, ImageChops, ImageDraw, ImageFont

from alos2.product.recognise import recognise
from alos2.raster.pictures import PictureOptions, PictureReport, make_pictures
from alos2.simulate import SimulationSpec, simulate

CELL = 196
LABEL = 34
MARGIN = 8
COLUMNS = 4
BACKGROUND = (250, 250, 248)
EMPTY = (214, 222, 230)
COLORS = 112


@dataclass(frozen=True)
class Shown:
    """One product, and which of its pictures are shown."""

    title: str
    spec: dict[str, Any]
    pictures: tuple[str, ...] = ("browse",)
    """``browse``, or ``tiles <layer> <zooms above the deepest>``."""
    options: dict[str, Any] = field(default_factory=dict)


PRODUCTS = (
    Shown(
        "1.1 stripmap, ascending, right",
        {"level": "1.1", "pixels": 1400, "lines": 3600},
        ("browse", "tiles RGB 1"),
    ),
    Shown(
        "1.1 stripmap, descending, left",
        {"level": "1.1", "pixels": 1000, "lines": 3000, "look": "L", "pass_direction": "D"},
    ),
    Shown("1.1 spotlight", {"level": "1.1", "mode": "SBS", "pixels": 1800, "lines": 4000}),
    Shown(
        "1.1 GeoTIFF, by its tie points",
        {"level": "1.1", "format": "geotiff", "pixels": 900, "lines": 2400},
    ),
    Shown(
        "1.1 ScanSAR, five beams",
        {"level": "1.1", "mode": "WBD", "pixels": 500, "lines": 9000},
        ("browse", "tiles HH-F3 2"),
    ),
    Shown(
        "1.5 georeferenced, CEOS",
        {"level": "1.5", "option": "R", "pixels": 900, "lines": 900},
        ("browse", "tiles HH 1"),
    ),
    Shown(
        "1.5 polar stereographic, 78 N",
        {"level": "1.5", "projection": "P", "lat_deg": 78.0, "pixels": 900, "lines": 900},
        ("browse", "tiles HH 3"),
    ),
    Shown(
        "2.1 geocoded, GeoTIFF",
        {"level": "2.1", "format": "geotiff", "pixels": 1000, "lines": 1000},
        ("browse", "tiles RGB 1"),
    ),
    Shown(
        "3.1 Lambert conformal", {"level": "3.1", "projection": "L", "pixels": 900, "lines": 900}
    ),
    Shown(
        "1.1 quad",
        {"level": "1.1", "mode": "HBQ", "pixels": 1200, "lines": 2600},
        ("tiles RGB 1",),
    ),
    Shown(
        "2.1 at the antimeridian",
        {"level": "2.1", "lat_deg": -17.0, "lon_deg": 179.995, "pixels": 800, "lines": 800},
        ("tiles HH 1",),
    ),
)


def mosaic(tiles: Path, layer: str, zoom: int) -> Image.Image:
    """Put the tiles of one zoom together (rows from the south), on a grey-blue ground."""
    paths = list((tiles / layer / str(zoom)).glob("*/*.png"))
    columns = sorted({int(path.parent.name) for path in paths})
    if columns[-1] - columns[0] > 2 ** (zoom - 1):  # both edges of the map
        columns = [c for c in columns if c > 2 ** (zoom - 1)] + [
            c + 2**zoom for c in columns if c < 2 ** (zoom - 1)
        ]
    rows = [int(path.stem) for path in paths]
    left, top = min(columns), max(rows)
    size = (256 * (max(columns) - left + 1), 256 * (top - min(rows) + 1))
    whole = Image.new("RGBA", size, (*EMPTY, 255))
    for path in paths:
        column, row = int(path.parent.name), int(path.stem)
        with Image.open(path) as tile:
            picture = tile.convert("RGBA")
        across = (column - left) % 2**zoom
        whole.alpha_composite(picture, (256 * across, 256 * (top - row)))
    seen = whole.convert("RGB")
    there = ImageChops.difference(seen, Image.new("RGB", seen.size, EMPTY)).getbbox()
    return seen.crop(there)


def on_ground(path: Path) -> Image.Image:
    """Read a browse picture, its transparent parts as the ground."""
    with Image.open(path) as picture:
        seen = picture.convert("RGBA")
    ground = Image.new("RGBA", seen.size, (*EMPTY, 255))
    ground.alpha_composite(seen)
    return ground.convert("RGB")


def pictures_of(shown: Shown, folder: Path) -> Iterator[tuple[str, Image.Image]]:
    """Make a product's pictures and give those that are shown, with their labels."""
    out = folder / "out"
    out.mkdir()
    made = simulate(SimulationSpec(seed=11, **shown.spec), folder / "product")
    with recognise(made.product_dir) as tree:
        product = tree.products[0]
        report: PictureReport = make_pictures(
            product, out, dataset_id="x", options=PictureOptions(**shown.options)
        )
    for wanted in shown.pictures:
        kind, *rest = wanted.split()
        if kind == "browse":
            browse = report.browse[0]
            yield f"{shown.title}\nbrowse {browse.polarization}", on_ground(browse.browse)
        else:
            name, above = rest
            layer = next(layer for layer in report.layers if layer.name == name)
            zoom = layer.max_zoom - int(above)
            yield f"{shown.title}\ntiles {name}, zoom {zoom}", mosaic(out / "tiles", name, zoom)


def main() -> None:
    """Write the sheet."""
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "contact-sheet.png"
    cells = []
    for shown in PRODUCTS:
        with tempfile.TemporaryDirectory() as folder:
            cells.extend(pictures_of(shown, Path(folder)))
    rows = -(-len(cells) // COLUMNS)
    step = (CELL + MARGIN, CELL + LABEL + MARGIN)
    sheet = Image.new("RGB", (COLUMNS * step[0] + MARGIN, rows * step[1] + MARGIN), BACKGROUND)
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(12)
    for number, (label, picture) in enumerate(cells):
        left = MARGIN + number % COLUMNS * step[0]
        top = MARGIN + number // COLUMNS * step[1]
        pen.text((left, top), label, fill=(30, 30, 30), font=font, spacing=2)
        picture.thumbnail((CELL, CELL), Image.Resampling.LANCZOS)
        sheet.paste(picture, (left, top + LABEL))
    packed = sheet.quantize(COLORS, kmeans=3, dither=Image.Dither.NONE)
    packed.save(target, optimize=True)
    sys.stdout.write(f"{target}: {target.stat().st_size} bytes\n")


if __name__ == "__main__":
    main()
