"""The archive's scripts as people run them by hand: anywhere, with nothing of ours installed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from alos2.catalogue.embedded import EmbeddedCatalogue
from alos2.cluster.site import Site
from alos2.cluster.userscript import site_from_script
from fakes.scenes import Scene, chunk, outcomes, spread, unit
from gekko.inside import run_inside

GEKKO = Path(__file__).resolve().parents[2] / "gekko"
DESCRIBE = GEKKO / "ingest_alos2_md.py"
BATCH = {
    "pbs": "PBS_O_WORKDIR",
    "slurm": "SLURM_SUBMIT_DIR",
    "sge": "SGE_O_WORKDIR",
    "lsf": "LS_SUBCWD",
}
pytestmark = pytest.mark.skipif(os.name == "nt", reason="clusters run POSIX systems")


@pytest.fixture
def place(scenes: list[Scene], tmp_path: Path) -> Path:
    return spread(scenes, tmp_path / "a b,c" / "P126" / "F0690")


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """A copy of the checkout's folders, and a Python that knows alos2 from nowhere else."""
    root = tmp_path / "check out"
    shutil.copytree(GEKKO, root / "gekko")
    (root / "pge").symlink_to(GEKKO.parent / "pge")
    return root


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    folder = tmp_path / "archive"
    folder.mkdir()
    return folder


