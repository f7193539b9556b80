"""Jobs that file their datasets: in a real OpenSearch, in one that refuses, by HySDS's script."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from alos2.catalogue import Rest, rest
from alos2.errors import PublishFailed, UsageError
from alos2.scan.filing import filing_for
from alos2.scan.grqside import grq_filing
from alos2.scan.results import read_results
from alos2.scan.worker import run_chunk
from fakes.opensearch import UnavailableError, shared_node
from fakes.scenes import Scene, chunk, simulated, spread, unit
from fakes.service import Said, Service

CONFIG = Path(__file__).resolve().parents[2] / "config" / "datasets.json"
RUN = "import sys; from alos2.scan.worker import run_chunk; from pathlib import Path; "
COMMAND = [sys.executable, "-c", RUN + "sys.exit(run_chunk(Path(sys.argv[1])))"]
posix = pytest.mark.skipif(os.name == "nt", reason="of POSIX systems")


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> list[Scene]:
    return simulated(tmp_path_factory.mktemp("scenes"))


@pytest.fixture
def place(scenes: list[Scene], tmp_path: Path) -> Path:
    return spread(scenes, tmp_path / "archive" / "F0690")


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


@pytest.fixture(scope="session")
def node_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a running OpenSearch node."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    try:
        with shared_node(shared / "opensearch") as url:
            yield url
    except UnavailableError as error:
        pytest.skip(str(error))


class Grq:
    """A corner of the node that nobody else uses."""

    def __init__(self, url: str) -> None:
        self.rest = Rest("GRQ", url)
        self.alias = f"t{uuid.uuid4().hex[:10]}"
        self.option = {"url": url, "alias": self.alias}

    def documents(self) -> dict[str, dict[str, Any]]:
        """Return what is filed, by id, with its version."""
        self.rest.call("POST", f"/{self.alias}*/_refresh", accept=(404,))
        answer = self.rest.call(
            "POST", f"/{self.alias}*/_search", body={"size": 100, "version": True}
        ).content
        hits = answer["hits"]["hits"]
        assert len({hit["_id"] for hit in hits}) == len(hits)
        return {hit["_id"]: {**hit["_source"], "_version": hit["_version"]} for hit in hits}


@pytest.fixture
def grq(node_url: str) -> Iterator[Grq]:
    corner = Grq(node_url)
    yield corner
    corner.rest.call("DELETE", f"/{corner.alias}_*")
    corner.rest.call("DELETE", f"/_template/alos2_{corner.alias}", accept=(404,))
    corner.rest.close()


def catalogued(folder: Path) -> dict[str, tuple[str, str | None]]:
    return {
        line["dataset_id"]: (line["outcome"], line["catalogue"]) for line in read_results(folder)[0]
    }


@pytest.mark.slow
class TestOpenSearch:
    def test_filed_once_under_what_hysds_would_file_it(
        self, grq: Grq, scenes: list[Scene], place: Path, out: Path, tmp_path: Path
    ) -> None:
        units = [unit(scene, place) for scene in scenes]
        first = chunk(tmp_path / "c1", out, units, grq=grq.option, tags=["flood"])
        assert run_chunk(first) == 0
        assert set(catalogued(first).values()) == {("made", "created")}
        there = grq.documents()
        assert set(there) == {scene.id for scene in scenes}
        for name, document in there.items():
            assert document["dataset"] == "ALOS2-L1.1-SLC-MD"
            assert document["ipath"] == "ariamh::data/ALOS2-L1.1-SLC-MD"
            assert document["dataset_type"] == "alos2_slc_md"
            assert document["dataset_level"] == "l1.1"
            assert document["urls"] == [(out / name).as_uri()]
            assert document["metadata"]["tags"] == ["flood"]
            assert all(Path(p).is_file() for p in document["metadata"]["gekko_archive_files"])
        again = chunk(tmp_path / "c2", out, units, grq=grq.option)
        assert run_chunk(again) == 0
        assert set(catalogued(again).values()) == {("unchanged", "unchanged")}
        assert {d["_version"] for d in grq.documents().values()} == {1}

    def test_what_it_has_is_not_described(
        self, grq: Grq, scenes: list[Scene], place: Path, out: Path, tmp_path: Path
    ) -> None:
        units = [unit(scene, place) for scene in scenes]
        run_chunk(chunk(tmp_path / "c1", out, units[:2], grq=grq.option))
        before = grq.documents()
        # Another group's archive, where two of the files cannot even be read.
        elsewhere = tmp_path / "elsewhere"
        units[0]["place"] = str(tmp_path / "nowhere")
        folder = chunk(tmp_path / "c2", elsewhere, units, grq=grq.option)
        assert run_chunk(folder) == 0
        assert list(catalogued(folder).values()) == [
            ("catalogued", "present"),
            ("catalogued", "present"),
            ("made", "created"),
        ]
        assert [line["folder"] for line in read_results(folder)[0]][:2] == [None, None]
        assert {path.name for path in elsewhere.iterdir()} == {scenes[2].id}
        assert {name: grq.documents()[name] for name in before} == before

    def test_killed_between_the_dataset_and_the_catalogue(
        self, grq: Grq, scenes: list[Scene], place: Path, out: Path, tmp_path: Path
    ) -> None:
        units = [unit(scenes[0], place)]
        run_chunk(chunk(tmp_path / "c1", out, units))
        assert run_chunk(chunk(tmp_path / "c2", out, units, grq=grq.option)) == 0
        assert set(grq.documents()) == {scenes[0].id}

    @posix
    def test_names_that_are_no_text(
        self, grq: Grq, scenes: list[Scene], out: Path, tmp_path: Path
    ) -> None:
        place = spread(scenes[:1], Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff, \xe9")))
        units = [unit(scenes[0], place)]
        first = chunk(tmp_path / "c1", out, units, grq=grq.option)
        assert run_chunk(first) == 0, read_results(first)
        again = chunk(tmp_path / "c2", out, units, grq=grq.option)
        assert run_chunk(again) == 0
        assert catalogued(again) == {scenes[0].id: ("unchanged", "unchanged")}

    def test_what_was_replaced_is_replaced_there(
        self, grq: Grq, scenes: list[Scene], place: Path, out: Path, tmp_path: Path
    ) -> None:
        run_chunk(chunk(tmp_path / "c1", out, [unit(scenes[0], place)], grq=grq.option))
        moved = place.rename(place.parent / "F0700")
        folder = chunk(tmp_path / "c2", out, [unit(scenes[0], moved)], grq=grq.option)
        assert run_chunk(folder) == 0
        assert catalogued(folder) == {scenes[0].id: ("made", "updated")}
        files = grq.documents()[scenes[0].id]["metadata"]["gekko_archive_files"]
        assert all(file.startswith(f"{moved}/") for file in files)

    def test_anothers_document_stays_unless_ours_is_forced(
        self, grq: Grq, scenes: list[Scene], place: Path, out: Path, tmp_path: Path
    ) -> None:
        units = [unit(scenes[0], place)]
        run_chunk(chunk(tmp_path / "c1", out, units, grq=grq.option))
        other = tmp_path / "other"
        run_chunk(chunk(tmp_path / "c2", other, units))  # made before GRQ was asked
        folder = chunk(tmp_path / "c3", other, units, grq=grq.option)
        assert run_chunk(folder) == 0
        assert catalogued(folder) == {scenes[0].id: ("unchanged", "present")}
        assert grq.documents()[scenes[0].id]["urls"] == [(out / scenes[0].id).as_uri()]
        forced = chunk(tmp_path / "c4", other, units, grq=grq.option, force=True)
        assert run_chunk(forced) == 0
        assert catalogued(forced) == {scenes[0].id: ("made", "updated")}
        assert grq.documents()[scenes[0].id]["urls"] == [(other / scenes[0].id).as_uri()]

    def test_only_our_own_document_is_forgotten(
        self, grq: Grq, scenes: list[Scene], place: Path, out: Path, tmp_path: Path
    ) -> None:
        filing = grq_filing(grq.option)
        name = scenes[0].id
        assert filing.forget(name, out / name, lambda document: True) == "absent"
        units = [unit(scene, place) for scene in scenes[:2]]
        run_chunk(chunk(tmp_path / "c1", out, units, grq=grq.option))
        assert set(grq.documents()) == {scene.id for scene in scenes[:2]}
        assert filing.forget(name, tmp_path / "other" / name, lambda document: True) == "left"
        assert filing.forget(name, out / name, lambda document: False) == "left"
        assert set(grq.documents()) == {scene.id for scene in scenes[:2]}

        def is_it(document: dict[str, Any]) -> bool:
            return bool(document["id"] == name and document["metadata"]["gekko_archive_files"])

        assert filing.forget(name, out / name, is_it) == "removed"
        assert set(grq.documents()) == {scenes[1].id}

    @posix
    @pytest.mark.parametrize("one_archive", [True, False])
    def test_two_nodes_that_meet_the_same_scenes(
        self, grq: Grq, scenes: list[Scene], place: Path, tmp_path: Path, one_archive: bool
    ) -> None:
        units = [unit(scene, place) for scene in scenes]
        outs = [tmp_path / ("out" if one_archive else f"out{n}") for n in range(2)]
        folders = [
            chunk(tmp_path / f"c{n}", out, units, grq=grq.option) for n, out in enumerate(outs)
        ]
        jobs = [subprocess.Popen([*COMMAND, str(folder)]) for folder in folders]
        assert [job.wait(60) for job in jobs] == [0, 0]
        there = grq.documents()
        assert set(there) == {scene.id for scene in scenes}
        assert {document["_version"] for document in there.values()} == {1}
        for scene in scenes:
            words = sorted(str(catalogued(folder)[scene.id][1]) for folder in folders)
            assert words[0] == "created"
            assert words[1] in ("present", "unchanged")

    def test_a_rule_of_ones_own(
        self, grq: Grq, scenes: list[Scene], place: Path, out: Path, tmp_path: Path
    ) -> None:
        rules = tmp_path / "datasets.json"
        entry = {
            "ipath": "earthobs::data/ALOS2-OURS", "match_pattern": r"/ALOS2\d+-\d{6}-.*-md$",
            "level": "one", "type": "ours",
        }  # fmt: skip
        rules.write_text(json.dumps({"datasets": [entry]}))
        more = {"grq": grq.option, "dataset_file": str(rules)}
        assert run_chunk(chunk(tmp_path / "c1", out, [unit(scenes[0], place)], **more)) == 0
        (document,) = grq.documents().values()
        assert (document["dataset"], document["dataset_level"]) == ("ALOS2-OURS", "one")
        rules.write_text(json.dumps({"datasets": []}))
        folder = chunk(tmp_path / "c2", out, [unit(scenes[1], place)], **more)
        assert run_chunk(folder) == 8
        (line,) = read_results(folder)[0]
        assert "no rule of" in line["error"]["message"]
        assert line["folder"] == str(out / scenes[1].id)  # made, and told of

    def test_our_own_rules_say_the_same(
        self, grq: Grq, scenes: list[Scene], place: Path, out: Path, tmp_path: Path
    ) -> None:
        run_chunk(chunk(tmp_path / "c1", out, [unit(scenes[0], place)]))
        plain, ruled = (
            filing_for({"grq": grq.option, "dataset_file": rules}) for rules in (None, str(CONFIG))
        )
        folder = out / scenes[0].id
        assert plain.document(folder) == ruled.document(folder)  # type: ignore[union-attr]


class TestACatalogueThatRefuses:
    @pytest.mark.parametrize(
        ("status", "kind", "code", "most"),
        [(401, "LoginFailed", 4, 1), (500, "PublishFailed", 7, 2)],
    )
    def test_is_not_asked_for_ever(
        self, scenes: list[Scene], place: Path, tmp_path: Path,
        *, status: int, kind: str, code: int, most: int,
    ) -> None:  # fmt: skip
        units, out = [unit(scene, place) for scene in scenes], tmp_path / "out"
        with Service(lambda asked: Said(status)) as refusing:
            folder = chunk(tmp_path / "c", out, units, grq={"url": refusing.url})
            assert run_chunk(folder) == 8
        errors = [line["error"] for line in read_results(folder)[0]]
        assert [(error["class"], error["exit_code"]) for error in errors] == [(kind, code)] * 3
        assert len(refusing.asked) == most
        assert list(out.iterdir()) == []

    def test_has_no_place(
        self, scenes: list[Scene], place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(rest.time, "sleep", lambda seconds: None)
        out = tmp_path / "out"
        units = [unit(scenes[0], place)]
        folder = chunk(tmp_path / "c", out, units, grq={"url": "http://127.0.0.1:9"})
        assert run_chunk(folder) == 8
        (line,) = read_results(folder)[0]
        assert "does not answer" in line["error"]["message"]

    def test_a_login_is_no_part_of_its_address(self) -> None:
        with pytest.raises(UsageError, match="holds a login") as caught:
            filing_for({"grq": {"url": "https://me:secret@grq.example.org:9200"}})
        assert "secret" not in str(caught.value)

    def test_its_certificate(self, tmp_path: Path) -> None:
        url = "https://grq.example.org:9200"
        assert filing_for({"grq": {"url": url, "fingerprint": "ab" * 32}}) is not None
        for wrong in ({"fingerprint": "ab"}, {"ca": str(tmp_path / "none.pem")}):
            with pytest.raises(UsageError):
                filing_for({"grq": {"url": url, **wrong}})

    def test_nobody_is_told_if_nobody_is_named(self) -> None:
        assert filing_for({}) is None
        assert filing_for({"grq": None, "hysds_dir": None, "dataset_file": "/x"}) is None


FAKE = '''#!{python}
"""A fake of HySDS's ingest_dataset.py: checks how it is called, and notes it."""
import argparse, json, os, sys
from pathlib import Path

