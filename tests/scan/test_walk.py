"""The walk: what it finds, what it notices, what it lives through. Real files and processes."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest

from alos2.errors import NoResource
from alos2.scan.seen import Seen
from alos2.scan.walk import Found, Settling, Trouble, Walk

SCENE = "ALOS2015976960-140909"
OTHER = "ALOS2015976970-140909"
FBD = "FBDR1.1__A"
SOURCE = str(Path(__file__).resolve().parents[2] / "pge")


def names(scene: str = SCENE, product: str = FBD) -> list[str]:
    return [f"{kind}-{scene}-{product}" for kind in ("IMG-HH", "IMG-HV", "LED", "TRL", "VOL")]


def put(folder: Path, scene: str = SCENE, product: str = FBD) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names(scene, product):
        (folder / name).write_bytes(b"x")
    return folder


class Book:
    """A state as the scan keeps it: marks and units in one transaction."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.db = sqlite3.connect(path, isolation_level=None)
        self.db.execute("PRAGMA journal_mode=WAL")
        self.troubles: list[Trouble] = []
        self.settling: list[Settling] = []
        self.gone: list[str] = []
        self.walk: Walk | None = None

    def scan(self, *roots: Path, skip: Sequence[Path] = (), settle_s: float = 0) -> list[Found]:
        """One scan; returns what was new or had changed."""
        self.troubles, self.settling, found = [], [], []
        seen = Seen(self.db)
        self.walk = Walk(roots, known=self.path, workers=2, skip=skip, settle_s=settle_s)
        for item in self.walk:
            if isinstance(item, Found):
                self.db.execute("BEGIN")
                seen.mark([item])
                self.db.execute("COMMIT")
                found.append(item)
            else:
                (self.troubles if isinstance(item, Trouble) else self.settling).append(item)  # type: ignore[arg-type]
        self.db.execute("BEGIN")
        gone = list(seen.gone(self.walk))
        seen.forget(place_id for place_id, _ in gone)
        seen.finished(self.walk)
        self.db.execute("COMMIT")
        self.gone = sorted(path for _, path in gone)
        return found

    def ids(self, *roots: Path) -> list[tuple[str, str]]:
        """One scan: place and dataset id of all units that came."""
        return sorted((u.place, u.dataset_id) for found in self.scan(*roots) for u in found.units)


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Book]:
    made = Book(tmp_path / "state.sqlite")
    yield made
    made.db.close()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "archive"
    folder.mkdir()
    return folder


def test_scenes_are_found_wherever_they_lie_and_only_once(book: Book, root: Path) -> None:
    odd = [b"P001/F0700", b"with space, and comma", b"new\nline", b"latin-\xe9\xff", b"a'b\"c%3F#?"]
    folders = [Path(os.fsdecode(os.fsencode(root) + b"/" + part)) for part in odd]
    for folder in folders:
        put(folder)
    assert book.ids(root) == sorted((str(folder), f"{SCENE}-{FBD}-md") for folder in folders)
    assert book.walk is not None
    assert (book.walk.folders, book.walk.files) == (len(folders) + 2, 5 * len(folders))
    assert book.scan(root) == []
    assert book.gone == []
    assert book.walk.complete


def test_without_a_state_all_is_new(root: Path, tmp_path: Path) -> None:
    put(root / "a")
    for known in (None, tmp_path / "none.sqlite"):
        assert [item for item in Walk([root], known=known) if isinstance(item, Found)]


def test_a_file_rewritten_in_place_is_noticed(book: Book, root: Path) -> None:
    """Same name, same size, same time of the folder: only the file's own time tells."""
    folder = put(root / "a")
    put(root / "b", OTHER)
    book.scan(root)
    before = folder.stat()
    image = folder / names()[0]
    image.write_bytes(b"y")
    os.utime(image, ns=(1, image.stat().st_mtime_ns + 1))
    assert folder.stat().st_mtime_ns == before.st_mtime_ns
    (found,) = book.scan(root)
    assert found.path == str(folder)
    assert found.place_id
    assert book.scan(root) == []


def test_a_new_owner_or_mode_is_no_news(book: Book, root: Path) -> None:
    folder = put(root / "a")
    book.scan(root)
    (folder / names()[0]).chmod(0o600)
    (folder / "notes.txt").write_text("not one of ours")
    assert book.scan(root) == []


