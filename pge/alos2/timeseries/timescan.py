"""Timescan: statistics of every pixel over the dates of a series, in one pass over the files.

The image goes through in pieces of whole tiles. Pieces are read and computed by several threads
and written in their order by the caller's, so that memory is bounded and the files are the same
bytes with any number of threads, and put together from strips.

Metrics and their ranges: `alos2.timeseries.metrics`; outliers: `alos2.timeseries.outliers`;
harmonics: `alos2.timeseries.harmonics`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from alos2.errors import Interrupted, UsageError
from alos2.raster.gridfile import GridBand, GridFile
from alos2.raster.pictures import Cancelled, Progress, never, silent
from alos2.raster.powercodes import PowerCodec
from alos2.raster.strips import assemble_strips, strip_grid, strip_path
from alos2.timeseries.metrics import DECIBEL_METRICS, TABLE
from alos2.timeseries.model import Encoding, Series
from alos2.timeseries.timescanblocks import Numbers, Pieces, require_type
from alos2.timeseries.timescanoptions import TimescanOptions
from alos2.timeseries.timescanvalues import Values
from alos2.timeseries.timescanvrt import write_timescan_vrt
from alos2.types import Window

STAGE: Final = "timescan"
_OTHERS_MB: Final = 160
"""GDAL's cache of what is written, and the program itself."""
_AHEAD: Final = 2
"""Pieces that are finished and wait to be written, beyond those that are worked on."""


@dataclass(frozen=True)
class Timescan:
    """What was made."""

    polarization: str
    paths: Mapping[str, Path]
    """File of each metric; of a strip, the strip's."""
    vrt: Path | None = None
    """All metrics of all polarisations in the folder; None of a strip."""
    lines: range | None = None
    """Of a strip."""


def metric_path(folder: Path, polarization: str, metric: str) -> Path:
    """Return the name of a metric's file, ``bs.<polarisation>.<metric>.tif``."""
    return folder / f"bs.{polarization}.{metric}.tif"


def timescan(
    series: Series,
    out: Path,
    options: TimescanOptions = TimescanOptions(),  # noqa: B008  frozen
    *,
    lines: range | None = None,
    progress: Progress = silent,
    cancelled: Cancelled = never,
) -> Timescan:
    """Compute the metrics of a series.

    Parameters
    ----------
    series
        Power, decibels or codes; missing dates are missing pixel by pixel.
    out
        Folder of the files; it is made.
    options
        What is computed, and how it is written.
    lines
        Only these lines, which begin and end at multiples of 512 (or at the last line), as strips
        for `assemble_timescan`: for the nodes of a cluster.
    progress
        Told lines.

    Returns
    -------
    Timescan
        Each file is there whole or not at all; float32 with NaN, or codes with 0, for no data.
        A pixel has no data where it has none on any date.

    Raises
    ------
    BadProduct
        A file of the series cannot be read, or is not as the series says; it is named.
    UsageError
        `lines` is no strip.
    NoSpace, NoResource
        The files cannot be written.
    Interrupted
        `cancelled` said so; nothing is left behind.
    """
    layers = [(layer.path, layer.band) for layer in series.layers]
    values = Values(series.encoding, series.dates, options)
    part = range(series.grid.shape.lines) if lines is None else lines
    # A piece is there as it was read, as float32 planes, and in lines of the files' type.
    pixel_bytes = len(layers) * np.dtype(series.encoding.dtype).itemsize + 12 * len(options.layers)
    share = (options.memory_mb - _OTHERS_MB) * 1_000_000 // (options.threads + 1 + _AHEAD)
    with ExitStack() as stack:
        pieces = stack.enter_context(Pieces(layers, options.block, share, pixel_bytes))
        require_type(pieces, series.encoding.dtype, series.layers[0].path)
        if pieces.grid.shape != series.grid.shape:
            raise UsageError(
                f"the series is {tuple(series.grid.shape)}, its files {tuple(pieces.grid.shape)}",
                hint="make the series again",
            )
        files = {
            metric: stack.enter_context(_file(series, out, metric, options, lines))
            for metric in options.layers
        }

        def compute(window: Window) -> tuple[Window, list[Numbers]]:
            planes = values(pieces.read(window))
            return window, [pieces.lines_of(plane, window) for plane in planes]

        windows = pieces.windows(part)
        for window, planes in _in_order(compute, windows, options.threads + 1, cancelled):
            place = window._replace(line=window.line - part.start)
            for file, plane in zip(files.values(), planes, strict=True):
                file.write(place, plane)
            progress(STAGE, place.line + place.lines, len(part))
    paths = {metric: file.path for metric, file in files.items()}
    vrt = write_timescan_vrt(out) if lines is None else None
    return Timescan(series.polarization, paths, vrt, lines)


