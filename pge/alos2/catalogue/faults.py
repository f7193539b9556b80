"""Whether anything had been sent when a connection failed."""

from __future__ import annotations

import ssl

import requests

from alos2.causes import causes_of, is_wrong_pin


def was_unsent(error: requests.RequestException) -> bool:
    """Whether there was no connection, so that the server cannot have heard of the request.

    Where that is not certain, it is taken that the server has.
    """
    if isinstance(error, requests.ConnectTimeout):
        return True
    if isinstance(error, requests.exceptions.SSLError):
        return any(
            isinstance(e, ssl.SSLCertVerificationError) or is_wrong_pin(e) for e in causes_of(error)
        )
    names = {type(e).__name__ for e in causes_of(error)}
    return bool(names & {"NewConnectionError", "NameResolutionError"})
