"""Synthetic products with every field explicit, and what a dataset is made of."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import pytest

from alos2.archive.members import FileMember
from alos2.dataset.content import Content, PackedProduct
from alos2.dataset.footprint_report import FootprintAnswer, FootprintReport
from alos2.dataset.provenance import Source
from alos2.geometry.orbit import Orbit
from alos2.geometry.rings import footprint_geometry
from alos2.naming import Beam, FileName, ProductId, SceneId
from alos2.product.model import (
    Calibration,
    Image,
    MapGrid,
    Problem,
    Product,
    ProductFile,
    Sensor,
    SlantRangeTiming,
    SummaryCorners,
)
from alos2.raster.pictures import (
    BrowseReport,
    CalibrationUsed,
    CogReport,
    PictureReport,
    ShownChannel,
    StretchLimits,
    TileLayer,
)
from alos2.types import FootprintSource, LonLat, Polarization, RasterShape

CREATED = datetime(2026, 11, 20, 12, 34, 56, 789000, tzinfo=timezone.utc)


def utc(*when: int) -> datetime:
    return datetime(*when, tzinfo=timezone.utc)  # type: ignore[arg-type,misc]


def make_file(folder: Path, name: str, size: int = 0) -> ProductFile:
    """Write a small file whose bytes depend on its name alone."""
    parsed = FileName.parse(name)
    data = (name.encode() * 40)[: size or 200]
    path = folder / name
    path.write_bytes(data)
    return ProductFile(
        name=name,
        kind=parsed.kind,
        size_bytes=len(data),
        member=FileMember.of(path),
        polarization=parsed.polarization,
        beam=parsed.beam,
        sha256=hashlib.sha256(data).hexdigest(),
    )


def circular_orbit(center: datetime) -> Orbit:
    """A circle at 636 km seen from the turning Earth; 8 vectors around `center`."""
    radius_m, earth_rate, rate = 7_007_000.0, 7.2921159e-5, 1.0779e-3
    times_s = np.arange(8) * 60.0
    epoch = center.replace(second=0, microsecond=0) - timedelta(minutes=4)
    u, tilt, turn = rate * times_s, np.radians(97.9), -earth_rate * times_s
    inertial = radius_m * np.stack([np.cos(u), np.sin(u) * np.cos(tilt), np.sin(u) * np.sin(tilt)])
    velocity = (
        radius_m * rate * np.stack([-np.sin(u), np.cos(u) * np.cos(tilt), np.cos(u) * np.sin(tilt)])
    )
    c, s = np.cos(turn), np.sin(turn)

    def turned(v: np.ndarray) -> np.ndarray:
        return np.stack([c * v[0] - s * v[1], s * v[0] + c * v[1], v[2]])

    position = turned(inertial)
    fixed = turned(velocity) - earth_rate * np.stack([-position[1], position[0], 0 * position[2]])
    # A tenth of a millimetre, so that golden documents are the same on every machine.
    return Orbit(epoch, times_s, position.T.round(4), fixed.T.round(7))


def slc(folder: Path) -> Product:
    """Level 1.1, CEOS, fine dual."""
    scene, pid = SceneId("04367", "2900", date(2015, 3, 15)), ProductId.parse("FBDR1.1__A")
    stem, center = f"{scene}-{pid}", utc(2015, 3, 15, 15, 10, 20, 123000)
    names = [f"IMG-HH-{stem}", f"IMG-HV-{stem}", f"LED-{stem}", f"TRL-{stem}", f"VOL-{stem}"]
    files = tuple(make_file(folder, name) for name in [*names, "summary.txt"])
    timing = SlantRangeTiming(utc(2015, 3, 15, 15, 10, 15, 120250), 4.7112e-4, 790357.6, 4.29126672)
    images = tuple(
        Image(
            file=files[i],
            polarization=pol,
            beam=None,
            shape=RasterShape(21220, 10170),
            dtype="complex64",
            prefix_bytes=544,
            header_bytes=720,
            record_bytes=81904,
            timing=timing,
            prf_hz=2122.318,
        )
        for i, pol in enumerate(("HH", "HV"))
    )
    return Product(
        scene=scene,
        product=pid,
        level="1.1",
        format="ceos",
        files=files,
        images=images,
        center_time=center,
        start_time=center - timedelta(seconds=5),
        end_time=center + timedelta(seconds=5),
        processed_time=utc(2015, 3, 20, 8, 9, 52),
        sensor=Sensor(
            off_nadir_deg=36.6,
            incidence_deg=40.573,
            wavelength_m=0.2424525,
            prf_hz=2122.318448518,
            sampling_rate_hz=34930531.9,
            range_bandwidth_hz=24.9e6,
            azimuth_bandwidth_hz=1355.932914,
            pulse_length_s=30.842168e-6,
            looks_azimuth=1.0,
            looks_range=1.0,
            beam_number=7,
            doppler_hz=-18.5767897,
            doppler_hz_per_km=-0.0243354,
            heading_deg=-12.513874,
            incidence_polynomial=(0.5, 1e-3, -1e-7, 0.0, 0.0, 0.0),
        ),
        calibration=Calibration(-115.0, "leader"),
        orbit=circular_orbit(center),
        orbit_precision="Precision",
        pixel_spacing_m=4.29126672,
        line_spacing_m=3.246,
        facility="EICS",
        software_version="002.012",
        scene_shift=-1,
        summary={"Odi_SceneId": "SARD000000037085-00010-007-048", "Pdi_ProductFormat": "CEOS"},
    )


def geotiff(folder: Path) -> Product:
    """Level 2.1, GeoTIFF, fine dual, one note about it."""
    scene, pid = SceneId("14668", "6640", date(2017, 2, 9)), ProductId.parse("FBDR2.1GUD")
    stem, center = f"{scene}-{pid}", utc(2017, 2, 9, 4, 10, 20, 500000)
    names = [f"IMG-HH-{stem}.tif", f"IMG-HV-{stem}.tif", f"LUT-HH-{stem}.txt", f"LUT-HV-{stem}.txt"]
    names += [f"{scene}_{pid}.kml", "summary.txt"]
    files = tuple(make_file(folder, name) for name in names)
    grid = MapGrid(
        crs_wkt="",
        epsg=32719,
        transform=(6.25, 0.0, 499996.875, 0.0, -6.25, 6984378.125),
        shape=RasterShape(13684, 14060),
    )
    pols: tuple[Polarization, ...] = ("HH", "HV")
    images = tuple(
        Image(
            file=files[i],
            polarization=pol,
            beam=None,
            shape=grid.shape,
            dtype="uint16",
            grid=grid,
        )
        for i, pol in enumerate(pols)
    )
    corners = SummaryCorners(
        LonLat(-68.9, -27.2), LonLat(-68.1, -27.3), LonLat(-68.2, -27.9), LonLat(-69.0, -27.8)
    )
    return Product(
        scene=scene,
        product=pid,
        level="2.1",
        format="geotiff",
        files=files,
        images=images,
        problems=(Problem("bad_kml", "the KML names another scene", f"{scene}_{pid}.kml", False),),
        center_time=center,
        start_time=center - timedelta(seconds=5),
        end_time=center + timedelta(seconds=5),
        processed_time=utc(2017, 2, 13, 1, 2, 3),
        sensor=Sensor(off_nadir_deg=32.9),
        calibration=Calibration(None, "lut", {"HH": files[2], "HV": files[3]}),
        grid=grid,
        pixel_spacing_m=6.25,
        line_spacing_m=6.25,
        image_corners=corners,
        facility="EICS",
        resampling="NN",
        dem="SRTM90m_v4.1",
        geoid="EGM96",
        scene_shift=0,
        summary={"Pds_PixelSpacing": "6.250000", "Pdi_ProductFormat": "GeoTIFF"},
    )


def antimeridian(folder: Path) -> Product:
    """Level 1.5, CEOS, over Fiji, on path 207, in a CRS without an EPSG code."""
    scene, pid = SceneId("00087", "0544", date(2014, 8, 1)), ProductId.parse("UBSL1.5RPD")
    stem, center = f"{scene}-{pid}", utc(2014, 8, 1, 12, 0, 0)
    names = [f"IMG-HH-{stem}", f"LED-{stem}", f"TRL-{stem}", f"VOL-{stem}", "summary.txt"]
    files = tuple(make_file(folder, name) for name in names)
    grid = MapGrid(
        crs_wkt=(
            'PROJCS["unnamed",GEOGCS["ITRF97",DATUM["ITRF97",SPHEROID["GRS 1980",6378137,'
            '298.257222101]],PRIMEM["Greenwich",0],UNIT["degree",0.0174532925199433]],'
            'PROJECTION["Polar_Stereographic"],PARAMETER["latitude_of_origin",-70],'
            'PARAMETER["central_meridian",45],PARAMETER["false_easting",0],'
            'PARAMETER["false_northing",0],UNIT["metre",1]]'
        ),
        epsg=None,
        transform=(2.0, 0.5, 1000.0, 0.5, -2.0, 9000.0),
        shape=RasterShape(300, 200),
    )
    image = Image(
        file=files[0],
        polarization="HH",
        beam=None,
        shape=grid.shape,
        dtype="uint16",
        prefix_bytes=192,
        header_bytes=720,
        record_bytes=592,
        grid=grid,
    )
    return Product(
        scene=scene,
        product=pid,
        level="1.5",
        format="ceos",
        files=files,
        images=(image,),
        start_time=center,
        end_time=center + timedelta(seconds=10, microseconds=1),
        sensor=Sensor(off_nadir_deg=29.1, heading_deg=-169.5),
        calibration=Calibration(-83.0, "leader"),
        grid=grid,
        pixel_spacing_m=2.5,
        line_spacing_m=2.5,
        summary={"Lbi_ProcessFacility": "SCMO"},
    )


def scansar(folder: Path) -> Product:
    """Level 1.1, CEOS, ScanSAR of two of five beams, images of different sizes."""
    scene, pid = SceneId("47812", "3150", date(2023, 3, 30)), ProductId.parse("WBDR1.1__D")
    stem, center = f"{scene}-{pid}", utc(2023, 3, 30, 17, 1, 2, 3000)
    pols: tuple[Polarization, ...] = ("HH", "HV")
    keys = [(pol, Beam("F", n)) for pol in pols for n in (1, 2)]
    images_files = [make_file(folder, f"IMG-{pol}-{stem}-{beam}") for pol, beam in keys]
    others = [make_file(folder, f"{kind}-{stem}") for kind in ("LED", "TRL", "VOL")]
    shapes = {1: RasterShape(118000, 5200), 2: RasterShape(131072, 5000)}
    images = tuple(
        Image(
            file=file,
            polarization=pol,
            beam=beam,
            shape=shapes[beam.number],
            dtype="complex64",
            prefix_bytes=544,
            header_bytes=720,
            record_bytes=544 + 8 * shapes[beam.number].pixels,
            prf_hz=2661.847,
        )
        for file, (pol, beam) in zip(images_files, keys, strict=True)
    )
    return Product(
        scene=scene,
        product=pid,
        level="1.1",
        format="ceos",
        files=tuple(sorted([*images_files, *others], key=lambda f: f.name)),
        images=images,
        center_time=center,
        start_time=center - timedelta(seconds=26),
        end_time=center + timedelta(seconds=26),
        sensor=Sensor(wavelength_m=0.2384, incidence_deg=36.2),
        calibration=Calibration(-115.0, "leader"),
        pixel_spacing_m=8.58,
        line_spacing_m=2.6,
        facility="EICS",
        software_version="002.021",
    )


MAKERS = {"slc": slc, "geotiff": geotiff, "antimeridian": antimeridian, "scansar": scansar}

RINGS = {
    "slc": [(139.1, 35.0), (139.9, 35.1), (139.8, 35.8), (139.0, 35.7)],
    "geotiff": [(-68.9, -27.2), (-69.0, -27.8), (-68.2, -27.9), (-68.1, -27.3)],
    "antimeridian": [(179.7, -16.9), (179.6, -17.5), (-179.8, -17.6), (-179.7, -17.0)],
    "scansar": [(140.0, 36.0), (139.2, 32.9), (143.0, 32.2), (143.9, 35.4)],
}


@pytest.fixture
def product_of(tmp_path: Path) -> Callable[[str], Product]:
    """Make a product by name, its files in a folder of its own."""

    def make(name: str) -> Product:
        folder = tmp_path / f"raw-{name}"
        folder.mkdir(exist_ok=True)
        return MAKERS[name](folder)

    return make


def answer_of(source: FootprintSource, name: str, shift_deg: float = 0.0) -> FootprintAnswer:
    ring = [LonLat(lon, lat + shift_deg) for lon, lat in RINGS[name]]
    methods = {
        "geometry": "range-Doppler on the ellipsoid",
        "raster": "valid pixels",
        "bos_sarcat": "catalogue row",
        "summary": "scene corners of summary.txt",
    }
    return FootprintAnswer(source, footprint_geometry(ring), methods[source])


def report_of(name: str) -> FootprintReport:
    main: FootprintSource = "raster" if name in ("geotiff", "antimeridian") else "geometry"
    chosen, summary = answer_of(main, name), answer_of("summary", name, 0.001)
    catalogue = replace(
        answer_of("bos_sarcat", name, 0.4),
        accepted=False,
        reason="it overlaps the product's own footprint by 0.41 only, less than 0.8",
        details={"status": "planned", "frame": 290, "area_ratio": np.float64(0.4125)},
    )
    return FootprintReport(
        chosen,
        (catalogue, chosen, summary),
        {"isce": "alos2App.py is not installed"},
        {"bos_sarcat": 44371.26, "summary": np.float64(110.94)},
    )


BOUNDS = (-69.0, -27.9, -68.1, -27.2)


def pictures_of(product: Product, folder: Path, dataset_id: str) -> PictureReport:
    """Write small pictures (any bytes) and tell of them.

    Level 2.1 is as beyond a tile budget: HH in files and deeper in PMTiles, the rest in PMTiles,
    with COGs. The others have files.
    """
    folder.mkdir(parents=True, exist_ok=True)
    stretch = StretchLimits(-24.5, 1.25, "2-98 percent of the multilooked image")
    ratio = StretchLimits(3.5, 12.25, "2-98 percent of the multilooked image")
    used = CalibrationUsed(*((None, "lut") if product.format == "geotiff" else (-83.0, "leader")))
    browse, layers, archives, cogs = [], [], [], []
    for pol in product.polarizations:
        stem = f"IMG-{pol}-{dataset_id}_disp"
        full, small = folder / f"{stem}.browse.png", folder / f"{stem}.browse_small.png"
        full.write_bytes(f"full {stem}".encode())
        small.write_bytes(f"small {stem}".encode())
        browse.append(
            BrowseReport(
                pol, full, small, (900, 1000), (225, 250), 60.5, "map",
                False, False, tuple(str(b) for b in product.beams), stretch, used,
            )
        )  # fmt: skip
    # Of ScanSAR two beams of each polarisation, as if the others held no data.
    alone = [(pol, str(beam)) for pol in product.polarizations for beam in product.beams[:2]]
    for pol, beam in alone:
        stem = f"IMG-{pol}-{beam}-{dataset_id}_disp"
        full, small = folder / f"{stem}.browse.png", folder / f"{stem}.browse_small.png"
        full.write_bytes(f"full {stem}".encode())
        small.write_bytes(f"small {stem}".encode())
        browse.append(
            BrowseReport(
                pol, full, small, (300, 1000), (75, 250), 60.5, "map",
                False, False, (beam,), stretch, used, beam,
            )
        )  # fmt: skip
    tiles = folder / "tiles"
    tiles.mkdir()
    shown = {pol: (ShownChannel(pol, stretch),) for pol in product.polarizations}
    if len(shown) == 2:
        co, cross = product.polarizations
        shown["RGB"] = (*shown[co], *shown[cross], ShownChannel(f"{co}/{cross}", ratio))
    for pol, beam in alone:
        shown[f"{pol}-{beam}"] = (ShownChannel(f"{pol}-{beam}", stretch),)
    for name, channels in shown.items():
        layer = TileLayer(
            name, 0, 14, 13, 7, 4096, True, stretch, used, channels=channels, bounds=BOUNDS
        )
        if name == "HH" or product.level != "2.1":
            file = tiles / f"{name}.tilejson.json"
            file.write_text("{}")
            deepest = 12 if product.level == "2.1" else 14
            layers.append(replace(layer, max_zoom=deepest, count=5, tilejson=file))
        if product.level == "2.1":
            archive = tiles / f"{name}.pmtiles"
            archive.write_bytes(f"PMTiles {name}".encode())
            archives.append(replace(layer, tms=False, archive=archive))
    if product.level == "2.1":
        for pol in product.polarizations:
            path = folder / f"{dataset_id}_{pol}_sigma0_db.tif"
            path.write_bytes(f"COG {pol}".encode())
            cogs.append(CogReport(pol, path, "db", 32719, (13684, 14060), 6.25, (2, 4, 8), used))
    limits = [ShownChannel(pol, stretch) for pol in product.polarizations]
    slant = product.level == "1.1"
    return PictureReport(
        tuple(browse),
        tuple(layers),
        ("what lies beyond 85.05 degrees latitude is not drawn (Web Mercator)",),
        tuple(archives),
        tuple(cogs),
        tuple(limits if len(limits) < 2 else [*limits, ShownChannel("ratio", ratio)]),
        0.0 if slant else None,
        "orbit and ellipsoid" if slant else None,
    )


@pytest.fixture
def content_of(product_of: Callable[[str], Product], tmp_path: Path) -> Callable[[str], Content]:
    """Make everything that the documents of one product are made of."""

    def make(name: str) -> Content:
        product = product_of(name)
        bare = Content(product, report_of(name), CREATED)
        return replace(
            bare,
            source=Source(
                provider="url",
                order_id="0000022708",
                url="https://me:pw@example.org/d/a.zip?item=1&X-Amz-Signature=aa#x",
                sha256="ab" * 32,
                retrieved=utc(2026, 11, 20, 12, 0, 0),
            ),
            tags=("flood", "Fiji"),
            pictures=pictures_of(product, tmp_path / f"pictures-{name}", bare.kind.id),
            archive=PackedProduct(f"{bare.kind.id}.zip", 123456, "cd" * 32),
        )

    return make
