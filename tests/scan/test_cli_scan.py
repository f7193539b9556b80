"""``alos2 scan`` as a command: what it says, and its exit codes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from alos2.cli.main import main
from alos2.scan.state import writing
from scan.flowing import Place


def run(capfd: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    """Run the command in this process; return its exit code, output and messages."""
    with pytest.raises(SystemExit) as left:
        main(["scan", *map(str, arguments)])
    out, err = capfd.readouterr()
    return int(left.value.code or 0), out, err


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_nothing_found(place: Place, capfd: pytest.CaptureFixture[str]) -> None:
    (place.root / "notes.txt").write_text("nothing of ours")
    code, out, err = run(capfd, place.root, "--out", place.out)
    assert (code, out) == (6, "")
    assert "NothingFound: there is no ALOS-2 product" in err
    assert run(capfd, place.root / "none", "--out", place.out)[0] == 6


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        ((), "no folder to scan is named"),
        (("--status", "--cancel"), "exclude each other"),
        ((".", "--status"), "walk no DIR"),
        ((".", "--levels", "1.2"), "no level 1.2"),
        ((".", "--regex", "("), "no regular expression"),
        ((".", "--scheduler", "abacus"), "not known"),
        ((".", "--site", "nowhere.toml"), "cannot be read"),
        ((".", "--no-wait"), "without a scheduler"),
    ],
)
def test_what_cannot_be(
    place: Place, capfd: pytest.CaptureFixture[str], flags: tuple[str, ...], sentence: str
) -> None:
    code, out, err = run(capfd, "--out", place.out, *flags)
    assert (code, out) == (2, "")
    assert sentence in err


def test_a_scan_its_status_and_a_failure(
    place: Place, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALOS2_ARCHIVE", str(place.out))
    place.put(0, "P001/a")
    place.put(0, "P002/twin")
    (bad,) = place.put(1, "P001/bad").glob("LED-*")
    bad.write_bytes(bad.read_bytes()[:700])
    (lacks,) = place.put(2, "P001/lacks").glob("IMG-HV*")
    lacks.unlink()
    code, out, err = run(capfd, place.root)
    assert (code, out) == (0, "")
    assert "4 scenes are new" in err
    assert "scenes: 3 settling, 1 settling" not in err
    assert "scenes: 4 settling" in err

    code, out, err = run(capfd, place.root, "--settle", 0, "--dry-run", "--json")
    told = lines(out)
    assert code == 0
    assert [line["kind"] for line in told] == ["would submit"] * 2 + ["summary"]
    assert "would submit 2 scenes" in err

    code, out, err = run(capfd, place.root, "--settle", 0, "--json", "--tag", "mine")
    told = lines(out)
    assert code == 8
    assert "SomeFailed: 1 scenes have failed" in err
    by_kind: dict[str, list[dict[str, Any]]] = {}
    for line in told:
        by_kind.setdefault(line["kind"], []).append(line)
    assert {line["outcome"] for line in by_kind["scene"]} == {"made", "failed"}
    assert by_kind["incomplete"][0]["missing"] == [lacks.name]
    assert by_kind["duplicate"][0]["counts"] == str(place.root / "P001" / "a")
    assert by_kind["failures"][0]["class"] == "BadProduct"
    assert told[-1]["counts"]["done"] == 1
    met = json.loads((place.out / place.id(0) / f"{place.id(0)}.met.json").read_text())
    assert met["tags"] == ["mine"]

    code, out, err = run(capfd, "--status")
    assert (code, err) == (0, "")
    assert out.startswith("scenes: 1 done, 1 failed, 1 incomplete, 1 duplicate\n")
    for words in ("failed, BadProduct: 1", "what to do: ", f"lacks {lacks.name}", "counts"):
        assert words in out
    assert lines(run(capfd, "--status", "--json")[1])[-1]["counts"]["incomplete"] == 1


def test_a_new_archive_beside_another_folder(
    place: Place, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    place.put(0, "P001/a")
    new = place.folder / "new"
    code, _, err = run(capfd, place.root, "--out", new, "--settle", 0, "--dry-run")
    assert (code, new.exists()) == (0, False)
    assert "would submit 1 scenes" in err
    code, _, err = run(capfd, place.root, "--out", new / "er", "--settle", 0)
    assert (code, new.exists()) == (6, False)
    assert f"there is no archive {new / 'er'}" in err
    # Paths with .. are the folders that they mean.
    monkeypatch.chdir(place.out)
    assert run(capfd, "../archive", "--out", "../new", "--settle", 60)[0] == 0
    assert run(capfd, "--out", new, "--status")[1] == "scenes: 1 settling\n"


def test_help_is_quick() -> None:
    program = "import sys; from alos2.cli import main\ntry: main(['scan', '--help'])\nexcept "
    program += "SystemExit: print(sorted(n for n in ('numpy', 'pydantic', 'sqlite3', 'requests') "
    program += "if n in sys.modules))"
    command = [sys.executable, "-c", program]
    ended = subprocess.run(command, check=True, capture_output=True, text=True)
    assert ended.stdout.endswith("[]\n")
    assert "--retry-failed" in ended.stdout


def test_a_second_scan_with_nothing_new_loads_nothing_heavy(place: Place) -> None:
    place.put(0, "a")
    place.scan()
    program = "import sys; from alos2.cli import main\ntry: main(sys.argv[1:])\nexcept SystemExit: "
    program += (
        "print([n for n in ('numpy', 'pydantic', 'requests', 'shapely') if n in sys.modules])"
    )
    command = [sys.executable, "-c", program, "scan", str(place.root), "--out", str(place.out)]
    ended = subprocess.run(command, check=True, capture_output=True, text=True)
    assert ended.stdout.endswith("[]\n"), ended.stdout
    assert "0 scenes are new, changed or gone" in ended.stderr


def test_troubles_are_told_and_the_scan_goes_on(
    place: Place, capfd: pytest.CaptureFixture[str]
) -> None:
    place.put(0, "a")
    (place.root / "link").symlink_to(place.root / "nowhere")
    (place.root / "damaged.zip").write_bytes(b"PK no zip")
    code, out, err = run(capfd, place.root, "--out", place.out, "--settle", 0, "--json")
    assert code == 0
    troubles = {Path(line["place"]).name for line in lines(out) if line["kind"] == "trouble"}
    assert troubles == {"link", "damaged.zip"}
    assert "is a broken link" in err
    assert lines(out)[-1]["counts"]["done"] == 1


def test_a_name_that_is_no_text(place: Place, capfd: pytest.CaptureFixture[str]) -> None:
    odd = os.fsdecode(b"\xff odd")
    (image,) = place.put(0, odd).glob("IMG-HV*")
    image.unlink()
    code, out, err = run(capfd, place.root, "--out", place.out, "--settle", 0, "--json")
    assert code == 0
    assert lines(out)[0]["place"] == str(place.root / odd)
    assert "\\udcff odd" in err
    code, out, err = run(capfd, "--out", place.out, "--status")
    assert (code, err) == (0, "")
    assert "\\udcff odd" in out


def test_a_busy_archive(place: Place, capfd: pytest.CaptureFixture[str]) -> None:
    with writing(place.state):
        code, _, err = run(capfd, place.root, "--out", place.out)
        assert code == 9
        assert f"process {os.getpid()}" in err
        assert run(capfd, "--out", place.out, "--status")[0] == 0
