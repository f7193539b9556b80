"""``timescan.py --compare``: our values beside OpenSarToolkit's, and beside the definitions.

Where OpenSarToolkit is right both agree; each of its known defects is made to happen, and shown as
a difference from the definitions (``tests/timeseries/slowly.py``) that ours does not have.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from alos2.raster.lean import rasterio
from alos2.timeseries.codes import from_codes
from alos2.timeseries.metrics import TABLE, expand_metrics
from alos2.timeseries.timescan import timescan
from alos2.timeseries.timescanoptions import TimescanOptions

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from timescan import METRICS, TYPES, Stack, make, run_ost, series_of
from timeseries.slowly import is_close_call, planes

Planes = Mapping[str, Any]

SIDE = 256
SMALL = 64
TOLERANCE = {"std": 2e-5, "cov": 2e-4, "phase": 1e-3, "trend": 1e-3, "model_mean": 5e-2}
USUAL = 2e-4
"""dB; OpenSarToolkit calculates in float32."""
FLIPS = 2e-3
"""Share of pixels where a value may lie on a limit of the outliers within rounding."""


class Comparison:
    """Prints what was found; remembers whether anything was not as expected."""

    def __init__(self, folder: Path, python: str) -> None:
        self.folder = folder
        self.python = python
        self.failed = 0

    def say(self, ok: bool, sentence: str) -> None:
        self.failed += not ok
        print(f"{'as expected' if ok else 'UNEXPECTED '}  {sentence}", flush=True)

    def ours(self, stack: Stack, metrics: Sequence[str], *, outliers: bool, dtype: str) -> Planes:
        options = TimescanOptions(
            tuple(metrics), remove_outliers=outliers, dtype=dtype,  # type: ignore[arg-type]
            layout="tiled", compress=None, block=128,
        )  # fmt: skip
        made = timescan(series_of(stack), self.folder / "ours", options)
        return {metric: _read(path) for metric, path in made.paths.items()}

    def ost(self, stack: Stack, metrics: Sequence[str], *, outliers: bool) -> Planes:
        out = self.folder / "ost"
        run_ost(self.python, stack, out, outliers=outliers, metrics=metrics)
        return {name: _read(out / f"bs.HH.{name}.tif") for name in expand_metrics(metrics)}

    def slow(self, stack: Stack, metrics: Sequence[str], *, outliers: bool) -> tuple[Planes, Any]:
        """Return what is defined, and where no rounding decides."""
        series = series_of(stack)
        stored = np.stack([series.encoding.decode(_read(layer.path)) for layer in series.layers])
        sure = np.ones(stored.shape[1:], bool)
        for place in np.ndindex(*sure.shape) if outliers else ():
            sure[place] = not is_close_call(stored[(slice(None), *place)].astype(np.float64), 2.0)
        names = expand_metrics(metrics)
        return planes(stored, series.dates, 2.0 if outliers else None, names), sure


def _read(path: Path) -> Any:
    with rasterio.open(path) as file:
        return file.read(1)


def _values(plane: Any, metric: str, dtype: str) -> Any:
    """Return OpenSarToolkit's numbers as values, NaN = no data."""
    if dtype == "float32":
        return np.where(plane == 0, np.nan, plane)
    return from_codes(plane, dtype, *TABLE[metric].limits(dtype))  # type: ignore[arg-type]


def _far(mine: Any, truth: Any, metric: str) -> Any:
    """Where two planes differ by more than rounding."""
    near = np.isclose(mine, truth, 1e-5, TOLERANCE.get(metric, USUAL), equal_nan=True)
    return ~near


def _rounding(codes: Any, metric: str, dtype: str) -> Any:
    """Return how many codes may lie between: one, and what its inverse of two bytes is off.

    That has 35/65535 in place of 35/65534: up to one code, or 0.000534 dB of power.
    """
    if dtype == "uint8":
        return 1
    if metric != "std":
        return 2
    return 1 + np.ceil(codes * (10**0.0000534 - 1))


def where_it_is_right(test: Comparison) -> None:
    for dtype in TYPES:
        stack = make(Stack(test.folder / dtype, 30, SIDE, dtype))
        for outliers in (False, True):
            theirs = test.ost(stack, METRICS, outliers=outliers)
            mine = test.ours(stack, METRICS, outliers=outliers, dtype=dtype)
            for metric in METRICS:
                if dtype == "float32":
                    far = _far(mine[metric], theirs[metric], metric)
                    unit = TOLERANCE.get(metric, USUAL)
                else:
                    steps = np.abs(mine[metric].astype(int) - theirs[metric].astype(int))
                    far, unit = steps > _rounding(theirs[metric], metric, dtype), int(steps.max())
                how = "with outlier removal" if outliers else "plain"
                test.say(
                    far.mean() <= (FLIPS if outliers else 0.0),
                    f"{dtype:8} {metric:4} {how}: {far.sum()} of {far.size} pixels differ "
                    f"({'beyond' if dtype == 'float32' else 'most codes'} {unit})",
                )