parser = argparse.ArgumentParser()
parser.add_argument("ds_dir")
parser.add_argument("datasets_cfg")
parser.add_argument("-d", "--dry-run", action="store_true")
parser.add_argument("-f", "--force", action="store_true")
args = parser.parse_args()
folder = Path(args.ds_dir)
assert folder.is_absolute() and Path(args.datasets_cfg).is_absolute()
for kind in ("dataset", "met"):
    json.loads((folder / (folder.name + "." + kind + ".json")).read_text())
import celeryconfig  # HySDS finds it on its path
os.mkdir(".pub_context")  # HySDS leaves such folders where it runs
here = Path({notes!r})
number = len(list(here.iterdir()))
(here / str(number)).write_text(json.dumps(
    {{"id": folder.name, "cfg": args.datasets_cfg, "force": args.force, "dry": args.dry_run,
      "grq": celeryconfig.GRQ_UPDATE_URL, "stdin": sys.stdin.read()}}))
sys.stderr.write("INFO: starting\\n")
if {code}:
    sys.stderr.write("NoClobberException: exists at https://u:secret@store.example.org/x?token=abc\\n")
sys.exit({code})
'''


class Hysds:
    """A folder as HySDS's checkout, with a script that is a fake."""

    def __init__(self, root: Path, below: str, code: int = 0) -> None:
        self.dir = root / "hysds home, 1"
        self.notes = root / "notes"
        self.notes.mkdir()
        checkout = self.dir / below
        (checkout / "scripts").mkdir(parents=True)
        self.script = checkout / "scripts" / "ingest_dataset.py"
        self.script.write_text(FAKE.format(python=sys.executable, notes=str(self.notes), code=code))
        self.script.chmod(0o755)
        (checkout / "celeryconfig.py").write_text('GRQ_UPDATE_URL = "http://127.0.0.1:9/x"\n')
        (self.dir / "datasets.json").write_text("{}")

    def calls(self) -> list[dict[str, Any]]:
        return [json.loads(path.read_text()) for path in sorted(self.notes.iterdir())]


@posix
class TestHysdsOwnScript:
    @pytest.mark.parametrize("below", ["", "hysds", "ops/hysds"])
    def test_is_called_as_it_wants(
        self, scenes: list[Scene], place: Path, tmp_path: Path,
        *, below: str, monkeypatch: pytest.MonkeyPatch,
    ) -> None:  # fmt: skip
        work, out = tmp_path / "work", tmp_path / "out"
        work.mkdir()
        monkeypatch.chdir(work)
        hysds = Hysds(tmp_path, below)
        units = [unit(scene, place) for scene in scenes[:2]]
        folder = chunk(tmp_path / "c", out, units, hysds_dir=str(hysds.dir))
        assert run_chunk(folder) == 0
        assert set(catalogued(folder).values()) == {("made", "created")}
        expected = {"cfg": str(hysds.dir / "datasets.json"), "force": False, "dry": False,
                    "grq": "http://127.0.0.1:9/x", "stdin": ""}  # fmt: skip
        assert hysds.calls() == [{"id": scene.id, **expected} for scene in scenes[:2]]
        assert list(work.iterdir()) == []

    def test_what_was_replaced_is_forced(
        self, scenes: list[Scene], place: Path, out: Path, tmp_path: Path
    ) -> None:
        hysds = Hysds(tmp_path, "")
        run_chunk(chunk(tmp_path / "c1", out, [unit(scenes[0], place)]))
        more = {"hysds_dir": str(hysds.dir), "dataset_file": str(CONFIG), "force": True}
        folder = chunk(tmp_path / "c2", out, [unit(scenes[0], place)], **more)
        assert run_chunk(folder) == 0
        assert catalogued(folder) == {scenes[0].id: ("made", "updated")}
        (call,) = hysds.calls()
        assert (call["force"], call["cfg"]) == (True, str(CONFIG))

    def test_its_failure_is_told_in_its_words(
        self, scenes: list[Scene], place: Path, out: Path, tmp_path: Path
    ) -> None:
        hysds = Hysds(tmp_path, "hysds", code=3)
        folder = chunk(tmp_path / "c", out, [unit(scenes[0], place)], hysds_dir=str(hysds.dir))
        assert run_chunk(folder) == 8
        (line,) = read_results(folder)[0]
        error = line["error"]
        assert (error["class"], error["exit_code"]) == ("PublishFailed", 7)
        assert "exit code 3" in error["message"]
        assert "NoClobberException: exists at https://store.example.org/x" in error["message"]
        assert "secret" not in json.dumps(line)
        assert line["folder"] == str(out / scenes[0].id)

    def test_a_script_that_is_not_executable_is_run_by_python(
        self, scenes: list[Scene], place: Path, out: Path, tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:  # fmt: skip
        hysds = Hysds(tmp_path, "")
        hysds.script.chmod(0o644)
        tools = tmp_path / "bin"
        tools.mkdir()
        (tools / "python").symlink_to(sys.executable)
        monkeypatch.setenv("PATH", str(tools))
        folder = chunk(tmp_path / "c", out, [unit(scenes[0], place)], hysds_dir=str(hysds.dir))
        assert run_chunk(folder) == 0
        assert len(hysds.calls()) == 1

    @pytest.mark.parametrize("lacking", ["scripts/ingest_dataset.py", "datasets.json"])
    def test_what_is_not_there_is_named(self, tmp_path: Path, lacking: str) -> None:
        hysds = Hysds(tmp_path, "")
        (hysds.dir / lacking).unlink()
        with pytest.raises(UsageError, match=Path(lacking).name):
            filing_for({"hysds_dir": str(hysds.dir)})

    def test_an_interpreter_that_is_not_there(self, tmp_path: Path, out: Path) -> None:
        hysds = Hysds(tmp_path, "")
        hysds.script.write_text("#!/nonexistent/python\n")
        filing = filing_for({"hysds_dir": str(hysds.dir)})
        assert filing is not None
        with pytest.raises(Exception, match="cannot be run"):
            filing.file(tmp_path / "x", "new")

    @pytest.mark.slow
    def test_its_own_catalogue_is_asked_first(
        self, grq: Grq, scenes: list[Scene], place: Path, out: Path, tmp_path: Path
    ) -> None:
        hysds = Hysds(tmp_path, "", code=1)
        units = [unit(scenes[0], place)]
        run_chunk(chunk(tmp_path / "c1", out, units, grq=grq.option))
        grq.documents()  # visible now
        more = {"hysds_dir": str(hysds.dir), "grq": grq.option}
        elsewhere = chunk(tmp_path / "c2", tmp_path / "out2", units, **more)
        assert run_chunk(elsewhere) == 0
        assert catalogued(elsewhere) == {scenes[0].id: ("catalogued", "present")}
        here = chunk(tmp_path / "c3", out, units, **more)
        assert run_chunk(here) == 0
        assert catalogued(here) == {scenes[0].id: ("unchanged", "present")}
        assert hysds.calls() == []

    def test_its_address_is_read_from_celeryconfig(self, tmp_path: Path) -> None:
        hysds = Hysds(tmp_path, "hysds")
        with Service(lambda asked: Said(500)) as refusing:
            config = hysds.dir / "hysds" / "celeryconfig.py"
            config.write_text(f"GRQ_ES_URL = {refusing.url!r}\n")
            filing = filing_for({"hysds_dir": str(hysds.dir)})
            assert filing is not None
            with pytest.raises(PublishFailed):
                filing.holds("x")
        assert {asked.target for asked in refusing.asked} == {"/grq/_count"}
