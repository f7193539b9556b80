"""Folders and archives become products; what is missing or twofold is named."""

from __future__ import annotations

import hashlib
import io
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alos2.archive.members import list_members
from alos2.errors import BadProduct, NoProduct, NotSupported, UsageError
from alos2.product.model import Problem, Product
from alos2.product.recognise import hash_files, products_from, recognise, require_complete

TAIL = "ALOS2015976960-140909-FBDR1.1__A"


def products(path: Path, **options) -> tuple[Product, ...]:
    with recognise(path, **options) as tree:
        return tree.products


def one(path: Path, **options) -> Product:
    (product,) = products(path, **options)
    return product


def blocking(product: Product) -> list[str]:
    return [problem.code for problem in product.problems_for_ingest]


def zipped(files: dict[str, bytes], *, deflate: bool = True) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as out:
        for name, data in files.items():
            out.writestr(name, data, zipfile.ZIP_DEFLATED if deflate else zipfile.ZIP_STORED)
    return buffer.getvalue()


def test_a_folder_and_its_nested_zip_are_the_same_product(ceos, tmp_path) -> None:
    spec = ceos()
    plain = one(spec.write(tmp_path / "a"))
    inner = zipped({f"0000527273/{name}": data for name, data in spec.files().items()})
    outer = tmp_path / "0000018834_001001_ALOS2015976960-140909.ZIP"
    outer.write_bytes(zipped({"x/inner.zip": inner}, deflate=False))
    with recognise(outer) as tree:
        (packed,) = tree.products
        assert packed.problems == ()
        assert [file.name for file in packed.files] == [file.name for file in plain.files]
        assert packed.images[0].timing == plain.images[0].timing
        assert packed.summary == plain.summary
        assert "!x/inner.zip!0000527273/IMG-HH" in packed.images[0].file.member.path


def test_identity_is_of_the_names_with_their_zeros(ceos, tmp_path) -> None:
    spec = ceos(scene="ALOS2000970060-140801", product="UBSL1.1__D", polarizations=("HH",))
    spec.data_set = {"orbit": 97, "clock_angle_deg": -90.0, "line_time_direction": "DESCEND",
                     "center_time": "20140801043347052"}  # fmt: skip
    spec.summary = {f"Img_Scene{p}DateTime": f"20140801 04:33:{s}" for p, s in
                    (("Start", 42), ("Center", 47), ("End", 52))}  # fmt: skip
    spec.prefix = {"day_of_year": 213}
    spec.position = {"first_month": 8, "first_day": 1}
    product = one(spec.write(tmp_path))
    assert product.problems == ()
    assert (product.scene.orbit, product.scene.frame) == ("00097", "0060")
    assert (product.mode, product.look, product.pass_direction) == ("UBS", "L", "D")
    assert product.scene_shift == -2


def test_several_scenes_in_one_folder(ceos, tmp_path) -> None:
    folder = ceos().write(tmp_path)
    ceos(scene="ALOS2015976970-140909", data_set={"scene_id": "ALOS2015976970-140909"}).write(
        folder
    )
    first, second = products(folder)
    # The later delivery's summary.txt overwrote the earlier one's.
    assert [str(p.scene) for p in (first, second)] == [
        "ALOS2015976960-140909",
        "ALOS2015976970-140909",
    ]
    assert blocking(first) == ["missing_summary"]
    assert second.problems == ()
    assert all("6970" in file.name or file.name == "summary.txt" for file in second.files)


def test_data_one_folder_below_the_summary(ceos, tmp_path) -> None:
    folder = ceos().write(tmp_path / "top")
    below = folder / "0000316145"
    below.mkdir()
    for path in folder.glob("???-*"):
        path.rename(below / path.name)
    (folder / "empty").mkdir()
    (folder / "notes.txt").write_text("stray")
    product = one(folder)
    assert product.problems == ()
    assert len(product.files) == 6


def test_one_polarisation_in_each_of_two_folders(ceos, tmp_path) -> None:
    folder = ceos().write(tmp_path)
    (folder / "2").mkdir()
    (folder / f"IMG-HV-{TAIL}").rename(folder / "2" / f"IMG-HV-{TAIL}")
    assert one(folder).problems == ()


