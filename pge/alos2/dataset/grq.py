"""dataset.json: what HySDS's catalogue (GRQ) files a dataset under. Derived from the STAC item.

GRQ merges every key of it over its own document: no other key may stand here, least of all
``id``, ``urls``, ``metadata`` or ``dataset``.
"""

from __future__ import annotations

from alos2.types import Json


def dataset_json(item: Json) -> Json:
    """Return dataset.json of a STAC item.

    Parameters
    ----------
    item : Json
        As `stac.build_stac` makes it.
    """
    properties = item["properties"]
    start, end = times(item)
    return {
        "version": properties["alos2:version"],
        "label": item["id"],
        "location": item["geometry"],
        "starttime": start,
        "endtime": end,
        "creation_timestamp": properties["created"],
    }


def times(item: Json) -> tuple[str, str]:
    """Return start and end of the observation; its one time twice if no more is known."""
    properties = item["properties"]
    start = properties.get("start_datetime", properties["datetime"])
    end = properties.get("end_datetime", properties["datetime"])
    return str(start), str(end)
