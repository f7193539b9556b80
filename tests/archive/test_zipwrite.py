"""The zip that is published: the same bytes each time, readable by everybody."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import zipfile
import zlib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alos2.archive import zipwrite
from alos2.archive.codec import STDLIB, Codec
from alos2.archive.packing import NewEntry, pack_central, pack_end, pack_local
from alos2.archive.unpack import unpack
from alos2.archive.zipwrite import differences, verify_zip, write_zip
from alos2.errors import BadProduct, NoResource, UsageError


@pytest.fixture
def files(tmp_path: Path, speckle) -> list[tuple[Path, str]]:
    contents = {
        "summary.txt": b"Odi=1\r\n" * 60,
        "IMG-HH-x.1": speckle(900_000),
        "IMG-HV-x.1": speckle(300_000) + bytes(900_000),
        "empty": b"",
        "水.kml": b"<kml/>",
    }
    result = []
    for name, data in contents.items():
        (tmp_path / name).write_bytes(data)
        result.append((tmp_path / name, name))
    return result


def test_contents_order_and_receipt(tmp_path, files, codec: Codec) -> None:
    out = tmp_path / "out.zip"
    receipt = write_zip(files, out, codec=codec)
    data = out.read_bytes()
    assert receipt.path == out
    assert receipt.size == len(data)
    assert receipt.sha256 == hashlib.sha256(data).hexdigest()
    with zipfile.ZipFile(out) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == [name for _, name in files]
        for path, name in files:
            assert archive.read(name) == path.read_bytes()
        assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    packed = {file.name: not file.stored for file in receipt.files}
    assert {name for name, is_packed in packed.items() if is_packed} == {
        "summary.txt",
        "IMG-HV-x.1",
    }
    for file, (path, _) in zip(receipt.files, files, strict=True):
        assert (file.size, file.crc32) == (path.stat().st_size, zlib.crc32(path.read_bytes()))
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted([n for _, n in files] + ["out.zip"])


def test_same_bytes_whether_the_crc_was_known_or_not(tmp_path, files, monkeypatch) -> None:
    one = write_zip(files, tmp_path / "1.zip")
    os.utime(files[0][0], (1, 1))
    known = {path: zlib.crc32(path.read_bytes()) for path, _ in files}
    monkeypatch.setattr(zipwrite._ZipWriter, "_crc_of", None)
    two = write_zip(files, tmp_path / "2.zip", crc32=known)
    assert one.sha256 == two.sha256
    assert (tmp_path / "1.zip").read_bytes() == (tmp_path / "2.zip").read_bytes()


def test_unpacks_to_the_same_files(tmp_path, files) -> None:
    write_zip(files, tmp_path / "o.zip")
    result = unpack(tmp_path / "o.zip", tmp_path / "unpacked")
    assert {f.path.name: f.sha256 for f in result.files} == {
        name: hashlib.sha256(path.read_bytes()).hexdigest() for path, name in files
    }


def test_unzip_reads_it(tmp_path, files) -> None:
    program = shutil.which("unzip")
    if program is None:
        pytest.skip("no unzip program is installed")
    write_zip(files, tmp_path / "o.zip")
    done = subprocess.run(
        [program, "-t", str(tmp_path / "o.zip")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout
    assert "No errors detected" in done.stdout


def test_progress(tmp_path, files) -> None:
    ticks: list[tuple[int, int]] = []
    write_zip(files, tmp_path / "o.zip", progress=lambda done, total: ticks.append((done, total)))
    size = sum(path.stat().st_size for path, _ in files)
    assert ticks[-1] == (size, size)


class TestZip64:
    def test_only_when_necessary(self, tmp_path, files) -> None:
        write_zip(files, tmp_path / "o.zip")
        data = (tmp_path / "o.zip").read_bytes()
        assert b"PK\x06\x06" not in data
        with zipfile.ZipFile(tmp_path / "o.zip") as archive:
            assert {info.extract_version for info in archive.infolist()} == {20}
            assert all(info.extra == b"" for info in archive.infolist())

    def test_forced_for_every_file(self, tmp_path, files, monkeypatch) -> None:
        monkeypatch.setattr(zipwrite, "_ZIP64_FROM", 0)
        write_zip(files, tmp_path / "o.zip")
        with zipfile.ZipFile(tmp_path / "o.zip") as archive:
            assert archive.testzip() is None
        assert len(unpack(tmp_path / "o.zip", tmp_path / "u").files) == len(files)
        if shutil.which("unzip"):
            done = subprocess.run(
                ["unzip", "-t", tmp_path / "o.zip"], capture_output=True, check=False
            )
            assert done.returncode == 0, done.stdout

    def test_sizes_and_offsets_beyond_4_gib(self, tmp_path) -> None:
        """Written as holes, read by zipfile: two files, the second behind 5 GiB."""
        size = 5 * 2**30
        first = NewEntry(b"big", 0, size, 0, zip64=True, packed_size=size)
        second = NewEntry(b"small", 0, 5, 0, zip64=False, crc32=zlib.crc32(b"hello"), packed_size=5)
        path = tmp_path / "o.zip"
        with path.open("wb") as file:
            file.write(pack_local(first))
            file.seek(size, os.SEEK_CUR)
            second.header_offset = file.tell()
            file.write(pack_local(second) + b"hello")
            start = file.tell()
            directory = pack_central(first) + pack_central(second)
            file.write(directory + pack_end(2, len(directory), start))
        with zipfile.ZipFile(path) as archive:
            assert archive.read("small") == b"hello"
            assert archive.getinfo("big").file_size == size
        assert verify_zip(path, {"big": (size, 0), "small": (5, zlib.crc32(b"hello"))})

    def test_more_than_65535_files(self, tmp_path) -> None:
        entries = [NewEntry(f"{n}".encode(), 0, 0, 0, zip64=False) for n in range(65_600)]
        position = 0
        body = bytearray()
        for entry in entries:
            entry.header_offset = position
            body += pack_local(entry)
            position = len(body)
        directory = b"".join(map(pack_central, entries))
        path = tmp_path / "o.zip"
        path.write_bytes(bytes(body) + directory + pack_end(65_600, len(directory), len(body)))
        with zipfile.ZipFile(path) as archive:
            assert len(archive.namelist()) == 65_600


class TestRefusals:
    @pytest.mark.parametrize(
        "names", [["/a"], ["../a"], ["a/"], ["a", "a"], ["a", "A"], ["a", "a/b"], [""], ["a\\b"]]
    )
    def test_names(self, tmp_path, files, names: list[str]) -> None:
        with pytest.raises(UsageError):
            write_zip([(files[0][0], name) for name in names], tmp_path / "o.zip")
        assert not (tmp_path / "o.zip").exists()

    def test_missing_file_leaves_the_older_zip(self, tmp_path, files) -> None:
        (tmp_path / "o.zip").write_bytes(b"older")
        with pytest.raises(BadProduct, match="cannot be read"):
            write_zip([*files, (tmp_path / "gone", "gone")], tmp_path / "o.zip")
        assert (tmp_path / "o.zip").read_bytes() == b"older"
        assert not list(tmp_path.glob(".*"))

    def test_file_that_changes(self, tmp_path, files) -> None:
        wrong = {path: 1 for path, _ in files}
        with pytest.raises(BadProduct, match=r"IMG-HH-x\.1 changed while it was read"):
            write_zip(files[1:2], tmp_path / "o.zip", crc32=wrong)
        assert not list(tmp_path.glob("*.zip"))
        assert not list(tmp_path.glob(".*"))

    def test_no_such_folder(self, tmp_path, files) -> None:
        with pytest.raises(NoResource, match="cannot be written"):
            write_zip(files, tmp_path / "no" / "o.zip")


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.lists(st.binary(max_size=4000) | st.binary(max_size=4).map(lambda b: b * 20_000), max_size=6)
)
def test_whatever_is_written_is_read(
    tmp_path_factory: pytest.TempPathFactory, contents: list[bytes]
) -> None:
    folder = tmp_path_factory.mktemp("zip")
    for number, data in enumerate(contents):
        (folder / str(number)).write_bytes(data)
    named = [(folder / str(n), f"d/{n}") for n in range(len(contents))]
    out = folder / "o.zip"
    receipt = write_zip(named, out)
    with zipfile.ZipFile(out) as archive:
        assert [archive.read(f"d/{n}") for n in range(len(contents))] == contents
    assert receipt.sha256 == write_zip(named, folder / "p.zip").sha256
    hashes = {f"d/{n}": (len(d), hashlib.sha256(d).hexdigest()) for n, d in enumerate(contents)}
    assert verify_zip(out, hashes)
    shutil.rmtree(folder)


class TestVerify:
    @pytest.fixture
    def written(self, tmp_path, files) -> tuple[Path, dict]:
        write_zip(files, tmp_path / "o.zip")
        expected = {
            name: (p.stat().st_size, hashlib.sha256(p.read_bytes()).hexdigest())
            for p, name in files
        }
        return tmp_path / "o.zip", expected

    def test_same(self, written) -> None:
        path, expected = written
        assert differences(path, expected) == []
        with zipfile.ZipFile(path) as archive:
            crcs = {info.filename: (info.file_size, info.CRC) for info in archive.infolist()}
        assert verify_zip(path, crcs)

    def test_differences_are_named(self, written) -> None:
        path, expected = written
        expected["more"] = (1, 0)
        del expected["empty"]
        expected["summary.txt"] = (1, 0)
        expected["IMG-HH-x.1"] = (expected["IMG-HH-x.1"][0], "0" * 64)
        expected["IMG-HV-x.1"] = (expected["IMG-HV-x.1"][0], 0)
        assert differences(path, expected) == [
            "more is missing",
            "empty was not expected",
            "summary.txt has 420 bytes instead of 1",
            "IMG-HH-x.1 has other contents",
            "IMG-HV-x.1 has other contents",
        ]
        assert not verify_zip(path, expected)

    def test_damaged_zip(self, written, tmp_path) -> None:
        path, expected = written
        data = bytearray(path.read_bytes())
        data[100_000] ^= 1
        path.write_bytes(data)
        assert "is damaged" in " ".join(differences(path, expected))
        path.write_bytes(data[:-1])
        assert "cut" in " ".join(differences(path, expected))
        assert not verify_zip(tmp_path / "nothing.zip", {})

    def test_inner_zips_count_as_files(self, tmp_path, make_zip) -> None:
        inner = make_zip({"a": b"1"})
        (tmp_path / "o.zip").write_bytes(make_zip({"S.zip": inner}))
        expected = {"S.zip": (len(inner), hashlib.sha256(inner).hexdigest())}
        assert verify_zip(tmp_path / "o.zip", expected)


def test_codecs_make_zips_that_both_read(tmp_path, files, codec: Codec) -> None:
    write_zip(files, tmp_path / "o.zip", codec=codec)
    one = unpack(tmp_path / "o.zip", tmp_path / "1", codec=STDLIB)
    two = unpack(tmp_path / "o.zip", tmp_path / "2", codec=codec)
    assert [f.sha256 for f in one.files] == [f.sha256 for f in two.files]
