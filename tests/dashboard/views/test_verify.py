from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader
from streamlit.testing.v1 import AppTest

from assay.cli import main
from dashboard.judging import WITH_PATH, WITHOUT_PATH
from tests.assay.jobs.studio import Studio
from tests.bombs import TOO_LARGE
from tests.dashboard import session
from tests.forensics import metadata_files as files
from tests.pages import Page, words
from tests.seeds import encode, encoded, photograph, photograph_file

CAMERA = {files.MAKE: "NIKON", files.MODEL: "D90"}
CONTRADICTORY = files.png({"parameters": files.A1111}, exif=files.exif(CAMERA))
PRIVATE = files.save(
    exif=files.exif(
        CAMERA,
        exif={files.BODY_SERIAL: "SN-4711-0815"},
        gps={1: "N", 2: (52.0, 31.0, 12.0), 3: "E", 4: (13.0, 24.0, 18.0)},
    )
)
SECRETS = ("SN-4711-0815", "52.52")


def dropped(**given: bytes) -> AppTest:
    """A page with files, each named by its keyword and without a suffix."""
    return session.drop(session.opened(), given)


def test_an_empty_page_says_what_it_is_for() -> None:
    page = session.opened()
    assert page.title[0].value == "Where does this image come from?"
    assert "Drop one image, or forty." in session.words(page)
    assert len(page.get("download_button")) == 0


def test_a_signed_file(trusting: Path, signed: bytes) -> None:
    page = dropped(photo=signed)
    assert session.verdict(page) == "Made with generative AI, says a trusted signer"
    text = session.fragments(page).text()
    for said in (
        "● Signed",
        "Integrity intact",
        "Signer trust trusted",
        "History intact",
        "Declared AI use whole image",
    ):
        assert said in text
    (data,) = session.pictures(page)
    assert data["alt"] == "The image photo"
    assert [each.value for each in page.subheader] == [
        "Evidence, strongest basis first",
        "History, from this file back",
        "Take the report away",
    ]


def test_nothing_found_is_inconclusive_and_no_accusation() -> None:
    page = dropped(photo=encoded("PNG"))
    assert session.verdict(page).startswith("Inconclusive")
    text = session.fragments(page).text()
    assert "◌ Inconclusive" in text
    assert "nothing that could carry a verdict" in text.lower()
    assert not re.search(r"\b(fake|authentic|manipulated|confidence|score)\b", text, re.IGNORECASE)


def test_statements_that_cannot_all_hold_are_in_conflict() -> None:
    page = dropped(photo=CONTRADICTORY)
    text = session.fragments(page).text()
    assert "▲ In conflict" in text
    table = page.dataframe[0].value
    assert set(table[table["Conflict"] == "▲"]["Kind"]) == {"Contradictions"}


# --- files that are none ----------------------------------------------------------------------------------------------


def test_files_that_cannot_be_examined_leave_the_page_alive(trusting: Path, signed: bytes) -> None:
    bad = {
        "torn.jpg": encoded("JPEG")[:2000],
        "notes.jpg": b"Dear diary",
        "empty.png": b"",
        "header.gif": b"GIF89a",
    }
    page = session.drop(session.opened(), {**bad, "good.jpg": signed})
    said = {}
    for at, name in enumerate(bad):
        session.sound(page.selectbox(key="at").set_value(at).run())
        text = session.words(page)
        assert "Could not be examined" in text, name
        assert "There is no picture to show" in text, name
        assert "Traceback" not in text
        said[name] = text
    assert "not an image" in said["notes.jpg"].lower()
    assert "empty" in said["empty.png"].lower()
    assert all("A file that can be read: fetch it again" in said[name] for name in ("notes.jpg", "empty.png"))
    session.sound(page.selectbox(key="at").set_value(len(bad)).run())
    assert session.verdict(page) == "Made with generative AI, says a trusted signer"


