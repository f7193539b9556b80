"""The options about pictures: what they mean, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from alos2.cli.ingest import command
from alos2.cli.pictureoptions import parse_stretch, picture_options
from alos2.cli.settings import Settings, ingest_options
from alos2.errors import UsageError
from alos2.raster.pictures import PictureOptions

PLAIN: dict[str, Any] = {
    "tiles": True,
    "max_zoom": None,
    "rgb": True,
    "xyz": False,
    "pmtiles": False,
    "tile_budget": None,
    "stretch": (),
    "stretch_from": None,
    "cog": None,
    "beams": None,
    "height_m": 0.0,
}


def test_without_flags_the_settings_hold() -> None:
    base = PictureOptions(tile_budget=3000, pmtiles=True, cog="db", threads=3)
    assert picture_options(base, **PLAIN) == base
    flags = {**PLAIN, "tile_budget": 0, "cog": "power", "xyz": True, "rgb": False, "max_zoom": 9}
    found = picture_options(base, **flags)
    assert (found.tile_budget, found.cog, found.tms, found.composite) == (0, "power", False, False)
    assert (found.max_zoom, found.threads) == (9, 3)


def test_beams_are_wanted_unless_a_setting_or_a_flag_says_no(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert ingest_options(Settings(), out=None).pictures.beams
    monkeypatch.setenv("ALOS2_BEAMS", "off")
    base = ingest_options(Settings(), out=None).pictures
    assert not base.beams
    assert not picture_options(base, **PLAIN).beams
    assert picture_options(base, **{**PLAIN, "beams": True}).beams
    assert not picture_options(PictureOptions(), **{**PLAIN, "beams": False}).beams


def test_stretch_of_all_and_of_one() -> None:
    everywhere, single = parse_stretch(["-25,0", "HV=-30,-5", "ratio=2,12.5"])
    assert everywhere == (-25.0, 0.0)
    assert single == {"HV": (-30.0, -5.0), "ratio": (2.0, 12.5)}
    assert parse_stretch([]) == (None, {})


@pytest.mark.parametrize("text", ["", "1", "1,2,3", "a,b", "XX=1,2", "HH=", "RGB=1,2"])
def test_no_stretch(text: str) -> None:
    with pytest.raises(UsageError, match="--stretch"):
        parse_stretch([text])


def test_a_stretch_that_is_upside_down_is_refused() -> None:
    with pytest.raises(UsageError, match="low and a high"):
        picture_options(PictureOptions(), **{**PLAIN, "stretch": ("HH=0,-20",)})


def test_stretch_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "levels.json"
    path.write_text(json.dumps({"HH": [-20, 0], "ratio": [1, 9]}))
    found = picture_options(PictureOptions(), **{**PLAIN, "stretch_from": path})
    assert found.stretch_of == {"HH": (-20.0, 0.0), "ratio": (1.0, 9.0)}
    assert found.stretch_from == "levels.json"
    with pytest.raises(UsageError, match="both"):
        picture_options(PictureOptions(), **{**PLAIN, "stretch_from": path, "stretch": ("-9,0",)})


def test_help_has_headings_and_every_option() -> None:
    text = CliRunner().invoke(command, ["--help"]).output
    for heading in ("Result:", "Map tiles:", "Grey levels:", "Other pictures:"):
        assert heading in text
    any_command = command.commands["any"]
    for parameter in any_command.params:
        if isinstance(parameter, click.Option):
            assert parameter.opts[0] in text
    assert "ingest any" not in text
