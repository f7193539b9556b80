"""Level 2.2: its own names, its CARD4L summary, and what is wrong with a delivery of it."""

from __future__ import annotations

import shutil
import zipfile
from datetime import date, datetime, timezone
from pathlib import Path

import pytest

from alos2.errors import BadProduct, NotSupported
from alos2.naming import LEVELS, DeliveryName, FileName, ProductId, SceneId
from alos2.product.card4l import compare_card4l, read_card4l
from alos2.product.level22 import parse_level22_name
from alos2.product.recognise import recognise, require_complete
from alos2.simulate import SimulationSpec, simulate
from alos2.types import LonLat

STEM = "ALOS2437590500-220630_WWDR2.2GUA"

# The elements, in the words of a real one.
SUMMARY = """<?xml version="1.0" encoding="utf-8"?>
<Product type="Normalised Radar Backscatter" version="5.5">
  <SourceAttributes acqID="1">
    <SourceDataAcquisitionTime>
      <StartTime>2022-06-30T15:58:00.078Z</StartTime><EndTime>2022-06-30T15:58:56.442Z</EndTime>
    </SourceDataAcquisitionTime>
    <SourceDataAcquisitionParameters>
      <RadarCenterFrequency units="GHz">1.23650e+00</RadarCenterFrequency>
      <ObservationMode>WWD</ObservationMode><BeamID>W3</BeamID>
      <RSP_Path_Number>137</RSP_Path_Number><RSP_Frame_Number>500</RSP_Frame_Number>
    </SourceDataAcquisitionParameters>
    <OrbitInformation><OrbitDataSource>Precise</OrbitDataSource></OrbitInformation>
    <SourceDataImageAttributes><SourceDataGeometry type="WKT">Polygon ((121.7 27.3, 122.3 24.3,
 125.7 24.9, 125.3 27.9, 121.7 27.3))</SourceDataGeometry></SourceDataImageAttributes>
  </SourceAttributes>
  <CARD4LProductAttributes>
    <DataAccess><ProcessingFacility>JAXA/EORC</ProcessingFacility>
      <ProcessingTime>2022-08-12T17:21:22.312338Z</ProcessingTime></DataAccess>
    <ProductSampleSpacing><ProductColumnSpacing units="m">25.0</ProductColumnSpacing>
    </ProductSampleSpacing>
    <BackscatterMeasurementData>
      <BackscatterMeasurement>Gamma-0</BackscatterMeasurement>
      <BackscatterConversionEq units="dB">10*log10(DN^2)-83.0</BackscatterConversionEq>
    </BackscatterMeasurementData>
  </CARD4LProductAttributes>
</Product>
"""


@pytest.mark.parametrize(
    ("name", "kind", "polarization"),
    [
        (f"{STEM}_HH_SLP.tif", "IMG", "HH"),
        (f"{STEM}_VH_SLP.tif", "IMG", "VH"),
        (f"{STEM}_LIN.tif", "LIN", None),
        (f"{STEM}_MSK.tif", "MSK", None),
        (f"{STEM}_summary.xml", "CARD4L", None),
        (f"{STEM}.kml", "KML", None),
        (f"{STEM.replace('_', '-')}.kml", "KML", None),
    ],
)
def test_names(name: str, kind: str, polarization: str | None) -> None:
    found = parse_level22_name(name)
    assert found is not None
    assert (found.kind, found.polarization) == (kind, polarization)
    assert found.scene == SceneId("43759", "0500", date(2022, 6, 30))
    assert found.product == ProductId.parse("WWDR2.2GUA")
    assert str(found) == name


@pytest.mark.parametrize(
    "name",
    [
        f"{STEM}_HX_SLP.tif",
        f"{STEM}_HH.tif",
        f"{STEM.replace('_', '-')}_LIN.tif",
        f"{STEM.replace('2.2', '2.1')}_LIN.tif",
        f"{STEM.replace('0630', '1330')}_LIN.tif",
        f"{STEM.replace('WWD', 'XYZ')}_LIN.tif",
        f"{STEM}_LIN.tif.aux.xml",
    ],
)
def test_near_misses(name: str) -> None:
    assert parse_level22_name(name) is None


def test_the_standard_layout_has_no_level_22() -> None:
    assert "2.2" not in LEVELS
    assert ProductId.parse("WWDR2.2GUA").level == "2.2"
    with pytest.raises(NotSupported, match=r"level 2\.2"):
        FileName.parse(f"{STEM}.kml")
    with pytest.raises(NotSupported, match=r"level 2\.2"):
        _ = DeliveryName.parse(STEM.replace("_", "-")).product


