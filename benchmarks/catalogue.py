"""The embedded catalogue at size: entering, searching, rebuilding; beside a walk through files.

Items are made up, 5 kB each, spread over the land's latitudes and nine years. The peers answer the
same question, a box of 4 by 4 degrees and one year: a walk through the STAC items of the folders,
as a static catalogue is read, and where they are installed geopandas and DuckDB on stac-geoparquet
(extra ``geoparquet``). Ours and the peers are fresh processes; the start of Python and
imports are left out, opening the file is not.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import random
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "pge"))

from shapely.geometry import box, shape

from _bench import Case, Row, alone, compare, note, parse_arguments, run_once, show
from alos2.catalogue.embedded import EmbeddedCatalogue, Query
from alos2.naming import SceneId

QUICK, WHOLE = 1_000, 100_000
BATCH = 1000
SEARCHES = 200
MODES = ("FBD", "FBS", "UBS", "WBD", "HBQ")
FIRST = datetime(2014, 8, 1, tzinfo=timezone.utc)
BOX = (136.0, 33.0, 140.0, 37.0)
YEAR = (datetime(2018, 1, 1, tzinfo=timezone.utc), datetime(2019, 1, 1, tzinfo=timezone.utc))
QUERY = Query(bbox=BOX, start=YEAR[0], end=YEAR[1], limit=50)


def utc(when: datetime) -> str:
    return when.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def item_of(number: int) -> dict[str, Any]:
    """Item `number`: a third of them over Japan, as in the archive of a group there."""
    chance = random.Random(number)
    japan = chance.random() < 0.33
    lon = chance.uniform(130, 145) if japan else chance.uniform(-180, 178)
    lat = chance.uniform(31, 44) if japan else chance.uniform(-60, 70)
    middle = FIRST + timedelta(seconds=chance.uniform(0, 3300 * 86400))
    mode = chance.choice(MODES)
    scene = SceneId(
        f"{number % 100_000:05d}", f"{chance.randrange(0, 7200, 10):04d}", middle.date()
    )
    name = f"{scene}-{mode}R1.1__A-md"
    size = 0.35
    ring = [[lon, lat], [lon + size, lat - 0.1], [lon + size + 0.1, lat + size],
            [lon + 0.1, lat + size + 0.1], [lon, lat]]  # fmt: skip
    vectors = {
        utc(middle + timedelta(seconds=60 * k)): [round(chance.uniform(-7e6, 7e6), 3)] * 6
        for k in range(-14, 14)
    }
    properties = {
        "datetime": utc(middle),
        "start_datetime": utc(middle - timedelta(seconds=5)),
        "end_datetime": utc(middle + timedelta(seconds=5)),
        "created": utc(FIRST),
        "title": name,
        "description": f"ALOS-2 PALSAR-2 level 1.1 {mode}, path {scene.path}",
        "keywords": ["ALOS-2", "PALSAR-2", "SAR", "L-band"],
        "sar:instrument_mode": mode,
        "sar:polarizations": ["HH", "HV"],
        "sat:orbit_state": "ascending",
        "sat:orbit_state_vectors": vectors,
        "view:off_nadir": 28.2,
        "alos2:type": "alos2_slc_md",
        "alos2:dataset": "ALOS2-L1.1-SLC-MD",
        "alos2:scene": str(scene),
        "alos2:level": "1.1",
        "alos2:format": "ceos",
        "alos2:look": "R",
        "alos2:pass": "A",
        "alos2:orbit": scene.orbit,
        "alos2:frame": scene.frame,
        "alos2:path": scene.path,
        "alos2:tags": [],
        "alos2:files": [
            {"name": f"{kind}-{scene}-{mode}R1.1__A", "kind": kind, "size": 720, "sha256": None}
            for kind in ("VOL", "LED", "TRL", "IMG")
        ],
    }
    box = [lon, lat - 0.1, lon + size + 0.1, lat + size + 0.1]
    return {
        "type": "Feature", "stac_version": "1.1.0", "stac_extensions": [], "id": name,
        "geometry": {"type": "Polygon", "coordinates": [ring]}, "bbox": box,
        "properties": properties, "links": [], "assets": {},
    }  # fmt: skip


def items(count: int) -> Iterator[dict[str, Any]]:
    return (item_of(number) for number in range(count))


def lay(archive: Path, count: int) -> None:
    """Write the folders of an archive, an item in each."""
    for item in items(count):
        folder = archive / item["id"]
        folder.mkdir(parents=True)
        (folder / f"{item['id']}.stac.json").write_text(json.dumps(item), "utf-8")


def fresh(archive: Path, _count: int) -> None:
    shutil.rmtree(archive, ignore_errors=True)
    archive.mkdir()
    EmbeddedCatalogue.open(archive).close()


def put_all(archive: Path, count: int) -> None:
    """Enter items in batches; making them up is part of it, as it is of the peer's."""
    with EmbeddedCatalogue.open(archive) as catalogue:
        waiting = items(count)
        for start in range(0, count, BATCH):
            with catalogue.batch():
                for item in (next(waiting) for _ in range(min(BATCH, count - start))):
                    catalogue.put(item, archive / item["id"])


