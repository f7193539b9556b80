"""Who is asked in which order, and what is kept of all that they say."""

from __future__ import annotations

from typing import Final

from alos2.dataset.footprint_report import FootprintAnswer, FootprintReport
from alos2.errors import BadProduct
from alos2.footprint.geometry import geometry_footprint
from alos2.footprint.options import FootprintOptions
from alos2.footprint.provider import NoAnswer, Provider, Question, RasterPolygon
from alos2.footprint.raster import raster_footprint
from alos2.footprint.summary import summary_footprint
from alos2.geometry.rings import distance_m
from alos2.product.model import Product
from alos2.types import FootprintSource


def _bos_sarcat(question: Question) -> FootprintAnswer | NoAnswer:
    # Imported when asked: an HTTP client and shapely cost 0.1 s, and ``info`` never asks.
    from alos2.footprint.bos_sarcat import bos_sarcat_footprint  # noqa: PLC0415

    return bos_sarcat_footprint(question)


def _isce(question: Question) -> FootprintAnswer | NoAnswer:
    # Imported when asked, for lxml and what it takes to run a program.
    from alos2.footprint.isce import isce_footprint  # noqa: PLC0415

    return isce_footprint(question)


_PROVIDERS: Final[dict[FootprintSource, Provider]] = {
    "bos_sarcat": _bos_sarcat,
    "geometry": geometry_footprint,
    "raster": raster_footprint,
    "summary": summary_footprint,
    "isce": _isce,
}
_NO_PIXELS: Final[tuple[FootprintSource, ...]] = ("geometry", "summary")
_SLANT_RANGE: Final[tuple[FootprintSource, ...]] = ("bos_sarcat", "geometry", "summary")
_DETECTED: Final[tuple[FootprintSource, ...]] = ("bos_sarcat", "raster", "summary", "geometry")


def default_order(product: Product, *, with_pixels: bool) -> tuple[FootprintSource, ...]:
    """Return who is believed before whom.

    Without pixels (``info``) nobody outside the product is asked. The geometry of a detected
    product comes last: of a geocoded one it is the raster's box, not the data's outline.
    """
    if not with_pixels:
        return _NO_PIXELS
    return _SLANT_RANGE if product.level == "1.1" else _DETECTED


def footprint_report(
    product: Product,
    *,
    choice: FootprintSource | None = None,
    options: FootprintOptions | None = None,
    raster_polygon: RasterPolygon | None = None,
) -> FootprintReport:
    """Find where a product lies, and record what everybody says.

    Parameters
    ----------
    product : Product
        With whatever of it could be read.
    choice : FootprintSource, optional
        Take this provider's answer and no other.
    options : FootprintOptions, optional
        How they are found.
    raster_polygon : callable, optional
        Returns the outline of the valid pixels; None means that pixels are not to be read, and
        then the network is not used either (unless `choice` names a provider that needs it).

    Returns
    -------
    FootprintReport
        The answer taken, all answers in the order of belief, why others gave none, and how far
        each answer lies from the one taken, m.

    Raises
    ------
    BadProduct
        The chosen provider has no answer that can be used, or nobody has.
    """
    options = options or FootprintOptions()
    order = options.order or default_order(product, with_pixels=raster_polygon is not None)
    if choice is not None:
        order = (choice, *(name for name in order if name != choice))
    said = _ask_all(order, product, options, raster_polygon)
    answers = tuple(a for a in (said[name] for name in order) if isinstance(a, FootprintAnswer))
    failures = {n: a.reason for n, a in said.items() if isinstance(a, NoAnswer)}
    chosen = _choose(choice, said, answers, failures, product)
    return FootprintReport(
        chosen=chosen,
        answers=answers,
        failures=failures,
        distances_m={
            a.source: round(distance_m(a.geometry, chosen.geometry), 1)
            for a in answers
            if a is not chosen
        },
    )


def _ask_all(
    order: tuple[FootprintSource, ...],
    product: Product,
    options: FootprintOptions,
    raster_polygon: RasterPolygon | None,
) -> dict[FootprintSource, FootprintAnswer | NoAnswer]:
    """Ask everybody in `order`; the catalogue last, since it is measured by the others."""
    said: dict[FootprintSource, FootprintAnswer | NoAnswer] = {}
    question = Question(product, options, raster_polygon)
    for name in order:
        if name != "bos_sarcat":
            said[name] = _PROVIDERS[name](question)
    if "bos_sarcat" in order:
        own_order = [n for n in (*order, *_NO_PIXELS) if n != "bos_sarcat"]
        own = (said.get(n) or _PROVIDERS[n](question) for n in own_order)
        best = next((a for a in own if isinstance(a, FootprintAnswer) and a.accepted), None)
        said["bos_sarcat"] = _bos_sarcat(Question(product, options, raster_polygon, own=best))
    return said


def _choose(
    choice: FootprintSource | None,
    said: dict[FootprintSource, FootprintAnswer | NoAnswer],
    answers: tuple[FootprintAnswer, ...],
    failures: dict[FootprintSource, str],
    product: Product,
) -> FootprintAnswer:
    where = f"{product.scene}-{product.product}"
    if choice is not None:
        wanted = said[choice]
        if isinstance(wanted, FootprintAnswer) and wanted.accepted:
            return wanted
        raise BadProduct(
            f"{where} has no footprint from {choice}: {wanted.reason}",
            hint="leave the choice of the footprint open, or choose another",
        )
    taken = next((answer for answer in answers if answer.accepted), None)
    if taken is None:
        reasons = [f"{name}: {reason}" for name, reason in failures.items()]
        reasons += [f"{a.source}: {a.reason}" for a in answers]
        raise BadProduct(f"nobody knows where {where} lies ({'; '.join(reasons)})")
    return taken
