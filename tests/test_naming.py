"""The name grammar: print∘parse is the identity both ways; near misses are refused by name."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alos2.errors import BadName, NotSupported
from alos2.naming import (
    LEVELS,
    MODES,
    SCANSAR_BEAMS,
    Beam,
    DeliveryName,
    FileName,
    ProductId,
    SceneId,
    parse_file_name,
)
from alos2.types import POLARIZATIONS

scenes = st.builds(
    SceneId,
    st.integers(0, 99999).map("{:05d}".format),
    st.integers(0, 9999).map("{:04d}".format),
    st.dates(date(2000, 1, 1), date(2099, 12, 31)),
)


@st.composite
def products(draw: st.DrawFn) -> ProductId:
    level = draw(st.sampled_from(LEVELS))
    option = "_" if level == "1.1" else draw(st.sampled_from("G" if level == "2.1" else "GR"))
    projection = "_" if level == "1.1" else draw(st.sampled_from("UPML"))
    return ProductId(
        draw(st.sampled_from(MODES)),
        draw(st.sampled_from("LR")),
        level,
        option,
        projection,
        draw(st.sampled_from("AD")),
    )


@st.composite
def file_names(draw: st.DrawFn) -> FileName:
    kind = draw(st.sampled_from(["VOL", "LED", "IMG", "TRL", "LUT", "BRS", "KML", "SUMMARY"]))
    if kind == "SUMMARY":
        return FileName(kind, None, None)
    product = draw(products())
    polarization, beam, extension = None, None, {"LUT": ".txt", "BRS": ".jpg"}.get(kind, "")
    if kind in ("IMG", "LUT", "BRS"):
        polarization = draw(st.sampled_from(POLARIZATIONS))
    if kind == "IMG":
        extension = draw(st.sampled_from(["", ".tif"]))
        if product.is_scansar and product.level == "1.1" and draw(st.booleans()):
            number = draw(st.integers(1, SCANSAR_BEAMS[product.mode[:2]]))
            beam = Beam(draw(st.sampled_from("FB")), number)
    return FileName(kind, draw(scenes), product, polarization, beam, extension)


@st.composite
def deliveries(draw: st.DrawFn) -> DeliveryName:
    order = item = None
    if draw(st.booleans()):
        order = draw(st.from_regex(r"[0-9]{10}", fullmatch=True))
        item = draw(st.from_regex(r"[0-9]{6}|[0-9]{10}", fullmatch=True))
    rest = draw(
        st.sampled_from(["", "-L1.1CEOS", ".1", "_x"]) | products().map(lambda name: f"-{name}")
    )
    extension = draw(st.sampled_from([".zip", ".ZIP", ".Zip", ""]))
    return DeliveryName(draw(scenes), order, item, rest, extension)


class TestPrintAndParse:
    @given(scenes)
    def test_scene(self, scene: SceneId) -> None:
        assert SceneId.parse(str(scene)) == scene
        assert len(str(scene)) == 21

    @given(products())
    def test_product(self, product: ProductId) -> None:
        assert ProductId.parse(str(product)) == product
        assert len(str(product)) == 10

    @given(st.sampled_from("FB"), st.integers(1, 7))
    def test_beam(self, method: str, number: int) -> None:
        assert Beam.parse(f"{method}{number}") == Beam(method, number)  # type: ignore[arg-type]
        assert str(Beam.parse(f"{method}{number}")) == f"{method}{number}"

    @given(file_names())
    def test_file(self, name: FileName) -> None:
        assert FileName.parse(str(name)) == name

    @given(deliveries())
    def test_delivery(self, name: DeliveryName) -> None:
        assert DeliveryName.parse(str(name)) == name

    @given(st.from_regex(r"ALOS2[0-9]{9}-[0-9]{6}", fullmatch=True))
    def test_scene_text_is_kept_or_refused(self, text: str) -> None:
        try:
            assert str(SceneId.parse(text)) == text
        except BadName:
            with pytest.raises(ValueError, match=r"month|day|isoformat"):
                date.fromisoformat(f"20{text[-6:-4]}-{text[-4:-2]}-{text[-2:]}")

    @given(
        st.from_regex(
            r"(VOL|LED|TRL|IMG|LUT|BRS)(-(HH|HV|VH|VV))?-ALOS2[0-9]{9}-14[01][0-9][0-2][0-9]-"
            r"(FBD|WBD|VBS|UBS)[LR](1\.1|1\.5|2\.1|3\.1)[GR_][UPML_][AD](-[FB][1-7])?"
            r"(\.tif|\.txt|\.jpg)?",
            fullmatch=True,
        )
    )
    def test_file_text_is_kept_or_refused(self, text: str) -> None:
        name = parse_file_name(text)
        assert name is None or str(name) == text


@pytest.mark.parametrize(
    "name",
    [
        "0000022708_001001_ALOS2015976960-140909.zip",
        "0000000000_001001_ALOS2229210750-180821-L1.1CEOS.zip",
        "0000018834_0000527273_ALOS2015976960-140909-FBDR1.5GUA",
        "ALOS2478123150-230331-WBDR1.1__D.zip",
        "0000022708_001001_ALOS2015976960-140909.ZIP",
    ],
)
def test_real_delivery_names(name: str) -> None:
    assert str(DeliveryName.parse(name)) == name


def test_parts_of_delivery_names() -> None:
    name = DeliveryName.parse("0000018834_0000527273_ALOS2015976960-140909-FBDR1.5GUA")
    assert (name.order, name.item, name.extension) == ("0000018834", "0000527273", "")
    assert name.product == ProductId.parse("FBDR1.5GUA")
    sample = DeliveryName.parse("0000000000_001001_ALOS2229210750-180821-L1.1CEOS.zip")
    assert sample.product is None
    assert sample.rest == "-L1.1CEOS"
    asf = DeliveryName.parse("ALOS2478123150-230331-WBDR1.1__D.zip")
    assert (asf.order, asf.item, str(asf.product)) == (None, None, "WBDR1.1__D")


@pytest.mark.parametrize(
    ("scene", "path"),
    [
        ("ALOS2015976960-140909", 26),
        ("ALOS2146686640-170209", 32),
        ("ALOS2337294000-200821", 63),
        ("ALOS2437590500-220630", 137),
        ("ALOS2478123150-230331", 161),
        ("ALOS2231410700-180905", 43),
    ],
)
def test_path_as_jaxa_and_catalogues_say(scene: str, path: int) -> None:
    assert SceneId.parse(scene).path == path


def test_path_runs_from_1_to_207() -> None:
    day = date(2020, 1, 1)
    paths = [SceneId(f"{orbit:05d}", "0000", day).path for orbit in range(30000, 30207)]
    assert sorted(paths) == list(range(1, 208))


def test_orbit_with_remainder_0_is_path_207() -> None:
    orbit = next(n for n in range(10000, 10207) if (14 * n + 24) % 207 == 0)
    assert SceneId(f"{orbit:05d}", "0000", date(2020, 1, 1)).path == 207


def test_zeros_are_kept() -> None:
    scene = SceneId.parse("ALOS2004060740-140620")
    assert (scene.orbit, scene.frame, scene.date) == ("00406", "0740", date(2014, 6, 20))


SCENE, PRODUCT = "ALOS2015976960-140909", "FBDR1.5GUA"


@pytest.mark.parametrize(
    "name",
    [
        "",
        "ALOS2015976960-140909 ",
        "ALOS2015976960-140909\n",
        "ALOS201597696-140909",
        "ALOS20159769600-140909",
        "ALOS2015976960_140909",
        "ALOS2015976960-20140909",
        "ALOS2015976960-141309",
        "ALOS2015976960-140230",
        "alos2015976960-140909",
        "ALOS2015976960-14090９",
        "ALOS1015976960-140909",
        "ALPSRP015976960",
    ],
)
def test_near_miss_scenes(name: str) -> None:
    with pytest.raises(BadName) as caught:
        SceneId.parse(name)
    assert caught.value.exit_code == 3
    assert repr(name) in caught.value.message


@pytest.mark.parametrize(
    "name",
    [
        "FBDR1.5GU",
        "FBDR1.5GUAA",
        "FBDX1.5GUA",
        "FBDR15GUA",
        "FBDR1.5XUA",
        "FBDR1.5GXA",
        "FBDR1.5GUX",
        "fbdR1.5GUA",
        "XYZR1.5GUA",
        "FBDR1.1GUA",
        "FBDR1.1__",
        "FBDR1.5__A",
        "FBDR1.5G_A",
        "FBDR2.1RUA",
        "FBDR1.1_UA",
    ],
)
def test_near_miss_products(name: str) -> None:
    with pytest.raises(BadName):
        ProductId.parse(name)


@pytest.mark.parametrize("level", ["1.0", "2.2", "9.9"])
def test_levels_that_are_not_handled(level: str) -> None:
    with pytest.raises(NotSupported, match=level) as caught:
        FileName.parse(f"LED-{SCENE}-FBDR{level}GUA")
    assert caught.value.exit_code == 3


@pytest.mark.parametrize("name", ["F0", "F8", "G1", "F", "1", "F11", "f1", "F１"])
def test_near_miss_beams(name: str) -> None:
    with pytest.raises(BadName):
        Beam.parse(name)


@pytest.mark.parametrize(
    "name",
    [
        f"IMG-{SCENE}-{PRODUCT}",
        f"IMG-HX-{SCENE}-{PRODUCT}",
        f"LED-HH-{SCENE}-{PRODUCT}",
        f"LED-{SCENE}-{PRODUCT}.tif",
        f"LED-{SCENE}_{PRODUCT}",
        f"IMG-HH-{SCENE}-{PRODUCT}.tiff",
        f"IMG-HH-{SCENE}-{PRODUCT}.jpg",
        f"IMG-HH-{SCENE}-{PRODUCT}-F1",
        f"IMG-HH-{SCENE}-UBSR1.1__A-F1",
        f"IMG-HH-{SCENE}-WBDR1.5GUA-F1",
        f"IMG-HH-{SCENE}-WBDR1.1__A-F6",
        f"IMG-HH-{SCENE}-VBDR1.1__A-F8",
        f"LED-{SCENE}-WBDR1.1__A-F1",
        f"LUT-HH-{SCENE}-{PRODUCT}",
        f"BRS-HH-{SCENE}-{PRODUCT}.png",
        f"{SCENE}-{PRODUCT}.kml",
        f"{SCENE}_{PRODUCT}.KML",
        f"ALOS2015976960-14090９_{PRODUCT}.kml",
        "Summary.txt",
        "summary.txt.bak",
        f"._IMG-HH-{SCENE}-{PRODUCT}",
    ],
)
def test_near_miss_files(name: str) -> None:
    with pytest.raises(BadName):
        FileName.parse(name)
    assert parse_file_name(name) is None


@pytest.mark.parametrize(
    "name",
    [
        "22708_001001_ALOS2015976960-140909.zip",
        "0000022708_001001_ALOS2015976960-141909.zip",
        "0000022708-001001-ALOS2015976960-140909.zip",
        "0000022708_00100_ALOS2015976960-140909.zip",
        "0000022708_001001_ALOS2015976960-140909.zip/",
        "0000022708_001001_ALOS2015976960-1409091.zip",
        "product.zip",
    ],
)
def test_near_miss_deliveries(name: str) -> None:
    with pytest.raises(BadName):
        DeliveryName.parse(name)


@pytest.mark.parametrize(
    "name",
    [
        "IMG-HH-ALOS41250710250728UWDPRA0108-1.1__-",
        "ALOS41250710250728UWDPRA0108_1.1__-.kml",
        "LED-ALOS41250710250728UWDPRA0108-1.1__-",
    ],
)
def test_alos4_is_recognised_and_refused(name: str) -> None:
    with pytest.raises(
        NotSupported, match=r"product of ALOS-4 \(PALSAR-3\).*reads ALOS-2"
    ) as caught:
        parse_file_name(name)
    assert caught.value.exit_code == 3
    for parse in (SceneId.parse, ProductId.parse, DeliveryName.parse, FileName.parse):
        with pytest.raises(NotSupported):
            parse(name)


@pytest.mark.parametrize(
    "make",
    [
        lambda: SceneId("123", "0000", date(2020, 1, 1)),
        lambda: SceneId("00001", "00000", date(2020, 1, 1)),
        lambda: SceneId("00001", "0000", date(1999, 1, 1)),
        lambda: SceneId("0000１", "0000", date(2020, 1, 1)),
        lambda: Beam("F", 8),
        lambda: FileName("SUMMARY", SceneId.parse(SCENE), None),
        lambda: FileName("LED", None, None),
        lambda: FileName("KML", SceneId.parse(SCENE), ProductId.parse(PRODUCT), extension=".kml"),
        lambda: DeliveryName(SceneId.parse(SCENE), order="1", item="2"),
        lambda: DeliveryName(SceneId.parse(SCENE), order="0000000001"),
        lambda: DeliveryName(SceneId.parse(SCENE), rest=".zip", extension=""),
        lambda: DeliveryName(SceneId.parse(SCENE), rest="-a/b"),
    ],
)
def test_what_cannot_be_parsed_cannot_be_made(make) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(BadName):
        make()
