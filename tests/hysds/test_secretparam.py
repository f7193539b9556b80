"""A password among a job's parameters leaves its context: everywhere, whole, at any moment."""

from __future__ import annotations

import base64
import json
import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alos2.errors import NoResource, UsageError
from alos2.hysds.secretparam import NO_TRIAGE, take_secret
from alos2.hysds.workdir import WorkDir

WORD = 'planted & "cret" \\ ü 2026'


def context(password: object = WORD) -> dict[str, Any]:
    """As a worker writes it, with all the places where parameters are repeated."""
    return {
        "auig2_orderid": "0000000003",
        "auig2_username": "me",
        "auig2_password": password,
        "job_specification": {
            "params": [
                {"name": "auig2_orderid", "value": "0000000003"},
                {"name": "auig2_password", "value": password},
            ],
            "command": f"ingest.py -o 0000000003 -p {password}",
        },
        "_prov": {"wasDerivedFrom": [f"https://me:{quote(str(password))}@auig2.jaxa.jp/x"]},
        "payload": json.dumps({"rule": {"kwargs": json.dumps({"auig2_password": password})}}),
        "header": base64.b64encode(str(password).encode()).decode(),
        "job_priority": 5,
        "ratio": 0.25,
        "nothing": None,
        "yes": True,
        "unrelated": "L1.1 CEOS für alle",
    }


def write(folder: Path, content: object, mode: int = 0o644) -> Path:
    file = folder / "_context.json"
    file.write_text(json.dumps(content, indent=2))
    file.chmod(mode)
    return file


@pytest.mark.parametrize("mode", [0o644, 0o600, 0o664])
def test_it_is_gone_everywhere_and_nothing_else_is(tmp_path: Path, mode: int) -> None:
    file = write(tmp_path, context(), mode)
    secret = WorkDir(tmp_path).take_secret("auig2_password")
    assert secret is not None
    assert secret.reveal() == WORD
    text = file.read_text()
    for word in ("planted", "cret", base64.b64encode(WORD.encode()).decode()):
        assert word not in text
    after = json.loads(text)
    assert after["auig2_password"] == ""
    assert after["job_specification"]["params"][1] == {"name": "auig2_password", "value": ""}
    assert after["job_specification"]["command"] == "ingest.py -o 0000000003 -p ***"
    assert after[NO_TRIAGE] is True
    assert json.loads(after["payload"])["rule"]
    for name in ("auig2_orderid", "auig2_username", "job_priority", "ratio", "nothing", "yes",
                 "unrelated"):  # fmt: skip
        assert after[name] == context()[name]
    assert stat.S_IMODE(file.stat().st_mode) == mode
    assert [p.name for p in tmp_path.iterdir()] == ["_context.json"]


@pytest.mark.parametrize("blank", [None, "", "   ", "\n"])
def test_a_blank_one_changes_nothing(tmp_path: Path, blank: str | None) -> None:
    file = write(tmp_path, context(blank))
    before = file.read_bytes(), file.stat().st_ino
    assert take_secret(file, "auig2_password") is None
    assert (file.read_bytes(), file.stat().st_ino) == before


def test_without_context_or_parameter(tmp_path: Path) -> None:
    assert WorkDir(tmp_path).take_secret("auig2_password") is None
    assert take_secret(write(tmp_path, {"auig2_orderid": "1"}), "auig2_password") is None
    assert take_secret(write(tmp_path, ["auig2_password"]), "auig2_password") is None


def test_a_number_is_a_password_too(tmp_path: Path) -> None:
    file = write(tmp_path, context(20261121))
    secret = take_secret(file, "auig2_password")
    assert secret is not None
    assert secret.reveal() == "20261121"
    assert "20261121" not in file.read_text()


@pytest.mark.parametrize("value", [["planted-x"], {"a": "planted-x"}, True, 1.5])
def test_what_is_no_password_is_refused_without_being_told(tmp_path: Path, value: object) -> None:
    file = write(tmp_path, {"auig2_password": value})
    with pytest.raises(UsageError) as caught:
        take_secret(file, "auig2_password")
    assert "planted-x" not in str(caught.value)


def test_a_very_short_one_does_not_ruin_the_rest(tmp_path: Path) -> None:
    file = write(tmp_path, {"auig2_password": "ab", "copy": "ab", "tag": "about"})
    assert take_secret(file, "auig2_password") is not None
    after = json.loads(file.read_text())
    assert (after["copy"], after["tag"]) == ("", "about")


