"""Cloud-Optimised GeoTIFFs of calibrated data, with overviews that are means of power.

An overview of dB or of amplitudes made by plain averaging is too dark (speckle: by 2.5 dB and
1 dB), so overviews are made here: each pixel is the mean power of the valid pixels below it, then
brought to the file's quantity. Image and overviews go into scratch GeoTIFFs in one pass of blocks;
a virtual dataset names them as levels of one image, and GDAL's COG driver writes them as they are.

Layout: OGC 21-026, Cloud Optimized GeoTIFF Standard 1.0. Values keep 13 bits behind the leading
one (0.0003 dB of power), so that the others are zeros and pack well; no data is NaN.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final, NamedTuple
from xml.sax.saxutils import escape

import numpy as np
import numpy.typing as npt
from pyproj import CRS

from alos2.errors import NoResource
from alos2.product.model import MapGrid
from alos2.raster.control import check
from alos2.raster.lean import RasterioError, RasterioWindow, rasterio
from alos2.raster.pictures import Cancelled, Progress, band_name
from alos2.raster.reports import CogQuantity, CogReport
from alos2.raster.source import PixelSource
from alos2.raster.stretch import decibel
from alos2.types import Polarization, RasterShape, Window

Plane = npt.NDArray[np.float32]

BLOCK: Final = 512
_COLUMNS: Final = 8 * BLOCK
"""Width of the area that is worked on at once; a multiple of every level's factor."""
_MOST_LEVELS: Final = 9
"""2 to this power is `BLOCK`: further overviews would not come out of one block."""
_DROPPED_BITS: Final = 10
_GDAL_OPTIONS: Final[dict[str, Any]] = {"GDAL_CACHEMAX": 64 << 20}
"""rasterio takes bytes here; GDAL alone would take 5 % of the machine."""
_UNITS: Final = {"db": "dB", "power": "linear power", "amplitude": "linear amplitude"}
_SCRATCH: Final[dict[str, Any]] = {
    "driver": "GTiff",
    "count": 1,
    "dtype": "float32",
    "nodata": float("nan"),
    "tiled": True,
    "blockxsize": BLOCK,
    "blockysize": BLOCK,
    "BIGTIFF": "IF_SAFER",
}


class _Level(NamedTuple):
    factor: int
    shape: RasterShape
    path: Path


def write_cog(
    source: PixelSource,
    polarization: Polarization,
    path: Path,
    quantity: CogQuantity,
    work_dir: Path,
    *,
    beam: str | None = None,
    stage: str,
    progress: Progress,
    cancelled: Cancelled,
) -> CogReport:
    """Write one polarisation, or one beam of it, as a COG.

    Parameters
    ----------
    source
        On a map grid.
    path
        Of the COG; only there when all went well.
    work_dir
        Takes about one and a third times the size of the image in float32, and is freed again.
    beam
        The one that is in it by itself.
    stage
        What `progress` is told; lines are its unit.

    Raises
    ------
    BadProduct
        The image cannot be read.
    NoResource
        A file cannot be written, as when the disk is full.
    Interrupted
        `cancelled` said so; nothing is left behind.
    """
    grid = source.grid
    if grid is None:
        raise ValueError(f"{source.name} lies on no map")
    levels = _levels(source.shape, work_dir, path.stem)
    virtual = work_dir / f"{path.stem}.vrt"
    unfinished = path.with_name(f".{path.name}.part")
    try:
        with rasterio.Env(**_GDAL_OPTIONS):
            _write_levels(
                source, levels, quantity, stage=stage, progress=progress, cancelled=cancelled
            )
        virtual.write_text(_virtual(levels, grid, (polarization, beam), quantity, source), "utf-8")
        check(cancelled)
        with rasterio.Env(**_GDAL_OPTIONS):
            rasterio.shutil.copy(
                virtual,
                unfinished,
                driver="COG",
                blocksize=BLOCK,
                compress="DEFLATE",
                level=6,
                predictor="FLOATING_POINT",
                overviews="FORCE_USE_EXISTING",
                bigtiff="IF_SAFER",
                num_threads=2,
            )
        check(cancelled)
        unfinished.replace(path)
    except (RasterioError, OSError) as error:
        raise NoResource(f"{path.name} cannot be written: {error}") from error
    finally:
        for scratch in (unfinished, virtual, *(level.path for level in levels)):
            scratch.unlink(missing_ok=True)
    return CogReport(
        polarization=polarization,
        path=path,
        quantity=quantity,
        epsg=grid.epsg,
        shape=(source.shape.lines, source.shape.pixels),
        pixel_m=float(np.hypot(grid.transform[0], grid.transform[3])),
        overviews=tuple(level.factor for level in levels[1:]),
        calibration=source.calibration,
        beam=beam,
    )


