"""What a page asks becomes a command line: checked, and never taken for an option."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alos2.cli.main import cli
from alos2.errors import UsageError
from alos2.web.jobs.asked import Asked, asked, command, upload_name

ARCHIVE, FOLDER = Path("/data/archive"), Path("/data/archive/.alos2-serve")


@pytest.mark.parametrize(
    ("kind", "source", "end"),
    [
        ("url", "https://example.org/a.zip", ["url", "--json", "--out=/data/archive", "--"]),
        ("auig2", "0000012345", ["auig2", "--json", "--out=/data/archive", "--", "0000012345"]),
        ("gportal", "ALOS2015976960-140909", ["--", "ALOS2015976960-140909"]),
        ("sentinel-asia", "ERJP-1", ["sentinel-asia", "--json", "--eor-id=ERJP-1"]),
        ("optemis", "7", ["--eor-id=7"]),
    ],
)
def test_command_lines(kind: str, source: str, end: list[str]) -> None:
    job = asked({"kind": kind, "source": f" {source} "})
    words = command(job, ARCHIVE, FOLDER)
    assert words[:3] == [sys.executable, "-m", "alos2"]
    assert set(end) <= set(words)
    assert "--force" not in words
    assert "--force" in command(Asked(kind, source, force=True), ARCHIVE, FOLDER)
    # The command knows all of these options.
    context = cli.make_context("alos2", words[3:])
    group = cli.get_command(context, "ingest")
    assert isinstance(group, click.Group)
    verb = words[words.index("ingest") + 1]
    inner = group.get_command(context, verb)
    assert inner is not None
    made = inner.make_context(verb, words[words.index(verb) + 1 :], parent=context)
    given_words = str(made.params)
    assert source in given_words
    assert "/data/archive" in given_words


@pytest.mark.parametrize(
    ("given_", "words"),
    [
        ([], "JSON object"),
        ({"kind": "url"}, "both text"),
        ({"kind": "url", "source": "  "}, "nothing says"),
        ({"kind": "url", "source": "file:///etc/passwd"}, "begins with"),
        ({"kind": "url", "source": "/etc/passwd"}, "begins with"),
        ({"kind": "url", "source": "https://"}, "names a server"),
        ({"kind": "url", "source": "https://me:pw@host/a.zip"}, "no account"),
        ({"kind": "url", "source": "https://host/a b.zip"}, "blanks"),
        ({"kind": "url", "source": "https://[host/a.zip"}, "no address"),
        ({"kind": "auig2", "source": "--out=/tmp"}, "no id"),
        ({"kind": "gportal", "source": "a/../../b"}, "no id"),
        ({"kind": "upload", "source": "x.zip"}, "none of"),
        ({"kind": "url", "source": "https://host/a.zip", "force": "yes"}, "force"),
    ],
)
def test_what_is_refused(given_: Any, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        asked(given_)


@pytest.mark.parametrize(
    "name", ["a.zip", "0000022708_001001_ALOS2015976960-140909.zip", "A (1).ZIP"]
)
def test_names_of_uploads(name: str) -> None:
    assert upload_name(f" {name} ") == name


@pytest.mark.parametrize(
    "name", [None, "", "a.tar", "../a.zip", "a/b.zip", ".zip", "a\\b.zip", "-a.zip"]
)
def test_names_that_are_more_than_names(name: str | None) -> None:
    with pytest.raises(UsageError, match="no name"):
        upload_name(name)


@given(st.text(), st.sampled_from(["url", "auig2", "gportal", "sentinel-asia", "optemis"]))
def test_no_text_becomes_an_option(text: str, kind: str) -> None:
    try:
        job = asked({"kind": kind, "source": text})
    except UsageError:
        return
    words = command(job, ARCHIVE, FOLDER)
    own = words[words.index("ingest") + 2 :]
    behind = own[own.index("--") + 1 :] if "--" in own else []
    loose = [word for word in own if word not in ("--", "--json") and word not in behind]
    assert all(word.startswith(("--out=", "--eor-id=")) for word in loose)
    assert "\0" not in "".join(words)


def test_secrets_of_an_address_are_not_in_the_title() -> None:
    job = asked({"kind": "url", "source": "https://host/a.zip?X-Amz-Signature=abcdef&part=1"})
    assert "abcdef" not in job.title
