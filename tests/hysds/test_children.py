"""What children are told, and what Mozart would not understand."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest

from alos2.errors import UsageError
from alos2.hysds.mozart import Submission, job_name
from fakes.mozart import FakeMozart


def item(**more: Any) -> Any:
    values = {"data_id": "JPJX1", "provider": "sentinel-asia", "id": "JPJX1", "title": ""}
    return SimpleNamespace(**{**values, "order_id": None, "eor_id": None, **more})


def test_passwords_are_not_handed_on(cluster: Any) -> None:
    """Mozart logs the parameters that it gets."""
    name = "job-ingest_alos2_auig2:v1"
    params = ["auig2_orderid", "auig2_username", "auig2_password"]
    cluster.mozart.specs[name] = params
    context = {
        "job_specification": {"id": name, "params": [{"name": p} for p in params]},
        "auig2_orderid": "1,2",
        "auig2_username": "me",
        "auig2_password": "hunter2",
    }
    cluster.submit(item(order_id="0000000001", data_id=None, id="a b/c"), context=context)
    (job,) = cluster.mozart.jobs
    assert job.params == {
        "auig2_orderid": "0000000001", "auig2_username": "me", "auig2_password": "",
    }  # fmt: skip
    assert job.form["name"] == "ingest_alos2_auig2-a_b_c"
    assert "hunter2" not in json.dumps(job.form)


@pytest.mark.parametrize(
    ("context", "what"),
    [
        ({}, "which job-spec"),
        ({"job_specification": {"id": ""}}, "which job-spec"),
        ({"job_specification": {"id": "job-x:1", "params": [{"name": "y"}]}}, "of one file"),
        ({"job_specification": {"id": "job-x:1"}}, "of one file"),
    ],
)
def test_contexts_that_are_of_no_use(cluster: Any, context: Any, what: str) -> None:
    with pytest.raises(UsageError, match=what):
        cluster.submit(context=context)
    assert cluster.mozart.jobs == []


def test_submissions_that_mozart_would_not_understand(cluster: Any) -> None:
    with pytest.raises(UsageError, match="needs a queue"):
        cluster.fan_out().submit(item(), queue=None)
    for priority in (-1, 10):
        with pytest.raises(UsageError, match="0 to 9"):
            Submission("job-x:1", "q", {}, "0" * 32, "x", priority=priority)
    assert job_name("a b", "c:d/é", "..") == "a_b-c_d"
    assert len(job_name("x" * 500)) == 100


def test_mozart_refuses_what_it_does_not_know() -> None:
    with FakeMozart() as mozart:
        assert mozart.take({"queue": "x"})[0] == 400
        assert "found: False" in mozart.take({"type": "a", "queue": "x"})[1]["message"]
        mozart.specs["a"] = ["p"]
        form = {"type": "a", "queue": "x"}
        assert "must specify 'p'" in mozart.take(form)[1]["message"]
        assert "malformed" in mozart.take({**form, "tags": "["})[1]["message"]
        assert mozart.take({**form, "enable_dedup": "yes"})[0] == 500
        assert mozart.take({**form, "params": '{"p": 1}', "odd": "1", "name": "a/b"})[0] == 200
        said = " ".join(mozart.complaints)
        for text in ("odd", "no text", "nobody serves", "no directory", "no payload", "dedup"):
            assert text in said
