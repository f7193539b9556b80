"""Animations and pairs: what is in them, decoded again."""

from __future__ import annotations

import os
import stat
import subprocess
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import alos2.animation.movie
from alos2.animation import AnimationOptions, Frame, animate, before_after, find_ffmpeg
from alos2.animation.colours import NO_DATA
from alos2.animation.drawing import BAND
from alos2.animation.stack import Stack
from alos2.errors import Interrupted, NoResource, NothingFound, UsageError
from alos2.raster.lean import rasterio
from alos2.raster.pictures import never, silent
from alos2.timeseries.model import Encoding
from animation.conftest import GRID, MakeStack, day, write

FFMPEG = find_ffmpeg()
TIMES = 3
"""120 pixels are too few for a caption: pictures are drawn three times as large."""
SMALL = AnimationOptions(max_px=120)


def rgb_frames(path: Path) -> list[Any]:
    with Image.open(path) as film:
        return [
            np.asarray(film.convert("RGB")).astype(int)
            for number in range(film.n_frames)
            if film.seek(number) is None
        ]


def at(frame: Any, line: int, pixel: int) -> Any:
    """Mean colour of 6 x 6 pixels of the raster."""
    part = frame[TIMES * line : TIMES * (line + 6), TIMES * pixel : TIMES * (pixel + 6)]
    return part.reshape(-1, 3).mean(axis=0)


def test_a_composite_shows_the_flood_and_its_colours(make_stack: MakeStack, tmp_path: Path) -> None:
    out = animate(make_stack(), tmp_path / "a.gif", SMALL)
    frames = rgb_frames(out)
    assert len(frames) == 3
    assert frames[0].shape[0] > 90 * TIMES
    assert frames[0].shape[1] == 120 * TIMES
    for frame in frames:
        np.testing.assert_array_equal(frame[3, 3], NO_DATA)
        np.testing.assert_array_equal(frame[90 * TIMES + 1, 1], BAND)
    dry, wet = at(frames[1], 40, 40), at(frames[2], 40, 40)
    assert (wet[:2] < dry[:2] - 60).all(), "co and cross fall, the ratio changes little"
    np.testing.assert_allclose(at(frames[0], 75, 90), at(frames[2], 75, 90), atol=12)
    with Image.open(out) as film:
        assert film.info["loop"] == 0
        assert film.info["duration"] == 1000
    colours = np.unique(np.concatenate([frame.reshape(-1, 3) for frame in frames]), axis=0)
    assert len(colours) <= 256, "one palette for all"


@pytest.mark.parametrize("pols", [("HH",), ("VV",), ("HV",)])
def test_one_polarisation_is_grey(
    pols: tuple[str, ...], make_stack: MakeStack, tmp_path: Path
) -> None:
    if pols == ("HV",):
        frames = [replace(f, layers={"HV": f.layers["HV"]}) for f in make_stack()]
    else:
        frames = make_stack(pols)
    drawn = rgb_frames(animate(frames, tmp_path / "a.gif", SMALL))
    assert len(drawn) == 3
    image = drawn[2][: 90 * TIMES]
    seen = image[~(image == NO_DATA).all(axis=-1)]
    assert (np.ptp(seen, axis=-1) == 0).all(), "grey"
    assert at(drawn[2], 40, 40)[0] < at(drawn[1], 40, 40)[0] - 80


def test_dates_without_the_cross_polarisation_make_all_grey(
    make_stack: MakeStack, tmp_path: Path
) -> None:
    frames = make_stack()
    frames[1] = replace(frames[1], layers={"HH": frames[1].layers["HH"]})
    with Stack(frames, SMALL, tmp_path, progress=silent, cancelled=never) as stack:
        assert [channel.name for channel in stack.channels] == ["HH"]
    both = make_stack(("VV", "HH"))
    with Stack(both, SMALL, tmp_path, progress=silent, cancelled=never) as stack:
        assert [channel.name for channel in stack.channels] == ["HH"], "no pair: HH stands for it"