def test_pictures_that_are_too_large_to_show_are_examined() -> None:
    for name, build in {"large.png": "png-144-megapixels.png", "absurd.tif": "tiff-absurd.tif"}.items():
        text = session.words(session.drop(session.opened(), {name: TOO_LARGE[build]()}))
        assert "Could not be examined" not in text
        assert "There is no picture to show" in text
        assert "Raise --max-pixels if you trust the source" in text


def test_a_profile_that_is_not_there_is_said_with_a_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSAY_TRUST", "misspelt")
    page = dropped(photo=encoded("PNG"))
    assert "This did not work" in session.words(page)
    assert "misspelt" in session.words(page)


def test_the_publishers_rules_are_applied(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "assay.toml").write_text('[[rules]]\nid = "no-personal-data"\n')
    assert "▲ Error no-personal-data : its metadata holds location and serial numbers" in session.words(
        dropped(photo=PRIVATE)
    )


def test_rules_that_cannot_be_used_are_said_with_a_remedy_and_clear_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    policy = tmp_path / "assay.toml"
    for text in ("rules = ", '[[rules]]\nid = "no-such-rule"\n', '[[rules]]\nid = "no-ai"\npaths = ["photos/"]\n'):
        policy.write_text(text)
        page = dropped(photo=PRIVATE)
        assert "This did not work" in session.words(page)
        assert "assay.toml" in session.words(page)
        assert not [each for each in page.html if 'aria-label="Verdict"' in each.value]
        assert len(page.get("download_button")) == 0
    policy.write_text('[[rules]]\nid = "no-personal-data"\n')
    session.sound(page.run())
    assert "▲ Error no-personal-data :" in session.words(page), "a corrected policy counts at once"


# --- the page stops what the gate stops -------------------------------------------------------------------------------


