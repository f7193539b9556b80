"""What goes wrong on the way: each fault has its words and its exit code, and leaves nothing."""

from __future__ import annotations

import logging
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import requests
import trustme
from botocore.exceptions import ClientError
from cheroot import wsgi
from cheroot.ssl.builtin import BuiltinSSLAdapter

from alos2.dataset.locks import FileLock
from alos2.errors import Alos2Error, NoResource, NoSpace, PublishFailed, UsageError
from alos2.publish import s3 as s3store
from alos2.publish import s3bucket
from alos2.publish.davauth import authentication
from alos2.publish.engine import publish
from alos2.publish.target import target_of
from alos2.types import no_login
from publish.options import OPTIONS, PASSWORD, USER, login
from publish.places import ID, DavServer, FolderPlace, S3Place, answer, contents, make_dataset


def once(status: str, method: str, suffix: str = "", times: int = 1) -> Callable[..., Any]:
    """Answer the first requests of a kind by `status`, then let them through."""
    left = times

    def hook(environ: dict[str, Any], start_response: Any) -> Any:
        nonlocal left
        if environ["REQUEST_METHOD"] != method or not environ["PATH_INFO"].endswith(suffix):
            return None
        if left == 0:
            return None
        left -= 1
        return answer(status)(environ, start_response)

    return hook


def always(status: str, method: str, suffix: str = "") -> Callable[..., Any]:
    return once(status, method, suffix, times=-1)


DAV_FAULTS = [
    ("403 Forbidden", "PUT", ".zip", PublishFailed, "refuses PUT .*: status 403", 7),
    ("413 Too Large", "PUT", ".zip", PublishFailed, "limits the size of a file", 7),
    ("423 Locked", "PUT", ".zip", PublishFailed, "has locked it", 7),
    ("507 Insufficient Storage", "PUT", ".zip", NoSpace, "has no space left", 9),
    ("503 Busy", "PUT", ".zip", NoResource, "is too busy", 9),
    ("500 Oops", "PUT", "/1.png", PublishFailed, "status 500", 7),
    ("301 Moved", "PUT", ".zip", PublishFailed, "elsewhere .* final URL", 7),
    ("403 Forbidden", "MKCOL", "", PublishFailed, "status 403", 7),
    ("403 Forbidden", "MOVE", "", PublishFailed, "status 403", 7),
    ("502 Bad Gateway", "MOVE", "", PublishFailed, "status 502", 7),
    ("405 No", "PROPFIND", "", PublishFailed, "check that the URL is a WebDAV folder", 7),
    ("207 Multi-Status", "PROPFIND", "", PublishFailed, "does not answer as a WebDAV", 7),
]


@pytest.mark.parametrize("fault", DAV_FAULTS, ids=lambda fault: f"{fault[1]} {fault[0]}")
def test_dav_each_refusal_has_its_words(
    dav: DavServer, dataset: Path, fault: tuple[str, str, str, type[Alos2Error], str, int]
) -> None:
    status, method, suffix, kind, words, code = fault
    dav.hook = always(status, method, suffix)
    with pytest.raises(kind, match=words) as caught:
        publish(dataset, dav.place.target, dav.place.options)
    assert type(caught.value) is kind
    assert caught.value.exit_code == code
    assert PASSWORD not in str(caught.value)
    dav.hook = None
    assert dav.place.read() == {}
    assert dav.place.leftovers() == []


@pytest.mark.parametrize("status", ["503 Busy", "502 Bad Gateway", "429 Slow down"])
@pytest.mark.parametrize("method", ["PUT", "PROPFIND", "GET", "DELETE"])
def test_dav_passing_faults_pass(dav: DavServer, dataset: Path, status: str, method: str) -> None:
    dav.hook = once(status, method, times=2)
    assert publish(dataset, dav.place.target, dav.place.options).status == "new"
    assert dav.place.read() == contents(dataset)
    assert dav.place.leftovers() == []


