"""The Sentinel Asia PGE as a HySDS worker runs it, against a portal with TLS on loopback."""

from __future__ import annotations

import importlib.util
import json
import os
import ssl
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import trustme

from alos2.errors import UsageError
from alos2.hysds.workdir import WorkDir
from alos2.simulate.portals import Account
from fakes.sentinel_asia import Eor, File, SentinelAsiaFake

SCRIPT = Path(__file__).resolve().parents[2] / "pge" / "ingest_alos2_sentinelasia.py"
ACCOUNT = Account("someone", "planted-password-1")


@dataclass
class Job:
    """A worker's directory, and what it takes to run the PGE in it."""

    fake: SentinelAsiaFake
    work: Path
    environment: dict[str, str]

    def context(self, **parameters: object) -> None:
        (self.work / "_context.json").write_text(json.dumps(parameters))

    def __call__(self, *arguments: str, typed: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, str(SCRIPT), *arguments],
            cwd=self.work,
            env=self.environment,
            capture_output=True,
            text=True,
            input=typed,
            timeout=120,
            check=False,
        )

    def written(self, done: subprocess.CompletedProcess[str]) -> str:
        """All that the run has left behind, sidecars and datasets included."""
        text = done.stdout + done.stderr
        for path in self.work.rglob("*"):
            if path.is_file():
                text += path.read_bytes().decode("latin-1")
        return text

    @property
    def messages(self) -> list[str]:
        return (self.work / "_alt_msg.txt").read_text().splitlines()


@pytest.fixture
def job(deliveries: Any, tmp_path: Path) -> Iterator[Job]:
    authority = trustme.CA()
    bundle = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(bundle))
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(tls)
    eors = [
        Eor(
            "ERJPYU000001",
            "16/Aug/2019",
            (
                File("JPJX0001201908160001", deliveries.slc, title="first"),
                File("JPJX0001201908160002", deliveries.geotiff),
                File("JPJX0001201908160003", b"x", kind="Map"),
            ),
        ),
        Eor("ERAHAC000007", "17/Aug/2019", (File("JPJX0001201908160002", deliveries.geotiff),)),
    ]
    work = tmp_path / "work"
    work.mkdir()
    keep = ("PATH", "LANG", "TMPDIR", "OPENBLAS_NUM_THREADS")
    environment = {name: os.environ[name] for name in keep if name in os.environ}
    with SentinelAsiaFake(ACCOUNT, eors, tls) as fake:
        environment |= {
            "REQUESTS_CA_BUNDLE": str(bundle),
            "ALOS2_PORTAL_SENTINEL_ASIA_URL": fake.base_url,
            "ALOS2_SENTINEL_ASIA_USERNAME": ACCOUNT.username,
            "ALOS2_SENTINEL_ASIA_PASSWORD": ACCOUNT.password,
            "ALOS2_SARCAT": "off",
            "ALOS2_CACHE": str(tmp_path / "cache"),
            "LC_ALL": "C.UTF-8",
        }
        yield Job(fake, work, environment)


def test_one_file_by_the_context(job: Job, deliveries: Any) -> None:
    job.context(data_id="JPJX0001201908160001", eor_id="", start_date=None, queue="")
    done = job()
    assert done.returncode == 0, done.stderr
    line = json.loads(done.stdout)
    assert line["id"] == deliveries.slc_id
    met = json.loads((job.work / line["id"] / f"{line['id']}.met.json").read_text())
    assert met["source"]["provider"] == "sentinel-asia"
    assert met["source"]["data_id"] == "JPJX0001201908160001"
    assert met["source"]["url"].endswith("/download?dataId=JPJX0001201908160001")
    (download,) = json.loads((job.work / "pge_metrics.json").read_text())["download"]
    assert download["disk_usage"] == deliveries.slc.stat().st_size
    assert {p.name for p in job.work.iterdir()} == {
        "_context.json", "_alt_msg.txt", "pge_metrics.json", deliveries.slc_id
    }  # fmt: skip
    written = job.written(done)
    for secret in (ACCOUNT.password, *job.fake.sessions):
        assert secret not in written


def test_a_child_job_knows_its_request(job: Job, deliveries: Any) -> None:
    job.context(data_id="JPJX0001201908160001", data_eor_id="ERJPYU000001", queue="small")
    done = job()
    assert done.returncode == 0, done.stderr
    met = json.loads((job.work / deliveries.slc_id / f"{deliveries.slc_id}.met.json").read_text())
    assert met["source"]["eor_id"] == "ERJPYU000001"
    assert met["source"]["title"] == "first"
    assert job.messages == [f"{deliveries.slc_id}: new"]


