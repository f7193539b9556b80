"""Captions of pictures: date, legend, scale bar, north arrow, colour bars.

The caption is a band of its own below the image, so that it is legible whatever the image shows,
and hides nothing of it. Texts keep to ASCII: the font that comes with Pillow has little else.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, NamedTuple, TypeAlias

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from alos2.animation.colours import Colours
from alos2.animation.compass import Compass, length_name, round_length

Font: TypeAlias = "ImageFont.FreeTypeFont | ImageFont.ImageFont"
Colour: TypeAlias = tuple[int, int, int]

BAND: Final = (20, 22, 27)
INK: Final = (238, 240, 243)
FAINT: Final = (160, 166, 176)
_ANY_DIGIT: Final = str.maketrans("123456789", "000000000")
_LEAST_FONT: Final = 11
LEAST_WIDTH: Final = 360
"""Narrower pictures are drawn with larger pixels, for captions to fit."""


class Swatch(NamedTuple):
    """One line of a legend: a bar of colours, and what its ends stand for."""

    name: str
    colours: Colours
    """Shape (n, 3), from low to high."""
    low: str
    high: str


@dataclass(frozen=True)
class Caption:
    """What is below an image."""

    label: str
    legend: tuple[Swatch, ...] = ()
    compass: Compass | None = None
    """Of a pixel of the drawn image."""


def ramp(colour: Colour) -> Colours:
    """Return 64 steps from black to a colour."""
    steps = np.linspace(0, 1, 64)[:, None] * np.array(colour)
    return np.asarray(np.rint(steps), np.uint8)


def enlarged(pixels: Colours) -> tuple[Colours, int]:
    """Return an image at least `LEAST_WIDTH` wide by repeating its pixels, and how often."""
    times = max(1, -(-LEAST_WIDTH // pixels.shape[1]))
    return pixels.repeat(times, axis=0).repeat(times, axis=1), times


def with_caption(pixels: Colours, caption: Caption) -> Image.Image:
    """Return an image, shape (height, width, 3), with a caption below."""
    height, width = pixels.shape[:2]
    band = _band(width, caption)
    made = Image.new("RGB", (width, height + band.height), BAND)
    made.paste(Image.fromarray(np.ascontiguousarray(pixels)), (0, 0))
    made.paste(band, (0, height))
    return made


def font(size: int) -> Font:
    """Return the font that comes with Pillow."""
    return ImageFont.load_default(size)


def large(width: int) -> int:
    """Return the size of the date's letters in a picture so wide."""
    return max(15, min(26, width // 30))


def small(width: int) -> int:
    """Return the size of the legend's letters in a picture so wide."""
    return max(12, min(18, width // 48))


def fitted(text: str, width: int, room: float) -> tuple[str, Font]:
    """Return a text and the largest font in which it has room; cut where even the least has not."""
    for size in range(large(width), _LEAST_FONT - 1, -1):
        if _length(text, font(size)) <= room:
            return text, font(size)
    least = font(_LEAST_FONT)
    while len(text) > 1 and least.getlength(f"{text}...") > room:
        text = text[:-1]
    return f"{text}...", least


def colour_bar(colours: Colours, size: tuple[int, int]) -> Image.Image:
    """Return a bar of colours, low on the left, of `size` (width, height)."""
    at = np.linspace(0, len(colours) - 1, size[0])
    row = colours[np.rint(at).astype(int)]
    return Image.fromarray(np.repeat(row[np.newaxis], size[1], axis=0))


def _band(width: int, caption: Caption) -> Image.Image:
    pad = small(width) * 2 // 3
    legend = _Legend(caption.legend, width)
    row = round(large(width) * 1.25)
    right = width - pad
    if caption.compass is not None:
        nowhere = ImageDraw.Draw(Image.new("RGB", (1, 1)))
        right = draw_compass(nowhere, caption.compass, (right, 0), width)
    # A label that would become tiny beside the scale bar has a row of its own, and a legend
    # without a label stands beside the scale bar.
    above = right < width - pad and _small_label(caption.label, width, right - 2 * pad)
    beside = not caption.label and len(caption.legend) == 1
    rows = 2 * row if above else row
    height = pad + rows + (0 if beside or not caption.legend else pad // 2 + legend.height) + pad
    band = Image.new("RGB", (width, height), BAND)
    pen = ImageDraw.Draw(band)
    middle = pad + row // 2
    if caption.compass is not None:
        draw_compass(pen, caption.compass, (width - pad, middle + rows - row), width)
    text, chosen = fitted(caption.label, width, (width if above else right) - 2 * pad)
    pen.text((pad, middle), text, fill=INK, font=chosen, anchor="lm")
    legend.draw(band, pad, middle - legend.height // 2 if beside else pad + rows + pad // 2)
    return band


def _small_label(label: str, width: int, room: float) -> bool:
    """Whether a label has less room than the legend's letters take."""
    return _length(label, font(small(width))) > room


def _length(text: str, letters: Font) -> float:
    """Return how long a text is drawn, all dates alike: frames of a stack must not differ."""
    return letters.getlength(text.translate(_ANY_DIGIT))


class _Legend:
    """The swatches, as many in a line as there is room for."""

    def __init__(self, swatches: tuple[Swatch, ...], width: int) -> None:
        self._font = font(small(width))
        self._gap = small(width)
        self._line = round(small(width) * 1.5)
        self._bar = math.ceil(self._font.getlength("0000000"))
        self._space = math.ceil(self._font.getlength("n"))
        self._lines: list[list[Swatch]] = []
        used, room = 0, width - 2 * (small(width) * 2 // 3)
        for swatch in swatches:
            size = self._width(swatch)
            if not self._lines or used + self._gap + size > room:
                self._lines.append([])
                used = -self._gap
            self._lines[-1].append(swatch)
            used += self._gap + size

    @property
    def height(self) -> int:
        return self._line * len(self._lines)

    def draw(self, band: Image.Image, left: int, top: int) -> None:
        for number, line in enumerate(self._lines):
            at = left
            for swatch in line:
                self._draw(band, swatch, at, top + number * self._line + self._line // 2)
                at += self._width(swatch) + self._gap

    def _long(self, text: str) -> int:
        return math.ceil(self._font.getlength(text))

    def _width(self, swatch: Swatch) -> int:
        words = sum(self._long(word) for word in (swatch.name, swatch.low, swatch.high))
        return words + self._bar + 3 * self._space

    def _draw(self, band: Image.Image, swatch: Swatch, left: int, middle: int) -> None:
        """Draw ``name low [bar] high``."""
        pen = ImageDraw.Draw(band)
        half = max(3, round(self._bar / 12))
        pen.text((left, middle), swatch.name, fill=INK, font=self._font, anchor="lm")
        left += self._long(swatch.name) + self._space
        pen.text((left, middle), swatch.low, fill=FAINT, font=self._font, anchor="lm")
        left += self._long(swatch.low) + self._space
        band.paste(colour_bar(swatch.colours, (self._bar, 2 * half)), (left, middle - half))
        left += self._bar + self._space
        pen.text((left, middle), swatch.high, fill=FAINT, font=self._font, anchor="lm")


def draw_compass(
    pen: ImageDraw.ImageDraw, compass: Compass, right_middle: tuple[int, int], width: int
) -> int:
    """Draw a scale bar and an arrow to true north; returns where they begin.

    Parameters
    ----------
    right_middle
        Where they end, and the height of their middle.
    width
        Of the picture.
    """
    right, middle = right_middle
    right = _north(pen, compass.north_deg, right, middle, round(large(width) * 1.25))
    return _scale_bar(pen, compass.pixel_m, (right - small(width), middle), width)


def _scale_bar(
    pen: ImageDraw.ImageDraw, pixel_m: float, right_middle: tuple[int, int], width: int
) -> int:
    """Draw a bar of a round length; returns where it begins."""
    right, middle = right_middle
    letters = font(small(width))
    metres = round_length(pixel_m * width / 5)
    long = round(metres / pixel_m)
    tick = max(3, small(width) // 3)
    name = length_name(metres)
    start = right - long
    pen.line([(start, middle), (right, middle)], fill=INK, width=2)
    for end in (start, right):
        pen.line([(end, middle - tick), (end, middle + tick)], fill=INK, width=2)
    begin = start - math.ceil(letters.getlength(name) + letters.getlength("n"))
    pen.text((begin, middle), name, fill=INK, font=letters, anchor="lm")
    return begin


def _north(pen: ImageDraw.ImageDraw, north_deg: float, right: int, middle: int, row: int) -> int:
    """Draw an arrow to true north; returns where it begins."""
    long = row / 2
    centre = right - long * 0.6
    angle = math.radians(north_deg)
    ahead = (math.sin(angle), -math.cos(angle))
    aside = (math.cos(angle), math.sin(angle))

    def at(forward: float, sideward: float) -> tuple[float, float]:
        return (
            centre + long * (forward * ahead[0] + sideward * aside[0]),
            middle + long * (forward * ahead[1] + sideward * aside[1]),
        )

    pen.polygon([at(1, 0), at(-0.8, 0.55), at(-0.4, 0)], fill=FAINT)
    pen.polygon([at(1, 0), at(-0.8, -0.55), at(-0.4, 0)], fill=INK)
    letter = font(max(10, row // 2))
    begin = right - round(long * 1.5) - math.ceil(letter.getlength("N"))
    pen.text((begin, middle), "N", fill=INK, font=letter, anchor="lm")
    return begin
