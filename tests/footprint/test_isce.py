"""ISCE2 itself is not here: a program of its name writes what its preprocessing would leave."""

from __future__ import annotations

import json
import os
import sys
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from alos2.dataset.footprint_report import FootprintAnswer
from alos2.footprint.geometry import geometry_footprint
from alos2.footprint.isce import isce_footprint
from alos2.footprint.isce_xml import read_orbit, read_swaths
from alos2.footprint.options import FootprintOptions
from alos2.footprint.provider import NoAnswer, Question
from alos2.geometry.rings import distance_m
from alos2.product.model import Product, ProductFile

pytestmark = pytest.mark.skipif(os.name != "posix", reason="ISCE2 runs on Linux and macOS")

FAKE = Path(__file__).parents[1] / "fakes" / "fake_isce2_app.py"


def on_disk(product: Product, folder: Path, make: SimpleNamespace) -> Product:
    """The product with files (empty ones: the fake does not read them)."""
    folder.mkdir()

    def put(name: str) -> Any:
        (folder / name).write_bytes(b"")
        return make.member(name, folder / name)

    leader = f"LED-{product.scene}-{product.product}"
    images = tuple(
        replace(image, file=replace(image.file, member=put(image.file.name)))
        for image in product.images
    )
    led = ProductFile(leader, "LED", 0, put(leader))
    return replace(product, images=images, files=(led, *(image.file for image in images)))


def plan_of(product: Product) -> dict[str, Any]:
    """What ISCE2 would have read from the product."""
    assert product.orbit is not None
    swaths = [
        {
            "sensingstart": str(image.timing.first_line_time.replace(tzinfo=None)),
            "pulserepetitionfrequency": 1 / image.timing.line_interval_s,
            "startingrange": image.timing.near_range_m,
            "rangepixelsize": image.timing.range_spacing_m,
            "numberoflines": image.shape.lines,
            "numberofsamples": image.shape.pixels,
            "polarization": image.polarization.lower(),
        }
        for image in product.images
        if image.timing is not None and image.polarization == "HH"
    ]
    orbit = product.orbit
    vectors = [
        {
            "time": str(orbit.time(float(t)).replace(tzinfo=None)),
            "position": [float(v) for v in orbit.positions_m[k]],
            "velocity": [float(v) for v in orbit.velocities_m_s[k]],
        }
        for k, t in enumerate(orbit.times_s)
    ]
    return {"swaths": swaths, "vectors": vectors}


