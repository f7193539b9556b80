"""A grid cut into strips of lines for the nodes of a cluster, and put together again.

Strips begin at multiples of `gridfile.BLOCK` lines, each a GeoTIFF of its own part of the grid.
Together they make the same bytes as a run that was never divided.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

from alos2.errors import BadProduct, UsageError
from alos2.product.model import MapGrid
from alos2.raster.control import check
from alos2.raster.gridfile import BLOCK, GridBand, GridFile, Layout, Overviews
from alos2.raster.lean import RasterioError, RasterioWindow, rasterio
from alos2.raster.pictures import Cancelled, never
from alos2.raster.powercodes import PowerCodec
from alos2.types import Window

_WHOLE_LINE: Final = 1e-3
"""How far, in lines, a strip may lie from a line of the grid."""
_OWN_TAGS: Final = ("AREA_OR_POINT",)


class _Strip(NamedTuple):
    line: int
    path: Path
    dataset: Any


def strip_ranges(grid: MapGrid, count: int, *, block: int = BLOCK) -> list[range]:
    """Cut a grid into at most `count` strips of about the same number of blocks."""
    blocks = -(-grid.shape.lines // block)
    count = max(1, min(count, blocks))
    edges = [blocks * number // count * block for number in range(count)] + [grid.shape.lines]
    return [range(first, last) for first, last in pairwise(edges)]


def strip_grid(grid: MapGrid, lines: range, *, block: int = BLOCK) -> MapGrid:
    """Return the part of a grid that a strip is.

    Raises
    ------
    UsageError
        `lines` is not within the grid, or neither begins nor ends where strips do.
    """
    inside = 0 <= lines.start < lines.stop <= grid.shape.lines and lines.step == 1
    ends = lines.stop % block == 0 or lines.stop == grid.shape.lines
    if not inside or lines.start % block or not ends:
        raise UsageError(
            f"lines {lines.start} to {lines.stop} are no strip of {grid.shape.lines} lines",
            hint=f"strips begin and end at multiples of {block} lines",
        )
    return grid.part(Window(lines.start, 0, len(lines), grid.shape.pixels))


def strip_path(path: Path, lines: range) -> Path:
    """Return the name of a strip of a file: ``<stem>.L<first line>.tif``, sorted by lines."""
    return path.with_name(f"{path.stem}.L{lines.start:06d}{path.suffix}")


def assemble_strips(
    strips: Sequence[Path],
    out: Path,
    grid: MapGrid,
    *,
    overviews: Overviews = "mean",
    codec: PowerCodec | None = None,
    layout: Layout = "cog",
    compress: str | None = "DEFLATE",
    block: int = BLOCK,
    cancelled: Cancelled = never,
) -> None:
    """Put strips together into one file; the strips stay.

    Parameters
    ----------
    strips
        In any order. Type, no-data value, bands and tags are taken from the uppermost.
    out
        The file; there only when all went well.
    grid
        Of the whole.
    overviews, codec, layout, compress, block
        As the undivided run gave them to `GridFile`.

    Raises
    ------
    BadProduct
        A strip cannot be read or fits badly, or lines are missing or there twice.
    NoSpace, NoResource
        `out` cannot be written.
    Interrupted
        `cancelled` said so.
    """
    with ExitStack() as stack:
        opened = sorted(
            (_opened(stack, path, grid) for path in strips), key=lambda strip: strip.line
        )
        _require_whole(opened, grid, out)
        first = opened[0].dataset
        names = [name or str(number) for number, name in enumerate(first.descriptions, 1)]
        bands = [GridBand(name, unit or "") for name, unit in zip(names, first.units, strict=True)]
        tags = {key: value for key, value in first.tags().items() if key not in _OWN_TAGS}
        file = stack.enter_context(
            GridFile(
                out,
                grid,
                dtype=first.dtypes[0],
                nodata=_nodata(first),
                bands=bands,
                tags=tags,
                overviews=overviews,
                codec=codec,
                layout=layout,
                compress=compress,
                block=block,
            )
        )
        for strip in opened:
            for line in range(0, strip.dataset.height, block):
                check(cancelled)
                lines = min(block, strip.dataset.height - line)
                place = RasterioWindow(0, line, grid.shape.pixels, lines)
                try:
                    values = strip.dataset.read(window=place)
                except (RasterioError, OSError) as error:
                    raise BadProduct(f"{strip.path}: it cannot be read: {error}") from error
                file.write(Window(strip.line + line, 0, lines, grid.shape.pixels), values)


def _nodata(dataset: Any) -> float | int | None:
    value: float | None = dataset.nodata
    if value is not None and np.dtype(dataset.dtypes[0]).kind in "iu":
        return int(value)
    return value


def _opened(stack: ExitStack, path: Path, grid: MapGrid) -> _Strip:
    try:
        dataset = stack.enter_context(rasterio.open(path))
    except (RasterioError, OSError) as error:
        raise BadProduct(f"{path}: it cannot be opened as a strip: {error}") from error
    a, b, c, d, e, f = grid.transform
    east, north = dataset.transform[2] - c, dataset.transform[5] - f
    area = a * e - b * d
    pixel, line = (e * east - b * north) / area, (a * north - d * east) / area
    fits = abs(pixel) < _WHOLE_LINE and abs(line - round(line)) < _WHOLE_LINE
    if not fits or dataset.width != grid.shape.pixels:
        raise BadProduct(f"{path}: it is no strip of the grid of the whole", hint="make it again")
    return _Strip(round(line), path, dataset)


def _require_whole(strips: Sequence[_Strip], grid: MapGrid, out: Path) -> None:
    line = 0
    for strip in strips:
        if strip.line != line:
            raise BadProduct(
                f"{out.name}: {strip.path.name} begins at line {strip.line} where line {line} is "
                "wanted",
                hint="give every strip once",
            )
        first, its = strips[0].dataset, strip.dataset
        if (its.dtypes, its.count) != (first.dtypes, first.count):
            raise BadProduct(f"{strip.path}: its bands are not those of {strips[0].path.name}")
        line += strip.dataset.height
    if line != grid.shape.lines:
        raise BadProduct(
            f"{out.name}: its strips end at line {line} of {grid.shape.lines}",
            hint="give every strip once",
        )
