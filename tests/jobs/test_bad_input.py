"""Whatever is wrong with a delivery: its named error and exit code, and nothing is touched."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import stat
import struct
import sys
import zipfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pytest_httpserver import HTTPServer

from alos2.archive.limits import Limits
from alos2.archive.writing import HashingWriter
from alos2.ceos.leader import LEADER_RECORDS
from alos2.dataset.validate import validate_item
from alos2.errors import (
    Alos2Error,
    BadArchive,
    BadProduct,
    NoProduct,
    NoSpace,
    NothingFound,
    NotSupported,
    UnsafeArchive,
    UsageError,
)
from alos2.footprint import FootprintOptions
from alos2.footprint.sarcat_cache import forget
from alos2.jobs.info import describe
from alos2.jobs.ingest import Ingested, ingest_all
from alos2.jobs.options import IngestOptions
from alos2.jobs.outcome import Failed
from alos2.raster.pictures import PictureOptions
from alos2.simulate import SimulationSpec, simulate
from fakes.sarcat import FakeSarcat, feature

Damage = Callable[[bytes], bytes]


@dataclass(frozen=True)
class Tiny:
    """A simulated product: its files by name, to be damaged and written anywhere."""

    id: str
    files: dict[str, bytes]

    def name(self, start: str) -> str:
        """The first file whose name begins so."""
        return next(name for name in sorted(self.files) if name.startswith(start))

    def write(self, folder: Path, **changed: bytes | None) -> Path:
        """Write the product into `folder`; `changed` by the beginning of a name, None: left out."""
        folder.mkdir(parents=True, exist_ok=True)
        named = {self.name(start.replace("_", "-")): data for start, data in changed.items()}
        for name, data in {**self.files, **named}.items():
            if data is not None:
                (folder / name).write_bytes(data)
        return folder


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Tiny]:
    """One product of each kind."""
    specs = {
        "slc": SimulationSpec(level="1.1", pixels=36, lines=32, seed=3),
        "detected": SimulationSpec(level="1.5", pixels=36, lines=32, seed=3, mode="UBS"),
        "tif": SimulationSpec(level="2.1", format="geotiff", pixels=36, lines=32, mode="UBS"),
        "slc_tif": SimulationSpec(level="1.1", format="geotiff", pixels=36, lines=32, mode="UBS"),
    }
    products = {}
    for name, spec in specs.items():
        made = simulate(spec, tmp_path_factory.mktemp(name))
        files = {path.name: path.read_bytes() for path in made.product_dir.iterdir()}
        products[name] = Tiny(f"{made.scene}-{made.product}", files)
    return products


@pytest.fixture
def options(tmp_path: Path) -> IngestOptions:
    """Into a folder that holds other things already, hidden ones too."""
    out = tmp_path / "archive"
    (out / "ALOS2000000000-140101-UBSR1.1__A").mkdir(parents=True)
    (out / "ALOS2000000000-140101-UBSR1.1__A" / "x.dataset.json").write_text("{}")
    (out / ".hidden").write_text("mine")
    return IngestOptions(
        out=out,
        footprint_options=FootprintOptions(sarcat=False),
        pictures=PictureOptions(max_zoom=12),
    )


def snapshot(folder: Path) -> dict[str, tuple[str, int]]:
    """Everything in a folder, hidden things too: kind, content and time of change."""
    found = {}
    for path in sorted(folder.rglob("*")):
        content = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "folder"
        changed = path.stat().st_mtime_ns if path.is_file() else 0
        found[path.relative_to(folder).as_posix()] = (content, changed)
    return found


def refused(
    target: object, options: IngestOptions, kind: type[Alos2Error], *words: str, code: int = 3
) -> Alos2Error:
    """Ingest what must fail, wholly, as `kind`, saying `words`."""
    before = snapshot(options.out)
    outcomes = list(ingest_all([str(target)], options))
    assert outcomes
    for outcome in outcomes:
        assert isinstance(outcome, Failed), outcome
    error = next(o.error for o in outcomes if isinstance(o, Failed))
    assert isinstance(error, kind), error
    assert error.exit_code == code
    for word in words:
        assert word in str(error)
    assert snapshot(options.out) == before
    return error


def taken(target: object, options: IngestOptions) -> Path:
    """Ingest what must succeed; the dataset is whole and the only thing that is new."""
    before = snapshot(options.out)
    (outcome,) = list(ingest_all([str(target)], options))
    assert isinstance(outcome, Ingested), outcome
    dataset = Path(outcome.line["dataset_dir"])
    require_whole(dataset)
    after = snapshot(options.out)
    assert {k: v for k, v in after.items() if k.split("/")[0] != dataset.name} == before
    return dataset


def require_whole(dataset: Path) -> None:
    """A dataset's documents are valid JSON, name files that are there, and its zip is sound."""

    def constant(text: str) -> None:
        raise AssertionError(f"{text} is no JSON")

    for kind in ("dataset", "met", "stac"):
        text = (dataset / f"{dataset.name}.{kind}.json").read_text()
        document = json.loads(text, parse_constant=constant)
    validate_item(document)
    for asset in document["assets"].values():
        assert (dataset / asset["href"]).stat().st_size == asset.get(
            "file:size", (dataset / asset["href"]).stat().st_size
        )
    with zipfile.ZipFile(dataset / f"{dataset.name}.zip") as archive:
        assert archive.testzip() is None


