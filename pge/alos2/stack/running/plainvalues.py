"""Options as plain JSON, and back: steps get them so, and keys are made of them."""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from alos2.errors import BadDocument
from alos2.product.model import MapGrid
from alos2.types import Json, RasterShape

_Options = TypeVar("_Options")

NOT_IN_KEYS = frozenset(("threads", "memory_mb"))
"""Fields of options that do not change a byte of the outputs."""


def plain_options(options: Any, *, without: frozenset[str] = NOT_IN_KEYS) -> Json:
    """Return a dataclass as plain JSON.

    Parameters
    ----------
    options : dataclass
        Of plain values, tuples, paths and other such dataclasses.
    without : frozenset of str, optional
        Fields that are left out.

    Raises
    ------
    BadDocument
        It holds something else.
    """
    return {
        field.name: _plain(getattr(options, field.name), field.name)
        for field in dataclasses.fields(options)
        if field.name not in without
    }


def _plain(value: Any, name: str) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return plain_options(value)
    if isinstance(value, Mapping):
        return {str(key): _plain(item, name) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item, name) for item in value]
    if isinstance(value, float) and value != value:  # noqa: PLR0124 - NaN, which JSON has not
        return "nan"
    if isinstance(value, Path):
        return str(value)
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    raise BadDocument(f"option {name} is a {type(value).__name__}, which JSON has no word for")


def options_from(kind: type[_Options], document: Json, **more: Any) -> _Options:
    """Return the dataclass that `plain_options` made plain; `more` are further fields.

    Raises
    ------
    BadDocument
        It is not of this kind.
    """
    hints = get_type_hints(kind)
    try:
        # Fields that a newer version has lost are no fault: the key tells them apart.
        given = {name: _as(hints[name], value) for name, value in document.items()}
        known = {name: value for name, value in more.items() if name in hints}
        return kind(**{**given, **known})
    except (KeyError, TypeError, ValueError) as error:
        raise BadDocument(f"{kind.__name__} cannot be made of a task file: {error}") from error


def _as(hint: Any, value: Any) -> Any:
    """Return a plain value as its type hint wants it."""
    origin, inside = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return None if value is None else _as(_first_of(inside), value)
    if origin is tuple:
        each = [inside[0]] * len(value) if inside[-1] is Ellipsis else inside
        return tuple(_as(one, item) for one, item in zip(each, value, strict=True))
    if dataclasses.is_dataclass(hint):
        return options_from(cast(type[Any], hint), value)
    return _SCALARS.get(hint, lambda plain: plain)(value)


def _first_of(hints: tuple[Any, ...]) -> Any:
    """Return the first alternative that is not None."""
    return next(each for each in hints if each is not type(None))


_SCALARS: dict[Any, Any] = {Path: Path, float: float}


def plain_grid(grid: MapGrid) -> Json:
    """Return a grid as plain JSON."""
    return {
        "crs_wkt": grid.crs_wkt,
        "epsg": grid.epsg,
        "transform": list(grid.transform),
        "shape": list(grid.shape),
    }


def grid_from(document: Json) -> MapGrid:
    """Return the grid that `plain_grid` made plain."""
    a, b, c, d, e, f = document["transform"]
    lines, pixels = document["shape"]
    return MapGrid(
        document["crs_wkt"], document["epsg"], (a, b, c, d, e, f), RasterShape(lines, pixels)
    )