def run(*command: object, cwd: Path | str = "/", **env: object) -> subprocess.CompletedProcess[str]:
    values = {"PATH": "/usr/bin:/bin", "ALOS2_SARCAT": "off"}
    return subprocess.run(
        [str(word) for word in command],
        cwd=cwd, env={**values, **{k: str(v) for k, v in env.items()}},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def lines(done: subprocess.CompletedProcess[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in done.stdout.splitlines()]


def fdate(scene: Scene, form: str = "{}_{}") -> str:
    return form.format(scene.id[10:14], scene.id[15:21])


class TestIngestAlos2Md:
    def test_of_one_date_into_an_archive(
        self, scenes: list[Scene], place: Path, archive: Path, bare: Path
    ) -> None:
        script = bare / "gekko" / "ingest_alos2_md.py"
        flags = ("-dir", place, "-fdate", fdate(scenes[1], "{}-{}"), "-md-tag", "one, two")
        # -I: neither the working directory nor the user's packages; the venv's libraries stay.
        done = run(sys.executable, "-I", script, *flags, "-archive", archive)
        assert done.returncode == 0, done.stderr
        (line,) = lines(done)
        assert (line["id"], line["status"]) == (scenes[1].id, "new")
        met = json.loads((archive / line["id"] / f"{line['id']}.met.json").read_text())
        assert met["tags"] == ["one", "two"]
        assert met["gekko_archive_files"] == sorted(str(place / name) for name in scenes[1].names)
        with EmbeddedCatalogue.open(archive, read_only=True) as catalogue:
            assert list(catalogue.ids()) == [scenes[1].id]
        log = done.stderr.splitlines()[0]
        assert log[10] == "T"
        assert log.split(" ", 1)[0].endswith("Z")
        assert scenes[1].id.removesuffix("-md") in log

    def test_again_and_from_the_environment(
        self, scenes: list[Scene], place: Path, archive: Path, tmp_path: Path
    ) -> None:
        for status in ("new", "unchanged"):
            done = run(sys.executable, DESCRIBE, "-dir", place, ALOS2_ARCHIVE=archive)
            assert done.returncode == 0, done.stderr
            assert {line["status"] for line in lines(done)} == {status}
        with EmbeddedCatalogue.open(archive, read_only=True) as catalogue:
            assert list(catalogue.ids()) == sorted(scene.id for scene in scenes)

    def test_without_an_archive_into_the_working_directory(
        self, scenes: list[Scene], place: Path, tmp_path: Path
    ) -> None:
        work = tmp_path / "work"
        work.mkdir()
        flags = ("-dir", place, "-fdate", fdate(scenes[0]))
        done = run(sys.executable, DESCRIBE, *flags, cwd=work)
        assert done.returncode == 0, done.stderr
        assert [path.name for path in work.iterdir()] == [scenes[0].id]

    def test_names_that_are_no_text(
        self, scenes: list[Scene], archive: Path, tmp_path: Path
    ) -> None:
        place = spread(scenes[:1], Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff, \xe9")))
        done = run(sys.executable, DESCRIBE, "-dir", place, "-archive", archive)
        assert done.returncode == 0, done.stderr
        assert [line["id"] for line in lines(done)] == [scenes[0].id]
        with EmbeddedCatalogue.open(archive, read_only=True) as catalogue:
            assert list(catalogue.ids()) == [scenes[0].id]

    def test_nothing_is_installed(self, tmp_path: Path, bare: Path) -> None:
        """The script's own ../pge comes before any other alos2."""
        code = (
            "import runpy, sys; sys.argv = ['x', '--help']\n"
            "try: runpy.run_path(sys.argv.pop() and {!r}, run_name='other')\n"
            "finally: import alos2; print(alos2.__file__)"
        ).format(str(bare / "gekko" / "ingest_alos2_md.py"))
        done = run(sys.executable, "-c", code)
        assert done.stdout.strip() == str(bare / "pge" / "alos2" / "__init__.py"), done.stderr

    @pytest.mark.parametrize(
        ("flags", "code", "said"),
        [
            ((), 2, "UsageError: no folder is given"),
            (("-dir", "-fdate"), 2, "UsageError: no folder is given"),
            (("-dir", "{place}", "-fdate", "2018"), 2, "is no frame and date"),
            (("-dir", "{place}", "-fdate", "0690-990101"), 6, "NothingFound: "),
            (("-dir", "{place}/none"), 6, "NothingFound: "),
            (("-dir", "{place}", "-dsfile", "x.json"), 2, "nobody is named"),
            (("-dir", "{place}", "-hysdsdir", "{place}"), 2, "ingest_dataset.py"),
            (("-dir", "{place}", "-grq_es_url", "http://u:pass@h:1"), 2, "holds a login"),
            (("-dir", "{place}", "-archive", "{place}/x"), 6, "there is no archive"),
            (("-chunk", "{place}"), 2, "chunk.json cannot be read"),
        ],
    )
    def test_what_cannot_be(
        self,
        place: Path,
        flags: tuple[str, ...],
        *,
        code: int,
        said: str,
        capfd: pytest.CaptureFixture[str],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        words = (flag.replace("{place}", str(place)) for flag in flags)
        ended, out, err = run_inside(DESCRIBE, *words, capfd=capfd, monkeypatch=monkeypatch)
        assert ended == code, err
        assert said in err
        assert "Traceback" not in err
        assert "u:pass" not in err
        assert out == ""

    def test_damage_beside_good_ones(
        self, scenes: list[Scene], place: Path, archive: Path, tmp_path: Path
    ) -> None:
        (place / next(name for name in scenes[0].names if name.startswith("LED-"))).unlink()
        done = run(sys.executable, DESCRIBE, "-dir", place, "-archive", archive)
        assert done.returncode == 8, done.stderr
        assert {line["id"] for line in lines(done)} == {scene.id for scene in scenes[1:]}
        assert "leader" in done.stderr

    def test_a_catalogue_that_cannot_be_written_fails_what_is_not_in_it(
        self, scenes: list[Scene], place: Path, archive: Path, tmp_path: Path
    ) -> None:
        (archive / ".alos2-catalogue").mkdir()
        (archive / ".alos2-catalogue" / "catalogue.sqlite").write_bytes(b"no database" * 999)
        done = run(sys.executable, DESCRIBE, "-dir", place, "-archive", archive)
        assert done.returncode == 7, done.stderr

    def test_through_hysds(
        self, scenes: list[Scene], place: Path, archive: Path, tmp_path: Path
    ) -> None:
        hysds = tmp_path / "hysds"
        (hysds / "scripts").mkdir(parents=True)
        (hysds / "datasets.json").write_text("{}")
        fake = hysds / "scripts" / "ingest_dataset.py"  # a fake: it only notes its arguments
        fake.write_text('#!/bin/sh\nprintf "%s\\n" "$#" "$@" >> "$(dirname "$0")/called"\n')
        fake.chmod(0o755)
        flags = ("-dir", place, "-fdate", fdate(scenes[0]), "-hysdsdir", hysds)
        done = run(sys.executable, DESCRIBE, *flags, "-archive", archive)
        assert done.returncode == 0, done.stderr
        (line,) = lines(done)
        assert line["catalogue"] == "created"
        called = (hysds / "scripts" / "called").read_text().splitlines()
        assert called == ["2", str(archive / scenes[0].id), str(hysds / "datasets.json")]


class TestBatchScripts:
    @pytest.mark.skipif(shutil.which("shellcheck") is None, reason="there is no shellcheck")
    def test_shellcheck(self) -> None:
        done = run("shellcheck", "-s", "sh", *(GEKKO / f"ingest2aria.{name}" for name in BATCH))
        assert done.returncode == 0, done.stdout

    @pytest.mark.parametrize("system", BATCH)
    def test_by_hand_from_a_spool_folder(
        self,
        scenes: list[Scene],
        place: Path,
        *,
        system: str,
        archive: Path,
        bare: Path,
        tmp_path: Path,
    ) -> None:
        """A batch system runs a copy of the file, under another name."""
        spooled = tmp_path / "spool" / "1234.SC"
        spooled.parent.mkdir()
        shutil.copy(GEKKO / f"ingest2aria.{system}", spooled)
        # Two are submitted from the checkout, two from its gekko.
        submitted = bare / "gekko" if system in ("slurm", "lsf") else bare
        env = {
            BATCH[system]: submitted, "ALOS2_PYTHON": sys.executable, "dir": place,
            "fdate": fdate(scenes[0]), "archive": archive, "md_tag": "x y",
        }  # fmt: skip
        done = run("/bin/sh", spooled, cwd=tmp_path, **env)
        assert done.returncode == 0, done.stderr
        (line,) = lines(done)
        assert line["dataset_dir"] == str(archive / scenes[0].id)
        met = json.loads((archive / line["id"] / f"{line['id']}.met.json").read_text())
        assert met["tags"] == ["x", "y"]

    @pytest.mark.parametrize("system", BATCH)
    def test_what_is_missing_is_said(self, system: str, place: Path, tmp_path: Path) -> None:
        spooled = tmp_path / "script"
        shutil.copy(GEKKO / f"ingest2aria.{system}", spooled)
        done = run("/bin/sh", spooled, cwd=tmp_path)
        assert (done.returncode, "dir and fdate" in done.stderr) == (2, True)
        done = run("/bin/sh", spooled, cwd=tmp_path, dir=place, fdate="0690-180905")
        assert (done.returncode, "set ALOS2_GEKKO" in done.stderr) == (2, True)

    @pytest.mark.parametrize("system", BATCH)
    def test_its_directives_are_a_sites(self, system: str) -> None:
        site, script = site_from_script(GEKKO / f"ingest2aria.{system}", Site(), {})
        assert site.scheduler == {"sge": "gridengine"}.get(system, system)
        assert site.walltime_s == 4 * 3600
        assert script.name == "ingest_aria_alos2"
        # Nobody's project, queue or account stands in it.
        assert (site.queue, site.project, site.account) == (None, None, None)

    def test_an_edited_copy_of_old_runs_a_chunk(
        self, scenes: list[Scene], place: Path, tmp_path: Path
    ) -> None:
        """Such copies call the script with the variables that only ``qsub -v`` used to set."""
        old = tmp_path / "ours.pbs"
        old.write_text(
            f"#!/bin/bash\n#PBS -P project\n{sys.executable} {DESCRIBE} -dir $dir -fdate $fdate\n"
        )
        folder = chunk(tmp_path / "c", tmp_path / "out", [unit(s, place) for s in scenes])
        done = run("/bin/bash", old, ALOS2_CHUNK=folder)
        assert done.returncode == 0, done.stderr
        assert outcomes(folder) == {scene.id: "made" for scene in scenes}
        assert scenes[0].id in done.stderr