class Isce:
    """Where the fake is, and what it is to write."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.program = folder / "alos2App.py"
        self.program.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{FAKE}" "$@"\n')
        self.program.chmod(0o755)
        self._plan = folder / "plan.json"
        monkeypatch.setenv("FAKE_ISCE2", str(self._plan))
        self.options = FootprintOptions(sarcat=False, isce_program=str(self.program))

    def ask(self, product: Product, plan: dict[str, Any], **changes: Any) -> Any:
        self._plan.write_text(json.dumps(plan))
        return isce_footprint(Question(product, replace(self.options, **changes)))


@pytest.fixture
def isce(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Isce:
    return Isce(tmp_path, monkeypatch)


def own(product: Product) -> FootprintAnswer:
    said = geometry_footprint(Question(product, FootprintOptions()))
    assert isinstance(said, FootprintAnswer)
    return said


def test_stripmap(make: SimpleNamespace, isce: Isce, tmp_path: Path) -> None:
    product = on_disk(make.slc(), tmp_path / "product", make)
    said = isce.ask(product, plan_of(product))
    assert isinstance(said, FootprintAnswer), said
    assert said.source == "isce"
    assert said.details == {"height_m": 0.0, "swaths": 1, "orbit_from": "ISCE2"}
    assert distance_m(said.geometry, own(product).geometry) < 0.1
    before = sorted(p.name for p in (tmp_path / "product").iterdir())
    assert len(before) == 3  # nothing was written beside the product


def test_scansar(make: SimpleNamespace, isce: Isce, tmp_path: Path) -> None:
    product = on_disk(make.scansar(), tmp_path / "product", make)
    said = isce.ask(product, plan_of(product))
    assert isinstance(said, FootprintAnswer), said
    assert said.details["swaths"] == 3
    assert distance_m(said.geometry, own(product).geometry) < 0.1


def test_an_older_isce2_calls_the_scenes_otherwise(
    make: SimpleNamespace, isce: Isce, tmp_path: Path
) -> None:
    product = on_disk(make.slc(), tmp_path / "product", make)
    said = isce.ask(product, plan_of(product) | {"vocabulary": ["master", "slave"]})
    assert isinstance(said, FootprintAnswer), said


def test_without_its_orbit_the_leaders(make: SimpleNamespace, isce: Isce, tmp_path: Path) -> None:
    product = on_disk(make.slc(), tmp_path / "product", make)
    said = isce.ask(product, plan_of(product) | {"vectors": []})
    assert isinstance(said, FootprintAnswer)
    assert said.details["orbit_from"] == "leader"
    nowhere = isce.ask(replace(product, orbit=None), plan_of(product) | {"vectors": []})
    assert isinstance(nowhere, NoAnswer)


def test_its_failure_is_told_in_its_words(
    make: SimpleNamespace, isce: Isce, tmp_path: Path
) -> None:
    product = on_disk(make.slc(), tmp_path / "product", make)
    said = isce.ask(product, plan_of(product) | {"vocabulary": ["first", "second"]})
    assert said == NoAnswer("ISCE2 ended with code 1: AttributeError: first directory")


def test_files_without_swaths_are_told(make: SimpleNamespace, isce: Isce, tmp_path: Path) -> None:
    product = on_disk(make.slc(), tmp_path / "product", make)
    said = isce.ask(product, plan_of(product) | {"swaths": [{"startingrange": "nan"}]})
    assert said == NoAnswer("ISCE2 left no frame parameters that can be read")


def test_it_may_not_run_for_ever(make: SimpleNamespace, isce: Isce, tmp_path: Path) -> None:
    product = on_disk(make.slc(), tmp_path / "product", make)
    began = time.monotonic()
    said = isce.ask(product, plan_of(product) | {"sleep_s": 30}, isce_timeout_s=0.3)
    assert said == NoAnswer("ISCE2 did not end within 0.3 s")
    assert time.monotonic() - began < 10


def test_what_it_cannot_read_is_not_given_to_it(
    make: SimpleNamespace, isce: Isce, tmp_path: Path
) -> None:
    slc = make.slc()
    cases = {
        "level 1.1 CEOS only": make.utm(),
        "inside its archive": replace(
            slc, files=(ProductFile("LED-x", "LED", 1, make.member("LED-x")),)
        ),
        "no leader": slc,
        "no image": make.product("FBDR1.1__A"),
        "burst": make.product(
            "WBDR1.1__A",
            images=(make.image("IMG-HH-ALOS2231410700-180905-WBDR1.1__A-B1", (10, 10)),),
        ),
    }
    for said, product in cases.items():
        answer = isce.ask(product, {})
        assert isinstance(answer, NoAnswer)
        assert said in answer.reason


def test_not_installed(make: SimpleNamespace) -> None:
    options = FootprintOptions(isce_program="no-such-alos2App.py")
    said = isce_footprint(Question(make.slc(), options))
    assert isinstance(said, NoAnswer)
    assert "not installed" in said.reason


class TestXml:
    def test_both_spellings_of_names_and_values(self, tmp_path: Path) -> None:
        path = tmp_path / "a.frame.xml"
        path.write_text(
            "<productmanager_name><component name='instance'><component name='swaths'>"
            "<component name='swath1'>"
            "<property name='starting range'>800000.0</property>"
            "<property name='PRF'><value>2000.0</value><doc>x</doc></property>"
            "<property name='sensingstart'><value>2018-09-05 05:07:08</value></property>"
            "<property name='rangepixelsize'><value>4.29</value></property>"
            "<property name='numberoflines'><value>100</value></property>"
            "<property name='numberofsamples'><value>200</value></property>"
            "</component></component></component></productmanager_name>"
        )
        (swath,) = read_swaths([path])
        assert swath.shape == (100, 200)
        assert swath.line_interval_s == pytest.approx(0.0005)
        assert swath.sensing_start.microsecond == 0

    @pytest.mark.parametrize("text", ["", "<a", "<a/>", "<!DOCTYPE x [<!ENTITY e 'v'>]><a>&e;</a>"])
    def test_damaged_files_hold_nothing(self, tmp_path: Path, text: str) -> None:
        path = tmp_path / "x.xml"
        path.write_text(text)
        assert read_swaths([path]) == []
        assert read_orbit([path]) is None

    def test_an_orbit_that_is_none(self, tmp_path: Path) -> None:
        path = tmp_path / "x.track.xml"
        vector = (
            "<component name='v{0}'><property name='time'><value>2018-09-05 05:0{0}:00</value>"
            "</property><property name='position'><value>[{0}.0, 0, 0]</value></property>"
            "<property name='velocity'><value>[0, 0, 1e9]</value></property></component>"
        )
        path.write_text("<a>" + "".join(vector.format(k) for k in range(5)) + "</a>")
        assert read_orbit([path]) is None
