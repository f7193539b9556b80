"""Files and tiles: parts, tags, and no way out of a dataset."""

from __future__ import annotations

import json
import os
import socket
import string
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
import requests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pmtiles.tile import Compression, TileType, zxy_to_tileid
from pmtiles.writer import Writer

from alos2.web.answers import HttpError
from alos2.web.archive import ArchiveFiles
from alos2.web.layers import Layers, Place
from fakes.served import GEOTIFF, GREY, SLC, golden, lay, png, variant

ZIP = f"/files/{GEOTIFF}/{GEOTIFF}.zip"
WHOLE = bytes(range(256)) * 1200


def raw(url: str, target: str, headers: str = "") -> bytes:
    """Ask for exactly this target: clients would tidy it first."""
    parts = urlsplit(url)
    with socket.create_connection((parts.hostname, parts.port), timeout=10) as link:
        asked = f"GET {target} HTTP/1.1\r\nHost: {parts.netloc}\r\n{headers}"
        link.sendall(f"{asked}Connection: close\r\n\r\n".encode("latin-1"))
        answer = b""
        while block := link.recv(65536):
            answer += block
    return answer


@pytest.mark.parametrize(
    ("asked", "status", "expected", "said"),
    [
        (None, 200, WHOLE, None),
        ("bytes=0-0", 206, WHOLE[:1], f"bytes 0-0/{len(WHOLE)}"),
        ("bytes=10-19", 206, WHOLE[10:20], f"bytes 10-19/{len(WHOLE)}"),
        ("bytes=307190-", 206, WHOLE[307190:], f"bytes 307190-307199/{len(WHOLE)}"),
        ("bytes=-5", 206, WHOLE[-5:], f"bytes 307195-307199/{len(WHOLE)}"),
        ("bytes=-999999999", 206, WHOLE, f"bytes 0-307199/{len(WHOLE)}"),
        ("bytes=5-99999999999", 206, WHOLE[5:], f"bytes 5-307199/{len(WHOLE)}"),
        ("bytes=307200-", 416, None, f"bytes */{len(WHOLE)}"),
        ("bytes=-0", 416, None, f"bytes */{len(WHOLE)}"),
        ("bytes=9-5", 200, WHOLE, None),
        ("bytes=0-1,5-6", 200, WHOLE, None),
        ("lines=1-2", 200, WHOLE, None),
        ("bytes=", 200, WHOLE, None),
    ],
)
def test_parts_of_a_file(
    served: Any, asked: str | None, status: int, expected: bytes | None, said: str | None
) -> None:
    answer = served.get(ZIP, headers={"Range": asked} if asked else {})
    assert answer.status_code == status
    assert answer.headers.get("content-range") == said
    if expected is None:
        assert answer.json()["code"] == "RangeNotSatisfiable"
    else:
        assert answer.content == expected
        assert answer.headers["accept-ranges"] == "bytes"
        assert answer.headers["content-length"] == str(len(expected))


def test_a_part_of_another_version_is_not_sent(served: Any) -> None:
    etag = served.get(ZIP, headers={"Range": "bytes=0-0"}).headers["etag"]
    part = {"Range": "bytes=1-2"}
    assert served.get(ZIP, headers={**part, "If-Range": etag}).content == WHOLE[1:3]
    assert served.get(ZIP, headers={**part, "If-Range": '"other"'}).content == WHOLE
    assert served.get(ZIP, headers={"If-None-Match": f'"x", {etag}'}).status_code == 304
    date = served.get(ZIP, headers=part).headers["last-modified"]
    assert served.get(ZIP, headers={"If-Modified-Since": date}).status_code == 304
    assert served.get(ZIP, headers={**part, "If-Range": date}).status_code == 206
    assert served.get(ZIP, headers={"If-Modified-Since": "not a date"}).status_code == 200


def test_head_says_what_get_would_send(served: Any) -> None:
    for path in (ZIP, "/stac/search?limit=2", "/stac"):
        head = requests.head(f"{served.url}{path}", timeout=10)
        whole = served.get(path)
        assert head.content == b""
        for name in ("content-length", "content-type", "etag"):
            assert head.headers[name] == whole.headers[name], (path, name)


def test_files_cannot_run_anything_in_a_browser(served: Any) -> None:
    item = served.get(f"/files/{GEOTIFF}/{GEOTIFF}.stac.json")
    assert item.headers["content-type"] == "application/geo+json"
    assert "sandbox" in item.headers["content-security-policy"]
    assert item.headers["x-content-type-options"] == "nosniff"
    assert served.get(ZIP).headers["content-disposition"] == f'attachment; filename="{GEOTIFF}.zip"'


def test_tiles_count_their_rows_from_the_north(served: Any) -> None:
    tile = served.get(f"/tiles/{GEOTIFF}/HH/3/2/4.png")
    assert tile.content == png(GREY)
    assert "immutable" in served.get(f"/tiles/{GEOTIFF}/HH/3/2/4.png?v=1").headers["cache-control"]
    assert "immutable" not in tile.headers["cache-control"]
    empty = served.get(f"/tiles/{GEOTIFF}/HH/3/0/0.png")
    assert (empty.status_code, empty.headers["content-type"]) == (200, "image/png")
    assert len(empty.content) < 200
    for path in ("HH/13/0/0", "HH/3/8/0", "HH/3/0/8", "nothing/3/2/4", "../3/2/4"):
        assert served.get(f"/tiles/{GEOTIFF}/{path}.png").status_code == 404
    assert served.get("/tiles/nothing/HH/3/2/4.png").status_code == 404


