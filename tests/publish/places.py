"""Small datasets, and stores that show what is really in them: a folder, S3, WebDAV (wsgidav)."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from cheroot import wsgi
from moto.backends import get_backend
from moto.core import DEFAULT_ACCOUNT_ID
from wsgidav.wsgidav_app import WsgiDAVApp

from alos2.publish.model import PublishOptions
from alos2.publish.target import Target, target_of
from publish.options import OPTIONS, PASSWORD, USER

ID = "ALOS2043672900-150315-FBDR2.1GUA"


def make_dataset(
    out: Path,
    *,
    dataset_id: str = ID,
    content: bytes = b"product",
    created: str = "2026-11-20T12:00:00.000000Z",
    large: int = 0,
    tiles: int = 5,
) -> Path:
    """Write what a dataset has, with checksums that are right; `large` bytes more in the zip."""
    folder = out / dataset_id
    folder.mkdir(parents=True)
    blob = content + hashlib.sha256(content).digest() * (large // 32)
    files = {
        f"{dataset_id}.zip": blob,
        f"IMG-HH-{dataset_id}_disp.browse.png": b"large picture " + content,
        f"IMG-HH-{dataset_id}_disp.browse_small.png": b"small picture " + content,
        "tiles/HH.tilejson.json": b"{}",
        "empty.txt": b"",
    }
    met = {"prod_name": dataset_id, "created": created, "orbit": "04367"}
    dataset = {"version": "v1.0", "label": dataset_id, "creation_timestamp": created}
    files[f"{dataset_id}.met.json"] = json.dumps(met).encode()
    files[f"{dataset_id}.dataset.json"] = json.dumps(dataset).encode()
    assets = {
        "dataset": f"{dataset_id}.dataset.json",
        "met": f"{dataset_id}.met.json",
        "product": f"{dataset_id}.zip",
        "overview-HH": f"IMG-HH-{dataset_id}_disp.browse.png",
    }
    item = {
        "id": dataset_id,
        "properties": {"created": created},
        "assets": {
            key: {
                "href": f"./{name}",
                "file:size": len(files[name]),
                "file:checksum": "1220" + hashlib.sha256(files[name]).hexdigest(),
            }
            for key, name in assets.items()
        },
    }
    files[f"{dataset_id}.stac.json"] = json.dumps(item).encode()
    for n in range(tiles):
        files[f"tiles/HH/{n}/0/{n}.png"] = b"tile %d " % n + content
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    """All files of a folder; empty where there is none."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


class Place:
    """A store in a test: where it is, and what is really in it."""

    kind: str
    target: Target
    options = OPTIONS

    def read(self, dataset_id: str = ID) -> dict[str, bytes]:
        """Return all files of a published dataset."""
        raise NotImplementedError

    def write(self, name: str, data: bytes, dataset_id: str = ID) -> None:
        """Change a file behind everybody's back."""
        raise NotImplementedError

    def leftovers(self) -> list[str]:
        """Name everything that is no part of a published dataset."""
        raise NotImplementedError

    def forced(self) -> PublishOptions:
        return replace(self.options, force=True)


class FolderPlace(Place):
    kind = "folder"

    def __init__(self, root: Path) -> None:
        self.root = root
        self.target = target_of(str(root))

    def read(self, dataset_id: str = ID) -> dict[str, bytes]:
        return contents(self.root / dataset_id)

    def write(self, name: str, data: bytes, dataset_id: str = ID) -> None:
        (self.root / dataset_id / name).parent.mkdir(parents=True, exist_ok=True)
        (self.root / dataset_id / name).write_bytes(data)

    def leftovers(self) -> list[str]:
        if not self.root.exists():
            return []
        return sorted(p.name for p in self.root.iterdir() if p.name.startswith("."))


class DavPlace(FolderPlace):
    kind = "dav"

    def __init__(self, root: Path, url: str) -> None:
        super().__init__(root)
        self.target = target_of(url)
        self.url = url


class S3Place(Place):
    kind = "s3"

    def __init__(self, client: Any, endpoint: str, bucket: str) -> None:
        self.client = client
        self.bucket = bucket
        host = endpoint.removeprefix("http://")
        self.url = f"s3://{host}/{bucket}/arch"
        self.target = target_of(self.url)

    def objects(self) -> dict[str, bytes]:
        """Return what the service holds in memory: it runs in this process."""
        backend = get_backend("s3")[DEFAULT_ACCOUNT_ID]["aws"]
        return {name: key.value for name, key in backend.buckets[self.bucket].keys.items()}

    def read(self, dataset_id: str = ID) -> dict[str, bytes]:
        prefix = f"arch/{dataset_id}/"
        return {k[len(prefix) :]: v for k, v in self.objects().items() if k.startswith(prefix)}

    def write(self, name: str, data: bytes, dataset_id: str = ID) -> None:
        self.client.put_object(Bucket=self.bucket, Key=f"arch/{dataset_id}/{name}", Body=data)

    def leftovers(self) -> list[str]:
        uploads = self.client.list_multipart_uploads(Bucket=self.bucket).get("Uploads", [])
        hidden = [k for k in self.objects() if "/." in k]
        return sorted([*hidden, *(f"upload of {u['Key']}" for u in uploads)])


class DavServer:
    """wsgidav over a folder, with a login; `hook` may answer first, or change what is there."""

    def __init__(self, root: Path, *, digest: bool = False, anonymous: bool = False) -> None:
        root.mkdir(parents=True, exist_ok=True)
        users: Any = {"*": True if anonymous else {USER: {"password": PASSWORD}}}
        app = WsgiDAVApp(
            {
                "provider_mapping": {"/dav": str(root)},
                "simple_dc": {"user_mapping": users},
                "http_authenticator": {
                    "accept_basic": not digest,
                    "accept_digest": digest,
                    "default_to_digest": digest,
                },
                "verbose": 0,
                "logging": {"enable": False},
                "property_manager": True,
                "lock_storage": True,
            }
        )
        self.hook: Callable[[dict[str, Any], Any], Any] | None = None
        self.seen: list[str] = []
        self.logins: list[str] = []

        def guarded(environ: dict[str, Any], start_response: Any) -> Any:
            self.seen.append(f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}")
            self.logins.append(environ.get("HTTP_AUTHORIZATION", "").partition(" ")[0])
            answer = self.hook(environ, start_response) if self.hook else None
            return app(environ, start_response) if answer is None else answer

        self._server = wsgi.Server(("127.0.0.1", 0), guarded, numthreads=8)
        self._server.prepare()
        self._thread = threading.Thread(target=self._server.serve, daemon=True)
        self._thread.start()
        self.place = DavPlace(root / "arch", f"dav://127.0.0.1:{self.port}/dav/arch")

    @property
    def port(self) -> int:
        return int(self._server.bind_addr[1])

    def close(self) -> None:
        self._server.stop()
        self._thread.join(10)


def answer(status: str, body: bytes = b"", **headers: str) -> Callable[[Any, Any], list[bytes]]:
    """Answer a request by `status`, whatever it was."""

    def respond(environ: Any, start_response: Any) -> list[bytes]:
        # Read what was sent, or the client would see a broken connection instead.
        left = int(environ.get("CONTENT_LENGTH") or 0)
        while left > 0 and (chunk := environ["wsgi.input"].read(min(left, 65536))):
            left -= len(chunk)
        start_response(status, [("Content-Length", str(len(body))), *headers.items()])
        return [body]

    return respond
