"""File servers with faults, TLS of our own, and a whole zip to fetch."""

from __future__ import annotations

import io
import os
import ssl
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

sys.path.insert(0, str(Path(__file__).parents[1]))

from alos2.sources import TransferOptions
from alos2.sources.credentials.refused import forget
from fakes.file_server import FileServer
from fakes.range_server import RangeServer


def make_zip(members: dict[str, bytes], comment: bytes = b"") -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name), data)
        archive.comment = comment
    return buffer.getvalue()


@pytest.fixture(scope="session")
def whole_zip() -> bytes:
    """200 KB that do not compress: more than one look at the beginning."""
    return make_zip({"summary.txt": b'Odi_SceneId="X"\n', "IMG": os.urandom(200_000)})


@pytest.fixture
def server() -> Iterator[FileServer]:
    with FileServer() as running:
        yield running


@pytest.fixture(scope="session")
def other_zip(whole_zip: bytes) -> bytes:
    """Another state of the same object, as long as the first."""
    other = make_zip({"summary.txt": b'Odi_SceneId="Y"\n', "IMG": os.urandom(200_000)})
    assert len(other) == len(whole_zip)
    return other


@pytest.fixture
def ranges() -> Iterator[RangeServer]:
    with RangeServer() as running:
        yield running


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def tls_server(authority: trustme.CA) -> Iterator[FileServer]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    with FileServer(context) as running:
        yield running


@pytest.fixture
def trusted(authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make the tests' authority known the way a user would."""
    bundle = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(bundle))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(bundle))
    return bundle


@pytest.fixture
def quick() -> TransferOptions:
    """Little patience, so that faults take no time."""
    return TransferOptions(
        connect_s=2.0,
        stall_s=0.4,
        retries=2,
        backoff_s=0.01,
        chunk_bytes=16_384,
        overlap_bytes=16_384,
        margin_bytes=0,
    )


@pytest.fixture
def work(tmp_path: Path) -> Path:
    return tmp_path / "work"


@pytest.fixture(autouse=True)
def _no_user_accounts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NETRC", str(tmp_path / "no-netrc"))
    monkeypatch.setenv("ALOS2_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    forget()
