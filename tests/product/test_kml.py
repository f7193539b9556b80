"""JAXA's KML: read with entities off, believed by nobody."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest

from alos2.errors import BadProduct
from alos2.product.kml import read_kml
from alos2.product.safexml import MAX_XML_BYTES
from alos2.types import LonLat

KML = """<?xml version="1.0"?><kml xmlns="http://www.opengis.net/kml/2.2"><Document><Folder>
<name>Scene Rectangle</name><Placemark><name>{scene}</name><description><![CDATA[<br/>
<table><tr><td>Scene ID</td><td>{scene}</td></tr><tr><td>Product ID</td><td>FBDR1.5GUA</td></tr>
<tr><td>Observation Date</td><td>2014-09-09</td></tr><tr><td>Path No</td><td>26</td></tr>
<tr><td>Frame(center)</td><td>0060</td></tr><tr><td>SceneShift</td><td>-1</td></tr>
<tr><td>Offnadir Angle</td><td>36.6</td></tr><tr><td>Scene Time(Center)</td><td>{center}</td></tr>
<tr><td>Scene Time(Start)</td><td>{start}</td></tr>
<tr><td>Lat/Long(center)</td><td>-11.05/-62.5</td></tr></table>]]></description><Polygon><outerBoundaryIs><LinearRing><coordinates>{ring}</coordinates>
</LinearRing></outerBoundaryIs></Polygon></Placemark></Folder></Document></kml>"""
RING = "-62.9,-10.8,0 -62.7,-11.4,0 -62.1,-11.2,0 -62.3,-10.6,0 -62.9,-10.8,0"


def kml(**changes: str) -> bytes:
    values = {"scene": "ALOS2015970060-140909", "ring": RING, "start": "04:33:42.052"}
    return KML.format(**{**values, "center": "04:33:47.052", **changes}).encode()


def test_reads_what_it_says() -> None:
    scene = read_kml(kml(), "a.kml")
    assert (scene.scene_id, scene.product_id) == ("ALOS2015970060-140909", "FBDR1.5GUA")
    assert (scene.path, scene.frame, scene.scene_shift) == (26, "0060", -1)
    assert scene.off_nadir_deg == 36.6
    assert scene.start_time == datetime(2014, 9, 9, 4, 33, 42, 52000, tzinfo=timezone.utc)
    assert scene.end_time is None
    assert scene.corners is not None
    assert scene.corners.left_top == LonLat(-62.9, -10.8)
    assert scene.corners.right_top == LonLat(-62.3, -10.6)
    assert scene.corners.center == LonLat(-62.5, -11.05)


def test_a_start_before_midnight_is_of_the_day_before() -> None:
    scene = read_kml(kml(center="00:00:02.000", start="23:59:57.000"), "a.kml")
    assert scene.start_time == datetime(2014, 9, 8, 23, 59, 57, tzinfo=timezone.utc)


def test_entities_and_document_types_are_refused(tmp_path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("never")
    doctype = f'<!DOCTYPE kml [<!ENTITY x SYSTEM "{secret.as_uri()}">]>'
    data = kml(scene="&x;").replace(b"<kml", doctype.encode() + b"<kml", 1)
    with pytest.raises(BadProduct, match="document type"):
        read_kml(data, "a.kml")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "not well-formed"),
        (b"\x00\x01\x02", "not well-formed"),
        (kml()[:400], "not well-formed"),
        (b"<html><body/></html>", "root is <html>"),
        (kml(ring="1,2 x,y"), "not lon,lat"),
        (kml(ring="500,2,0"), "not a place"),
        (b" " * (MAX_XML_BYTES + 1), "more than"),
    ],
)
def test_garbage_is_named(data: bytes, words: str) -> None:
    with pytest.raises(BadProduct, match=words):
        read_kml(data, "a.kml")


def test_an_open_or_longer_ring_gives_no_corners() -> None:
    assert read_kml(kml(ring="1,2,0 3,4,0"), "a.kml").corners is None


def test_real_kml(real_data) -> None:
    (path,) = (real_data / "palsar2-real" / "ALOS2146686640-170209").glob("*.kml")
    scene = read_kml(path.read_bytes(), path.name)
    assert scene.path == 32
    assert scene.frame == "6640"
    assert scene.center_time == datetime(2017, 2, 9, 5, 11, 3, 457000, tzinfo=timezone.utc)
    assert scene.placemarks == ("ALOS2146686640-170209",) * 2
    assert scene.corners is not None
    assert scene.corners.right_bottom == LonLat(-69.781, -27.384)
