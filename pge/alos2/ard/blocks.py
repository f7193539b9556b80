"""One block of a scene after the other: everything that a cell of the grid gets."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Final, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from alos2.ard.delivered import DeliveredLayer, degrees_of, flags_of
from alos2.ard.frames import Frame
from alos2.ard.joining import Joiner
from alos2.ard.layers import NO_DATA, angle_layers, correction_factor, mask_of, ratio_of
from alos2.ard.options import ArdOptions, LayerName
from alos2.ard.recipe import Recipe
from alos2.product.model import Product
from alos2.raster.places import Values
from alos2.speckle import Speckle, despeckle, halo, measure, needs_looks
from alos2.types import Polarization, RasterShape, Window

Plane = npt.NDArray[np.float32]

BLOCK: Final = 512
_RING: Final = 1
"""Cells around a block whose places are needed for the size of its own."""


class Geometry(Protocol):
    """The radar geometry of the grid: `alos2.ard.terrain.geometry.TerrainGeometry`."""

    def window(self, window: Window) -> Any:
        """Return the geometry of a window of the grid."""


class Reader(Protocol):
    """A raster over the grid, read by windows."""

    def window(self, window: Window) -> npt.NDArray[Any]:
        """Return a window of it."""


@dataclass(frozen=True)
class FrameOnGrid:
    """One frame with all that it takes to bring it to the grid."""

    frame: Frame
    geometry: Geometry | None
    """By its own orbit; None where its places need none."""
    box: Window
    """Part of the grid that it may have cells in."""
    mask: DeliveredLayer | None = None
    incidence: DeliveredLayer | None = None


@dataclass(frozen=True)
class Scene:
    """What blocks are made of."""

    part: Window
    """Of the grid: what is calculated."""
    frames: Sequence[FrameOnGrid]
    geometry: Geometry | None
    """Of the pass; for angles and corrections."""
    area: Reader | None
    flags: Reader | None
    recipe: Recipe
    options: ArdOptions
    polarizations: tuple[Polarization, ...]
    has_heights: bool
    filled: Reader | None = None
    """Where the heights fill holes of the DEM; None: nowhere."""
    speckle: Mapping[Polarization, Speckle] = field(default_factory=dict)


class _Seen:
    """The radar geometry of a window, calculated once for all who ask."""

    def __init__(self, window: Window, part: Window) -> None:
        self.window = window
        self._wide = grown(window, _RING, part)
        self._kept: dict[int, Any] = {}

    def wide(self, geometry: Geometry) -> Any:
        """Return the geometry of the window and of the ring around it, as far as it is there."""
        key = id(geometry)
        if key not in self._kept:
            self._kept[key] = geometry.window(self._wide)
        return self._kept[key]

    def read(self, reader: Reader) -> npt.NDArray[Any]:
        """Return a reader's window.

        Asked with its ring: readers that know where cells lie for the radar keep the last window.
        """
        return self.inner(reader.window(self._wide))

    def positions(self, on_grid: FrameOnGrid) -> tuple[Values, Values]:
        """Return where the window's cells, and the ring around them, lie in a frame's image."""
        places = on_grid.frame.places
        seen = None
        if on_grid.geometry is not None:
            seen = self.wide(on_grid.geometry)
        pixel, line = places.positions(self._wide, seen)
        top = self._wide.line - (self.window.line - _RING)
        left = self._wide.pixel - (self.window.pixel - _RING)
        bottom = self.window.lines + 2 * _RING - top - self._wide.lines
        right = self.window.pixels + 2 * _RING - left - self._wide.pixels
        ring = ((top, bottom), (left, right))
        return (
            np.pad(pixel, ring, constant_values=np.nan),
            np.pad(line, ring, constant_values=np.nan),
        )

    def inner(self, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Cut the ring off an array over the wide window."""
        top, left = self.window.line - self._wide.line, self.window.pixel - self._wide.pixel
        return values[top : top + self.window.lines, left : left + self.window.pixels]


