"""What the page asks: rows, facets, an item's page, stacks, a pixel, the session."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from rasterio import Affine

from alos2.types import LonLat
from alos2.web.api.pixel import grey_db, tile_place
from fakes.served import CEOS, GEOTIFF, GREY, SCAN, SLC


def rows_of(served: Any, query: str = "") -> list[dict[str, Any]]:
    said = served.get(f"/api/rows?limit=1000&{query}").json()
    return [dict(zip(said["columns"], row, strict=True)) for row in said["rows"]]


def test_rows_are_short_and_newest_first(served: Any) -> None:
    rows = rows_of(served)
    assert len(rows) == len(served.items)
    assert [row["t"] for row in rows] == sorted((row["t"] for row in rows), reverse=True)
    one = next(row for row in rows if row["id"] == SLC)
    assert one["t"] == 1426432220123
    assert (one["level"], one["mode"], one["pass"], one["look"]) == ("1.1", "FBD", "A", "R")
    assert (one["path"], one["frame"], one["orbit"], one["pols"]) == (97, "2900", 4367, "HH HV")
    assert [one[side] for side in "wsen"] == [139.0, 35.0, 139.9, 35.8]
    ring = next(item for item in served.items if item["id"] == SLC)["geometry"]["coordinates"][0]
    assert one["outline"] == [[value for place in ring for value in place]]
    across = next(row for row in rows if row["id"] == CEOS)
    assert len(across["outline"]) == 2
    scan = next(row for row in rows if row["id"] == SCAN)
    assert scan["beams"] == ["F1", "F2"]


def test_rows_page_and_count(served: Any) -> None:
    first = served.get("/api/rows?limit=5").json()
    assert (first["total"], first["complete"], len(first["rows"])) == (24, False, 5)
    second = served.get(f"/api/rows?limit=100&token={first['next']}").json()
    ids = [row[0] for row in (*first["rows"], *second["rows"])]
    assert ids == [row["id"] for row in rows_of(served)]
    body = {"intersects": {"type": "Point", "coordinates": [139.5, 35.5]}, "mode": "FBD"}
    assert served.post("/api/rows", body).json()["total"] == 8


@pytest.mark.parametrize(
    "query",
    ["", "mode=FBD", "bbox=130,30,150,40", "datetime=2017-01-01/2018-01-01", "tag=flood",
     "off_nadir=29/37", "pol=HH,HV", "level=2.1,1.5", "filter=gsd%3C5", "kind=alos2_slc", "q=FBD*",
     "bbox=139.05,35.05,139.1,35.1&level=1.1", "path=97,161&look=right&pass=ascending"],
)  # fmt: skip
def test_facets_count_what_rows_list(served: Any, query: str) -> None:
    rows = rows_of(served, query)
    said = served.get(f"/api/facets?{query}").json()
    assert said["total"] == len(rows)
    filters = dict(part.split("=", 1) for part in query.split("&") if part)
    for facet, key in (("mode", "mode"), ("path", "path"), ("frame", "frame"), ("pass", "pass"),
                       ("look", "look"), ("level", "level"), ("kind", "kind")):  # fmt: skip
        if facet in filters:
            continue
        expected = Counter(str(row[key]) for row in rows)
        assert said["facets"][facet] == dict(expected), facet
    if "pol" not in filters:
        pols = Counter(pol for row in rows for pol in row["pols"].split())
        assert said["facets"]["pol"] == dict(pols)
    if "datetime" not in filters:
        assert sum(said["facets"]["month"].values()) == len(rows)


def test_a_facet_is_counted_without_its_own_filter(served: Any) -> None:
    said = served.get("/api/facets?mode=UBS&facets=mode,level").json()
    assert said["total"] == 4
    assert said["facets"] == {"mode": {"FBD": 16, "UBS": 4, "WBD": 4}, "level": {"1.5": 4}}
    month = served.get("/api/facets?datetime=2014-08-01/2014-08-31&facets=month,mode").json()
    assert month["total"] == 3
    assert sum(month["facets"]["month"].values()) == 24
    assert month["facets"]["mode"] == {"UBS": 3}
    assert served.get("/api/facets?facets=colour").status_code == 400


def test_the_page_of_an_item(served: Any) -> None:
    page = served.get(f"/api/items/{GEOTIFF}").json()
    item = next(one for one in served.items if one["id"] == GEOTIFF)
    assert page["geometry"] == item["geometry"]
    groups = {group["name"]: {row[0]: row[1:] for row in group["rows"]} for group in page["groups"]}
    assert groups["Scene"]["Mode"] == ["FBD", None]
    assert groups["Geometry"]["Off-nadir angle"][1] == "°"
    assert groups["Time"]["Scene centre"] == [item["properties"]["datetime"], "UTC"]
    product = next(one for one in page["files"] if one["kind"] == "product")
    assert product["sha256"] == item["assets"]["product"]["file:checksum"][4:]
    assert product["href"] == f"{served.url}/files/{GEOTIFF}/{GEOTIFF}.zip"
    assert {one["source"] for one in page["footprint"]["answers"]} >= {page["footprint"]["source"]}
    layer = page["layers"][0]
    assert layer["scheme"] == "xyz"
    address = layer["url"].format(z=3, x=2, y=4).removeprefix(served.url)
    assert served.get(address).headers["cache-control"].endswith("immutable")
    assert served.get(page["browse"][0]["thumbnail"].removeprefix(served.url)).status_code == 200
    assert served.get(page["stac"].removeprefix(served.url)).json()["id"] == GEOTIFF
    assert served.get(f"/api/stacks/{page['stack']}").status_code == 200
    assert served.get("/api/items/nothing").status_code == 404


def test_stacks_and_their_baselines(served: Any) -> None:
    listed = {one["key"]: one for one in served.get("/api/stacks").json()["stacks"]}
    slc = next(one for one in listed.values() if (one["path"], one["mode"]) == (97, "FBD"))
    assert (slc["count"], slc["frame"]) == (8, "2900")
    told = served.get(f"/api/stacks/{slc['key']}").json()
    assert told["key"] == slc["key"]
    assert [round(one["days"], 3) for one in told["scenes"]] == [14.0 * n for n in range(8)]
    assert told["scenes"][0]["perpendicular_m"] == 0.0
    assert told["scenes"][0]["datasets"] == [SLC]
    # Each passes a thousandth of a degree further west, some 90 m, and looks down at 33 degrees.
    steps = np.abs(np.diff([one["perpendicular_m"] for one in told["scenes"]]))
    assert np.allclose(steps, 80, atol=20), steps
    flat = next(one for one in listed.values() if one["mode"] == "UBS")
    scenes = served.get(f"/api/stacks/{flat['key']}").json()["scenes"]
    assert {one["perpendicular_m"] for one in scenes} == {None}
    assert all(one["reason"] for one in scenes)
    for key in ("x", "1_2_3_4_5_6_7", "97_2900_FBD_R_A_x_80.0", "x_x_x_x_x_x_x"):
        assert served.get(f"/api/stacks/{key}").status_code == 404


def test_a_pixel_of_a_tile_is_the_grey_between_its_limits(served: Any) -> None:
    lon, lat = -68.6, -27.6
    tile, _, _ = tile_place(LonLat(lon, lat), 3)
    assert (tile.column, tile.row) == (2, 4)
    item = next(one for one in served.items if one["id"] == GEOTIFF)
    channel = item["properties"]["alos2:tiles"][0]["channels"][0]
    folder = served.archive / GEOTIFF / "tiles" / "HH"
    deep, _, _ = tile_place(LonLat(lon, lat), 12)
    place = folder / "12" / str(deep.column)
    place.mkdir(parents=True, exist_ok=True)
    (place / f"{4095 - deep.row}.png").write_bytes((folder / "3" / "2" / "3.png").read_bytes())
    said = served.get(f"/api/pixel?dataset={GEOTIFF}&layer=HH&lon={lon}&lat={lat}").json()
    expected = channel["low_db"] + (GREY - 1) / 254 * (channel["high_db"] - channel["low_db"])
    assert said["db"] == pytest.approx(expected, abs=0.01)
    assert (said["where"], said["unit"], said["dn"]) == ("tile (grey level)", "dB", None)
    outside = served.get(f"/api/pixel?dataset={GEOTIFF}&layer=HH&lon=0&lat=0").json()
    assert (outside["db"], outside["why"]) == (None, "outside")
    for query in ("layer=HH&lon=0&lat=0", f"dataset={GEOTIFF}&layer=HH&lon=x&lat=0",
                  f"dataset={GEOTIFF}&layer=HH&lon=999&lat=0",
                  f"dataset={GEOTIFF}&layer=Q&lon=0&lat=0"):  # fmt: skip
        assert served.get(f"/api/pixel?{query}").status_code in (400, 404)


def test_a_pixel_of_calibrated_data_is_what_lies_there(served: Any) -> None:
    name = f"{GEOTIFF}_HV_sigma0_db.tif"
    data = np.linspace(-30, 0, 100 * 100, dtype=np.float32).reshape(100, 100)
    data[0, 0] = np.nan
    with rasterio.open(
        served.archive / GEOTIFF / name, "w", driver="GTiff", width=100, height=100, count=1,
        dtype="float32", crs="EPSG:4326", transform=Affine(0.01, 0, -69, 0, -0.01, -27),
    ) as out:  # fmt: skip
        out.write(data, 1)
    where = f"/api/pixel?dataset={GEOTIFF}&layer=HV"
    said = served.get(f"{where}&lon=-68.495&lat=-27.205").json()
    assert said["db"] == pytest.approx(float(data[20, 50]), abs=0.01)
    assert said["where"] == "COG"
    assert served.get(f"{where}&lon=-68.995&lat=-27.005").json()["why"] == "no data"
    assert served.get(f"{where}&lon=0&lat=0").json()["why"] == "outside"


def test_grey_levels_stand_for_decibels() -> None:
    assert grey_db(0, -20, 0) is None
    assert grey_db(1, -20, 0) == -20
    assert grey_db(255, -20, 0) == 0


def test_the_session_says_what_may_be_done(served: Any) -> None:
    said = served.get("/api/session").json()
    assert (said["title"], said["count"]) == ("Test archive", 24)
    assert (said["may_change"], said["may_ingest"], said["needs_token"]) == (True, False, False)
    assert {one["name"] for one in said["basemaps"]} == {"osm", "gsi"}


def test_bodies_of_the_page_are_read_as_queries_are(served: Any) -> None:
    by_get = served.get("/api/facets?mode=FBD&datetime=2015-01-01/2016-01-01").json()
    by_post = served.post("/api/facets", {"mode": ["FBD"], "datetime": "2015-01-01/2016-01-01"})
    assert by_post.json() == by_get
    assert json.dumps(by_get["facets"]["path"]) == '{"97": 8}'
    assert Path(served.archive).is_dir()
