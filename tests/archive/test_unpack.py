"""Unpacking: what comes out, what is computed on the way, and that nothing is left on failure."""

from __future__ import annotations

import errno
import hashlib
import io
import os
import shutil
import threading
import unicodedata
import zipfile
import zlib
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alos2.archive import writing
from alos2.archive.codec import Codec
from alos2.archive.limits import Limits
from alos2.archive.unpack import Unpacked, unpack
from alos2.errors import BadArchive, NoResource, NoSpace, UnsafeArchive, UsageError

IMAGE = bytes(range(256)) * 8000
SCENE = {"summary.txt": b"Odi=1\r\n", "IMG-HH-x.1": IMAGE, "empty.txt": b""}


def left(folder: Path) -> list[str]:
    """Name what lies in a folder, hidden things included."""
    return sorted(path.name for path in folder.iterdir())


def tree_of(folder: Path) -> dict[str, bytes | None]:
    return {
        path.relative_to(folder).as_posix(): None if path.is_dir() else path.read_bytes()
        for path in folder.rglob("*")
    }


def require_whole(result: Unpacked) -> None:
    """Compare what was computed on the way with what lies on the disk."""
    on_disk = {path for path in result.folder.rglob("*") if path.is_file()}
    kept = {archive.path for archive in result.inner_archives}
    assert {file.path for file in result.files} == on_disk - kept
    for file in result.files:
        data = file.path.read_bytes()
        assert file.size == len(data)
        assert file.sha256 == hashlib.sha256(data).hexdigest()
        assert file.crc32 == zlib.crc32(data)
    for archive in result.inner_archives:
        data = archive.path.read_bytes()
        assert (archive.size, archive.sha256) == (len(data), hashlib.sha256(data).hexdigest())
        assert all((archive.folder / name).is_file() for name in archive.members)


def save(folder: Path, data: bytes, name: str = "a.zip") -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