def known_defects(test: Comparison) -> None:
    complete = Stack(test.folder / "gaps", 30, SMALL, "uint8")
    stacks = {
        dtype: make(replace(complete, folder=test.folder / f"gaps-{dtype}", dtype=dtype), gaps=True)
        for dtype in ("uint8", "float32")
    }
    _defect(test, stacks["float32"], ("avg",), "avg", "1 no data (0) of float32 counts as 0 dB")
    _defect(
        test, stacks["uint8"], ("avg", "percentiles"), "avg",
        "2 percentiles put the block's maximum into gaps, and averages are made of that",
    )  # fmt: skip
    for metric in ("max", "std"):
        _defect(
            test, stacks["uint8"], (metric,), metric,
            "3 one missing date switches outlier removal off", outliers=True,
        )  # fmt: skip
    _defect(
        test, stacks["uint8"], ("harmonics",), "amplitude",
        "4 one missing date and there are no harmonics",
    )  # fmt: skip
    _defect(test, stacks["uint8"], ("p5",), "p5", "4 p5 is not made without p95")
    made = timescan(
        series_of(stacks["uint8"]), test.folder / "vrt", TimescanOptions(("harmonics",))
    )
    with rasterio.open(made.vrt) as file:
        names = {name.rsplit(".", 1)[1] for name in file.descriptions}
    test.say({"trend", "model_mean"} <= names, "4 trend and model_mean are in our Timescan.vrt")


def where_nothing_is_missing(test: Comparison) -> None:
    """Order statistics and harmonics, which OpenSarToolkit has right there."""
    stack = make(Stack(test.folder / "complete", 30, SIDE, "float32"))
    metrics = ("median", "percentiles", "harmonics")
    theirs = test.ost(stack, metrics, outliers=False)
    mine = test.ours(stack, metrics, outliers=False, dtype="float32")
    for metric in expand_metrics(metrics):
        far = _far(mine[metric], theirs[metric], metric)
        test.say(not far.any(), f"float32  {metric} plain: {far.sum()} of {far.size} pixels differ")


def _defect(
    test: Comparison, stack: Stack, metrics: Sequence[str], metric: str, what: str, *,
    outliers: bool = False,
) -> None:  # fmt: skip
    """Show a metric that OpenSarToolkit has wrong, or fails to make; ours is as defined."""
    truth, sure = test.slow(stack, metrics, outliers=outliers)
    _ours_only(test, stack, metrics, truth, sure, outliers=outliers)
    try:
        theirs = test.ost(stack, metrics, outliers=outliers)[metric]
    except subprocess.CalledProcessError:
        test.say(True, f"{what}: OpenSarToolkit fails")
        return
    expected, rounding = truth[metric], USUAL
    if stack.dtype != "float32":
        low, high = TABLE[metric].limits(stack.dtype)  # type: ignore[arg-type]
        expected, rounding = np.clip(expected, low, high), 2 * (high - low) / 254
    values = _values(theirs, metric, stack.dtype)
    wrong = ~np.isclose(values, expected, 1e-4, rounding, equal_nan=True) & sure
    test.say(
        bool(wrong.any()),
        f"{what}: {metric} of OpenSarToolkit is wrong at {wrong.mean():.0%} of pixels",
    )


def _ours_only(
    test: Comparison, stack: Stack, metrics: Sequence[str], truth: Planes, sure: Any, *,
    outliers: bool,
) -> None:  # fmt: skip
    mine = test.ours(stack, metrics, outliers=outliers, dtype="float32")
    for metric in expand_metrics(metrics):
        far = _far(mine[metric], truth[metric], metric) & sure
        test.say(not far.any(), f"  ours: {metric} is wrong at {far.mean():.0%} of pixels")


def compare(folder: Path, python: str | None) -> int:
    """Print the comparison; return the exit code."""
    if not python:
        return 0
    test = Comparison(folder, python)
    where_it_is_right(test)
    where_nothing_is_missing(test)
    known_defects(test)
    return 1 if test.failed else 0
