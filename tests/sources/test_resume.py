"""Goal (1) of the transfer engine: what may be joined to what, over real sockets."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from alos2.errors import BadArchive, TransferFailed
from alos2.sources import Fetched, TransferOptions, fetch
from fakes.range_server import LOGIN_PAGE, Fault, Object, RangeServer

CUT = 150_000


@pytest.fixture
def once(quick: TransferOptions) -> TransferOptions:
    """No second try within a run: what a run leaves is what the next one finds."""
    return replace(quick, retries=0)


def cut_off(url: str, work: Path, options: TransferOptions) -> int:
    """Run into a fault; return how many bytes the sidecar says are there."""
    with pytest.raises(TransferFailed) as caught:
        fetch(url, work, options=options)
    (sidecar,) = work.glob("*.part.json")
    known = json.loads(sidecar.read_text())
    assert f"{known['bytes']} bytes of {known['total']} are kept" in caught.value.hint
    return int(known["bytes"])


def ranges_asked(ranges: RangeServer) -> list[str | None]:
    return [seen.headers.get("range") for seen in ranges.seen]


def is_whole(got: Fetched, body: bytes, work: Path) -> bool:
    """The right bytes, under their name, with nothing of the way there left."""
    names = {p.name for p in work.iterdir()}
    return (
        got.path.read_bytes() == body
        and got.sha256 == hashlib.sha256(body).hexdigest()
        and names == {got.path.name, f".{got.path.name}.receipt.json"}
    )


@pytest.mark.parametrize(
    ("found", "condition"),
    [
        (Object([], etag="strong"), '"'),
        (Object([], etag="none", modified="old"), "2020 "),
        (Object([], etag="weak", modified="old"), "2020 "),
    ],
)
def test_goal_1_a_second_run_goes_on_with_range_and_if_range(
    *,
    ranges: RangeServer,
    whole_zip: bytes,
    work: Path,
    once: TransferOptions,
    found: Object,
    condition: str,
) -> None:
    url = ranges.put("/x.zip", replace(found, versions=[whole_zip], faults=[Fault(cut_at=CUT)]))
    there = cut_off(url, work, once)
    assert CUT - once.chunk_bytes < there <= CUT
    got = fetch(url, work, options=once)
    assert is_whole(got, whole_zip, work)
    second = ranges.seen[1]
    assert second.status == 206
    assert second.headers["range"] == f"bytes={there - once.overlap_bytes}-"
    assert condition in second.headers["if-range"]


def test_goal_1_the_same_run_goes_on_too(
    ranges: RangeServer, whole_zip: bytes, work: Path, quick: TransferOptions
) -> None:
    faults = [Fault(cut_at=CUT), Fault(cut_at=30_000, reset=True)]
    url = ranges.put("/x.zip", Object([whole_zip]), *faults)
    told: list[int] = []
    got = fetch(url, work, options=quick, progress=lambda done, _: told.append(done))
    assert is_whole(got, whole_zip, work)
    assert [seen.status for seen in ranges.seen] == [200, 206, 206]
    assert told == sorted(told)


def test_goal_1_the_sidecar_holds_no_secret_and_is_private(
    ranges: RangeServer, whole_zip: bytes, work: Path, once: TransferOptions
) -> None:
    ranges.put("/x.zip", Object([whole_zip]), Fault(cut_at=CUT))
    url = ranges.url("/x.zip?token=planted-secret&order=7").replace("//", "//me:planted-secret@")
    cut_off(url, work, once)
    sidecar = work / "x.zip.part.json"
    known = json.loads(sidecar.read_text())
    assert known["url"] == ranges.url("/x.zip?order=7")
    assert known["total"] == len(whole_zip)
    assert known["validator"]["kind"] == "etag"
    assert known["sha256"] == hashlib.sha256(whole_zip[: known["bytes"]]).hexdigest()
    for path in work.iterdir():
        assert b"planted-secret" not in path.read_bytes()
    assert sidecar.stat().st_mode & 0o077 == 0


def test_goal_1_a_changed_object_begins_anew(
    *,
    ranges: RangeServer,
    whole_zip: bytes,
    other_zip: bytes,
    work: Path,
    once: TransferOptions,
) -> None:
    found = Object([whole_zip, other_zip])
    url = ranges.put("/x.zip", found, Fault(cut_at=CUT, change=True))
    cut_off(url, work, once)
    assert is_whole(fetch(url, work, options=once), other_zip, work)
    assert [seen.status for seen in ranges.seen] == [200, 200]


def test_goal_1_a_server_that_does_not_look_at_if_range_is_found_out(
    *,
    ranges: RangeServer,
    whole_zip: bytes,
    other_zip: bytes,
    work: Path,
    quick: TransferOptions,
) -> None:
    found = Object([whole_zip, other_zip], if_range=False)
    url = ranges.put("/x.zip", found, Fault(cut_at=CUT, change=True))
    assert is_whole(fetch(url, work, options=quick), other_zip, work)
    assert [seen.status for seen in ranges.seen] == [200, 206, 200]


@pytest.mark.parametrize("lie", ["same", "none"])
def test_goal_1_no_validator_the_overlap_is_compared(
    *,
    ranges: RangeServer,
    whole_zip: bytes,
    other_zip: bytes,
    work: Path,
    quick: TransferOptions,
    lie: str,
) -> None:
    found = Object([whole_zip, other_zip], etag=lie)  # type: ignore[arg-type]
    url = ranges.put("/x.zip", found, Fault(cut_at=CUT, change=True))
    assert is_whole(fetch(url, work, options=quick), other_zip, work)
    assert [seen.status for seen in ranges.seen] == [200, 206, 200]


def test_goal_1_without_a_validator_it_goes_on_all_the_same(
    ranges: RangeServer, whole_zip: bytes, work: Path, once: TransferOptions
) -> None:
    url = ranges.put("/x.zip", Object([whole_zip], etag="none"), Fault(cut_at=CUT))
    there = cut_off(url, work, once)
    assert is_whole(fetch(url, work, options=once), whole_zip, work)
    assert ranges.seen[1].headers["range"] == f"bytes={there - once.overlap_bytes}-"
    assert "if-range" not in ranges.seen[1].headers


def test_goal_1_a_change_outside_of_the_overlap_is_seen_at_the_end(
    *, ranges: RangeServer, whole_zip: bytes, work: Path, quick: TransferOptions
) -> None:
    """One byte far before the cut differs: only the members' checksums can tell."""
    flipped = bytearray(whole_zip)
    flipped[1000] ^= 1
    found = Object([bytes(flipped), whole_zip], etag="none")
    url = ranges.put("/x.zip", found, Fault(cut_at=CUT, change=True))
    assert is_whole(fetch(url, work, options=quick), whole_zip, work)
    assert [seen.status for seen in ranges.seen] == [200, 206, 200]


