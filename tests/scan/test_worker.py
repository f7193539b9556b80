"""The job on a node: the units of a chunk, whole, damaged, killed, claimed by two, and again."""

from __future__ import annotations

import builtins
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import zipfile
from pathlib import Path
from typing import Any

import pytest

from alos2.errors import NoResource, UsageError
from alos2.scan import claim, unitproduct, worker
from alos2.scan.results import Results, read_chunk, read_done, read_results, write_chunk
from alos2.scan.unitproduct import UnitProducts
from alos2.scan.worker import run_chunk
from fakes.scenes import Scene, chunk, outcomes, simulated, spread, unit

RUN = "import sys; from alos2.scan.worker import run_chunk; from pathlib import Path; "
COMMAND = [sys.executable, "-c", RUN + "sys.exit(run_chunk(Path(sys.argv[1])))"]
KILLER = """
import os, random, signal, sys, time
from pathlib import Path
from alos2.scan.worker import run_chunk

# Forked for each try: the import takes longer than the work.
dice, kills = random.Random(int(sys.argv[2])), 0
for _ in range(40):
    child = os.fork()
    if child == 0:
        os._exit(run_chunk(Path(sys.argv[1])))
    time.sleep(dice.uniform(0.0, 0.08))
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    if not os.WIFSIGNALED(status):
        break
    kills += 1
print(kills)
"""
MINIMAL = {"PATH": "/usr/bin:/bin"}
posix = pytest.mark.skipif(os.name == "nt", reason="of POSIX systems")


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> list[Scene]:
    return simulated(tmp_path_factory.mktemp("scenes"))


@pytest.fixture
def place(scenes: list[Scene], tmp_path: Path) -> Path:
    """One folder that holds all files of all scenes, and one summary.txt."""
    return spread(scenes, tmp_path / "archive" / "P126" / "F0690")


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


@pytest.fixture
def work(scenes: list[Scene], place: Path, out: Path, tmp_path: Path) -> Path:
    return chunk(tmp_path / "c1", out, [unit(scene, place) for scene in scenes], tags=["a", "b"])


def met(out: Path, name: str) -> dict[str, Any]:
    return json.loads((out / name / f"{name}.met.json").read_text())


def only_datasets(out: Path) -> set[str]:
    """Return what lies in `out`, hidden things too."""
    return {path.name for path in out.iterdir()}


