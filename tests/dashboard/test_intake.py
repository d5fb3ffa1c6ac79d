from __future__ import annotations

import os
from functools import partial
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from assay.jobs import fetching
from assay.jobs.verify import Upload
from dashboard import intake
from dashboard.intake import Item
from tests.assay.jobs.test_fetching import HERE, Site, answer, site
from tests.dashboard import session
from tests.forensics import metadata_files as files
from tests.seeds import encoded

__all__ = ["site"]


def test_names_are_shown_with_what_is_no_text_escaped() -> None:
    assert Item(key="1", source=Upload(name="a\nb.png", data=b"")).name == "a\\nb.png"
    assert Item(key="2", source=Path(os.fsdecode(b"/in/a\xff.png"))).name == "/in/a\\udcff.png"


# --- uploads ----------------------------------------------------------------------------------------------------------


def test_each_file_is_examined_once_and_forgotten_when_it_is_taken_away() -> None:
    page = session.drop(session.opened(), {"a.png": encoded("PNG")})
    (first,) = page.session_state["seen"].values()
    session.sound(page.run())
    assert list(page.session_state["seen"].values()) == [first]
    session.drop(page, {"b.png": encoded("PNG", "flower")})
    (second,) = page.session_state["seen"].values()
    assert second.report.exhibit.name == "b.png"
    session.sound(page.file_uploader[0].clear().run())
    assert page.session_state["seen"] == {}
    assert "Drop one image" in session.words(page)


def test_nothing_of_a_file_is_written_down(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSAY_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    session.drop(session.opened(), {"a.png": encoded("PNG"), "b.jpg": encoded("JPEG")})
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


# --- files of this machine --------------------------------------------------------------------------------------------


def named(path: Path | str) -> AppTest:
    page = session.opened()
    return session.sound(page.text_input(key="folder").input(str(path)).run())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("one.png", "two.jpg", "three.webp"):
        (tmp_path / name).write_bytes(encoded({"png": "PNG", "jpg": "JPEG", "webp": "WEBP"}[name[-4:].strip(".")]))
    (tmp_path / "notes.txt").write_text("no image")
    return tmp_path


def test_a_folder_a_file_and_a_pattern_are_examined(folder: Path) -> None:
    assert names(named(folder)) == ["one.png", "three.webp", "two.jpg"]
    assert names(named(folder / "two.jpg")) == ["two.jpg"]
    assert names(named(folder / "t*")) == ["three.webp", "two.jpg"]


def names(page: AppTest) -> list[str]:
    """Of the files that the page holds."""
    return [Path(each.report.exhibit.name).name for each in page.session_state["seen"].values()]


def test_a_file_that_changes_is_examined_again(folder: Path) -> None:
    page = named(folder / "one.png")
    (before,) = page.session_state["seen"].values()
    (folder / "one.png").write_bytes(files.png({"parameters": files.A1111}))
    os.utime(folder / "one.png", ns=(1, 1))
    session.sound(page.run())
    (after,) = page.session_state["seen"].values()
    assert before.report.verdict.claim is None
    assert after.report.verdict.claim is not None


@pytest.mark.parametrize(
    ("name", "said"),
    [("*.tiff", "no file matches"), ("empty", "no image in this folder"), ("gone.png", "No such file")],
)
def test_what_is_not_there_is_said_with_a_remedy(folder: Path, name: str, said: str) -> None:
    (folder / "empty").mkdir()
    assert said in session.words(named(folder / name))


def test_of_too_many_the_first_are_taken(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake, "_MOST_IN_FOLDER", 2)
    page = named(folder)
    assert names(page) == ["one.png", "three.webp"]
    (warning,) = page.warning
    assert warning.value.startswith("There are 3 images; the first 2 are examined here.")


def test_a_closed_machine_offers_no_path(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    monkeypatch.setenv("ASSAY_DASHBOARD_FOLDERS", "0")
    assert len(session.opened().text_input) == 0


def test_a_path_that_was_typed_before_the_door_closed_is_not_read(
    monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    page = named(folder)
    monkeypatch.setenv("ASSAY_DASHBOARD_FOLDERS", "0")
    session.sound(page.run())
    assert "Drop one image" in session.words(page)


# --- addresses --------------------------------------------------------------------------------------------------------


@pytest.fixture
def networked(monkeypatch: pytest.MonkeyPatch, site: Site) -> Site:
    """Pages may fetch; a server of this machine stands for the public ones."""
    monkeypatch.setenv("ASSAY_DASHBOARD_NETWORK", "1")
    fetch = partial(fetching.fetch, allowed=HERE.__eq__, ports={site.port})
    monkeypatch.setattr(fetching, "fetch", fetch)
    site.answers = {"/a.png": answer(encoded("PNG")), "/gone.png": answer(b"", status="404 Not Found")}
    return site


def addressed(*addresses: str) -> AppTest:
    page = session.opened()
    return session.sound(page.text_area(key="addresses").input("\n".join(addresses)).run())


def test_addresses_are_closed_by_default() -> None:
    assert len(session.opened().text_area) == 0


def test_an_address_is_fetched_once(networked: Site) -> None:
    page = addressed(networked.url("/a.png"), "", f"  {networked.url('/a.png')} ")
    assert names(page) == ["a.png"]
    session.sound(page.run())
    assert len(networked.requests) == 1


def test_an_address_that_fails_is_asked_once_and_the_others_are_examined(networked: Site) -> None:
    page = addressed(networked.url("/gone.png"), networked.url("/a.png"))
    assert names(page) == ["a.png"]
    assert "404" in session.words(page)
    session.sound(page.run())
    assert len(networked.requests) == 2


@pytest.mark.parametrize("address", ["http://127.0.0.1/a.png", "file:///etc/passwd", "nonsense", "http://[::1]:1/"])
def test_no_page_leads_inside_a_network(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    monkeypatch.setenv("ASSAY_DASHBOARD_NETWORK", "1")
    page = addressed(address)
    assert "This did not work" in session.words(page)
    assert page.session_state["seen"] == {}
