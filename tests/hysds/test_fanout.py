"""One child for each scene, whatever happens on the way."""

from __future__ import annotations

import hashlib
import json
import ssl
import subprocess
import sys
import threading
from dataclasses import make_dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import trustme

from alos2.catalogue import RestOptions
from alos2.errors import LoginFailed, PublishFailed, UsageError
from alos2.hysds.cluster import accounts_for
from alos2.hysds.fanout import for_work
from alos2.hysds.jobbook import child_key, payload_hash
from alos2.hysds.workdir import WorkDir
from fakes.mozart import FakeMozart


def item(**more: Any) -> Any:
    values = {
        "data_id": "JPJXisis0001201908160001", "provider": "sentinel-asia",
        "id": "JPJXisis0001201908160001", "title": "", "order_id": None,
        "eor_id": "ERAHAC000007", **more,
    }  # fmt: skip
    return make_dataclass("Item", list(values), frozen=True)(**values)


def test_a_child_as_mozart_gets_it(cluster: Any) -> None:
    fan_out = cluster.fan_out()
    line = fan_out.submit(item(), queue="alos2-worker")
    (job,) = cluster.mozart.jobs
    assert line.outcome == "submitted"
    assert str(line) == f"JPJXisis0001201908160001: submitted as job {job.id}"
    assert job.form == {
        "type": "job-ingest_alos2_sentinelasia:v1.2",
        "queue": "alos2-worker",
        "priority": "5",
        "tags": json.dumps(["kyushu flood", "sentinel-asia", "ERAHAC000007"]),
        "name": "ingest_alos2_sentinelasia-JPJXisis0001201908160001",
        "payload_hash": job.payload_hash,
        "username": "ops",
        "enable_dedup": "true",
        "params": json.dumps(job.params),
    }
    assert job.params == {
        "data_id": "JPJXisis0001201908160001",
        "eor_id": "",
        "start_date": "",
        "end_date": "",
        "queue": "",
    }


def test_the_hash_is_of_the_delivery_and_its_generation() -> None:
    key = child_key("sentinel-asia", "JPJXisis0001201908160001")
    hashes = {payload_hash(key, generation) for generation in range(300)}
    assert len(hashes) == 300
    assert all(len(h) == 32 and h.startswith(key) and h.isalnum() for h in hashes)
    assert child_key("sentinel-asia", "x") == child_key("sentinel-asia", "x")
    assert len({child_key("a", "bc"), child_key("ab", "c"), child_key("a", "b")}) == 3
    with pytest.raises(PublishFailed, match="something is wrong"):
        payload_hash(key, 1 << 16)


@pytest.mark.parametrize("index", [True, False])
def test_what_is_held_is_left_out(cluster: Any, index: bool) -> None:
    cluster.held.datasets["JPJXisis0001201908160001"] = "ALOS2-x"
    assert "left out, held as ALOS2-x" in cluster.submit(index=index)
    assert cluster.mozart.requests == []


@pytest.mark.parametrize("status", ["job-queued", "job-started"])
@pytest.mark.parametrize("index", [True, False])
def test_what_is_under_way_is_left_out(cluster: Any, index: bool, status: str) -> None:
    cluster.submit(index=index)
    cluster.mozart.jobs[0].status = status
    line = cluster.submit(index=index)
    assert f"under way as job {cluster.mozart.jobs[0].id} ({status})" in line
    assert len(cluster.mozart.running) == 1


@pytest.mark.parametrize("status", ["job-completed", "job-failed", "job-revoked", "job-offline"])
@pytest.mark.parametrize("index", [True, False])
def test_a_deleted_dataset_is_ingested_again(cluster: Any, index: bool, status: str) -> None:
    """HySDS drops copies of completed jobs too: the generation rises, again and again."""
    for generation in range(4):
        cluster.submit(index=index)
        assert len(cluster.mozart.running) == generation + 1
        cluster.held.datasets["JPJXisis0001201908160001"] = "ALOS2-x"
        cluster.mozart.end(cluster.mozart.running[-1], status)
        assert "held" in cluster.submit(index=index)
        del cluster.held.datasets["JPJXisis0001201908160001"]
    if index or status == "job-completed":
        assert len({job.payload_hash for job in cluster.mozart.running}) == 4


def test_why_it_is_submitted_again_is_told(cluster: Any) -> None:
    cluster.submit()
    first = cluster.mozart.jobs[0]
    cluster.mozart.end(first)
    assert cluster.submit().endswith(
        f"(job {first.id} is job-completed, and its dataset is not there)"
    )


