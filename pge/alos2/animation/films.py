"""A stack as a film, and two dates beside each other."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from io import BytesIO
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image, ImageDraw

from alos2.animation.drawing import (
    BAND,
    INK,
    Caption,
    enlarged,
    fitted,
    large,
    small,
    with_caption,
)
from alos2.animation.gif import Reel, write_gif
from alos2.animation.model import AnimationOptions, Frame
from alos2.animation.movie import write_mp4
from alos2.animation.stack import Stack
from alos2.errors import UsageError
from alos2.raster.control import check
from alos2.raster.files import write_file
from alos2.raster.pictures import Cancelled, Progress, never, silent

_WRITERS: Final[dict[str, Callable[[Reel, Path, float], None]]] = {
    ".gif": write_gif,
    ".mp4": write_mp4,
}
_LEGEND_STEPS: Final = 8
_BETWEEN: Final = 4
"""Pixels between the two dates of a pair."""


def animate(
    frames: Sequence[Frame],
    out: Path,
    options: AnimationOptions | None = None,
    *,
    progress: Progress = silent,
    cancelled: Cancelled = never,
) -> Path:
    """Draw a stack as an animation, date by date.

    Parameters
    ----------
    frames
        The dates, in any order. Two polarisations are drawn in colours (`raster.composite`), one in
        grey; the stretch is the same for all dates.
    out
        ``.gif`` or ``.mp4``; it is there only when all went well. The same input makes the same
        bytes (MP4: by the same ffmpeg).
    options
        None: the defaults.

    Raises
    ------
    BadProduct
        A raster cannot be read.
    UsageError
        The frames lie on different grids or have no polarisation in common, or the file is of
        another kind.
    NothingFound
        None has any data.
    NoSpace, NoResource
        It cannot be written, or there is no ffmpeg for an MP4.
    Interrupted
        `cancelled` said so.
    """
    chosen = options or AnimationOptions()
    writer = _WRITERS.get(out.suffix.lower())
    if writer is None:
        raise UsageError(f"{out.name} is no .gif and no .mp4, and nothing else can be animated")
    _check_pace(chosen)
    with Stack(frames, chosen, out.parent, progress=progress, cancelled=cancelled) as stack:
        writer(_Reel(stack, progress, cancelled), out, chosen.seconds_per_frame)
    return out


def _check_pace(options: AnimationOptions) -> None:
    if not 0.02 <= options.seconds_per_frame <= 60:
        raise UsageError(
            f"{options.seconds_per_frame} seconds for a frame is not between 0.02 and 60"
        )


class _Reel:
    """The pictures of a stack; drawn anew each time they are gone through."""

    def __init__(self, stack: Stack, progress: Progress, cancelled: Cancelled) -> None:
        self._stack = stack
        self._progress = progress
        self._cancelled = cancelled

    @property
    def grey(self) -> bool:
        """Whether one polarisation is drawn."""
        return len(self._stack.channels) == 1

    @property
    def exact(self) -> list[tuple[int, int, int]]:
        """Colours along the bars of the legend, which are small beside the image."""
        return [
            (int(red), int(green), int(blue))
            for swatch in self._stack.legend()
            for red, green, blue in swatch.colours[:: len(swatch.colours) // _LEGEND_STEPS]
        ]

    def __len__(self) -> int:
        return len(self._stack.frames)

    def __iter__(self) -> Iterator[Image.Image]:
        for done, picture in enumerate(self._stack.pictures(), 1):
            check(self._cancelled)
            yield picture
            self._progress("drawing the dates", done, len(self))


def before_after(
    before: Frame,
    after: Frame,
    out: Path,
    options: AnimationOptions | None = None,
    *,
    progress: Progress = silent,
    cancelled: Cancelled = never,
) -> Path:
    """Draw two dates with one stretch: side by side (``.png``), or in turn (``.gif``, ``.mp4``).

    Parameters and errors are those of `animate`; ``max_px`` is the long side of each of the two.
    """
    chosen = options or AnimationOptions()
    if not before.when < after.when:
        raise UsageError(f"{before.when:%Y-%m-%d} is not before {after.when:%Y-%m-%d}")
    if out.suffix.lower() != ".png":
        return animate([before, after], out, chosen, progress=progress, cancelled=cancelled)
    with Stack(
        [before, after], chosen, out.parent, progress=progress, cancelled=cancelled
    ) as stack:
        write_file(out, png(_side_by_side(stack, chosen)))
    return out


def _side_by_side(stack: Stack, options: AnimationOptions) -> Image.Image:
    images = [enlarged(stack.image(number)) for number in range(2)]
    times = images[0][1]
    height, width, _ = images[0][0].shape
    gutter = np.full((height, _BETWEEN, 3), BAND, np.uint8)
    both = np.concatenate([images[0][0], gutter, images[1][0]], axis=1)
    caption = Caption(options.title, stack.legend(), stack.compass(times))
    below = with_caption(both, caption)
    row = round(large(width) * 1.25) + small(width)
    made = Image.new("RGB", (below.width, below.height + row), BAND)
    made.paste(below, (0, row))
    pen = ImageDraw.Draw(made)
    for number, label in enumerate(stack.dates()):
        left = number * (width + _BETWEEN)
        said = f"{('before', 'after')[number]}  {label}"
        text, chosen = fitted(said, width, width - small(width))
        pen.text((left + width // 2, row // 2), text, fill=INK, font=chosen, anchor="mm")
    return made


def png(picture: Image.Image) -> bytes:
    """Return the PNG file of a picture; the same bytes for the same pixels."""
    file = BytesIO()
    picture.save(file, format="PNG", optimize=False, compress_level=6)
    return file.getvalue()
