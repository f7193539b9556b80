from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import trustme

from alos2.dataset.footprint_report import FootprintAnswer
from alos2.footprint import sarcat_cache
from alos2.footprint.bos_sarcat import bos_sarcat_footprint
from alos2.footprint.options import FootprintOptions
from alos2.footprint.provider import NoAnswer, Question
from alos2.footprint.sarcat_cache import NegativeCache, user_cache_dir
from alos2.footprint.sarcat_client import wfs_parameters
from alos2.geometry.rings import footprint_geometry
from alos2.types import LonLat
from fakes.sarcat import FakeSarcat, feature

SCENE = "ALOS2231410700-180905"
RING = [[-78.3, 35.2], [-77.5, 35.2], [-77.5, 35.9], [-78.3, 35.9], [-78.3, 35.2]]


def own(ring: list[list[float]] = RING) -> FootprintAnswer:
    corners = [LonLat(*p) for p in ring]
    return FootprintAnswer("geometry", footprint_geometry(corners), "as told")


def moved(share: float) -> list[list[float]]:
    """The ring, moved east by a share of its width."""
    return [[lon + 0.8 * share, lat] for lon, lat in RING]


@pytest.fixture
def asking(sarcat: FakeSarcat, tmp_path: Path) -> FootprintOptions:
    return FootprintOptions(
        sarcat=True, sarcat_url=sarcat.url, sarcat_budget_s=8.0, cache_dir=tmp_path / "no"
    )


@pytest.fixture
def question(asking: FootprintOptions, make: SimpleNamespace) -> Question:
    return Question(make.slc(), asking, own=own())


def accepted(said: FootprintAnswer | NoAnswer) -> FootprintAnswer:
    assert isinstance(said, FootprintAnswer), said
    assert said.accepted, said.reason
    return said


def not_believed(said: FootprintAnswer | NoAnswer) -> str:
    assert isinstance(said, FootprintAnswer), said
    assert not said.accepted
    return said.reason


def silent(said: FootprintAnswer | NoAnswer) -> str:
    assert isinstance(said, NoAnswer), said
    return said.reason


