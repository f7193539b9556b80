"""Independent measurements on pixels: where a peak is, what a patch's mean power is."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

OVERSAMPLING = 16
HALF = 12


def find_peak(
    image: NDArray[Any], line: float, pixel: float, *, half: int = HALF, line_band: float = 1.0
) -> tuple[float, float]:
    """Line and pixel of the peak of the magnitude near a place.

    The image around it is oversampled by zero-padding its spectrum, and a parabola through the
    largest magnitude and its neighbours gives the rest. ``line_band`` is the part of the spectrum
    along the track that is kept, where the response fills only a part.
    """
    top, left = round(line) - half, round(pixel) - half
    chip = image[top : top + 2 * half, left : left + 2 * half]
    size = 2 * half * OVERSAMPLING
    spectrum = np.fft.fftshift(np.fft.fft2(chip))
    rows = np.abs(np.fft.fftshift(np.fft.fftfreq(2 * half)))
    spectrum[rows > 0.5 * line_band] = 0.0
    margin = (size - 2 * half) // 2
    padded = np.pad(spectrum, ((margin, margin), (margin, margin)))
    fine = np.abs(np.fft.ifft2(np.fft.ifftshift(padded)))
    reach = 3 * OVERSAMPLING
    middle = half * OVERSAMPLING
    inner = fine[middle - reach : middle + reach, middle - reach : middle + reach]
    row, column = np.unravel_index(int(np.argmax(inner)), inner.shape)
    row, column = int(row) + middle - reach, int(column) + middle - reach
    return (
        top + (row + _vertex(fine[row - 1 : row + 2, column])) / OVERSAMPLING,
        left + (column + _vertex(fine[row, column - 1 : column + 2])) / OVERSAMPLING,
    )


def _vertex(three: NDArray[np.float64]) -> float:
    """Where the parabola through three values has its top, from the middle one."""
    a, b, c = three
    return float(0.5 * (a - c) / (a - 2.0 * b + c))


def inside(polygon: list[list[float]], shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Pixels whose centres lie in a convex polygon of (line, pixel)."""
    corners = np.array(polygon)
    low = np.maximum(np.floor(corners.min(axis=0)).astype(int), 0)
    high = np.minimum(np.ceil(corners.max(axis=0)).astype(int) + 1, shape)
    mask = np.zeros(shape, dtype=bool)
    if (high <= low).any():
        return mask
    rows, columns = np.mgrid[low[0] : high[0], low[1] : high[1]]
    signs = []
    for (r0, c0), (r1, c1) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        signs.append((r1 - r0) * (columns - c0) - (c1 - c0) * (rows - r0))
    around = np.stack(signs)
    mask[low[0] : high[0], low[1] : high[1]] = (around > 0).all(axis=0) | (around < 0).all(axis=0)
    return mask


def whole_patches(
    truth: dict[str, Any], data: NDArray[np.bool_], *, least: int = 4000, beam: str | None = None
) -> list[tuple[dict[str, Any], NDArray[np.bool_]]]:
    """Patches without a target that lie in the data entirely, and the mask of their inner part.

    Parameters
    ----------
    data : ndarray of bool
        Where the image has data.
    least : int
        Pixels that a patch must have.
    """
    found = []
    for patch in truth["patches"]:
        polygon = next(i["polygon"] for i in patch["inner"] if i["beam"] == beam)
        corners = np.array(polygon)
        within = (corners >= 0).all() and (corners <= np.array(data.shape) - 1.0).all()
        if not within or patch["has_target"]:
            continue
        mask = inside(polygon, data.shape)
        if mask.sum() >= least and data[mask].all():
            found.append((patch, mask))
    return found


def usable_targets(
    truth: dict[str, Any],
    polarization: str,
    shape: tuple[int, int],
    *,
    beam: str | None = None,
    least_db: float = 27.0,
) -> list[dict[str, Any]]:
    """Targets that stand out of their dark site by so many dB, away from the image's edge."""
    margin = HALF + 2
    site_db = -24.0 if polarization in ("HH", "VV") else -33.0
    return [
        target
        for target in truth["point_targets"]
        if target["beam"] == beam
        and target["peak_sigma0_db"][polarization] > site_db + least_db
        and not target["saturated"][polarization]
        and margin < target["line"] < shape[0] - margin
        and margin < target["pixel"] < shape[1] - margin
    ]
