"""The dates of a stack as pictures: reduced once, stretched alike, drawn one by one."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from types import TracebackType
from typing import Final

import numpy as np
from PIL import Image

from alos2.animation.boxes import other_grid, valid_box
from alos2.animation.colours import NO_DATA, Colours
from alos2.animation.compass import Compass, compass_of
from alos2.animation.decimate import Reduced, read_power
from alos2.animation.drawing import Caption, Swatch, enlarged, ramp, with_caption
from alos2.animation.limits import Sampler, given_limits
from alos2.animation.model import AnimationOptions, Frame, Plane
from alos2.errors import NothingFound, UsageError
from alos2.product.model import MapGrid
from alos2.raster.composite import co_polarized, composite_pair, ratio
from alos2.raster.control import check
from alos2.raster.files import make_folder, refusal
from alos2.raster.pictures import RATIO, Cancelled, Progress, StretchLimits
from alos2.raster.stretch import to_grey
from alos2.types import POLARIZATIONS, Polarization

_LEGEND: Final = ((240, 70, 60), (80, 210, 90), (90, 140, 255))
"""Red, green and blue of the legend: as bright as each other on the caption's dark ground."""


@dataclass(frozen=True)
class Channel:
    """What one colour of the picture, or its grey, shows."""

    name: str
    """For people: ``HH``, ``HH/HV``."""
    limits: str
    """Whose limits it has: a polarisation, or ``ratio``."""


def channels_of(frames: Sequence[Frame], options: AnimationOptions) -> tuple[Channel, ...]:
    """Return the channels that all frames have: one for grey, or three.

    Raises
    ------
    UsageError
        The frames have no polarisation in common, or not the one that is asked for.
    """
    common = [pol for pol in POLARIZATIONS if all(pol in frame.layers for frame in frames)]
    if options.polarization is not None:
        if options.polarization not in common:
            raise UsageError(f"not every date has the polarisation {options.polarization}")
        return (Channel(options.polarization, options.polarization),)
    if not common:
        raise UsageError("the dates have no polarisation in common")
    pair = composite_pair(common) if options.composite else None
    if pair is None:
        only = co_polarized(common)
        return (Channel(only, only),)
    return (Channel(pair[0], pair[0]), Channel(pair[1], pair[1]), Channel("/".join(pair), RATIO))


