"""config/datasets.json: every id of this suite fits exactly one rule, and nothing else fits any."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import date, timedelta
from itertools import product as combinations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alos2.constants import ORBITS_PER_CYCLE
from alos2.dataset.identity import DATASET_VERSION, dataset_kind
from alos2.errors import BadProduct
from alos2.naming import LEVELS, MODES, ProductId, SceneId
from alos2.product.model import Product
from alos2.publish.patterns import rules_document, rules_text
from alos2.types import ProductFormat

CONFIG = Path(__file__).parents[2] / "config"
FILES = {"s3": CONFIG / "datasets.json", "dav": CONFIG / "datasets.json.dav"}
STACK = "alos2_stack"
SCENE = SceneId("04367", "2900", date(2015, 3, 15))
JOB = "/data/work/jobs/2026/11/20/12/30/job-ingest_alos2_auig2__main-20261120T123000"


def rules(flavour: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(FILES[flavour].read_text())["datasets"]
    return found


def product_ids() -> list[ProductId]:
    """All that the grammar can print: tried, not listed, so that a new mode or level is seen."""
    found = []
    parts = (MODES, "LR", LEVELS, "GR_", "UPML_", "AD")
    for mode, look, level, option, projection, direction in combinations(*parts):
        try:
            found.append(ProductId(mode, look, level, option, projection, direction))  # type: ignore[arg-type]
        except BadProduct:
            continue
    return found


def kinds(scene: SceneId, pid: ProductId) -> list[tuple[str, str, str, str]]:
    """The id, type, dataset and level of all four kinds of dataset of a product."""
    forms: tuple[ProductFormat, ...] = ("ceos", "geotiff")
    found = []
    for form, only in combinations(forms, (False, True)):
        product = Product(
            scene=scene, product=pid, level=pid.level, format=form, files=(), images=()
        )
        kind = dataset_kind(product, metadata_only=only)
        found.append((kind.id, kind.type, kind.dataset, f"l{pid.level}"))
    return found


def is_an_id(name: str) -> bool:
    """Whether our own grammar takes `name` for the id of a dataset: the other way round."""
    name = name[: -len("-md")] if name.endswith("-md") else name
    form = ""
    for end in ("-ceos", "-geotiff"):
        if name.endswith(end):
            name, form = name[: -len(end)], end
    scene, _, pid = name.rpartition("-")
    try:
        SceneId.parse(scene)
        level = ProductId.parse_standard(pid).level
    except BadProduct:
        return False
    return form == "" or (form == "-geotiff") == (level == "1.1")


def hits(compiled: list[re.Pattern[str]], path: str) -> list[int]:
    """Rules that HySDS would take, if it went on after the first: `re.search` in the whole path."""
    return [n for n, pattern in enumerate(compiled) if pattern.search(path)]


@pytest.fixture(scope="module")
def compiled() -> list[re.Pattern[str]]:
    return [re.compile(rule["match_pattern"]) for rule in rules("s3")]


@pytest.mark.parametrize("flavour", ["s3", "dav"])
def test_the_files_are_what_the_grammar_says(flavour: Any) -> None:
    assert FILES[flavour].read_text() == rules_text(flavour), (
        "write them again: python -m alos2.publish.patterns s3|dav"
    )


def test_both_flavours_differ_in_their_places_only() -> None:
    for one, other in zip(rules("s3"), rules("dav"), strict=True):
        for rule in (one, other):
            rule.pop("publish")
            rule.pop("browse")
        assert one == other


def test_every_product_name_fits_exactly_its_own_rule(compiled: list[re.Pattern[str]]) -> None:
    pids = product_ids()
    assert len(pids) == 15 * 2 * 2 * (1 + 8 + 4 + 8)
    known = rules("s3")
    fitted = set()
    for pid in pids:
        for name, kind, dataset, level in kinds(SCENE, pid):
            found = hits(compiled, f"{JOB}/{name}")
            assert len(found) == 1, name
            rule = known[found[0]]
            assert (rule["type"], rule["ipath"].split("/")[1], rule["level"]) == (
                kind,
                dataset,
                level,
            )
            match = compiled[found[0]].search(f"{JOB}/{name}")
            assert match is not None
            assert match["id"] == name
            assert (match["orbit"], match["frame"]) == ("04367", "2900")
            assert (match["year"], match["month"], match["day"]) == ("15", "03", "15")
            assert match["mode"] == pid.mode
            fitted.add(found[0])
    stacks = {n for n, rule in enumerate(known) if rule["type"] == STACK}
    assert fitted | stacks == set(range(len(known))), "a rule that fits no product"


def test_exactly_the_days_of_the_calendar_fit(compiled: list[re.Pattern[str]]) -> None:
    days = {f"{date(2000, 1, 1) + timedelta(n):%y%m%d}" for n in range(36525)}
    assert len(days) == 36525
    pattern = compiled[0]
    for year, month, day in combinations(range(100), range(20), range(40)):
        text = f"{year:02d}{month:02d}{day:02d}"
        fits = pattern.search(f"/ALOS2043672900-{text}-FBDR1.1__A") is not None
        assert fits == (text in days), text
    assert pattern.search("/ALOS2043672900-159999-FBDR1.1__A") is None


@given(
    orbit=st.integers(0, 99999),
    frame=st.integers(0, 9999),
    day=st.dates(date(2000, 1, 1), date(2099, 12, 31)),
    pid=st.sampled_from(product_ids()),
    folder=st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), max_size=20),
)
def test_any_scene_in_any_folder_fits_one_rule(
    orbit: int, frame: int, day: date, pid: ProductId, folder: str
) -> None:
    scene = SceneId(f"{orbit:05d}", f"{frame:04d}", day)
    assert 1 <= scene.path <= ORBITS_PER_CYCLE
    patterns = [re.compile(rule["match_pattern"]) for rule in rules_document("s3")["datasets"]]
    for name, *_ in kinds(scene, pid):
        assert len(hits(patterns, f"/{folder}/{name}")) == 1


NAME = "ALOS2043672900-150315-FBDR1.5GUA"


@pytest.mark.parametrize(
    "name",
    [
        "ALOS4043672900-150315-FBDR1.1__A",  # another satellite
        "ALOS043672900-150315-FBDR1.1__A",
        "S1A_IW_SLC__1SDV_20150315T000000",
        "triaged_job-ingest_alos2_auig2_task-0123",
        "ALOS2043672900-150315",  # a scene
        "ALOS2043672900-150315-FBDR1.5GUA.zip",
        "0000022708_001001_ALOS2043672900-150315-FBDR1.5GUA",  # a delivery
        f"x{NAME}",
        f"-{NAME}",
        f"{NAME}x",
        f"{NAME} ",
        f"{NAME}\n",  # `$` would take it
        f"{NAME}-CEOS",
        f"{NAME}-ceo",
        f"{NAME}-ceoss",
        f"{NAME}-md-md",
        f"{NAME}-md-ceos",
        f"{NAME}-geotiff",  # level 1.5 GeoTIFF has no suffix
        "ALOS2043672900-150315-FBDR1.1__A-ceos",  # nor has level 1.1 CEOS
        "ALOS2043672900-150315-FBDR1x5GUA",
        "ALOS2043672900-150315-FBDR1.0__A",
        "ALOS2043672900-150315-FBDR2.2GUA",
        "ALOS2043672900-150315-FBDR2.1RUA",  # level 2.1 is always geocoded
        "ALOS2043672900-150315-FBDR1.1GUA",
        "ALOS2043672900-150315-FBDR1.5__A",
        "ALOS2043672900-150315-FBDX1.5GUA",
        "ALOS2043672900-150315-FBXR1.5GUA",
        "ALOS2043672900-150315-FBDR1.5GUX",
        "ALOS2043672900-150229-FBDR1.5GUA",
        "ALOS20436729००-150315-FBDR1.5GUA",  # digits of another script
        "alos2043672900-150315-fbdr1.5gua",
        f"{NAME}.dataset.json",
    ],
)
def test_neighbours_fit_no_rule(compiled: list[re.Pattern[str]], name: str) -> None:
    assert hits(compiled, f"{JOB}/{name}") == []
    assert not is_an_id(name)


def test_only_the_dataset_itself_is_recognised_and_nothing_in_or_above_it(
    compiled: list[re.Pattern[str]],
) -> None:
    assert hits(compiled, f"{JOB}/{NAME}/tiles") == []
    assert hits(compiled, f"{JOB}/{NAME}/{NAME}.zip") == []
    assert hits(compiled, f"{JOB}/{NAME}/") == []
    assert hits(compiled, NAME) == [], "HySDS gives absolute paths"
    assert len(hits(compiled, f"/{NAME}/{NAME}")) == 1


_PIECES = st.sampled_from(
    ["ALOS2", "ALOS4", "043672900", "-", "150315", "FBD", "R", "L", "1.5", "1.1", "2.1", "GU", "__",
     "A", "D", "-md", "-ceos", "-geotiff", "_", "9", " ", ".", "\n"]
)  # fmt: skip


@given(
    st.one_of(
        st.lists(_PIECES, max_size=14).map("".join),
        st.builds(
            lambda name, place, letter: name[:place] + letter + name[place + 1 :],
            st.sampled_from([NAME, f"{NAME}-ceos-md", "ALOS2478123150-230330-WBDR1.1__D-geotiff"]),
            st.integers(0, 40),
            st.sampled_from(["", *"ADGLMPRU0159_-.x\n²"]),
        ),
    )
)
def test_a_name_fits_a_rule_if_and_only_if_it_is_an_id(name: str) -> None:
    patterns = [re.compile(rule["match_pattern"]) for rule in rules_document("s3")["datasets"]]
    assert len(hits(patterns, f"{JOB}/{name}")) == (1 if is_an_id(name) else 0)


def all_urls(flavour: str) -> list[str]:
    return [
        url
        for rule in rules(flavour)
        for place in (rule["publish"], rule["browse"])
        for url in (place["location"], *place["urls"])
    ]


@pytest.mark.parametrize("flavour", ["s3", "dav"])
def test_no_url_holds_credentials(flavour: str) -> None:
    text = FILES[flavour].read_text()
    assert len(all_urls(flavour)) >= 64
    for url in all_urls(flavour):
        assert "@" not in url
    for word in ("PASSWORD", "USER", "secret", "s3-api-key", "davs-profile-name"):
        assert word.lower() not in text.lower()


@pytest.mark.parametrize("flavour", ["s3", "dav"])
def test_templates_are_filled_in_as_hysds_fills_them(flavour: str) -> None:
    """By ``str.format`` with what its recogniser knows, once the cluster's names are filled in."""
    cluster = {
        "DATASET_S3_ENDPOINT": "s3-us-west-2.amazonaws.com",
        "DATASET_S3_WEBSITE_ENDPOINT": "s3-website-us-west-2.amazonaws.com",
        "DATASET_BUCKET": "a-bucket",
        "DAV_SERVER": "dav.example.org",
    }
    text = re.sub(r"\{\{ (\w+) \}\}", lambda m: cluster[m[1]], FILES[flavour].read_text())
    filled = set()
    for rule in json.loads(text)["datasets"]:
        suffix = rule["match_pattern"].partition("[AD]")[2].removesuffix(r")\Z")
        pid = {"l1.1": "FBDR1.1__A", "l2.1": "FBDR2.1GUA"}.get(
            rule["level"], f"FBDR{rule['level'][1:]}GUA"
        )
        name = f"ALOS2043672900-150315-{pid}{suffix}"
        if rule["type"] == STACK:
            name = "ALOS2-STACK-P126-F0680-FBD-RA-20150315-20150330-0123abcd"
        match = re.search(rule["match_pattern"], f"{JOB}/{name}")
        assert match is not None
        groups = {
            **match.groupdict(),
            "version": DATASET_VERSION,
            "level": rule["level"],
            "type": rule["type"],
        }
        assert rule["version"].format(**groups) == DATASET_VERSION
        tail = f"{rule['type']}/{DATASET_VERSION}/2015/03/15/{name}"
        for room, place in (("datasets", rule["publish"]), ("browse", rule["browse"])):
            location = place["location"].format(hostname="worker", **groups)
            urls = [url.format(hostname="worker", **groups) for url in place["urls"]]
            filled.add(location)
            if flavour == "s3":
                assert location == f"s3://s3-us-west-2.amazonaws.com:80/a-bucket/{room}/{tail}"
                web = "http://a-bucket.s3-website-us-west-2.amazonaws.com"
                assert urls == [f"{web}/{room}/{tail}", location]
            else:
                assert location == f"davs://dav.example.org/{room}/{tail}"
                assert urls == [f"https://dav.example.org/{room}/{tail}"]
    assert len(filled) == 34, "two rules share a place"