def test_the_stretch_is_the_same_over_the_stack(make_stack: MakeStack, tmp_path: Path) -> None:
    frames = make_stack(("HH",))
    with Stack(frames, SMALL, tmp_path, progress=silent, cancelled=never) as stack:
        (limits,) = stack.limits
        images = [stack.image(number)[..., 0].astype(float) for number in range(3)]
    every = np.concatenate(
        [10 * np.log10(_read(f.layers["HH"])[np.isfinite(_read(f.layers["HH"]))]) for f in frames]
    )
    low, high = np.percentile(every, (2, 98))
    assert limits.low_db == pytest.approx(low, abs=0.06)
    assert limits.high_db == pytest.approx(high, abs=0.06)
    for frame, image in zip(frames, images, strict=True):
        level = 10 * np.log10(_read(frame.layers["HH"]))
        grey = 1 + 254 * (level - limits.low_db) / (limits.high_db - limits.low_db)
        known = np.isfinite(level)
        np.testing.assert_allclose(image[known], np.clip(grey, 1, 255)[known], atol=0.51)


def _read(path: Path) -> Any:
    with rasterio.open(path) as dataset:
        return dataset.read(1)


def test_limits_can_be_fixed_and_given(make_stack: MakeStack, tmp_path: Path) -> None:
    options = AnimationOptions(stretch="fixed", limits_db={"HV": (-30.0, -8.0)}, max_px=60)
    with Stack(make_stack(), options, tmp_path, progress=silent, cancelled=never) as stack:
        said = [(limits.low_db, limits.high_db) for limits in stack.limits]
    assert said == [(-20, 0), (-30, -8), (1, 15)]
    assert AnimationOptions(**asdict(options)) == options
    with pytest.raises(UsageError, match="stretch of HV from 3 to 3 dB"):
        animate(make_stack(), tmp_path / "a.gif", replace(options, limits_db={"HV": (3.0, 3.0)}))


@pytest.mark.parametrize("kind", ["db", "uint8", "uint16"])
def test_decibels_and_codes_are_averaged_in_power(
    kind: str, make_stack: MakeStack, tmp_path: Path
) -> None:
    frames = make_stack(("HH",))
    encoding = Encoding("db", "float32" if kind == "db" else kind)  # type: ignore[arg-type]
    coded = []
    for number, frame in enumerate(frames):
        codes = encoding.encode(_read(frame.layers["HH"]))
        path = write(tmp_path / f"c{number}.tif", codes, unit="dB")
        decode = None if kind == "db" else encoding.decode
        coded.append(Frame(frame.when, {"HH": path}, decode))
    options = AnimationOptions(max_px=40, stretch="fixed")
    with Stack(frames, options, tmp_path, progress=silent, cancelled=never) as stack:
        expected = [stack.image(n).astype(int) for n in range(3)]
    with Stack(coded, options, tmp_path, progress=silent, cancelled=never) as stack:
        for number in range(3):
            assert np.abs(stack.image(number).astype(int) - expected[number]).max() <= 1


def test_frames_come_by_time_and_say_their_date(make_stack: MakeStack, tmp_path: Path) -> None:
    frames = make_stack(("HH",))
    shuffled = [frames[2], frames[0], frames[1]]
    one = animate(frames, tmp_path / "a.gif", SMALL)
    other = animate(shuffled, tmp_path / "b.gif", SMALL)
    assert one.read_bytes() == other.read_bytes()
    with Stack(shuffled, SMALL, tmp_path, progress=silent, cancelled=never) as stack:
        assert stack.dates() == ["2020-06-01", "2020-06-15", "2020-06-29"]
        captions = [np.asarray(p)[90 * TIMES :] for p in stack.pictures()]
    assert (captions[0] != captions[1]).any()
    assert (captions[1] != captions[2]).any()
    twice = [frames[0], replace(frames[1], when=frames[0].when.replace(hour=15))]
    with Stack(twice, SMALL, tmp_path, progress=silent, cancelled=never) as stack:
        assert stack.dates() == ["2020-06-01 03:04", "2020-06-01 15:04"]