def test_a_file_that_cannot_be_replaced_stops_the_job(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write(tmp_path, context())

    def busy(self: Path, target: Path) -> None:
        raise OSError(16, "Device or resource busy")

    monkeypatch.setattr(Path, "replace", busy)
    with pytest.raises(NoResource, match="would publish it") as caught:
        take_secret(file, "auig2_password")
    assert "planted" not in str(caught.value)
    assert json.loads(file.read_text()) == context()


@settings(max_examples=60, deadline=None)
@given(
    word=st.text(st.characters(blacklist_categories=("Cs", "Cc")), min_size=4, max_size=30),
    depth=st.integers(0, 5),
)
def test_any_password_at_any_depth(
    tmp_path_factory: pytest.TempPathFactory, word: str, depth: int
) -> None:
    word = word.strip()
    if len(word) < 4 or any(word in name for name in ("inner", "auig2_password", NO_TRIAGE)):
        return
    inner: object = [f"x{word}y", word, {"k": word}]
    for _ in range(depth):
        inner = {"inner": [inner, json.dumps({"p": word})]}
    file = write(tmp_path_factory.mktemp("w"), {"auig2_password": word, "inner": inner})
    secret = take_secret(file, "auig2_password")
    assert secret is not None
    assert secret.reveal() == word
    after = json.loads(file.read_text())
    assert not holds(after, word)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("0000000003", ("0000000003",)),
        (" 1, 2  3,", ("1", "2", "3")),
        (["0000000003", "4,5", None], ("0000000003", "4", "5")),
        (6003, ("6003",)),
        ("", ()),
        (None, ()),
    ],
)
def test_words_of_a_parameter(tmp_path: Path, value: object, words: tuple[str, ...]) -> None:
    write(tmp_path, {"auig2_orderid": value})
    assert WorkDir(tmp_path).words("auig2_orderid") == words


@pytest.mark.parametrize("value", [1.5, True, {"a": 1}, [[1]]])
def test_what_holds_no_words(tmp_path: Path, value: object) -> None:
    write(tmp_path, {"auig2_orderid": value})
    with pytest.raises(UsageError, match="not text"):
        WorkDir(tmp_path).words("auig2_orderid")


def holds(value: object, word: str) -> bool:
    if isinstance(value, dict):
        return any(holds(inner, word) for inner in value.values())
    if isinstance(value, list):
        return any(holds(inner, word) for inner in value)
    return isinstance(value, str) and word in value


_CHILD = """
import os, sys, time
from pathlib import Path
import alos2.hysds.secretparam as module
sys.stdout.write("ready\\n"); sys.stdout.flush()
sys.stdin.readline()
module.take_secret(Path(sys.argv[1]), "auig2_password")
"""


@pytest.mark.skipif(os.name != "posix", reason="there is no kill -9 here")
def test_at_no_moment_is_the_file_torn_or_missing(tmp_path: Path) -> None:
    """Kill the job at many moments while somebody reads the file without pause."""
    before = context() | {"filler": ["x" * 1000] * 2000}  # 2 MB: writing it takes its time
    outcomes = set()
    readings = 0
    for number in range(16):
        file = write(tmp_path, before)
        child = subprocess.Popen(
            [sys.executable, "-c", _CHILD, str(file)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert child.stdin is not None
        assert child.stdout is not None
        child.stdout.readline()
        child.stdin.write(b"go\n")
        child.stdin.flush()
        until = time.monotonic() + 0.006 * number
        while time.monotonic() < until:
            state(file, before)
            readings += 1
        child.send_signal(signal.SIGKILL)
        child.communicate()
        found = state(file, before)
        outcomes.add(found)
        for left in tmp_path.iterdir():
            assert left.name in ("_context.json", "._context.json.new")
            assert left.name == "_context.json" or b"planted" not in left.read_bytes()
        # The next run finishes it.
        assert (take_secret(file, "auig2_password") is None) == (found == "after")
        assert state(file, before) == "after"
    assert readings > 10
    assert outcomes == {"before", "after"}, "the kills all came too early or too late"


def state(file: Path, before: dict[str, Any]) -> str:
    """Return which of the two whole states the file is in."""
    content = json.loads(file.read_bytes())
    assert content["filler"] == before["filler"]
    if content["auig2_password"] == WORD:
        assert content == before
        return "before"
    assert "planted" not in json.dumps(content)
    assert content[NO_TRIAGE] is True
    return "after"
