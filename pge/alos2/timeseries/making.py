"""How a series is made: in memory that does not grow with the number of dates.

The images are gone through from above, with the multi-temporal filter twice: first all dates side
by side, for the mean ratio that they share (kept in a scratch file), then date by date. What is
dropped at all dates (the union of masks, or what not every date has) is found in a pass before.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

import numpy as np
import numpy.typing as npt

from alos2.product.model import MapGrid
from alos2.raster.control import check
from alos2.raster.gridfile import GridBand, GridFile, Layout
from alos2.raster.pictures import Cancelled, Progress
from alos2.speckle import Speckle, SpeckleFilter, halo, measure, needs_looks
from alos2.timeseries.acquired import Acquired, PowerReader, Rolling, Step, steps
from alos2.timeseries.model import Encoding, Power
from alos2.timeseries.mtfilter import RatioMean, local_mean, ratio_of
from alos2.timeseries.scratch import ScratchPlane
from alos2.types import Window

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")

_BYTES_A_PIXEL: Final = 24
"""What a thread takes for each pixel of a strip: power, mean, encoded, and what is made of them."""
_STRIP_LINES: Final = 544


@dataclass(frozen=True)
class Task:
    """What is to be written, and how."""

    acquired: tuple[Acquired, ...]
    """By time."""
    grid: MapGrid
    """Of the whole series."""
    lines: range
    """Of `grid`, what is made."""
    part: MapGrid
    """The grid of the files: these lines."""
    paths: tuple[Path, ...]
    """Of each acquisition, in one folder."""
    wanted: tuple[int, ...]
    """Numbers of the acquisitions whose files are written."""
    tags: tuple[Mapping[str, str], ...]
    """Of each acquisition's file."""
    polarization: str
    encoding: Encoding
    mt_filter: SpeckleFilter | None
    own_masks: bool
    """Layover and shadow of each date become no data there."""
    all_masks: bool
    """Layover and shadow of any date become no data at all dates."""
    common: bool
    """What one date has not becomes no data at all dates."""
    layout: Layout
    compress: str | None
    threads: int
    memory_mb: int


