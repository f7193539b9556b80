"""Units by names: which products lie at a place, and what is missing from them."""

from __future__ import annotations

import itertools
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alos2.archive.members import FileMember, Member
from alos2.dataset.identity import dataset_kind
from alos2.errors import UsageError
from alos2.naming import FileName, parse_file_name
from alos2.product.completeness import missing_members
from alos2.product.grouping import group_members
from alos2.scan.byname import units_by_name
from alos2.scan.likeness import units_in_folder
from alos2.scan.listing import Entry
from alos2.scan.units import Unit, Wanted, file_names

SCENE = "ALOS2015976960-140909"
OTHER = "ALOS2015976970-140909"
FBD = "FBDR1.1__A"
HOUR_NS = 3_600_000_000_000


def entries(
    *names: str, size: int = 10, mtime_ns: int = 1000, changed_ns: int = 1000
) -> list[Entry]:
    return [Entry(name.encode("utf-8"), size, mtime_ns, changed_ns) for name in names]


def slc(scene: str = SCENE, product: str = FBD, pols: tuple[str, ...] = ("HH", "HV")) -> list[str]:
    names = [f"IMG-{pol}-{scene}-{product}" for pol in pols]
    return names + [f"{kind}-{scene}-{product}" for kind in ("LED", "TRL", "VOL")]


def only(units: list[Unit]) -> Unit:
    (unit,) = units
    return unit


def test_a_dual_polarisation_scene_is_one_unit_that_knows_its_files() -> None:
    names = [*slc(), f"BRS-HH-{SCENE}-{FBD}.jpg", f"{SCENE}_{FBD}.kml", "summary.txt"]
    unit = only(units_by_name("/a/b", entries(*names, "notes.txt", "IMG-HH-else")))
    assert unit.dataset_id == f"{SCENE}-{FBD}-md"
    assert (unit.place, unit.image_format, unit.level) == ("/a/b", "ceos", "1.1")
    assert (str(unit.scene), str(unit.product)) == (SCENE, FBD)
    assert sorted(unit.file_names) == sorted(names)
    assert unit.missing == ()
    assert unit.size == 10 * len(names)
    assert not unit.in_zip
    assert len(unit.codes) < 100, "small in a database of a million"


@pytest.mark.parametrize(
    ("absent", "expected"),
    [
        (f"IMG-HV-{SCENE}-{FBD}", f"IMG-HV-{SCENE}-{FBD}"),
        (f"LED-{SCENE}-{FBD}", f"LED-{SCENE}-{FBD}"),
        (f"VOL-{SCENE}-{FBD}", f"VOL-{SCENE}-{FBD}"),
        (f"TRL-{SCENE}-{FBD}", None),
        ("summary.txt", None),
    ],
)
def test_what_is_missing_is_named(absent: str, expected: str | None) -> None:
    names = [name for name in (*slc(), "summary.txt") if name != absent]
    assert only(units_by_name("/a", entries(*names))).missing == ((expected,) if expected else ())


def test_quad_and_scansar_products_name_every_image_that_is_missing() -> None:
    quad = only(units_by_name("/a", entries(*slc(product="HBQR1.1__A", pols=("HH", "VV")))))
    assert quad.missing == (f"IMG-HV-{SCENE}-HBQR1.1__A", f"IMG-VH-{SCENE}-HBQR1.1__A")
    wbd = "WBDR1.1__D"
    beams = [f"IMG-{p}-{SCENE}-{wbd}-F{n}" for p in ("HH", "HV") for n in range(1, 6)]
    names = [*beams, f"LED-{SCENE}-{wbd}", f"VOL-{SCENE}-{wbd}"]
    assert only(units_by_name("/a", entries(*names))).missing == ()
    names.remove(f"IMG-HV-{SCENE}-{wbd}-F4")
    assert only(units_by_name("/a", entries(*names))).missing == (f"IMG-HV-{SCENE}-{wbd}-F4",)


