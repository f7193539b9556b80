"""The bytes of an HTTP answer, and the faults that can come between them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import requests
from requests.exceptions import ChunkedEncodingError, ContentDecodingError, RequestException
from urllib3.exceptions import HTTPError, ProtocolError

from alos2.causes import cause_of
from alos2.sources.httpreply import is_encoded
from alos2.sources.remote import Passing


def body_of(response: requests.Response, expected: int | None, chunk_bytes: int) -> Iterator[bytes]:
    """Yield the body in pieces of at most `chunk_bytes`; a compressed one is unpacked.

    Pieces come as they arrive: on a slow line nobody waits for a piece to be full, and what came
    before a fault is not lost with it.

    Raises
    ------
    Passing
        It broke off, stalled, or ended before `expected` bytes.
    """
    there = 0
    try:
        for piece in _pieces(response, chunk_bytes):
            there += len(piece)
            yield piece
    except ContentDecodingError:
        raise Passing("the compressed body is damaged") from None
    except (ChunkedEncodingError, ProtocolError) as error:
        raise Passing(f"the transfer broke off ({cause_of(error)})") from None
    except (RequestException, HTTPError, OSError) as error:
        raise Passing(f"the transfer stalled or broke off ({cause_of(error)})") from None
    if expected is not None and there != expected:
        raise Passing(f"the transfer broke off: {there} bytes arrived of {expected}")


def _pieces(response: requests.Response, chunk_bytes: int) -> Iterator[bytes]:
    read: Callable[[int], bytes] | None = getattr(response.raw, "read1", None)
    packed = "Transfer-Encoding" in response.headers or is_encoded(response.headers)
    if packed or read is None:
        yield from response.iter_content(chunk_bytes)
        return
    while piece := read(chunk_bytes):
        yield piece
