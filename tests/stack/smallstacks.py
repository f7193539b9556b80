"""Small simulated stacks, made once a test run; nobody may write into them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from alos2.simulate import SimulationSpec, StackSpec, simulate_stack

CONFIG = """
[stack]
folders = [{folders}]
work_dir = "{work}"
[single_ARD]
resolution = {resolution}
product_type = "GTC-gamma0"
create_ls_mask = false
[time-series_ARD]
dtype_output = "{dtype}"
[animation]
max_px = 128
{more}
"""


@dataclass(frozen=True)
class SmallStack:
    """Two dates of two tracks, each scene in a folder of its own."""

    folder: Path

    @property
    def scenes(self) -> list[Path]:
        """Their folders, by name."""
        return sorted(path for path in self.folder.iterdir() if path.is_dir())

    def config(
        self,
        where: Path,
        *,
        scenes: list[Path] | None = None,
        resolution: float = 25.0,
        dtype: str = "uint16",
        more: str = "",
    ) -> Path:
        """Write a configuration with the work folder ``work`` beside it."""
        folders = [self.folder] if scenes is None else scenes
        file = where / "stack.toml"
        file.write_text(
            CONFIG.format(
                folders=", ".join(f'"{folder}"' for folder in folders),
                work=where / "work",
                resolution=resolution,
                dtype=dtype,
                more=more,
            )
        )
        return file


def make_small(folder: Path, dates: int = 2, tracks: int = 2) -> SmallStack:
    scene = SimulationSpec(level="2.1", pixels=96, lines=96, seed=4, mode="FBD")
    simulate_stack(StackSpec(scene=scene, dates=dates, tracks=tracks), folder)
    return SmallStack(folder)


@pytest.fixture(scope="session")
def small_stack(tmp_path_factory: pytest.TempPathFactory) -> SmallStack:
    """Two dates of two tracks."""
    return make_small(tmp_path_factory.mktemp("small-stack") / "in")
