"""Rows go in, come out as they were, and are never changed."""

import sqlite3
import stat
import threading
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assay.errors import ConfigurationError, LedgerError
from assay.fingerprint import distance
from assay.ledger import Entry, Event, Filter, Head, Ledger, Recorded, location, new_image_id, open_ledger
from assay.ledger.database import holds
from assay.ledger.entry import ENTRY_COLUMNS, from_columns, hex64, to_columns
from assay.vocabulary import Settings
from tests.assay.ledger.around import run, select
from tests.assay.ledger.entries import entry_for

WORDS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30)
BITS = st.integers(0, 2**64 - 1)


def add(ledger: Ledger, folder: Path, text: str = "a", **changes: object) -> Entry:
    entry = entry_for(text.encode(), **({"name": text} | changes))
    ledger.deliver(entry, folder / text, text.encode())
    return entry


# --- what goes in comes out -------------------------------------------------------------------------------------------


def test_a_delivered_image_is_there_with_its_row(ledger: Ledger, folder: Path) -> None:
    entry = add(ledger, folder, manifest=bytes(range(256)), thumbnail=b"\0\xff", perceptual_hash=2**63)
    assert (folder / "a").read_bytes() == b"a"
    assert ledger.get(entry.image_id) == entry
    assert ledger.by_file_sha256(entry.file_sha256) == (entry,)
    assert ledger.by_pixel_sha256(entry.pixel_sha256) == (entry,)
    assert ledger.state(entry.image_id) is Event.COMMITTED
    assert ledger.count() == 1
    assert ledger.check() == []


def test_the_unknown_is_not_found(ledger: Ledger, folder: Path) -> None:
    add(ledger, folder)
    assert ledger.get(new_image_id()) is None
    assert ledger.state(new_image_id()) is None
    assert ledger.by_file_sha256("0" * 64) == ledger.by_pixel_sha256("0" * 64) == ()


def test_a_ledger_without_images_answers(ledger: Ledger) -> None:
    assert ledger.count() == 0
    assert list(ledger.entries()) == []
    assert list(ledger.marks()) == []
    assert ledger.check() == []
    assert ledger.near(0, 5) == ()
    assert ledger.head() == Head(seq=0, hash="0" * 64)


@st.composite
def arbitrary(draw: st.DrawFn) -> Entry:
    return entry_for(
        b"x",
        payload=draw(BITS),
        perceptual_hash=draw(BITS),
        nonce=draw(st.binary(min_size=12, max_size=12)),
        key_id=draw(WORDS),
        model=draw(WORDS),
        name=draw(WORDS),
        thumbnail=draw(st.binary(max_size=99)),
        latent_shape=draw(st.tuples(*[st.integers(1, 2**31 - 1)] * 3)),
    )


@given(arbitrary(), BITS)
@settings(deadline=None)
def test_columns_are_a_faithful_picture(drawn: Entry, image_id: int) -> None:
    entry = replace(drawn, image_id=image_id)
    columns = to_columns(entry)
    assert tuple(columns) == ENTRY_COLUMNS
    assert from_columns(hex64(image_id), list(columns.values()), entry.thumbnail, entry.manifest) == entry


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(entry=arbitrary())
def test_the_database_keeps_every_value(entry: Entry, ledger: Ledger, folder: Path) -> None:
    fresh = replace(entry, key_id=f"{entry.image_id} {entry.key_id}")  # shrinking repeats nonces
    ledger.deliver(fresh, folder / "x", b"x")
    assert ledger.get(entry.image_id) == fresh


def test_entries_come_in_order_and_in_parts(ledger: Ledger, folder: Path) -> None:
    added = [add(ledger, folder, str(number)) for number in range(7)]
    recorded = list(ledger.entries())
    assert [each.entry for each in recorded] == added
    assert [each.entry for each in ledger.entries(limit=3)] == added[:3]
    assert [each.entry for each in ledger.entries(after=recorded[2].seq)] == added[3:]
    assert list(ledger.entries(limit=0)) == list(ledger.entries(after=recorded[-1].seq)) == []


