"""How a product looks at the ground: its orbit, or a nominal one where it brings none.

GeoTIFF deliveries carry no orbit. What they say is the off-nadir angle, the pass and the look side,
and where the scene lies. ALOS-2 keeps to one orbit: its nominal one (altitude by latitude,
inclination, the Earth's turn) is laid so that the scene's centre is seen at the off-nadir angle,
and everything else follows as from a real one: incidence across the swath, the direction of the
look, slopes towards it. Azimuth times and slant ranges mean nothing then.

How wrong that is: the off-nadir angle that a delivery states is its beam's, to 0.1 degree, and a
scene's centre need not be the beam's. On the one real leader at hand (FBD, 36.6 degrees) the centre
is seen at 36.22 degrees off nadir and 40.53 of incidence, the nominal orbit gives 40.96: 0.43 too
much, the same all over the scene within 0.03. Rounding adds 0.06 degree at most, the orbit's
altitude (kept within a kilometre) 0.01. Stated is the sum with a margin.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from alos2.ard.terrain.lattice import MapGround
from alos2.errors import BadProduct, UsageError
from alos2.geometry.nominal import nominal_pass
from alos2.geometry.orbit import Orbit
from alos2.product.model import Product
from alos2.types import LonLat, LookSide

INCIDENCE_ERROR_DEG: Final = 0.6
"""Of incidence angles that come from the off-nadir angle and the nominal orbit."""

_LEAST_DEG: Final = 5.0
_MOST_DEG: Final = 62.0
"""Off-nadir angles that can be: nearer there is no side to look to, farther no ground."""


@dataclass(frozen=True, eq=False)
class View:
    """What terrain needs to know of a radar."""

    orbit: Orbit
    """The product's, or a nominal one."""
    look: LookSide
    nominal: bool = False
    """Whether the orbit is nominal: angles have an error, times and ranges mean nothing."""
    incidence_error_deg: float | None = None
    """Stated error of incidence angles; None with the product's own orbit."""


def view_of(product: Product) -> View:
    """How a product looks at the ground.

    Parameters
    ----------
    product
        Any; without an orbit it needs an off-nadir angle and a place.

    Raises
    ------
    BadProduct
        It has no orbit, and does not say its off-nadir angle or where it lies.
    """
    if product.orbit is not None:
        return View(product.orbit, product.look)
    name = f"{product.scene}-{product.product}"
    hint = "give the CEOS leader (LED-...) of the same scene"
    angle, centre = product.sensor.off_nadir_deg, _centre(product)
    if angle is None or not _LEAST_DEG <= angle <= _MOST_DEG or centre is None:
        lacks = "place" if centre is None else "off-nadir angle"
        raise BadProduct(f"{name} has no orbit, and no {lacks} that could stand for it", hint=hint)
    try:
        found = nominal_pass(
            centre.lon_deg,
            centre.lat_deg,
            product.scene.date,
            look=product.look,
            pass_direction=product.pass_direction,
            off_nadir_deg=angle,
        )
    except UsageError as error:
        raise BadProduct(f"{name} has no orbit, and {error.message}", hint=hint) from error
    return View(found.orbit, product.look, nominal=True, incidence_error_deg=INCIDENCE_ERROR_DEG)


def _centre(product: Product) -> LonLat | None:
    """Place of the middle of the data, if the product says it."""
    corners = product.image_corners
    if corners is not None and corners.center is not None:
        return corners.center
    grid = product.grid or next((i.grid for i in product.images if i.grid is not None), None)
    if grid is not None:
        return MapGround(grid).centre
    return None