@pytest.mark.parametrize("found", [Object([], etag="weak"), Object([], modified="young")])
def test_goal_1_weak_validators_are_never_sent(
    *,
    ranges: RangeServer,
    whole_zip: bytes,
    work: Path,
    quick: TransferOptions,
    found: Object,
) -> None:
    etag = "weak" if found.etag == "weak" else "none"
    found = replace(found, versions=[whole_zip], etag=etag, faults=[Fault(cut_at=CUT)])
    assert is_whole(fetch(ranges.put("/x.zip", found), work, options=quick), whole_zip, work)
    assert all("if-range" not in seen.headers for seen in ranges.seen)


@pytest.mark.parametrize(
    "fault",
    [
        Fault(range_shift=10),
        Fault(range_shift=-10),
        Fault(no_content_range=True),
        Fault(say_416=True),
        Fault(gzip=True),
        Fault(total_lie=100),
        Fault(silent_shift=100),
        Fault(ignore_range=True),
        Fault(length_lie=50),
    ],
    ids=lambda fault: next(k for k, v in vars(fault).items() if v),
)
def test_goal_1_only_the_matching_part_is_joined(
    *,
    ranges: RangeServer,
    whole_zip: bytes,
    work: Path,
    quick: TransferOptions,
    fault: Fault,
) -> None:
    url = ranges.put("/x.zip", Object([whole_zip]), Fault(cut_at=CUT), fault)
    assert is_whole(fetch(url, work, options=quick), whole_zip, work)


def test_goal_1_a_server_whose_parts_are_always_wrong_is_asked_for_everything(
    ranges: RangeServer, whole_zip: bytes, work: Path, quick: TransferOptions
) -> None:
    wrong = [Fault(range_shift=1), Fault(range_shift=1)]
    url = ranges.put("/x.zip", Object([whole_zip]), Fault(cut_at=CUT), *wrong)
    patient = replace(quick, retries=3)
    assert is_whole(fetch(url, work, options=patient), whole_zip, work)
    asked = ranges_asked(ranges)
    assert asked[1] == asked[2] is not None
    assert asked[3] is None


def test_goal_1_a_server_without_ranges_begins_anew(
    ranges: RangeServer, whole_zip: bytes, work: Path, once: TransferOptions
) -> None:
    url = ranges.put("/x.zip", Object([whole_zip], ranges=False), Fault(cut_at=CUT))
    cut_off(url, work, once)
    assert is_whole(fetch(url, work, options=once), whole_zip, work)
    assert [seen.status for seen in ranges.seen] == [200, 200]