def _levels(shape: RasterShape, work_dir: Path, stem: str) -> list[_Level]:
    """Return the image and its overviews, down to one that fits into a block."""
    levels = [_Level(1, shape, work_dir / f"{stem}.0.tif")]
    while max(levels[-1].shape) > BLOCK and len(levels) <= _MOST_LEVELS:
        factor = 2 ** len(levels)
        size = RasterShape(-(-shape.lines // factor), -(-shape.pixels // factor))
        levels.append(_Level(factor, size, work_dir / f"{stem}.{len(levels)}.tif"))
    return levels


def _blocks(shape: RasterShape) -> Iterator[Window]:
    for line in range(0, shape.lines, BLOCK):
        for pixel in range(0, shape.pixels, _COLUMNS):
            lines, pixels = min(BLOCK, shape.lines - line), min(_COLUMNS, shape.pixels - pixel)
            yield Window(line, pixel, lines, pixels)


def _write_levels(
    source: PixelSource,
    levels: list[_Level],
    quantity: CogQuantity,
    *,
    stage: str,
    progress: Progress,
    cancelled: Cancelled,
) -> None:
    # A grid of its own is in the virtual dataset; scratch files without one would be warned of.
    unit = rasterio.Affine(1.0, 0.0, 1.0, 0.0, -1.0, 1.0)
    with ExitStack() as stack:
        files = [
            stack.enter_context(
                rasterio.open(
                    level.path,
                    "w",
                    height=level.shape.lines,
                    width=level.shape.pixels,
                    transform=unit,
                    **_SCRATCH,
                )
            )
            for level in levels
        ]
        for block in _blocks(source.shape):
            check(cancelled)
            power = source.power(block)
            known = np.isfinite(power)
            total: Plane = np.where(known, power, np.float32(0))
            count = known.astype(np.float32)
            for level, file in zip(levels, files, strict=True):
                if level.factor > 1:
                    total, count = _halved(total), _halved(count)
                with np.errstate(divide="ignore", invalid="ignore"):
                    mean: Plane = total / count  # 0/0 = NaN: no data
                top, left = block.line // level.factor, block.pixel // level.factor
                place = RasterioWindow(left, top, mean.shape[1], mean.shape[0])
                file.write(in_quantity(mean, quantity), 1, window=place)
            progress(stage, block.line + block.lines, source.shape.lines)


def _halved(plane: Plane) -> Plane:
    """Sum 2 x 2 pixels; the last line and column of an odd size stand alone."""
    lines, pixels = plane.shape
    if lines % 2 or pixels % 2:
        plane = np.pad(plane, ((0, lines % 2), (0, pixels % 2)))
    pairs = plane[0::2] + plane[1::2]
    return np.asarray(pairs[:, 0::2] + pairs[:, 1::2])


def in_quantity(power: Plane, quantity: CogQuantity) -> Plane:
    """Return linear power in the file's quantity, rounded to `_DROPPED_BITS` fewer bits."""
    if quantity == "db":
        values = decibel(power)
    elif quantity == "amplitude":
        values = np.sqrt(power)
    else:
        values = power.astype(np.float32)
    bits = np.ascontiguousarray(values).view(np.uint32)
    bits += np.uint32(1 << (_DROPPED_BITS - 1))
    bits &= np.uint32(0xFFFFFFFF >> _DROPPED_BITS << _DROPPED_BITS)
    return bits.view(np.float32)


def _virtual(
    levels: list[_Level],
    grid: MapGrid,
    band: tuple[Polarization, str | None],
    quantity: CogQuantity,
    source: PixelSource,
) -> str:
    """Return a GDAL virtual dataset (VRT) of one band and its overviews."""
    a, b, c, d, e, f = grid.transform
    crs = CRS.from_user_input(grid.epsg if grid.epsg is not None else grid.crs_wkt).to_wkt()
    used = source.calibration
    tags = {
        "units": _UNITS[quantity],
        "quantity": f"sigma nought, {_UNITS[quantity]}",
        "polarization": band[0],
        "calibration_source": used.source,
        "overviews": "means of power over the valid pixels",
        "AREA_OR_POINT": "Area",
    }
    if band[1] is not None:
        tags["beam"] = band[1]
    if used.factor_db is not None:
        tags["calibration_factor_db"] = f"{used.factor_db:g}"
    items = "".join(f'<MDI key="{key}">{escape(value)}</MDI>' for key, value in tags.items())
    shape = levels[0].shape

    def source_of(level: _Level) -> str:
        name = escape(level.path.name)
        return (
            f'<SourceFilename relativeToVRT="1">{name}</SourceFilename><SourceBand>1</SourceBand>'
        )

    overviews = "".join(f"<Overview>{source_of(level)}</Overview>" for level in levels[1:])
    return (
        f'<VRTDataset rasterXSize="{shape.pixels}" rasterYSize="{shape.lines}">'
        f"<SRS>{escape(crs)}</SRS>"
        f"<GeoTransform>{c!r}, {a!r}, {b!r}, {f!r}, {d!r}, {e!r}</GeoTransform>"
        f"<Metadata>{items}</Metadata>"
        '<VRTRasterBand dataType="Float32" band="1">'
        f"<Description>sigma0_{band_name(*band)}_{quantity}</Description>"
        f"<NoDataValue>nan</NoDataValue><UnitType>{escape(_UNITS[quantity])}</UnitType>"
        f"<SimpleSource>{source_of(levels[0])}</SimpleSource>{overviews}"
        "</VRTRasterBand></VRTDataset>"
    )
