"""datasets.json read as HySDS reads it, ``--to`` in all its forms, logins, and S3's addresses."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest

from alos2.errors import PublishFailed, UsageError
from alos2.publish import registry
from alos2.publish.engine import publish
from alos2.publish.model import Placement
from alos2.publish.package import read_documents
from alos2.publish.registry import store_for
from alos2.publish.rules import Rules
from alos2.publish.s3address import parse
from alos2.publish.substitute import fill_in, without_login
from alos2.publish.target import Target, target_of
from publish.options import OPTIONS
from publish.places import ID, DavServer, S3Place, contents, make_dataset

CONFIG = Path(__file__).parents[2] / "config"
CLUSTER = [
    "DATASET_S3_ENDPOINT=s3-us-west-2.amazonaws.com",
    "DATASET_S3_WEBSITE_ENDPOINT=s3-website-us-west-2.amazonaws.com",
    "DATASET_BUCKET=a-bucket",
]


def placed(target: Target, folder: Path) -> Placement:
    documents = read_documents(folder)
    return target.placement(folder, dataset=documents["dataset"], met=documents["met"])


def hysds(document: Any, folder: Path, version: str) -> dict[str, Any]:
    """What HySDS's own recogniser does, in its own words: search, first wins, format."""
    for entry in document["datasets"]:
        match = re.search(entry["match_pattern"], str(folder))
        if match:
            groups = match.groupdict()
            groups.setdefault("version", version)
            groups.setdefault("level", entry["level"])
            groups.setdefault("type", entry["type"])
            return {
                "location": entry["publish"]["location"].format(hostname="h", **groups),
                "urls": [url.format(hostname="h", **groups) for url in entry["publish"]["urls"]],
                "browse": entry["browse"]["location"].format(hostname="h", **groups),
                "type": entry["type"].format(**groups),
                "level": entry["level"].format(**groups),
                "ipath": entry["ipath"],
            }
    raise AssertionError("not recognised")


@pytest.mark.parametrize("suffix", ["", "-ceos", "-md", "-ceos-md"])
def test_the_same_file_leads_to_the_same_places_as_hysds(tmp_path: Path, suffix: str) -> None:
    folder = make_dataset(tmp_path, dataset_id=ID + suffix)
    found = placed(target_of(str(CONFIG / "datasets.json"), CLUSTER), folder)
    text = (CONFIG / "datasets.json").read_text()
    for setting in CLUSTER:
        name, _, value = setting.partition("=")
        text = text.replace(f"{{{{ {name} }}}}", value)
    # And a file whose names the cluster has filled in already needs no more of them.
    rendered = tmp_path / "datasets.json"
    rendered.write_text(text)
    assert placed(target_of(str(rendered)), folder) == found
    expected = hysds(json.loads(text), folder, "v1.0")
    assert found.publish.location == expected["location"]
    assert list(found.publish.urls) == expected["urls"]
    assert found.publish.s3_profile == "default"
    assert found.browse is not None
    assert found.browse.location == expected["browse"]
    filing = found.filing
    assert (filing.type, filing.level, filing.ipath) == (
        expected["type"],
        expected["level"],
        expected["ipath"],
    )
    assert filing.index == f"grq_v1.0_{filing.dataset}".lower()
    assert filing.index.islower()