def test_one_index_for_each_dataset_and_no_field_of_a_rule_overrides_it() -> None:
    """GRQ's index is grq_<version>_<dataset>, in lower case: an index name keeps these rules."""
    datasets = {rule["ipath"].split("/")[1] for rule in rules("s3")}
    pids = product_ids()
    assert datasets == {"ALOS2-STACK", *(k[2] for pid in pids for k in kinds(SCENE, pid))}
    indices = {f"grq_{DATASET_VERSION}_{dataset}".lower() for dataset in datasets}
    assert len(indices) == len(datasets) == 9
    for index in indices:
        assert re.fullmatch(r"[a-z0-9][a-z0-9._-]{0,254}", index)
    for rule in rules("s3"):
        assert not {"index", "priority"} & rule.keys()
        assert {"ipath", "level", "type", "match_pattern", "publish", "browse"} <= rule.keys()
        assert rule["extractor"] is None
        assert rule["alt_match_pattern"] is None


def test_a_product_of_another_format_is_never_filed_with_this_one() -> None:
    scene = replace(SCENE, orbit="47812")
    types: dict[str, set[str]] = {}
    for pid in product_ids():
        for name, kind, _, _ in kinds(scene, pid):
            types.setdefault(name, set()).add(kind)
    assert all(len(found) == 1 for found in types.values())


@pytest.mark.parametrize(
    ("name", "fits"),
    [
        ("ALOS2-STACK-P126-F0680-FBD-RA-20200101-20200630-1a2b3c4d", True),
        ("ALOS2-STACK-P126-F0680_F0690-WBD-LD-20200229-20200630-1a2b3c4d", True),
        ("ALOS2-STACK-MOSAIC-P126_P127-20200101-20200630-1a2b3c4d", True),
        ("ALOS2-STACK-P126-F0680-FBD-RA-20190229-20200630-1a2b3c4d", False),
        ("ALOS2-STACK-P126-F0680-FBD-RA-20200101-20200630-1A2B3C4D", False),
        ("ALOS2-STACK-P126-F0680-FBD-RA-20200101-20200630-1a2b3c4d-md", False),
        (".ALOS2-STACK-P126-F0680-FBD-RA-20200101-20200630-1a2b3c4d.new-12", False),
    ],
)
def test_finished_stacks_have_a_rule(
    compiled: list[re.Pattern[str]], name: str, fits: bool
) -> None:
    found = hits(compiled, f"{JOB}/{name}")
    assert [rules("s3")[n]["type"] for n in found] == ([STACK] if fits else [])
