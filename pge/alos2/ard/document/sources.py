"""What a scene's documents say of each product that it was made of (CEOS-ARD: source metadata)."""

from __future__ import annotations

from typing import Final

import numpy as np

from alos2.dataset.fields import sar_fields, sat_fields, view_fields
from alos2.dataset.own import file_json
from alos2.dataset.stac import observation_time
from alos2.dataset.times import utc_text, utc_text_or_none
from alos2.geometry.rangedoppler import geo2rdr, incidence_deg
from alos2.product.model import Product
from alos2.types import Json

_DECIMALS: Final = 4
_GEOMETRIES: Final = {"1.1": "slant range"}


def source_json(product: Product, number: int) -> Json:
    """Return the source metadata of one product.

    Parameters
    ----------
    product
        One of the frames.
    number
        Its acquisition identifier: 1, 2, ... in the order of time.
    """
    near_far = near_far_incidence(product)
    return {
        "acquisition_id": number,
        "scene": str(product.scene),
        "product": str(product.product),
        "satellite": "ALOS-2",
        "instrument": "PALSAR-2",
        "datetime": utc_text(observation_time(product)),
        "start_datetime": utc_text_or_none(product.start_time),
        "end_datetime": utc_text_or_none(product.end_time),
        "level": product.level,
        "format": product.format,
        "geometry": _GEOMETRIES.get(product.level, "ground range"),
        "processed": utc_text_or_none(product.processed_time),
        "facility": product.facility,
        "software_version": product.software_version,
        "orbit_precision": product.orbit_precision,
        "leader_from": product.leader_from,
        "near_incidence_deg": None if near_far is None else near_far[0],
        "far_incidence_deg": None if near_far is None else near_far[1],
        "dem": product.dem,
        "geoid": product.geoid,
        **sar_fields(product),
        **sat_fields(product),
        **view_fields(product),
        "files": [file_json(file) for file in product.files],
    }


def near_far_incidence(product: Product) -> tuple[float, float] | None:
    """Return the angles of incidence at the near and the far edge at height 0, degrees.

    None where it cannot be told: without an orbit, or without corners of the data.
    """
    orbit = product.orbit
    if orbit is None:
        return None
    timings = [(image.timing, image.shape) for image in product.images if image.timing is not None]
    if timings:
        time = orbit.seconds(observation_time(product))
        near = min(timing.near_range_m for timing, _ in timings)
        far = max(t.near_range_m + t.range_spacing_m * (shape.pixels - 1) for t, shape in timings)
        angles = incidence_deg(orbit, time, np.array([near, far]), product.look)
    elif product.image_corners is not None:
        corners = product.image_corners
        places = np.array(
            [corners.left_top, corners.right_top, corners.right_bottom, corners.left_bottom]
        )
        times, ranges = geo2rdr(orbit, places[:, 0], places[:, 1], look=product.look)
        found = incidence_deg(orbit, times, ranges, product.look)
        angles = np.array([found.min(), found.max()])
    else:
        return None
    return round(float(angles[0]), _DECIMALS), round(float(angles[1]), _DECIMALS)
