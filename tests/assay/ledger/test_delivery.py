"""What a crash leaves is finished by the next opening, or undone; what is alive is left alone."""

import errno
import fcntl
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from assay.errors import LedgerError
from assay.ledger import Delivery, Entry, Event, Ledger, delivery, open_ledger, work, writing
from assay.ledger.database import connect
from tests.assay.ledger.entries import entry_for
from tests.benchmarks.crashes import Desk, crash


class Killed(BaseException):
    """Ends a delivery as a kill would: nothing is tidied up, but for the locks, which end with their process."""


STEPS = {
    "before it is written": (work, "prepared"),
    "before the pending row": (writing, "begin"),
    "before the file has a name": (work.Part, "show"),
    "before the rename": (work, "move"),
    "before the committed row": (writing, "end"),
}


def interrupt(place: str, entry: Entry, target: Path, data: bytes, *, step: str) -> None:
    """Deliver, and be killed at this step."""

    def die(*_: object, **__: object) -> None:
        raise Killed

    with pytest.MonkeyPatch.context() as patch, open_ledger(place) as ledger:
        patch.setattr(*STEPS[step], die)
        with suppress(Killed):
            ledger.deliver(entry, target, data)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("older", [None, b"older"])
@pytest.mark.parametrize(
    ("step", "state"),
    [
        ("before it is written", None),
        ("before the pending row", None),
        ("before the file has a name", Event.VOID),
        ("before the rename", Event.COMMITTED),
        ("before the committed row", Event.COMMITTED),
    ],
)
def test_a_delivery_that_was_killed(
    step: str, state: Event | None, older: bytes | None, place: str, folder: Path
) -> None:
    target = folder / "a"
    if older is not None:
        target.write_bytes(older)
    entry = entry_for(b"new")
    interrupt(place, entry, target, b"new", step=step)
    with open_ledger(place) as ledger:
        assert ledger.state(entry.image_id) is state
        assert ledger.unfinished() == ()
        assert ledger.check() == []
        if state is Event.COMMITTED:
            assert ledger.get(entry.image_id) == entry
            assert target.read_bytes() == b"new"
        else:
            assert ledger.get(entry.image_id) is None
            assert (target.read_bytes() if target.exists() else None) == older
        assert names(folder) in ([], ["a"])


