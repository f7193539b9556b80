"""The outline of the valid pixels."""

from __future__ import annotations

from alos2.dataset.footprint_report import FootprintAnswer
from alos2.errors import Alos2Error, Interrupted, NoResource
from alos2.footprint.provider import NoAnswer, Question


def raster_footprint(question: Question) -> FootprintAnswer | NoAnswer:
    """Answer with the polygon of the valid pixels, where pixels may be read.

    Raises
    ------
    Interrupted, NoResource
        These are not the product's fault and end the job.
    """
    product = question.product
    if question.raster_polygon is None:
        return NoAnswer("the pixels were not read")
    if product.level == "1.1":
        return NoAnswer("level 1.1 is in slant range: its pixels have no map position")
    try:
        geometry = question.raster_polygon(product)
    except (Interrupted, NoResource):
        raise
    except Alos2Error as error:
        return NoAnswer(f"the pixels could not be read: {error.message}")
    if geometry is None:
        return NoAnswer("the image has no valid pixel, or no map position")
    return FootprintAnswer("raster", geometry, "polygon of the valid pixels")
