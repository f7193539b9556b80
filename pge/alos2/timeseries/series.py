"""Acquisitions of a track become a time series: one file a date, one VRT a polarisation.

Names: ``<YYYYMMDD>.bs.<polarisation>.tif``; where a day has more than one acquisition each of that
day has its time too, ``<YYYYMMDD>T<HHMMSS>.bs.<polarisation>.tif``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Final

from alos2.errors import BadProduct, NothingFound
from alos2.raster.gridfile import grid_of, read_grid
from alos2.raster.lean import RasterioError, rasterio
from alos2.raster.pictures import Cancelled, Progress, never, silent
from alos2.raster.strips import assemble_strips, strip_grid, strip_path
from alos2.timeseries.acquired import Acquired, common_grid
from alos2.timeseries.making import Making, Task
from alos2.timeseries.model import Encoding, Layer, Series
from alos2.timeseries.options import SeriesOptions
from alos2.timeseries.staging import staged
from alos2.timeseries.vrt import vrt_name, write_vrt

__all__ = [
    "Acquired",
    "SeriesOptions",
    "common_grid",
    "join_series",
    "load_series",
    "series_names",
    "write_series",
]

_TIME: Final = "%Y-%m-%dT%H:%M:%S.%fZ"


def series_names(times: Sequence[datetime]) -> list[str]:
    """Return what the date of each acquisition is called, all different."""
    days = [f"{when:%Y%m%d}" for when in times]
    of_day = Counter(days)
    names = [
        day if of_day[day] == 1 else f"{when:%Y%m%dT%H%M%S}"
        for day, when in zip(days, times, strict=True)
    ]
    seen: Counter[str] = Counter()
    for number, name in enumerate(names):
        seen[name] += 1
        if seen[name] > 1:
            names[number] = f"{name}-{seen[name]}"
    return names


def write_series(
    acquired: Sequence[Acquired],
    out: Path,
    polarization: str,
    options: SeriesOptions,
    *,
    name: str = "",
    lines: range | None = None,
    only: Collection[datetime] | None = None,
    progress: Progress = silent,
    cancelled: Cancelled = never,
) -> Series:
    """Write the series of one polarisation.

    Parameters
    ----------
    acquired
        In any order.
    out
        A folder; it is made. Its other files stay.
    polarization
        For names and tags.
    name
        Of the track.
    lines
        Only these, as strips (`alos2.raster.strips`) and without a VRT: for a cluster. See
        `join_series`.
    only
        Write the files of these dates alone; the VRT and what is returned have all.
    progress
        Told the stages ``speckle <polarisation>`` (only with the multi-temporal filter) and
        ``series <polarisation>``, in lines of all dates.

    Returns
    -------
    Series
        With `lines` its layers are strips and its grid is that of the strip.

    Raises
    ------
    UsageError, BadProduct
        There are no acquisitions, they do not fit together, a mask is missing or a file cannot be
        read.
    NoSpace, NoResource
        A file cannot be written.
    Interrupted
        `cancelled` said so. In any of these cases `out` is as it was.
    """
    ordered = sorted(acquired, key=lambda one: (one.when, one.path))
    grid = common_grid(ordered, options.extent)
    part = grid if lines is None else strip_grid(grid, lines)
    paths = _paths(ordered, out, polarization, lines)
    with staged(out) as folder:
        task = Task(
            acquired=tuple(ordered),
            grid=grid,
            lines=range(grid.shape.lines) if lines is None else lines,
            part=part,
            paths=tuple(folder / path.name for path in paths),
            wanted=tuple(
                number for number, one in enumerate(ordered) if only is None or one.when in only
            ),
            tags=tuple(_tags(one, polarization, name, options) for one in ordered),
            polarization=polarization,
            encoding=options.encoding,
            mt_filter=options.mt_filter,
            own_masks=options.apply_ls_mask and options.ls_mask == "date",
            all_masks=options.apply_ls_mask and options.ls_mask == "union",
            common=options.extent == "intersection",
            layout=options.layout if lines is None else "tiled",
            compress=options.compress,
            threads=options.threads,
            memory_mb=options.memory_mb,
        )
        Making(task, progress, cancelled).run()
        layers = _layers(ordered, paths)
        series = Series(polarization, layers, part, options.encoding, name)
        if lines is None:
            write_vrt(series, folder / vrt_name(polarization), out)
    return series


def join_series(
    acquired: Sequence[Acquired],
    strips: Path,
    out: Path,
    polarization: str,
    options: SeriesOptions,
    *,
    name: str = "",
    cancelled: Cancelled = never,
) -> Series:
    """Put the strips of `write_series` together: the same bytes as of an undivided run.

    Parameters
    ----------
    strips
        The folder that all strips were written to; they stay.
    out
        A folder; it is made.

    Raises
    ------
    NothingFound, BadProduct
        Strips are missing or fit badly.
    NoSpace, NoResource, Interrupted
        As `write_series`.
    """
    ordered = sorted(acquired, key=lambda one: (one.when, one.path))
    grid = common_grid(ordered, options.extent)
    paths = _paths(ordered, out, polarization, None)
    with staged(out) as folder:
        for path in paths:
            parts = sorted(strips.glob(f"{path.stem}.L*{path.suffix}"))
            if not parts:
                raise NothingFound(f"{strips}: there are no strips of {path.name}")
            assemble_strips(
                parts,
                folder / path.name,
                grid,
                codec=options.encoding.overviews,
                layout=options.layout,
                compress=options.compress,
                cancelled=cancelled,
            )
        series = Series(polarization, _layers(ordered, paths), grid, options.encoding, name)
        write_vrt(series, folder / vrt_name(polarization), out)
    return series


def load_series(folder: Path, polarization: str) -> Series:
    """Return the series that `write_series` left in a folder.

    Raises
    ------
    NothingFound
        There is none of that polarisation.
    BadProduct
        A file cannot be read, or says not what it is.
    """
    found = [_read_layer(path) for path in sorted(folder.glob(f"*.bs.{polarization}.tif"))]
    if not found:
        raise NothingFound(f"{folder}: there is no time series of {polarization}")
    layers = sorted((layer for layer, _, _ in found), key=lambda layer: (layer.when, layer.path))
    _, encoding, name = found[0]
    for layer, its, _ in found:
        if its != encoding:
            raise BadProduct(
                f"{layer.path}: it is encoded otherwise than {found[0][0].path.name}",
                hint="make the series again",
            )
    return Series(polarization, tuple(layers), read_grid(layers[0].path), encoding, name)


def _read_layer(path: Path) -> tuple[Layer, Encoding, str]:
    try:
        with rasterio.open(path) as dataset:
            grid_of(dataset)
            tags, dtype = dataset.tags(), dataset.dtypes[0]
        when = datetime.strptime(tags["acquired"], _TIME).replace(tzinfo=timezone.utc)
        low, high = float(tags["minimum_db"]), float(tags["maximum_db"])
        encoding = Encoding(tags["quantity"], dtype, low, high)
    except (RasterioError, OSError) as error:
        raise BadProduct(f"{path}: it cannot be read: {error}") from error
    except (KeyError, ValueError) as error:
        raise BadProduct(
            f"{path}: it is no file of a time series: {error}",
            hint="a series is made by `alos2 stack series`",
        ) from error
    return Layer(path, when), encoding, tags.get("track", "")


def _paths(
    ordered: Sequence[Acquired], out: Path, polarization: str, lines: range | None
) -> list[Path]:
    names = series_names([one.when for one in ordered])
    paths = [out / f"{name}.bs.{polarization}.tif" for name in names]
    return paths if lines is None else [strip_path(path, lines) for path in paths]


def _layers(ordered: Sequence[Acquired], paths: Sequence[Path]) -> tuple[Layer, ...]:
    return tuple(Layer(path, one.when) for path, one in zip(paths, ordered, strict=True))


def _tags(one: Acquired, polarization: str, name: str, options: SeriesOptions) -> dict[str, str]:
    """Return what a file says of itself: enough to be read again."""
    encoding = options.encoding
    tags = {
        "acquired": one.when.astimezone(timezone.utc).strftime(_TIME),
        "polarization": polarization,
        "quantity": encoding.quantity,
        "minimum_db": repr(encoding.minimum),
        "maximum_db": repr(encoding.maximum),
    }
    if name:
        tags["track"] = name
    if encoding.codes:
        tags["meaning"] = f"dB = {encoding.scale!r} * code + {encoding.offset!r}; 0 = no data"
    used = options.mt_filter
    if used:
        size = 7 if used.filter == "Refined Lee" else used.window_size
        tags["multitemporal_filter"] = f"Quegan and Yu 2001, {used.filter} {size} x {size}"
    return tags
