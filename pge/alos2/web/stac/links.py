"""Addresses of what the API answers."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

from starlette.requests import Request

from alos2.types import Json
from alos2.web.answers import GEOJSON, JSON, OPENAPI, SCHEMA
from alos2.web.options import ServeOptions

QUERYABLES = "http://www.opengis.net/def/rel/ogc/1.0/queryables"


@dataclass(frozen=True)
class Links:
    """Addresses that begin with the server's own.

    Parameters
    ----------
    base : str
        Scheme and host, without a slash at the end.
    """

    base: str

    @classmethod
    def of(cls, request: Request, options: ServeOptions) -> Links:
        """Return those that the client of a request can reach; its ``Host`` has been checked."""
        if options.url is not None:
            return cls(options.url.rstrip("/"))
        return cls(f"{request.url.scheme}://{request.headers.get('host', '')}")

    @property
    def root(self) -> str:
        """Landing page."""
        return f"{self.base}/stac"

    @property
    def search(self) -> str:
        """Item search."""
        return f"{self.root}/search"

    def collection(self, name: str) -> str:
        """Return the address of a collection."""
        return f"{self.root}/collections/{quote(name, safe='')}"

    def items(self, collection: str) -> str:
        """Return the address of a collection's items."""
        return f"{self.collection(collection)}/items"

    def item(self, collection: str, name: str) -> str:
        """Return the address of an item."""
        return f"{self.items(collection)}/{quote(name, safe='')}"

    def files(self, dataset: str) -> str:
        """Return the address of a dataset's files, with a slash at the end."""
        return f"{self.base}/files/{quote(dataset, safe='')}/"

    def of_landing(self, title: str) -> list[Json]:
        """Return the links of the landing page, without those to collections."""
        return [
            link("self", self.root, JSON, title),
            link("root", self.root, JSON, title),
            link("conformance", f"{self.root}/conformance", JSON, "What this API conforms to"),
            link("service-desc", f"{self.root}/api", OPENAPI, "OpenAPI definition"),
            link("service-doc", f"{self.root}/api.html", "text/html", "How to ask"),
            link("data", f"{self.root}/collections", JSON, "Collections"),
            {**link("search", self.search, GEOJSON, "Item search"), "method": "GET"},
            {**link("search", self.search, GEOJSON, "Item search"), "method": "POST"},
            link(QUERYABLES, f"{self.root}/queryables", SCHEMA, "Properties to filter by"),
        ]


def link(rel: str, href: str, media_type: str, title: str | None = None) -> Json:
    """Return a link."""
    made: Json = {"rel": rel, "href": href, "type": media_type}
    if title is not None:
        made["title"] = title
    return made