class TestBelief:
    def test_a_row_that_agrees(self, sarcat: FakeSarcat, question: Question) -> None:
        sarcat.features = [feature(SCENE, moved(0.05))]
        said = accepted(bos_sarcat_footprint(question))
        assert said.source == "bos_sarcat"
        assert said.details["area_ratio"] == pytest.approx(0.95 / 1.05, abs=0.001)
        assert said.details["compared_with"] == "geometry"
        assert said.details["status"] == "archived"

    def test_it_is_asked_for_the_scene_and_no_more(
        self,
        sarcat: FakeSarcat,
        question: Question,
        monkeypatch: pytest.MonkeyPatch,
        tmp_path: Path,
    ) -> None:
        netrc = tmp_path / "netrc"
        netrc.write_text("machine localhost login me password 53cret\n")
        netrc.chmod(0o600)
        monkeypatch.setenv("NETRC", str(netrc))
        sarcat.features = [feature(SCENE, RING)]
        accepted(bos_sarcat_footprint(question))
        (asked,) = sarcat.asked
        assert asked["cql_filter"] == f"(identifier='{SCENE}')"
        assert asked["typeName"] == "bos:sarcat"
        assert "authorization" not in sarcat.headers[0]

    @pytest.mark.parametrize(("share", "believed"), [(0.1, True), (0.12, False), (2.0, False)])
    def test_the_overlap_decides(
        self, sarcat: FakeSarcat, question: Question, share: float, believed: bool
    ) -> None:
        sarcat.features = [feature(SCENE, moved(share))]
        said = bos_sarcat_footprint(question)
        if believed:
            accepted(said)
        else:
            assert "overlaps" in not_believed(said)

    def test_the_least_overlap_can_be_set(self, sarcat: FakeSarcat, question: Question) -> None:
        sarcat.features = [feature(SCENE, moved(0.3))]
        not_believed(bos_sarcat_footprint(question))
        loose = replace(question, options=replace(question.options, min_overlap=0.5))
        accepted(bos_sarcat_footprint(loose))

    @pytest.mark.parametrize(
        ("properties", "said"),
        [
            ({"look_direction": "L"}, "look side"),
            ({"flight_direction": "D"}, "pass"),
            ({"start_time": "2018-09-19T05:07:08Z", "stop_time": "2018-09-19T05:07:18Z"}, "date"),
        ],
    )
    def test_look_pass_and_date_decide(
        self, sarcat: FakeSarcat, question: Question, properties: dict[str, Any], said: str
    ) -> None:
        sarcat.features = [feature(SCENE, RING, **properties)]
        assert said in not_believed(bos_sarcat_footprint(question))

    def test_the_best_row_and_not_the_first(self, sarcat: FakeSarcat, question: Question) -> None:
        sarcat.features = [
            feature(SCENE, moved(0.05), status="planned", bos_ingest="2019-01-01T00:00:00Z"),
            feature(SCENE, moved(0.04), bos_ingest="2018-09-01T00:00:00Z"),
            feature(SCENE, moved(0.02)),
            feature(SCENE, None),
        ]
        ratio = accepted(bos_sarcat_footprint(question)).details["area_ratio"]
        assert ratio == pytest.approx(0.98 / 1.02, abs=0.001)

    def test_the_next_best_row_where_the_best_lies_elsewhere(
        self, sarcat: FakeSarcat, question: Question
    ) -> None:
        sarcat.features = [feature(SCENE, moved(3)), feature(SCENE, RING, status="planned")]
        assert accepted(bos_sarcat_footprint(question)).details["status"] == "planned"

    def test_without_an_own_footprint_nothing_is_believed(
        self, sarcat: FakeSarcat, question: Question
    ) -> None:
        sarcat.features = [feature(SCENE, RING)]
        said = bos_sarcat_footprint(replace(question, own=None))
        assert "compare" in not_believed(said)

    def test_across_the_antimeridian(self, sarcat: FakeSarcat, question: Question) -> None:
        ring = [[179.6, 35.2], [180.4, 35.2], [180.4, 35.9], [179.6, 35.9], [179.6, 35.2]]
        wrapped = [[lon - 360 if lon > 180 else lon, lat] for lon, lat in ring]
        for spelling in (ring, wrapped):
            sarcat.features = [feature(SCENE, spelling)]
            said = accepted(bos_sarcat_footprint(replace(question, own=own(wrapped))))
            assert said.geometry["type"] == "MultiPolygon"
            assert said.details["area_ratio"] == pytest.approx(1.0, abs=0.001)

    def test_a_real_answer(self, sarcat: FakeSarcat, question: Question, real_data: Path) -> None:
        text = (real_data / "bos-sarcat" / "alos2.json").read_text()
        sarcat.load(text)
        ring = json.loads(text)["features"][0]["geometry"]["coordinates"][0]
        said = accepted(bos_sarcat_footprint(replace(question, own=own(ring))))
        assert said.details["beam_swath"] == "F2-6"


class TestFaults:
    @pytest.mark.parametrize(
        ("mode", "said"),
        [
            ("service_exception", "ServiceException"),
            ("exception_400", "status 400"),
            ("html", "web page"),
            ("cut", "cut off"),
            ("not_geojson", "without features"),
            ("error_500", "status 500"),
            ("redirect", "status 302"),
            ("huge", "larger than"),
        ],
    )
    def test_each_is_a_sentence(
        self, sarcat: FakeSarcat, question: Question, mode: Any, said: str
    ) -> None:
        sarcat.features = [feature(SCENE, RING)]
        sarcat.mode = mode
        assert said in silent(bos_sarcat_footprint(question))

    @pytest.mark.parametrize("mode", ["stall", "drip"])
    def test_a_slow_answer_is_not_waited_for(
        self, sarcat: FakeSarcat, question: Question, mode: Any
    ) -> None:
        sarcat.features = [feature(SCENE, RING)]
        sarcat.mode = mode
        quick = replace(question, options=replace(question.options, sarcat_budget_s=0.4))
        began = time.monotonic()
        reason = silent(bos_sarcat_footprint(quick))
        assert any(words in reason for words in ("within 0.4 s", "in time", "too slowly"))
        assert time.monotonic() - began < 2.0

    def test_no_rows(self, sarcat: FakeSarcat, question: Question) -> None:
        sarcat.features = [feature("ALOS2229340700-180822", RING)]
        assert "no row" in silent(bos_sarcat_footprint(question))

    def test_a_null_geometry(self, sarcat: FakeSarcat, question: Question) -> None:
        sarcat.features = [feature(SCENE, None)]
        assert "null" in silent(bos_sarcat_footprint(question))

    def test_nobody_there(self, question: Question) -> None:
        gone = replace(question.options, sarcat_url="http://localhost:1/ows")
        assert "no connection" in silent(bos_sarcat_footprint(replace(question, options=gone)))

    def test_switched_off(self, sarcat: FakeSarcat, question: Question) -> None:
        off = replace(question, options=replace(question.options, sarcat=False))
        assert "switched off" in silent(bos_sarcat_footprint(off))
        assert not sarcat.asked

    def test_tls_is_verified(
        self, tls_sarcat: FakeSarcat, question: Question, authority: trustme.CA,
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    ) -> None:  # fmt: skip
        tls_sarcat.features = [feature(SCENE, RING)]
        safe = replace(question, options=replace(question.options, sarcat_url=tls_sarcat.url))
        assert "certificate" in silent(bos_sarcat_footprint(safe))
        assert not tls_sarcat.asked
        bundle = tmp_path / "ca.pem"
        authority.cert_pem.write_to_path(str(bundle))
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(bundle))
        again = replace(safe, options=replace(safe.options, cache_dir=tmp_path / "other"))
        accepted(bos_sarcat_footprint(again))

    def test_quotes_cannot_leave_the_filter(self) -> None:
        asked = wfs_parameters("x') OR identifier LIKE '%")["cql_filter"]
        assert asked == "(identifier='x'') OR identifier LIKE ''%')"