def test_names_come_from_settings_then_from_the_environment(
    dataset: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rules = str(CONFIG / "datasets.json.dav")
    with pytest.raises(UsageError, match=r"leave open DAV_SERVER .*--set DAV_SERVER=\.\.\."):
        placed(target_of(rules), dataset)
    monkeypatch.setenv("ALOS2_DAV_SERVER", "environment.example.org")
    tail = f"datasets/L2.1_geotiff/v1.0/2015/03/15/{ID}"
    assert placed(target_of(rules), dataset).publish.location == (
        f"davs://environment.example.org/{tail}"
    )
    chosen = placed(target_of(rules, ["DAV_SERVER=flag.example.org"]), dataset)
    assert chosen.publish.location == f"davs://flag.example.org/{tail}"
    assert chosen.publish.urls == (f"https://flag.example.org/{tail}",)
    with pytest.raises(UsageError, match="is not NAME=VALUE"):
        target_of(rules, ["DAV_SERVER"])


def test_a_whole_publication_by_rules_with_its_small_pictures(
    dav: DavServer, s3: S3Place, dataset: Path, tmp_path: Path
) -> None:
    by_dav = json.loads((CONFIG / "datasets.json.dav").read_text())
    for rule in by_dav["datasets"]:
        for place in (rule["publish"], rule["browse"]):
            place["location"] = place["location"].replace("davs://{{ DAV_SERVER }}", "{{ TO }}")
    (tmp_path / "dav.json").write_text(json.dumps(by_dav))
    to = f"TO=dav://127.0.0.1:{dav.port}/dav"
    target = target_of(str(tmp_path / "dav.json"), [to, "DAV_SERVER=x.example.org"])
    done = publish(dataset, target, OPTIONS)
    root = dav.place.root.parent
    tail = f"L2.1_geotiff/v1.0/2015/03/15/{ID}"
    small = f"IMG-HH-{ID}_disp.browse_small.png"
    assert contents(root / "datasets" / tail) == contents(dataset)
    assert contents(root / "browse" / tail) == {small: contents(dataset)[small]}
    assert done.browse == (f"IMG-HH-{ID}_disp.browse.png",)
    assert publish(dataset, target, OPTIONS).status == "unchanged"
    # The small pictures alone are missing: they come back.
    (root / "browse" / tail / small).unlink()
    (root / "browse" / tail).rmdir()
    assert publish(dataset, target, OPTIONS).status == "unchanged"
    assert contents(root / "browse" / tail) == {small: contents(dataset)[small]}

    endpoint = s3.url.removeprefix("s3://").partition("/")[0]
    by_s3 = (CONFIG / "datasets.json").read_text().replace(":80/", "/")
    (tmp_path / "s3.json").write_text(by_s3)
    names = [
        f"DATASET_S3_ENDPOINT={endpoint}",
        f"DATASET_BUCKET={s3.bucket}",
        "DATASET_S3_WEBSITE_ENDPOINT=web.example.org",
    ]
    done = publish(dataset, target_of(str(tmp_path / "s3.json"), names), OPTIONS)
    keys = {f"datasets/{tail}/{name}": data for name, data in contents(dataset).items()}
    keys[f"browse/{tail}/{small}"] = contents(dataset)[small]
    assert s3.objects() == keys
    assert done.placement.publish.urls[0] == f"http://{s3.bucket}.web.example.org/datasets/{tail}"


def test_if_the_small_pictures_cannot_go_nothing_does(
    dav: DavServer, dataset: Path, tmp_path: Path
) -> None:
    rules = json.loads((CONFIG / "datasets.json.dav").read_text())
    for rule in rules["datasets"]:
        rule["publish"]["location"] = f"dav://127.0.0.1:{dav.port}/dav/datasets/{{id}}"
        rule["browse"]["location"] = f"dav://127.0.0.1:{dav.port}/elsewhere/{{id}}"
    (tmp_path / "rules.json").write_text(json.dumps(rules))
    target = target_of(str(tmp_path / "rules.json"), ["DAV_SERVER=x"])
    with pytest.raises(PublishFailed):
        publish(dataset, target, OPTIONS)
    root = dav.place.root.parent
    assert [p for p in root.rglob("*") if p.is_file()] == []


def rules_with(**changes: Any) -> dict[str, Any]:
    entry = {
        "ipath": "me::data/Thing",
        "level": "l1",
        "type": "thing",
        "match_pattern": r"/(?P<id>ALOS2.*)$",
        "publish": {"location": "file:///x/{id}", "urls": ["http://h/{id}"]},
    }
    return {"datasets": [{k: v for k, v in {**entry, **changes}.items() if v is not ...}]}


def test_the_rules_of_a_whole_cluster_may_say_other_things_before(dataset: Path) -> None:
    """Rules for other datasets need not be to our taste: HySDS reads them too."""
    document = rules_with()
    document["datasets"].insert(0, {"match_pattern": "/(?P<id>AOI_.*)$", "ipath": "odd"})
    filled = Rules.of(document, "x").placement(dataset, {}, dataset={"version": "v2"}, met={})
    assert filled.filing.index == "grq_v2_thing"
    assert filled.browse is None


def test_the_documents_may_speak_in_a_location(dataset: Path) -> None:
    document = rules_with(
        publish={"location": "file:///{met[orbit]}/{dataset[version]}/{type}/{id}", "urls": []},
        type="{level}-thing",
    )
    found = placed(Target(Rules.of(document, "x"), {}), dataset)
    # As in HySDS, {type} is the rule's text and not what becomes of it.
    assert found.publish.location == f"file:///04367/v1.0/{{level}}-thing/{ID}"
    assert found.filing.type == "l1-thing"


def test_an_alternative_pattern_adds_groups_from_a_file(dataset: Path) -> None:
    document = rules_with(
        alt_match_pattern=r"IMG-(?P<pol>HH|HV)-",
        publish={"location": "file:///x/{pol}/{id}", "urls": []},
    )
    assert placed(Target(Rules.of(document, "x"), {}), dataset).publish.location.startswith(
        "file:///x/HH/"
    )
    document["datasets"][0]["alt_match_pattern"] = "nowhere"
    with pytest.raises(PublishFailed, match="no rule of x fits"):
        placed(Target(Rules.of(document, "x"), {}), dataset)


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ([], "has no list 'datasets'"),
        ({"datasets": {}}, "has no list 'datasets'"),
        ({"datasets": [7]}, "rule 1 has no text 'match_pattern'"),
        (rules_with(match_pattern="("), "no regular expression"),
        (rules_with(alt_match_pattern=7), "no regular expression"),
        (rules_with(type=...), "has no text 'type'"),
        (rules_with(ipath="nothing"), "ipath has no /"),
        (rules_with(publish=...), "needs a text 'location'"),
        (rules_with(publish={"location": "x/{id}", "urls": "y"}), "a list 'urls'"),
        (
            rules_with(publish={"location": "file:///{nobody}/{id}"}),
            "cannot be filled in: KeyError",
        ),
        (rules_with(publish={"location": "file:///{id"}), "cannot be filled in: ValueError"),
        (rules_with(publish={"location": "file:///x/all"}), "does not end in the dataset's id"),
        (rules_with(publish={"location": "file:///x/../{id}"}), "leads out of its folder"),
        (rules_with(publish={"location": "file:///x\t/{id}"}), "cannot be printed"),
        (rules_with(publish={"location": "gopher://x/{id}"}), "nothing can be published to gopher"),
        (rules_with(publish={"location": "s3://bucket-{id}"}), "no bucket and key|does not end"),
        (rules_with(publish={"location": "file://far/x/{id}"}), "only folders of this machine"),
    ],
)
def test_bad_rules_are_named(dataset: Path, tmp_path: Path, document: Any, words: str) -> None:
    file = tmp_path / "rules.json"
    file.write_text(json.dumps(document))
    with pytest.raises(UsageError, match=words) as caught:
        publish(dataset, target_of(str(file)), OPTIONS)
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    "url",
    [
        "davs://me:s3cret-word@host.example.org/room",
        "s3://AKIA:s3cret-word@host:80/bucket/x",
        "davs://s3cret-word@host/room",
        "davs://me:s3cret/word@host/room",
        "https://host/room?X-Amz-Signature=s3cret",
    ],
)
def test_credentials_in_a_url_are_refused_and_not_repeated(
    url: str, dataset: Path, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match="credentials") as caught:
        target_of(url)
    assert "s3cret" not in str(caught.value)
    file = tmp_path / "rules.json"
    file.write_text(json.dumps(rules_with(publish={"location": f"{url}/{{id}}", "urls": []})))
    with pytest.raises(UsageError, match="credentials") as caught:
        publish(dataset, target_of(str(file)), OPTIONS)
    assert "s3cret" not in str(caught.value)
    named = rules_with(publish={"location": "davs://{{ WHO }}@h/{id}", "urls": []})
    file.write_text(json.dumps(named))
    with pytest.raises(UsageError) as caught:
        publish(dataset, target_of(str(file), ["WHO=me:s3cret-word"]), OPTIONS)
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    ("to", "location", "url"),
    [
        ("/data/arch", f"/data/arch/{ID}", f"file:///data/arch/{ID}"),
        ("/data/a b/", f"/data/a b/{ID}", f"file:///data/a%20b/{ID}"),
        ("davs://h/room/", f"davs://h/room/{ID}", f"https://h/room/{ID}"),
        ("dav://h:81/r", f"dav://h:81/r/{ID}", f"http://h:81/r/{ID}"),
        ("s3://b/{type}/20{year}/{id}", f"s3://b/L2.1_geotiff/2015/{ID}", None),
        ("s3://b/{mode}", f"s3://b/FBD/{ID}", None),
    ],
)
def test_a_folder_or_url_of_ones_own(
    dataset: Path, to: str, location: str, url: str | None
) -> None:
    found = placed(target_of(to), dataset)
    assert found.publish.location == location
    assert found.publish.urls == (url or location,)
    assert found.browse is None
    assert found.filing.type == "L2.1_geotiff"
    assert found.filing.index == "grq_v1.0_alos2_geotiff"


