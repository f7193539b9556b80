"""Overviews of files in decibels or codes of them: means of power, over the valid pixels.

GDAL averages the numbers as they lie in the file. A mean of decibels of speckle is too dark: by
2.5 dB at one look (that of log power lies at exp(-0.577) of the mean). Here the levels are made of
the finished image in blocks at fixed places, so they depend neither on the windows in which it was
written nor on strips, and are given to GDAL's COG driver through a virtual dataset (VRT).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final, NamedTuple
from xml.sax.saxutils import escape, quoteattr

import numpy as np
import numpy.typing as npt

from alos2.errors import NoSpace
from alos2.raster.lean import RasterioWindow, rasterio
from alos2.raster.powercodes import Power, PowerCodec
from alos2.types import RasterShape, Window

TAG: Final = "overviews"
POWER_MEANS: Final = "means of power over the valid pixels"
"""What the tag says of such files."""
MEANS: Final = "means over the valid pixels"
"""And of others whose overviews GDAL averages."""

_BLOCK: Final = (512, 4096)
"""Lines and pixels at a time; multiples of the largest factor."""
_MOST_FACTOR: Final = 512
_TYPES: Final = {"uint8": "Byte", "uint16": "UInt16", "float32": "Float32"}


class Image(NamedTuple):
    """A finished image without overviews."""

    path: Path
    shape: RasterShape
    dtype: str
    block: int
    """Width and height of its tiles."""


class Form(NamedTuple):
    """What the file says of itself."""

    crs_wkt: str
    transform: tuple[float, float, float, float, float, float]
    nodata: float | int | None
    bands: Sequence[tuple[str, str]]
    """Name and unit of each."""
    tags: Mapping[str, str]


class Level(NamedTuple):
    """One overview."""

    factor: int
    shape: RasterShape
    path: Path


def levels_of(image: Image, stem: str) -> list[Level]:
    """Return the overviews of an image, down to one that fits into a tile.

    Parameters
    ----------
    stem
        Of their scratch files, which lie beside the image.
    """
    levels: list[Level] = []
    factor, shape = 1, image.shape
    while max(shape) > image.block and factor < _MOST_FACTOR:
        factor *= 2
        shape = RasterShape(-(-image.shape.lines // factor), -(-image.shape.pixels // factor))
        levels.append(Level(factor, shape, image.path.with_name(f"{stem}.{factor}.scratch.tif")))
    return levels


def write_levels(image: Image, levels: Sequence[Level], codec: PowerCodec, nodata: Any) -> None:
    """Write the scratch files of the overviews.

    Parameters
    ----------
    codec
        What the image's numbers mean.
    nodata
        The number that means no data.

    Raises
    ------
    rasterio.errors.RasterioError, OSError
        As the libraries raise them.
    NoSpace
        The disk is full.
    """
    with ExitStack() as stack:
        source = stack.enter_context(rasterio.open(image.path))
        # A grid of its own is in the virtual dataset; files without one would be warned of.
        unit = rasterio.Affine(1.0, 0.0, 1.0, 0.0, -1.0, 1.0)
        files = [
            stack.enter_context(
                rasterio.open(
                    level.path, "w", driver="GTiff", height=level.shape.lines,
                    width=level.shape.pixels, count=source.count, dtype=image.dtype,
                    nodata=nodata, transform=unit, tiled=True, blockxsize=image.block,
                    blockysize=image.block, interleave="pixel", BIGTIFF="IF_SAFER",
                )
            )
            for level in levels
        ]  # fmt: skip
        for block in _blocks(image.shape):
            place = RasterioWindow(block.pixel, block.line, block.pixels, block.lines)
            total = codec.decode(source.read(window=place))
            known = np.isfinite(total)
            total[~known] = 0
            count = known.astype(np.float32)
            for level, file in zip(levels, files, strict=True):
                total, count = _halved(total), _halved(count)
                with np.errstate(divide="ignore", invalid="ignore"):
                    mean: Power = total / count  # 0/0 = NaN: no data
                top, left = block.line // level.factor, block.pixel // level.factor
                there = RasterioWindow(left, top, mean.shape[2], mean.shape[1])
                file.write(_one_nan(codec.encode(mean)), window=there)
    size = np.dtype(image.dtype).itemsize
    for level in levels:
        # GDAL keeps silent about tiles that it could not write when it closes a file.
        if level.path.stat().st_size < level.shape.lines * level.shape.pixels * size:
            raise NoSpace(f"the disk is full at {level.path.name}")


def virtual(image: Image, levels: Sequence[Level], form: Form) -> str:
    """Return the text of a VRT, beside the files, of an image with its overviews."""
    items = "".join(
        f"<MDI key={quoteattr(key)}>{escape(value)}</MDI>" for key, value in form.tags.items()
    )
    nodata = "" if form.nodata is None else f"<NoDataValue>{form.nodata}</NoDataValue>"

    def source_of(path: Path, band: int) -> str:
        name = escape(path.name)
        return (
            f'<SourceFilename relativeToVRT="1">{name}</SourceFilename>'
            f"<SourceBand>{band}</SourceBand>"
        )

    bands = "".join(
        f'<VRTRasterBand dataType="{_TYPES[image.dtype]}" band="{number}">'
        f"<Description>{escape(name)}</Description>{nodata}<UnitType>{escape(unit)}</UnitType>"
        f"<SimpleSource>{source_of(image.path, number)}</SimpleSource>"
        + "".join(f"<Overview>{source_of(level.path, number)}</Overview>" for level in levels)
        + "</VRTRasterBand>"
        for number, (name, unit) in enumerate(form.bands, 1)
    )
    a, b, c, d, e, f = form.transform
    return (
        f'<VRTDataset rasterXSize="{image.shape.pixels}" rasterYSize="{image.shape.lines}">'
        f"<SRS>{escape(form.crs_wkt)}</SRS>"
        f"<GeoTransform>{c!r}, {a!r}, {b!r}, {f!r}, {d!r}, {e!r}</GeoTransform>"
        f"<Metadata>{items}</Metadata>{bands}</VRTDataset>"
    )


def _blocks(shape: RasterShape) -> Iterator[Window]:
    lines, pixels = _BLOCK
    for line in range(0, shape.lines, lines):
        for pixel in range(0, shape.pixels, pixels):
            yield Window(
                line, pixel, min(lines, shape.lines - line), min(pixels, shape.pixels - pixel)
            )


def _halved(planes: Power) -> Power:
    """Sum 2 x 2 pixels; the last line and column of an odd size stand alone."""
    lines, pixels = planes.shape[1:]
    if lines % 2 or pixels % 2:
        planes = np.pad(planes, ((0, 0), (0, lines % 2), (0, pixels % 2)))
    pairs = planes[:, 0::2] + planes[:, 1::2]
    return np.asarray(pairs[:, :, 0::2] + pairs[:, :, 1::2])


def _one_nan(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Write all NaNs alike: their signs and payloads depend on how a loop was vectorised."""
    if values.dtype.kind == "f":
        values[np.isnan(values)] = np.nan
    return values