class TestWhatComesOut:
    @pytest.mark.parametrize("deflate", [True, False])
    @pytest.mark.parametrize("stream", [True, False])
    def test_flat(
        self, tmp_path, make_zip, destination, *, codec: Codec, deflate: bool, stream: bool
    ) -> None:
        archive = save(tmp_path, make_zip(SCENE, deflate=deflate, stream=stream))
        result = unpack(archive, destination, codec=codec)
        require_whole(result)
        assert tree_of(destination) == SCENE
        assert left(destination.parent) == ["delivery"]
        assert result.inner_archives == ()

    @pytest.mark.parametrize("deflate", [True, False])
    @pytest.mark.parametrize("keep", [True, False])
    def test_nested_with_order_folder_and_two_scenes(
        self, tmp_path, make_zip, destination, deflate: bool, keep: bool
    ) -> None:
        inner = make_zip(SCENE)
        other = make_zip({"0000527273/IMG-HV-y.1": b"y"})
        outer = {"0001/S1.ZIP": inner, "S2.zip": other, "readme.txt": b"r"}
        archive = save(tmp_path, make_zip(outer, deflate=deflate), "DELIVERY.ZIP")
        result = unpack(archive, destination, keep_inner=keep)
        require_whole(result)
        wanted: dict[str, bytes | None] = {
            "0001": None,
            "0001/S1": None,
            **{f"0001/S1/{name}": data for name, data in SCENE.items()},
            "S2": None,
            "S2/0000527273": None,
            "S2/0000527273/IMG-HV-y.1": b"y",
            "readme.txt": b"r",
        }
        if keep:
            wanted |= {"0001/S1.ZIP": inner, "S2.zip": other}
            first, second = result.inner_archives
            assert first.path == destination / "0001" / "S1.ZIP"
            assert first.folder == destination / "0001" / "S1"
            assert first.members == tuple(SCENE)
            assert second.members == ("0000527273/IMG-HV-y.1",)
        else:
            assert result.inner_archives == ()
        assert tree_of(destination) == wanted
        assert left(destination.parent) == ["delivery"]

    @pytest.mark.parametrize("deflate", [True, False])
    @pytest.mark.parametrize("keep", [True, False])
    def test_three_deep(self, tmp_path, make_zip, destination, deflate: bool, keep: bool) -> None:
        data = make_zip(SCENE)
        for name in ("c.zip", "b.zip"):
            data = make_zip({name: data, f"{name}.txt": b"1"}, deflate=deflate)
        result = unpack(save(tmp_path, data), destination, keep_inner=keep)
        require_whole(result)
        assert (destination / "b" / "c" / "summary.txt").read_bytes() == b"Odi=1\r\n"
        if keep:
            names = {a.path.name: a.members for a in result.inner_archives}
            assert names == {"b.zip": ("c.zip.txt", "c.zip"), "c.zip": tuple(SCENE)}
        with pytest.raises(UnsafeArchive, match="depth = 3"):
            unpack(save(tmp_path, make_zip({"a.zip": data}), "d.zip"), destination.with_name("d"))

    def test_a_folder_of_the_inner_zips_name_is_there_already(
        self, tmp_path, make_zip, destination
    ) -> None:
        inner = make_zip({"i.txt": b"i"})
        archive = save(tmp_path, make_zip({"S/x.txt": b"x", "S.zip": inner, "bare": inner}))
        result = unpack(archive, destination)
        require_whole(result)
        files = {name for name, data in tree_of(destination).items() if data is not None}
        assert files == {"S/x.txt", "S_zip/i.txt", "bare_zip/i.txt"}

    def test_empty(self, tmp_path, make_zip, destination) -> None:
        assert unpack(save(tmp_path, make_zip({})), destination).files == ()
        assert destination.is_dir()

    @pytest.mark.parametrize("workers", [1, 3])
    def test_many_files_in_any_number_of_threads(
        self, tmp_path, make_zip, destination, workers: int, speckle
    ) -> None:
        files = {f"{n % 7}/f{n}": speckle(n * 1000) for n in range(60)}
        files |= {"IMG-1.1": speckle(9_000_000), "IMG-2.1": speckle(5_000_000)}
        ticks: list[tuple[int, int]] = []
        archive = save(tmp_path, make_zip(files, level=1))
        here = threading.get_ident()

        def progress(done: int, total: int) -> None:
            assert threading.get_ident() == here
            ticks.append((done, total))

        result = unpack(archive, destination, workers=workers, progress=progress)
        require_whole(result)
        assert len(result.files) == 62
        size = sum(map(len, files.values()))
        assert ticks[-1] == (size, size)
        assert ticks == sorted(ticks)

    def test_zip64(self, tmp_path, destination) -> None:
        path = tmp_path / "a.zip"
        with zipfile.ZipFile(path, "w") as target:
            for n in range(70_000):
                target.writestr(f"{n}", b"")
            with target.open("big", "w", force_zip64=True) as file:
                file.write(b"1234")
        with pytest.raises(UnsafeArchive, match="70001 entries"):
            unpack(path, destination)
        small = tmp_path / "b.zip"
        with zipfile.ZipFile(small, "w") as target, target.open("b", "w", force_zip64=True) as file:
            file.write(b"1234")
        require_whole(unpack(small, destination))

    def test_real_delivery(self, real_data: Path, destination) -> None:
        path = real_data / "palsar2-real" / "0000022708_001001_ALOS2015976960-140909.zip"
        result = unpack(path, destination)
        require_whole(result)
        assert len(result.files) == 9

    def test_given_as_a_bare_relative_name(
        self, tmp_path, make_zip, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        save(tmp_path, make_zip(SCENE))
        monkeypatch.chdir(tmp_path)
        require_whole(unpack(Path("a.zip"), Path("out")))
        assert tree_of(tmp_path / "out") == SCENE


part = st.text(
    st.sampled_from("abcXYZ019_-. äßñ水") | st.characters(codec="utf-8", categories=["L", "N"]),
    min_size=1,
    max_size=12,
).filter(lambda text: text[-1] not in ". " and text.strip() == text and "zip" not in text)
name = st.lists(part, min_size=1, max_size=3).map("/".join)


# What begins like a zip is looked into, under a name without extension.
data_of_a_file = st.binary(max_size=3000).filter(lambda data: data[:4] != b"PK\x03\x04")


def meet(paths: list[str]) -> bool:
    """Whether two of the paths, or folders above them, are one where case and form are ignored."""
    folders = {parent for path in paths for parent in map(str, Path(path).parents)} - {"."}
    nodes = [*paths, *folders]
    folded = {unicodedata.normalize("NFKC", node).casefold() for node in nodes}
    return len(folded) < len(nodes) or any(word in str(paths).casefold() for word in RESERVED)


RESERVED = ("con", "prn", "aux", "nul", "com", "lpt")


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.dictionaries(name, data_of_a_file | st.none(), max_size=8),
    st.sampled_from([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED]),
)
def test_random_valid_trees_are_what_zipfile_makes(
    tmp_path_factory: pytest.TempPathFactory, contents: dict[str, bytes | None], method: int
) -> None:
    files = {path: bytes(70_000) if data is None else data for path, data in contents.items()}
    folder = tmp_path_factory.mktemp("tree")
    archive = folder / "a.zip"
    with zipfile.ZipFile(archive, "w", method) as target:
        for path, data in files.items():
            target.writestr(path, data)
    try:
        result = unpack(archive, folder / "ours")
    except UnsafeArchive:
        # Names that meet on some disk, or one name as file and as folder: zipfile would lose one.
        assert not (folder / "ours").exists()
        assert meet(list(files))
        return
    require_whole(result)
    with zipfile.ZipFile(archive) as source:
        source.extractall(folder / "theirs")
    assert tree_of(folder / "ours") == tree_of(folder / "theirs")
    shutil.rmtree(folder)


