from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from assay.fingerprint import dhash, thumbnail
from assay.ledger import open_ledger
from assay.repaint import encoded_png
from tests.assay.jobs.studio import Studio, as_jpeg, pixels_of
from tests.assay.ledger.entries import entry_for
from tests.dashboard import session
from tests.pictures import photograph
from tests.seeds import encoded

ROWS = 30


@pytest.fixture
def filled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Ids of thirty rows, the oldest first; every third was marked and not made."""
    monkeypatch.setenv("ASSAY_HOME", str(tmp_path))
    ids = []
    with open_ledger(tmp_path / "ledger.sqlite3") as ledger:
        for number in range(ROWS):
            pixels = np.roll(photograph(number), number, axis=0)[:64, :64]
            entry = entry_for(
                b"%d" % number,
                name=f"picture {number}.png",
                model="" if number % 3 == 0 else "pocket",
                thumbnail=thumbnail(pixels),
                perceptual_hash=dhash(Image.fromarray(pixels)),
                created=f"2026-10-01T12:00:{number:02}+00:00",
            )
            ledger.deliver(entry, tmp_path / entry.name, b"%d" % number)
            ids.append(entry.image_id)
    return ids


@pytest.fixture
def of_studio(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> Studio:
    monkeypatch.setenv("ASSAY_HOME", str(studio.settings.home))
    return studio


def shown(page: AppTest) -> list[int]:
    """The rows on the page, from top to bottom."""
    headings = [attributes for _, attributes in session.fragments(page).elements if ("class", "named") in attributes]
    ids = session.fragments(page).text().split("Image ")[1:]
    assert len(headings) == len(ids)
    return [int(word.split()[0], 16) for word in ids]


# --- browsing ---------------------------------------------------------------------------------------------------------


def test_an_empty_ledger_says_how_to_fill_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSAY_HOME", str(tmp_path / "home"))
    page = session.opened("ledger")
    assert "The ledger is empty" in session.words(page)
    assert "assay mark" in session.words(page)
    assert list(tmp_path.iterdir()) == [], "looking makes nothing"


def test_rows_are_listed_newest_first_and_page_by_page(filled: list[int]) -> None:
    page = session.opened("ledger")
    assert f"{ROWS} of {ROWS} images, newest first" in session.words(page)
    assert shown(page) == filled[::-1][:24]
    assert len(page.image) == 24
    session.sound(page.pagination[0].select(2).run())
    assert shown(page) == filled[::-1][24:]


def test_rows_are_filtered_by_model_and_by_name(filled: list[int]) -> None:
    page = session.opened("ledger")
    session.sound(page.selectbox[0].set_value("pocket").run())
    assert shown(page) == [each for at, each in enumerate(filled) if at % 3][::-1]
    session.sound(page.text_input(key="ledger-name").input("picture 7").run())
    assert shown(page) == [filled[7]]
    session.sound(page.text_input(key="ledger-name").input("zeppelin").run())
    assert shown(page) == []
    assert f"0 of {ROWS} images" in session.words(page)


def test_a_model_of_ones_own_is_shown_without_its_path(filled: list[int], tmp_path: Path) -> None:
    entry = entry_for(b"mine", name="mine.png", model=f"/home/somebody/mine#sha256={'0123456789abcdef' * 4}")
    entry = replace(entry, thumbnail=thumbnail(photograph(0)[:64, :64]))
    with open_ledger(tmp_path / "ledger.sqlite3") as ledger:
        ledger.deliver(entry, tmp_path / entry.name, b"mine")
    page = session.opened("ledger")
    assert page.selectbox[0].options == ["any", "mine (sha256 0123456789abcdef)", "pocket"]
    assert "drawn with mine (sha256 0123456789abcdef), " in session.fragments(page).text()
    session.sound(page.selectbox[0].set_value("mine (sha256 0123456789abcdef)").run())
    assert shown(page) == [entry.image_id]


def test_a_page_that_is_no_more_gives_way_to_those_that_are(filled: list[int]) -> None:
    page = session.opened("ledger")
    session.sound(page.pagination[0].select(2).run())
    session.sound(page.text_input(key="ledger-name").input("picture 7").run())
    assert shown(page) == [filled[7]]


def test_no_file_is_named(filled: list[int]) -> None:
    assert "picture 7" not in session.words(session.opened("ledger"))


def test_a_ledger_that_cannot_be_read_is_said_with_a_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSAY_HOME", str(tmp_path))
    (tmp_path / "ledger.sqlite3").write_text("no database, but a text that is longer than a header " * 9)
    page = session.opened("ledger")
    assert "This did not work" in session.words(page)


# --- searching --------------------------------------------------------------------------------------------------------


def test_an_image_leads_to_its_row(of_studio: Studio) -> None:
    page = session.drop(session.opened("ledger"), {"a.png": of_studio.picture.read_bytes()})
    (found,) = [each.value for each in page.markdown if "Found by" in each.value]
    assert found.startswith("**Found by the same file, byte for byte, the same pixels, the mark in its noise")
    assert "Perceptual hashes differ in 0 of 64 bits" in session.words(page)
    assert shown(page)[0] == of_studio.made.image_id


def test_a_copy_leads_there_by_its_marks(of_studio: Studio) -> None:
    copy = encoded_png(as_jpeg(pixels_of(of_studio.picture), 60))
    page = session.drop(session.opened("ledger"), {"a.png": copy})
    (found,) = [each.value for each in page.markdown if "Found by" in each.value]
    assert found.startswith("**Found by the mark in its noise")
    assert found.endswith("it looks alike, which proves nothing**")


def test_a_stranger_leads_nowhere(of_studio: Studio) -> None:
    page = session.drop(session.opened("ledger"), {"a.png": encoded("PNG")})
    assert "No row: it was not made or marked here" in session.words(page)
    assert shown(page) == [of_studio.made.image_id], "the ledger is still below"


@pytest.mark.parametrize("data", [b"Dear diary", b"", encoded("JPEG")[:2000]], ids=["text", "empty", "torn"])
def test_what_is_no_image_is_said_to_be_none_and_the_ledger_stays(of_studio: Studio, data: bytes) -> None:
    page = session.drop(session.opened("ledger"), {"a.png": data})
    assert "This did not work" in session.words(page)
    assert shown(page) == [of_studio.made.image_id]


def test_without_a_ledger_there_is_nothing_to_search(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSAY_HOME", str(tmp_path / "home"))
    page = session.drop(session.opened("ledger"), {"a.png": encoded("PNG")})
    assert "There is no ledger here" in session.words(page)


def test_a_search_is_forgotten_with_its_file(of_studio: Studio) -> None:
    page = session.drop(session.opened("ledger"), {"a.png": of_studio.picture.read_bytes()})
    session.sound(page.file_uploader[0].clear().run())
    assert "Found by" not in session.words(page)
    assert "leads" not in page.session_state