def test_to_a_rules_file_that_is_not_there_is_no_folder(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="does not exist"):
        target_of(str(tmp_path / "datasets.json.dav"))
    (tmp_path / "rules").write_text("{")
    with pytest.raises(UsageError, match="is no JSON"):
        target_of(str(tmp_path / "rules"))


def test_values_of_names_are_not_templates_themselves() -> None:
    assert fill_in("/{{ A }}/{id}", {"A": "{id}"}, {"id": "x"}) == "/{id}/x"
    assert fill_in("/{hostname}", {}, {}) != "/{hostname}"
    assert without_login("davs://a:b@h/x") == "davs://h/x"


@pytest.mark.parametrize(
    ("location", "endpoint", "region", "bucket", "prefix"),
    [
        ("s3://b/x/y", None, None, "b", "x/y"),
        ("s3://B.ucket/x", None, None, "B.ucket", "x"),
        ("s3://s3-us-west-2.amazonaws.com:80/b/x/y", "https://s3-us-west-2.amazonaws.com",
         "us-west-2", "b", "x/y"),
        ("s3://s3.eu-west-1.amazonaws.com/b/x", "https://s3.eu-west-1.amazonaws.com",
         "eu-west-1", "b", "x"),
        ("s3://s3.amazonaws.com:80/b/x", "https://s3.amazonaws.com", None, "b", "x"),
        ("s3s://minio.example.org:9000/b/x", "https://minio.example.org:9000", None, "b", "x"),
        ("s3://minio.example.org:9000/b/x", "http://minio.example.org:9000", None, "b", "x"),
        ("s3s://minio.example.org:443/b/x", "https://minio.example.org", None, "b", "x"),
        ("s3://[::1]:9000/b/x/", "http://[::1]:9000", None, "b", "x"),
    ],
)  # fmt: skip
def test_s3_addresses_of_both_forms(
    location: str, endpoint: str | None, region: str | None, bucket: str, prefix: str
) -> None:
    found = parse(location)
    assert (found.endpoint, found.region) == (endpoint, region)
    assert (found.bucket, found.prefix) == (bucket, prefix)


@pytest.mark.parametrize("location", ["s3://b", "s3://h:80/b", "s3:///x/y", "s3://h:port/b/x"])
def test_s3_addresses_that_are_none(location: str) -> None:
    with pytest.raises(UsageError):
        parse(location)


def test_a_plugin_adds_a_scheme(dataset: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    point = EntryPoint("mine", "publish.plugin_of_nobody:Store", registry.ENTRY_POINT_GROUP)
    monkeypatch.setattr(registry, "entry_points", lambda group: [point])
    with pytest.raises(UsageError, match=r"the plugin 'publish[.]plugin_of_nobody:Store'"):
        store_for("mine://x", OPTIONS)
    local = replace(OPTIONS)
    point = EntryPoint("mine", "alos2.publish.local:LocalStore", registry.ENTRY_POINT_GROUP)
    monkeypatch.setattr(registry, "entry_points", lambda group: [point])
    assert type(store_for("mine://x", local)).__name__ == "LocalStore"
    with pytest.raises(UsageError, match="davs, file, http, https, mine, s3"):
        store_for("odd://x", OPTIONS)
