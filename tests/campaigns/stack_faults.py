"""The stack's fault campaign: runs are killed at random moments, then run again to their end.

    python tests/campaigns/stack_faults.py --kills 100 --seed 7

Each round begins with an empty work folder, or with one in which some outputs are damaged. A
process of its own (`stacking.py`) makes the stack and dies by SIGKILL, at a drawn call of any of
its threads or after a drawn time, up to three times; then one is left undisturbed. Every file then
has to be the same, byte by byte, as after a run that nobody disturbed, and nothing else may be
there. The last line is ``kills=N rounds=… different=… litter=… wrong=…``.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from alos2.simulate import SimulationSpec, StackSpec, simulate_stack

CHILD = Path(__file__).with_name("stacking.py")
_PATIENCE_S = 300


@dataclass
class Tally:
    """What came of all rounds."""

    kills: int = 0
    rounds: int = 0
    different: int = 0
    litter: int = 0
    wrong: list[str] = field(default_factory=list)

    def line(self) -> str:
        return (
            f"kills={self.kills} rounds={self.rounds} different={self.different} "
            f"litter={self.litter} wrong={len(self.wrong)}"
        )


def contents(work: Path) -> dict[str, bytes]:
    """All files of a work folder, by name."""
    return {
        path.relative_to(work).as_posix(): path.read_bytes()
        for path in sorted(work.rglob("*"))
        if path.is_file()
    }


@dataclass
class Campaign:
    """Rounds on one stack."""

    folder: Path
    draw: random.Random
    config: Path | None = None
    """Of a real stack, with its work folder at ``folder / "work"``."""
    mutation: str | None = None
    tally: Tally = field(default_factory=Tally)
    reference: dict[str, bytes] = field(default_factory=dict)
    calls: int = 0
    seconds: float = 0.0

    @property
    def work(self) -> Path:
        return self.folder / "work"

    def begin(self) -> None:
        """Make the stack once, undisturbed: this is how it has to be."""
        code = self.run()
        if code != 0:
            raise RuntimeError(f"the undisturbed run ended with {code}: {self.tally.wrong}")
        took = json.loads((self.folder / "plan.took").read_text())
        self.calls, self.seconds = took["calls"], took["seconds"]
        self.reference = contents(self.work)

    def run(self, at: int | None = None, after_s: float | None = None) -> int:
        plan = self.folder / "plan.json"
        said = {
            "work": str(self.work),
            "config": None if self.config is None else str(self.config),
            "at": at,
            "after_s": after_s,
            "mutation": self.mutation,
        }
        plan.write_text(json.dumps(said))
        done = subprocess.run(
            [sys.executable, str(CHILD), str(plan)],
            check=False, capture_output=True, text=True, timeout=_PATIENCE_S,
        )  # fmt: skip
        if done.returncode not in (0, -signal.SIGKILL):
            self.tally.wrong.append(f"exit code {done.returncode}: {done.stderr[-800:]}")
        return done.returncode

    def round(self, kills: int) -> None:
        """Kill it so often, then let it end, and judge."""
        number = self.tally.rounds
        self.tally.rounds += 1
        if self.draw.random() < 0.5:
            shutil.rmtree(self.work, ignore_errors=True)
        else:
            self._spoil()
        for _ in range(kills):
            # Some die early, some anywhere; a run that has less to do may end before.
            share = self.draw.random() * (1.0 if self.draw.random() < 0.7 else 0.2)
            if self.draw.random() < 0.5:
                code = self.run(at=1 + int(self.calls * share))
            else:
                code = self.run(after_s=self.seconds * share)
            if code == -signal.SIGKILL:
                self.tally.kills += 1
        self.run()
        found = contents(self.work)
        for name in sorted({*found, *self.reference}):
            if name not in self.reference:
                self.tally.litter += 1
                self.tally.wrong.append(f"round {number}: {name} is too much")
            elif found.get(name) != self.reference[name]:
                self.tally.different += 1
                self.tally.wrong.append(f"round {number}: {name} is missing or has other bytes")

    def _spoil(self) -> None:
        """Damage some outputs of a finished stack, so that there is something to do."""
        names = [n for n in self.reference if n.endswith((".tif", ".json")) and "/" in n]
        for name in self.draw.sample(names, min(len(names), self.draw.randint(1, 3))):
            path = self.work / name
            if path.is_file():
                path.write_bytes(path.read_bytes()[:-7])


def make_stack(folder: Path) -> Path:
    """Simulate two dates of two tracks; return the configuration of their stack."""
    scene = SimulationSpec(level="2.1", pixels=96, lines=96, seed=4, mode="FBD")
    simulate_stack(StackSpec(scene=scene, dates=2, tracks=2), folder / "in")
    config = folder / "stack.toml"
    config.write_text(
        f'''
[stack]
folders = ["{folder / "in"}"]
work_dir = "{folder / "work"}"
[single_ARD]
product_type = "GTC-gamma0"
create_ls_mask = false
[time-series_ARD]
dtype_output = "uint16"
[animation]
max_px = 128
'''
    )
    return config


def campaign(
    kills: int,
    seed: int,
    *,
    config: Path | None = None,
    folder: Path | None = None,
    mutation: str | None = None,
) -> Tally:
    """Kill so often, in as many rounds as that takes."""
    own = folder is None
    where = Path(tempfile.mkdtemp(prefix="alos2-stack-faults-")) if folder is None else folder
    try:
        one = Campaign(where, random.Random(seed), config, mutation)
        one.begin()
        while one.tally.kills < kills and len(one.tally.wrong) < 20:
            one.round(one.draw.randint(1, 3))
        return one.tally
    finally:
        if own:
            shutil.rmtree(where, ignore_errors=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=None, help="of an earlier run, to repeat it")
    parser.add_argument("--tiny", action="store_true", help="tiny steps instead of real ones")
    parser.add_argument("--mutation", choices=("staging",), help="put a fault in on purpose")
    chosen = parser.parse_args()
    seed = random.SystemRandom().randrange(10**9) if chosen.seed is None else chosen.seed
    print(f"seed={seed}", flush=True)
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="alos2-stack-faults-") as name:
        folder = Path(name)
        config = None if chosen.tiny else make_stack(folder)
        tally = campaign(chosen.kills, seed, config=config, folder=folder, mutation=chosen.mutation)
    for sentence in tally.wrong:
        print(sentence)
    print(f"{time.monotonic() - began:.0f} s")
    print(tally.line())
    return 1 if tally.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