class Making:
    """Makes a `Task`."""

    def __init__(self, task: Task, progress: Progress, cancelled: Cancelled) -> None:
        self._task = task
        self._progress = progress
        self._cancelled = cancelled
        self._pixels = task.grid.shape.pixels
        self._halo = halo(task.mt_filter) if task.mt_filter else 0
        strip_mb = _STRIP_LINES * self._pixels * _BYTES_A_PIXEL / (1 << 20)
        self._threads = max(1, min(task.threads, int(task.memory_mb / strip_mb)))
        self._lock = threading.Lock()
        self._failed = False
        self._lines_done = 0
        self._dropped: ScratchPlane | None = None

    def run(self) -> None:
        """Write all files."""
        task, folder = self._task, self._task.paths[0].parent
        height = task.grid.shape.lines
        # The filter looks beyond the lines that are made.
        seen = range(
            max(0, task.lines.start - self._halo), min(height, task.lines.stop + self._halo)
        )
        with ExitStack() as stack:
            if task.all_masks or task.common:
                plane = ScratchPlane(folder / ".dropped", seen, self._pixels, "bool")
                stack.enter_context(plane)
                self._find_dropped(seen, plane)
                self._dropped = plane
            speckles = list(self._ordered(self._speckle_of, task.acquired))
            ratio = None
            if task.mt_filter:
                ratio = ScratchPlane(folder / ".ratio", task.lines, self._pixels, "float32")
                stack.enter_context(ratio)
                self._fill_ratio(task.mt_filter, speckles, ratio)
            self._lines_done = 0
            numbered = [(number, speckles[number]) for number in task.wanted]
            for _ in self._ordered(lambda item: self._write(*item, ratio), numbered):
                pass

    def _check(self) -> None:
        """Stop when asked to, and when another thread has failed."""
        check(lambda: self._failed or self._cancelled())

    def _tell(self, stage: str, lines: int, dates: int) -> None:
        with self._lock:
            self._lines_done += lines
            total = len(self._task.lines) * dates
            self._progress(f"{stage} {self._task.polarization}", self._lines_done, total)

    def _ordered(
        self, function: Callable[[_Item], _Result], items: Iterable[_Item]
    ) -> Iterator[_Result]:
        """Call a function in several threads; yield its results in order, few at a time."""
        waiting: deque[Future[_Result]] = deque()
        with ThreadPoolExecutor(self._threads) as pool:
            try:
                for item in items:
                    waiting.append(pool.submit(function, item))
                    if len(waiting) > self._threads:
                        yield waiting.popleft().result()
                while waiting:
                    yield waiting.popleft().result()
            except BaseException:
                self._failed = True
                for future in waiting:
                    future.cancel()
                raise

    def _read(self, reader: PowerReader, window: Window) -> Power:
        power = reader.read(window)
        if self._task.own_masks:
            power[reader.layover_shadow(window)] = np.nan
        return power

    def _seen(self, reader: PowerReader, window: Window) -> Power:
        """Return whole lines as the series has them before any filter."""
        power = self._read(reader, window)
        if self._dropped is not None:
            power[self._dropped.read(range(window.line, window.line + window.lines))] = np.nan
        return power

    def _open(self, stack: ExitStack, one: Acquired, *, masks: bool) -> PowerReader:
        return stack.enter_context(PowerReader(one, self._task.grid, with_mask=masks))

    def _find_dropped(self, lines: range, plane: ScratchPlane) -> None:
        task = self._task
        with ExitStack() as stack:
            readers = [self._open(stack, one, masks=task.all_masks) for one in task.acquired]
            for step in steps(lines, task.grid.shape.lines, 0):
                self._check()
                window = Window(step.done.start, 0, len(step.done), self._pixels)

                def missing(reader: PowerReader, window: Window = window) -> npt.NDArray[np.bool_]:
                    gone = reader.layover_shadow(window)
                    if task.common:
                        gone |= np.isnan(reader.read(window))
                    return gone

                found = np.zeros((window.lines, window.pixels), np.bool_)
                for gone in self._ordered(missing, readers):
                    found |= gone
                plane.write(step.done, found)

    def _speckle_of(self, one: Acquired) -> Speckle:
        """Measure an acquisition's speckle where the filter wants to know it."""
        wanted = self._task.mt_filter
        if wanted is None or not needs_looks(wanted):
            return Speckle(1.0, np.inf)
        looks = wanted.looks or one.looks
        if looks is not None and wanted.filter != "Lee Sigma":
            return Speckle(looks, np.inf)
        self._check()
        # Of the whole image whatever lines are made, so that strips agree.
        with ExitStack() as stack:
            reader = self._open(stack, one, masks=self._task.own_masks)
            found = measure(lambda window: self._read(reader, window), self._task.grid.shape)
        return found if looks is None else found._replace(looks=looks)

    def _fill_ratio(
        self, wanted: SpeckleFilter, speckles: list[Speckle], ratio: ScratchPlane
    ) -> None:
        task = self._task
        with ExitStack() as stack:
            readers = [self._open(stack, one, masks=task.own_masks) for one in task.acquired]
            rolls = [self._rolling(reader) for reader in readers]
            for step in steps(task.lines, task.grid.shape.lines, self._halo):

                def ratio_at(number: int, step: Step = step) -> npt.NDArray[np.float32]:
                    self._check()
                    power, above = rolls[number].take(step)
                    done = slice(above, above + len(step.done))
                    mean = local_mean(power, wanted, speckles[number])[done]
                    return ratio_of(power[done], mean)

                total = RatioMean((len(step.done), self._pixels))
                for part in self._ordered(ratio_at, range(len(rolls))):
                    total.add(part)
                    self._tell("speckle", len(step.done), len(rolls))
                if step.done:
                    ratio.write(step.done, total.mean())

    def _rolling(self, reader: PowerReader) -> Rolling:
        return Rolling(lambda window: self._seen(reader, window), self._pixels, self._halo)

    def _write(self, number: int, speckle: Speckle, ratio: ScratchPlane | None) -> None:
        """Write the file of one date."""
        task = self._task
        with ExitStack() as stack:
            roll = self._rolling(self._open(stack, task.acquired[number], masks=task.own_masks))
            file = stack.enter_context(
                GridFile(
                    task.paths[number],
                    task.part,
                    dtype=task.encoding.dtype,
                    nodata=task.encoding.nodata,
                    bands=[GridBand(task.polarization, task.encoding.unit)],
                    tags=task.tags[number],
                    codec=task.encoding.overviews,
                    layout=task.layout,
                    compress=task.compress,
                )
            )
            for step in steps(task.lines, task.grid.shape.lines, self._halo):
                self._check()
                power, above = roll.take(step)
                if task.mt_filter and ratio is not None and step.done:
                    power = local_mean(power, task.mt_filter, speckle)
                    power = power[above : above + len(step.done)] * ratio.read(step.done)
                else:
                    power = power[above : above + len(step.done)]
                if step.done:
                    place = Window(
                        step.done.start - task.lines.start, 0, len(step.done), self._pixels
                    )
                    file.write(place, task.encoding.encode(power))
                self._tell("series", len(step.done), len(task.wanted))