def test_a_folder_with_the_files_of_many_scenes_gives_a_unit_for_each() -> None:
    names = [*slc(SCENE), *slc(OTHER), *slc(SCENE, "UBSR1.1__A", ("HH",)), "summary.txt"]
    units = units_by_name("/a", entries(*names))
    assert [unit.dataset_id for unit in units] == [
        f"{SCENE}-{FBD}-md", f"{SCENE}-UBSR1.1__A-md", f"{OTHER}-{FBD}-md",
    ]  # fmt: skip
    assert all("summary.txt" not in unit.codes for unit in units), "nobody knows whose it is"
    first = only(units_by_name("/a", entries(*slc(SCENE))))
    assert units[0].fingerprint == first.fingerprint, "one that comes does not change the others"


def test_what_is_no_product_gives_no_unit() -> None:
    strays = (
        f"LED-{SCENE}-{FBD}",
        f"BRS-HH-{OTHER}-{FBD}.jpg",
        "IMG-HH-ALOS4015976960-140909-FBDR1.1__A",
        "IMG-HH-ALOS2015976960-149909-FBDR1.1__A",
        "IMG-HH-ALOS2015976960-140909-XYZR1.1__A",
        "IMG-HH-ALOS2015976960-140909-FBDR2.2GUA",
        "IMG-HH-ALOS2\u06601\u06605976960-140909-FBDR1.1__A",
        "ALOS2",
    )
    assert units_by_name("/a", entries(*strays)) == []


def test_geotiff_of_higher_levels_needs_its_summary_and_its_table() -> None:
    product = "FBDR1.5RUA"
    names = [f"IMG-{pol}-{SCENE}-{product}.tif" for pol in ("HH", "HV")]
    unit = only(units_by_name("/a", entries(*names)))
    assert unit.dataset_id == f"{SCENE}-{product}-md"
    assert unit.missing == (
        "summary.txt", f"LUT-HH-{SCENE}-{product}.txt", f"LUT-HV-{SCENE}-{product}.txt",
    )  # fmt: skip


def test_the_fingerprint_follows_names_sizes_and_times_and_nothing_else() -> None:
    def print_of(**change: int) -> bytes:
        return only(units_by_name("/a", entries(*slc(), **change))).fingerprint

    assert print_of() == print_of(changed_ns=5)
    assert len({print_of(), print_of(size=11), print_of(mtime_ns=1001)}) == 3
    assert only(units_by_name("/b", entries(*slc()))).fingerprint == print_of()
    assert only(units_by_name("/a", entries(*slc())[::-1])).fingerprint == print_of()


def test_the_time_that_counts_is_the_file_systems() -> None:
    """Copying with the old times (``cp -p``, rsync) must not make a young file look old."""
    unit = only(units_by_name("/a", entries(*slc(), mtime_ns=5, changed_ns=HOUR_NS)))
    assert unit.newest_ns == HOUR_NS
    zipped = Entry(b"a.zip", 99, 5, 7)
    inner = only(units_by_name("/a.zip", entries(*slc(), changed_ns=0), archive=zipped))
    assert (inner.newest_ns, inner.in_zip) == (7, True)
    later = zipped._replace(mtime_ns=6)
    again = only(units_by_name("/a.zip", entries(*slc()), archive=later))
    assert again.fingerprint != inner.fingerprint


POOL = [
    f"{start}-{scene}-{product}{end}"
    for scene, product in itertools.product((SCENE, OTHER), (FBD, "WBSR1.1__D", "UBDL2.1GUA"))
    for start, ends in (
        ("IMG-HH", ("", "-F1", "-F2", ".tif")), ("IMG-HV", ("", ".tif")), ("IMG-VV", ("-F2",)),
        ("LED", ("",)), ("VOL", ("",)), ("TRL", ("",)), ("LUT-HH", (".txt",)),
        ("BRS-HH", (".jpg",)),
    )
    for end in ends
    if parse_file_name(f"{start}-{scene}-{product}{end}")
] + [f"{SCENE}_{FBD}.kml"]  # fmt: skip


