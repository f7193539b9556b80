"""Every job as a worker runs it: to datasets that its rules publish, or to why there are none."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from alos2.publish.rules import Rules
from alos2.simulate.portals import Account, Offer
from fakes.auig2 import FakeAuig2
from fakes.file_server import FileServer, Reply
from fakes.gportal_2026 import GPortal2026
from fakes.sentinel_asia import Eor, File, SentinelAsiaFake
from hysdsjobs.cluster import QUEUE, Site
from hysdsjobs.payload import (
    ROOT,
    Payload,
    RefusedError,
    arguments,
    by_rest,
    command_line,
    read,
    typed,
    without_defaults,
)
from hysdsjobs.test_job_specs import JOBS
from hysdsjobs.worker import PGE, Done, give
from stack.smallstacks import make_small

ACCOUNT = Account("PER2A4X9", "planted&pass/word-ü")
RULES = Rules.read(ROOT / "config/datasets.json")
REPORTS = {"_alt_msg.txt", "pge_metrics.json"}


def require_good(done: Done, *datasets: str, details: bool = False) -> None:
    """A completed job with these datasets and nothing else in its directory."""
    assert (done.code, done.status, done.error) == (0, "job-completed", ""), done.stderr
    assert set(done.datasets) == set(datasets)
    assert {line["id"] for line in done.lines} == set(datasets)
    more = {"_alt_msg_details.txt"} if details else set()
    assert done.left() == {*REPORTS, *datasets, *more}
    for dataset, kind in done.datasets.items():
        folder = done.folder / dataset
        dataset_json = json.loads((folder / f"{dataset}.dataset.json").read_text())
        found = RULES.find(folder)
        assert found is not None
        assert found[0].entry["type"] == kind
        assert dataset_json["version"]
    assert done.triaged == ()


def require_bad(done: Done, code: int, error: str) -> None:
    """A failed job that publishes nothing, says why, and leaves nothing half-made."""
    assert (done.code, done.status) == (code, "job-failed"), done.stderr
    assert done.error.startswith(error)
    assert error in done.traceback
    assert done.datasets == {}
    left = {"_alt_error.txt", "_alt_traceback.txt", "_alt_msg.txt", "_alt_msg_details.txt"}
    assert done.left() <= left


def require_secret(done: Done, *secrets: str) -> None:
    for secret in secrets:
        for name, data in done.published():
            assert secret.encode() not in data, name
        assert secret not in done.stdout + done.stderr


class TestWorker:
    """The simulator itself."""

    @pytest.mark.parametrize("job", JOBS)
    def test_our_commands_need_no_substitution(self, job: str) -> None:
        required = {p["name"]: "x" for p in read(job, "hysds-io")["params"] if "default" not in p}
        payload = by_rest(job, required)
        assert payload.command == read(job, "job-spec")["command"]
        (word,) = arguments(payload)
        assert (PGE / Path(word).name).is_file()
        assert payload.context == payload.params
        assert typed(job, required).context == payload.context

    def test_quoting_and_substitution(self) -> None:
        awkward = ["it's; $HOME", '"', "a b", "", {"x": [1]}]
        spec = {"command": "/opt/x.py -v"}
        payload = Payload("x", spec, {"name": 7}, {}, command_line(spec, awkward))
        words = ["/opt/x.py", "-v", "it's; $HOME", '"', "a b", "", '{"x": [1]}']
        assert arguments(payload) == words
        payload = replace(payload, command=command_line(spec, ["$name"]))
        assert arguments(payload)[-1] == "7"
        with pytest.raises(KeyError):
            arguments(replace(payload, command=command_line(spec, ["$other"])))

    @pytest.mark.parametrize(
        ("metrics", "complaint"),
        [
            ('{"download": [', "JSONDecodeError"),
            ('{"download": [{"path": "x"}]}', "KeyError: 'url'"),
        ],
    )
    def test_bad_metrics_fail_a_job(
        self, site: Site, deliveries: Any, metrics: str, complaint: str
    ) -> None:
        payload = typed("ingest_alos2_md", {"dir": str(deliveries.slc)})
        folder = site.worker.new_folder(payload)
        (folder / "left_by_another.pge_metrics.json").write_text(metrics)
        done = site.worker.run(payload, folder)
        assert (done.code, done.status) == (0, "job-failed")
        assert complaint in done.error
        assert "_alt_msg.txt" in done.triaged
        assert done.datasets == {}

    def test_a_stray_dataset_fails_a_job(self, site: Site, deliveries: Any) -> None:
        payload = typed("ingest_alos2_md", {"dir": str(deliveries.slc)})
        folder = site.worker.new_folder(payload)
        stray = folder / "raw" / "stray"
        stray.mkdir(parents=True)
        (stray / "stray.dataset.json").write_text('{"version": "v1"}')
        done = site.worker.run(payload, folder)
        assert (done.code, done.status) == (0, "job-failed")
        assert "No dataset configured" in done.error

    def test_what_is_required_is_required(self) -> None:
        for make in (typed, by_rest):
            with pytest.raises(RefusedError):
                make("ingest_alos2_downloadurl")
            with pytest.raises(RefusedError):
                make("ingest_alos2_auig2", {"auig2_username": "x"})


class TestDownloadUrl:
    @pytest.fixture
    def server(self, site: Site, deliveries: Any) -> Iterator[FileServer]:
        with FileServer(site.tls) as server:
            server.reply("/order.zip", Reply(deliveries.slc.read_bytes()))
            server.reply("/page.zip", Reply(b"<html><title>Please log in</title></html>"))
            yield server

    def test_good_and_again(
        self, site: Site, scratch: Path, server: FileServer, deliveries: Any
    ) -> None:
        payload = typed("ingest_alos2_downloadurl", {"download_url": server.url("/order.zip")})
        one_kernel = "alos2-*/kernels-*/*/greykernels.clean-*.nbc"
        for kept in scratch.glob(one_kernel.replace(".nbc", ".nb?")):
            kept.unlink()
        done = site.worker.run(payload)
        # What is compiled stays, though neither the code's folder nor a HOME can be written to.
        assert [path.stat().st_uid for path in scratch.glob(one_kernel)] == [site.worker.uid]
        require_good(done, deliveries.slc_id)
        (download,) = done.metrics["download"]
        assert download["url"] == server.url("/order.zip")
        assert done.messages == (f"{deliveries.slc_id}: new",)
        owner = (done.folder / deliveries.slc_id).stat().st_uid
        assert owner == site.worker.uid
        # Delivered again, to the same directory and to a new one.
        before = {p: p.stat().st_mtime_ns for p in (done.folder / deliveries.slc_id).iterdir()}
        again = site.worker.run(payload, done.folder)
        require_good(again, deliveries.slc_id)
        assert again.lines[0]["status"] == "unchanged"
        assert {p: p.stat().st_mtime_ns for p in (done.folder / deliveries.slc_id).iterdir()} == (
            before
        )
        elsewhere = site.worker.run(payload)
        require_good(elsewhere, deliveries.slc_id)
        assert elsewhere.folder != done.folder
        require_secret(done, "planted-broker")

    def test_the_isce2_variant_runs_the_same_script(
        self, site: Site, server: FileServer, deliveries: Any
    ) -> None:
        job = "ingest_alos2_downloadurl_isce2"
        payload = by_rest(job, {"download_url": server.url("/order.zip")})
        assert payload.command == by_rest("ingest_alos2_downloadurl", payload.params).command
        require_good(site.worker.run(payload), deliveries.slc_id)

    @pytest.mark.parametrize(
        ("path", "code", "error"),
        [
            ("/page.zip", 3, "BadArchive: "),
            ("/none.zip", 6, "NothingFound: "),
            (" ", 2, "UsageError: no URL"),
        ],
    )
    def test_bad(self, site: Site, server: FileServer, path: str, code: int, error: str) -> None:
        url = server.url(path) if path.strip() else path
        done = site.worker.run(typed("ingest_alos2_downloadurl", {"download_url": url}))
        require_bad(done, code, error)
        assert {"_alt_error.txt", "_context.json", "_job.json", "_run.sh"} <= set(done.triaged)

    def test_redelivered_after_a_failure(
        self, site: Site, server: FileServer, deliveries: Any
    ) -> None:
        """What the first run said of its failure is gone after the second."""
        server.reply("/late.zip", Reply(b"<html></html>"))
        payload = typed("ingest_alos2_downloadurl", {"download_url": server.url("/late.zip")})
        done = site.worker.run(payload)
        require_bad(done, 3, "BadArchive: ")
        server.reply("/late.zip", Reply(deliveries.slc.read_bytes()))
        require_good(site.worker.run(payload, done.folder), deliveries.slc_id)


class TestAuig2:
    JOB = "ingest_alos2_auig2"

    @pytest.fixture
    def auig2(self, site: Site, deliveries: Any) -> Iterator[FakeAuig2]:
        with FakeAuig2(ACCOUNT, [Offer.read(deliveries.slc)], tls=site.tls) as server:
            assert isinstance(server, FakeAuig2)
            site.environment(ALOS2_PORTAL_AUIG2_URL=server.url)
            yield server

    @pytest.mark.parametrize("name", ["auig2", "second"])
    def test_by_the_mounted_credential(
        self, site: Site, auig2: FakeAuig2, deliveries: Any, name: str
    ) -> None:
        site.worker.credential(name, username=ACCOUNT.username, password=ACCOUNT.password)
        named = {} if name == "auig2" else {"auig2_username": name}
        (order,) = auig2.orders
        payload = typed(self.JOB, {"auig2_orderid": order, **named})
        for one in (payload, without_defaults(payload)):
            done = site.worker.run(one)
            require_good(done, deliveries.slc_id)
            assert done.met(deliveries.slc_id)["source"]["order_id"] == order
            assert "_triage_disabled" not in (done.folder / "_context.json").read_text()
            require_secret(done, "planted", *auig2.logins)

    @pytest.mark.parametrize("make", [typed, by_rest])
    def test_by_a_typed_password(
        self, site: Site, auig2: FakeAuig2, deliveries: Any, make: Any
    ) -> None:
        (order,) = auig2.orders
        payload = make(
            self.JOB,
            {
                "auig2_orderid": order,
                "auig2_username": ACCOUNT.username,
                "auig2_password": ACCOUNT.password,
            },
        )
        done = site.worker.run(payload)
        require_good(done, deliveries.slc_id)
        require_secret(done, "planted", *auig2.logins)
        assert json.loads((done.folder / "_context.json").read_text())["_triage_disabled"] is True
        assert "auig2_password came as a job parameter" in done.messages[0]
        # Where no job can reach, as the guide says.
        assert "planted" in (done.folder / "_job.json").read_text()
        assert auig2.password_posts == 1

    def test_a_wrong_password(self, site: Site, auig2: FakeAuig2) -> None:
        (order,) = auig2.orders
        payload = typed(
            self.JOB,
            {
                "auig2_orderid": order,
                "auig2_username": ACCOUNT.username,
                "auig2_password": "planted-wrong",
            },
        )
        for folder in (None, None):
            done = site.worker.run(payload, folder)
            require_bad(done, 4, "LoginFailed: ")
            require_secret(done, "planted")
            assert "auig2_password" in done.messages[0]
            assert done.triaged == ()
        assert auig2.password_posts == 1

    def test_several_orders_by_children(self, site: Site, deliveries: Any) -> None:
        offers = [Offer.read(deliveries.slc), Offer.read(deliveries.geotiff)]
        with FakeAuig2(ACCOUNT, offers, tls=site.tls) as auig2:
            site.environment(ALOS2_PORTAL_AUIG2_URL=auig2.url)
            site.worker.credential("mine", username=ACCOUNT.username, password=ACCOUNT.password)
            fields = {"auig2_orderid": " ".join(auig2.orders), "queue": QUEUE}
            refused = site.worker.run(
                typed(self.JOB, {**fields, "auig2_username": "x", "auig2_password": "planted"})
            )
            require_bad(refused, 2, "UsageError: a queue and a password")
            done = site.worker.run(typed(self.JOB, {**fields, "auig2_username": "mine"}))
            require_good(done, details=True)
            assert done.messages == ("2 submitted",)
            assert auig2.downloads == 0
            found = []
            for job in list(site.mozart.jobs):
                assert job.params["auig2_username"] == "mine"
                assert job.params["auig2_password"] == job.params["queue"] == ""
                child = site.child(job)
                require_good(child, *child.datasets)
                found += child.datasets
            assert found == [deliveries.slc_id, deliveries.geotiff_id]

    def test_an_account_that_is_not_mounted(self, site: Site, auig2: FakeAuig2) -> None:
        payload = typed(self.JOB, {"auig2_orderid": "1", "auig2_username": "nobody"})
        require_bad(site.worker.run(payload), 4, "LoginFailed: ")
        assert auig2.seen == []

    def test_a_file_of_accounts_that_others_can_read(self, site: Site, auig2: FakeAuig2) -> None:
        site.worker.credential("auig2", username=ACCOUNT.username, password=ACCOUNT.password)
        (site.worker.credentials / "auig2.json").chmod(0o444)
        done = site.worker.run(typed(self.JOB, {"auig2_orderid": "1"}))
        require_bad(done, 2, "UsageError: ")
        assert "0400" in done.error
        require_secret(done, "planted")


class TestSentinelAsia:
    JOB = "ingest_alos2_sentinelasia"
    FILES = ("JPJX0001201908160001", "JPJX0001201908160002")

    @pytest.fixture
    def portal(self, site: Site, deliveries: Any) -> Iterator[SentinelAsiaFake]:
        one, two = self.FILES
        files = (
            File(one, deliveries.slc, title="first"),
            File(two, deliveries.geotiff),
            File("JPJX0001201908160003", b"x", kind="Map"),
        )
        eors = [Eor("ERJPYU000001", "16/Aug/2019", files)]
        site.worker.credential(
            "sentinel-asia", username=ACCOUNT.username, password=ACCOUNT.password
        )
        with SentinelAsiaFake(ACCOUNT, eors, site.tls) as fake:
            site.environment(ALOS2_PORTAL_SENTINEL_ASIA_URL=fake.base_url)
            yield fake

    def test_one_file(self, site: Site, portal: SentinelAsiaFake, deliveries: Any) -> None:
        payload = typed(self.JOB, {"data_id": self.FILES[0]})
        for one in (payload, without_defaults(payload)):
            done = site.worker.run(one)
            require_good(done, deliveries.slc_id)
            require_secret(done, "planted", *portal.sessions)

    def test_a_request_here(self, site: Site, portal: SentinelAsiaFake, deliveries: Any) -> None:
        done = site.worker.run(typed(self.JOB, {"eor_id": "ERJPYU000001", "queue": " "}))
        require_good(done, deliveries.slc_id, deliveries.geotiff_id)
        assert len(done.metrics["download"]) == 2
        assert site.mozart.jobs == []
        assert "JPJX0001201908160003: left out, not ALOS-2 data but 'Map'" in done.messages

    def test_a_request_by_children(
        self, site: Site, portal: SentinelAsiaFake, deliveries: Any
    ) -> None:
        fields = {"eor_id": "ERJPYU000001", "queue": QUEUE}
        parent = typed(self.JOB, fields, tag="flood", priority=4, username="her")
        done = site.worker.run(parent)
        require_good(done, details=True)
        assert done.messages == ("1 left out, 2 submitted",)
        told = done.details.splitlines()
        assert [line.split(":")[0] for line in told] == ["JPJX0001201908160003", *self.FILES]
        assert portal.downloads == []
        # Delivered again while they wait: no more of them.
        again = site.worker.run(parent, done.folder)
        assert again.messages == ("1 left out, 2 under way",)
        jobs = site.mozart.jobs
        assert [job.params["data_id"] for job in jobs] == list(self.FILES)
        assert {job.params["data_eor_id"] for job in jobs} == {"ERJPYU000001"}
        assert {job.form["queue"] for job in jobs} == {QUEUE}
        for job, dataset in zip(
            list(jobs), (deliveries.slc_id, deliveries.geotiff_id), strict=True
        ):
            child = site.child(job)
            require_good(child, dataset)
            source = child.met(dataset)["source"]
            assert (source["data_id"], source["eor_id"]) == (
                job.params["data_id"],
                "ERJPYU000001",
            )
            require_secret(child, "planted")
        held = site.worker.run(parent)
        assert held.messages == ("1 left out, 2 held",)
        assert deliveries.slc_id in held.details
        # One was deleted; and all of them, if somebody wants that.
        del site.catalogued[self.FILES[0]]
        assert site.worker.run(parent).messages == ("1 left out, 1 submitted, 1 held",)
        site.mozart.end(site.mozart.jobs[-1], "job-failed")
        wanted = typed(self.JOB, {**fields, "resubmit": "true"})
        assert site.worker.run(wanted).messages == ("1 left out, 2 submitted",)
        assert len(site.mozart.running) == len(site.mozart.jobs) == 5

    @pytest.mark.parametrize(
        "fields",
        [
            {"data_id": "a", "eor_id": "b"},
            {},
            {"eor_id": "b", "start_date": "2019-08-16"},
            {"eor_id": "b", "queue": QUEUE, "resubmit": "perhaps"},
        ],
    )
    def test_what_makes_no_sense(
        self, site: Site, portal: SentinelAsiaFake, fields: dict[str, str]
    ) -> None:
        done = site.worker.run(typed(self.JOB, fields))
        require_bad(done, 2, "UsageError: ")
        assert portal.seen == []
        assert "_alt_error.txt" in done.triaged

    def test_a_request_that_is_not_there(self, site: Site, portal: SentinelAsiaFake) -> None:
        done = site.worker.run(typed(self.JOB, {"eor_id": "ERNONE", "queue": QUEUE}))
        require_bad(done, 6, "NothingFound: ")
        assert site.mozart.jobs == []

    def test_a_queue_that_is_closed(self, site: Site, portal: SentinelAsiaFake) -> None:
        site.mozart.faults = ["refused", "refused"]
        done = site.worker.run(typed(self.JOB, {"eor_id": "ERJPYU000001", "queue": QUEUE}))
        require_bad(done, 7, "PublishFailed: ")
        assert "the queue is closed" in done.details + "\n".join(done.messages)

    def test_an_address_of_mozart_that_must_be_run(
        self, site: Site, portal: SentinelAsiaFake
    ) -> None:
        site.worker.celeryconfig = "import socket\nMOZART_REST_URL = socket.gethostname()\n"
        done = site.worker.run(typed(self.JOB, {"eor_id": "ERJPYU000001", "queue": QUEUE}))
        require_bad(done, 2, "UsageError: ")
        assert portal.seen == []


class TestGPortal:
    JOB = "ingest_alos2_gportal"

    @pytest.fixture
    def portal(self, site: Site, deliveries: Any) -> Iterator[GPortal2026]:
        offers = [Offer.read(deliveries.slc), Offer.read(deliveries.geotiff)]
        with GPortal2026(offers, site.folder, tls=site.tls) as fake:
            table = {"url": fake.catalogue.url, **fake.settings}
            lines = (f"{name} = {json.dumps(value)}\n" for name, value in table.items())
            config = site.folder / "alos2.toml"
            config.write_text(f"[portals.gportal-2026]\n{''.join(lines)}")
            key = site.worker.credentials / "key"
            shutil.copy(fake.key_file, key)
            key.chmod(0o400)
            give(key)
            site.worker.credential("gportal", username=fake.username, key_file="key")
            site.environment(ALOS2_CONFIG=str(config))
            yield fake

    def test_one_product(self, site: Site, portal: GPortal2026, deliveries: Any) -> None:
        payload = typed(self.JOB, {"gportal_id": deliveries.geotiff_id})
        for one in (payload, without_defaults(payload)):
            done = site.worker.run(one)
            require_good(done, deliveries.geotiff_id)
            assert done.met(deliveries.geotiff_id)["source"]["provider"] == "gportal"

    def test_a_place_and_days_by_children(
        self, site: Site, portal: GPortal2026, deliveries: Any
    ) -> None:
        where = {"bbox": "138,34,139.5,36", "start_date": "2020-06-15", "end_date": "2020-06-15"}
        done = site.worker.run(typed(self.JOB, {**where, "queue": QUEUE}))
        require_good(done, details=True)
        assert done.messages == ("2 submitted",)
        found = {}
        for job in list(site.mozart.jobs):
            child = site.child(job)
            found |= child.datasets
            require_good(child, *child.datasets)
        assert set(found) == {deliveries.slc_id, deliveries.geotiff_id}

    @pytest.mark.parametrize(
        ("fields", "code", "error"),
        [
            ({"start_date": "2016-01-01", "end_date": "2016-01-02"}, 6, "NothingFound: "),
            ({"mode": "FBD"}, 2, "UsageError: "),
            ({"bbox": "1,2,3", "start_date": "2016-01-01"}, 2, "UsageError: "),
        ],
    )
    def test_bad(
        self, site: Site, portal: GPortal2026, fields: dict[str, str], code: int, error: str
    ) -> None:
        require_bad(site.worker.run(typed(self.JOB, fields)), code, error)


class TestMetadata:
    JOB = "ingest_alos2_md"

    @pytest.fixture
    def archive(self, site: Site, deliveries: Any) -> Path:
        """Somebody else's, and closed to writing."""
        folder = site.folder / "archive"
        shutil.copytree(deliveries.slc_dir, folder / "open" / deliveries.slc_dir.name)
        shutil.copy(deliveries.geotiff, folder / "0000000004.zip")
        for path in (*folder.rglob("*"), folder):
            path.chmod(0o555 if path.is_dir() else 0o444)
        return folder

    def test_good_and_again(self, site: Site, archive: Path, deliveries: Any) -> None:
        def state() -> dict[str, tuple[int, int]]:
            files = sorted(archive.rglob("*"))
            return {str(p): (p.stat().st_mtime_ns, p.stat().st_ctime_ns) for p in files}

        ids = (f"{deliveries.slc_id}-md", f"{deliveries.geotiff_id}-md")
        before = state()
        payload = typed(self.JOB, {"dir": str(archive), "md_tag": "mine, yours"})
        done = site.worker.run(payload)
        require_good(done, *ids)
        assert state() == before
        slc = done.met(ids[0])
        files = sorted((archive / "open").rglob("*"))
        assert sorted(slc["gekko_archive_files"]) == [str(p) for p in files if p.is_file()]
        assert slc["tags"] == ["mine", "yours"]
        inside = done.met(ids[1])["gekko_archive_files"]
        assert inside
        assert all(name.startswith(f"{archive}/0000000004.zip!") for name in inside)
        assert done.metrics["download"] == []
        again = site.worker.run(payload, done.folder)
        require_good(again, *ids)
        assert {line["status"] for line in again.lines} == {"unchanged"}

    def test_one_frame_and_date(self, site: Site, archive: Path, deliveries: Any) -> None:
        scene = deliveries.slc_id.rpartition("-")[0]
        payload = typed(self.JOB, {"dir": str(archive), "fdate": scene[-11:]})
        for one in (payload, without_defaults(payload)):
            done = site.worker.run(one)
            assert f"{deliveries.slc_id}-md" in done.datasets
            require_good(done, *done.datasets)

    @pytest.mark.parametrize(
        ("fields", "code", "error"),
        [
            ({"fdate": "9999-990101"}, 6, "NothingFound: "),
            ({"fdate": "yesterday"}, 2, "UsageError: "),
            ({"dir": "/nowhere/at/all"}, 6, "NothingFound: "),
            ({"dir": ""}, 2, "UsageError: "),
        ],
    )
    def test_bad(
        self, site: Site, archive: Path, fields: dict[str, str], code: int, error: str
    ) -> None:
        done = site.worker.run(typed(self.JOB, {"dir": str(archive), **fields}))
        require_bad(done, code, error)

    @pytest.mark.skipif(os.getuid() != 0, reason="only root can run the job as another user")
    def test_the_archive_is_closed_to_the_job(self, site: Site, archive: Path) -> None:
        """What the other tests stand on: the job's user is not the archive's."""
        assert archive.stat().st_uid != site.worker.uid
        assert not archive.stat().st_mode & 0o222


@pytest.mark.apart
class TestStack:
    JOB = "stack_alos2"

    def test_good_and_again(self, site: Site) -> None:
        scenes = make_small(site.folder / "in", dates=2, tracks=1)
        payload = typed(self.JOB, {"config": scenes.config(site.folder).read_text()})
        done = site.worker.run(payload)
        (line,) = done.lines
        require_good(done, line["id"])
        assert done.datasets == {line["id"]: "alos2_stack"}
        assert done.met(line["id"])["metrics"]["HH"]
        again = site.worker.run(payload, done.folder)
        require_good(again, line["id"])
        assert [one["status"] for one in again.lines] == ["unchanged"]

    def test_bad(self, site: Site) -> None:
        require_bad(site.worker.run(typed(self.JOB)), 2, "UsageError: ")
        nothing = typed(self.JOB, {"archive": str(site.folder / "none")})
        require_bad(site.worker.run(nothing), 6, "NothingFound: ")