class TestUnits:
    def test_datasets_of_many_scenes_in_one_folder(
        self, work: Path, scenes: list[Scene], place: Path, out: Path
    ) -> None:
        assert run_chunk(work) == 0
        assert only_datasets(out) == {scene.id for scene in scenes}
        for scene in scenes:
            document = met(out, scene.id)
            assert document["tags"] == ["a", "b"]
            own = [name for name in scene.names if name != "summary.txt"]
            # The one summary.txt there is of the last scene.
            own += ["summary.txt"] if scene is scenes[-1] else []
            assert document["gekko_archive_files"] == sorted(str(place / name) for name in own)
            assert bool(document["alos2md"].get("scs_sceneid")) == (scene is scenes[-1])
        done = read_done(work)
        assert done is not None
        counts = {key: done[key] for key in ("units", "made", "unchanged", "catalogued", "failed")}
        assert counts == {"units": 3, "made": 3, "unchanged": 0, "catalogued": 0, "failed": 0}
        for line in read_results(work)[0]:
            assert line["outcome"] == "made"
            assert line["folder"] == str(out / line["dataset_id"])
            assert line["error"] is line["catalogue"] is None
            assert line["when"].endswith("Z")

    def test_nothing_but_its_own_files_is_looked_at(
        self, scenes: list[Scene], place: Path, out: Path, tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:  # fmt: skip
        seen: list[str] = []
        for name in ("scandir", "listdir", "open"):
            real = getattr(os, name)

            def watched(path: Any, *more: Any, _real: Any = real, **others: Any) -> Any:
                seen.append(str(path))
                return _real(path, *more, **others)

            monkeypatch.setattr(os, name, watched)
        folder = chunk(tmp_path / "c", out, [unit(scenes[0], place, summary=False)])
        assert run_chunk(folder) == 0
        assert str(place) not in seen
        there = {path for path in seen if path.startswith(f"{place}/")}
        assert there
        assert there <= {str(place / name) for name in scenes[0].names}

    def test_again_does_nothing(self, work: Path, out: Path) -> None:
        assert run_chunk(work) == 0
        before = {path: path.stat().st_mtime_ns for path in (*out.rglob("*"), *work.iterdir())}
        assert run_chunk(work) == 0
        after = {path: path.stat().st_mtime_ns for path in (*out.rglob("*"), *work.iterdir())}
        del before[work / "claim"], after[work / "claim"]
        assert after == before

    def test_another_chunk_of_the_same_finds_them(
        self, work: Path, scenes: list[Scene], place: Path, out: Path, tmp_path: Path
    ) -> None:
        run_chunk(work)
        again = chunk(tmp_path / "c2", out, [unit(scene, place) for scene in scenes])
        assert run_chunk(again) == 0
        assert set(outcomes(again).values()) == {"unchanged"}
        forced = chunk(tmp_path / "c3", out, [unit(scenes[0], place)], force=True)
        assert run_chunk(forced) == 0
        assert set(outcomes(forced).values()) == {"made"}

    def test_a_damaged_unit_keeps_no_other_from_being_done(
        self, work: Path, scenes: list[Scene], place: Path, out: Path
    ) -> None:
        leader = place / next(name for name in scenes[0].names if name.startswith("LED-"))
        whole = leader.read_bytes()
        leader.write_bytes(whole[:500])
        (place / next(n for n in scenes[1].names if n.startswith("IMG-HV"))).unlink()
        assert run_chunk(work) == 8
        assert [outcomes(work)[scene.id] for scene in scenes] == ["failed", "failed", "made"]
        first, second, _ = read_results(work)[0]
        assert first["error"]["class"] == "BadProduct"
        assert first["error"]["exit_code"] == 3
        assert first["folder"] is None
        assert "IMG-HV" in second["error"]["message"]
        assert second["error"]["hint"]
        assert only_datasets(out) == {scenes[2].id}
        assert run_chunk(work) == 8  # it has been done
        # Half-done, the failed ones are tried again, and the last line counts.
        (work / "done.json").unlink()
        leader.write_bytes(whole)
        assert run_chunk(work) == 8
        assert [outcomes(work)[scene.id] for scene in scenes] == ["made", "failed", "made"]

    def test_a_fault_of_ours_is_told_and_the_others_go_on(
        self, work: Path, scenes: list[Scene], monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture,
    ) -> None:  # fmt: skip
        real = UnitProducts.of

        def stumbling(self: UnitProducts, place: str, wanted: str, files: Any) -> Any:
            if wanted == scenes[1].id:
                raise ZeroDivisionError("by http://user:secret@example.org/")
            return real(self, place, wanted, files)

        monkeypatch.setattr(UnitProducts, "of", stumbling)
        assert run_chunk(work) == 8
        assert [outcomes(work)[scene.id] for scene in scenes] == ["made", "failed", "made"]
        error = read_results(work)[0][1]["error"]
        assert (error["class"], error["exit_code"]) == ("InternalError", 1)
        assert "secret" not in json.dumps(error)
        assert "Traceback" in caplog.text

    def test_zips(self, deliveries: Any, out: Path, tmp_path: Path) -> None:
        names = {deliveries.slc: deliveries.slc_id, deliveries.geotiff: deliveries.geotiff_id}
        units = [
            {"place": str(path), "dataset_id": f"{name}-md", "files": None}
            for path, name in names.items()
        ]
        damaged = tmp_path / "cut.zip"
        damaged.write_bytes(deliveries.slc.read_bytes()[:-40])
        units.insert(1, {"place": str(damaged), "dataset_id": f"{names[deliveries.slc]}-md",
                         "files": None})  # fmt: skip
        folder = chunk(tmp_path / "c", out, units)
        assert run_chunk(folder) == 8
        found = [(line["outcome"], line["place"]) for line in read_results(folder)[0]]
        assert found == [
            ("made", str(deliveries.slc)),
            ("failed", str(damaged)),
            ("made", str(deliveries.geotiff)),
        ]
        files = met(out, f"{deliveries.slc_id}-md")["gekko_archive_files"]
        assert all(file.startswith(f"{deliveries.slc}!") for file in files)

    def test_a_zip_of_two_products_is_listed_once(
        self, scenes: list[Scene], out: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = tmp_path / "two.zip"
        with zipfile.ZipFile(path, "w") as file:
            for scene in scenes[:2]:
                for name in (*scene.names, "summary.txt"):
                    file.write(scene.folder / name, f"{scene.id}/{name}")
        units = [
            {"place": str(path), "dataset_id": scene.id, "files": None} for scene in scenes[:2]
        ]
        listed = []
        real = unitproduct.recognise
        monkeypatch.setattr(unitproduct, "recognise", lambda p: listed.append(p) or real(p))
        assert run_chunk(chunk(tmp_path / "c", out, units)) == 0
        assert only_datasets(out) == {scene.id for scene in scenes[:2]}
        assert listed == [path]

    def test_what_has_gone(
        self, scenes: list[Scene], place: Path, out: Path, tmp_path: Path
    ) -> None:
        other = unit(scenes[0], place, summary=False)
        units = [unit(scenes[0], tmp_path / "nowhere"), {**other, "dataset_id": scenes[1].id}]
        folder = chunk(tmp_path / "c", out, units)
        assert run_chunk(folder) == 8
        first, second = (line["error"] for line in read_results(folder)[0])
        assert "No such file" in first["message"]
        assert second["class"] == "NoProduct"

    @posix
    def test_names_that_are_no_text(self, scenes: list[Scene], out: Path, tmp_path: Path) -> None:
        strange = os.fsdecode(os.fsencode(tmp_path) + b"/a, b'\"\xff \xe9\n$(x)")
        place = spread(scenes[:1], Path(strange))
        folder = chunk(tmp_path / "c", out, [unit(scenes[0], place)])
        assert run_chunk(folder) == 0
        (line,) = read_results(folder)[0]
        assert line["place"] == strange
        for document in (out / scenes[0].id).iterdir():
            json.loads(document.read_bytes().decode("utf-8"))
        assert len(met(out, scenes[0].id)["gekko_archive_files"]) == len(scenes[0].names) + 1

    def test_a_summary_of_a_product_that_is_not_there_contradicts(
        self, scenes: list[Scene], out: Path, tmp_path: Path
    ) -> None:
        place = spread(scenes[:1], tmp_path / "one")
        shutil.copy(scenes[1].folder / "summary.txt", place / "summary.txt")
        folder = chunk(tmp_path / "c", out, [unit(scenes[0], place)])
        assert run_chunk(folder) == 8
        assert outcomes(folder) == {scenes[0].id: "failed"}

    def test_no_folder_for_the_datasets(self, work: Path, scenes: list[Scene], out: Path) -> None:
        """What is not mounted must not be made on a node's own disk."""
        out.rmdir()
        assert run_chunk(work) == 8
        assert {line["error"]["exit_code"] for line in read_results(work)[0]} == {9}
        assert not out.exists()


class TestTheArchive:
    @posix
    def test_is_only_read_by_a_user_without_a_name_or_home(
        self, scenes: list[Scene], place: Path, out: Path, tmp_path: Path
    ) -> None:
        """Also: from a folder that is not its own, and without what is optional."""
        folder = chunk(tmp_path / "c", out, [unit(scene, place) for scene in scenes])
        become = _as_nobody(tmp_path)
        archive = tmp_path / "archive"
        for path in archive.rglob("*"):
            path.chmod(0o555 if path.is_dir() else 0o444)
            # A day ago: a read that leaves its time would be seen with relatime too.
            os.utime(path, (time.time() - 100_000, time.time() - 50_000))
        before = _facts(archive)
        blocked = ("psij", "boto3", "asyncssh", "keyring", "opensearchpy", "elasticsearch")
        code = f"import sys\nfor name in {blocked!r}:\n    sys.modules[name] = None\n"
        try:
            done = subprocess.run(
                [*become, sys.executable, "-c", code + COMMAND[2].replace("; ", "\n"), str(folder)],
                cwd="/", env=MINIMAL, capture_output=True, text=True, timeout=60, check=False,
            )  # fmt: skip
            assert done.returncode == 0, done.stderr
            assert _facts(archive) == before
        finally:
            for path in (archive, *archive.rglob("*")):
                path.chmod(0o755)
        assert only_datasets(out) == {scene.id for scene in scenes}
        if become:
            assert (out / scenes[0].id).stat().st_uid != os.getuid()

    def test_no_file_of_it_is_opened_for_writing(
        self, work: Path, place: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        opened: list[tuple[str, int]] = []
        real = os.open

        def watched(path: Any, flags: int, *more: Any, **others: Any) -> int:
            opened.append((str(path), flags))
            return real(path, flags, *more, **others)

        def refused(path: Any, mode: str = "r", *more: Any, **others: Any) -> Any:
            assert not str(path).startswith(str(place)) or mode in ("r", "rb"), path
            return real_open(path, mode, *more, **others)

        real_open = builtins.open
        monkeypatch.setattr(os, "open", watched)
        monkeypatch.setattr(builtins, "open", refused)
        assert run_chunk(work) == 0
        ours = [flags for path, flags in opened if path.startswith(str(place))]
        assert ours
        assert all(flags & os.O_ACCMODE == os.O_RDONLY for flags in ours)


def _facts(folder: Path) -> dict[Path, tuple[int, int, bytes | None]]:
    """Return the times of each file (atime first: it is looked at before anything is read)."""
    times = {path: (path.stat().st_atime_ns, path.stat().st_mtime_ns)
             for path in (folder, *sorted(folder.rglob("*")))}  # fmt: skip
    found = {}
    for path, (atime, mtime) in times.items():
        content = None
        if path.is_file():
            handle = os.open(path, os.O_RDONLY | getattr(os, "O_NOATIME", 0))
            with os.fdopen(handle, "rb") as file:
                content = file.read()
        # Listing a folder for this comparison may leave a time on it.
        found[path] = (0 if path.is_dir() else atime, mtime, content)
    return found


def _as_nobody(root: Path) -> list[str]:
    """Return the command that becomes a user without an entry; everything here is given to it.

    With the right to read everything: interpreter and code may lie where only we can look.
    """
    if os.getuid() != 0:
        return []
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        pytest.skip("setpriv of util-linux is needed to become another user")
    uid = 54321
    for path in (root, *root.rglob("*")):
        os.chown(path, uid, uid)
    rights = ["--inh-caps=-all,+dac_read_search", "--ambient-caps=-all,+dac_read_search"]
    return [setpriv, "--reuid", str(uid), "--regid", str(uid), "--clear-groups", *rights]


class TestChunks:
    @pytest.mark.parametrize(
        ("text", "said"),
        [
            (None, "cannot be read"),
            ("{", "no JSON"),
            ("[]", "no chunk of version 1"),
            ('{"version": 2}', "no chunk of version 1"),
            ('{"version": 1}', "no token"),
            ('{"version": 1, "token": "t", "out": "/x", "units": 3}', "no list of units"),
            ('{"version": 1, "token": "t", "out": "/x", "units": [{"place": "/a"}]}', "no place"),
            (
                '{"version":1,"token":"t","out":"/","units":[{"place":"/","dataset_id":"b","files":["../c"]}]}',
                "no names",
            ),
        ],
    )
    def test_that_are_none(self, tmp_path: Path, text: str | None, said: str) -> None:
        if text is not None:
            (tmp_path / "chunk.json").write_text(text)
        with pytest.raises(UsageError, match=said):
            run_chunk(tmp_path)

    def test_half_a_line_is_waited_for_and_mended(self, work: Path, scenes: list[Scene]) -> None:
        run_chunk(work)
        (work / "done.json").unlink()
        results = work / "results.ndjson"
        whole = results.read_bytes()
        lines = whole.splitlines(keepends=True)
        torn = b"".join(lines[:2]) + lines[2][:37]
        results.write_bytes(torn)
        found, end = read_results(work)
        assert [line["dataset_id"] for line in found] == [scene.id for scene in scenes[:2]]
        assert end == len(torn) - 37
        assert run_chunk(work) == 0
        more, last = read_results(work, end)
        assert [(line["dataset_id"], line["outcome"]) for line in more] == [
            (scenes[2].id, "unchanged")
        ]
        assert last == results.stat().st_size
        assert results.read_bytes().startswith(torn + b"\n")

    def test_options_that_cannot_be_are_told_with_each_unit(
        self, scenes: list[Scene], place: Path, out: Path, tmp_path: Path
    ) -> None:
        units = [unit(scene, place) for scene in scenes]
        for number, options in enumerate(
            [
                {"grq": {"url": "ftp://somewhere"}},
                {"grq": {"url": "https://me:secret@somewhere:9200"}},
                {"grq": {"url": "https://somewhere", "ca": str(tmp_path / "none.pem")}},
                {"hysds_dir": str(tmp_path)},
                {"footprint_options": {"nonsense": 1}},
            ]
        ):
            folder = chunk(tmp_path / f"c{number}", out, units, **options)
            assert run_chunk(folder) == 8
            errors = [line["error"] for line in read_results(folder)[0]]
            assert [error["class"] for error in errors] == ["UsageError"] * 3, options
            assert "secret" not in json.dumps(errors)

    def test_results_are_on_the_disk_one_by_one(
        self, work: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        synced: list[int] = []
        real = os.fsync

        def noted(handle: int) -> None:
            real(handle)
            if Path(f"/proc/self/fd/{handle}").readlink().name == "results.ndjson":
                synced.append((work / "results.ndjson").read_bytes().count(b"\n"))

        monkeypatch.setattr(os, "fsync", noted)
        run_chunk(work)
        assert synced == [1, 2, 3]


class TestSignals:
    @posix
    def test_sigterm_stops_between_units(
        self, work: Path, scenes: list[Scene], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        real = Results.append

        def append(self: Results, line: Any) -> None:
            real(self, line)
            os.kill(os.getpid(), signal.SIGTERM)

        before = signal.getsignal(signal.SIGTERM)
        with monkeypatch.context() as patched:
            patched.setattr(Results, "append", append)
            assert run_chunk(work) == 143
        assert signal.getsignal(signal.SIGTERM) is before
        assert outcomes(work) == {scenes[0].id: "made"}
        assert read_done(work) is None
        assert run_chunk(work) == 0
        assert list(outcomes(work).values()) == ["made"] * 3

    def test_a_thread_leaves_signals_alone(self, work: Path) -> None:
        codes: list[int] = []
        thread = threading.Thread(target=lambda: codes.append(run_chunk(work)))
        thread.start()
        thread.join(30)
        assert codes == [0]

    @posix
    def test_kill_9_at_any_moment(
        self, scenes: list[Scene], place: Path, out: Path, tmp_path: Path
    ) -> None:
        """Each scene is there once in the end, and told of as done."""
        folder = chunk(tmp_path / "c", out, [unit(scene, place) for scene in scenes])
        seed = str(random.randrange(1000))
        done = subprocess.run(
            [sys.executable, "-c", KILLER, str(folder), seed],
            env=MINIMAL, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert int(done.stdout) > 0, f"nothing was killed (seed {seed})"
        assert run_chunk(folder) == 0, f"seed {seed}"
        assert only_datasets(out) == {scene.id for scene in scenes}, f"seed {seed}"
        assert set(outcomes(folder)) == {scene.id for scene in scenes}
        assert set(outcomes(folder).values()) <= {"made", "unchanged"}


class TestTwoAtOnce:
    @posix
    def test_copies_of_one_job(self, work: Path, scenes: list[Scene], out: Path) -> None:
        jobs = [subprocess.Popen([*COMMAND, str(work)], env=MINIMAL) for _ in range(3)]
        assert [job.wait(60) for job in jobs] == [0, 0, 0]
        lines, _ = read_results(work)
        assert [line["outcome"] for line in lines] == ["made"] * 3
        assert only_datasets(out) == {scene.id for scene in scenes}

    @posix
    def test_two_jobs_that_meet_the_same_scenes(
        self, scenes: list[Scene], place: Path, out: Path, tmp_path: Path
    ) -> None:
        units = [unit(scene, place) for scene in scenes]
        folders = [chunk(tmp_path / f"c{n}", out, units) for n in range(3)]
        jobs = [subprocess.Popen([*COMMAND, str(folder)], env=MINIMAL) for folder in folders]
        assert [job.wait(60) for job in jobs] == [0, 0, 0]
        assert only_datasets(out) == {scene.id for scene in scenes}
        for scene in scenes:
            found = sorted(outcomes(folder)[scene.id] for folder in folders)
            assert found == ["made", "unchanged", "unchanged"]

    @posix
    def test_a_claim_that_is_held(self, work: Path) -> None:
        with (work / "claim").open("w") as held:
            claim.fcntl.flock(held, claim.fcntl.LOCK_EX)
            held.write(json.dumps({"host": "node7", "pid": 12}))
            held.flush()
            assert is_looked_at(work / "claim")
            with pytest.raises(NoResource, match="node7"):
                run_chunk(work, patience_s=0.3)
        assert not is_looked_at(work / "claim")  # its holder has gone
        assert run_chunk(work, patience_s=0.0) == 0
        assert json.loads((work / "claim").read_text())["pid"] == os.getpid()

    @posix
    @pytest.mark.parametrize(
        ("holder", "age_s", "free"),
        [
            ({"host": "elsewhere", "pid": 1}, 10, False),
            ({"host": "elsewhere", "pid": 1}, 4000, True),
            ({"host": socket.gethostname(), "pid": 1}, 4000, False),
            ({"host": socket.gethostname(), "pid": 2**22 + 1}, 10, True),
            ({"host": socket.gethostname(), "pid": "x"}, 10, True),
            (None, 10, True),
        ],
    )
    def test_where_there_are_no_locks(
        self, work: Path, monkeypatch: pytest.MonkeyPatch, holder: Any, age_s: int, free: bool
    ) -> None:
        def missing(*given: Any) -> None:
            raise OSError(claim.errno.ENOLCK, "No locks available")

        monkeypatch.setattr(claim.fcntl, "flock", missing)
        file = work / "claim"
        file.write_text(json.dumps(holder) if holder else "{")
        os.utime(file, (time.time() - age_s, time.time() - age_s))
        assert is_looked_at(file) != free
        monkeypatch.setattr(worker, "_run", lambda *given: 0)
        if free:
            assert run_chunk(work, patience_s=0.0) == 0
        else:
            with pytest.raises(NoResource, match="is at work"):
                run_chunk(work, patience_s=0.0)


def is_looked_at(path: Path) -> bool:
    """Look whether a claim is held, and whether it is as it was."""
    before = path.read_bytes(), path.stat()
    held = claim.is_claimed(path)
    after = path.read_bytes(), path.stat()
    assert (before[0], before[1].st_mtime_ns) == (after[0], after[1].st_mtime_ns)
    return held


def test_a_chunk_says_what_it_was_told(tmp_path: Path) -> None:
    told = {"version": 1, "token": "ü\udcff", "out": "/o", "units": []}
    write_chunk(tmp_path, told)
    assert read_chunk(tmp_path) == told
    assert [path.name for path in tmp_path.iterdir()] == ["chunk.json"]
    assert run_chunk(tmp_path) == 0
