"""Validates STAC items against the published schemas that are kept beside this file. No network.

The schemas (STAC 1.1.0 core, its extensions, GeoJSON) are listed in ``schemas/manifest.json`` by
the address under which an item names them. An extension that is not there is an error: an item
that nobody checked is not a valid one.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any, Final

from alos2.errors import BadDocument
from alos2.types import Json

if TYPE_CHECKING:
    from jsonschema import ValidationError
    from jsonschema.protocols import Validator

_ROOT: Final = "schemas"
_CORE: Final = "https://schemas.stacspec.org/v1.1.0/item-spec/json-schema/item.json"
_STAC_VERSION: Final = "1.1.0"
_LONGEST_MESSAGE: Final = 200
_MOST_FAULTS: Final = 5
"""How many faults one message names."""


def validate_item(item: Json) -> None:
    """Check `item` against STAC 1.1.0 and all extensions that it names.

    Parameters
    ----------
    item : Json
        A STAC item.

    Raises
    ------
    BadDocument
        With the JSON path of each fault (the first five) and what is wrong there.
    """
    faults = list(_faults(item))
    if not faults:
        return
    shown = "; ".join(faults[:_MOST_FAULTS])
    more = f"; and {len(faults) - _MOST_FAULTS} more" if len(faults) > _MOST_FAULTS else ""
    raise BadDocument(f"STAC item {item.get('id')!r} is not valid: {shown}{more}")


def extension_uri(name: str) -> str:
    """Return the address of the version of extension `name` that is validated here.

    Raises
    ------
    KeyError
        It is not kept here.
    """
    for uri in _manifest():
        if uri.startswith(f"https://stac-extensions.github.io/{name}/"):
            return uri
    raise KeyError(name)


def _faults(item: Json) -> Iterator[str]:
    version = item.get("stac_version")
    if version != _STAC_VERSION:
        yield f"$.stac_version is {version!r}, not {_STAC_VERSION!r}"
        return
    named = item.get("stac_extensions", [])
    if not isinstance(named, list):
        yield "$.stac_extensions is not a list"
        return
    for uri in [_CORE, *named]:
        if not isinstance(uri, str) or uri not in _manifest():
            yield f"$.stac_extensions names {uri!r}, whose schema is not kept here"
            continue
        for error in _validator(uri).iter_errors(item):
            yield f"{_deepest(error)} [{uri}]"


def _deepest(error: ValidationError) -> str:
    """Say where and what; of alternatives (``oneOf``) the branch that got furthest."""
    while error.context:
        branches: dict[object, list[ValidationError]] = {}
        for inner in error.context:
            branches.setdefault(inner.schema_path[0], []).append(inner)
        # The branch for collections fails at once, at the type: it says nothing about an item.
        about_items = [b for b in branches.values() if not any(_is_wrong_type(e) for e in b)]
        inners = [e for branch in about_items or branches.values() for e in branch]
        error = max(inners, key=lambda e: len(e.absolute_path))
    message = error.message
    if len(message) > _LONGEST_MESSAGE:
        message = f"{message[:_LONGEST_MESSAGE]}..."
    return f"{error.json_path}: {message}"


def _is_wrong_type(error: ValidationError) -> bool:
    """Whether this branch is about another kind of thing altogether."""
    if error.validator == "type" and error.validator_value == "null":
        return True
    return error.validator in ("const", "enum") and list(error.absolute_path)[-1:] == ["type"]


@cache
def _manifest() -> dict[str, str]:
    """Return address -> file, in the manifest's order."""
    listed = json.loads(_text("manifest.json"))["schemas"]
    return {entry["uri"]: entry["file"] for entry in listed}


def _text(name: str) -> str:
    folder = resources.files("alos2.dataset").joinpath(_ROOT)
    for part in name.split("/"):
        folder = folder.joinpath(part)
    return folder.read_text(encoding="utf-8")


@cache
def _registry() -> Any:
    """Return all schemas by address; nothing is ever fetched."""
    from referencing import Registry  # noqa: PLC0415  not needed to look at a product
    from referencing.jsonschema import DRAFT7  # noqa: PLC0415

    documents = {uri: json.loads(_text(name)) for uri, name in _manifest().items()}
    # By the address alone, as the published `$id`s are not all right.
    pairs = [
        (uri, DRAFT7.create_resource({**schema, "$id": uri})) for uri, schema in documents.items()
    ]
    return Registry().with_resources(pairs)


@cache
def _validator(uri: str) -> Validator:
    from jsonschema import Draft7Validator, FormatChecker  # noqa: PLC0415

    checker = FormatChecker(formats=())
    checker.checks("date-time", raises=ValueError)(_is_time)
    return Draft7Validator({"$ref": uri}, registry=_registry(), format_checker=checker)


def _is_time(value: object) -> bool:
    if isinstance(value, str):
        datetime.fromisoformat(value.replace("Z", "+00:00"))
    return True
