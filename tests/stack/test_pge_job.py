"""The PGE of stacks: what it leaves, what it tells HySDS."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from stack.smallstacks import SmallStack

SCRIPT = Path(__file__).resolve().parents[2] / "pge" / "stack_alos2.py"


def run(work: Path, *flags: str, **context: object) -> subprocess.CompletedProcess[str]:
    work.mkdir(exist_ok=True)
    (work / "_context.json").write_text(json.dumps(context))
    kept = {k: v for k, v in os.environ.items() if k not in ("HOME", "PYTHONPATH")}
    return subprocess.run(
        [sys.executable, str(SCRIPT), *flags],
        cwd=work, env=kept, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


def test_a_stack_becomes_datasets_in_the_working_directory(
    small_stack: SmallStack, tmp_path: Path
) -> None:
    text = small_stack.config(tmp_path).read_text()
    work = tmp_path / "job"
    done = run(work, config=text, path="128", partial="")
    assert done.returncode == 0, done.stderr
    (line,) = (json.loads(line) for line in done.stdout.splitlines())
    assert line["id"].startswith("ALOS2-STACK-P128-F0690-FBD-RA-20200615-20200629-")
    reports = {"_context.json", "_alt_msg.txt", "pge_metrics.json"}
    assert {path.name for path in work.iterdir()} == {line["id"], *reports}
    assert f"{line['id']}: new" in (work / "_alt_msg.txt").read_text()
    folder = work / line["id"]
    for end in ("stac", "dataset", "met"):
        assert json.loads((folder / f"{line['id']}.{end}.json").read_text())
    # The worker uploads a folder: nothing in it may lead out of it.
    assert not [path for path in folder.rglob("*") if path.is_symlink()]
    again = run(work, config=text, path="128")
    assert again.returncode == 0, again.stderr
    assert json.loads(again.stdout)["status"] == "unchanged"


def test_a_job_without_scenes_says_so(tmp_path: Path) -> None:
    work = tmp_path / "job"
    done = run(work)
    assert done.returncode == 2
    assert (work / "_alt_error.txt").read_text().startswith("UsageError: nothing says where")