def test_of_many_scenes_in_a_folder_only_the_one_that_came_differs(book: Book, root: Path) -> None:
    put(root)
    (first,) = book.scan(root)
    put(root, OTHER)
    for name in names():
        os.utime(root / name, ns=(1, first.units[0].newest_ns))
    book.scan(root)
    put(root, "ALOS2015976980-140909")
    (found,) = book.scan(root)
    assert len(found.units) == 3


def test_hidden_names_and_skipped_folders_are_left_out(book: Book, root: Path) -> None:
    put(root / ".work" / "a")
    put(root / "out")
    put(root / "a" / ".b")
    (put(root / "c") / f".IMG-HH-{OTHER}-{FBD}.Xy12").write_bytes(b"rsync at work")
    found = book.scan(root, skip=[root / "out"])
    assert [(item.path, len(item.units)) for item in found] == [(str(root / "c"), 1)]


def test_links_that_lead_nowhere_or_round_are_reported_and_the_scan_goes_on(
    book: Book, root: Path
) -> None:
    scene = put(root / "a" / "scene")
    (scene / names()[4]).unlink()
    (scene / names()[4]).symlink_to("nowhere")
    (root / "self").symlink_to("self")
    (root / "a" / "up").symlink_to("..")
    put(root / "z", OTHER)
    (first, second) = sorted(book.scan(root))
    assert first.units[0].missing == (names()[4],)
    assert second.units[0].missing == ()
    assert {(Path(path).name, sentence) for path, sentence in book.troubles} == {
        (names()[4], "is a broken link"),
        ("self", "is a link that leads to itself"),
        ("up", "is a link to a folder that it lies in"),
    }
    assert book.scan(root) == []
    assert len(book.troubles) == 3, "they are reported each time"


def test_links_out_of_the_archive_are_followed_the_same_way_each_time(
    book: Book, root: Path, tmp_path: Path
) -> None:
    put(tmp_path / "disk2" / "s")
    (tmp_path / "disk2" / "back").symlink_to(root)
    put(tmp_path / "disk3", OTHER)
    (tmp_path / "disk2" / "on").symlink_to(tmp_path / "disk3")
    put(root / "real" / "s")
    for name, target in (("m", "disk2"), ("b", "disk2"), ("above", "")):
        (root / name).symlink_to(tmp_path / target)
    (root / "alias").symlink_to("real")
    single = root / "file"
    single.mkdir()
    for name in names():
        (single / name).symlink_to(root / "real" / "s" / name)
    found = [item.path for item in book.scan(root)]
    there = [root / "b" / "on", root / "b" / "s", root / "file", root / "real" / "s"]
    assert sorted(found) == [str(path) for path in there]
    assert [Path(trouble.path).name for trouble in book.troubles] == ["above"]
    assert book.scan(root) == []
    assert book.gone == []


def zipped(path: Path, *scenes: str, inner: bool = False) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for scene in scenes:
            for name in names(scene):
                archive.writestr(f"data/{name}", b"x" * 100)
    if inner:
        path.rename(path.with_name("inner"))
        with zipfile.ZipFile(path, "w") as archive:
            archive.write(path.with_name("inner"), "0000022708_001001.zip")
        path.with_name("inner").unlink()
    return path


def test_zips_are_places_of_their_own(book: Book, root: Path) -> None:
    one = zipped(root / "one, two.zip", SCENE, OTHER)
    nested = zipped(root / "nested.ZIP", SCENE, inner=True)
    put(root)
    found = {item.path: item for item in book.scan(root)}
    assert set(found) == {str(root), str(one), str(nested)}
    assert [unit.dataset_id[:21] for unit in found[str(one)].units] == [SCENE, OTHER]
    assert all(unit.in_zip and not unit.missing for unit in found[str(nested)].units)
    (root / "three.zip").write_bytes(one.read_bytes())
    assert [item.path for item in book.scan(root)] == [str(root / "three.zip")]
    one.unlink()
    assert book.scan(root) == []
    assert book.gone == [str(one)]


