"""What may be chosen about a server, and who may change what through it."""

from __future__ import annotations

import ipaddress
import socket
from dataclasses import asdict, dataclass, field
from typing import Final
from urllib.parse import urlsplit

from alos2.types import Json

DEFAULT_PORT: Final = 8014
DEFAULT_TITLE: Final = "ALOS-2 archive"
MAX_BODY_BYTES: Final = 1 << 20
"""Of a request, where its route says nothing else: a search with a long outline has some kB."""
MAX_UPLOAD_BYTES: Final = 64 << 30
"""Of a delivery that is dropped onto the page: the largest have 60 GB."""
MAX_QUERY_CHARS: Final = 32_768
"""Of a request's query string."""


@dataclass(frozen=True)
class BaseMap:
    """A base map of another server, which a person may choose."""

    name: str
    title: str
    url: str
    """With ``{z}``, ``{x}``, ``{y}``; https."""
    attribution: str
    max_zoom: int = 19

    @property
    def origin(self) -> str:
        """Where its pictures come from."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}"

    def to_json(self) -> Json:
        """Return it as the page is told."""
        return asdict(self)


BASEMAPS: Final = (
    BaseMap(
        "osm",
        "OpenStreetMap",
        "https://tile.openstreetmap.org/{z}/{x}/{y}.png",
        "© OpenStreetMap contributors",
    ),
    BaseMap(
        "gsi",
        "GSI (Japan)",
        "https://cyberjapandata.gsi.go.jp/xyz/pale/{z}/{x}/{y}.png",
        "Geospatial Information Authority of Japan",
        18,
    ),
)


@dataclass(frozen=True)
class ServeOptions:
    """How an archive is served."""

    host: str = "127.0.0.1"
    port: int = DEFAULT_PORT
    title: str = DEFAULT_TITLE
    """What the page and the STAC API call the archive."""
    names: tuple[str, ...] = ()
    """Further names by which browsers may reach the server (``Host`` header)."""
    url: str | None = None
    """The address that links begin with, where a proxy gives the server another one."""
    token: str | None = field(default=None, repr=False)
    """Who knows it may change things. At least 16 characters."""
    proxy_user_header: str | None = None
    """Header in which a trusted proxy names who has logged in, e.g. ``X-Remote-User``."""
    proxies: tuple[str, ...] = ("127.0.0.1", "::1")
    """Addresses of proxies that are trusted, where `proxy_user_header` is given."""
    catalogue: str | None = None
    """What is searched: ``grq``, the address of a STAC API; None: the archive's own catalogue."""
    allow_ingest: bool = False
    """Whether deliveries may be ingested from the page."""
    cors: tuple[str, ...] = ("*",)
    """Origins whose pages may read the STAC API, files and tiles; none: ()."""
    basemaps: tuple[BaseMap, ...] = BASEMAPS
    """Choices beside the one that is shipped; none is asked before a person chooses it."""
    max_body_bytes: int = MAX_BODY_BYTES
    max_upload_bytes: int = MAX_UPLOAD_BYTES
    readers: int = 4
    """Threads that read the catalogue and files."""
    log_requests: bool = False
    """Whether each request is logged."""

    @property
    def is_loopback(self) -> bool:
        """Whether nobody but this machine can reach the server."""
        return is_loopback(self.host)

    @property
    def host_names(self) -> frozenset[str]:
        """Names in ``Host`` headers that are this server's, in lower case and without ports.

        Addresses in numbers need not be among them: a name that an attacker makes point here
        (DNS rebinding) is never one.
        """
        own = {"localhost", self.host.lower(), *(name.lower() for name in self.names)}
        if self.url is not None:
            own.add((urlsplit(self.url).hostname or "").lower())
        if not self.is_loopback:
            own |= {socket.gethostname().lower(), socket.getfqdn().lower()}
        return frozenset(own)


def is_loopback(host: str) -> bool:
    """Whether `host` is this machine and reachable only from it."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
