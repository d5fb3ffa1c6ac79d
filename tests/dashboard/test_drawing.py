from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from streamlit.testing.v1 import AppTest

from assay.report.escape import visible
from assay.report.privacy import MASK
from assay.vocabulary import Basis, Claim, Detail, Report
from dashboard import drawing
from dashboard.viewer import Shown
from tests.assay.report import samples
from tests.assay.report.arbitrary import HOSTILE, REPORTS, with_text
from tests.builders import facts, measurement, observation, report
from tests.dashboard import session
from tests.dashboard.test_fragments import require_ours
from tests.pages import words


def pages(*reports: Report, personal: bool = True) -> AppTest:
    """One page of several reports, each beside a picture."""
    shown = Shown(samples.PREVIEW, "image/jpeg", "As it is.")

    def draw() -> None:
        for number, each in enumerate(reports):
            drawing.report(each, shown, key=str(number), personal=personal)

    return session.drawn(draw)


def elements(page: AppTest) -> list[object]:
    """All that is on the page, but for words."""
    other = [element.value for element in page.markdown], [element.label for element in page.get("download_button")]
    return [session.fragments(page).elements, len(page.dataframe), *other]


@settings(max_examples=30, deadline=None)
@given(REPORTS)
def test_any_report_is_a_page_of_ours_alone(reports: list[Report]) -> None:
    page = pages(*reports)
    require_ours(session.fragments(page))
    cells = [str(value) for table in page.dataframe for value in table.value.to_numpy().flat]
    assert [visible(cell, limit=len(cell), lines=True) for cell in cells] == cells


@pytest.mark.parametrize("text", HOSTILE)
def test_a_file_cannot_change_the_page(text: str) -> None:
    hostile, plain = (pages(*(with_text(each, word) for each in samples.all_kinds())) for word in (text, "plain"))
    assert elements(hostile) == elements(plain)


def test_what_is_private_is_masked_on_the_page_and_in_what_is_taken_away() -> None:
    private = ("Jo Example", "52.5200 N, 13.4050 E")
    reports = samples.signed_and_generated(), samples.contradictory()
    for personal in (False, True):
        page = pages(*reports, personal=personal)
        shown = session.words(page) + str([table.value.to_numpy().tolist() for table in page.dataframe])
        assert [text in shown for text in private] == [personal, personal]
        assert (MASK in shown) != personal
        for label in ("Download HTML", "Download PDF", "Download JSON"):
            taken = [words(session.downloaded(page, label, which)) for which in (0, 1)]
            assert ["Jo Example" in taken[0], "52.5200 N" in taken[1]] == [personal, personal], label


def test_json_is_plain_data_without_pictures() -> None:
    page = pages(samples.signed_and_generated())
    (told,) = json.loads(session.downloaded(page, "Download JSON"))["reports"]
    assert told["preview"] is None
    assert told["exhibit"]["name"] == "pictures/tulip.jpg"
    assert b"base64," in session.downloaded(page, "Download HTML")


def test_the_file_is_named_after_the_image_and_nothing_else() -> None:
    def name(of: str) -> str:
        page = pages(report(exhibit=facts(name=of)))
        (button,) = [each for each in page.get("download_button") if each.label == "Download JSON"]
        return next(
            each._deferred_callables[button.proto.deferred_file_id]["filename"]
            for each in session.Downloads.made
            if button.proto.deferred_file_id in each._deferred_callables
        )

    assert name("folder/photo.tar.jpg") == "assay-photo.tar.json"
    assert name("a\u202ejpg.exe") == "assay-a\\u202ejpg.json"
    assert len(name("x" * 400 + ".png")) == len("assay-.json") + 80


def test_without_pixels_there_is_no_viewer_and_it_is_said() -> None:
    page = session.drawn(drawing.report, samples.unreadable(), None, key="one", personal=False)
    assert session.pictures(page) == []
    assert "There is no picture to show" in session.words(page)


def test_the_viewer_has_the_maps_that_checks_drew() -> None:
    (data,) = session.pictures(pages(samples.measured()))
    assert [each["name"] for each in data["maps"]] == ["noise"]
    assert data["alt"] == f"The image {samples.measured().exhibit.name}"


def test_a_map_may_have_any_name() -> None:
    (data,) = session.pictures(pages(report(measurement(check="noise\ud800", map=samples.PREVIEW))))
    assert [each["name"] for each in data["maps"]] == ["noise\\ud800"]


def test_the_history_is_a_tree() -> None:
    page = pages(samples.signed_and_generated())
    assert "History, from this file back" in [each.value for each in page.subheader]
    (tree,) = [each.value for each in page.html if 'class="tree"' in each.value]
    assert tree.index("tulip.jpg") < tree.index("tulip-draft.png") < tree.index("paper-texture.jpg")


# --- metadata ---------------------------------------------------------------------------------------------------------


def test_metadata_are_searched_by_any_word() -> None:
    page = pages(samples.contradictory())
    whole = page.dataframe[0].value
    assert set(whole["Conflict"]) == {"▲", ""}
    assert whole[whole["Conflict"] == "▲"]["Kind"].unique().tolist() == ["Contradictions"]
    page.text_input[0].input("OPTICS").run()
    (row,) = page.dataframe[0].value.to_dict("records")
    assert (row["Field"], row["Value"]) == ("Make", "Example Optics")
    session.sound(page.text_input[0].input("zeppelin").run())
    assert len(page.dataframe) == 0
    assert f"Nothing of {len(whole)} entries holds these words." in session.words(page)


def test_what_is_masked_is_not_found_either() -> None:
    page = pages(samples.contradictory(), personal=False)
    page.text_input[0].input("52.52").run()
    assert len(page.dataframe) == 0


def test_a_report_without_notes_has_no_table() -> None:
    page = pages(samples.measured())
    assert len(page.dataframe) == len(page.text_input) == 0


# --- its row in the ledger --------------------------------------------------------------------------------------------


def ours(row: str, check: str = "watermark") -> Report:
    details = (Detail(name="Ledger row", value=row),)
    found = {"basis": Basis.MARKED, "claim": Claim.OURS, "log10_lr": None, "p_value": 1e-9}
    return report(measurement(check=check, details=details, **found))


@pytest.mark.parametrize("row", ["0123456789abcdef", "f" * 17, "-1", "", "no number", "0x12"])
def test_a_row_that_is_not_there_is_not_looked_for_in_vain(row: str, tmp_path: Path, monkeypatch: object) -> None:
    monkeypatch.setenv("ASSAY_HOME", str(tmp_path / "home"))  # type: ignore[attr-defined]
    page = pages(ours(row), report(observation(details=(Detail(name="Ledger row", value="0" * 16),))))
    assert "Its row in the ledger" not in [each.value for each in page.subheader]
    assert list(tmp_path.iterdir()) == [], "looking makes nothing"
