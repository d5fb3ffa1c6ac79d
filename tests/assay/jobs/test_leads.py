from __future__ import annotations

import shutil
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from assay.errors import UnreadableError
from assay.fingerprint import dhash, thumbnail
from assay.jobs.leads import NEAR_BITS, How, leads
from assay.jobs.mark import mark
from assay.jobs.verify import Upload
from assay.ledger import Entry, location, open_ledger
from assay.repaint import encoded_png
from assay.vocabulary import Pixels, Settings
from tests.assay.jobs.studio import Studio, as_jpeg, furnish, pixels_of
from tests.assay.ledger.entries import entry_for
from tests.pictures import photograph


def row_of(studio: Studio) -> Entry:
    assert studio.made.image_id is not None
    with open_ledger(location(studio.settings)) as ledger:
        entry = ledger.get(studio.made.image_id)
    assert entry is not None
    return entry


def upload(pixels: Pixels) -> Upload:
    return Upload(name="received.png", data=encoded_png(pixels))


def test_the_delivered_file_leads_to_its_row_in_every_way(studio: Studio) -> None:
    (lead,) = leads(studio.picture, settings=studio.settings).rows
    assert lead.entry == row_of(studio)
    assert set(lead.ways) >= {How.FILE, How.PIXELS, How.NOISE_MARK, How.LIKENESS}
    assert lead.ways == tuple(way for way in How if way in lead.ways), "strongest first"
    assert (lead.distance, lead.transplanted) == (0, False)


def test_a_path_and_its_bytes_are_the_same(studio: Studio) -> None:
    of_path = leads(str(studio.picture), settings=studio.settings)
    assert leads(studio.picture.read_bytes(), settings=studio.settings) == of_path
    assert of_path.remarks == ()


def test_ways_end_as_the_picture_is_changed(studio: Studio) -> None:
    pixels = pixels_of(studio.picture)
    (saved,) = leads(upload(pixels), settings=studio.settings).rows
    assert saved.ways[0] is How.PIXELS
    (edited,) = leads(upload(as_jpeg(pixels, 60)), settings=studio.settings).rows
    assert edited.ways[0] is How.NOISE_MARK
    assert edited.ways[-1] is How.LIKENESS
    assert edited.distance <= NEAR_BITS


def test_a_mark_in_the_pixels_leads_to_its_row(tmp_path: Path) -> None:
    settings = furnish(tmp_path / "home")
    Image.fromarray(photograph(0)).save(tmp_path / "photo.png")
    (marked,) = mark([(tmp_path / "photo.png", tmp_path / "marked.png")], settings=settings)
    turned = np.ascontiguousarray(np.rot90(pixels_of(tmp_path / "marked.png")))
    (lead,) = leads(upload(turned), settings=settings).rows
    assert lead.entry.image_id == marked.image_id
    assert How.PIXEL_MARK is lead.ways[0]
    assert not lead.transplanted


def test_a_mark_on_other_content_is_said_to_be(studio: Studio, tmp_path: Path) -> None:
    """The same noise and keys, and a row that says that something else was made of them."""
    shutil.copytree(studio.settings.home / "keys", tmp_path / "home" / "keys")
    settings = replace(studio.settings, home=tmp_path / "home")
    other = photograph(0)
    changes = {"thumbnail": thumbnail(other), "pixel_sha256": "0" * 64, "perceptual_hash": hash_of(other)}
    with open_ledger(location(settings)) as ledger:
        row = replace(row_of(studio), **changes)
        ledger.deliver(row, tmp_path / "moved.png", studio.picture.read_bytes())
    (lead,) = leads(upload(pixels_of(studio.picture)), settings=settings).rows
    assert lead.transplanted
    assert lead.ways[0] is How.NOISE_MARK
    assert lead.distance > NEAR_BITS


def hash_of(pixels: Pixels) -> int:
    return dhash(Image.fromarray(pixels))


def test_what_only_looks_alike_comes_last_and_the_nearest_first(tmp_path: Path) -> None:
    settings, pixels = Settings(home=tmp_path), photograph(0)[:96, :96]
    wanted, data = hash_of(pixels), encoded_png(pixels)
    with open_ledger(location(settings)) as ledger:
        for name, bits in (("far", 17), ("near", 3), ("nearer", 1), ("itself", 0)):
            stream = data if name == "itself" else name.encode()
            entry = entry_for(stream, name=name, watermark="none", perceptual_hash=wanted ^ ((1 << bits) - 1))
            ledger.deliver(entry, tmp_path / name, stream)
    found = leads(Upload(name="x.png", data=data), settings=settings).rows
    assert [(lead.entry.name, lead.ways[0], lead.distance) for lead in found] == [
        ("itself", How.FILE, 0),
        ("nearer", How.LIKENESS, 1),
        ("near", How.LIKENESS, 3),
    ]


def test_a_stranger_leads_nowhere(studio: Studio) -> None:
    assert leads(upload(photograph(1)), settings=studio.settings).rows == ()


def test_without_a_ledger_the_answer_is_empty_and_says_so(tmp_path: Path) -> None:
    answer = leads(upload(photograph(0)), settings=Settings(home=tmp_path))
    assert answer.rows == ()
    assert "no ledger here" in answer.remarks[0]
    assert list(tmp_path.iterdir()) == []


def test_without_keys_what_bytes_say_still_holds(studio: Studio, tmp_path: Path) -> None:
    settings = replace(studio.settings, home=tmp_path)
    shutil.copy(studio.settings.home / "ledger.sqlite3", tmp_path)
    (lead,) = (answer := leads(studio.picture, settings=settings)).rows
    assert lead.ways == (How.FILE, How.PIXELS, How.LIKENESS)
    assert any("whose key is not here" in remark for remark in answer.remarks)
    (tmp_path / "keys" / "watermark").mkdir(parents=True, exist_ok=True)
    (tmp_path / "keys" / "watermark" / "keys.json").write_text("{")
    answer = leads(studio.picture, settings=settings)
    assert answer.rows[0].ways == (How.FILE, How.PIXELS, How.LIKENESS)
    assert [remark.partition(" was not")[0] for remark in answer.remarks] == [
        "The watermark in the noise",
        "The watermark in the pixels",
    ]


def test_what_is_no_image_is_refused(studio: Studio, tmp_path: Path) -> None:
    with pytest.raises(UnreadableError, match="notes"):
        leads(Upload(name="notes.png", data=BytesIO(b"hello").getvalue()), settings=studio.settings)
    with pytest.raises(UnreadableError, match="missing"):
        leads(tmp_path / "missing.png", settings=studio.settings)
