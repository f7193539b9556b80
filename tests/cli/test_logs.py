"""Whoever logs, and whoever formats it: secrets are gone, and nothing else is."""

from __future__ import annotations

import io
import json
import logging
import threading
from collections.abc import Iterator

import pytest

from alos2.cli import logs
from alos2.dataset.hidden import hide

WORD = "planted-log-secret"


@pytest.fixture
def out() -> Iterator[io.StringIO]:
    """Somebody else's handler, with its own format, on the root logger."""
    factory, hook = logging.getLogRecordFactory(), threading.excepthook
    alos2, root = logging.getLogger("alos2"), logging.getLogger()
    before = (alos2.handlers[:], alos2.level, alos2.propagate, root.level)
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logging.Formatter("%(name)s: %(message)s"))
    root.addHandler(handler)
    root.setLevel(1)
    hide(WORD)
    logs.set_up(2, as_json=False, stream=stream)
    yield stream
    root.removeHandler(handler)
    alos2.handlers[:], alos2.level, alos2.propagate, root.level = before
    logging.setLogRecordFactory(factory)
    threading.excepthook = hook
    logging.captureWarnings(capture=False)


def broken(words: str) -> None:
    raise ValueError(words)


def test_messages_arguments_and_tracebacks(out: io.StringIO) -> None:
    log = logging.getLogger("some.library")
    log.debug("header %s: %r", "Cookie", f"x={WORD}")
    log.info("%(a)s", {"a": WORD})
    log.info({"password": WORD})
    log.info(WORD)
    log.info("100 % of it")
    try:
        broken(WORD)
    except ValueError:
        log.exception("it broke")
    text = out.getvalue()
    assert WORD not in text
    assert "some.library: header Cookie: 'x=***'" in text
    assert "some.library: 100 % of it" in text
    assert "ValueError: ***" in text
    assert text.count("Traceback") == 1


def test_a_message_that_cannot_be_formatted_is_no_way_out(
    out: io.StringIO, capsys: pytest.CaptureFixture[str]
) -> None:
    logging.getLogger("some.library").info("%d", WORD)
    assert WORD not in out.getvalue() + capsys.readouterr().err
    assert "cannot be formatted" in out.getvalue()


def test_a_thread_that_dies(out: io.StringIO, capsys: pytest.CaptureFixture[str]) -> None:
    def die() -> None:
        raise RuntimeError(WORD)

    thread = threading.Thread(target=die, name="worker")
    thread.start()
    thread.join()
    assert "thread worker ended by a fault" in out.getvalue()
    assert "RuntimeError: ***" in out.getvalue()
    assert WORD not in out.getvalue() + capsys.readouterr().err


def test_json_lines_stay_json(out: io.StringIO) -> None:
    hide('planted "quoted" word')
    stream = io.StringIO()
    logs.set_up(2, as_json=True, stream=stream)
    try:
        broken('planted "quoted" word')
    except ValueError:
        logging.getLogger("alos2.x").exception('at %s: planted "quoted" word', WORD)
    (line,) = stream.getvalue().splitlines()
    entry = json.loads(line)
    assert entry["message"] == "at ***: ***"
    assert entry["traceback"].endswith("ValueError: ***")