class TestNothingIsLeft:
    def test_destination_exists(self, tmp_path, make_zip, destination) -> None:
        archive = save(tmp_path, make_zip(SCENE))
        destination.mkdir()
        with pytest.raises(UsageError, match="exists already"):
            unpack(archive, destination)
        with pytest.raises(UsageError, match="not a folder"):
            unpack(archive, tmp_path / "no" / "where")
        assert tree_of(destination) == {}

    def test_no_space_before_the_first_byte(self, tmp_path, make_zip, destination) -> None:
        archive = save(tmp_path, make_zip(SCENE))
        asked: list[Path] = []

        def usage(path: Path) -> SimpleNamespace:
            asked.append(path)
            assert left(destination.parent) == []
            return SimpleNamespace(free=2_000_000)

        with pytest.raises(NoSpace, match="has 2 MB free; unpacking needs 2 MB and") as caught:
            unpack(archive, destination, disk_usage=usage)
        assert caught.value.exit_code == 9
        assert asked == [destination.parent]
        assert left(destination.parent) == []

    def test_space_for_a_deflated_inner_zip_is_asked_twice(
        self, tmp_path, make_zip, destination
    ) -> None:
        archive = save(tmp_path, make_zip({"S.zip": make_zip({"IMG-x.1": bytes(3_000_000)})}))
        free = iter([10_000_000, 1_000_000])
        limits = Limits(spare_bytes=0)
        with pytest.raises(NoSpace):
            unpack(
                archive,
                destination,
                limits=limits,
                disk_usage=lambda path: SimpleNamespace(free=next(free)),
            )
        assert left(destination.parent) == []

    @pytest.mark.parametrize("size", [1000, 9_000_000])
    @pytest.mark.parametrize(
        ("number", "error"), [(errno.ENOSPC, NoSpace), (errno.EIO, NoResource)]
    )
    def test_the_disk_fails(
        self, tmp_path, make_zip, destination, monkeypatch, *, size: int, number: int, error: type
    ) -> None:
        archive = save(tmp_path, make_zip({"a.1": bytes(size), "b.1": bytes(size)}))

        class Full(io.FileIO):
            def write(self, data, /):  # type: ignore[no-untyped-def]
                raise OSError(number, os.strerror(number))

        def opened(self: Path, mode: str = "r", buffering: int = -1):  # type: ignore[no-untyped-def]
            return Full(self, mode) if "x" in mode else io.open(self, mode, buffering)  # noqa: UP020

        monkeypatch.setattr(Path, "open", opened)
        with pytest.raises(error):
            unpack(archive, destination)
        monkeypatch.undo()
        assert left(destination.parent) == []

    def test_folder_is_not_writable(self, tmp_path, make_zip, destination, monkeypatch) -> None:
        archive = save(tmp_path, make_zip(SCENE))

        def mkdir(*_: object, **__: object) -> None:
            raise PermissionError(errno.EACCES, "Permission denied")

        monkeypatch.setattr(Path, "mkdir", mkdir)
        with pytest.raises(NoResource, match="Permission denied"):
            unpack(archive, destination)

    @pytest.mark.parametrize("interrupt", [KeyboardInterrupt, SystemExit, RuntimeError])
    def test_interrupted(self, tmp_path, make_zip, destination, interrupt, speckle) -> None:
        files = {f"{n}.1": speckle(6_000_000) for n in range(4)}
        archive = save(tmp_path, make_zip(files, deflate=False))
        threads = threading.active_count()

        def progress(done: int, total: int) -> None:
            raise interrupt

        with pytest.raises(interrupt):
            unpack(archive, destination, progress=progress)
        assert left(destination.parent) == []
        assert threading.active_count() == threads

    def test_one_bad_member_stops_the_others(
        self, tmp_path, make_zip, destination, speckle
    ) -> None:
        files = {f"{n}.1": speckle(6_000_000) for n in range(4)}
        data = bytearray(make_zip(files, deflate=False))
        data[15_000_000] ^= 1
        archive = save(tmp_path, bytes(data))
        threads = threading.active_count()
        with pytest.raises(BadArchive, match=r"a\.zip!2\.1 is damaged: its CRC"):
            unpack(archive, destination)
        assert left(destination.parent) == []
        assert threading.active_count() == threads

    def test_sync_before_rename(self, tmp_path, make_zip, destination, monkeypatch) -> None:
        archive = save(tmp_path, make_zip({"a/b.txt": b"1", "c.txt": b"2"}))
        synced: list[str] = []
        real = os.fsync

        def fsync(handle: int) -> None:
            synced.append(Path(f"/proc/self/fd/{handle}").readlink().name)
            real(handle)

        if not Path("/proc/self/fd").exists():
            pytest.skip("names of open files are not known here")
        monkeypatch.setattr(writing.os, "fsync", fsync)
        unpack(archive, destination)
        assert sorted(synced[:2]) == ["b.txt", "c.txt"]
        assert synced[2] == "a"
        assert synced[3].endswith(".unpacking")
        assert synced[4] == "out"