POLICIES = {
    "README.md": (0, ("public", "public/photos")),
    "docs/rules.md": (1, ("published/news", "published/illustrations")),
}
"""Policies of the documents: the page, which of its policies, and folders that together match all `paths` in it."""


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The current folder, for a policy that does not ask what the pixels say."""
    monkeypatch.setenv("ASSAY_SKIP", "detector,legacy-watermark")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def kinds(twenty: dict[str, bytes], signed: bytes) -> dict[str, bytes]:
    """Twenty files: plain, declared as generated, with personal data, signed, and changed after that."""
    changed = signed.replace(b"c2pa.created", b"c2pa.creatfd", 1)
    return {**dict(list(twenty.items())[3:]), "private.jpg": PRIVATE, "signed.jpg": signed, "changed.jpg": changed}


def policy_in(document: str, number: int, repo_root: Path) -> str:
    return re.findall(r"```toml\n(.*?)```", (repo_root / document).read_text(), re.DOTALL)[number]  # type: ignore[no-any-return]


def gate_of(folders: Iterable[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, dict[str, set[str]]]:
    """What the command exits with, and the rules that each file breaks, by its name, in whichever of the folders."""
    code = main(["verify", "--decode", "--format", "json", "--jobs", "1", *folders])
    broken: dict[str, set[str]] = {}
    for told in json.loads(capsys.readouterr().out)["reports"]:
        name = Path(told["exhibit"]["name"]).name
        broken.setdefault(name, set()).update(each["rule"] for each in told["violations"])
    return code, broken


def indexed(page: AppTest) -> dict[str, set[str]]:
    """The rules that the index says each file breaks."""
    names = listed(page)
    cells = [Page(row.rpartition("<td")[2].partition(">")[2]).text() for row in _index(page).split("<tr")[2:]]
    broken = {}
    for name, cell in zip(names, cells, strict=True):
        count, colon, rules = cell.removeprefix("▲ ").partition(" broken: ")
        broken[name] = set(rules.split(", ")) if colon else set()
        assert count == (str(len(broken[name])) if colon else cell)
        assert colon or cell.startswith("none broken")
    return broken


@pytest.mark.usefixtures("trusting")
@pytest.mark.parametrize("document", POLICIES)
def test_files_without_a_path_break_what_they_break_at_the_paths_that_the_policy_names(
    document: str, desk: Path, repo_root: Path, kinds: dict[str, bytes], capsys: pytest.CaptureFixture[str]
) -> None:
    number, folders = POLICIES[document]
    (desk / "assay.toml").write_text(policy_in(document, number, repo_root))
    for folder in folders:
        (desk / folder).mkdir(parents=True)
        for name, data in kinds.items():
            (desk / folder / name).write_bytes(data)
    code, stopped = gate_of(folders, capsys)
    assert code == 1
    assert set(stopped) == set(kinds)
    assert set().union(*stopped.values()) >= {"no-undeclared-ai", "no-personal-data"}
    page = session.drop(session.opened(), kinds)
    assert indexed(page) == stopped
    taken = json.loads(session.downloaded(page, "Download JSON", 1))["reports"]
    assert {each["exhibit"]["name"]: {one["rule"] for one in each["violations"]} for each in taken} == stopped
    session.sound(page.selectbox(key="at").set_value(list(kinds).index("private.jpg")).run())
    (one,) = json.loads(session.downloaded(page, "Download JSON"))["reports"]
    assert {each["rule"] for each in one["violations"]} == stopped["private.jpg"]


def test_the_example_of_the_readme_applies_to_a_dropped_file_and_says_so(desk: Path, repo_root: Path) -> None:
    (desk / "assay.toml").write_text(policy_in("README.md", 0, repo_root))
    said = session.words(dropped(photo=files.png({"parameters": files.A1111})))
    assert "▲ Error no-undeclared-ai : generative AI is indicated" in said
    assert "3 of 3 rules of assay.toml were applied: credentials-verify , no-undeclared-ai , no-personal-data ." in said
    assert f". 1 is broken. {WITHOUT_PATH}" in said
    assert "no-undeclared-ai : ▲ broken (error) ." in said
    assert "The policy has it for public/**." in said


def test_files_of_a_folder_are_judged_by_their_paths(desk: Path, repo_root: Path) -> None:
    (desk / "assay.toml").write_text(policy_in("README.md", 0, repo_root))
    for folder in ("public", "drafts"):
        (desk / folder).mkdir()
        (desk / folder / f"{folder}.png").write_bytes(files.png({"parameters": files.A1111}))
    page = session.opened()
    session.sound(page.text_input(key="folder").input(str(desk)).run())
    assert list(indexed(page).values()) == [set(), {"no-undeclared-ai"}]
    said = session.words(page)
    assert "2 of 3 rules of assay.toml were applied: credentials-verify , no-personal-data . None is broken." in said
    assert WITH_PATH in said
    assert "no-undeclared-ai : not applied ." in said


def test_no_exception_by_path_clears_a_dropped_file(desk: Path) -> None:
    rule = '[[rules]]\nid = "no-personal-data"\npaths = ["public/**"]\n[[exceptions]]\nrule = "no-personal-data"\n'
    end = '\nreason = "the place is the subject"\nexpires = 9999-12-31\n'
    (desk / "assay.toml").write_text(f'{rule}paths = ["**"]{end}')
    assert "▲ Error no-personal-data :" in session.words(dropped(photo=PRIVATE))
    (desk / "assay.toml").write_text(f'{rule}sha256 = ["{hashlib.sha256(PRIVATE).hexdigest()}"]{end}')
    said = session.words(dropped(photo=PRIVATE))
    assert "▲ Error no-personal-data" not in said
    assert "an exception lets the file pass until 9999-12-31 (the place is the subject)" in said


# --- personal data ----------------------------------------------------------------------------------------------------


def test_personal_data_is_shown_and_taken_away_only_on_demand() -> None:
    page = dropped(one=PRIVATE, other=PRIVATE)
    for personal in (False, True, False):
        session.sound(page.toggle(key="personal").set_value(personal).run())
        table = str(page.dataframe[0].value.to_numpy().tolist())
        assert [secret in session.words(page) + table for secret in SECRETS] == [personal] * 2
        for label in ("Download HTML", "Download PDF", "Download JSON"):
            for which in (0, 1):  # of the one that is drawn, of all
                taken = words(session.downloaded(page, label, which))
                assert [secret in taken for secret in SECRETS] == [personal] * 2, (label, which)


# --- many files -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def twenty() -> dict[str, bytes]:
    """Different pictures, the last of which declares its generator."""
    crops = [encode(photograph().crop((at, 0, at + 90, 90)), "PNG") for at in range(19)]
    return {f"{at:02}.png": data for at, data in enumerate([*crops, files.png({"parameters": files.A1111})])}


def test_twenty_files(twenty: dict[str, bytes]) -> None:
    page = session.drop(session.opened(), twenty)
    assert "20 images: 1 noted, 19 inconclusive" in session.words(page)
    assert listed(page) == list(twenty)
    assert current(page) == "00.png"
    for button, name in (("Next", "01.png"), ("Next", "02.png"), ("Previous", "01.png"), ("Previous", "00.png")):
        session.press(page, button)
        assert current(page) == name
    session.press(page, "Previous")
    assert current(page) == "19.png"
    assert session.verdict(page).startswith("Declared as made with generative AI")
    (told,) = json.loads(session.downloaded(page, "Download JSON"))["reports"]
    assert told["exhibit"]["name"] == "19.png"
    all_of = json.loads(session.downloaded(page, "Download JSON", 1))["reports"]
    assert [each["exhibit"]["name"] for each in all_of] == list(twenty)
    assert session.downloaded(page, "Download HTML", 1).count(b"<article") >= 20
    pages = PdfReader(BytesIO(session.downloaded(page, "Download PDF", 1))).pages
    assert all(name in "".join(each.extract_text() for each in pages) for name in twenty)


def _index(page: AppTest) -> str:
    (index,) = [each.value for each in page.html if 'class="index"' in each.value]
    return index


def listed(page: AppTest) -> list[str]:
    return re.findall(r'<span class="name">([^<]*)</span>', _index(page))


def current(page: AppTest) -> str:
    """Of the files of the index, the one that is drawn."""
    (row,) = [row for row in _index(page).split("<tr")[1:] if 'aria-current="true"' in row]
    (name,) = re.findall(r'<span class="name">([^<]*)</span>', row)
    (section,) = [each.value for each in page.html if 'aria-label="Verdict"' in each.value]
    assert f'<p class="name soft">{name}</p>' in section
    return name


def test_fewer_files_than_before_leave_the_one_that_is_there(twenty: dict[str, bytes]) -> None:
    page = session.drop(session.opened(), twenty)
    session.press(page, "Previous")
    session.drop(page, dict(list(twenty.items())[:3]))
    assert current(page) == "02.png"
    session.drop(page, dict(list(twenty.items())[:1]))
    assert len(page.button) == 0


def test_a_name_cannot_change_the_page() -> None:
    name = "<img src=x onerror=alert(1)>![i](http://example.org/i.png).png"
    page = session.drop(session.opened(), {name: encoded("PNG"), "b.png": encoded("PNG")})
    assert {tag for tag, attrs in session.fragments(page).elements if ("onerror", "alert(1)") in attrs} == set()
    assert name in session.fragments(page).text()
    assert all("http" not in element.value for element in (*page.markdown, *page.caption))


def test_sessions_do_not_see_each_others_files(trusting: Path, signed: bytes) -> None:
    one, other = session.opened(), session.opened()
    session.drop(one, {"one.jpg": signed})
    session.drop(other, {"other.png": encoded("PNG")})
    session.sound(one.run())
    for page, mine, theirs in ((one, "one.jpg", "other.png"), (other, "other.png", "one.jpg")):
        assert mine in session.words(page)
        assert theirs not in session.words(page)
        assert [each.report.exhibit.name for each in page.session_state["seen"].values()] == [mine]
    assert "one.jpg" not in session.words(session.opened())


# --- the page says what the command says ------------------------------------------------------------------------------


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, without rules."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def require_equal(data: bytes, place: Path, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """Of one file, dropped on the page and named to the command; returns what the command prints of it."""
    (place / "photo.png").write_bytes(data)
    main(["verify", "--decode", "--format", "json", "--jobs", "1", "photo.png"])
    printed = capsys.readouterr().out
    page = session.drop(session.opened(), {"photo.png": data})
    assert session.downloaded(page, "Download JSON").decode() == printed
    (told,) = json.loads(printed)["reports"]
    assert session.verdict(page) == told["verdict"]["headline"]
    table = " ".join(str(cell) for each in page.dataframe for cell in each.value.to_numpy().flat)
    said = " ".join(f"{session.words(page)} {table}".split()).casefold()
    assert [text for text in _texts(told) if " ".join(text.split()).casefold() not in said] == []
    return told


def _texts(told: dict[str, Any]) -> Iterator[str]:
    """Every word and number that a reader is owed."""
    verdict, exhibit = told["verdict"], told["exhibit"]
    yield from (*verdict["because"], *verdict["conflicts"], exhibit["sha256"], f"{exhibit['byte_size']:,} bytes")
    yield verdict["basis"] or "inconclusive"
    for outcome in told["outcomes"]:
        yield from filter(None, map(outcome.get, ("summary", "reason", "hint")))
        for detail in (*outcome.get("details", ()), *outcome.get("identity", ())):
            yield from (detail["name"], detail["value"])
        if outcome.get("p_value") is not None:
            yield f"p-value {outcome['p_value']:.3g}"
        if outcome.get("log10_lr") is not None:
            yield f"log10 likelihood ratio {outcome['log10_lr']:.2f}"
        if outcome.get("statistic") is not None:
            yield f"statistic {outcome['statistic']:.4g}"


def test_of_a_signed_file(trusting: Path, signed: bytes, place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert require_equal(signed, place, capsys)["verdict"]["basis"] == "signed"


def test_of_metadata_that_contradict_themselves(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert require_equal(CONTRADICTORY, place, capsys)["verdict"]["conflicts"]


def test_of_personal_data(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    require_equal(PRIVATE, place, capsys)


@pytest.mark.parametrize("data", [encoded("PNG"), encoded("PNG")[:2000], b"Dear diary"], ids=["plain", "torn", "text"])
def test_of_what_holds_nothing(data: bytes, place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (place / "photo.png").write_bytes(data)
    main(["verify", "--decode", "--format", "json", "--jobs", "1", "photo.png"])
    page = session.drop(session.opened(), {"photo.png": data})
    assert session.downloaded(page, "Download JSON").decode() == capsys.readouterr().out


def test_of_a_picture_of_ours(
    studio: Studio, place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ASSAY_HOME", str(studio.settings.home))
    told = require_equal(studio.picture.read_bytes(), place, capsys)
    assert told["verdict"]["basis"] == "marked"
    assert any(outcome["p_value"] < 1e-6 for outcome in told["outcomes"] if "p_value" in outcome)


def test_of_a_photograph_that_the_detector_looks_at(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ASSAY_SKIP", "legacy-watermark")
    told = require_equal(photograph_file("china").read_bytes(), place, capsys)
    (measured,) = [outcome for outcome in told["outcomes"] if outcome["check"] == "detector"]
    assert "statistic" in measured


def test_of_files_of_this_machine_the_names_are_equal_too(
    place: Path, capsys: pytest.CaptureFixture[str], twenty: dict[str, bytes]
) -> None:
    for name in list(twenty)[-3:]:
        (place / name).write_bytes(twenty[name])
    main(["verify", "--decode", "--format", "json", "--jobs", "1", str(place)])
    page = session.opened()
    session.sound(page.text_input(key="folder").input(str(place)).run())
    assert session.downloaded(page, "Download JSON", 1).decode() == capsys.readouterr().out