def test_both_formats_of_one_scene_in_one_folder(ceos, geotiff, tmp_path) -> None:
    folder = ceos(product="FBDR2.1GUA").write(tmp_path)
    text = (folder / "summary.txt").read_bytes()
    geotiff().write(folder)
    tiff_text = (folder / "summary.txt").read_bytes()
    (folder / "summary.txt").write_bytes(text)
    (folder / "t").mkdir()
    (folder / "t" / "summary.txt").write_bytes(tiff_text)
    by_format = {product.format: product for product in products(folder)}
    assert set(by_format) == {"ceos", "geotiff"}
    assert all(product.problems == () for product in by_format.values())


def test_two_products_with_one_id_name_both_places(ceos, tmp_path) -> None:
    ceos().write(tmp_path / "first")
    ceos().write(tmp_path / "second")
    both = products(tmp_path)
    assert len(both) == 2
    for product in both:
        assert blocking(product) == ["duplicate"]
        with pytest.raises(BadProduct) as caught:
            require_complete(product)
        assert str(tmp_path / "first") in str(caught.value)
        assert str(tmp_path / "second") in str(caught.value)


def test_the_zip_beside_its_unpacked_files_is_not_a_second_product(ceos, tmp_path) -> None:
    spec = ceos()
    spec.write(tmp_path / "0000022708_001001_ALOS2015976960-140909")
    (tmp_path / "0000022708_001001_ALOS2015976960-140909.zip").write_bytes(zipped(spec.files()))
    product = one(tmp_path)
    assert product.problems == ()
    assert all(file.path is not None for file in product.files)


def test_a_complete_product_passes(ceos, geotiff, tmp_path) -> None:
    for number, spec in enumerate((ceos(), ceos(product="FBDR1.5GUA"), geotiff())):
        require_complete(one(spec.write(tmp_path / str(number))))


@pytest.mark.parametrize(
    ("kind", "code", "blocks"),
    [
        ("LED", "missing_leader", True),
        ("VOL", "missing_volume", True),
        ("TRL", "missing_trailer", False),
        ("IMG-HV", "missing_polarization", True),
        ("summary.txt", "missing_summary", True),
    ],
)
def test_each_missing_member_is_named(ceos, tmp_path, kind, code, blocks) -> None:
    folder = ceos().write(tmp_path)
    (gone,) = folder.glob(f"{kind}*")
    gone.unlink()
    product = one(folder)
    (problem,) = product.problems
    assert (problem.code, problem.file, problem.blocks_ingest) == (code, gone.name, blocks)
    assert gone.name in problem.message
    if blocks:
        with pytest.raises(BadProduct, match=gone.name):
            require_complete(product)


def test_a_polarisation_that_only_the_mode_promises(ceos, tmp_path) -> None:
    folder = ceos(polarizations=("VV",)).write(tmp_path)
    (problem,) = one(folder).problems
    assert problem.code == "missing_polarization"
    assert "polarisation VH is missing: mode FBD has 2" in problem.message


def test_all_images_missing(ceos, tmp_path) -> None:
    folder = ceos().write(tmp_path)
    for path in folder.glob("IMG*"):
        path.unlink()
    product = one(folder)
    assert blocking(product) == ["missing_polarization"] * 2
    (folder / "summary.txt").unlink()
    product = one(folder)
    assert blocking(product) == ["missing_summary", "missing_image"]
    assert "mode FBD has 2 polarisation(s)" in product.problems[1].message


def test_a_beam_that_one_polarisation_lacks(ceos, tmp_path) -> None:
    spec = ceos(product="WBDR1.1__A", beams=("F1", "F2"), summary={})
    folder = spec.write(tmp_path)
    gone = folder / "IMG-HV-ALOS2015976960-140909-WBDR1.1__A-F2"
    gone.unlink()
    product = one(folder)
    assert [(p.code, p.file) for p in product.problems] == [("missing_image", gone.name)]


def test_the_volume_directory_counts_images(ceos, tmp_path) -> None:
    spec = ceos(product="WBSR1.1__A", polarizations=("HH",), beams=("F1", "F2"))
    folder = spec.write(tmp_path)
    (folder / "IMG-HH-ALOS2015976960-140909-WBSR1.1__A-F2").unlink()
    spec.beams = ("F1",)
    (folder / "summary.txt").write_text(spec.summary_text())
    (problem,) = one(folder).problems
    assert "VOL points to 2 image files, 1 are in" in problem.message