def test_the_summary_of_a_real_scene() -> None:
    said = read_card4l(SUMMARY.encode(), "summary.xml")
    assert said.center_time == datetime(2022, 6, 30, 15, 58, 28, 260_000, tzinfo=timezone.utc)
    assert (said.path, said.mode, said.beam_number) == (137, "WWD", 3)
    assert said.frequency_hz == pytest.approx(1.2365e9)
    assert (said.factor_db, said.measurement, said.spacing_m) == (-83.0, "Gamma-0", 25.0)
    assert said.orbit_source == "Precise"
    assert said.corners is not None
    assert said.corners.right_top == LonLat(125.3, 27.9)
    assert said.corners.left_bottom == LonLat(122.3, 24.3)
    scene, product = SceneId.parse(STEM[:21]), ProductId.parse(STEM[22:])
    assert compare_card4l(said, scene, product) == []


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("<ObservationMode>WWD", "<ObservationMode>WBD", "mode: summary.xml says WBD"),
        ("Number>137", "Number>138", "path: summary.xml says 138"),
        ("Gamma-0", "Sigma-0", "backscatter: summary.xml says sigma-0"),
    ],
)
def test_what_contradicts_the_names(old: str, new: str, words: str) -> None:
    said = read_card4l(SUMMARY.replace(old, new).encode(), "summary.xml")
    problems = compare_card4l(said, SceneId.parse(STEM[:21]), ProductId.parse(STEM[22:]))
    assert [words in p.message for p in problems] == [True]
    assert problems[0].blocks_ingest


def test_what_is_not_said_is_none() -> None:
    text = "<Product><CARD4LProductAttributes/></Product>"
    said = read_card4l(text.encode(), "summary.xml")
    assert said.center_time is None
    assert said.factor_db is None
    assert said.corners is None
    odd = SUMMARY.replace("15:58:00.078Z", "noon").replace("-83.0", "").replace("27.3))", "x))")
    said = read_card4l(odd.encode(), "summary.xml")
    assert said.start_time is None
    assert said.factor_db is None
    assert said.corners is None


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "not well-formed"),
        (b"<Product>", "not well-formed"),
        (b"<kml/>", "its root is <kml>"),
        (b"<!DOCTYPE a [<!ENTITY b 'c'>]><Product/>", "document type"),
        (b"x" * ((1 << 20) + 1), "more than 1048576 bytes"),
    ],
)
def test_bad_summaries(data: bytes, words: str) -> None:
    with pytest.raises(BadProduct, match=words):
        read_card4l(data, "summary.xml")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    spec = SimulationSpec(
        level="2.2", mode="WBD", format="geotiff", pixels=40, lines=40, targets=False
    )
    return simulate(spec, tmp_path_factory.mktemp("level22")).product_dir


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "in" / "any"))


def test_ingest_refuses_it_and_stacks_take_it(folder: Path) -> None:
    with recognise(folder) as tree:
        (product,) = tree.products
    with pytest.raises(NotSupported, match=r"level 2\.2 is not handled as a dataset"):
        require_complete(product)
    require_complete(product, analysis_ready=True)


def test_inside_a_zip(folder: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "delivery.zip", "w") as archive:
        for path in folder.iterdir():
            archive.write(path, f"some/where/{path.name}")
    with recognise(tmp_path / "delivery.zip") as tree:
        (product,) = tree.products
        assert product.problems == ()
        assert product.grid is not None


@pytest.mark.parametrize(
    ("ending", "code", "words", "blocks"),
    [
        ("_HV_SLP.tif", "missing_polarization", "polarisation HV is missing", True),
        ("_HH_SLP.tif", "missing_polarization", "polarisation HH is missing", True),
        ("_summary.xml", "missing_summary", "(summary) is missing", True),
        ("_MSK.tif", "missing_image", "(mask) is missing", False),
        ("_LIN.tif", "missing_image", "(local incidence) is missing", False),
        (".kml", None, "", False),
    ],
)
def test_what_is_missing(
    folder: Path, ending: str, code: str | None, words: str, blocks: bool
) -> None:
    (path,) = folder.glob(f"*{ending}")
    path.unlink()
    with recognise(folder) as tree:
        (product,) = tree.products
    assert [p.code for p in product.problems] == ([] if code is None else [code])
    if code is not None:
        assert words in product.problems[0].message
        assert product.problems[0].blocks_ingest == blocks
        if ending != "_summary.xml":
            assert path.name in product.problems[0].message
    if ending == "_summary.xml":
        assert product.center_time is not None  # the KML has it
        assert product.calibration is not None
        assert product.calibration.source == "default"


def test_no_image_at_all(folder: Path) -> None:
    for path in folder.glob("*_SLP.tif"):
        path.unlink()
    with recognise(folder) as tree:
        (product,) = tree.products
    assert product.problems[0].code == "missing_image"
    assert product.images == ()


def test_a_damaged_summary_is_a_problem(folder: Path) -> None:
    (path,) = folder.glob("*_summary.xml")
    path.write_text("rubbish")
    with recognise(folder) as tree:
        (product,) = tree.products
    assert [p.code for p in product.problems] == ["bad_summary"]