@pytest.mark.parametrize(
    "arguments",
    [
        ("-start_time", "20190816", "-end_time", "20190816"),
        ("--start_date", "2019-08-01", "--end_date", "2019-08-17"),
    ],
)
def test_old_and_new_flags_win_over_the_context(
    job: Job, deliveries: Any, arguments: tuple[str, ...]
) -> None:
    job.context(data_id="JPJXnone", eor_id="ERNONE")
    done = job(*arguments)
    assert done.returncode == 0, done.stderr
    ids = {json.loads(line)["id"] for line in done.stdout.splitlines()}
    assert ids == {deliveries.slc_id, deliveries.geotiff_id}
    assert "JPJX0001201908160003: left out, not ALOS-2 data but 'Map'" in job.messages
    assert job.fake.downloads.count("JPJX0001201908160002") == 1
    assert job.fake.password_posts == 1


def test_without_a_fan_out_a_queue_is_ingested_here_and_the_message_says_so(
    job: Job, deliveries: Any
) -> None:
    # Not a worker's directory: it has no _context.json.
    done = job("-eor_id", "ERJPYU000001", "-queue", "small-queue")
    assert done.returncode == 0, done.stderr
    assert job.messages[0] == (
        "queue 'small-queue' was named, but nothing here can submit jobs to it: the files are "
        "ingested in this job"
    )
    assert f"{deliveries.slc_id}: new" in job.messages
    assert len(done.stdout.splitlines()) == 2


def test_a_queue_without_mozart_is_a_usage_error_before_the_portal_is_asked(job: Job) -> None:
    job.context(eor_id="ERJPYU000001", queue="small-queue")
    done = job()
    assert done.returncode == 2
    assert "ALOS2_MOZART_URL" in (job.work / "_alt_error.txt").read_text()
    assert job.fake.seen == []


def test_a_plugin_that_submits_jobs_gets_one_for_each_file(job: Job, tmp_path: Path) -> None:
    site = tmp_path / "site"
    information = site / "some_queue-1.0.dist-info"
    information.mkdir(parents=True)
    (site / "some_queue.py").write_text(
        "class Line(str):\n"
        "    outcome = 'submitted'\n"
        "class Queue:\n"
        "    def __init__(self, work, queue, *, resubmit):\n"
        "        self.queue, self.resubmit = queue, resubmit\n"
        "    def submit(self, item, *, queue):\n"
        "        how = f'{item.eor_id} in {self.queue}, {self.resubmit}'\n"
        "        return Line(f'{item.data_id}: submitted, {how}')\n"
        "    def close(self):\n"
        "        open('closed', 'w').close()\n"
    )
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: some-queue\nVersion: 1.0\n")
    (information / "entry_points.txt").write_text("[alos2.fan_out]\nhysds = some_queue:Queue\n")
    job.environment["PYTHONPATH"] = str(site)
    job.context(eor_id="ERJPYU000001", queue="small-queue")
    done = job()
    assert done.returncode == 0, done.stderr
    assert job.fake.downloads == []
    assert job.messages == ["1 left out, 2 submitted"]
    left_out, *submitted = (job.work / "_alt_msg_details.txt").read_text().splitlines()
    assert left_out == "JPJX0001201908160003: left out, not ALOS-2 data but 'Map'"
    assert submitted == [
        f"{name}: submitted, ERJPYU000001 in small-queue, False"
        for name in ("JPJX0001201908160001", "JPJX0001201908160002")
    ]
    (job.work / "closed").unlink()
    for word, code in (("true", 0), ("perhaps", 2)):
        job.context(eor_id="ERJPYU000001", queue="small-queue", resubmit=word)
        assert job().returncode == code
    job.context(eor_id="ERJPYU000001", queue="small-queue", resubmit="True")
    assert job().returncode == 0
    assert "in small-queue, True" in (job.work / "_alt_msg_details.txt").read_text()
    (job.work / "closed").unlink()
    # The child itself is given the same queue, and does not submit itself again.
    job.context(data_id="JPJX0001201908160001", queue="small-queue")
    assert job().returncode == 0
    assert job.fake.downloads == ["JPJX0001201908160001"]
    assert not (job.work / "closed").exists()
    assert not (job.work / "_alt_msg_details.txt").exists()