def test_pictures_are_bounded_and_titled(make_stack: MakeStack, tmp_path: Path) -> None:
    frames = make_stack(("HH",))
    big = GRID.shape[0] * 8, GRID.shape[1] * 8
    grid = replace(GRID, shape=type(GRID.shape)(*big))
    values = np.kron(_read(frames[0].layers["HH"]), np.ones((8, 8), np.float32))
    frame = Frame(day(0), {"HH": write(tmp_path / "big.tif", values, grid=grid)})
    for most, expected in ((500, 500), (5000, 960)):
        out = animate([frame], tmp_path / "a.gif", AnimationOptions(max_px=most, title="P126"))
        with Image.open(out) as film:
            assert film.width == expected
            assert round(expected * 0.75) < film.height < round(expected * 0.75) + 120


def test_a_pair_side_by_side(make_stack: MakeStack, tmp_path: Path) -> None:
    frames = make_stack()
    out = before_after(frames[1], frames[2], tmp_path / "pair.png", replace(SMALL, title="P126"))
    picture = np.asarray(Image.open(out)).astype(int)
    width, between = 120 * TIMES, 4
    assert picture.shape[1] == 2 * width + between
    rows = np.flatnonzero((picture[:, 1] == NO_DATA).all(axis=-1))
    top = rows[0]
    assert top > 15, "the dates stand above"
    before, after = picture[top:, :width], picture[top:, width + between :]
    assert (at(after, 40, 40)[:2] < at(before, 40, 40)[:2] - 60).all()
    np.testing.assert_allclose(at(after, 75, 90), at(before, 75, 90), atol=12)
    again = before_after(frames[1], frames[2], tmp_path / "again.png", replace(SMALL, title="P126"))
    assert again.read_bytes() == out.read_bytes()
    blink = rgb_frames(before_after(frames[1], frames[2], tmp_path / "pair.gif", SMALL))
    assert len(blink) == 2
    with pytest.raises(UsageError, match="2020-06-29 is not before 2020-06-15"):
        before_after(frames[2], frames[1], tmp_path / "no.png", SMALL)


