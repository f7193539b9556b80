"""Why a connection failed: found however deep it is hidden, and told without the URL."""

from __future__ import annotations

import errno
import socket
import ssl

import pytest
from botocore.exceptions import EndpointConnectionError
from requests import ConnectionError as RequestsConnectionError
from urllib3.exceptions import IncompleteRead, MaxRetryError
from urllib3.exceptions import SSLError as Urllib3SSLError

from alos2.causes import cause_of, causes_of, is_wrong_pin

URL = "https://me:s3cret-word@example.org/x?token=s3cret-word"


def in_requests(cause: Exception) -> Exception:
    """As requests wraps what urllib3 wraps: in a reason, in an argument."""
    return RequestsConnectionError(MaxRetryError(None, URL, cause))  # type: ignore[arg-type]


def untrusted() -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError(1, "certificate verify failed")
    error.verify_message = "self-signed certificate"
    return error


@pytest.mark.parametrize(
    ("cause", "said"),
    [
        (socket.gaierror(-2, "Name or service not known"), "the host's name is not known"),
        (TimeoutError(f"read {URL}"), "it took too long"),
        (IncompleteRead(10, 90), "10 bytes arrived, 90 more were promised"),
        (untrusted(), "its certificate is not trusted: self-signed certificate"),
        (
            Urllib3SSLError('Fingerprints did not match. Expected "a", got "b"'),
            "its certificate is not the one whose fingerprint is given",
        ),
        (ConnectionRefusedError(errno.ECONNREFUSED, "x"), "connection refused"),
        (OSError(f"no number {URL}"), "ConnectionError"),
    ],
)
def test_what_is_said(cause: Exception, said: str) -> None:
    assert cause_of(in_requests(cause)) == said
    assert is_wrong_pin(cause) == ("fingerprint" in said)


def test_what_botocore_hides() -> None:
    inside = ConnectionResetError(errno.ECONNRESET, "x")
    assert cause_of(EndpointConnectionError(endpoint_url=URL, error=inside)) == (
        "connection reset by peer"
    )


def test_a_circle_ends() -> None:
    one, two = ValueError("1"), ValueError("2")
    one.__cause__, two.__context__ = two, one
    assert list(causes_of(one)) == [one, two]
    assert cause_of(one) == "ValueError"
