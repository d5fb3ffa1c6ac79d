from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from assay.fingerprint import thumbnail
from assay.jobs import palettes, registry
from assay.jobs.registry import Registry
from assay.ledger import Entry, Ledger, new_image_id, open_ledger
from assay.vocabulary import Latents, Pixels, Seal
from tests.assay.ledger.entries import entry_for
from watermark.sealed_seed import template
from watermark.sign_table import SignTableError, open_table
from watermark.tree_ring import TreeRing

SECRETS = {"0" * 16: bytes(range(32)), "1" * 16: bytes(32)}
SHAPE = (4, 32, 32)
TABLE = "signs-4x32x32.table"
Add = Callable[..., Entry]


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with open_ledger(tmp_path / "ledger.sqlite3") as opened:
        yield opened


@pytest.fixture
def add(ledger: Ledger, tmp_path: Path) -> Add:
    def deliver(pixels: Pixels | None = None, **changes: object) -> Entry:
        image_id = new_image_id()
        data = image_id.to_bytes(8, "big")
        picture = np.zeros((128, 128, 3), np.uint8) if pixels is None else pixels
        own = {"image_id": image_id, "payload": image_id, "key_id": "0" * 16, "thumbnail": thumbnail(picture)}
        entry = entry_for(data, name=f"{image_id}.png", **(own | changes))
        ledger.deliver(entry, tmp_path / entry.name, data)
        return entry

    return deliver


def noise_of(entry: Entry, amount: float = 0.5) -> Latents:
    """What was drawn from, as it may be read back."""
    seal = Seal(secret=SECRETS[entry.key_id], nonce=entry.nonce, payload=entry.payload)
    noise = np.random.default_rng(entry.image_id).standard_normal(entry.latent_shape, np.float32)
    return (amount * noise + template(seal, entry.latent_shape)).astype(np.float32)


def test_the_row_that_fits_best_is_found(ledger: Ledger, add: Add, tmp_path: Path) -> None:
    first, second = add(), add(key_id="1" * 16)
    known = Registry(ledger, SECRETS, tmp_path)
    assert known.count(SHAPE) == 2
    for entry in (first, second):
        fit = known.best(noise_of(entry))
        assert fit is not None
        assert (fit.image_id, fit) == (entry.image_id, known.fit(entry.image_id, noise_of(entry)))
        assert fit.reading.log10_p < -100


def test_rows_whose_key_or_shape_is_another_are_not_looked_at(ledger: Ledger, add: Add, tmp_path: Path) -> None:
    entry = add(key_id="1" * 16)
    add(latent_shape=(4, 64, 64))
    known = Registry(ledger, {"0" * 16: SECRETS["0" * 16]}, tmp_path)
    assert known.count(SHAPE) == 0
    assert known.best(noise_of(entry)) is None


def test_rows_of_other_watermarks_are_measured_one_by_one(ledger: Ledger, add: Add, tmp_path: Path) -> None:
    add()
    ring = add(watermark=TreeRing.id)
    seal = Seal(secret=SECRETS[ring.key_id], nonce=ring.nonce, payload=ring.payload)
    noise = np.random.default_rng(0).standard_normal(SHAPE, np.float32)
    fit = Registry(ledger, SECRETS, tmp_path).best(TreeRing().mark(noise, seal))
    assert fit is not None
    assert fit.image_id == ring.image_id


def test_many_rows_are_found_through_a_table_which_only_the_owner_reads(
    ledger: Ledger, add: Add, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "TABLED", 2)
    entries = [add(), add(key_id="1" * 16), add(), add(payload=7)]
    folder = tmp_path / "keys"
    plain, tabled = (Registry(ledger, SECRETS, folder) for _ in range(2))
    for entry in entries:
        found = tabled.best(noise_of(entry))
        monkeypatch.setattr(registry, "TABLED", 100)
        assert found == plain.best(noise_of(entry))
        monkeypatch.setattr(registry, "TABLED", 2)
        assert found is not None
        assert found.image_id == entry.image_id
    assert (folder / TABLE).stat().st_mode & 0o077 == 0
    assert open_table(folder / TABLE).rows == 3  # the last has another payload than its id