class TestNegativeCache:
    def test_a_server_that_failed_is_left_alone(
        self, sarcat: FakeSarcat, question: Question, make: SimpleNamespace
    ) -> None:
        sarcat.mode = "error_500"
        silent(bos_sarcat_footprint(question))
        other = make.product("FBDR1.1__A", scene="ALOS2229340700-180822")
        said = silent(bos_sarcat_footprint(replace(question, product=other)))
        assert "remembered" in said
        assert "status 500" in said
        assert len(sarcat.asked) == 1

    def test_an_empty_answer_is_of_one_scene(
        self, sarcat: FakeSarcat, question: Question, make: SimpleNamespace
    ) -> None:
        for _ in range(2):
            assert "no row" in silent(bos_sarcat_footprint(question))
        assert len(sarcat.asked) == 1
        other = make.product("FBDR1.1__A", scene="ALOS2229340700-180822")
        silent(bos_sarcat_footprint(replace(question, product=other)))
        assert len(sarcat.asked) == 2

    def test_an_answer_is_not_kept(self, sarcat: FakeSarcat, question: Question) -> None:
        sarcat.features = [feature(SCENE, RING)]
        for _ in range(2):
            accepted(bos_sarcat_footprint(question))
        assert len(sarcat.asked) == 2

    def test_it_outlives_the_process_and_grows_old(self, tmp_path: Path) -> None:
        now = [1000.0]
        NegativeCache(tmp_path, clock=lambda: now[0]).put("a", "because", 600)
        sarcat_cache.forget()
        cache = NegativeCache(tmp_path, clock=lambda: now[0])
        assert cache.get("a", 600) == NoAnswer("because")
        assert cache.get("b", 600) is None
        now[0] = 1601.0
        assert cache.get("a", 600) is None
        now[0] = -10_000.0  # the clock was set back
        assert cache.get("a", 600) is None

    @pytest.mark.parametrize("damage", [b"", b"{", b"[]", b'{"until": "x", "reason": 1}', b"\xff"])
    def test_a_damaged_file_is_as_none(self, tmp_path: Path, damage: bytes) -> None:
        cache = NegativeCache(tmp_path)
        cache.put("a", "because", 600)
        sarcat_cache.forget()
        (file,) = (tmp_path / "bos-sarcat").iterdir()
        file.write_bytes(damage)
        assert cache.get("a", 600) is None

    def test_a_folder_that_cannot_be_written_is_no_fault(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_bytes(b"")
        cache = NegativeCache(tmp_path / "file")
        cache.put("a", "because", 600)
        assert cache.get("a", 600) == NoAnswer("because")

    def test_without_a_home_there_is_no_folder(self, tmp_path: Path) -> None:
        assert user_cache_dir({}) is None
        assert user_cache_dir({"HOME": "/no/such/home", "USERPROFILE": "/no/such"}) is None
        named = {"XDG_CACHE_HOME": str(tmp_path), "LOCALAPPDATA": str(tmp_path)}
        assert user_cache_dir(named) == tmp_path / "alos2-ingest"
        home = user_cache_dir({"HOME": str(tmp_path), "USERPROFILE": str(tmp_path)})
        assert home is not None
        assert home.is_relative_to(tmp_path)
