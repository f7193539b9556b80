"""The corners that summary.txt gives: three decimals of a degree, about 55 m."""

from __future__ import annotations

from alos2.dataset.footprint_report import FootprintAnswer
from alos2.errors import BadProduct
from alos2.footprint.provider import NoAnswer, Question
from alos2.geometry.rings import footprint_geometry
from alos2.product.model import SummaryCorners
from alos2.types import LonLat


def ring_of(corners: SummaryCorners) -> tuple[LonLat, LonLat, LonLat, LonLat]:
    """Return the four corners in the order of a ring, not closed."""
    return corners.left_top, corners.right_top, corners.right_bottom, corners.left_bottom


def summary_footprint(question: Question) -> FootprintAnswer | NoAnswer:
    """Answer with ``Img_ImageScene...``, the data's corners, else ``Img_FrameScene...``.

    The frame's corners are those of the raster, which for a geocoded product is larger than the
    data: a last resort, and said so.
    """
    product = question.product
    corners = product.image_corners
    method = "image corners of summary.txt"
    if corners is None:
        corners = product.frame_corners
        method = "raster corners of summary.txt, larger than the data (it gives no image corners)"
    if corners is None:
        return NoAnswer("summary.txt gives no corners")
    try:
        geometry = footprint_geometry(ring_of(corners))
    except (BadProduct, ValueError) as error:
        return NoAnswer(f"the corners of summary.txt span no area: {error}")
    return FootprintAnswer("summary", geometry, method)
