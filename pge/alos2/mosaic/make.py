"""The mosaic of one layer: what its inputs are is found out, then it is made block by block."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from alos2.errors import UsageError
from alos2.mosaic.align import union_grid, union_place
from alos2.mosaic.cells import read_cells
from alos2.mosaic.cut import Area
from alos2.mosaic.harmonise import harmonise
from alos2.mosaic.metrics import Rule, rule_of
from alos2.mosaic.model import Codec, Gains, MosaicInput, MosaicOptions, MosaicResult
from alos2.mosaic.prepare import Prepared, prepare
from alos2.mosaic.reading import Layer, Rasters, in_order
from alos2.mosaic.work import Work
from alos2.product.model import MapGrid
from alos2.raster.control import check
from alos2.raster.gridfile import GridBand, GridFile
from alos2.raster.lean import rasterio
from alos2.raster.pictures import Cancelled, Progress, never, silent
from alos2.raster.powercodes import quick
from alos2.types import RasterShape, Window

BLOCK: Final = (512, 4096)
"""Lines and pixels of a mosaic that are made at once."""
_MOST_THREADS: Final = 8
"""Each takes about 60 MB, and more than these wait for the one that writes."""
_CACHE_BYTES: Final = 128 << 20
"""GDAL alone would take 5 % of the machine."""


def estimate_gains(
    inputs: Sequence[MosaicInput],
    options: MosaicOptions | None = None,
    *,
    metric: str | None = None,
    progress: Progress = silent,
    cancelled: Cancelled = never,
) -> Gains:
    """Find the gains that level tracks, e.g. in the average of their time series.

    Parameters
    ----------
    inputs
        One raster of each track, of backscatter.
    metric
        Which metric of a timescan it is; None: backscatter of one date.

    Raises
    ------
    BadProduct
        A file cannot be read.
    UsageError
        The inputs do not share their pixels, or the metric is not of power.
    Interrupted
        `cancelled` said so.
    """
    rule = rule_of(metric)
    if rule != rule_of(None):
        raise UsageError(f"gains cannot be found from {metric}", hint="take the metric avg")
    threads = _threads(options or MosaicOptions())
    with _gdal(), Rasters() as rasters, ThreadPoolExecutor(threads) as pool:
        layers, _ = rasters.look_into(inputs, rule, None)
        return harmonise(
            {
                layer.input.track: read_cells(
                    rasters, layer, pool, threads, progress=progress, cancelled=cancelled
                )
                for layer in layers
            }
        )


def mosaic(
    inputs: Sequence[MosaicInput],
    grid: MapGrid | None,
    out: Path,
    options: MosaicOptions,
    *,
    metric: str | None = None,
    gains: Gains | None = None,
    encoding: Codec | None = None,
    tags: Mapping[str, str] = MappingProxyType({}),
    progress: Progress = silent,
    cancelled: Cancelled = never,
) -> MosaicResult:
    """Make one raster of those of several tracks.

    Parameters
    ----------
    inputs
        One raster of each track, all on one grid family; where weights are the same, the order
        decides nothing but the last bit.
    grid
        Of the mosaic; None: all that the inputs cover.
    out
        GeoTIFF (COG) to be written; it is there only when all went well.
    metric
        Which metric of a timescan it is (see `METRIC_RULES`); None: backscatter of one date.
    gains
        Those of another layer, taken instead of such as this one shows. Without, layers that are
        not backscatter get none.
    encoding
        Of the mosaic's numbers; None: that of the first input.
    tags
        Metadata for the file; no times of creation.

    Raises
    ------
    BadProduct
        A file cannot be read.
    UsageError
        The inputs do not share their pixels, lack the scattering area that the weights need, or
        the area of interest does not touch them.
    NoSpace, NoResource
        The mosaic cannot be written.
    Interrupted
        `cancelled` said so.
    """
    rule = rule_of(metric)
    threads = _threads(options)
    with _gdal(), Rasters() as rasters, ThreadPoolExecutor(threads) as pool:
        layers, family = rasters.look_into(inputs, rule, grid)
        _check_areas(layers, options)
        whole = grid or union_grid([layer.grid for layer in layers])
        place = family or union_place([layer.place for layer in layers])
        area = None
        if options.cut_to_aoi is not None:
            area = Area(options.cut_to_aoi, whole)
            whole, place = area.grid, place.part(area.window)
        made = prepare(
            rasters,
            layers,
            pool,
            threads=threads,
            rule=rule,
            gains=gains,
            options=options,
            progress=progress,
            cancelled=cancelled,
        )
        work = Work(rasters, made, place, rule, options)
        codec = encoding or layers[0].codec

        def block(window: Window) -> tuple[Window, npt.NDArray[Any]]:
            check(cancelled)
            values = work.block(window)
            if area is not None:
                values[~area.inside(window)] = np.nan
            return window, codec.encode(values)

        with GridFile(
            out,
            whole,
            dtype=codec.dtype,
            nodata=codec.nodata,
            bands=(_band(rasters, layers[0]),),
            tags={**_about(made, rule, options), **tags},
            overviews="nearest" if rule.combine == "circular" else "mean",
            codec=quick(codec, codec.dtype, codec.nodata) if rule.quantity == "power" else None,
        ) as file:
            for window, codes in in_order(pool, block, blocks(whole.shape), 2 * threads):
                file.write(window, codes)
                progress("mosaic", window.line + window.lines, whole.shape.lines)
    return MosaicResult(out, whole, made.gains, made.gains.notes)


def _threads(options: MosaicOptions) -> int:
    return min(max(1, options.threads), _MOST_THREADS)


def _gdal() -> Any:
    """Return a context in which GDAL keeps no more of the inputs than `_CACHE_BYTES`."""
    return rasterio.Env(GDAL_CACHEMAX=_CACHE_BYTES)


def _about(made: Prepared, rule: Rule, options: MosaicOptions) -> dict[str, str]:
    """Return the metadata that the file carries."""
    return {
        "tracks": ",".join(layer.input.track for layer in made.layers),
        "weighting": options.weighting if rule.combine != "sum" else "none",
        "gains_db": json.dumps(dict(made.gains.decibels)),
    }


def blocks(shape: RasterShape) -> Iterator[Window]:
    """Cut a mosaic into the blocks in which it is made."""
    lines, pixels = BLOCK
    for line in range(0, shape.lines, lines):
        for pixel in range(0, shape.pixels, pixels):
            yield Window(
                line, pixel, min(lines, shape.lines - line), min(pixels, shape.pixels - pixel)
            )


def _band(rasters: Rasters, layer: Layer) -> GridBand:
    dataset, band = rasters.open(layer.input.path), layer.input.band - 1
    return GridBand(dataset.descriptions[band] or "1", dataset.units[band] or "")


def _check_areas(layers: Sequence[Layer], options: MosaicOptions) -> None:
    if options.weighting != "area":
        return
    without = [layer.input.track for layer in layers if layer.input.area is None]
    if without:
        raise UsageError(
            f"weights by local resolution need the scattering area of track {without[0]}",
            hint="make the scenes as RTC-gamma0 with the area model, or weigh by feather",
        )
