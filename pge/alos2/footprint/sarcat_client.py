"""One question to a WFS, which must be answered within a fixed time whatever the server does.

Name resolution, several addresses, and a body that drips byte by byte are bounded by no timeout
that a socket knows; so the question is put in a thread of its own and given up from outside.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

import requests
from requests.exceptions import ConnectTimeout, RequestException, SSLError, Timeout

from alos2 import __version__
from alos2.footprint.provider import NoAnswer

MAX_ANSWER_BYTES: Final = 4 << 20
"""Some 2,000 rows; one scene has a handful."""
_PIECE_BYTES: Final = 1 << 14


@dataclass(frozen=True)
class Answer:
    """What the server sent with status 200."""

    body: bytes
    content_type: str


@dataclass
class _Asking:
    """Shared between the thread that asks and the one that waits."""

    deadline: float
    given_up: threading.Event = field(default_factory=threading.Event)
    response: requests.Response | None = None
    outcome: Answer | NoAnswer | None = None

    @property
    def left_s(self) -> float:
        return self.deadline - time.monotonic()


def wfs_parameters(identifier: str) -> dict[str, str]:
    """Return the query of a GetFeature request for one scene; quotes are doubled as CQL wants."""
    escaped = identifier.replace("'", "''")
    return {
        "service": "WFS",
        "version": "1.0.0",
        "request": "GetFeature",
        "typeName": "bos:sarcat",
        "maxFeatures": "50",
        "outputFormat": "json",
        "cql_filter": f"(identifier='{escaped}')",
    }


def ask(url: str, identifier: str, budget_s: float) -> Answer | NoAnswer:
    """Ask `url` for the rows of `identifier`; return within `budget_s` seconds.

    TLS is verified, redirects are not followed, netrc is not used.
    """
    asking = _Asking(time.monotonic() + budget_s)
    thread = threading.Thread(
        target=_run, args=(asking, url, identifier), name="bos-sarcat", daemon=True
    )
    thread.start()
    thread.join(budget_s)
    if asking.outcome is not None:
        return asking.outcome
    asking.given_up.set()
    if asking.response is not None:
        asking.response.close()
    return NoAnswer(f"the catalogue did not answer within {budget_s:g} s")


def _run(asking: _Asking, url: str, identifier: str) -> None:
    host = urlsplit(url).hostname
    try:
        asking.outcome = _get(asking, url, identifier)
    except SSLError:
        asking.outcome = NoAnswer(f"no safe connection to {host}: its certificate is not trusted")
    except ConnectTimeout:
        asking.outcome = NoAnswer(f"{host} could not be reached in time")
    except Timeout:
        asking.outcome = NoAnswer(f"{host} did not answer in time")
    except (RequestException, UnicodeError) as error:
        asking.outcome = NoAnswer(f"no connection to {host}, or it broke ({type(error).__name__})")
    except (AttributeError, OSError, ValueError) as error:
        # Closing a response under its reader surfaces as any of these; nobody waits any more.
        asking.outcome = NoAnswer(f"the question to {host} was given up ({type(error).__name__})")


def _no_credentials(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Keep requests from looking into netrc: the catalogue is public."""
    return request


def _get(asking: _Asking, url: str, identifier: str) -> Answer | NoAnswer:
    with (
        requests.Session() as session,
        session.get(
            url,
            params=wfs_parameters(identifier),
            headers={"User-Agent": f"alos2-ingest/{__version__}", "Accept": "application/json"},
            auth=_no_credentials,
            timeout=max(asking.left_s, 0.001),
            allow_redirects=False,
            stream=True,
        ) as response,
    ):
        asking.response = response
        if response.status_code != requests.codes.ok:
            return NoAnswer(f"the catalogue answered with status {response.status_code}")
        pieces: list[bytes] = []
        total = 0
        for piece in response.iter_content(_PIECE_BYTES):
            total += len(piece)
            if total > MAX_ANSWER_BYTES:
                return NoAnswer(f"the catalogue's answer is larger than {MAX_ANSWER_BYTES} bytes")
            if asking.given_up.is_set() or asking.left_s <= 0:
                return NoAnswer("the catalogue's answer came too slowly")
            pieces.append(piece)
        return Answer(b"".join(pieces), response.headers.get("Content-Type", ""))
