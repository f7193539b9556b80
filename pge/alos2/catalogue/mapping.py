"""How the fields of our documents are indexed, so that none ever changes its type.

An index learns a field's type from the first document that has it: a tag ``2015-03-15`` would
make all tags dates, and the next one, ``flood``, could no longer be filed. So the types of our
fields are said before the first document is filed. That is done by a template for the indices of
our datasets alone, of the older kind (``_template``), which Elasticsearch 7 and OpenSearch 2 both
know and lay over HySDS's own of lower order; one of the newer kind would switch that off.

Strings are text with a ``.keyword`` of 256 letters, as HySDS has them: its facets count on it.
"""

from __future__ import annotations

from typing import Final

from alos2.types import Json

_ORDER: Final = 10
"""HySDS's own has 0; the higher one wins."""

_FIELDS_LIMIT: Final = 4000
"""summary.txt alone has over a hundred keys in some products, each with two fields."""

_STRING: Final[Json] = {
    "type": "text",
    "norms": False,
    "fields": {"keyword": {"type": "keyword", "ignore_above": 256}},
}
_DATE: Final[Json] = {"type": "date"}
_SHAPE: Final[Json] = {"type": "geo_shape"}
_KEPT_ONLY: Final[Json] = {"type": "object", "enabled": False}
"""Comes back with the document, and cannot be searched by."""

_DATES: Final = ("starttime", "endtime", "center_time", "processing_time", "created", "prod_date")


def template_name(prefix: str) -> str:
    """Return the name of the template for the catalogue of this alias."""
    return f"alos2_{prefix}"


def properties() -> Json:
    """Return the types of fields that a first document could teach wrongly."""
    return {
        "location": _SHAPE,
        "center": _SHAPE,
        "starttime": _DATE,
        "endtime": _DATE,
        "creation_timestamp": _DATE,
        "prov": _KEPT_ONLY,
        "grq_index_result": _KEPT_ONLY,
        "metadata": {
            "properties": {
                **dict.fromkeys(_DATES, _DATE),
                "context": _KEPT_ONLY,
                # The scene's outline is in ``location``; here it would only be numbers.
                "location": _KEPT_ONLY,
                "source": {"properties": {"retrieved": _DATE, "data_id": _STRING}},
                "tags": _STRING,
                "user_tags": _STRING,
                "alos2md": {
                    "properties": {
                        "geometry": _KEPT_ONLY,
                        "start_time": _DATE,
                        "stop_time": _DATE,
                    }
                },
                "footprint": {
                    "properties": {
                        "answers": {
                            # Each provider has details of its own.
                            "properties": {"geometry": _KEPT_ONLY, "details": _KEPT_ONLY}
                        }
                    }
                },
            }
        },
    }


def mappings() -> Json:
    """Return the mappings of an index of ours."""
    return {
        # What looks like a date or a number may be a title.
        "date_detection": False,
        "numeric_detection": False,
        "dynamic_templates": [
            {"alos2_strings": {"match_mapping_type": "string", "mapping": _STRING}},
            # 32 bits are too few for the digits of a pulse repetition frequency.
            {"alos2_reals": {"match_mapping_type": "double", "mapping": {"type": "double"}}},
            {"alos2_integers": {"match_mapping_type": "long", "mapping": {"type": "long"}}},
        ],
        "properties": properties(),
    }


def template(prefix: str, *, replicas: int | None = None) -> Json:
    """Return the template for the indices of our datasets.

    Parameters
    ----------
    prefix : str
        What the names of GRQ's indices begin with, and its alias: ``grq``.
    replicas : int, optional
        Copies of each index; None: as the server has it.
    """
    settings: Json = {"index.mapping.total_fields.limit": _FIELDS_LIMIT}
    if replicas is not None:
        settings["index.number_of_replicas"] = replicas
    return {
        "index_patterns": [f"{prefix}_*_alos2*"],
        "order": _ORDER,
        "settings": settings,
        "mappings": mappings(),
        "aliases": {prefix: {}},
    }