def test_entries_since_a_moment(ledger: Ledger, folder: Path) -> None:
    add(ledger, folder, "before")
    moment = datetime.now(UTC)
    after = add(ledger, folder, "after")
    zone = moment.astimezone(datetime.now().astimezone().tzinfo)
    assert [each.entry for each in ledger.entries(since=zone)] == [after]
    assert list(ledger.entries(since=moment + timedelta(days=1))) == []


def test_pages_are_put_together(ledger: Ledger, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("assay.ledger.reading.PAGE", 2)
    monkeypatch.setattr("assay.ledger.reading.FULL_PAGE", 2)
    added = [add(ledger, folder, str(number)) for number in range(5)]
    assert [each.entry for each in ledger.entries()] == added
    assert [each.entry for each in ledger.entries(limit=3)] == added[:3]
    assert [mark.image_id for mark in ledger.marks()] == [entry.image_id for entry in added]
    assert len(ledger.near(0, 9)) == 5
    assert ledger.check() == []


def test_marks_hold_what_a_scan_needs(ledger: Ledger, folder: Path) -> None:
    first, second = add(ledger, folder, "1"), add(ledger, folder, "2", latent_shape=(16, 64, 48))
    marks = list(ledger.marks())
    assert [(mark.image_id, mark.key_id, mark.nonce, mark.payload) for mark in marks] == [
        (entry.image_id, entry.key_id, entry.nonce, entry.payload) for entry in (first, second)
    ]
    assert marks[1].watermark == second.watermark
    assert marks[1].latent_shape == (16, 64, 48)
    assert list(ledger.marks(after=marks[0].seq)) == marks[1:]


def test_a_mark_is_there_in_its_column_or_in_the_manifest_of_what_was_drawn(ledger: Ledger, folder: Path) -> None:
    assert not ledger.has_mark("spread", "alt.assay.spread.1")
    add(ledger, folder, "of another version", watermark="spread.2", model="", manifest=b"alt.assay.spread.2")
    add(ledger, folder, "whose original had it", watermark="spread.2", model="", manifest=b"alt.assay.spread.1")
    assert not ledger.has_mark("spread", "alt.assay.spread.1")
    add(ledger, folder, "drawn", manifest=b"\0..alt.assay.spread.1..")
    assert ledger.has_mark("spread", "alt.assay.spread.1")
    assert not ledger.has_mark("spread", "alt.assay.spread.3")
    assert ledger.has_mark("spread.2", "alt.assay.spread.3")


def test_a_mark_is_found_behind_any_number_of_others(ledger: Ledger, folder: Path) -> None:
    for number in range(301):
        add(ledger, folder, str(number), manifest=f"{number}: alt.assay.spread.2".encode())
    assert not ledger.has_mark("spread", "alt.assay.spread.1")
    add(ledger, folder, "late", manifest=b"late: alt.assay.spread.1")
    assert ledger.has_mark("spread", "alt.assay.spread.1")


def test_no_manifest_is_read_for_the_first_layout(tmp_path: Path) -> None:
    place = str(tmp_path / "ledger.sqlite3")
    open_ledger(place).close()
    plan = f"EXPLAIN QUERY PLAN SELECT sha256 FROM contents WHERE {holds(b'alt.assay.spread.1', 'sqlite')}"
    assert "contents_first_layout" in str(select(place, plan))


def test_an_image_that_was_never_delivered_has_no_mark(
    ledger: Ledger, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, "not permitted")

    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(LedgerError, match="not permitted"):
        add(ledger, folder, watermark="spread", manifest=b"alt.assay.spread.1")
    assert ledger.head().seq > 0
    assert not ledger.has_mark("spread", "alt.assay.spread.1")


def test_the_nearest_come_first(ledger: Ledger, folder: Path) -> None:
    hashes = [2**64 - 1, 0, 0b111, 1 << 63, 0b1]
    for number, value in enumerate(hashes):
        add(ledger, folder, str(number), perceptual_hash=value)
    expected = sorted((distance(value, 0b101), number) for number, value in enumerate(hashes))
    assert [(far, int(entry.name)) for far, entry in ledger.near(0b101, 4)] == expected[:4]
    assert len(ledger.near(0, 99)) == 5


# --- files ------------------------------------------------------------------------------------------------------------


def test_an_older_file_is_replaced_and_both_rows_stay(ledger: Ledger, folder: Path) -> None:
    (folder / "a").write_bytes(b"from elsewhere")
    first = entry_for(b"one", name="a")
    second = entry_for(b"two", name="a")
    ledger.deliver(first, folder / "a", b"one")
    ledger.deliver(second, folder / "a", b"two")
    assert (folder / "a").read_bytes() == b"two"
    assert [path.name for path in folder.iterdir()] == ["a"]
    assert [each.entry for each in ledger.entries()] == [first, second]


def test_a_link_leads_to_its_file(ledger: Ledger, folder: Path) -> None:
    (folder / "link").symlink_to(folder / "file")
    ledger.deliver(entry_for(b"x"), folder / "link", b"x")
    assert (folder / "link").is_symlink()
    assert (folder / "file").read_bytes() == b"x"


def test_a_name_that_is_no_text(ledger: Ledger, folder: Path) -> None:
    target = folder / "caf\udce9.png"
    ledger.deliver(entry_for(b"x"), target, b"x")
    assert target.read_bytes() == b"x"


def test_a_new_file_gets_what_the_process_grants(ledger: Ledger, folder: Path) -> None:
    add(ledger, folder)
    (folder / "plain").touch()
    assert (folder / "a").stat().st_mode == (folder / "plain").stat().st_mode


@pytest.mark.parametrize("name", ["nowhere/a", "folder", "."])
def test_where_no_file_can_be_there_is_no_row(name: str, ledger: Ledger, folder: Path) -> None:
    (folder / "folder").mkdir()
    with pytest.raises(LedgerError, match="no file can be delivered"):
        ledger.deliver(entry_for(b"x"), folder / name, b"x")
    assert ledger.head().seq == 0


def test_a_file_that_cannot_be_renamed_leaves_nothing(
    ledger: Ledger, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "a").write_bytes(b"old")
    entry = entry_for(b"new")

    def refuse(*_: object) -> None:
        raise PermissionError(1, "not permitted")

    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(LedgerError, match="not permitted"):
        ledger.deliver(entry, folder / "a", b"new")
    assert (folder / "a").read_bytes() == b"old"
    assert [path.name for path in folder.iterdir()] == ["a"]
    assert ledger.state(entry.image_id) is Event.VOID
    assert ledger.get(entry.image_id) is None
    assert ledger.unfinished() == ()
    assert ledger.count() == 0
    assert ledger.check() == []


# --- what is refused --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "changes",
    [
        {"image_id": -1},
        {"image_id": 2**64},
        {"payload": 2**64},
        {"perceptual_hash": -1},
        {"nonce": bytes(11)},
        {"pixel_sha256": "0" * 63},
        {"file_sha256": "A" * 64},
        {"latent_shape": (4, 0, 32)},
        {"steps": 0},
        {"created": "2026-10-01T12:00:00"},
        {"created": "2026-10-01T12:00:00+02:00"},
        {"created": "yesterday"},
    ],
)
def test_a_row_that_could_not_be_read_back_is_refused(changes: dict[str, object], tmp_path: Path, folder: Path) -> None:
    with open_ledger(tmp_path / "l") as ledger:
        with pytest.raises(LedgerError, match=next(iter(changes))):
            ledger.deliver(entry_for(b"x", **changes), folder / "x", b"x")
        assert not list(folder.iterdir())