def test_a_dry_run_only_lists(job: Job) -> None:
    job.context(eor_id="ERJPYU000001", queue="small-queue")
    done = job("-dry_run")
    assert done.returncode == 0, done.stderr
    listed = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(one["data_id"], one["ingest"]) for one in listed] == [
        ("JPJX0001201908160001", True),
        ("JPJX0001201908160002", True),
        ("JPJX0001201908160003", False),
    ]
    assert job.fake.downloads == []
    assert {p.name for p in job.work.iterdir()} == {
        "_context.json", "_alt_msg.txt", "pge_metrics.json"
    }  # fmt: skip


@pytest.fixture(scope="module")
def script() -> Any:
    spec = importlib.util.spec_from_file_location("sentinelasia_pge", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("context", "arguments"),
    [
        ({}, ()),
        ({"data_id": " ", "eor_id": ""}, ()),
        ({"data_id": "a", "eor_id": "b"}, ()),
        ({}, ("-data_id", "a", "-eor_id", "b")),
        ({"eor_id": "b", "start_date": "2019-08-16"}, ()),
        ({"end_date": "2019-08-16"}, ()),
        ({"eor_id": "b", "end_date": "2019-08-16"}, ()),
        ({"start_date": "2019-08-16", "end_date": "2019-08-15"}, ()),
        ({"start_date": "16/Aug/2019"}, ()),
        ({"data_id": 7}, ()),
        ({}, ("--nonsense",)),
    ],
)
def test_usage_errors(
    script: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    context: dict[str, object],
    arguments: tuple[str, ...],
) -> None:
    (tmp_path / "_context.json").write_text(json.dumps(context))
    monkeypatch.setattr(sys, "argv", ["pge", *arguments])
    with pytest.raises(UsageError):
        script.query_of(script.parameters(script.parsed(), WorkDir(tmp_path)))


@pytest.mark.parametrize("arguments", [(), ("--nonsense",)])
def test_usage_errors_ask_nothing_of_the_portal(job: Job, arguments: tuple[str, ...]) -> None:
    job.context(data_id="a", eor_id="b", password="planted-parameter-9")
    done = job(*arguments)
    assert done.returncode == 2, done.stderr
    assert (job.work / "_alt_error.txt").read_text().startswith("UsageError")
    assert job.fake.seen == []
    assert "planted-parameter-9" not in job.written(done)


def test_a_wrong_password_is_exit_code_4_and_sent_once(job: Job) -> None:
    job.environment["ALOS2_SENTINEL_ASIA_PASSWORD"] = "planted-wrong-word"
    job.context(eor_id="ERJPYU000001")
    for _ in range(3):
        done = job("-v", "-v")
        assert done.returncode == 4, done.stderr
        assert (job.work / "_alt_error.txt").read_text().startswith("LoginFailed")
        assert "planted-wrong-word" not in job.written(done)
    assert job.fake.password_posts == 1


def test_a_password_by_standard_input(job: Job) -> None:
    for name in ("USERNAME", "PASSWORD"):
        del job.environment[f"ALOS2_SENTINEL_ASIA_{name}"]
    job.context(data_id="JPJX0001201908160001")
    assert job().returncode == 4
    assert job("-u", ACCOUNT.username, "-p", ACCOUNT.password).returncode == 2
    done = job("-u", ACCOUNT.username, "-p", "-", typed=f"{ACCOUNT.password}\n")
    assert done.returncode == 0, done.stderr
    assert ACCOUNT.password not in job.written(done)


def test_a_password_parameter_is_taken_out_and_not_used(job: Job) -> None:
    job.context(data_id="JPJX0001201908160001", password="planted-parameter-9")
    done = job()
    assert done.returncode == 0, done.stderr
    assert "planted-parameter-9" not in job.written(done)
    assert "does not use" in job.messages[0]


def test_some_done_and_some_failed_is_exit_code_8(
    job: Job, deliveries: Any, damaged: Callable[[Path], Path]
) -> None:
    bad = damaged(deliveries.slc)
    job.fake.eors = [Eor("ERJPYU000001", files=(File("A1", bad), File("A2", deliveries.geotiff)))]
    job.context(eor_id="ERJPYU000001")
    done = job()
    assert done.returncode == 8, done.stderr
    assert json.loads(done.stdout)["id"] == deliveries.geotiff_id
    assert "A1: BadArchive" in (job.work / "_alt_error.txt").read_text()


@pytest.fixture
def damaged(tmp_path: Path) -> Callable[[Path], Path]:
    """A zip without its end."""

    def cut(whole: Path) -> Path:
        bad = tmp_path / "damaged.zip"
        bad.write_bytes(whole.read_bytes()[:-30])
        return bad

    return cut