class Stack:
    """Frames that were read; a context manager. Of their pixels one frame is held at a time.

    Parameters
    ----------
    frames
        In any order; they are drawn by time.
    options
        How.
    scratch
        Folder of a nameless scratch file, four bytes for each pixel of each picture's channel.

    Raises
    ------
    BadProduct
        A raster cannot be read.
    UsageError
        There are no frames, they lie on different grids, or have no polarisation in common.
    NothingFound
        None has any data.
    NoSpace, NoResource
        The scratch file cannot be written.
    Interrupted
        `cancelled` said so.
    """

    def __init__(
        self,
        frames: Sequence[Frame],
        options: AnimationOptions,
        scratch: Path,
        *,
        progress: Progress,
        cancelled: Cancelled,
    ) -> None:
        if not frames:
            raise UsageError("there is no date to draw")
        if options.max_px < 16:
            raise UsageError(f"a picture of {options.max_px} pixels shows nothing")
        self.frames = tuple(sorted(frames, key=lambda frame: frame.when))
        self.channels = channels_of(self.frames, options)
        self._options = options
        make_folder(scratch)
        try:
            self._kept = tempfile.TemporaryFile(dir=scratch)  # noqa: SIM115  closed in __exit__
        except OSError as error:
            raise refusal(scratch, error) from error
        try:
            self._grid, self._shape, self._each = self._read(progress, cancelled)
            self.limits = self._limits()
        except BaseException:
            self._kept.close()
            raise

    def __enter__(self) -> Stack:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._kept.close()

    def _read(
        self, progress: Progress, cancelled: Cancelled
    ) -> tuple[MapGrid, tuple[int, int], float]:
        wanted: list[Polarization] = [
            channel.limits  # type: ignore[misc]  # RATIO is left out
            for channel in self.channels
            if channel.limits != RATIO
        ]
        self._samplers = [Sampler() for _ in self.channels]
        layers = [(frame.layers[pol], frame.decode) for frame in self.frames for pol in wanted]
        box = valid_box(layers, cancelled=cancelled)
        first: Reduced | None = None
        for done, frame in enumerate(self.frames, 1):
            planes = []
            for pol in wanted:
                check(cancelled)
                path = frame.layers[pol]
                found = read_power(
                    path,
                    self._options.max_px,
                    frame.decode,
                    window=box,
                    cancelled=cancelled,
                )
                first = first or found
                _check_grid(path, found, first)
                planes.append(found.values)
            if len(self.channels) == 3:
                planes.append(ratio(*planes))
            for sampler, plane in zip(self._samplers, planes, strict=True):
                sampler.add(plane)
            self._keep(np.stack(planes))
            progress("reading the dates", done, len(self.frames))
        if first is None:
            raise ValueError("no frame was read")
        return first.grid, first.values.shape, first.pixels_each

    def _keep(self, planes: Plane) -> None:
        try:
            self._kept.write(planes.tobytes())
            self._kept.flush()
        except OSError as error:
            raise refusal(Path("the scratch file of the pictures"), error) from error

    def _limits(self) -> tuple[StretchLimits, ...]:
        found = []
        for channel, sampler in zip(self.channels, self._samplers, strict=True):
            own = given_limits(channel.limits, self._options)
            limits = own or sampler.limits(self._options.percentiles)
            if limits is None:
                raise NothingFound(f"no date has any data in {channel.name}")
            found.append(limits)
        return tuple(found)

    def _planes(self, number: int) -> Plane:
        size = len(self.channels) * self._shape[0] * self._shape[1]
        self._kept.seek(4 * size * number)
        raw = np.frombuffer(self._kept.read(4 * size), np.float32)
        return raw.reshape(len(self.channels), *self._shape)

    def image(self, number: int) -> Colours:
        """Return a frame without its caption: uint8, shape (height, width, 3)."""
        planes = self._planes(number)
        grey = [to_grey(plane, own) for plane, own in zip(planes, self.limits, strict=True)]
        drawn = np.stack(grey * 3 if len(grey) == 1 else grey, axis=-1)
        drawn[np.isnan(planes).any(axis=0)] = NO_DATA
        return drawn

    def dates(self) -> list[str]:
        """Return the dates; with the time of day where two frames are of one date."""
        dates = [f"{frame.when:%Y-%m-%d}" for frame in self.frames]
        if any(one == other for one, other in pairwise(dates)):
            dates = [f"{frame.when:%Y-%m-%d %H:%M}" for frame in self.frames]
        return dates

    def legend(self) -> tuple[Swatch, ...]:
        """Return what the colours mean."""
        colours = _LEGEND if len(self.channels) == 3 else ((255, 255, 255),)
        return tuple(
            Swatch(channel.name, ramp(colour), f"{limits.low_db:g}", f"{limits.high_db:g} dB")
            for channel, limits, colour in zip(self.channels, self.limits, colours, strict=True)
        )

    def compass(self, times: int) -> Compass | None:
        """Return scale and north of pictures that are drawn `times` as large."""
        found = compass_of(self._grid)
        return found and found._replace(pixel_m=found.pixel_m * self._each / times)

    def pictures(self) -> Iterator[Image.Image]:
        """Draw the frames by time, all of one size, RGB."""
        legend = self.legend()
        title = f"{self._options.title}  " if self._options.title else ""
        for number, date in enumerate(self.dates()):
            pixels, times = enlarged(self.image(number))
            yield with_caption(pixels, Caption(title + date, legend, self.compass(times)))


def _check_grid(path: Path, found: Reduced, first: Reduced) -> None:
    same = found.grid.transform == first.grid.transform and found.grid.shape == first.grid.shape
    if not same or found.values.shape != first.values.shape:
        raise other_grid(path)
