"""What the product itself says of its place: orbit and timing, or georeferencing, or tie points.

Level 1.1 CEOS: corners of each beam by range-Doppler on the ellipsoid at height 0, JAXA's own model
(its level 1.5 corners follow from it within their rounding). Detected products with an orbit, their
own or that of a leader of the same scene: the data is a rectangle in azimuth time and slant range,
which is found from the summary's rounded corners and put back on the ground. Without an orbit, what
the raster says: a geocoded raster's box is larger than its data, and `method` says so.
"""

from __future__ import annotations

from typing import Final

from alos2.dataset.footprint_report import FootprintAnswer
from alos2.errors import BadProduct
from alos2.footprint.provider import NoAnswer, Question
from alos2.footprint.summary import ring_of
from alos2.geometry.footprints import (
    fitted_rectangle,
    grid_footprint,
    polynomial_footprint,
    slant_range_footprint,
    tie_point_footprint,
)
from alos2.product.model import Image, MapGrid, Product
from alos2.types import Json, RasterShape

_LARGEST_MISFIT_M: Final = 1000.0
"""Corners further than this from one rectangle are not those of a scene in slant range, m."""


def geometry_footprint(question: Question) -> FootprintAnswer | NoAnswer:
    """Answer with the product's own geometry, the best that it carries."""
    product = question.product
    ways = (_slant_range, _tie_points) if product.level == "1.1" else (_fitted, _polynomials, _grid)
    reasons = []
    for way in ways:
        try:
            answer = way(product)
        except (BadProduct, ValueError) as error:
            reasons.append(error.message if isinstance(error, BadProduct) else str(error))
            continue
        if isinstance(answer, FootprintAnswer):
            return answer
        reasons.append(answer.reason)
    return NoAnswer("; ".join(dict.fromkeys(reasons)))


def _answer(product: Product, geometry: Json, method: str, **details: object) -> FootprintAnswer:
    if product.leader_from:
        details["leader"] = product.leader_from
    return FootprintAnswer("geometry", geometry, method, details=dict(details))


def timed_images(product: Product) -> tuple[Image, ...]:
    """Return one image for each beam: of several polarisations the first that has timing."""
    chosen: dict[str, Image] = {}
    for image in product.images:
        if image.timing is not None and min(image.shape) > 0:
            chosen.setdefault(str(image.beam or ""), image)
    return tuple(chosen.values())


def _slant_range(product: Product) -> FootprintAnswer | NoAnswer:
    if product.format != "ceos":
        return NoAnswer("a GeoTIFF says nothing of azimuth time and slant range")
    if product.orbit is None:
        return NoAnswer("there is no orbit: the leader is missing or cannot be read")
    images = timed_images(product)
    if not images:
        return NoAnswer("no image gives its azimuth time and slant range")
    timings = [(image.timing, image.shape) for image in images]
    geometry = slant_range_footprint(
        product.orbit,
        [
            (t.first_line_time, t.line_interval_s, t.near_range_m, t.range_spacing_m, shape)
            for t, shape in timings
            if t is not None
        ],
        product.look,
    )
    method = "range-Doppler on the ellipsoid"
    if len(images) > 1:
        method += f", union of {len(images)} beams"
    return _answer(product, geometry, method, height_m=0.0)


def _tie_points(product: Product) -> FootprintAnswer | NoAnswer:
    points = next((image.tie_points for image in product.images if image.tie_points), ())
    if len(points) < 3:
        return NoAnswer("no image has tie points at its corners")
    geometry = tie_point_footprint([(p.line, p.pixel, p.position) for p in points])
    return _answer(product, geometry, "tie points of the GeoTIFF")


def _fitted(product: Product) -> FootprintAnswer | NoAnswer:
    """Find the rectangle of azimuth time and slant range whose corners the summary rounds."""
    orbit, corners = product.orbit, product.image_corners
    if orbit is None or corners is None:
        return NoAnswer(f"no {'orbit' if orbit is None else 'image corners in summary.txt'}")
    box, misfit_m = fitted_rectangle(orbit, ring_of(corners), product.look)
    if misfit_m > _LARGEST_MISFIT_M:
        return NoAnswer(f"the summary's corners lie {misfit_m:.0f} m off a slant-range rectangle")
    duration_s, swath_m = box.end_s - box.start_s, box.far_m - box.near_m
    image = (orbit.time(box.start_s), duration_s, box.near_m, swath_m, RasterShape(2, 2))
    return _answer(
        product,
        slant_range_footprint(orbit, [image], product.look),
        "range-Doppler on the ellipsoid, rectangle through the summary's image corners",
        height_m=0.0,
        misfit_m=round(misfit_m, 1),
    )


def _polynomials(product: Product) -> FootprintAnswer | NoAnswer:
    """Corners of the raster by facility 5; a georeferenced raster is the data itself."""
    shape = _shape(product)
    if product.polynomials is None or shape is None:
        return NoAnswer("no geolocation polynomials (facility 5) in a leader of its own")
    if product.leader_from:
        # The polynomials of another product of the scene are of another raster.
        return NoAnswer("the polynomials of the given leader are those of another raster")
    method = f"geolocation polynomials (facility 5), {_what(product)}"
    return _answer(product, polynomial_footprint(product.polynomials, shape), method)


def _grid(product: Product) -> FootprintAnswer | NoAnswer:
    grid = _grid_of(product)
    if grid is None:
        return NoAnswer("no image gives its georeferencing")
    geometry = grid_footprint(grid.crs_wkt, grid.transform, grid.shape)
    return _answer(product, geometry, f"georeferencing, {_what(product)}")


def _what(product: Product) -> str:
    if product.product.option == "G":
        return "corners of the raster, larger than the data"
    return "corners of the raster"


def _grid_of(product: Product) -> MapGrid | None:
    return product.grid or next((i.grid for i in product.images if i.grid is not None), None)


def _shape(product: Product) -> RasterShape | None:
    shape = next((i.shape for i in product.images if min(i.shape) > 0), None)
    grid = _grid_of(product)
    return shape or (grid.shape if grid is not None else None)