def test_a_zip_that_may_still_be_copied_is_left_alone(book: Book, root: Path) -> None:
    half = root / "half.zip"
    half.write_bytes(b"PK\x03\x04 the rest is on its way")
    assert book.scan(root, settle_s=600) == []
    ((path, newest_ns),) = book.settling
    assert path == str(half)
    assert newest_ns == half.stat().st_ctime_ns
    zipped(half, SCENE)
    (found,) = book.scan(root)
    assert found.units[0].dataset_id == f"{SCENE}-{FBD}-md"
    half.touch()
    assert book.scan(root, settle_s=600) == []
    assert book.gone == [], "a zip that is written anew is still there"


def test_a_damaged_zip_is_remembered_with_the_reason_until_it_changes(
    book: Book, root: Path
) -> None:
    (root / "page.zip").write_text("<html>please log in</html>")
    (found,) = book.scan(root)
    assert found.units == ()
    assert "page.zip" in found.problem
    assert book.scan(root) == []
    assert list(Seen(book.db).problems()) == [(str(root / "page.zip"), found.problem)]
    zipped(root / "page.zip", SCENE)
    (found,) = book.scan(root)
    assert (len(found.units), found.problem) == (1, "")
    assert list(Seen(book.db).problems()) == []


def deep(root: Path) -> tuple[int, bytes]:
    """Make folders whose whole path is longer than the system takes: even root cannot read them.

    Returns a descriptor of the last folder that can be read, and its path.
    """
    path = os.fsencode(root)
    handle = os.open(path, os.O_RDONLY)
    while len(path) < 4090:
        name = b"d" * min(200, 4091 - len(path) - 1)
        os.mkdir(name, dir_fd=handle)
        below = os.open(name, os.O_RDONLY, dir_fd=handle)
        os.close(handle)
        handle, path = below, path + b"/" + name
    return handle, path


@pytest.mark.skipif(sys.platform != "linux", reason="how long a path may be is Linux's here")
def test_what_cannot_be_read_is_reported_and_nothing_below_it_is_gone(
    book: Book, root: Path
) -> None:
    put(root / "other")
    handle, path = deep(root)
    os.mkdir("folder", dir_fd=handle)
    assert [item.path for item in book.scan(root)] == [str(root / "other")]
    ((where, sentence),) = book.troubles
    assert where == os.fsdecode(path) + "/folder"
    assert sentence == "cannot be read: File name too long"
    with closing(os.fdopen(os.open(names()[0], os.O_CREAT | os.O_WRONLY, dir_fd=handle), "wb")):
        pass
    kept = os.fsencode(where) + b"/scene"
    book.db.execute("INSERT INTO places(path, digest) VALUES (?, x'00'), (?, x'00')", (path, kept))
    shutil.rmtree(root / "other")
    assert book.scan(root) == []
    assert sorted(len(trouble.path) for trouble in book.troubles) == [len(path), len(where)]
    assert "IMG-HH" in min(book.troubles).sentence
    assert book.gone == [str(root / "other")]
    os.close(handle)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read all")
def test_a_folder_without_permission_is_reported(book: Book, root: Path) -> None:
    put(root / "a")
    closed = put(root / "b", OTHER)
    book.scan(root)
    closed.chmod(0)
    try:
        assert book.scan(root) == []
        assert [trouble.path for trouble in book.troubles] == [str(closed)]
        assert book.gone == []
    finally:
        closed.chmod(0o700)


def test_places_that_went_away_are_gone_and_come_back_as_new(book: Book, root: Path) -> None:
    put(root / "a" / "s1")
    put(root / "a" / "s2", OTHER)
    put(root / "b")
    outside = put(root.parent / "elsewhere")
    book.scan(root, outside)
    shutil.move(root / "a", root.parent / "kept")
    (root / "b" / names()[0]).unlink()
    assert book.scan(root) != []
    assert book.gone == [str(root / "a" / "s1"), str(root / "a" / "s2")]
    shutil.move(root.parent / "kept", root / "a")
    assert sorted(item.path for item in book.scan(root)) == [
        str(root / "a" / "s1"), str(root / "a" / "s2"),
    ]  # fmt: skip
    assert book.scan(root, outside) == []
    assert book.gone == []


