"""A WebDAV server, in the few operations that publishing needs; all faults are errors of ours.

Source: RFC 4918 (methods, status codes, Multi-Status).
"""

from __future__ import annotations

import hashlib
from contextlib import nullcontext
from typing import Final

import requests

from alos2.errors import Alos2Error, PublishFailed
from alos2.publish.davfaults import connection_failed
from alos2.publish.davhttp import DavHttp
from alos2.publish.davxml import PROPFIND_BODY, Listed, parse_multistatus
from alos2.publish.filepart import FilePart
from alos2.publish.model import Entry
from alos2.publish.parallel import stop_if

_CHUNK: Final = 1 << 20
_MADE: Final = frozenset({200, 201, 204, 301, 405})
"""MKCOL: made, or (the last two) there already."""
_NO_PARENT: Final = frozenset({404, 409})


class DavClient(DavHttp):
    """The operations; names are paths below the client's folder, or begin with a slash."""

    def list(self, name: str, depth: str) -> dict[str, Listed] | None:
        """Return what PROPFIND tells of a path and what is below it, by full server path.

        None where there is nothing.
        """
        answer = self.request(
            "PROPFIND",
            name,
            body=lambda: nullcontext(PROPFIND_BODY),
            headers={"Depth": depth, "Content-Type": "application/xml"},
            good=frozenset({207, 404}),
        )
        return None if answer.status_code == 404 else parse_multistatus(answer.content, self.host)

    def tree(self, name: str) -> dict[str, Listed] | None:
        """Return all files below a folder by their names inside it; None where there is none."""
        root = f"{self.path}/{name}".rstrip("/")
        try:
            found = self.list(name, "infinity")
        except PublishFailed:
            # Many servers do not allow that: folder by folder, then.
            found = self.list(name, "1")
        if found is None:
            return None
        asked = {root}
        while True:
            # Some take "infinity" for "1" without a word.
            parents = {path.rpartition("/")[0] for path in found}
            todo = [p for p, item in found.items() if item.is_folder and p not in asked | parents]
            if not todo:
                break
            for path in todo:
                asked.add(path)
                below = path.removeprefix(self.path).lstrip("/")
                found.update(self.list(below, "1") or {})
        return {
            path[len(root) + 1 :]: item
            for path, item in found.items()
            if not item.is_folder and path.startswith(f"{root}/")
        }

    def make_folder(self, name: str) -> bool:
        """Make a folder in one that is there; False where the one above is missing.

        One that is there already is well.
        """
        try:
            answer = self.request("MKCOL", name, good=_MADE | _NO_PARENT)
        except PublishFailed:
            # Two make it at once, and the server stumbles over that.
            if self.list(name, "0") is None:
                raise
            return True
        return answer.status_code not in _NO_PARENT

    def make_path(self) -> None:
        """Make the client's own folder, and those above it that are missing.

        Raises
        ------
        PublishFailed
            Not even the uppermost can be made.
        """
        if self.list("", "0") is not None:
            return
        wanted, asked = [self.path], set()
        while wanted:
            path = wanted[-1]
            if self.make_folder(path):
                wanted.pop()
                continue
            parent = path.rpartition("/")[0]
            if not parent or path in asked:
                raise PublishFailed(
                    f"the folder {self.path} cannot be made on {self.host}",
                    hint="make the folder that everything goes below, or mend the URL",
                )
            asked.add(path)
            wanted.append(parent)

    def put(self, name: str, entry: Entry) -> None:
        """Send a file."""

        def body() -> FilePart:
            return FilePart(entry.path, 0, entry.size, lambda: stop_if(self._options))

        self.request("PUT", name, body=body, good=frozenset({200, 201, 204}))

    def read(self, name: str) -> bytes:
        """Return a small file."""
        return bytes(self.request("GET", name, good=frozenset({200})).content)

    def sha256(self, name: str) -> str:
        """Read a file and return its SHA-256, hexadecimal."""
        digest = hashlib.sha256(usedforsecurity=False)
        try:
            with self.request("GET", name, good=frozenset({200}), stream=True) as answer:
                for chunk in answer.iter_content(_CHUNK):
                    stop_if(self._options)
                    digest.update(chunk)
        except requests.RequestException as error:
            raise connection_failed(error, self.host).error from error
        return digest.hexdigest()

    def move(self, source: str, target: str) -> bool:
        """Rename; False where something is at the target, or where it was not answered."""
        headers = {"Destination": self.address(target), "Overwrite": "F"}
        good = frozenset({201, 204, 412})
        try:
            answer = self.request("MOVE", source, headers=headers, good=good)
        except Alos2Error:
            # The answer may be lost and the deed done.
            if self.list(source, "0") is None and self.list(target, "0") is not None:
                return True
            raise
        return answer.status_code != 412

    def delete(self, name: str) -> None:
        """Remove a file or a folder with all that is in it, if it is there."""
        self.request("DELETE", name, good=frozenset({200, 204, 404}))
