"""How documents become bytes: the same document, the same bytes, on every machine."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from alos2.dataset.times import utc_text
from alos2.errors import BadDocument
from alos2.types import Json

DEGREE_DECIMALS: Final = 8
"""Decimals of coordinates in degrees: about a millimetre, and stable between machines."""


def json_bytes(document: Json) -> bytes:
    """Return `document` as indented UTF-8 with a final newline, keys in their order.

    Raises
    ------
    BadDocument
        It holds a number that JSON has no word for (NaN, infinity).
    """
    try:
        text = json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False)
    except ValueError as error:
        raise BadDocument(f"{document.get('id', 'a document')} cannot be JSON: {error}") from error
    return (text + "\n").encode("utf-8", "backslashreplace")


def plain(value: Any) -> Any:
    """Return `value` of JSON's own types: numpy scalars, tuples and times turned into them.

    Numbers that are not finite become None: what is not known is null.
    """
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return _plain_scalar(value)


def _plain_scalar(value: Any) -> Any:
    if isinstance(value, datetime):
        return utc_text(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if value is None or isinstance(value, (bool, int, str)) else str(value)


def plain_geometry(geometry: Json) -> Json:
    """Return a GeoJSON geometry whose coordinates are rounded to `DEGREE_DECIMALS`."""
    return {
        "type": geometry["type"],
        "coordinates": _rounded(plain(geometry["coordinates"])),
    }


def _rounded(coordinates: Any) -> Any:
    if isinstance(coordinates, list):
        return [_rounded(item) for item in coordinates]
    # 0.0 and not -0.0, and no difference between 135 and 135.0.
    return round(float(coordinates), DEGREE_DECIMALS) + 0.0
