"""What a layer of a stack has below the pointer, and the small picture of a stack without one."""

from __future__ import annotations

import math

from alos2.types import Json, LonLat
from alos2.web.stacks.drawing import drawn_square, unit_of
from alos2.web.stacks.limits import Limits
from alos2.web.stacks.model import POWER_METRICS, StackLayer, StackProduct
from alos2.web.stacks.rasters import Rasters, sources_of
from alos2.web.stacks.sampling import Square
from alos2.web.stacks.series import Where, value_at


def readout(
    rasters: Rasters,
    product: StackProduct,
    layer: StackLayer,
    place: LonLat,
) -> Json:
    """Return the value of a layer at a place.

    Returns
    -------
    Json
        As `alos2.web.api.pixel.pixel`, and ``value`` in ``unit`` of what is no backscatter.

    Raises
    ------
    HttpError
        404: there is no such file.
    BadProduct
        It cannot be read.
    UsageError
        The place is none.
    """
    where = Where(place)
    found = []
    for source in sources_of(product, layer):
        with rasters.lent(source) as held:
            found.append(value_at(held, where))
    backscatter = layer.kind == "date" or layer.what in (*POWER_METRICS, "model_mean")
    told: Json = {
        "dn": None,
        "db": None,
        "value": None,
        "quantity": "backscatter" if backscatter else layer.what,
        "unit": unit_of(layer),
        "where": "COG",
        "why": None,
        "channels": [],
    }
    known = [None if one is None or math.isnan(one) else round(one, 4) for one in found]
    if any(one is None for one in known):
        return {**told, "where": None, "why": "outside" if None in found else "no data"}
    if layer.is_composite:
        co, cross = (float(one) for one in known if one is not None)
        names = (*layer.polarizations, "/".join(layer.polarizations))
        shown = zip(names, (co, cross, co - cross), strict=True)
        return {**told, "channels": [{"name": name, "db": round(db, 2)} for name, db in shown]}
    key = "db" if backscatter else "value"
    return {**told, key: round(known[0], 2) if backscatter and known[0] is not None else known[0]}


def small_picture(rasters: Rasters, limits: Limits, product: StackProduct) -> bytes | None:
    """Return a PNG of the first layer of a stack, 256 by 256; None if it has nothing.

    For those that have no picture of their own: mosaics.
    """
    layer = next(iter(product.layers.values()), None)
    if layer is None:
        return None
    square = Square.around(product.bounds)
    return drawn_square(rasters, product, layer, square, limits.of(product))