def test_tiles_of_an_archive_of_tiles(tmp_path: Path) -> None:
    item = variant(golden(GEOTIFF), 0)
    folder = lay(tmp_path, item)
    with (folder / "tiles" / "HH.pmtiles").open("wb") as file:
        writer = Writer(file)
        for z, x, y, grey in ((0, 0, 0, 10), (3, 2, 4, 20), (5, 9, 17, 30)):
            writer.write_tile(zxy_to_tileid(z, x, y), png(grey))
        writer.finalize(
            {"tile_type": TileType.PNG, "tile_compression": Compression.NONE,
             "min_lon_e7": 0, "min_lat_e7": 0, "max_lon_e7": 1, "max_lat_e7": 1,
             "center_zoom": 0, "center_lon_e7": 0, "center_lat_e7": 0}, {},
        )  # fmt: skip
    item["properties"]["alos2:tiles"] = []
    (folder / f"{item['id']}.stac.json").write_text(json.dumps(item), "utf-8")
    layers = Layers(ArchiveFiles(tmp_path))
    layer = layers.of(item["id"])["HH"]
    assert layers.tile(item["id"], layer, Place(3, 2, 4)) == png(20)
    assert layers.tile(item["id"], layer, Place(5, 9, 17)) == png(30)
    assert layers.tile(item["id"], layer, Place(5, 9, 18)) is None


def test_thumbnails(served: Any) -> None:
    assert served.get(f"/thumbnails/{GEOTIFF}").content == png(90)
    assert served.get("/thumbnails/nothing").status_code == 404


@pytest.fixture
def trapped(tmp_path: Path) -> Path:
    """An archive with all that must not be seen around and in it."""
    archive = tmp_path / "archive"
    item = variant(golden(SLC), 0)
    folder = lay(archive, item)
    (tmp_path / "secret.txt").write_text("secret", "utf-8")
    (archive / "loose.txt").write_text("secret", "utf-8")
    (folder / ".hidden").write_text("secret", "utf-8")
    (folder / ".half").mkdir()
    (folder / ".half" / "file.txt").write_text("secret", "utf-8")
    (archive / ".alos2-scan").mkdir()
    (archive / ".alos2-scan" / ".alos2-scan.stac.json").write_text("{}", "utf-8")
    (archive / "no-dataset").mkdir()
    (archive / "no-dataset" / "file.txt").write_text("secret", "utf-8")
    (folder / "out.txt").symlink_to(tmp_path / "secret.txt")
    (folder / "up").symlink_to(tmp_path)
    (folder / "inside.txt").symlink_to(folder / f"{SLC}.stac.json")
    (archive / "linked").symlink_to(tmp_path)
    (tmp_path / "linked.stac.json").write_text("{}", "utf-8")
    os.mkfifo(folder / "pipe.txt")
    return archive


@pytest.mark.parametrize(
    "path",
    [".hidden", ".half/file.txt", "out.txt", "up/secret.txt", "inside.txt", "pipe.txt", "", ".",
     "..", "../loose.txt", "../../secret.txt", "a/../../loose.txt", "./x", "x//y", "tiles",
     f"../{SLC}/.hidden", "nul\0.txt", "out.txt\0.png", "\\..\\..\\secret.txt", "C:secret.txt",
     "x" * 300, "/etc/passwd", "a/" * 40 + "b", "x\n", "\udc80"],
)  # fmt: skip
def test_what_must_not_be_seen_is_not(trapped: Path, path: str) -> None:
    files = ArchiveFiles(trapped)
    with pytest.raises(HttpError) as refused:
        files.open(SLC, path)
    assert refused.value.status == 404
    files.open(SLC, f"{SLC}.stac.json").close()


@pytest.mark.parametrize(
    "dataset",
    ["..", ".", "", "no-dataset", ".alos2-scan", "linked", "loose.txt", f"{SLC}/..", "\0"],
)
def test_what_is_no_dataset_is_not_opened(trapped: Path, dataset: str) -> None:
    for name in ("file.txt", "secret.txt", f"{dataset}.stac.json"):
        with pytest.raises(HttpError):
            ArchiveFiles(trapped).open(dataset, name)


PARTS = st.sampled_from(
    ["..", ".", "", "%2e%2e", "%252e%252e", "..%2f", "%2f", "%5c", "..%5c", "%00", "%c0%ae%c0%ae",
     "%uff0e", "..;", ".hidden", "up", "out.txt", SLC, "tiles", "secret.txt", "%E2%80%A5", "~", "*"]
)  # fmt: skip
LETTERS = st.text(string.ascii_letters + "./%\\", max_size=6)


@settings(
    max_examples=120, deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip
@given(parts=st.lists(st.one_of(PARTS, LETTERS), min_size=1, max_size=6))
def test_no_path_in_any_writing_leads_out(served: Any, parts: list[str]) -> None:
    target = "/files/" + "/".join([SLC, *parts])
    answer = raw(served.url, target.replace(" ", "%20"))
    status = int(answer.split(b" ", 2)[1])
    assert status in (200, 400, 404), answer[:200]
    assert b"root:" not in answer
    if status == 200:
        assert f"/{SLC}/".encode() in target.encode()
        assert b"ALOS2" in answer or b"PNG" in answer


def test_a_path_is_decoded_once(served: Any) -> None:
    name = f"{GEOTIFF}.stac.json"
    assert served.get(f"/files/{GEOTIFF}/{quote(name)}").status_code == 200
    twice = quote(quote(name, safe=""), safe="").replace(".", "%252E")
    assert raw(served.url, f"/files/{GEOTIFF}/{twice}").startswith(b"HTTP/1.1 404")