def test_a_job_that_ended_just_now_counts_as_under_way(cluster: Any) -> None:
    """The catalogue shows its dataset some seconds later."""
    cluster.submit()
    cluster.mozart.end(cluster.mozart.jobs[0], ago_s=5)
    assert "completed just now" in cluster.submit()
    assert len(cluster.mozart.jobs) == 1
    cluster.mozart.end(cluster.mozart.jobs[0], "job-failed", ago_s=5)
    assert "submitted" in cluster.submit()


@pytest.mark.parametrize("index", [True, False])
def test_without_a_catalogue_what_completed_counts_as_held(cluster: Any, index: bool) -> None:
    cluster.submit(index=index, catalogue=False)
    cluster.mozart.end(cluster.mozart.jobs[0])
    assert "under way" in cluster.submit(index=index, catalogue=False)
    assert len(cluster.mozart.running) == 1


@pytest.mark.parametrize("index", [True, False])
def test_resubmit(cluster: Any, index: bool) -> None:
    cluster.submit(index=index)
    cluster.held.datasets["JPJXisis0001201908160001"] = "ALOS2-x"
    for number, status in enumerate(("job-started", "job-completed", "job-failed"), start=1):
        cluster.mozart.running[-1].status = status
        assert "submitted" in cluster.submit(index=index, resubmit=True)
        assert len(cluster.mozart.running) == number + 1


@pytest.mark.parametrize("fault", ["lost", "500 after", "slow"])
@pytest.mark.parametrize("index", [True, False])
def test_a_lost_answer_makes_no_second_job(cluster: Any, index: bool, fault: str) -> None:
    cluster.mozart.faults = [fault, fault]
    options = RestOptions(backoff_s=0.01, silence_s=0.3)
    line = cluster.submit(index=index, options=options)
    assert len(cluster.mozart.running) == 1
    assert cluster.mozart.running[0].id in line


def test_a_lost_answer_of_a_job_that_is_not_known_yet(cluster: Any) -> None:
    """HySDS's index lags behind: the same hash again, and HySDS drops the copy."""
    cluster.mozart.lag_s = 60.0
    cluster.mozart.faults = ["lost"]
    cluster.submit()
    assert len(cluster.mozart.jobs) == 2
    assert len(cluster.mozart.running) == 1


@pytest.mark.parametrize("fault", ["dropped", "500", "503"])
def test_passing_faults_pass(cluster: Any, fault: str) -> None:
    cluster.mozart.faults = [fault, fault]
    assert "submitted" in cluster.submit()
    assert len(cluster.mozart.jobs) == 1


@pytest.mark.parametrize(
    ("fault", "what"),
    [
        ("dropped", "does not answer"),
        ("500", "HTTP 500"),
        ("503", "HTTP 503"),
        ("not json", "did not take a job"),
        ("refused", "did not take a job.*the queue is closed"),
    ],
)
def test_lasting_faults_are_told(cluster: Any, fault: str, what: str) -> None:
    cluster.mozart.faults = [fault] * 9
    fan_out = cluster.fan_out()
    with pytest.raises(PublishFailed, match=what) as caught:
        fan_out.submit(item(), queue="alos2-worker")
    assert caught.value.exit_code == 7
    assert cluster.mozart.jobs == []
    assert fan_out.lines == []


def test_mozarts_own_reason_is_told(cluster: Any) -> None:
    cluster.mozart.specs.clear()
    with pytest.raises(PublishFailed, match=r"job_specs/job-ingest_alos2_sentinelasia:v1\.2"):
        cluster.submit()


def test_two_fan_outs_at_once_make_one_child_each(cluster: Any) -> None:
    """Two threads, ten scenes, an index that lags: twenty submissions, ten jobs."""
    cluster.mozart.lag_s = 0.3
    scenes = [item(data_id=f"JPJX{n}", id=f"JPJX{n}") for n in range(10)]
    start = threading.Barrier(2)
    errors: list[BaseException] = []

    def run() -> None:
        fan_out = cluster.fan_out()
        start.wait()
        try:
            for scene in scenes:
                fan_out.submit(scene, queue="alos2-worker")
        except PublishFailed as error:
            errors.append(error)

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert sorted(job.params["data_id"] for job in cluster.mozart.running) == [
        f"JPJX{n}" for n in range(10)
    ]