def write_files(archive: Path, count: int) -> None:
    """Write the same items as files, which a static catalogue has to be."""
    for item in items(count):
        folder = archive / "peer" / item["id"]
        folder.mkdir(parents=True)
        (folder / f"{item['id']}.stac.json").write_text(json.dumps(item), "utf-8")


def rebuild(archive: Path) -> None:
    with EmbeddedCatalogue.open(archive) as catalogue:
        catalogue.rebuild()


def search(archive: Path, _parquet: Path) -> None:
    with EmbeddedCatalogue.open(archive, read_only=True) as catalogue:
        hits = [hit.item for hit in catalogue.search(QUERY)]
    check(len(hits))


def walk(archive: Path, _parquet: Path) -> None:
    """Read every item of the archive and keep those that match, the newest first."""
    place = box(*BOX)
    found = []
    for entry in os.scandir(archive):
        if entry.name.startswith("."):
            continue
        item = json.loads(Path(entry.path, f"{entry.name}.stac.json").read_bytes())
        said = item["properties"]
        if said["end_datetime"] < utc(YEAR[0]) or said["start_datetime"] > utc(YEAR[1]):
            continue
        if shape(item["geometry"]).intersects(place):
            found.append(item)
    found.sort(key=lambda item: item["properties"]["datetime"], reverse=True)
    check(len(found[:50]))


def with_geopandas(_archive: Path, parquet: Path) -> None:
    import geopandas  # noqa: PLC0415 - optional

    table = geopandas.read_parquet(parquet)
    late = (table["end_datetime"] >= YEAR[0]) & (table["start_datetime"] <= YEAR[1])
    table = table[late]
    table = table[table.intersects(box(*BOX))].sort_values("datetime", ascending=False)
    check(len(table.head(50).to_dict("records")))


def with_duckdb(_archive: Path, parquet: Path) -> None:
    """By bounding boxes: DuckDB's spatial functions are an extension that it would download."""
    import duckdb  # noqa: PLC0415 - optional

    west, south, east, north = BOX
    found = duckdb.sql(
        f"SELECT * FROM '{parquet}' WHERE bbox.xmin <= {east} AND bbox.xmax >= {west} "
        f"AND bbox.ymin <= {north} AND bbox.ymax >= {south} AND end_datetime >= '{YEAR[0]}' "
        f"AND start_datetime <= '{YEAR[1]}' ORDER BY datetime DESC LIMIT 50"
    ).to_arrow_table()
    check(found.num_rows)


def import_peers(_archive: Path, _parquet: Path) -> None:
    """Keep the imports of the peers out of the clock, as ours are."""
    for module in ("geopandas", "duckdb", "pyarrow.parquet"):
        if importlib.util.find_spec(module.partition(".")[0]) is not None:
            importlib.import_module(module)


def check(found: int) -> None:
    if not found:
        raise RuntimeError("nothing was found: what is compared is not the same")