class _Inner:
    """The radar geometry of a window without its ring."""

    def __init__(self, seen: _Seen, geometry: Geometry) -> None:
        self._wide = seen.wide(geometry)
        self._cut = seen.inner

    def __getattr__(self, name: str) -> npt.NDArray[Any]:
        return self._cut(getattr(self._wide, name))


def grown(window: Window, by: int, part: Window) -> Window:
    """Return a window with more around it, within a part of the grid."""
    top, left = max(part.line, window.line - by), max(part.pixel, window.pixel - by)
    bottom = min(part.line + part.lines, window.line + window.lines + by)
    right = min(part.pixel + part.pixels, window.pixel + window.pixels + by)
    return Window(top, left, bottom - top, right - left)


def touch(a: Window, b: Window) -> bool:
    """Whether two windows share a cell."""
    return (
        a.line < b.line + b.lines
        and b.line < a.line + a.lines
        and a.pixel < b.pixel + b.pixels
        and b.pixel < a.pixel + a.pixels
    )


def with_speckle_known(scene: Scene) -> Scene:
    """Measure what the speckle filter wants to know of the scene, by samples of it."""
    chosen = scene.options.speckle_filter
    if not scene.options.remove_speckle or not halo(chosen):
        return scene
    if chosen.filter != "Lee Sigma" and (chosen.looks is not None or not needs_looks(chosen)):
        return scene

    part = scene.part

    def read(window: Window, polarization: Polarization) -> Plane:
        there = window._replace(line=part.line + window.line, pixel=part.pixel + window.pixel)
        found = _backscatter(scene, _Seen(there, part), (polarization,))
        return found.power[polarization]

    shape = RasterShape(part.lines, part.pixels)
    found = {pol: measure(partial(read, polarization=pol), shape) for pol in scene.polarizations}
    least = min(_delivered_looks(on_grid.frame.product) for on_grid in scene.frames)
    found = {pol: one._replace(looks=max(one.looks, least)) for pol, one in found.items()}
    return replace(scene, speckle=found)


def _delivered_looks(product: Product) -> float:
    """Return the looks of a product's own pixels, 0 where it does not say.

    The grid's cells have at least as many. How many more depends on how alike neighbouring pixels
    are, which no product says: so it is measured, and texture cannot bring it below these.
    """
    sensor = product.sensor
    return (sensor.looks_azimuth or 0.0) * (sensor.looks_range or 0.0)


def make_block(scene: Scene, window: Window) -> dict[str, npt.NDArray[Any]]:
    """Calculate all layers of a window.

    Returns
    -------
    dict
        By layer: float32, NaN = no data; the mask uint8.

    Raises
    ------
    BadProduct
        An image or the DEM cannot be read.
    """
    chosen = scene.options.speckle_filter
    margin = halo(chosen) if scene.options.remove_speckle else 0
    seen = _Seen(grown(window, margin, scene.part), scene.part)
    found = _backscatter(scene, seen, scene.polarizations)
    power = found.power
    if margin:
        for pol, plane in power.items():
            known = scene.speckle.get(pol)
            looks = known.looks if known is not None else (chosen.looks or 1.0)
            bright = known.bright if known is not None else math.inf
            power[pol] = despeckle(plane, chosen, looks, bright=bright)
    made = _with_layers(scene, seen, found)
    top, left = window.line - seen.window.line, window.pixel - seen.window.pixel
    return {
        layer: np.ascontiguousarray(plane[top : top + window.lines, left : left + window.pixels])
        for layer, plane in made.items()
    }


class _Backscatter(NamedTuple):
    power: dict[Polarization, Plane]
    """The product's; NaN also where a correction cannot be told."""
    imaged: npt.NDArray[np.bool_]
    """Where all polarisations have data."""
    area: Plane | None