@pytest.mark.parametrize("ended", [False, True])
def test_two_processes_at_once_make_one_child(
    cluster: Any, tmp_path: Path, context_text: str, empty_grq: str, ended: bool
) -> None:
    """As HySDS would run them, from their directories; also after an earlier child has ended."""
    if ended:
        cluster.submit()
        cluster.mozart.end(cluster.mozart.jobs[0])
    (tmp_path / "_context.json").write_text(context_text)
    (tmp_path / "celeryconfig.py").write_text(
        f'MOZART_REST_URL = "{cluster.mozart.url}"\n'
        f'JOBS_ES_URL = ["{cluster.mozart.index_url}"]\n'
        f'GRQ_ES_URL = "{empty_grq}"\n'
    )
    script = tmp_path / "run.py"
    script.write_text(
        "import sys\n"
        "from pathlib import Path\n"
        "from types import SimpleNamespace\n"
        "from alos2.hysds.fanout import for_work\n"
        "from alos2.hysds.workdir import WorkDir\n"
        "item = SimpleNamespace(data_id='JPJXisis0001201908160001', provider='sentinel-asia',\n"
        "    id='x', title='', order_id=None, eor_id=None)\n"
        "fan_out = for_work(WorkDir(Path(sys.argv[1])), 'alos2-worker')\n"
        "print('ready', flush=True)\n"
        "sys.stdin.readline()\n"
        "print(fan_out.submit(item, queue='alos2-worker'))\n"
    )
    processes = [
        subprocess.Popen(
            [sys.executable, str(script), str(tmp_path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    before = len(cluster.mozart.running)
    lines = []
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in processes:
        out, _ = process.communicate(timeout=60)
        assert process.returncode == 0
        lines.append(out)
    assert len(cluster.mozart.running) == before + 1
    assert all("submitted as" in line or "under way as" in line for line in lines)


def test_the_lines_say_what_and_why(cluster: Any) -> None:
    cluster.held.datasets["HELD"] = "ALOS2-x"
    cluster.submit(item(data_id="ALIVE"))
    fan_out = cluster.fan_out()
    for data_id in ("HELD", "ALIVE", "NEW", "NEW2"):
        fan_out.submit(item(data_id=data_id), queue="alos2-worker")
    lines = [str(line) for line in fan_out.lines]
    assert [line.outcome for line in fan_out.lines] == ["held", "under way", *["submitted"] * 2]
    assert lines[0] == "HELD: left out, held as ALOS2-x"
    assert lines[1].startswith("ALIVE: left out, under way as job ")
    assert [line.partition(":")[0] for line in lines[2:]] == ["NEW", "NEW2"]


def test_mozart_that_takes_long_to_know(cluster: Any) -> None:
    cluster.mozart.lag_s = 60.0
    line = cluster.submit(index=False, patience_s=0.3)
    assert "Mozart has not said yet whether it runs" in line
    cluster.mozart.lag_s = 0.4
    assert "under way" in cluster.submit(index=False, patience_s=10.0)
    assert len(cluster.mozart.running) == 1


def test_a_login_is_asked_for(cluster: Any) -> None:
    cluster.mozart.login = ("ops", "secret")
    with pytest.raises(LoginFailed) as caught:
        cluster.submit()
    assert caught.value.exit_code == 4


def test_a_self_signed_mozart_on_a_bare_address_is_pinned(
    tmp_path: Path, context_text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With its login from a callable; another certificate gets neither login nor job."""
    certificate = trustme.CA().issue_cert("mozart.example.org")
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(tls)
    pem = certificate.cert_chain_pems[0].bytes().decode()
    pin = hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem)).hexdigest()
    specs = {"job-ingest_alos2_sentinelasia:v1.2": ["data_id"]}
    (tmp_path / "_context.json").write_text(context_text)
    password = SimpleNamespace(reveal=lambda: "pässword")
    asked: list[str] = []

    def logins(host: str) -> Any:
        asked.append(host)
        return SimpleNamespace(username="ops", password=password)

    with FakeMozart(specs=specs, tls=tls, login=("ops", "pässword")) as mozart:
        (tmp_path / "celeryconfig.py").write_text(f"MOZART_REST_URL = {mozart.url!r}\n")
        work = WorkDir(tmp_path)
        for wrong in (None, "0" * 64):
            if wrong:
                monkeypatch.setenv("ALOS2_MOZART_FINGERPRINT", wrong)
            fan_out = for_work(work, "alos2-worker", logins=logins)
            fan_out._mozart._wait_s = 0.01
            with pytest.raises(PublishFailed, match="certificate"):
                fan_out.submit(item(), queue="alos2-worker")
            fan_out.close()
        assert mozart.requests == []
        monkeypatch.setenv("ALOS2_MOZART_FINGERPRINT", pin)
        fan_out = for_work(work, "alos2-worker", logins=logins)
        assert fan_out.submit(item(), queue="alos2-worker").outcome == "submitted"
        fan_out.close()
        assert len(mozart.jobs) == 1
        assert set(asked) == {mozart.base.removeprefix("https://")}


@pytest.mark.parametrize(
    ("place", "text"),
    [
        ("home/.netrc", "machine 127.0.0.1 login ops password pass-word"),
        ("home/.netrc-os", "machine 127.0.0.1 login ops password pass-word"),
        ("mounted/.netrc-os", "machine 127.0.0.1 login ops password pass-word"),
        ("mounted/127.0.0.1.toml", 'username = "ops"\npassword = "pass-word"'),
    ],
)
def test_the_login_comes_from_where_all_accounts_come_from(
    tmp_path: Path, context_text: str, monkeypatch: pytest.MonkeyPatch, place: str, text: str
) -> None:
    """Also of a worker's container, whose user has no home: from what is mounted."""
    (tmp_path / "mounted").mkdir()
    file = tmp_path / place
    file.parent.mkdir(exist_ok=True)
    file.write_text(text)
    file.chmod(0o400)
    monkeypatch.setenv("ALOS2_CREDENTIALS_DIR", str(tmp_path / "mounted"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("NETRC", raising=False)
    monkeypatch.setenv("ALOS2_MOZART_CA", str(tmp_path / "ca.pem"))
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(tls)
    (tmp_path / "_context.json").write_text(context_text)
    specs = {"job-ingest_alos2_sentinelasia:v1.2": ["data_id"]}
    with FakeMozart(specs=specs, tls=tls, login=("ops", "pass-word")) as mozart:
        (tmp_path / "celeryconfig.py").write_text(f"MOZART_REST_URL = {mozart.url!r}\n")
        fan_out = for_work(WorkDir(tmp_path), "alos2-worker")
        assert fan_out.submit(item(), queue="alos2-worker").outcome == "submitted"
        fan_out.close()


def test_hysdss_one_login_is_for_its_indices_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``default`` of .netrc-os: not for Mozart, not over http, and not where there is another."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("NETRC", raising=False)
    file = tmp_path / ".netrc-os"
    file.write_text("machine 10.0.0.3 login own password x1\ndefault login os password pass-word\n")
    file.chmod(0o600)
    (tmp_path / ".netrc").write_text("default login nobody password never\n")
    (tmp_path / ".netrc").chmod(0o600)

    def name(service: Any, *urls: str) -> list[str | None]:
        logins = accounts_for(service, urls)
        found = [logins(url.partition("://")[2]) for url in urls]
        return [one.username if one is not None else None for one in found]

    assert name("GRQ", "https://10.0.0.4:9200") == ["os"]
    assert name("JOBS", "https://10.0.0.2:9200", "https://10.0.0.3:9200") == ["os", "own"]
    assert name("MOZART", "https://10.0.0.1:8888/api/v0.1") == [None]
    assert name("GRQ", "http://10.0.0.4:9200") == [None]
    file.chmod(0o644)
    with pytest.raises(UsageError, match="chmod 600"):
        name("GRQ", "https://10.0.0.4:9200")


def test_a_jobs_directory_is_enough(
    cluster: Any, tmp_path: Path, context_text: str, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "_context.json").write_text(context_text)
    with pytest.raises(UsageError, match="ALOS2_MOZART_URL"):
        for_work(WorkDir(tmp_path), "alos2-worker")
    (tmp_path / "celeryconfig.py").write_text(
        f'MOZART_REST_URL = "{cluster.mozart.url}"\nJOBS_ES_URL = f()\n'
    )
    fan_out = for_work(WorkDir(tmp_path), "alos2-worker")
    assert fan_out.submit(item(), queue="alos2-worker").outcome == "submitted"
    assert "GRQ's address is not known" in caplog.text
    assert "JOBS_ES_URL" in caplog.text
    fan_out.close()