def test_short_empty_and_long_images(ceos, tmp_path) -> None:
    folder = ceos().write(tmp_path)
    image, other = folder / f"IMG-HH-{TAIL}", folder / f"IMG-HV-{TAIL}"
    whole = image.read_bytes()
    image.write_bytes(whole[: 720 + 3 * 600 + 599])
    other.write_bytes(b"")
    product = one(folder)
    assert [(p.code, p.file) for p in product.problems] == [
        ("short_image", image.name), ("empty_image", other.name),
    ]  # fmt: skip
    assert "has 3 of the 5 lines" in product.problems[0].message
    assert len(product.images) == 1
    image.write_bytes(whole + b"\0" * 512)
    other.write_bytes(whole)
    (problem,) = one(folder).problems
    assert (problem.code, problem.blocks_ingest) == ("bad_image", False)
    assert "512 bytes longer" in problem.message


def test_zero_lines(ceos, tmp_path) -> None:
    product = one(ceos(lines=0).write(tmp_path))
    assert blocking(product) == ["empty_image", "empty_image"]
    assert product.images == ()


@pytest.mark.parametrize(
    "expected",
    [
        ("LED", "bad_leader", True),
        ("VOL", "bad_volume", True),
        ("TRL", "bad_trailer", False),
        ("IMG-HV", "bad_image", True),
        ("summary.txt", "bad_summary", True),
    ],
)
@pytest.mark.parametrize("damage", ["garbage", "cut"])
def test_each_damaged_member_is_named(ceos, tmp_path, expected, damage) -> None:
    kind, code, blocks = expected
    folder = ceos().write(tmp_path)
    (path,) = folder.glob(f"{kind}*")
    data = path.read_bytes()
    path.write_bytes(b"\xff" * len(data) if damage == "garbage" else data[:300])
    if (kind, damage) == ("summary.txt", "cut"):
        path.write_bytes(b"\x00" + data[:300])
    found = [p for p in one(folder).problems if p.code == code]
    assert [(p.file, p.blocks_ingest) for p in found] == [(path.name, blocks)]


def test_a_file_that_looks_like_jaxa_s_is_a_remark(ceos, tmp_path) -> None:
    folder = ceos().write(tmp_path)
    (folder / f"IMG-HX-{TAIL}").write_bytes(b"?")
    (problem,) = one(folder).problems
    assert problem.code == "unexpected_file"
    assert not problem.blocks_ingest


def test_luts_block_where_calibration_is_in_them(geotiff, tmp_path) -> None:
    geocoded = geotiff().write(tmp_path / "g")
    (lut,) = geocoded.glob("LUT-HV*")
    lut.unlink()
    (problem,) = one(geocoded).problems
    assert (problem.code, problem.file, problem.blocks_ingest) == ("missing_lut", lut.name, False)
    rotated = geotiff(product="FBDR1.5RUA").write(tmp_path / "r")
    (lut,) = rotated.glob("LUT-HH*")
    lut.write_bytes(lut.read_bytes()[:50])
    product = one(rotated)
    assert blocking(product) == ["bad_lut"]
    assert product.calibration is not None
    assert product.calibration.luts["HH"].name == lut.name


def test_no_product(tmp_path) -> None:
    with pytest.raises(NoProduct, match="no file at all"):
        recognise(tmp_path)
    (tmp_path / "readme.txt").write_text("x")
    (tmp_path / f"BRS-HH-{TAIL}.jpg").write_bytes(b"x")
    with pytest.raises(NoProduct, match=r"only BRS-HH-.*readme\.txt"):
        recognise(tmp_path)
    (tmp_path / "summary.txt").write_text("rubbish")
    with pytest.raises(NoProduct):
        recognise(tmp_path)


@pytest.mark.parametrize(
    "name",
    [
        "IMG-HH-ALOS41250710250728UWDPRA0108-1.1__-",
        "IMG-HH-ALOS2437590500-220630-WWDR2.2GUA.tif",
        "IMG-HH-ALOS2437590500-220630-FBDR1.0__A",
    ],
)
def test_other_satellites_and_levels_are_refused_by_a_sentence(ceos, tmp_path, name) -> None:
    (tmp_path / name).write_bytes(b"x")
    with pytest.raises(NotSupported) as caught:
        recognise(tmp_path)
    assert "ALOS-4" in str(caught.value) or "is not handled" in str(caught.value)
    ceos().write(tmp_path)
    with recognise(tmp_path) as tree:
        assert len(tree.products) == 1
        assert len(tree.refused) == 1


