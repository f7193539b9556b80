"""S3, against moto behind a door with faults: what is resumed, signed, tried again and refused."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from alos2.errors import LoginFailed, NothingFound, TransferFailed, UsageError
from alos2.sources import TransferOptions, fetch
from alos2.sources.remote import Changed, Passing, Validator
from alos2.sources.s3 import S3Remote
from fakes.s3_server import BUCKET, S3Server

URL = f"s3://{BUCKET}/orders/x.zip"
SECRET = "secret-Horse/9-of-the-key"
TOKEN = "session-token-0123456789"


@pytest.fixture
def quick(quick: TransferOptions) -> TransferOptions:
    """Patient with a busy computer; the tests about silence are not."""
    return replace(quick, connect_s=10.0, stall_s=10.0)


@pytest.fixture(scope="module")
def service() -> Iterator[S3Server]:
    with S3Server() as running:
        yield running


@pytest.fixture
def s3(service: S3Server, whole_zip: bytes, monkeypatch: pytest.MonkeyPatch) -> S3Server:
    service.faults.__init__()  # type: ignore[misc]
    service.put("orders/x.zip", whole_zip)
    service.seen.clear()
    monkeypatch.setenv("ALOS2_S3_ENDPOINT_URL", service.url)
    return service


@pytest.fixture(autouse=True)
def _aws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of this computer's AWS settings."""
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "aws-config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "aws-credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name in ("PROFILE", "REGION", "DEFAULT_REGION", "ENDPOINT_URL", "ENDPOINT_URL_S3"):
        monkeypatch.delenv(f"AWS_{name}", raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDENVIRONMENT")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)


def signer(s3: S3Server) -> str:
    """Return the id of the access key of the last request."""
    return s3.seen[-1][2].get("authorization", "").partition("Credential=")[2].partition("/")[0]


def test_whole_object(s3: S3Server, work: Path, quick: TransferOptions, whole_zip: bytes) -> None:
    got = fetch(URL, work, options=quick)
    assert got.path == work / "x.zip"
    assert got.path.read_bytes() == whole_zip
    assert got.sha256 == hashlib.sha256(whole_zip).hexdigest()
    assert got.url == URL
    assert s3.gets() == [""]
    assert signer(s3) == "AKIDENVIRONMENT"


def test_cut_transfers_are_continued(
    s3: S3Server, work: Path, quick: TransferOptions, whole_zip: bytes
) -> None:
    s3.faults.cut_at = [70_000, 60_000]
    got = fetch(URL, work, options=quick)
    assert got.path.read_bytes() == whole_zip
    first, *rest = s3.gets()
    assert first == ""
    begins = [int(text.removeprefix("bytes=").removesuffix("-")) for text in rest]
    assert 0 < begins[0] <= 70_000 < begins[1] <= 130_000
    etag = f'"{hashlib.md5(whole_zip, usedforsecurity=False).hexdigest()}"'
    assert [headers.get("if-match") for _, _, headers in s3.seen] == [None, etag, etag]


def test_changed_object_begins_anew(
    s3: S3Server, work: Path, quick: TransferOptions, other_zip: bytes
) -> None:
    s3.faults.cut_at = [80_000, 0, 0]
    with pytest.raises(TransferFailed) as caught:
        fetch(URL, work, options=replace(quick, renew_bytes=1 << 20))
    assert "are kept" in caught.value.hint
    s3.put("orders/x.zip", other_zip)
    got = fetch(URL, work, options=quick)
    assert got.path.read_bytes() == other_zip
    assert s3.gets()[-1] == ""


def test_named_version(
    s3: S3Server, work: Path, quick: TransferOptions, whole_zip: bytes, other_zip: bytes
) -> None:
    version = s3.put("orders/x.zip", whole_zip)
    s3.put("orders/x.zip", other_zip)
    got = fetch(f"{URL}?versionId={version}", work, options=quick)
    assert got.path.read_bytes() == whole_zip
    assert got.url == f"{URL}?versionId={version}"
    with pytest.raises(NothingFound):
        fetch(f"{URL}?versionId=00000000-0000-0000-0000-000000000000", work, options=quick)


def test_version_in_the_place_of_an_etag(s3: S3Server, other_zip: bytes) -> None:
    s3.faults.no_etag = True
    remote = S3Remote(URL)
    with remote.open(0, None) as reply:
        now = reply.validator
    assert now is not None
    assert now.kind == "version"
    with remote.open(9, now) as reply:
        assert reply.offset == 9
    s3.put("orders/x.zip", other_zip)
    with pytest.raises(Changed), remote.open(9, now):
        pass
    remote.close()


def test_remote_at_and_beyond_the_end(s3: S3Server, whole_zip: bytes) -> None:
    remote = S3Remote(URL)
    with remote.open(len(whole_zip) - 7, None) as reply:
        assert (reply.offset, reply.total) == (len(whole_zip) - 7, len(whole_zip))
        assert b"".join(reply.body) == whole_zip[-7:]
    with pytest.raises(Changed), remote.open(len(whole_zip) + 1, None):
        pass
    with pytest.raises(Changed), remote.open(9, Validator("etag", '"another"')):
        pass
    s3.faults.no_content_range = True
    with pytest.raises(Passing, match="where it begins"), remote.open(9, None):
        pass
    remote.close()


def test_service_that_ignores_ranges(
    s3: S3Server, work: Path, quick: TransferOptions, whole_zip: bytes
) -> None:
    s3.faults.ignore_range = True
    s3.faults.cut_at = [70_000]
    got = fetch(URL, work, options=quick)
    assert got.path.read_bytes() == whole_zip


def test_stall(s3: S3Server, work: Path, quick: TransferOptions) -> None:
    s3.faults.stall_at = 50_000
    with pytest.raises(TransferFailed, match=r"took too long.*2 times in a row"):
        fetch(URL, work, options=replace(quick, retries=1, renew_bytes=1 << 20, stall_s=0.4))


@pytest.mark.parametrize(
    ("status", "code"), [(503, "SlowDown"), (500, "InternalError"), (400, "RequestTimeout")]
)
def test_passing_faults(  # noqa: PLR0917
    s3: S3Server, work: Path, quick: TransferOptions, whole_zip: bytes, status: int, code: str
) -> None:
    s3.faults.answers = [(status, code, {}), (status, code, {"Retry-After": "0"})]
    got = fetch(URL, work, options=quick)
    assert got.path.read_bytes() == whole_zip
    assert len(s3.seen) == 3


def test_service_that_asks_for_patience(s3: S3Server, work: Path, quick: TransferOptions) -> None:
    s3.faults.answers = [(503, "SlowDown", {"Retry-After": "4000"})]
    with pytest.raises(TransferFailed, match="4000 s"):
        fetch(URL, work, options=quick)
    assert len(s3.seen) == 1


@pytest.mark.parametrize(
    ("status", "code", "error", "word"),
    [
        (403, "AccessDenied", LoginFailed, "whose credentials"),
        (403, "InvalidAccessKeyId", LoginFailed, "whose credentials"),
        (400, "ExpiredToken", LoginFailed, "whose credentials"),
        (403, "RequestTimeTooSkewed", TransferFailed, "clock"),
        (403, "InvalidObjectState", TransferFailed, "restored"),
        (404, "NoSuchBucket", NothingFound, "bucket and key"),
        (405, "MethodNotAllowed", NothingFound, "bucket and key"),
        (400, "Odd", TransferFailed, ""),
    ],
)
def test_final_faults(  # noqa: PLR0917
    s3: S3Server,
    work: Path,
    quick: TransferOptions,
    status: int,
    code: str,
    error: type[LoginFailed],
    word: str,
) -> None:
    s3.faults.answers = [(status, code, {})]
    with pytest.raises(error, match=code) as caught:
        fetch(URL, work, options=quick)
    assert word in caught.value.hint
    assert len(s3.seen) == 1


def test_missing_object(s3: S3Server, work: Path, quick: TransferOptions) -> None:
    with pytest.raises(NothingFound, match="NoSuchKey"):
        fetch(f"s3://{BUCKET}/orders/y.zip", work, options=quick)
    assert list(work.glob("*.zip*")) == []


def test_keys_are_written_as_they_are(
    s3: S3Server, work: Path, quick: TransferOptions, whole_zip: bytes
) -> None:
    s3.put("a b/100%25 ñ+.zip", whole_zip)
    got = fetch(f"s3://{BUCKET}/a b/100%25 ñ+.zip", work, options=quick)
    assert got.size == len(whole_zip)


def test_public_bucket_without_credentials(
    s3: S3Server,
    work: Path,
    quick: TransferOptions,
    whole_zip: bytes,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(LoginFailed, match="no AWS credentials were found"):
        fetch(URL, work, options=quick)
    s3.put("open/x.zip", whole_zip, acl="public-read")
    assert fetch(f"s3://{BUCKET}/open/x.zip", work, options=quick).size == len(whole_zip)
    assert all("authorization" not in headers for _, _, headers in s3.seen)


def test_whose_key_signs(
    s3: S3Server,
    work: Path,
    quick: TransferOptions,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "aws-credentials").write_text(
        f"[work]\naws_access_key_id = AKIDAWSFILE\naws_secret_access_key = {SECRET}\n"
    )
    fetch(URL, work / "1", options=quick, credential="work")
    assert signer(s3) == "AKIDAWSFILE"
    file = tmp_path / "accounts.toml"
    file.write_text(f'[lab]\nusername = "AKIDPROFILE"\npassword = "{SECRET}"\ntoken = "{TOKEN}"\n')
    file.chmod(0o600)
    monkeypatch.setenv("ALOS2_CREDENTIALS", str(file))
    fetch(URL, work / "2", options=quick, credential="lab")
    assert signer(s3) == "AKIDPROFILE"
    assert s3.seen[-1][2]["x-amz-security-token"] == TOKEN
    with pytest.raises(UsageError, match="nobody"):
        fetch(URL, work / "3", options=quick, credential="nobody")


def test_no_secret_is_logged(
    s3: S3Server,
    work: Path,
    quick: TransferOptions,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("AWS_SESSION_TOKEN", TOKEN)
    s3.faults.cut_at = [70_000]
    fetch(URL, work, options=quick)
    assert s3.seen[-1][2]["x-amz-security-token"] == TOKEN
    assert SECRET not in caplog.text
    assert TOKEN not in caplog.text
    assert "Signature" not in caplog.text


@pytest.mark.parametrize(
    "url", ["s3://", "s3://bucket-1", "s3://bucket-1/", "s3://bucket-1/folder/", "s3:///key"]
)
def test_urls_that_name_no_object(url: str, work: Path) -> None:
    with pytest.raises(UsageError, match="names no object"):
        fetch(url, work)


def test_endpoint_that_is_none(
    work: Path, quick: TransferOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALOS2_S3_ENDPOINT_URL", "https://user:pass@host")
    with pytest.raises(UsageError, match="ALOS2_S3_ENDPOINT_URL"):
        fetch(URL, work, options=quick)
    monkeypatch.setenv("ALOS2_S3_ENDPOINT_URL", "http://127.0.0.1:1")
    with pytest.raises(TransferFailed, match="no connection: connection refused"):
        fetch(URL, work, options=quick)


def test_missing_package(monkeypatch: pytest.MonkeyPatch, work: Path) -> None:
    monkeypatch.setattr("alos2.sources.extras.has_extra", lambda extra: False)
    with pytest.raises(UsageError, match="boto3") as caught:
        fetch(URL, work)
    assert caught.value.hint == "pip install 'alos2-ingest[s3]'"