def _backscatter(
    scene: Scene, seen: _Seen, polarizations: tuple[Polarization, ...]
) -> _Backscatter:
    """Return the product's power, before any filter and mask."""
    shape = (seen.window.lines, seen.window.pixels)
    joiners = {pol: Joiner(shape) for pol in polarizations}
    for on_grid in scene.frames:
        if not touch(on_grid.box, seen.window):
            continue
        pixel, line = seen.positions(on_grid)
        invalid = None
        if on_grid.mask is not None:
            _, invalid = flags_of(on_grid.mask.codes(pixel[1:-1, 1:-1], line[1:-1, 1:-1]))
        for pol in polarizations:
            plane = on_grid.frame.samplers[pol].sample(pixel, line)
            if invalid is not None:
                plane[invalid] = np.nan
            joiners[pol].add(plane)
    power = {pol: joiner.mean() for pol, joiner in joiners.items()}
    imaged = np.logical_and.reduce([np.isfinite(plane) for plane in power.values()])
    area = None
    if scene.geometry is not None and imaged.any():
        if scene.area is not None:
            area = seen.read(scene.area)
        inner = _Inner(seen, scene.geometry)
        factor = correction_factor(scene.recipe, inner, area, scene.options.angular_model)
        if factor is not None:
            power = {pol: (plane * factor).astype(np.float32) for pol, plane in power.items()}
    return _Backscatter(power, imaged, area)


def _with_layers(scene: Scene, seen: _Seen, found: _Backscatter) -> dict[str, npt.NDArray[Any]]:
    """Add mask and angles to a window's backscatter."""
    made: dict[str, npt.NDArray[Any]] = {str(pol): plane for pol, plane in found.power.items()}
    if not found.imaged.any():
        made["mask"] = np.zeros(found.imaged.shape, np.uint8)
        for layer in scene.recipe.layers:
            made[layer] = np.full(found.imaged.shape, np.nan, np.float32)
        return made
    layers: dict[LayerName, Plane] = {}
    unknown = None
    if scene.geometry is not None:
        inner = _Inner(seen, scene.geometry)
        layers = angle_layers(scene.recipe.layers, inner, found.area)
        unknown = found.imaged & np.isnan(inner.height_m) if scene.has_heights else None
    delivered = _delivered(scene, seen)
    layers |= {layer: p for layer, p in delivered.angles.items() if layer in scene.recipe.layers}
    flags = delivered.flags
    if scene.flags is not None:
        flags = seen.read(scene.flags).astype(np.uint8)
    valid = np.logical_and.reduce([np.isfinite(plane) for plane in found.power.values()])
    if flags is not None:
        # Shadow has no correction, and was imaged all the same.
        valid |= found.imaged & (flags > 0)
        if scene.options.apply_ls_mask:
            for plane in found.power.values():
                plane[flags > 0] = np.nan
    filled = None if scene.filled is None else seen.read(scene.filled)
    made["mask"] = mask_of(valid, flags, unknown, filled)
    for layer in scene.recipe.layers:
        made[layer] = np.where(made["mask"] == NO_DATA, np.float32(np.nan), layers[layer])
    return made


class _Delivered(NamedTuple):
    flags: npt.NDArray[np.uint8] | None
    angles: dict[LayerName, Plane]


def _delivered(scene: Scene, seen: _Seen) -> _Delivered:
    """Return flags and angles that the products bring along; the first frame's go first."""
    flags: npt.NDArray[np.uint8] | None = None
    angles: Plane | None = None
    for on_grid in scene.frames:
        if on_grid.mask is None and on_grid.incidence is None:
            continue
        pixel, line = (part[1:-1, 1:-1] for part in seen.positions(on_grid))
        if on_grid.mask is not None and scene.recipe.layover_shadow == "delivered":
            own, _ = flags_of(on_grid.mask.codes(pixel, line))
            flags = own if flags is None else np.maximum(flags, own)
        if on_grid.incidence is not None:
            degrees = degrees_of(on_grid.incidence.codes(pixel, line))
            angles = degrees if angles is None else np.where(np.isnan(angles), degrees, angles)
    if angles is None:
        return _Delivered(flags, {})
    return _Delivered(flags, {"lia": angles, "gs": ratio_of(angles)})