def test_goal_1_an_object_that_became_shorter(
    ranges: RangeServer, whole_zip: bytes, work: Path, quick: TransferOptions
) -> None:
    """Its 416 tells the size, which is compared."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a", b"short")
    short = buffer.getvalue()
    found = Object([whole_zip, short], etag="none")
    url = ranges.put("/x.zip", found, Fault(cut_at=CUT, change=True))
    assert is_whole(fetch(url, work, options=quick), short, work)
    assert [seen.status for seen in ranges.seen] == [200, 416, 200]


@pytest.mark.parametrize("page", [LOGIN_PAGE, b"<html><title>Order expired</title></html>"])
def test_goal_1_a_page_instead_of_the_rest_costs_nothing_of_what_is_there(
    *,
    ranges: RangeServer,
    whole_zip: bytes,
    work: Path,
    once: TransferOptions,
    page: bytes,
) -> None:
    url = ranges.put("/x.zip", Object([whole_zip]), Fault(cut_at=CUT), Fault(page=page))
    there = cut_off(url, work, once)
    with pytest.raises(BadArchive, match="web page"):
        fetch(url, work, options=once)
    assert json.loads((work / "x.zip.part.json").read_text())["bytes"] == there
    assert is_whole(fetch(url, work, options=once), whole_zip, work)
    assert ranges.seen[-1].status == 206


def test_goal_1_a_page_that_a_proxy_appends_is_not_kept_in_the_file(
    ranges: RangeServer, whole_zip: bytes, work: Path, quick: TransferOptions
) -> None:
    """What users of other clients report: the rest joined behind an error page."""
    url = ranges.put(
        "/x.zip", Object([whole_zip], etag="none", length="none"),
        Fault(cut_at=CUT), Fault(html_tail=True),
    )  # fmt: skip
    assert is_whole(fetch(url, work, options=quick), whole_zip, work)


class TestWhatAnEarlierRunLeft:
    """The part and its sidecar may be anything when we come back."""

    def left(
        self, ranges: RangeServer, body: bytes, work: Path, options: TransferOptions
    ) -> tuple[str, int]:
        url = ranges.put("/x.zip", Object([body]), Fault(cut_at=CUT))
        return url, cut_off(url, work, options)

    def test_a_torn_tail_behind_the_checkpoint_is_dropped(
        self, ranges: RangeServer, whole_zip: bytes, work: Path, once: TransferOptions
    ) -> None:
        url, there = self.left(ranges, whole_zip, work, once)
        with (work / "x.zip.part").open("ab") as part:
            part.write(bytes(20_000))
        assert is_whole(fetch(url, work, options=once), whole_zip, work)
        assert ranges.seen[1].headers["range"] == f"bytes={there - once.overlap_bytes}-"

    @pytest.mark.parametrize("damage", ["flipped", "short", "gone"])
    def test_a_part_that_is_damaged_is_not_used(
        self,
        *,
        ranges: RangeServer,
        whole_zip: bytes,
        work: Path,
        once: TransferOptions,
        damage: str,
    ) -> None:
        url, there = self.left(ranges, whole_zip, work, once)
        part = work / "x.zip.part"
        held = bytearray(part.read_bytes())
        held[there // 2] ^= 255
        part.write_bytes(held if damage == "flipped" else held[:100])
        if damage == "gone":
            part.unlink()
        assert is_whole(fetch(url, work, options=once), whole_zip, work)
        assert ranges_asked(ranges) == [None, None]

    @pytest.mark.parametrize(
        "content",
        [b"", b"{", b"[]", b"null", b'{"version": 2}', b"\xff" * 100, b"[" * 50_000, b"9" * 70_000],
    )
    def test_a_sidecar_that_is_none_is_left_alone(
        self,
        *,
        ranges: RangeServer,
        whole_zip: bytes,
        work: Path,
        once: TransferOptions,
        content: bytes,
    ) -> None:
        url, _ = self.left(ranges, whole_zip, work, once)
        (work / "x.zip.part.json").write_bytes(content)
        got = fetch(url, work, options=once)
        assert got.path.name == "x-2.zip"
        assert got.path.read_bytes() == whole_zip
        assert (work / "x.zip.part.json").read_bytes() == content

    def test_a_name_that_only_the_reply_tells_is_found_again(
        self, ranges: RangeServer, whole_zip: bytes, work: Path, once: TransferOptions
    ) -> None:
        named = Object([whole_zip], disposition='attachment; filename="0000022708.zip"')
        url = ranges.put("/download?id=1", named)
        ranges.put("/download", named, Fault(cut_at=CUT))
        cut_off(url, work, once)
        got = fetch(url, work, options=once)
        assert got.path.name == "0000022708.zip"
        assert is_whole(got, whole_zip, work)
        assert ranges.seen[1].status == 206

    def test_another_url_with_the_same_name_has_another_part(
        self, ranges: RangeServer, whole_zip: bytes, work: Path, once: TransferOptions
    ) -> None:
        self.left(ranges, whole_zip, work, once)
        other = ranges.put("/elsewhere/x.zip", Object([whole_zip]))
        assert fetch(other, work, options=once).path.name == "x-2.zip"
        assert (work / "x.zip.part").exists()

    def test_a_whole_part_needs_only_its_name(
        self, ranges: RangeServer, whole_zip: bytes, work: Path, once: TransferOptions
    ) -> None:
        """As after a power failure between the last byte and the renaming."""
        url, _ = self.left(ranges, whole_zip, work, once)
        sidecar = work / "x.zip.part.json"
        known = json.loads(sidecar.read_text())
        known |= {"bytes": len(whole_zip), "sha256": hashlib.sha256(whole_zip).hexdigest()}
        sidecar.write_text(json.dumps(known))
        (work / "x.zip.part").write_bytes(whole_zip)
        assert is_whole(fetch(url, work, options=once), whole_zip, work)
        asked = len(whole_zip) - once.overlap_bytes
        assert ranges_asked(ranges) == [None, f"bytes={asked}-"]
