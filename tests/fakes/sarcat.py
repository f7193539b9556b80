"""A WFS that answers as GeoServer answers for BOS SARCAT, well or badly, over real sockets."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from copy import deepcopy
from typing import Any, Literal

from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

Mode = Literal[
    "ok",
    "service_exception",
    "exception_400",
    "html",
    "cut",
    "not_geojson",
    "error_500",
    "redirect",
    "stall",
    "drip",
    "huge",
]

SERVICE_EXCEPTION = (
    '<?xml version="1.0" ?><ServiceExceptionReport version="1.2.0" '
    'xmlns="http://www.opengis.net/ogc"><ServiceException>Could not parse CQL filter list.'
    "</ServiceException></ServiceExceptionReport>"
)
FILTER = re.compile(r"\(identifier='((?:[^']|'')*)'\)")


def feature(identifier: str, ring: list[list[float]] | None, **properties: Any) -> dict[str, Any]:
    """Return one row with the properties of a real one."""
    geometry = None if ring is None else {"type": "Polygon", "coordinates": [ring]}
    day = f"20{identifier[15:17]}-{identifier[17:19]}-{identifier[19:21]}"
    real = {
        "status": "archived",
        "scene_id": 1761602440,
        "absolute_orbit": int(identifier[5:10]),
        "start_time": f"{day}T05:07:08.099Z",
        "stop_time": f"{day}T05:07:18.307Z",
        "relative_orbit": 43,
        "frame": int(identifier[10:14]),
        "beam_mode": "SM3",
        "beam_swath": "F2-6",
        "flight_direction": "A",
        "look_direction": "R",
        "polarization": "VV",
        "processing_level": None,
        "identifier": identifier,
        "bos_ingest": "2018-09-02T00:19:01.418Z",
        "mission": "ALOS-2",
    }
    return {
        "type": "Feature",
        "id": "sarcat.fid-258c34a8_165b6b0f53c_-326c",
        "geometry": geometry,
        "geometry_name": "footprint",
        "properties": {**real, **properties},
    }


class FakeSarcat:
    """The catalogue; set `features` and `mode`.

    Parameters
    ----------
    server : HTTPServer
        Started by the caller, with TLS or without.
    """

    def __init__(self, server: HTTPServer) -> None:
        self.features: list[dict[str, Any]] = []
        self.mode: Mode = "ok"
        self.asked: list[dict[str, str]] = []
        self.headers: list[dict[str, str]] = []
        self.closing = threading.Event()
        self.url = server.url_for("/geoserver/bos/ows").replace("127.0.0.1", "localhost")
        server.expect_request("/geoserver/bos/ows").respond_with_handler(self._answer)

    def load(self, text: str) -> None:
        """Take the features of a stored answer."""
        self.features = json.loads(text)["features"]

    def _answer(self, request: Request) -> Response:
        self.asked.append(dict(request.args))
        self.headers.append({k.lower(): v for k, v in request.headers.items()})
        found = FILTER.fullmatch(request.args.get("cql_filter", ""))
        if found is None or request.args.get("request") != "GetFeature":
            return Response(SERVICE_EXCEPTION, content_type="application/vnd.ogc.se_xml")
        return getattr(self, f"_{self.mode}")(found[1].replace("''", "'"))  # type: ignore[no-any-return]

    def _collection(self, identifier: str) -> str:
        rows = [f for f in deepcopy(self.features) if f["properties"]["identifier"] == identifier]
        return json.dumps(
            {
                "type": "FeatureCollection",
                "totalFeatures": len(rows),
                "features": rows,
                "crs": {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::4326"}},
            }
        )

    def _ok(self, identifier: str) -> Response:
        return Response(self._collection(identifier), content_type="application/json;charset=UTF-8")

    def _service_exception(self, identifier: str) -> Response:
        return Response(SERVICE_EXCEPTION, content_type="application/vnd.ogc.se_xml")

    def _exception_400(self, identifier: str) -> Response:
        return Response(SERVICE_EXCEPTION, status=400, content_type="text/xml")

    def _html(self, identifier: str) -> Response:
        page = "<html><head><title>503 Service Unavailable</title></head></html>"
        return Response(page, content_type="text/html")

    def _cut(self, identifier: str) -> Response:
        return Response(self._collection(identifier)[:-40], content_type="application/json")

    def _not_geojson(self, identifier: str) -> Response:
        return Response('["no", "features"]', content_type="application/json")

    def _error_500(self, identifier: str) -> Response:
        return Response("oops", status=500)

    def _redirect(self, identifier: str) -> Response:
        return Response(status=302, headers={"Location": "http://localhost:1/elsewhere"})

    def _stall(self, identifier: str) -> Response:
        self.closing.wait(10)
        return self._ok(identifier)

    def _drip(self, identifier: str) -> Response:
        def drops() -> Iterator[bytes]:
            for byte in self._collection(identifier).encode():
                if self.closing.wait(0.05):
                    return
                yield bytes([byte])

        return Response(drops(), content_type="application/json")

    def _huge(self, identifier: str) -> Response:
        def padding() -> Iterator[bytes]:
            yield b"{"
            for _ in range(100):
                if self.closing.is_set():
                    return
                yield b" " * (1 << 17)

        return Response(padding(), content_type="application/json")