def test_dav_a_wrong_password_and_none(dav: DavServer, dataset: Path) -> None:
    wrong = replace(OPTIONS, logins=login(password="wrong-one-8"))
    with pytest.raises(PublishFailed, match="does not accept the login") as caught:
        publish(dataset, dav.place.target, wrong)
    assert "wrong-one-8" not in str(caught.value)
    with pytest.raises(PublishFailed, match="wants a login, and there is none"):
        publish(dataset, dav.place.target, replace(OPTIONS, logins=no_login))
    assert dav.place.read() == {}


def test_dav_digest_sends_no_password_and_each_file_once(tmp_path: Path, dataset: Path) -> None:
    server = DavServer(tmp_path / "dav", digest=True)
    try:
        place = server.place
        assert publish(dataset, place.target, place.options).status == "new"
        assert place.read() == contents(dataset)
        assert "Basic" not in server.logins
        puts = [seen for seen in server.seen if seen.startswith("PUT") and seen.endswith(".zip")]
        assert len(puts) == 1, "a large body must not be sent for a challenge"
        assert publish(dataset, place.target, place.options).status == "unchanged"
    finally:
        server.close()


def test_dav_without_a_login_nothing_is_sent_unasked(
    tmp_path: Path, dataset: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """requests would send what a netrc says to whoever has that name, asked or not."""
    (tmp_path / "netrc").write_text(f"machine 127.0.0.1 login {USER} password {PASSWORD}\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    server = DavServer(tmp_path / "dav", anonymous=True)
    try:
        options = replace(OPTIONS, logins=no_login)
        assert publish(dataset, server.place.target, options).status == "new"
        assert set(server.logins) == {""}
    finally:
        server.close()


def test_dav_no_open_password_over_a_network() -> None:
    asked = requests.Response()
    asked.status_code = 401
    asked.headers["WWW-Authenticate"] = 'Basic realm="x"'
    with pytest.raises(PublishFailed, match="connection that is not encrypted"):
        authentication(asked, login(), "dav.example.org", is_open=True)
    assert authentication(asked, login(), "dav.example.org", is_open=False)
    assert authentication(asked, login(), "localhost", is_open=True)
    asked.headers["WWW-Authenticate"] = "Negotiate"
    with pytest.raises(PublishFailed, match="neither Basic nor Digest"):
        authentication(asked, login(), "dav.example.org", is_open=False)


@pytest.mark.parametrize("pretends", [True, False])
def test_dav_a_server_that_lists_one_folder_at_a_time(
    dav: DavServer, dataset: Path, *, pretends: bool
) -> None:
    """Many refuse ``Depth: infinity``; some take it for 1 without a word."""

    def hook(environ: dict[str, Any], start_response: Any) -> Any:
        if environ.get("HTTP_DEPTH") != "infinity" or environ["REQUEST_METHOD"] != "PROPFIND":
            return None
        if pretends:
            environ["HTTP_DEPTH"] = "1"
            return None
        return answer("403 Forbidden")(environ, start_response)

    dav.hook = hook
    assert publish(dataset, dav.place.target, dav.place.options).status == "new"
    assert publish(dataset, dav.place.target, dav.place.options).status == "unchanged"
    dav.place.write("tiles/HH/4/0/new.png", b"x")
    with pytest.raises(Alos2Error, match=r"new\.png is there and not here"):
        publish(dataset, dav.place.target, dav.place.options)


@pytest.mark.parametrize(("cut", "words"), [(True, "bytes at"), (False, "reads back other")])
def test_dav_what_arrives_damaged_is_taken_away(
    dav: DavServer, dataset: Path, *, cut: bool, words: str
) -> None:
    def hook(environ: dict[str, Any], start_response: Any) -> Any:
        if environ["REQUEST_METHOD"] == "PUT" and environ["PATH_INFO"].endswith("/2.png"):
            data = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
            data = data[:-1] if cut else data[:-1] + b"?"
            environ["wsgi.input"], environ["CONTENT_LENGTH"] = _Body(data), str(len(data))
        return None

    dav.hook = hook
    with pytest.raises(PublishFailed, match=words):
        publish(dataset, dav.place.target, dav.place.options)
    assert dav.place.read() == {}
    assert dav.place.leftovers() == []


class _Body:
    def __init__(self, data: bytes) -> None:
        self.data = data

    def read(self, size: int = -1) -> bytes:
        size = len(self.data) if size < 0 else size
        part, self.data = self.data[:size], self.data[size:]
        return part


def test_dav_a_lost_answer_to_the_last_rename_is_no_failure(dav: DavServer, dataset: Path) -> None:
    def hook(environ: dict[str, Any], start_response: Any) -> Any:
        if environ["REQUEST_METHOD"] != "MOVE":
            return None
        name = environ["PATH_INFO"].rpartition("/")[2]
        (dav.place.root / name).rename(dav.place.root / ID)
        return answer("502 Bad Gateway")(environ, start_response)

    dav.hook = hook
    assert publish(dataset, dav.place.target, dav.place.options).status == "new"
    assert dav.place.read() == contents(dataset)


def test_dav_who_loses_the_race_for_the_name_finds_the_winner_untouched(
    dav: DavServer, dataset: Path, other: Path
) -> None:
    """Another program, which knows nothing of our markers, was quicker."""

    def hook(environ: dict[str, Any], start_response: Any) -> Any:
        if environ["REQUEST_METHOD"] == "MOVE" and not (dav.place.root / ID).exists():
            dav.place.write("theirs.txt", b"theirs")
        return None

    dav.hook = hook
    with pytest.raises(Alos2Error, match="somebody else has put something"):
        publish(dataset, dav.place.target, dav.place.options)
    assert dav.place.read() == {"theirs.txt": b"theirs"}
    assert dav.place.leftovers() == []


def test_dav_a_file_in_the_way(dav: DavServer, dataset: Path) -> None:
    dav.place.root.mkdir()
    (dav.place.root / ID).write_bytes(b"a file")
    with pytest.raises(Alos2Error, match="is in the way: it is no folder"):
        publish(dataset, dav.place.target, dav.place.forced())
    assert (dav.place.root / ID).read_bytes() == b"a file"


@pytest.fixture
def secure(tmp_path: Path) -> Iterator[tuple[int, Path]]:
    """A server with a certificate of an authority of its own: its port, the authority's file."""
    authority = trustme.CA()
    chain, ca = tmp_path / "server.pem", tmp_path / "ca.pem"
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(chain)
    authority.cert_pem.write_to_path(ca)
    server = wsgi.Server(("127.0.0.1", 0), answer("403 Forbidden"))
    server.ssl_adapter = BuiltinSSLAdapter(str(chain), str(chain))
    server.error_log = lambda *_, **__: None  # type: ignore[method-assign]
    server.prepare()
    thread = threading.Thread(target=server.serve, daemon=True)
    thread.start()
    yield int(server.bind_addr[1]), ca
    server.stop()
    thread.join(10)


@pytest.mark.parametrize("scheme", ["davs", "s3s"])
def test_a_certificate_is_checked_and_an_authority_can_be_named(
    secure: tuple[int, Path],
    scheme: str,
    dataset: Path,
    s3: S3Place,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    port, ca = secure
    target = target_of(f"{scheme}://127.0.0.1:{port}/room/arch")
    with pytest.raises(PublishFailed, match="its certificate is not trusted") as caught:
        publish(dataset, target, OPTIONS)
    assert caught.value.exit_code == 7
    for name in ("REQUESTS_CA_BUNDLE", "AWS_CA_BUNDLE"):
        monkeypatch.setenv(name, str(ca))
    with pytest.raises(PublishFailed, match=r"403|forbids it"):
        publish(dataset, target, OPTIONS)


def _closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("davs://nowhere.invalid/room", "nowhere.invalid cannot be reached: the host's name"),
        ("s3s://nowhere.invalid:444/bucket/room", "cannot be reached: the host's name"),
        ("dav://127.0.0.1:{port}/room", "cannot be reached: connection refused"),
        ("s3://127.0.0.1:{port}/bucket/room", "cannot be reached: connection refused"),
    ],
)
def test_hosts_that_are_not_there(dataset: Path, s3: S3Place, url: str, words: str) -> None:
    target = target_of(url.format(port=_closed_port()).replace("{id}", ""))
    with pytest.raises(PublishFailed, match=words) as caught:
        publish(dataset, target, replace(OPTIONS, retries=0))
    assert caught.value.exit_code == 7


def test_s3_a_bucket_that_does_not_exist(s3: S3Place, dataset: Path) -> None:
    target = target_of(s3.url.replace(s3.bucket, "no-such-bucket"))
    with pytest.raises(PublishFailed, match=r"bucket no-such-bucket .* does not exist") as caught:
        publish(dataset, target, OPTIONS)
    assert caught.value.exit_code == 7


def test_s3_without_credentials(
    s3: S3Place, dataset: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(PublishFailed, match="there are no credentials"):
        publish(dataset, s3.target, OPTIONS)


S3_FAULTS = [
    (403, "AccessDenied", PublishFailed, "forbids it .AccessDenied"),
    (403, "InvalidAccessKeyId", PublishFailed, "does not accept the credentials"),
    (403, "Strange", PublishFailed, "forbids it .Strange"),
    (400, "ExpiredToken", PublishFailed, "does not accept the credentials"),
    (400, "BadDigest", PublishFailed, "did not get what was read"),
    (301, "PermanentRedirect", PublishFailed, "is in another region"),
    (507, "XMinioStorageFull", NoSpace, "has no space left"),
    (503, "SlowDown", NoResource, "is too busy"),
    (418, "Teapot", PublishFailed, "answers 418 Teapot: the pot said so"),
]


@pytest.mark.parametrize("fault", S3_FAULTS, ids=lambda fault: fault[1])
def test_s3_each_refusal_has_its_words(
    s3: S3Place, dataset: Path, fault: tuple[int, str, type[Alos2Error], str]
) -> None:
    status, code, kind, words = fault
    body = f"<Error><Code>{code}</Code><Message>the pot said so</Message></Error>".encode()

    def app(environ: Any, start_response: Any) -> Any:
        # boto3 itself asks by HEAD where a bucket is that it was sent away from.
        is_question = environ["REQUEST_METHOD"] == "HEAD" and status == 301
        told = answer("404 No") if is_question else answer(f"{status} No", body)
        return told(environ, start_response)

    server = wsgi.Server(("127.0.0.1", 0), app)
    server.prepare()
    thread = threading.Thread(target=server.serve, daemon=True)
    thread.start()
    try:
        target = target_of(f"s3://127.0.0.1:{server.bind_addr[1]}/bucket/room")
        with pytest.raises(kind, match=words) as caught:
            publish(dataset, target, replace(OPTIONS, retries=0))
        assert type(caught.value) is kind
        assert caught.value.exit_code == (7 if kind is PublishFailed else 9)
        assert "testing-secret-key" not in repr(caught.value)
    finally:
        server.stop()
        thread.join(10)


def test_s3_what_the_store_damages_is_seen_and_taken_away(
    s3: S3Place, dataset: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A store that answers with another entity tag than our MD5 is read back."""
    plain = s3bucket.Bucket._under_condition

    def damaging(self: Any, send: Any, key: str, entry: Any, over: Any) -> bool:
        done = plain(self, send, key, entry, over)
        if key.endswith("/2.png"):
            s3.write("tiles/HH/2/0/2.png", b"damaged here..")
            return False
        return done

    monkeypatch.setattr(s3bucket.Bucket, "_under_condition", damaging)
    with pytest.raises(PublishFailed, match="reads back other than it was sent"):
        publish(dataset, s3.target, s3.options)
    assert s3.read() == {}
    assert s3.leftovers() == []


def test_s3_objects_without_our_entity_tags_are_compared_by_content(
    s3: S3Place, dataset: Path
) -> None:
    """As other tools put them there, in parts of another size."""
    data = contents(dataset)
    for name, value in data.items():
        if name != f"{ID}.zip":
            s3.write(name, value)
    key = {"Bucket": s3.bucket, "Key": f"arch/{ID}/{ID}.zip"}
    upload = s3.client.create_multipart_upload(**key)["UploadId"]
    part = s3.client.upload_part(**key, UploadId=upload, PartNumber=1, Body=data[f"{ID}.zip"])
    s3.client.complete_multipart_upload(
        **key,
        UploadId=upload,
        MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]},
    )
    assert s3.client.head_object(**key)["ETag"].endswith('-1"')
    assert publish(dataset, s3.target, s3.options).status == "unchanged"


def test_s3_a_service_without_conditions(
    s3: S3Place, dataset: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = s3store.new_client

    class Old:
        """A client of a service that answers NotImplemented to conditional writes."""

        def __init__(self, client: Any) -> None:
            self._client = client

        def __getattr__(self, name: str) -> Any:
            return getattr(self._client, name)

        def put_object(self, **told: Any) -> Any:
            if {"IfMatch", "IfNoneMatch"} & told.keys():
                error = {"Error": {"Code": "NotImplemented", "Message": "A header is not known"}}
                raise ClientError(error, "PutObject")
            return self._client.put_object(**told)

    monkeypatch.setattr(s3store, "new_client", lambda *told: Old(real(*told)))
    assert publish(dataset, s3.target, s3.options).status == "new"
    assert s3.read() == contents(dataset)
    assert s3.leftovers() == []


def test_without_boto3_the_extra_is_named(dataset: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "botocore.config", None)
    with pytest.raises(UsageError, match=r"pip install 'alos2-ingest\[s3\]'") as caught:
        publish(dataset, target_of("s3://bucket/room"), OPTIONS)
    assert caught.value.exit_code == 2


def test_a_full_disk_leaves_nothing(tmp_path: Path) -> None:
    """A limit on the size of files stands in for it: the system says so at the same place."""
    large = make_dataset(tmp_path / "mine", large=3 << 20)
    script = (
        "import resource, signal, sys\n"
        "from pathlib import Path\n"
        "from alos2.errors import NoSpace\n"
        "from alos2.publish.engine import publish\n"
        "from alos2.publish.model import PublishOptions\n"
        "from alos2.publish.target import target_of\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))\n"
        "try:\n"
        "    publish(Path(sys.argv[1]), target_of(sys.argv[2]), PublishOptions())\n"
        "except NoSpace as error:\n"
        "    sys.exit(f'{error.exit_code} {error}')\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", script, str(large), str(tmp_path / "out" / "deep")],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert run.stderr.startswith("9 no space left while writing"), run.stderr
    assert not (tmp_path / "out").exists()


def test_a_folder_that_cannot_be_written(folder: FolderPlace, dataset: Path) -> None:
    folder.root.parent.mkdir(parents=True)
    folder.root.write_bytes(b"a file, not a folder")
    with pytest.raises(NoResource, match="cannot be"):
        publish(dataset, folder.target, replace(folder.options, patience_s=0.0))
    assert folder.root.read_bytes() == b"a file, not a folder"


def test_a_link_or_file_at_the_place_is_not_touched(
    folder: FolderPlace, dataset: Path, tmp_path: Path
) -> None:
    folder.root.mkdir(parents=True)
    (tmp_path / "elsewhere").mkdir()
    (folder.root / ID).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(Alos2Error, match="is in the way: it is no folder"):
        publish(dataset, folder.target, folder.forced())
    assert (folder.root / ID).is_symlink()
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_a_folder_that_is_the_dataset_itself_is_unchanged(dataset: Path) -> None:
    before = contents(dataset)
    target = target_of(str(dataset.parent))
    done = publish(dataset, target, replace(OPTIONS, force=True))
    assert done.status == "unchanged"
    assert contents(dataset) == before


def test_an_ingest_into_the_same_folder_is_waited_for(folder: FolderPlace, dataset: Path) -> None:
    folder.root.mkdir(parents=True)
    lock = FileLock(folder.root / f".{ID}.lock", "x")
    with lock, pytest.raises(NoResource, match="is being written by another run"):
        publish(dataset, folder.target, replace(folder.options, patience_s=0.1))
    assert publish(dataset, folder.target, folder.options).status == "new"


def test_no_secret_in_the_logs(
    dav: DavServer, s3: S3Place, dataset: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        publish(dataset, dav.place.target, dav.place.options)
        publish(dataset, s3.target, s3.options)
        dav.hook = always("507 Full", "PUT")
        other = make_dataset(dataset.parent.parent / "x", content=b"other")
        with pytest.raises(NoSpace):
            publish(other, dav.place.target, dav.place.forced())
    text = caplog.text
    assert "new at" in text
    for secret in (PASSWORD, "testing-secret-key", "Signature="):
        assert secret not in text