@pytest.mark.parametrize("step", ["before the rename", "before the committed row"])
def test_the_next_delivery_to_the_same_target_settles_the_one_before(
    step: str, place: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = entry_for(b"first", name="a"), entry_for(b"second", name="a")
    with open_ledger(place) as ledger:  # opened before the crash, so that opening recovers nothing
        interrupt(place, first, folder / "a", b"first", step=step)
        ledger.deliver(second, folder / "a", b"second")
        assert (folder / "a").read_bytes() == b"second"
        assert [each.entry for each in ledger.entries()] == [first, second]
        assert ledger.unfinished() == ()
        assert ledger.check() == []


def test_where_files_need_a_name_from_the_start(place: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """File systems without files that have no name: the order differs, the promise does not."""
    monkeypatch.setattr(work, "_UNNAMED", None)
    entry, lost = entry_for(b"x"), entry_for(b"lost")
    with open_ledger(place) as ledger:
        ledger.deliver(entry, folder / "a", b"x")
    interrupt(place, lost, folder / "b", b"lost", step="before the file has a name")
    with open_ledger(place) as ledger:
        assert (ledger.state(entry.image_id), ledger.state(lost.image_id)) == (Event.COMMITTED, Event.VOID)
    assert names(folder) == ["a"]


def test_a_part_that_was_not_all_written_is_removed(place: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    entry = entry_for(b"whole")
    interrupt(place, entry, folder / "a", b"whole", step="before the rename")
    (part,) = folder.iterdir()
    part.write_bytes(b"who")
    with open_ledger(place) as ledger:
        assert ledger.state(entry.image_id) is Event.VOID
    assert names(folder) == []


def test_a_folder_out_of_reach_keeps_its_delivery_open(
    place: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry, away = entry_for(b"x"), folder.with_name("unmounted")
    interrupt(place, entry, folder / "a", b"x", step="before the rename")
    folder.rename(away)
    with open_ledger(place) as ledger:
        assert [each.image_id for each in ledger.unfinished()] == [entry.image_id]
        assert ledger.unfinished()[0].target == folder / "a"
        assert ledger.check() == []
        away.rename(folder)
        ledger.recover()
        assert ledger.state(entry.image_id) is Event.COMMITTED
    assert names(folder) == ["a"]


def test_another_machine_completes_what_it_sees_and_never_says_that_nothing_came(
    place: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen, unseen = entry_for(b"seen"), entry_for(b"unseen")
    database = connect(place)
    with open_ledger(place):
        interrupt(place, unseen, folder / "b", b"unseen", step="before the file has a name")
        with monkeypatch.context() as patch:
            patch.setattr(delivery, "recover", lambda *_, **__: None)
            interrupt(place, seen, folder / "a", b"seen", step="before the rename")
    with Ledger(database, host="elsewhere") as ledger:
        ledger.recover()
        assert ledger.state(seen.image_id) is Event.COMMITTED
        assert ledger.state(unseen.image_id) is Event.PENDING
    with open_ledger(place) as ledger:
        assert ledger.state(unseen.image_id) is Event.VOID


# --- the living -------------------------------------------------------------------------------------------------------


@contextmanager
def held(place: str, entry: Entry, target: Path, data: bytes, *, step: str) -> Iterator[None]:
    """A delivery in another thread that waits at this step as long as the context lasts, then goes on."""
    owner, name = STEPS[step]
    reached, go, original = threading.Event(), threading.Event(), getattr(owner, name)
    me = threading.current_thread()

    def wait(*arguments: object, **named: object) -> object:
        if threading.current_thread() is not me:
            reached.set()
            assert go.wait(timeout=30)
        return original(*arguments, **named)

    def write() -> None:
        with open_ledger(place) as ledger:
            ledger.deliver(entry, target, data)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(owner, name, wait)
        writer = threading.Thread(target=write)
        writer.start()
        assert reached.wait(timeout=30)
        try:
            yield
        finally:
            go.set()
            writer.join(timeout=30)


@pytest.mark.parametrize("step", ["before the file has a name", "before the rename", "before the committed row"])
def test_a_writer_who_lives_is_left_alone(step: str, place: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery, "_FOLDER_PATIENCE_SECONDS", 0.05)
    entry = entry_for(b"x")
    with held(place, entry, folder / "a", b"x", step=step), open_ledger(place) as ledger:
        assert ledger.state(entry.image_id) is Event.PENDING
        assert [each.image_id for each in ledger.unfinished()] == [entry.image_id]
        assert ledger.get(entry.image_id) is None
        assert ledger.count() == 0
        assert ledger.check() == []
    with open_ledger(place) as ledger:
        assert ledger.get(entry.image_id) == entry
    assert (folder / "a").read_bytes() == b"x"


def test_two_deliveries_to_one_target_take_turns(place: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery, "_TARGET_PATIENCE_SECONDS", 0.1)
    first, second = entry_for(b"first"), entry_for(b"second")
    with (
        held(place, first, folder / "a", b"first", step="before the rename"),
        open_ledger(place) as ledger,
        pytest.raises(LedgerError, match="somebody else is writing"),
    ):
        ledger.deliver(second, folder / "a", b"second")
    with open_ledger(place) as ledger:
        assert ledger.state(second.image_id) is None
        ledger.deliver(second, folder / "a", b"second")  # nothing of the first attempt is in the way
        assert [each.entry for each in ledger.entries()] == [first, second]
    assert (folder / "a").read_bytes() == b"second"


# --- locks and parts --------------------------------------------------------------------------------------------------


def test_the_lock_on_a_folder_is_shared_by_writers_and_kept_from_others(folder: Path) -> None:
    with (
        work.folder_lock(folder, alone=False, patience=0) as one,
        work.folder_lock(folder, alone=False, patience=0) as two,
    ):
        assert one
        assert two
        begin = time.monotonic()
        with work.folder_lock(folder, alone=True, patience=0.1) as alone:
            assert not alone
        assert time.monotonic() - begin >= 0.1
    with work.folder_lock(folder, alone=True, patience=0) as alone:
        assert alone


def test_a_part_stays_locked_under_every_name(folder: Path) -> None:
    under_way = Delivery(image_id=1, host="", folder=os.fsencode(folder), name=b"a", file_sha256="")
    with work.prepared(under_way, b"x") as part:
        assert names(folder) == []
        part.show()
        assert names(folder) == [".assay-0000000000000001.part"]
        work.move(under_way)
        assert names(folder) == ["a"]
        with (folder / "a").open("rb") as stream, pytest.raises(BlockingIOError):
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    with (folder / "a").open("rb") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_without_room_there_is_no_row(ledger: Ledger, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    entry = entry_for(b"x")
    with pytest.raises(LedgerError, match="No space left"):
        ledger.deliver(entry, folder / "a", b"x")
    monkeypatch.undo()
    assert names(folder) == []
    assert ledger.state(entry.image_id) is None
    ledger.deliver(entry, folder / "a", b"x")  # the same image can be delivered once there is room


# --- killed for good --------------------------------------------------------------------------------------------------


def test_writers_killed_at_random_moments(place: str, folder: Path) -> None:
    """A few moments of `python -m tests.benchmarks.crashes`, without signing."""
    desk = Desk(place=place, folder=folder, writers=6, make=lambda number: number.to_bytes(8) * 500)
    result = crash(desk, moments=4)
    assert result.problems == ()
    assert result.killed == 24
    assert result.committed >= result.acknowledged > 0