@given(names=st.sets(st.sampled_from(POOL), max_size=14), summary=st.booleans())
@settings(max_examples=150, deadline=None)
def test_it_finds_what_the_job_will_find(
    tmp_path_factory: pytest.TempPathFactory, names: set[str], summary: bool
) -> None:
    """Grouping and completeness read summaries and are the truth; names alone come as near."""
    folder = tmp_path_factory.getbasetemp() / "there"
    members: list[Member] = [FileMember(folder / name, 1) for name in names]
    if summary:
        folder.mkdir(exist_ok=True)
        (folder / "summary.txt").write_text('Lbi_Satellite="ALOS2"\r\n')
        members.append(FileMember.of(folder / "summary.txt"))
    groups = [group for group in group_members(members).groups if group.files]
    found = [*names, *(["summary.txt"] if summary else [])]
    units = {unit.dataset_id: unit for unit in units_by_name("/a", entries(*found))}
    expected = {}
    for group in groups:
        scene, product, image_format = group.identity
        named = SimpleNamespace(
            scene=scene, product=product, level=product.level, format=image_format
        )
        expected[dataset_kind(named, metadata_only=True).id] = group  # type: ignore[arg-type]
    assert units.keys() == expected.keys()
    for dataset_id, group in expected.items():
        unit = units[dataset_id]
        own = {name for name in unit.file_names if name != "summary.txt"}
        assert own == group.file_names
        blocking = [p for p in missing_members(group, None) if p.blocks_ingest]
        told = [p for p in blocking if p.code != "missing_summary"]
        missing = [name for name in unit.missing if name != "summary.txt"]
        assert bool(missing) == bool(told)
        assert {p.file for p in told if p.file} <= set(missing)


@given(names=st.sets(st.sampled_from(POOL), min_size=1))
def test_the_codes_give_the_names_back(names: set[str]) -> None:
    files = entries(*names)
    for unit in units_by_name("/a", files):
        restored = file_names(unit.scene_text, unit.product_text, unit.codes)
        assert set(restored) <= names
        assert all(FileName.parse(name).scene == unit.scene for name in restored)


FILES = st.lists(
    st.tuples(
        st.sampled_from([*POOL, "summary.txt", "ALOS2", "IMG-HH-\xe9", f"ALOS2-{SCENE}"]),
        st.integers(0, 3),
        st.integers(0, 3),
        st.integers(0, 3),
    ),
    max_size=12,
    unique_by=lambda file: file[0],
)


@given(files=FILES, others=st.sampled_from([SCENE, OTHER, "ALOS2015976960-149909"]))
@settings(max_examples=300, deadline=None)
def test_what_holds_for_one_folder_holds_for_those_that_are_alike(
    files: list[tuple[str, int, int, int]], others: str
) -> None:
    """The short cut gives exactly what looking at each name gives."""
    listed = sorted((name.replace(OTHER, others).encode("latin-1"), *rest) for name, *rest in files)
    once = [Entry(*file) for file in {file[0]: file for file in listed}.values()]
    assert units_in_folder("/a", list(once)) == units_by_name("/a", once)


def test_wanted_is_by_level_and_by_a_regex_on_place_or_full_name() -> None:
    names = tuple(slc())
    assert Wanted().wants("1.1", "/a", names)
    assert not Wanted().wants("1.5", "/a", names)
    assert Wanted(("any",)).wants("3.1", "/a", names)
    assert Wanted(("1.1", "1.5")).wants("1.5", "/a", names)
    habit = Wanted(regex=r".*/P\d{3}/F\d{4}.*")
    assert habit.wants("1.1", "/data/P112/F0700", names)
    assert not habit.wants("1.1", "/data/other", names)
    assert Wanted(regex=r"IMG-HV-ALOS2\d{5}6960-\d{6}").wants("1.1", "/data/other", names)
    assert not Wanted(regex=r"IMG-VV-").wants("1.1", "/data/other", names)


@pytest.mark.parametrize(("levels", "regex"), [(("1.2",), None), ((), None), (("1.1",), "(")])
def test_impossible_wishes_are_refused(levels: tuple[str, ...], regex: str | None) -> None:
    with pytest.raises(UsageError):
        Wanted(levels, regex)


def test_the_path_of_this_file_is_no_product() -> None:
    assert units_by_name("/a", entries(Path(__file__).name)) == []