def test_a_root_that_is_not_there_or_not_mounted_has_lost_nothing(book: Book, root: Path) -> None:
    put(root / "a")
    book.scan(root)
    root.rename(root.parent / "unmounted")
    assert book.scan(root) == []
    assert book.troubles == [Trouble(str(root), "cannot be read: No such file or directory")]
    assert book.gone == []
    root.mkdir()  # the folder that it was mounted on
    assert book.scan(root) == []
    assert "mounted" in book.troubles[0].sentence
    assert book.gone == []
    root.rmdir()
    (root.parent / "unmounted").rename(root)
    assert book.scan(root) == []
    assert (book.troubles, book.gone) == ([], [])
    shutil.rmtree(root / "a")
    assert book.scan(root) == []
    assert book.gone == [str(root / "a")], "the same folder, emptied on purpose"


def test_a_disk_below_the_root_that_is_not_mounted_has_lost_nothing(book: Book, root: Path) -> None:
    put(root / "disk" / "p" / "a")
    put(root / "other")
    book.scan(root)
    shutil.rmtree(root / "disk" / "p")
    assert book.scan(root) == []
    assert [trouble.path for trouble in book.troubles] == [str(root / "disk")]
    assert book.gone == []
    (root / "disk").rmdir()
    book.scan(root)
    assert book.gone == [str(root / "disk" / "p" / "a")]


def test_roots_within_each_other_are_walked_once(book: Book, root: Path) -> None:
    put(root / "a" / "s")
    (root.parent / "link").symlink_to(root / "a")
    assert len(book.scan(root, root / "a", root, root.parent / "link")) == 1
    assert book.scan(root / "a") == []
    assert book.gone == []
    put(root / "b")
    assert book.scan(root / "a") == []
    assert len(book.scan(root / "a" / ".." / "b")) == 1


def test_a_place_that_was_not_marked_comes_again(book: Book, root: Path) -> None:
    """The mark and the units are one transaction: what is rolled back was never seen."""
    put(root / "a")
    seen = Seen(book.db)
    book.db.execute("BEGIN")
    seen.mark([item for item in Walk([root], known=book.path) if isinstance(item, Found)])
    book.db.execute("ROLLBACK")
    assert len(book.scan(root)) == 1


def children(pid: int) -> set[int]:
    found = set()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == pid and fields[0] != "Z":
            found.add(int(stat.parent.name))
    return found


def wait_until_gone(pids: set[int]) -> None:
    end = time.monotonic() + 10
    while any(Path(f"/proc/{pid}").exists() for pid in pids):
        assert time.monotonic() < end, "a walker lives on"
        time.sleep(0.02)


linux = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks into /proc")


@linux
def test_a_walk_that_is_broken_off_leaves_no_process_and_nothing_is_gone(
    book: Book, root: Path
) -> None:
    for number in range(20):
        put(root / f"s{number}")
    book.scan(root)
    shutil.rmtree(root / "s3")
    (root / "s4" / names()[0]).unlink()
    before = children(os.getpid())
    walk = Walk([root], known=book.path, workers=3)
    going = iter(walk)
    next(going)
    mine = children(os.getpid()) - before
    assert len(mine) == 3
    going.close()  # type: ignore[attr-defined]
    wait_until_gone(mine)
    assert not walk.complete
    assert list(Seen(book.db).gone(walk)) == []


@linux
def test_a_walker_that_is_killed_ends_the_walk_with_a_sentence(root: Path) -> None:
    put(root / "a")
    before = children(os.getpid())
    going = iter(Walk([root], known=None, workers=1))
    next(going)
    for pid in children(os.getpid()) - before:
        os.kill(pid, signal.SIGKILL)
    with pytest.raises(NoResource, match="ended by signal 9"):
        list(going)


@linux
def test_walkers_do_not_outlive_a_scan_that_is_killed(root: Path) -> None:
    put(root / "a")
    program = (
        "import sys, time, pathlib; from alos2.scan.walk import Walk\n"
        "going = iter(Walk([pathlib.Path(sys.argv[1])], known=None, workers=2)); next(going)\n"
        "print('found', flush=True); time.sleep(60)"
    )
    scan = subprocess.Popen(
        [sys.executable, "-c", program, str(root)],
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": SOURCE},
    )
    assert scan.stdout is not None
    assert scan.stdout.readline() == b"found\n"
    theirs = children(scan.pid)
    assert len(theirs) == 2
    scan.kill()
    scan.wait()
    scan.stdout.close()
    wait_until_gone(theirs)
