"""Programs that answer for a scheduler's commands by a plan, and keep what they were asked."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

TESTS = Path(__file__).parents[1]


def install(folder: Path, module: str, commands: Sequence[str], plan: dict[str, Any]) -> Path:
    """Write the programs and the plan; return the folder that goes first on PATH.

    Each calls ``main(command, arguments)`` of `module` (below ``fakes``) for its exit code.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "plan.json").write_text(json.dumps(plan))
    for name in commands:
        program = folder / name
        program.write_text(
            f"#!{sys.executable}\nimport sys\nsys.path.insert(0, {str(TESTS)!r})\n"
            f"from fakes.{module} import main\nsys.exit(main({name!r}, sys.argv[1:]))\n"
        )
        program.chmod(0o755)
    return folder


def calls(folder: Path) -> list[list[str]]:
    """Return the calls so far, each with its command's name first."""
    log = folder / "calls.ndjson"
    return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []


def asked(command: str, arguments: list[str]) -> dict[str, Any]:
    """Keep a call, and return the plan; for a program that `install` wrote."""
    folder = Path(sys.argv[0]).parent
    plan: dict[str, Any] = json.loads((folder / "plan.json").read_text())
    with (folder / "calls.ndjson").open("a") as log:
        log.write(json.dumps([command, *arguments]) + "\n")
    return plan