@pytest.mark.skipif(FFMPEG is None, reason="there is no ffmpeg: pip install 'alos2-ingest[movie]'")
def test_a_film_has_its_frames(make_stack: MakeStack, tmp_path: Path) -> None:
    options = replace(SMALL, max_px=121, seconds_per_frame=0.5)
    frames = make_stack()
    out = animate(frames, tmp_path / "a.mp4", options)
    with Stack(frames, options, tmp_path, progress=silent, cancelled=never) as stack:
        expected = [np.asarray(picture).astype(int) for picture in stack.pictures()]
    height, width = (side + side % 2 for side in expected[0].shape[:2])
    decoded = subprocess.run(
        [str(FFMPEG), "-i", str(out), "-f", "rawvideo", "-pix_fmt", "rgb24", "-"],
        check=True,
        capture_output=True,
    ).stdout
    film = np.frombuffer(decoded, np.uint8).reshape(-1, height, width, 3).astype(int)
    assert len(film) == 15, "three dates of half a second at ten frames a second"
    for number, frame in enumerate(film):
        shown = expected[number // 5]
        assert np.abs(frame[: shown.shape[0], : shown.shape[1]] - shown).mean() < 12
        np.testing.assert_allclose(frame[4:20, 4:20].mean(axis=(0, 1)), NO_DATA, atol=3)
    raw = out.read_bytes()
    assert raw.index(b"moov") < raw.index(b"mdat"), "it begins to play before it is whole"
    assert animate(frames, tmp_path / "b.mp4", options).read_bytes() == raw
    assert sorted(p.name for p in tmp_path.iterdir() if p.name.startswith(".")) == []


def test_without_ffmpeg_it_is_said_how_to_get_it(
    make_stack: MakeStack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alos2.animation.movie, "find_ffmpeg", lambda: None)
    with pytest.raises(NoResource, match=r"no ffmpeg.*alos2-ingest\[movie\].*\.gif"):
        animate(make_stack(("HH",)), tmp_path / "a.mp4", SMALL)
    assert not (tmp_path / "a.mp4").exists()


@pytest.mark.skipif(os.name != "posix", reason="the stand-in is a shell script")
@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("exit 3", "does not run"),
        ("echo 'V..... gif'", "none of the encoders"),
        (
            'case "$*" in *-encoders) echo " V..... libx264 ";; *) echo broken >&2; exit 1;; esac',
            "could not make the film: broken",
        ),
    ],
)
def test_an_ffmpeg_that_fails_leaves_nothing(
    script: str, said: str, make_stack: MakeStack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "ffmpeg"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setattr(alos2.animation.movie, "find_ffmpeg", lambda: str(program))
    out = tmp_path / "a.mp4"
    out.write_bytes(b"what was there")
    with pytest.raises(NoResource, match=said):
        animate(make_stack(("HH",)), out, SMALL)
    assert out.read_bytes() == b"what was there"
    assert sorted(p.name for p in tmp_path.iterdir() if p.name.startswith(".")) == []


def test_what_cannot_be_drawn_is_named(make_stack: MakeStack, tmp_path: Path) -> None:
    frames, out = make_stack(), tmp_path / "a.gif"
    with pytest.raises(UsageError, match=r"a\.png is no \.gif"):
        animate(frames, tmp_path / "a.png", SMALL)
    with pytest.raises(UsageError, match="there is no date"):
        animate([], out, SMALL)
    with pytest.raises(UsageError, match="no polarisation in common"):
        animate([frames[0], Frame(day(1), {})], out, SMALL)
    with pytest.raises(UsageError, match="not every date has the polarisation VV"):
        animate(frames, out, replace(SMALL, polarization="VV"))
    with pytest.raises(UsageError, match="5 pixels"):
        animate(frames, out, replace(SMALL, max_px=5))
    with pytest.raises(UsageError, match="0 seconds"):
        animate(frames, out, replace(SMALL, seconds_per_frame=0))
    a, b, c, d, e, f = GRID.transform
    moved = write(
        tmp_path / "moved.tif",
        np.ones(GRID.shape, np.float32),
        grid=replace(GRID, transform=(a, b, c + 25, d, e, f)),
    )
    with pytest.raises(UsageError, match=r"moved\.tif does not lie on the grid"):
        animate([frames[0], Frame(day(1), {"HH": moved})], out, SMALL)
    empty = write(tmp_path / "empty.tif", np.full(GRID.shape, np.nan, np.float32))
    with pytest.raises(NothingFound, match="no date has any data in HH"):
        animate([Frame(day(0), {"HH": empty})], out, SMALL)
    codes = write(tmp_path / "codes.tif", np.ones(GRID.shape, np.uint8))
    with pytest.raises(UsageError, match="uint8 numbers are codes"):
        animate([Frame(day(0), {"HH": codes})], out, SMALL)
    with pytest.raises(Interrupted):
        animate(frames, out, SMALL, cancelled=lambda: True)
    assert not out.exists()
    assert sorted(p.name for p in tmp_path.iterdir() if p.name.startswith(".")) == []


def test_a_date_without_data_is_drawn_as_such(make_stack: MakeStack, tmp_path: Path) -> None:
    frames = make_stack(("HH",), dates=1)
    empty = write(tmp_path / "empty.tif", np.full(GRID.shape, np.nan, np.float32))
    drawn = rgb_frames(animate([*frames, Frame(day(1), {"HH": empty})], tmp_path / "a.gif", SMALL))
    assert (drawn[1][: 90 * TIMES] == NO_DATA).all()