def test_a_wrong_kml_is_a_remark(ceos, tmp_path) -> None:
    folder = ceos().write(tmp_path)
    kml = folder / "ALOS2015976960-140909_FBDR1.1__A.kml"
    kml.write_text(
        '<kml xmlns="http://www.opengis.net/kml/2.2"><Placemark><name>ALOS2000000000-140909</name>'
        "<description><![CDATA[<table><tr><td>Path No</td><td>27</td></tr></table>]]></description>"
        "</Placemark></kml>"
    )
    product = one(folder)
    assert [p.code for p in product.problems] == ["contradiction", "contradiction"]
    assert "path: " in product.problems[0].message
    assert "says 27, the file names says 26" in product.problems[0].message
    assert product.problems_for_ingest == ()
    kml.write_bytes(b"\x00")
    assert [p.code for p in one(folder).problems] == ["bad_kml"]


def test_hashes(ceos, tmp_path) -> None:
    product = one(ceos().write(tmp_path))
    leader = next(file for file in product.files if file.kind == "LED")
    assert leader.path is not None
    hashed = hash_files(product, {leader.path: "known"})
    by_name = {file.name: file.sha256 for file in hashed.files}
    assert by_name[leader.name] == "known"
    image = hashed.images[0].file
    assert image.path is not None
    assert image.sha256 == hashlib.sha256(image.path.read_bytes()).hexdigest()
    assert all(by_name.values())
    image.path.write_bytes(b"shorter")
    with pytest.raises(BadProduct, match="gave 7 of"):
        hash_files(product)


def test_products_from_members_alone(ceos, tmp_path) -> None:
    folder = ceos().write(tmp_path)
    with list_members(folder) as tree:
        (product,) = products_from(tree.members)
    assert product == one(folder) or product.files == one(folder).files


def test_a_leader_of_the_same_scene_gives_geotiff_an_orbit(ceos, geotiff, tmp_path) -> None:
    folder = geotiff().write(tmp_path / "tif")
    assert one(folder).orbit is None
    leaders = ceos(product="FBDR1.5GUA").write(tmp_path / "led")
    (led,) = leaders.glob("LED*")
    archive = tmp_path / "led.zip"
    archive.write_bytes(zipped({led.name: led.read_bytes()}))
    for given_path in (led, leaders, archive):
        product = one(folder, leader=given_path)
        assert product.orbit is not None
        assert product.leader_from == led.name
        assert product.sensor.wavelength_m == 0.2424525
        assert product.polynomials is None  # they count lines of another image
        assert product.calibration is not None
        assert product.calibration.source == "lut"


@pytest.mark.parametrize(
    "case",
    [
        (
            {"scene": "ALOS2015976970-140909"}, UsageError,
            "is of scene ALOS2015976970-140909; the delivery has ALOS2015976960-140909",
        ),
        ({"product": "FBDL1.5GUA"}, UsageError, "is of FBDL1.5GUA, the delivery of FBDR2.1GUA"),
        ({"data_set": {"scene_id": "ALOS2015976970-140909"}}, BadProduct, "by its records"),
        ({"position": {"points": []}}, BadProduct, "state vectors"),
    ],
)  # fmt: skip
def test_leaders_that_do_not_fit(ceos, geotiff, tmp_path, case) -> None:
    changes, error, words = case
    folder = geotiff().write(tmp_path / "tif")
    leaders = ceos(**{"product": "FBDR1.5GUA", **changes}).write(tmp_path / "led")
    with pytest.raises(error, match=words):
        one(folder, leader=leaders)


def test_a_folder_without_a_leader(geotiff, tmp_path) -> None:
    folder = geotiff().write(tmp_path)
    with pytest.raises(UsageError, match="no LED"):
        one(folder, leader=folder)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_no_damage_is_fatal(ceos, tmp_path, data) -> None:
    """Any cut or flipped byte in any small file: products with problems, never an exception."""
    files = ceos(product="FBDR1.5GUA").files()
    name = data.draw(st.sampled_from(sorted(files)))
    damaged = bytearray(files[name])
    for _ in range(data.draw(st.integers(0, 3))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    files[name] = bytes(damaged[: data.draw(st.integers(0, len(damaged)))])
    folder = tmp_path / "d"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for each, content in files.items():
        (folder / each).write_bytes(content)
    found = products(folder)
    assert len(found) == 1
    assert all(isinstance(problem, Problem) for problem in found[0].problems)


def test_recognising_needs_no_projection_library() -> None:
    code = (
        "import sys, alos2.product.recognise; print([m for m in ('rasterio', 'pyproj', 'shapely',"
    )
    code += " 'lxml', 'requests') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
