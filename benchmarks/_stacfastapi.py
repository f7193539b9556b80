"""The peer of ``serve.py``: stac-fastapi over the same SQLite file, run by a Python that has it.

What it asks SQLite is what the embedded catalogue does: the R*Tree of place and time, the newest
first. The documents are read into dictionaries, as a stac-fastapi client has to return.
"""

from __future__ import annotations

import json
import sqlite3
import sys
import threading
import zlib
from datetime import datetime
from typing import Any

import uvicorn
from stac_fastapi.api.app import StacApi
from stac_fastapi.types.config import ApiSettings
from stac_fastapi.types.core import BaseCoreClient

EPOCH_S = 1388534400
LOCAL = threading.local()


def connection() -> sqlite3.Connection:
    if not hasattr(LOCAL, "connection"):
        LOCAL.connection = sqlite3.connect(f"file:{sys.argv[1]}?mode=ro", uri=True)
    return LOCAL.connection


def found(bbox: Any, span: Any, limit: int) -> list[dict[str, Any]]:
    west, south, east, north = bbox or (-180, -90, 180, 90)
    first, last = 0.0, 4e9
    if span:
        ends = [datetime.fromisoformat(part.replace("Z", "+00:00")) for part in span.split("/")]
        first, last = (end.timestamp() - EPOCH_S for end in ends)
    rows = connection().execute(
        "SELECT d.document FROM boxes b JOIN items i ON i.rid = b.box / 2 "
        "JOIN documents d ON d.rid = i.rid WHERE b.west <= ? AND b.east >= ? AND b.south <= ? "
        "AND b.north >= ? AND b.start_s <= ? AND b.end_s >= ? ORDER BY i.time_us DESC LIMIT ?",
        (east, west, north, south, last, first, limit or 10),
    )
    return [
        {**json.loads(zlib.decompress(row[0])), "collection": "ALOS2-L1.1-SLC-MD"} for row in rows
    ]


class Client(BaseCoreClient):
    """What a search needs; the rest is not asked."""

    def get_search(self, *, bbox: Any = None, limit: Any = 10, **asked: Any) -> dict[str, Any]:
        """Answer a search; its time is read as it was given."""
        span = asked["request"].query_params.get("datetime")
        return {"type": "FeatureCollection", "features": found(bbox, span, limit), "links": []}

    def post_search(self, search_request: Any, **_: Any) -> dict[str, Any]:
        """See stac-fastapi."""
        items = found(search_request.bbox, None, search_request.limit)
        return {"type": "FeatureCollection", "features": items, "links": []}

    def get_item(self, item_id: str, collection_id: str, **_: Any) -> dict[str, Any]:
        """See stac-fastapi."""
        raise NotImplementedError

    def all_collections(self, **_: Any) -> dict[str, Any]:
        """See stac-fastapi."""
        return {"collections": [], "links": []}

    def get_collection(self, collection_id: str, **_: Any) -> dict[str, Any]:
        """See stac-fastapi."""
        raise NotImplementedError

    def item_collection(self, collection_id: str, **_: Any) -> dict[str, Any]:
        """See stac-fastapi."""
        raise NotImplementedError


if __name__ == "__main__":
    settings = ApiSettings(enable_response_models=False)
    api = StacApi(settings=settings, client=Client())
    uvicorn.run(api.app, host="127.0.0.1", port=int(sys.argv[2]), log_level="error")