def assemble_timescan(
    strips: Sequence[Timescan],
    series: Series,
    out: Path,
    options: TimescanOptions,
    *,
    cancelled: Cancelled = never,
) -> Timescan:
    """Put strips together; the same bytes as of an undivided run. The strips stay.

    Raises
    ------
    BadProduct
        A strip cannot be read, is missing, or there twice.
    NoSpace, NoResource
        The files cannot be written.
    Interrupted
        `cancelled` said so.
    """
    paths: dict[str, Path] = {}
    for metric in options.layers:
        paths[metric] = metric_path(out, series.polarization, metric)
        assemble_strips(
            [strip.paths[metric] for strip in strips],
            paths[metric],
            series.grid,
            overviews=TABLE[metric].overviews,
            codec=_codec(metric, options),
            layout=options.layout,
            compress=options.compress,
            block=options.block,
            cancelled=cancelled,
        )
    return Timescan(series.polarization, paths, write_timescan_vrt(out))


def _file(
    series: Series, out: Path, name: str, options: TimescanOptions, lines: range | None
) -> GridFile:
    metric = TABLE[name]
    power = name in DECIBEL_METRICS and not options.to_db
    unit = "linear power" if power else metric.unit
    tags = {
        "metric": name,
        "polarization": series.polarization,
        "dates": str(len(series.layers)),
        "first_date": f"{series.dates[0]:%Y-%m-%dT%H:%M:%SZ}",
        "last_date": f"{series.dates[-1]:%Y-%m-%dT%H:%M:%SZ}",
        "outliers": f"beyond {options.z_threshold:g} sigma" if options.remove_outliers else "kept",
    }
    if options.dtype != "float32":
        minimum, maximum = metric.limits(options.dtype)
        tags |= {"code_minimum": f"{minimum:.9g}", "code_maximum": f"{maximum:.9g}"}
    path = metric_path(out, series.polarization, name)
    return GridFile(
        path if lines is None else strip_path(path, lines),
        series.grid if lines is None else strip_grid(series.grid, lines),
        dtype=options.dtype,
        nodata=float("nan") if options.dtype == "float32" else 0,
        bands=(GridBand(f"bs.{series.polarization}.{name}", unit),),
        tags=tags,
        overviews=metric.overviews,
        codec=_codec(name, options),
        layout=options.layout if lines is None else "tiled",
        compress=options.compress if lines is None else None,
        block=options.block,
    )


def _codec(name: str, options: TimescanOptions) -> PowerCodec | None:
    """Return how means of power are made in a metric's overviews; None: of what is written."""
    if name not in DECIBEL_METRICS or not options.to_db:
        return None
    return Encoding("db", options.dtype, *TABLE[name].limits(options.dtype)).overviews


def _in_order(
    work: Callable[[Window], tuple[Window, list[Numbers]]],
    windows: Iterator[Window],
    threads: int,
    cancelled: Cancelled,
) -> Iterator[tuple[Window, list[Numbers]]]:
    """Yield what threads make of windows, in their order; few are ahead of the caller."""
    waiting: deque[Future[tuple[Window, list[Numbers]]]] = deque()
    with ThreadPoolExecutor(threads) as pool:
        try:
            for window in windows:
                if cancelled():
                    raise Interrupted("the timescan was stopped")
                if len(waiting) >= threads + _AHEAD:
                    yield waiting.popleft().result()
                waiting.append(pool.submit(work, window))
            while waiting:
                if cancelled():
                    raise Interrupted("the timescan was stopped")
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