def put(data: bytes, offset: int, new: bytes) -> bytes:
    return data[:offset] + new + data[offset + len(new) :]


def big_endian(value: int) -> bytes:
    return struct.pack(">I", value)


def swapped(data: bytes, old: bytes, new: bytes) -> bytes:
    """Replace the first of what must be there."""
    assert old in data
    return data.replace(old, new, 1)


HTML = b"<!DOCTYPE html><html><head><title>Session expired</title></head></html>"
_RECORD_2 = 720 + 8
_LINE_1 = 720 + 8


class TestOneDamagedFile:
    """Each names the file that is damaged."""

    @pytest.mark.parametrize(
        ("product", "start"), [(p, s) for p in ("slc", "detected") for s in ("LED", "VOL", "IMG")]
    )
    @pytest.mark.parametrize(
        "damage",
        [
            pytest.param(lambda d: b"", id="empty"),
            pytest.param(lambda d: d[:5], id="five bytes"),
            pytest.param(lambda d: d[:720], id="descriptor only"),
            pytest.param(lambda d: d[: len(d) // 2], id="half"),
            pytest.param(lambda d: d[:-1], id="a byte short"),
            pytest.param(lambda d: HTML, id="a page"),
            pytest.param(lambda d: bytes(len(d)), id="zeros"),
            pytest.param(lambda d: b"\xff" * len(d), id="ones"),
            pytest.param(lambda d: put(d, 8, big_endian(0)), id="record of 0 bytes"),
            pytest.param(lambda d: put(d, 8, big_endian(2**32 - 1)), id="record of 4 GiB"),
            pytest.param(lambda d: put(d, 8, big_endian(721)), id="record of 721 bytes"),
        ],
    )
    def test_ceos(self, tiny, options, tmp_path, product, start, damage) -> None:  # noqa: PLR0917
        name = tiny[product].name(start)
        folder = tiny[product].write(tmp_path / "in", **{start: damage(tiny[product].files[name])})
        refused(folder, options, BadProduct, name)

    @pytest.mark.parametrize("length", [0, 11, 4679, 1 << 24, (1 << 24) + 1, 2**32 - 1])
    def test_lengths_of_later_records(self, tiny, options, tmp_path, length: int) -> None:
        for number, start in enumerate(("LED", "IMG")):
            data = tiny["slc"].files[tiny["slc"].name(start)]
            changed = put(data, _RECORD_2 if start == "LED" else _LINE_1, big_endian(length))
            folder = tiny["slc"].write(tmp_path / str(number), **{start: changed})
            refused(folder, options, BadProduct, tiny["slc"].name(start))

    @pytest.mark.parametrize("product", ["slc", "detected"])
    def test_zero_lines(self, tiny, options, tmp_path, product) -> None:
        name = tiny[product].name("IMG")
        data = tiny[product].files[name]
        for place in (slice(180, 186), slice(236, 244)):  # records, lines
            data = put(data, place.start, b"0".rjust(place.stop - place.start))
        folder = tiny[product].write(tmp_path / "in", IMG=data)
        refused(folder, options, BadProduct, name, "0 lines")

    @pytest.mark.parametrize("product", ["slc", "detected"])
    def test_more_lines_than_there_are(self, tiny, options, tmp_path, product) -> None:
        name = tiny[product].name("IMG")
        data = put(tiny[product].files[name], 180, b"999999")
        folder = tiny[product].write(tmp_path / "in", IMG=put(data, 236, b"  999999"))
        refused(folder, options, BadProduct, name, "has 32 of the 999999 lines")

    @pytest.mark.parametrize("product", ["slc", "detected"])
    def test_bytes_behind_the_last_line_are_a_remark(
        self, tiny, options, tmp_path, product
    ) -> None:
        name = tiny[product].name("IMG")
        folder = tiny[product].write(tmp_path / "in", IMG=tiny[product].files[name] + b"more")
        dataset = taken(folder, options)
        (line,) = describe(folder)
        assert [p["code"] for p in line["problems"]] == ["bad_image"]
        assert dataset.name.startswith(tiny[product].id)

    @pytest.mark.parametrize("damage", [b"", HTML, None], ids=["empty", "page", "missing"])
    def test_what_nothing_depends_on(self, tiny, options, tmp_path, damage) -> None:
        taken(tiny["slc"].write(tmp_path / "in", TRL=damage, ALOS2=damage), options)

    @pytest.mark.parametrize(
        "damage",
        [
            b"",
            HTML,
            b"\xff\xfe\x00",
            b"\x00" * 100,
            "Scs_SceneID=\u6c34".encode(),
            b"x" * ((1 << 20) + 1),
        ],
        ids=["empty", "page", "bytes", "zeros", "not ASCII", "too long"],
    )
    def test_summary(self, tiny, options, tmp_path, damage) -> None:
        for name in ("slc", "tif"):
            folder = tiny[name].write(tmp_path / name, summary=damage)
            refused(folder, options, BadProduct, "summary.txt")

    @pytest.mark.parametrize(
        ("old", "new"),
        [
            (b"20200615 ", b"00010101 "),
            (b"20200615 ", b"99991231 "),
            (b'OffNadirAngle="', b'OffNadirAngle="9999'),
            (b'OffNadirAngle="', b'OffNadirAngle="-'),
            (b'PixelSpacing="', b'PixelSpacing="1E308'),
            (b'NoOfLines_0="', b'NoOfLines_0="9'),
            (b'SceneLeftTopLatitude="', b'SceneLeftTopLatitude="99'),
            (b'ProcessLevel="2.1', b'ProcessLevel="9.9'),
        ],
    )
    def test_summary_values_that_cannot_be(self, tiny, options, tmp_path, old, new) -> None:
        summary = swapped(tiny["tif"].files["summary.txt"], old, new)
        folder = tiny["tif"].write(tmp_path / "in", summary=summary)
        refused(folder, options, BadProduct, "summary.txt")

    def test_a_spacing_of_zero_is_not_said(self, tiny, options, tmp_path) -> None:
        said = tiny["tif"].files["summary.txt"]
        summary = swapped(said, b'PixelSpacing="2.500000"', b'PixelSpacing="0"')
        taken(tiny["tif"].write(tmp_path / "in", summary=summary), options)

    @pytest.mark.parametrize(
        ("record", "name", "value"),
        [
            # Found by campaigns: each of these ended as an internal error or a bad picture.
            ("data_set_summary", "off_nadir_deg", 5000.0),
            ("data_set_summary", "off_nadir_deg", 90.5),
            ("data_set_summary", "wavelength_m", 1e8),
            ("radiometric", "calibration_factor_db", 4000.0),
            ("radiometric", "calibration_factor_db", -1e6),
        ],
    )
    def test_leader_values_that_cannot_be(  # noqa: PLR0917
        self, tiny, options, tmp_path, record: str, name: str, value: float
    ) -> None:
        file = tiny["slc"].name("LED")
        layout = LEADER_RECORDS[record]
        assert layout.codes is not None
        data = tiny["slc"].files[file]
        start = data.index(bytes(layout.codes)) - 4
        (place,) = layout.field(name).slices
        width = place.stop - place.start
        changed = put(data, start + place.start, f"{value:{width}.7g}".encode())
        folder = tiny["slc"].write(tmp_path / "in", LED=changed)
        refused(folder, options, BadProduct, file)

    def test_an_orbit_of_absurd_numbers(self, tiny, options, tmp_path) -> None:
        name = tiny["slc"].name("LED")
        data = tiny["slc"].files[name]
        start = 720 + 4096 + 386  # first state vector of the platform position record
        for number, text in enumerate((b"1E300", b"-1E300", b"9E22", b"0")):
            changed = put(data, start, text.rjust(22))
            folder = tiny["slc"].write(tmp_path / str(number), LED=changed)
            refused(folder, options, BadProduct, name, "state vector")

    @pytest.mark.parametrize("value", [float("nan"), float("inf"), -1e38, 3e38, 1e25])
    def test_damaged_samples_are_no_data(self, tiny, options, tmp_path, value: float) -> None:
        data = bytearray(tiny["slc"].files[tiny["slc"].name("IMG")])
        for line in (0, 7, 31):
            struct.pack_into(">f", data, 720 + line * (544 + 36 * 8) + 544 + 8 * (line % 5), value)
        taken(tiny["slc"].write(tmp_path / "in", IMG=bytes(data)), options)

    @pytest.mark.parametrize("product", ["tif", "slc_tif"])
    @pytest.mark.parametrize(
        "damage",
        [
            pytest.param(lambda d: b"", id="empty"),
            pytest.param(lambda d: d[:7], id="seven bytes"),
            pytest.param(lambda d: d[: len(d) // 2], id="half"),
            pytest.param(lambda d: d[:-1], id="a byte short"),
            pytest.param(lambda d: HTML, id="a page"),
            pytest.param(lambda d: bytes(len(d)), id="zeros"),
            pytest.param(lambda d: put(d, 4, b"\xff" * 4), id="directory nowhere"),
            pytest.param(lambda d: put(d, 2, b"\x2b\x00"), id="as if BigTIFF"),
            pytest.param(lambda d: b"MM\x00*" + d[4:], id="other byte order"),
        ],
    )
    def test_geotiff(self, tiny, options, tmp_path, product, damage) -> None:
        name = tiny[product].name("IMG")
        folder = tiny[product].write(tmp_path / "in", IMG=damage(tiny[product].files[name]))
        refused(folder, options, BadProduct, name)

    @pytest.mark.parametrize("number", [1e300, 1e-300, float("nan"), float("inf"), -0.0, 1e8])
    def test_a_map_grid_that_cannot_be(self, tiny, options, tmp_path, number: float) -> None:
        name = tiny["tif"].name("IMG")
        data = tiny["tif"].files[name]
        matrix = struct.pack("<ddd", 2.5, 0.0, 0.0)
        assert data.count(matrix) == 1
        for index in (0, 5):
            changed = put(data, data.index(matrix) + 8 * index, struct.pack("<d", number))
            folder = tiny["tif"].write(tmp_path / str(index), IMG=changed)
            refused(folder, options, BadProduct, name)

    @pytest.mark.parametrize("number", [1e7, -1e7, float("nan"), float("inf"), 9e8])
    def test_a_tie_point_on_no_map(self, tiny, options, tmp_path, number: float) -> None:
        name = tiny["tif"].name("IMG")
        data = tiny["tif"].files[name]
        tie = data.index(struct.pack("<ddd", 0.5, 0.5, 0.0)) + 24
        folder = tiny["tif"].write(tmp_path / "in", IMG=put(data, tie, struct.pack("<d", number)))
        refused(folder, options, BadProduct, name, "on no map")

    @pytest.mark.parametrize("number", [1e300, -1.0, float("nan"), 37.0])
    def test_a_tie_point_beside_the_image(self, tiny, options, tmp_path, number: float) -> None:
        name = tiny["slc_tif"].name("IMG")
        data = tiny["slc_tif"].files[name]
        tie = data.index(struct.pack("<ddd", 0.5, 0.5, 0.0))
        changed = put(data, tie, struct.pack("<d", number))
        folder = tiny["slc_tif"].write(tmp_path / "in", IMG=changed)
        refused(folder, options, BadProduct, name, "is not in the image")

    @pytest.mark.parametrize("number", [float("inf"), float("nan")])
    def test_projection_parameters_that_cannot_be(self, tiny, options, tmp_path, number) -> None:
        name = tiny["tif"].name("IMG")
        data = tiny["tif"].files[name]
        easting = data.index(struct.pack("<d", 500_000.0))
        changed = put(data, easting, struct.pack("<d", number))
        refused(tiny["tif"].write(tmp_path / "in", IMG=changed), options, BadProduct, name)

    @pytest.mark.parametrize(
        "line", [b"", b"NAN", b"-1", b"0", b"1E-300", b"1E300", b"inf", b"1_0", b"\xff", b"x" * 50]
    )
    def test_lut(self, tiny, options, tmp_path, line) -> None:
        name = tiny["slc_tif"].name("LUT")
        lines = tiny["slc_tif"].files[name].split(b"\n")
        lines[3] = line
        folder = tiny["slc_tif"].write(tmp_path / "in", LUT=b"\n".join(lines))
        refused(folder, options, BadProduct, name)

    @pytest.mark.parametrize("start", ["LED", "IMG", "VOL"])
    def test_a_folder_where_a_file_should_be(self, tiny, options, tmp_path, start) -> None:
        folder = tiny["slc"].write(tmp_path / "in", **{start: None})
        (folder / tiny["slc"].name(start)).mkdir()
        refused(folder, options, BadProduct, tiny["slc"].name(start))

    @pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="needs Linux's /proc")
    @pytest.mark.parametrize("start", ["LED", "IMG", "VOL", "summary"])
    def test_a_disk_that_cannot_read(self, tiny, options, tmp_path, start) -> None:
        name = tiny["slc"].name(start)
        folder = tiny["slc"].write(tmp_path / "in", **{start: None})
        (folder / name).symlink_to("/proc/self/mem")  # its first bytes give EIO
        refused(folder, options, BadProduct, name)

    @pytest.mark.skipif(
        not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything"
    )
    def test_a_file_that_may_not_be_read(self, tiny, options, tmp_path) -> None:
        folder = tiny["slc"].write(tmp_path / "in")
        (folder / tiny["slc"].name("LED")).chmod(0)
        refused(folder, options, BadProduct, tiny["slc"].name("LED"))


class TestBitFlips:
    """A flip is harmless, and the dataset whole; or it is refused by name. Nothing in between."""

    @pytest.mark.parametrize(
        ("product", "start", "reach"),
        [
            ("slc", "LED", 20_000),
            ("slc", "VOL", 4_000),
            ("slc", "IMG", 1_400),
            ("detected", "LED", 20_000),
            ("detected", "IMG", 1_000),
            ("tif", "IMG", 10_000),
            ("slc_tif", "IMG", 10_000),
            ("slc_tif", "LUT", 1_000),
            ("tif", "summary", 3_000),
        ],
    )
    def test_of_a_file(self, tiny, tmp_path_factory, product, start, reach) -> None:
        good = tiny[product]
        data = good.files[good.name(start)]
        text = [i for i, byte in enumerate(data[:reach]) if byte not in (0, 32)]

        @settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
        @example([(114, 6)])  # no rows in a strip of a GeoTIFF
        @given(
            st.lists(st.tuples(st.sampled_from(text), st.integers(0, 7)), min_size=1, max_size=3)
        )
        def flip(flips: list[tuple[int, int]]) -> None:
            changed = bytearray(data)
            for place, bit in flips:
                changed[place] ^= 1 << bit
            folder = tmp_path_factory.mktemp("flip")
            try:
                target = good.write(folder / "in", **{start: bytes(changed)})
                taken_or_refused(target, folder / "out")
            finally:
                shutil.rmtree(folder)

        flip()

    def test_of_a_line_time_of_one_polarisation(self, tiny, options, tmp_path) -> None:
        """Its lines then lie elsewhere than those of the other."""
        good = tiny["slc"]
        changed = bytearray(good.files[good.name("IMG")])
        changed[837] ^= 2  # within the time of the second line
        target = good.write(tmp_path / "in", IMG=bytes(changed))
        refused(target, options, BadProduct, "other times or ranges")

    def test_of_a_zip(self, deliveries, tmp_path_factory) -> None:
        data = deliveries.geotiff.read_bytes()
        headers = [i for i in range(len(data) - 1) if data[i : i + 2] == b"PK"]
        near = sorted({p for i in headers for p in range(i, min(i + 100, len(data)))})

        @settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))
        @given(
            st.lists(st.tuples(st.sampled_from(near), st.integers(0, 7)), min_size=1, max_size=3)
        )
        def flip(flips: list[tuple[int, int]]) -> None:
            changed = bytearray(data)
            for place, bit in flips:
                changed[place] ^= 1 << bit
            folder = tmp_path_factory.mktemp("flip")
            try:
                (folder / "order.zip").write_bytes(bytes(changed))
                taken_or_refused(folder / "order.zip", folder / "out")
            finally:
                shutil.rmtree(folder)

        flip()


def taken_or_refused(target: Path, out: Path) -> None:
    options = IngestOptions(
        out=out,
        footprint_options=FootprintOptions(sarcat=False),
        pictures=PictureOptions(max_zoom=12),
    )
    with suppress(BadProduct):
        json.dumps(describe(target), allow_nan=False)
    names = set()
    for outcome in ingest_all([str(target)], options):
        if isinstance(outcome, Failed):
            assert outcome.error.exit_code == 3, outcome.error
        else:
            require_whole(Path(outcome.line["dataset_dir"]))
            names.add(outcome.line["id"])
    assert {path.name for path in out.iterdir()} == names


class TestNames:
    def renamed(self, product: Tiny, folder: Path, change: Callable[[str], str]) -> Path:
        folder.mkdir()
        for name, data in product.files.items():
            content = data
            if name == "summary.txt":
                content = change(data.decode("ascii")).encode("ascii")
            (folder / change(name)).write_bytes(content)
        return folder

    @pytest.mark.parametrize("level", ["1.0", "2.2"])
    def test_levels_that_are_not_handled(self, tiny, options, tmp_path, level) -> None:
        folder = self.renamed(
            tiny["tif"], tmp_path / "in", lambda n: n.replace("R2.1", f"R{level}")
        )
        refused(folder, options, NotSupported, f"level {level}")

    def test_alos_4(self, tiny, options, tmp_path) -> None:
        folder = self.renamed(tiny["slc"], tmp_path / "in", lambda n: n.replace("ALOS2", "ALOS4"))
        refused(folder, options, NotSupported, "ALOS-4")

    def test_names_that_jaxa_does_not_give(self, tiny, options, tmp_path) -> None:
        folder = self.renamed(tiny["slc"], tmp_path / "in", lambda n: n.lower())
        (folder / "summary.txt").unlink()
        refused(folder, options, NoProduct, "holds no ALOS-2 product")

    def test_two_products_with_one_id(self, tiny, options, tmp_path) -> None:
        tiny["slc"].write(tmp_path / "in" / "a")
        data = tiny["slc"].files[tiny["slc"].name("IMG")]
        tiny["slc"].write(tmp_path / "in" / "b", IMG=data[:-1] + bytes([data[-1] ^ 1]))
        refused(tmp_path / "in", options, BadProduct, tiny["slc"].id, "is there twice")

    def test_files_of_two_scenes_mixed_up(self, tiny, options, tmp_path) -> None:
        name = tiny["slc"].name("LED")
        folder = tiny["slc"].write(tmp_path / "in", LED=tiny["detected"].files[
            tiny["detected"].name("LED")])  # fmt: skip
        refused(folder, options, BadProduct, name)


def zipped(files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return out.getvalue()


def with_flag(data: bytes, offset: int, central: int, value: int) -> bytes:
    """Set a 16-bit field of the first entry, in its local and its central header."""
    changed = bytearray(data)
    for signature, place in ((b"PK\x03\x04", offset), (b"PK\x01\x02", central)):
        struct.pack_into("<H", changed, data.index(signature) + place, value)
    return bytes(changed)


def overlapping(files: dict[str, bytes]) -> bytes:
    """Let the second entry's header point to the first entry's data."""
    data = bytearray(zipped(files, zipfile.ZIP_STORED))
    first = data.index(b"PK\x01\x02")
    second = data.index(b"PK\x01\x02", first + 4)
    data[second + 42 : second + 46] = data[first + 42 : first + 46]
    return bytes(data)


def symlink(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO(zipped(files))
    with zipfile.ZipFile(out, "a") as archive:
        link = zipfile.ZipInfo("IMG-link")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
    return out.getvalue()


def nested(data: bytes, depth: int) -> bytes:
    for level in range(depth):
        data = zipped({f"{level}.zip": data}, zipfile.ZIP_STORED)
    return data


NUL = {"zeros": bytes(3_000_000)}
ONE = {"a": b"1" * 100}
UNSAFE: dict[str, tuple[Callable[[dict[str, bytes]], bytes], type[BadArchive], str, Limits]] = {
    "ratio": (lambda f: zipped({**f, **NUL}), UnsafeArchive, "ratio", Limits(ratio_above_bytes=9)),
    "total": (zipped, UnsafeArchive, "total_bytes", Limits(total_bytes=5_000)),
    "file": (zipped, UnsafeArchive, "file_bytes", Limits(file_bytes=2_000)),
    "entries": (zipped, UnsafeArchive, "entries", Limits(entries=3)),
    "depth": (lambda f: nested(zipped(f), 3), UnsafeArchive, "depth", Limits()),
    "bomb in a zip": (
        lambda f: nested(zipped({**f, **NUL}), 1),
        UnsafeArchive,
        "ratio",
        Limits(ratio_above_bytes=9),
    ),
    "overlap": (overlapping, BadArchive, "order.zip", Limits()),
    "absolute": (lambda f: zipped({**f, "/etc/passwd": b"x"}), UnsafeArchive, "absolute", Limits()),
    "climbing": (lambda f: zipped({**f, "../../x": b"x"}), UnsafeArchive, "'..'", Limits()),
    "case": (lambda f: zipped({**f, "SUMMARY.TXT": b"x"}), UnsafeArchive, "differs in", Limits()),
    "link": (symlink, UnsafeArchive, "IMG-link", Limits()),
    "encrypted": (lambda f: with_flag(zipped(f), 6, 8, 1), BadArchive, "encrypted", Limits()),
    "method": (lambda f: with_flag(zipped(f), 8, 10, 93), BadArchive, "method 93", Limits()),
    "cut": (lambda f: zipped(f)[:-30], BadArchive, "order.zip", Limits()),
    "cut in half": (lambda f: zipped(f)[: len(zipped(f)) // 2], BadArchive, "cut", Limits()),
    "page before": (lambda f: HTML + zipped(f), BadArchive, "HTML", Limits()),
    "page behind": (lambda f: zipped(f) + HTML, BadArchive, "order.zip", Limits()),
    "page": (lambda f: HTML, BadArchive, "HTML", Limits()),
    "0 bytes": (lambda f: b"", BadArchive, "empty", Limits()),
    "noise": (lambda f: b"\x01\x02\x03" * 99, BadArchive, "not a zip", Limits()),
}


class TestArchives:
    @pytest.mark.parametrize("case", UNSAFE)
    def test_refused(self, tiny, options, tmp_path, case) -> None:
        make, kind, words, limits = UNSAFE[case]
        archive = tmp_path / "order.zip"
        archive.write_bytes(make(tiny["tif"].files))
        refused(archive, replace(options, limits=limits), kind, words)

    def test_the_same_name_twice(self, tiny, options, tmp_path) -> None:
        archive = tmp_path / "order.zip"
        with zipfile.ZipFile(archive, "w") as out:
            out.writestr("summary.txt", b"one")
            with pytest.warns(UserWarning, match="Duplicate name"):
                out.writestr("summary.txt", b"two")
        refused(archive, options, UnsafeArchive, "twice")

    @pytest.mark.parametrize("files", [{}, {"folder/": b""}, {"readme.txt": b"hello"}])
    def test_no_product_in_it(self, options, tmp_path, files) -> None:
        (tmp_path / "order.zip").write_bytes(zipped(files))
        refused(tmp_path / "order.zip", options, BadProduct)

    @pytest.mark.parametrize("inner", [b"", HTML, zipped({})[:10], zipped(ONE)[:-5]])
    def test_a_bad_zip_in_a_zip(self, options, tmp_path, inner) -> None:
        (tmp_path / "order.zip").write_bytes(zipped({"ALOS2000000000-140101.zip": inner}))
        refused(tmp_path / "order.zip", options, BadArchive, "ALOS2000000000-140101.zip")

    def test_a_damaged_member(self, tiny, options, tmp_path) -> None:
        """Its CRC tells, which is only seen while it is unpacked."""
        data = bytearray(zipped(tiny["tif"].files, zipfile.ZIP_STORED))
        name = tiny["tif"].name("IMG")
        data[data.index(name.encode()) + len(name) + 2000] ^= 1
        (tmp_path / "order.zip").write_bytes(bytes(data))
        refused(tmp_path / "order.zip", options, BadArchive, name, "CRC")

    @pytest.mark.parametrize("kind", ["page", "cut", "empty"])
    def test_by_url(self, tiny, options, httpserver: HTTPServer, kind) -> None:
        whole = zipped(tiny["tif"].files)
        body = {"page": HTML, "cut": whole[:-40], "empty": b""}[kind]
        httpserver.expect_request("/o.zip").respond_with_data(body, content_type="application/zip")
        refused(httpserver.url_for("/o.zip"), options, BadArchive, "localhost")


class TestPlaces:
    @pytest.mark.parametrize("target", ["nowhere.zip", "nowhere/at/all", "x" * 300, "a\0b", ""])
    def test_nothing_is_there(self, options, tmp_path, target) -> None:
        before = snapshot(options.out)
        (outcome,) = ingest_all([str(tmp_path / target) if target else ""], options)
        assert isinstance(outcome, Failed)
        assert isinstance(outcome.error, (NothingFound, UsageError, NoProduct)), outcome.error
        assert snapshot(options.out) == before

    def test_an_empty_folder(self, options, tmp_path) -> None:
        (tmp_path / "empty").mkdir()
        refused(tmp_path / "empty", options, NoProduct)

    def test_the_output_is_a_file(self, tiny, options, tmp_path) -> None:
        folder = tiny["slc"].write(tmp_path / "in")
        (tmp_path / "file").write_text("mine")
        for out in (tmp_path / "file", tmp_path / "file" / "below"):
            (outcome,) = ingest_all([str(folder)], replace(options, out=out))
            assert isinstance(outcome, Failed)
            assert isinstance(outcome.error, UsageError), outcome.error
        assert (tmp_path / "file").read_text() == "mine"

    def test_something_else_where_the_dataset_would_be(self, tiny, options, tmp_path) -> None:
        folder = tiny["slc"].write(tmp_path / "in")
        place = options.out / tiny["slc"].id
        place.write_text("mine")
        refused(folder, options, BadProduct, "in the way")
        place.unlink()
        place.mkdir()
        (place / f"{place.name}.stac.json").write_text("[" * 100_000)
        (place / f"{place.name}.met.json").write_text("{}")
        (place / f"{place.name}.dataset.json").write_text("{}")
        refused(folder, options, BadProduct, "cannot be read")

    def test_the_disk_is_full_before(self, deliveries, options) -> None:
        limits = Limits(spare_bytes=1 << 60)
        refused(deliveries.slc, replace(options, limits=limits), NoSpace, "free", code=9)

    @pytest.mark.parametrize("after", [0, 1, 5, 11])
    def test_the_disk_becomes_full(
        self, deliveries, options, monkeypatch: pytest.MonkeyPatch, after: int
    ) -> None:
        count = iter(range(10_000))
        real = HashingWriter._put

        def put_or_fail(writer: HashingWriter, data: bytes) -> None:
            if next(count) >= after:
                writer._error = OSError(28, "No space left on device")
                return
            real(writer, data)

        monkeypatch.setattr(HashingWriter, "_put", put_or_fail)
        refused(deliveries.slc, options, NoSpace, "no space left", code=9)


class TestLeaders:
    """``--leader`` for a GeoTIFF delivery."""

    @pytest.fixture
    def folder(self, tiny, tmp_path) -> Path:
        return tiny["slc_tif"].write(tmp_path / "in")

    def test_garbage(self, tiny, options, folder, tmp_path) -> None:
        name = f"LED-{tiny['slc_tif'].id}"
        for number, data in enumerate((b"", HTML, bytes(5000), tiny["slc"].files[
                tiny["slc"].name("LED")][:3000])):  # fmt: skip
            (tmp_path / str(number)).mkdir()
            leader = tmp_path / str(number) / name
            leader.write_bytes(data)
            refused(folder, replace(options, leader=leader), BadProduct, name)

    def test_of_another_scene(self, tiny, options, folder, tmp_path) -> None:
        data = tiny["slc"].files[tiny["slc"].name("LED")]
        leader = tmp_path / "LED-ALOS2327430690-200616-UBSR1.1__A"
        leader.write_bytes(data)
        refused(folder, replace(options, leader=leader), UsageError, "is of scene", code=2)
        lying = tmp_path / f"LED-{tiny['slc_tif'].id}"
        lying.write_bytes(data)
        refused(folder, replace(options, leader=lying), BadProduct, "by its records")

    @pytest.mark.parametrize("kind", ["nothing", "empty folder", "no leader", "page.zip"])
    def test_no_leader_there(self, options, folder, tmp_path, kind) -> None:
        leader = tmp_path / kind
        if kind == "empty folder":
            leader.mkdir()
        elif kind == "no leader":
            leader.write_bytes(zipped({"a": b"b"}))
        elif kind == "page.zip":
            leader.write_bytes(HTML)
        before = snapshot(options.out)
        (outcome,) = ingest_all([str(folder)], replace(options, leader=leader))
        assert isinstance(outcome, Failed)
        assert outcome.error.exit_code in (2, 3, 6)
        assert kind in str(outcome.error)
        assert snapshot(options.out) == before


class TestCatalogue:
    """The catalogue's garbage never keeps a product out."""

    @pytest.fixture
    def sarcat(self, httpserver: HTTPServer) -> Iterator[FakeSarcat]:
        forget()
        yield FakeSarcat(httpserver)
        forget()

    def asking(self, options: IngestOptions, sarcat: FakeSarcat, cache: Path) -> IngestOptions:
        asked = FootprintOptions(sarcat=True, sarcat_url=sarcat.url, cache_dir=cache)
        return replace(options, footprint_options=asked)

    @pytest.mark.parametrize(
        "mode", ["service_exception", "html", "cut", "not_geojson", "error_500", "redirect"]
    )
    def test_answers(self, tiny, options, tmp_path, sarcat, mode) -> None:
        sarcat.mode = mode
        folder = tiny["slc"].write(tmp_path / "in")
        dataset = taken(folder, self.asking(options, sarcat, tmp_path / "cache"))
        met = json.loads((dataset / f"{dataset.name}.met.json").read_text())
        assert sarcat.asked
        assert met["footprint"]["source"] == "geometry"

    @pytest.mark.parametrize(
        "ring",
        [
            None,
            [],
            [[0, 0]],
            [[float("nan"), 0], [1, 1], [2, 0], [float("nan"), 0]],
            [[1e308, 0], [1, 1e308], [2, 0], [1e308, 0]],
            [["x", None], [1, 1], [2, 0], ["x", None]],
            [[0, 0], [0, 0], [0, 0], [0, 0]],
            [[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]],
        ],
    )
    def test_rows(self, tiny, options, tmp_path, sarcat, ring) -> None:
        scene = tiny["slc"].id[:21]
        sarcat.features = [
            feature(scene, ring, start_time=7, absolute_orbit="x", bos_ingest=[], status={}),
            feature(scene, ring, flight_direction=None, look_direction=[1], frame=1e308),
        ]
        taken(tiny["slc"].write(tmp_path / "in"), self.asking(options, sarcat, tmp_path / "cache"))

    def test_a_cache_of_garbage(self, tiny, options, tmp_path, sarcat) -> None:
        sarcat.mode = "html"
        asking = self.asking(options, sarcat, tmp_path / "cache")
        taken(tiny["slc"].write(tmp_path / "in"), asking)
        (kept,) = (tmp_path / "cache").rglob("*.json")
        for garbage in (b"", b"{", b"[" * 100_000, b'{"until": "soon", "reason": 1}', b"\xff"):
            forget()
            kept.write_bytes(garbage)
            shutil.rmtree(asking.out / tiny["slc"].id)
            taken(tmp_path / "in", asking)


@pytest.mark.skipif(sys.platform == "win32", reason="needs special files")
def test_things_that_are_no_files(tiny, options, tmp_path) -> None:
    folder = tiny["slc"].write(tmp_path / "in", LED=None)
    os.mkfifo(folder / tiny["slc"].name("LED"))
    (folder / "loop").symlink_to(folder)
    (folder / "broken").symlink_to(tmp_path / "nowhere")
    refused(folder, options, BadProduct, tiny["slc"].name("LED"))
    os.mkfifo(tmp_path / "pipe.zip")
    refused(tmp_path / "pipe.zip", options, UsageError, "neither", code=2)


def test_one_failure_does_not_end_the_others(tiny, options, tmp_path) -> None:
    (tmp_path / "page.zip").write_bytes(HTML)
    good = tiny["slc"].write(tmp_path / "in")
    outcomes = list(ingest_all([str(tmp_path / "page.zip"), str(good), ""], options))
    assert [type(outcome) for outcome in outcomes] == [Failed, Ingested, Failed]
    require_whole(options.out / tiny["slc"].id)
