"""Tiles of power become files of every layer: stretch, compress, put."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import mercantile
import numpy as np
import numpy.typing as npt

from alos2.raster.greykernels import divide, interleave, shade
from alos2.raster.layers import Channel, Layer
from alos2.raster.pictures import TILE_PX, StretchLimits
from alos2.raster.png import encode_rows, new_rows
from alos2.raster.stretch import BRIGHTEST, DARKEST

_DB_PER_OCTAVE: Final = 10.0 * float(np.log10(2.0))


class Square:
    """One band of one tile: 256 x 256 power, 0 where there is no data."""

    def __init__(self) -> None:
        self.power: npt.NDArray[np.float32] = np.zeros((TILE_PX, TILE_PX), np.float32)
        self.bits: npt.NDArray[np.int32] = self.power.view(np.int32)
        """The same memory."""


def line_of(limits: StretchLimits) -> tuple[np.float32, np.float32]:
    """Return slope and intercept that make grey, before it is cut, of the log2 of power.

    grey = 1 + 254 (dB - low) / (high - low), and half a step more, so that cutting off rounds.
    """
    per_db = (BRIGHTEST - DARKEST) / (limits.high_db - limits.low_db)
    return (
        np.float32(per_db * _DB_PER_OCTAVE),
        np.float32(DARKEST + 0.5 - per_db * limits.low_db),
    )


class Canvas:
    """Memory to paint on; of one thread, kept from tile to tile."""

    def __init__(self) -> None:
        self.grey = new_rows(TILE_PX, TILE_PX, 1)
        self.colour = new_rows(TILE_PX, TILE_PX, 3)
        self.planes = [np.empty((TILE_PX, TILE_PX), np.uint8) for _ in range(3)]
        self.ratio = Square()


class Painter:
    """Paints one layer and counts what it puts; may be used by several threads."""

    def __init__(self, layer: Layer) -> None:
        self._layer = layer
        self._lines = [line_of(limits) for limits in layer.limits]
        self._needed = 0
        for channel in layer.channels:
            self._needed |= 1 << channel.band
            if channel.over is not None:
                self._needed |= 1 << channel.over
        self._sizes: list[int] = []  # appending is safe between threads

    @property
    def tiles(self) -> int:
        """How many tiles have been put."""
        return len(self._sizes)

    @property
    def bytes(self) -> int:
        """Their bytes."""
        return sum(self._sizes)

    def paint(
        self, tile: mercantile.Tile, bands: Sequence[Square], drawn: int, canvas: Canvas
    ) -> None:
        """Paint a tile and put it, unless it is not of the layer's zooms, or empty.

        Parameters
        ----------
        tile
            Where.
        bands
            Of all sources.
        drawn
            One bit for each band: whether anything of it is valid here.
        canvas
            Of this thread.
        """
        layer = self._layer
        if not layer.min_zoom <= tile.z <= layer.max_zoom or self._needed & ~drawn:
            return
        samples = len(layer.channels)
        if samples == 1:
            rows = canvas.grey
            channel = layer.channels[0]
            shown = _shown(channel, bands, canvas)
            shade(shown.power, shown.bits, *self._lines[0], rows)
            # A ratio may be empty though its bands are not.
            if channel.over is not None and not rows.any():
                return
        else:
            rows = canvas.colour
            for channel, line, plane in zip(
                layer.channels, self._lines, canvas.planes, strict=True
            ):
                shown = _shown(channel, bands, canvas)
                shade(shown.power, shown.bits, *line, plane)
            red, green, blue = canvas.planes
            if not interleave(red, green, blue, rows):
                return
        data = encode_rows(rows, samples)
        layer.sink.put(tile, data)
        self._sizes.append(len(data))


def _shown(channel: Channel, bands: Sequence[Square], canvas: Canvas) -> Square:
    if channel.over is None:
        return bands[channel.band]
    divide(bands[channel.band].power, bands[channel.over].power, canvas.ratio.power)
    return canvas.ratio
