"""Datasets and stores to publish them to."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from moto.server import ThreadedMotoServer

from publish.places import DavServer, FolderPlace, Place, S3Place, make_dataset


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    return make_dataset(tmp_path / "mine")


@pytest.fixture
def other(tmp_path: Path) -> Path:
    """Another dataset of the same id: other content, one tile less, one file more."""
    folder = make_dataset(tmp_path / "other", content=b"another product", tiles=4)
    (folder / "extra.txt").write_bytes(b"extra")
    return folder


@pytest.fixture
def again(tmp_path: Path) -> Path:
    """The same product, made at another time."""
    return make_dataset(tmp_path / "again", created="2026-11-21T09:00:00.500000Z")


@pytest.fixture
def both(dataset: Path, other: Path) -> tuple[Path, Path]:
    return dataset, other


@pytest.fixture(scope="session")
def s3_endpoint() -> Iterator[str]:
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def s3(s3_endpoint: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> S3Place:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing-secret-key")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name in ("AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    client = boto3.client("s3", endpoint_url=s3_endpoint, region_name="us-east-1")
    bucket = "b" + hashlib.sha256(str(tmp_path).encode()).hexdigest()[:20]
    client.create_bucket(Bucket=bucket)
    return S3Place(client, s3_endpoint, bucket)


@pytest.fixture
def dav(tmp_path: Path) -> Iterator[DavServer]:
    server = DavServer(tmp_path / "dav")
    yield server
    server.close()


@pytest.fixture
def folder(tmp_path: Path) -> FolderPlace:
    return FolderPlace(tmp_path / "archive" / "deep")


@pytest.fixture(params=["folder", "s3", "dav"])
def place(request: pytest.FixtureRequest) -> Place:
    found = request.getfixturevalue(request.param)
    return found.place if isinstance(found, DavServer) else found
