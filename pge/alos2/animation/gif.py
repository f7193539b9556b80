"""GIF of a stack: one palette for all frames, so that what does not change does not flicker.

Format: GIF89a (CompuServe, 1990), written by Pillow. The colours are chosen once, from pixels of
all frames; without dithering, for its pattern would move.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, Protocol

import numpy as np
from PIL import Image

from alos2.animation.colours import NO_DATA
from alos2.animation.drawing import BAND, FAINT, INK, Colour
from alos2.raster.files import refusal

_COLOURS: Final = 256
_EXACT: Final = (NO_DATA, BAND, INK, FAINT)
"""Colours of every picture that stay what they are."""
_GREYS: Final = [(grey, grey, grey) for grey in np.rint(np.linspace(0, 255, 240)).astype(int)]
_GREY_INDEX: Final = np.rint(np.arange(256) / 255 * 239).astype(np.uint8)
_ROW: Final = 1024
_SAMPLE: Final = 250_000
"""Pixels of all frames together from which the palette is chosen."""


class Reel(Protocol):
    """Frames of one size, RGB, that are drawn anew each time they are gone through."""

    @property
    def grey(self) -> bool:
        """Whether the images are grey."""

    @property
    def exact(self) -> Sequence[Colour]:
        """Some colours that must stay what they are."""

    def __len__(self) -> int:
        """Return how many there are."""

    def __iter__(self) -> Iterator[Image.Image]:
        """Draw them one by one."""


class Palette:
    """256 colours for all frames: evenly spaced greys, or what the frames have most of."""

    def __init__(self, frames: Reel) -> None:
        self._grey = frames.grey
        if frames.grey:
            rest = [_between(BAND, INK, share / 10) for share in range(1, 10)]
            colours = [*_GREYS, *_EXACT, *rest]
        else:
            exact = [*_EXACT, *frames.exact]
            colours = [*_frequent(frames, _COLOURS - len(exact)), *exact]
        colours += [BAND] * (_COLOURS - len(colours))
        self._carrier = Image.new("P", (1, 1))
        self._carrier.putpalette([part for colour in colours for part in colour])

    def reduce(self, frame: Image.Image) -> Image.Image:
        """Return a frame in the palette's colours."""
        few = frame.quantize(palette=self._carrier, dither=Image.Dither.NONE)
        if not self._grey:
            return few
        # Pillow looks at six bits of a colour: here greys are brought to their own.
        red, green, blue = (np.asarray(band) for band in frame.split())
        is_grey = (red == green) & (green == blue)
        index = np.asarray(few).copy()
        index[is_grey] = _GREY_INDEX[red[is_grey]]
        made = Image.fromarray(index)
        made.putpalette(self._carrier.getpalette() or [])
        return made


def _between(one: Colour, other: Colour, share: float) -> Colour:
    red, green, blue = (round(a + share * (b - a)) for a, b in zip(one, other, strict=True))
    return red, green, blue


def _frequent(frames: Reel, most: int) -> list[Colour]:
    """Return the colours that stand best for all frames, by median cut."""
    each = max(1, _SAMPLE // len(frames))
    taken = []
    for frame in frames:
        pixels = np.asarray(frame).reshape(-1, 3)
        taken.append(pixels[:: max(1, len(pixels) // each)])
    every = np.concatenate(taken)
    every = np.resize(every, (-(-len(every) // _ROW) * _ROW, 3))
    few = Image.fromarray(every.reshape(-1, _ROW, 3)).quantize(
        most, Image.Quantize.MEDIANCUT, kmeans=2
    )
    parts = list(few.getpalette() or ())[: 3 * most]
    return [(parts[n], parts[n + 1], parts[n + 2]) for n in range(0, len(parts), 3)]


def write_gif(frames: Reel, out: Path, seconds_per_frame: float) -> None:
    """Write frames as an animation that goes on for ever.

    Parameters
    ----------
    frames
        Gone through twice; a byte a pixel of all of them is held.
    out
        The file; it is there whole or not at all.
    seconds_per_frame
        To hundredths; players take less than 0.02 s for 0.1 s.

    Raises
    ------
    NoSpace, NoResource
        It cannot be written.
    """
    palette = Palette(frames)
    few = [palette.reduce(frame) for frame in frames]
    unfinished = out.with_name(f".{out.name}.part")
    try:
        few[0].save(
            unfinished,
            format="GIF",
            save_all=True,
            append_images=few[1:],
            duration=max(20, round(seconds_per_frame * 100) * 10),
            loop=0,
            optimize=False,
        )
        unfinished.replace(out)
    except OSError as error:
        raise refusal(out, error) from error
    finally:
        unfinished.unlink(missing_ok=True)