def test_a_row_about_another_file_is_refused(ledger: Ledger, folder: Path) -> None:
    with pytest.raises(LedgerError, match="another file"):
        ledger.deliver(entry_for(b"x"), folder / "y", b"y")
    assert not list(folder.iterdir())


def test_an_image_is_delivered_once(ledger: Ledger, folder: Path) -> None:
    entry = add(ledger, folder)
    with pytest.raises(LedgerError, match="in the ledger already"):
        ledger.deliver(replace(entry, nonce=bytes(12)), folder / "a", b"a")
    assert ledger.count() == 1


def test_a_nonce_is_used_once_with_a_key(ledger: Ledger, folder: Path) -> None:
    entry = add(ledger, folder)
    with pytest.raises(LedgerError, match=f"used for image {hex64(entry.image_id)}"):
        add(ledger, folder, "b", nonce=entry.nonce)
    assert not (folder / "b").exists()
    add(ledger, folder, "c", nonce=entry.nonce, key_id="another")
    assert ledger.nonces_reused() == []


# --- opening ----------------------------------------------------------------------------------------------------------


def test_what_was_written_is_there_when_opened_again(place: str, folder: Path) -> None:
    with open_ledger(place) as ledger:
        entry = add(ledger, folder)
        head = ledger.head()
    with open_ledger(place) as ledger:
        assert ledger.get(entry.image_id) == entry
        assert ledger.head() == head