def warm_searches(archive: Path, kind: str) -> None:
    """Many searches of one kind on an open catalogue."""
    chance = random.Random(1)
    with EmbeddedCatalogue.open(archive, read_only=True) as catalogue:
        latencies = []
        for _ in range(SEARCHES):
            query = query_of(kind, chance)
            start = time.perf_counter()
            found = catalogue.page(query)
            for hit in found.hits:
                len(hit.text)
            latencies.append(time.perf_counter() - start)
    ordered = sorted(latencies)
    median, most = statistics.median(ordered), ordered[int(0.95 * len(ordered))]
    Path(f"{archive}.{kind}").write_text(
        json.dumps({"median_ms": round(median * 1e3, 3), "p95_ms": round(most * 1e3, 3)})
    )


def query_of(kind: str, chance: random.Random) -> Query:
    west, south = chance.uniform(130, 141), chance.uniform(31, 40)
    box = (west, south, west + 4, south + 4)
    year = FIRST + timedelta(days=chance.randrange(3000))
    return {
        "box-and-time": Query(bbox=box, start=year, end=year + timedelta(days=365), limit=10),
        "box": Query(bbox=box, limit=10),
        "whole-earth": Query(bbox=(-180, -90, 180, 90), limit=10),
        "track": Query(paths=(chance.randrange(1, 208),), limit=10),
        "words": Query(text=f"ALOS2{chance.randrange(1000):05d}", limit=10),
    }[kind]


def peers(archive: Path, count: int) -> Mapping[str, Case]:
    """Who else can answer here; the Parquet file is made outside of the clock."""
    parquet = archive.with_suffix(".parquet")
    found = {"every STAC item file read": Case(walk, (archive, parquet))}
    if importlib.util.find_spec("stac_geoparquet") is None:
        note("stac-geoparquet is not installed: geopandas and DuckDB are left out")
        return found
    from alos2.catalogue.embedded.exporting import export_geoparquet  # noqa: PLC0415 - optional

    with EmbeddedCatalogue.open(archive) as catalogue:
        export_geoparquet(catalogue, parquet)
    note(f"stac-geoparquet of {count} items: {parquet.stat().st_size / 1e6:.1f} MB")
    for module, run in (("geopandas", with_geopandas), ("duckdb", with_duckdb)):
        if importlib.util.find_spec(module) is None:
            note(f"{module} is not installed: left out")
        else:
            found[f"{module} on stac-geoparquet"] = Case(
                run, (archive, parquet), prepare=import_peers
            )
    return found


def rows(count: int, runs: int, where: Path) -> Iterator[Row]:
    size = f"{count} items"
    entered = where / "entered"
    yield from compare(
        "enter", size, Case(put_all, (entered, count), prepare=fresh),
        {"items written as files": Case(write_files, (entered, count), prepare=fresh)}, runs=1,
    )  # fmt: skip
    shutil.rmtree(entered)
    archive = where / "archive"
    lay(archive, count)
    file = archive / ".alos2-catalogue" / "catalogue.sqlite"
    row = alone("rebuild", size, Case(rebuild, (archive,)), runs=1)
    yield replace(row, more={"file_mb": round(file.stat().st_size / 1e6, 1)})
    others = peers(archive, count)
    yield from compare("search, opened for it", size, Case(search, (archive, archive)), others,
                       runs=runs)  # fmt: skip
    for kind in ("box-and-time", "box", "whole-earth", "track", "words"):
        sample = run_once(Case(warm_searches, (archive, kind)))
        more = json.loads(Path(f"{archive}.{kind}").read_text())
        yield Row(
            f"{SEARCHES} x {kind}", size, round(sample.seconds, 4), None, None, None,
            round(sample.peak_rss_mb, 1), 1, more,
        )  # fmt: skip


def main() -> None:
    arguments = parse_arguments(__doc__.splitlines()[0])
    count = QUICK if arguments.quick else WHOLE
    with tempfile.TemporaryDirectory() as folder:
        show(rows(count, arguments.runs or 3, Path(folder)), as_json=arguments.json)


if __name__ == "__main__":
    main()
