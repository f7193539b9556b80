"""``alos2 ingest sentinel-asia``: the list, the datasets, what is said and the exit codes."""

from __future__ import annotations

import json
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme

from alos2.cli.main import main
from alos2.simulate.portals import Account
from alos2.sources.credentials.refused import forget
from fakes.optemis import OptemisFake, Row
from fakes.sentinel_asia import Eor, File, SentinelAsiaFake

ACCOUNT = Account("someone", "planted-password-1")


class Alos2:
    """Runs the command in this process; gives code, standard output and standard error."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *arguments: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as left:
            main(arguments)
        out, err = self._capsys.readouterr()
        return int(left.value.code or 0), out, err


@pytest.fixture
def alos2(capsys: pytest.CaptureFixture[str]) -> Alos2:
    return Alos2(capsys)


@pytest.fixture
def tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    authority = trustme.CA()
    bundle = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(bundle))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(bundle))
    monkeypatch.setenv("ALOS2_CACHE", str(tmp_path / "cache"))
    forget()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    return context


@pytest.fixture
def fake(
    deliveries: Any, tls: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> Iterator[SentinelAsiaFake]:
    files = (
        File("JPJX0001201908160001", deliveries.slc, name="one.zip"),
        File("JPJX0001201908160002", deliveries.geotiff, name="two.zip"),
        File("JPJX0001201908160003", b"x", kind="Map"),
    )
    with SentinelAsiaFake(ACCOUNT, [Eor("ERJPYU000001", files=files)], tls) as running:
        assert isinstance(running, SentinelAsiaFake)
        monkeypatch.setenv("ALOS2_PORTAL_SENTINEL_ASIA_URL", running.base_url)
        monkeypatch.setenv("ALOS2_SENTINEL_ASIA_USERNAME", ACCOUNT.username)
        monkeypatch.setenv("ALOS2_SENTINEL_ASIA_PASSWORD", ACCOUNT.password)
        yield running
    forget()


def test_the_list_as_a_table_and_as_json(
    alos2: Alos2, fake: SentinelAsiaFake, tmp_path: Path
) -> None:
    ask = ("ingest", "sentinel-asia", "--eor-id", "ERJPYU000001", "--list", "--out", str(tmp_path))
    code, out, err = alos2(*ask)
    assert code == 0, err
    table = out.splitlines()
    assert table[0].split() == ["ID", "EOR", "DAY", "SIZE", "FILE"]
    assert len(table) == 4
    assert table[1].startswith("JPJX0001201908160001  ERJPYU000001  2019-08-16")
    assert table[1].endswith("one.zip")
    assert table[3].endswith("left out: not ALOS-2 data but 'Map'")
    code, out, _ = alos2(*ask, "--json")
    listed = [json.loads(line) for line in out.splitlines()]
    assert code == 0
    assert [one["ingest"] for one in listed] == [True, True, False]
    assert listed[0]["when"] == "2019-08-16T00:00:00+00:00"
    assert fake.downloads == []


def test_datasets_on_standard_output_and_the_rest_on_the_other(
    alos2: Alos2, fake: SentinelAsiaFake, tmp_path: Path, deliveries: Any
) -> None:
    ask = ("ingest", "sentinel-asia", "--start-date", "2019-08-16", "--no-tiles", "--json",
           "--out", str(tmp_path / "archive"))  # fmt: skip
    code, out, err = alos2(*ask)
    assert code == 0, err
    assert {json.loads(line)["id"] for line in out.splitlines()} == {
        deliveries.slc_id,
        deliveries.geotiff_id,
    }
    assert "JPJX0001201908160003: left out, not ALOS-2 data but 'Map'" in err
    assert err.splitlines()[-1] == "alos2: 1 left out, 2 new"
    code, out, err = alos2(*ask)
    assert (code, out) == (0, "")
    assert err.splitlines()[-1] == "alos2: 2 already there, 1 left out"
    assert len(fake.downloads) == 2
    assert ACCOUNT.password not in out + err


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("--data-id", "a", "--eor-id", "b"),
        ("--end-date", "2019-08-16"),
        ("--start-date", "2019-08-16", "--end-date", "2019-08-15"),
        ("--start-date", "yesterday"),
        ("--password", "planted-word"),
    ],
)
def test_usage_errors(alos2: Alos2, fake: SentinelAsiaFake, arguments: tuple[str, ...]) -> None:
    code, out, _ = alos2("ingest", "sentinel-asia", *arguments)
    assert (code, out) == (2, "")
    assert fake.seen == []


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("--start-date", "2020-01-01"), 6),
        (("--eor-id", "ERNONE000001"), 6),
        (("--data-id", "JPJXnone"), 6),
        (("--data-id", "JPJX0001201908160003"), 3),
        (("--data-id", "JPJX0001201908160001", "--data-id", "JPJXnone", "--no-tiles"), 8),
    ],
)
def test_exit_codes(
    alos2: Alos2, fake: SentinelAsiaFake, tmp_path: Path, arguments: tuple[str, ...], code: int
) -> None:
    fake.eors[0].files[2].__dict__["name"] = "map.pdf"
    found, _, err = alos2("ingest", "sentinel-asia", *arguments, "--out", str(tmp_path / "a"))
    assert found == code, err


def test_a_wrong_password_is_exit_code_4(
    alos2: Alos2, fake: SentinelAsiaFake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALOS2_SENTINEL_ASIA_PASSWORD", "planted-wrong-word")
    for _ in range(2):
        code, out, err = alos2(
            "-vv", "--debug", "ingest", "sentinel-asia", "--eor-id", "E", "--list"
        )
        assert code == 4
        assert "planted-wrong-word" not in out + err
    assert fake.password_posts == 1


def test_optemis_is_experimental_and_says_so(
    alos2: Alos2,
    tls: ssl.SSLContext,
    deliveries: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    code, out, _ = alos2("ingest", "optemis", "--help")
    assert (code, "EXPERIMENTAL" in out) == (0, True)
    rows = [Row("5d9448aae4a9124f601fd7be", "SA-00656", "2019-10-01",
                (("ALOS2_x.zip", deliveries.slc),))]  # fmt: skip
    with OptemisFake(ACCOUNT, rows, tls) as running:
        monkeypatch.setenv("ALOS2_PORTAL_OPTEMIS_URL", running.url)
        monkeypatch.setenv("ALOS2_OPTEMIS_USERNAME", ACCOUNT.username)
        monkeypatch.setenv("ALOS2_OPTEMIS_PASSWORD", ACCOUNT.password)
        code, out, err = alos2("ingest", "optemis", "--eor-id", "SA-00656", "--no-tiles",
                               "--json", "--out", str(tmp_path / "archive"))  # fmt: skip
    assert code == 0, err
    assert json.loads(out)["id"] == deliveries.slc_id
    assert "Sentinel Asia OPTEMIS is experimental" in err