def test_many_open_a_new_ledger_at_once_and_each_step_is_taken_once(place: str) -> None:
    problems: list[BaseException] = []

    def enter() -> None:
        try:
            open_ledger(place).close()
        except BaseException as error:
            problems.append(error)

    threads = [threading.Thread(target=enter) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    assert [number for (number,) in select(place, "SELECT number FROM migrations ORDER BY number")] == [1, 2, 3, 4, 5]


def test_writers_take_turns(place: str, folder: Path) -> None:
    """Threads with a ledger each: the chain stays one line, and a target holds the file of its last row."""
    problems: list[BaseException] = []

    def write(number: int) -> None:
        try:
            with open_ledger(place) as ledger:
                for turn in range(4):
                    text = f"{number}-{turn}"
                    ledger.deliver(entry_for(text.encode(), name="shared"), folder / "shared", text.encode())
        except BaseException as error:
            problems.append(error)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    with open_ledger(place) as ledger:
        assert ledger.check() == []
        assert ledger.count() == 16
        last = list(ledger.entries())[-1].entry
        assert ledger.by_file_sha256(last.file_sha256) == (last,)
        assert entry_for((folder / "shared").read_bytes()).file_sha256 == last.file_sha256


def test_a_ledger_of_a_newer_release_is_left_alone(place: str) -> None:
    open_ledger(place).close()
    run(place, "INSERT INTO migrations (number, title, applied) VALUES (99, 'later', '')")
    with pytest.raises(LedgerError, match="newer Assay"):
        open_ledger(place)


def test_only_its_owner_may_read_it(tmp_path: Path, folder: Path) -> None:
    path = tmp_path / "home" / "ledger.sqlite3"
    with open_ledger(path) as ledger:
        add(ledger, folder)
        modes = {stat.S_IMODE(each.stat().st_mode) for each in path.parent.iterdir()}
    assert modes == {0o600}


def test_a_file_that_is_no_ledger_is_named(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("hello " * 1000)
    with pytest.raises(LedgerError, match=r"notes\.txt"):
        open_ledger(path)
    assert path.read_text() == "hello " * 1000


def test_a_server_that_is_not_there_is_named_without_the_password() -> None:
    with pytest.raises(LedgerError, match=r"postgresql://127\.0\.0\.1/registry") as caught:
        open_ledger("postgresql://alice:hunter2@127.0.0.1:9/registry")
    assert "hunter2" not in str(caught.value) + caught.value.hint


def test_urls_of_other_kinds_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="mysql"):
        open_ledger("mysql://localhost/registry")


def test_a_url_may_name_a_file(tmp_path: Path) -> None:
    open_ledger(f"sqlite:///{tmp_path}/l").close()
    assert (tmp_path / "l").exists()


def test_the_place_comes_from_the_environment_or_the_data_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ASSAY_LEDGER", raising=False)
    assert location(Settings(home=tmp_path)) == tmp_path / "ledger.sqlite3"
    monkeypatch.setenv("ASSAY_LEDGER", "postgresql://db/registry")
    assert location(Settings(home=tmp_path)) == "postgresql://db/registry"


# --- append-only ------------------------------------------------------------------------------------------------------

FORBIDDEN = [
    "UPDATE events SET model = 'other'",
    "DELETE FROM events",
    "UPDATE contents SET data = data",
    "DELETE FROM contents",
    "UPDATE head SET seq = 0",
    "DELETE FROM head",
]


@pytest.mark.parametrize("statement", FORBIDDEN)
def test_rows_can_neither_be_changed_nor_removed(statement: str, place: str, folder: Path) -> None:
    with open_ledger(place) as ledger:
        entry = add(ledger, folder)
    with pytest.raises((sqlite3.Error, psycopg.Error), match="append-only"):
        run(place, statement)
    with open_ledger(place) as ledger:
        assert ledger.get(entry.image_id) == entry
        assert ledger.check() == []


@pytest.mark.parametrize("table", ["events", "contents", "head", "deliveries"])
def test_no_table_can_be_emptied_at_once(table: str, server: str, folder: Path) -> None:
    with open_ledger(server) as ledger:
        ledger.deliver(entry_for(b"x"), folder / "x", b"x")
    with pytest.raises(psycopg.Error, match="append-only"):
        run(server, f"TRUNCATE {table} CASCADE")


def test_a_delivery_stays_on_the_list_until_it_is_settled(place: str) -> None:
    open_ledger(place).close()
    run(
        place,
        "INSERT INTO deliveries (image_id, host, folder, name, file_sha256, since)"
        f" VALUES ('{'0' * 16}', 'elsewhere', '/', 'x', '', '')",
    )
    with pytest.raises((sqlite3.Error, psycopg.Error), match="not settled"):
        run(place, "DELETE FROM deliveries")


# --- page by page -----------------------------------------------------------------------------------------------------


def names(found: Iterable[Recorded]) -> list[str]:
    return [recorded.entry.name for recorded in found]


def test_the_newest_come_first_page_by_page(ledger: Ledger, folder: Path) -> None:
    for number in range(5):
        add(ledger, folder, str(number))
    first = ledger.newest(limit=2)
    second = ledger.newest(before=first[-1].seq, limit=2)
    third = ledger.newest(before=second[-1].seq, limit=2)
    assert [names(page) for page in (first, second, third)] == [["4", "3"], ["2", "1"], ["0"]]
    assert ledger.newest(before=third[-1].seq) == ()
    assert names(ledger.newest()) == ["4", "3", "2", "1", "0"]


def test_a_filter_takes_everything_that_it_says(ledger: Ledger, folder: Path) -> None:
    add(ledger, folder, "Tulip_1.png", key_id="a")
    add(ledger, folder, "tulip 2%.png", key_id="b", model="sd-turbo")
    moment = datetime.now(UTC)
    add(ledger, folder, "Ärger!.png", key_id="b", model="", steps=0, latent_shape=(0, 0, 0))
    found = {
        "tulip": ["tulip 2%.png", "Tulip_1.png"],
        "TULIP": ["tulip 2%.png", "Tulip_1.png"],
        "_": ["Tulip_1.png"],
        "%": ["tulip 2%.png"],
        "Ä": ["Ärger!.png"],
        "!": ["Ärger!.png"],
        "rose": [],
    }
    assert {name: names(ledger.newest(Filter(name=name))) for name in found} == found
    assert names(ledger.newest(Filter(model="sd-turbo"))) == ["tulip 2%.png"]
    assert names(ledger.newest(Filter(model=""))) == ["Ärger!.png"]
    assert names(ledger.newest(Filter(key_ids=("b", "c")))) == ["Ärger!.png", "tulip 2%.png"]
    assert names(ledger.newest(Filter(key_ids=()))) == []
    assert names(ledger.newest(Filter(since=moment))) == ["Ärger!.png"]
    assert names(ledger.newest(Filter(before=moment))) == found["tulip"]
    assert names(ledger.newest(Filter(key_ids=("b",), name="png", before=moment))) == ["tulip 2%.png"]
    assert names(ledger.newest(Filter(name="tulip"), limit=1)) == ["tulip 2%.png"]
    assert [ledger.count(Filter()), ledger.count(Filter(name="tulip")), ledger.count(Filter(key_ids=()))] == [3, 2, 0]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(part=WORDS)
def test_any_part_of_a_name_finds_it(part: str, ledger: Ledger, folder: Path) -> None:
    entry = entry_for(b"x", name=f"a{part}b")
    ledger.deliver(entry, folder / "x", b"x")
    assert entry in [recorded.entry for recorded in ledger.newest(Filter(name=part), limit=100)]