def test_a_table_grows_with_the_ledger_and_is_built_anew_for_other_keys(
    ledger: Ledger, add: Add, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "TABLED", 1)
    entry = add()
    assert Registry(ledger, SECRETS, tmp_path).best(noise_of(entry)) is not None
    inode = (tmp_path / TABLE).stat().st_ino
    later = add(key_id="1" * 16)
    found = Registry(ledger, SECRETS, tmp_path).best(noise_of(later))
    assert found is not None
    assert found.image_id == later.image_id
    assert open_table(tmp_path / TABLE).rows == 2
    assert (tmp_path / TABLE).stat().st_ino == inode

    Registry(ledger, {"1" * 16: SECRETS["1" * 16]}, tmp_path).best(noise_of(later))
    assert open_table(tmp_path / TABLE).rows == 1


def test_a_damaged_table_is_said_to_be_so(
    ledger: Ledger, add: Add, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "TABLED", 1)
    entry = add()
    Registry(ledger, SECRETS, tmp_path).best(noise_of(entry))
    (tmp_path / TABLE).write_bytes(b"nonsense")
    with pytest.raises(SignTableError, match=TABLE) as raised:
        Registry(ledger, SECRETS, tmp_path).best(noise_of(entry))
    assert "Remove it" in (raised.value.hint or "")


def test_the_rows_with_the_same_colours_come_first_and_only_the_newest_are_opened(
    ledger: Ledger, add: Add, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    red, blue = np.zeros((2, 128, 128, 3), np.uint8)
    red[..., 0], blue[..., 2] = 220, 220
    rows = [add(red), add(blue), add(red)]
    known = Registry(ledger, SECRETS, tmp_path)
    assert [entry.image_id for entry in known.alike(ledger, blue, 2)] == [rows[1].image_id, rows[0].image_id]
    monkeypatch.setattr(registry, "REGISTERED_AMONG", 1)
    newest = Registry(ledger, SECRETS, tmp_path)
    assert [entry.image_id for entry in newest.alike(ledger, blue, 2)] == [rows[2].image_id]


def test_only_what_is_new_is_read_again(ledger: Ledger, add: Add, tmp_path: Path) -> None:
    first = add()
    known = Registry(ledger, SECRETS, tmp_path)
    assert known.alike(ledger, np.zeros((9, 9, 3), np.uint8), 2) == [ledger.get(first.image_id)]
    second, other = add(), add(model="another", latent_shape=(4, 64, 64))
    add(watermark="spread", model="")
    known.read(ledger)
    fresh = Registry(ledger, SECRETS, tmp_path / "elsewhere")
    assert known.head == fresh.head == ledger.head()
    assert known.kinds == fresh.kinds
    assert {kind.model for kind in known.kinds} == {first.model, other.model}
    assert (known.count(SHAPE), known.count((4, 64, 64))) == (2, 1)
    found = known.best(noise_of(second))
    assert found is not None
    assert found.image_id == second.image_id
    assert len(known.alike(ledger, np.zeros((9, 9, 3), np.uint8), 9)) == 3


def test_colours_are_kept_and_made_again_where_the_file_is_damaged(
    ledger: Ledger, add: Add, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blue = np.zeros((128, 128, 3), np.uint8)
    blue[..., 2] = 220
    row, bare = add(blue), add(thumbnail=b"")
    folder = tmp_path / "keys"
    expected = [ledger.get(row.image_id)]
    assert Registry(ledger, SECRETS, folder).alike(ledger, blue, 2) == expected
    kept = folder / registry.PALETTES
    assert kept.stat().st_mode & 0o077 == 0
    with monkeypatch.context() as without:
        without.delattr(Ledger, "thumbnails")  # none is opened again, not even the one that is not there
        assert Registry(ledger, SECRETS, folder).alike(ledger, blue, 2) == expected
    kept.write_bytes(b"nonsense")
    assert Registry(ledger, SECRETS, folder).alike(ledger, blue, 2) == expected
    assert bare.image_id in palettes.kept(kept)
