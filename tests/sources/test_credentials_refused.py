"""A refused password is sent once: not by others at the same time, not by the next process."""

from __future__ import annotations

import json
import multiprocessing
import os
import stat
import threading
from pathlib import Path
from typing import Any

import pytest

from alos2.errors import LoginFailed, TransferFailed
from alos2.sources.credentials import Credential, Secret, login_attempt
from alos2.sources.credentials.refused import account_key, forget, markers

WHERE = "auig2.jaxa.jp"
WRONG = Credential("me", Secret("planted-wrong"), origin="profile mine")
RIGHT = Credential("me", Secret("planted-right"), origin="profile mine")


def attempt(credential: Credential, where: str = WHERE) -> bool:
    """Log in as if the portal knew only `RIGHT`; tells whether anything was sent."""
    said = ""
    try:
        with login_attempt(credential, where=where) as trying:
            if credential.password != RIGHT.password:
                raise trying.refused(f"{where} refused it")
            trying.accepted()
    except LoginFailed as error:
        said = str(error)
    assert "planted" not in said
    return "before" not in said


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"  # as conftest sets it


def test_once_in_this_process_and_once_in_all(cache: Path) -> None:
    assert attempt(WRONG)
    assert not attempt(WRONG)
    forget()
    assert not attempt(WRONG)
    (marker,) = markers()
    assert marker.file.is_relative_to(cache)
    assert stat.S_IMODE(marker.file.stat().st_mode) == 0o600
    stored = json.loads(marker.file.read_text())
    assert set(stored) == {"where", "when", "salt", "digest"}
    assert "me" not in stored.values()
    assert "planted" not in marker.file.read_text()


def test_the_message_tells_how_to_go_on() -> None:
    with pytest.raises(LoginFailed) as first, login_attempt(WRONG, where=WHERE) as trying:
        raise trying.refused("no", hint="look into your mail")
    with pytest.raises(LoginFailed) as second, login_attempt(WRONG, where=WHERE):
        pytest.fail("it must not be sent")
    (marker,) = markers()
    for error in (first.value, second.value):
        assert str(marker.file) in error.hint
        assert "profile mine" in error.hint
    assert "look into your mail" in first.value.hint
    assert marker.when in second.value.message
    marker.file.unlink()
    forget()
    assert attempt(WRONG)


def test_another_password_user_or_host_is_tried() -> None:
    assert attempt(WRONG)
    forget()
    assert attempt(Credential("me", Secret("planted-other")))
    assert attempt(Credential("you", WRONG.password))
    assert attempt(WRONG, "other.jaxa.jp")
    assert account_key("me", WHERE) == account_key("me", WHERE.upper())


def test_an_accepted_one_forgets_the_refused_one() -> None:
    assert attempt(WRONG)
    assert attempt(RIGHT)
    assert not list(markers())
    assert attempt(WRONG)


def test_other_faults_say_nothing_about_the_password() -> None:
    with pytest.raises(TransferFailed), login_attempt(WRONG, where=WHERE):
        raise TransferFailed("no connection")
    assert not list(markers())
    assert attempt(WRONG)


def test_a_key_is_not_remembered() -> None:
    for _ in range(2):
        with (
            pytest.raises(LoginFailed, match="no such key"),
            login_attempt(Credential("me"), where=WHERE) as trying,
        ):
            raise trying.refused("no such key")
    assert not list(markers())


def test_damaged_markers_count_for_nothing(cache: Path) -> None:
    assert attempt(WRONG)
    (marker,) = markers()
    for text in ("", "{", "[]", '{"salt": "zz", "digest": "x"}', '{"salt": 3, "digest": 4}'):
        marker.file.write_text(text)
        forget()
        assert attempt(WRONG)


def test_a_cache_that_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("no folder")
    monkeypatch.setenv("ALOS2_CACHE", str(blocked))
    assert attempt(WRONG)
    assert not attempt(WRONG), "this process still knows"
    assert "cannot be written" in caplog.text


def test_without_a_home_it_is_kept_beside_other_temporary_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("ALOS2_CACHE", "HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert attempt(WRONG)
    (marker,) = markers()
    folder = tmp_path / f"alos2-ingest-{os.getuid()}"
    assert marker.file.is_relative_to(folder)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    # A folder that others could have laid there is not believed.
    forget()
    folder.chmod(0o777)
    assert attempt(WRONG)


def test_threads_send_it_once() -> None:
    sent: list[bool] = []
    gate = threading.Barrier(6)

    def log_in() -> None:
        gate.wait()
        sent.append(attempt(WRONG))

    threads = [threading.Thread(target=log_in) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(sent) == [False] * 5 + [True]


def _in_a_process(cache: str, results: Any) -> None:
    os.environ["ALOS2_CACHE"] = cache
    results.put(attempt(WRONG))


def test_processes_that_start_together_send_it_once(cache: Path) -> None:
    context = multiprocessing.get_context("spawn")
    results = context.Queue()
    children = [context.Process(target=_in_a_process, args=(str(cache), results)) for _ in range(4)]
    for child in children:
        child.start()
    sent = [results.get(timeout=60) for _ in children]
    for child in children:
        child.join()
    results.close()
    results.join_thread()
    assert sorted(sent) == [False] * 3 + [True]
