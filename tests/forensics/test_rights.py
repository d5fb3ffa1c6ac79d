from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.vocabulary import Observation
from forensics.fields import Source
from forensics.rights import rights, rights_disagree
from tests.forensics import metadata_files as files
from tests.forensics.metadata_files import fields, listed, observations, packet, values

Item = tuple[Source, str, str]
NAMES = {
    "Creator": {Source.IIM: "By-line", Source.XMP: "dc:creator", Source.EXIF: "Artist"},
    "Credit": {Source.IIM: "Credit", Source.XMP: "photoshop:Credit"},
    "Copyright": {Source.IIM: "Copyright Notice", Source.XMP: "dc:rights", Source.EXIF: "Copyright"},
}


def _disagreement(*items: Item) -> Observation | None:
    return next(rights_disagree(fields(*items)), None)


def test_rights_are_read_from_all_places_of_a_file() -> None:
    xmp = packet(listed("dc:creator", "Jane Doe") + listed("dc:rights", "© Jane", kind="Alt"), photoshop_Credit="Desk")
    exif = files.exif({files.ARTIST: "Jane Doe", files.COPYRIGHT: "(c) Jane"})
    data = files.with_iim(
        files.save("JPEG", exif=exif, xmp=xmp), (2, 80, b"Jane Doe"), (2, 110, b"Desk"), (2, 116, b"Copyright Jane")
    )
    found = observations(data)
    assert values(found["rights"]) == {
        "Creator [IIM]": "Jane Doe",
        "Creator [XMP]": "Jane Doe",
        "Creator [EXIF]": "Jane Doe",
        "Credit [IIM]": "Desk",
        "Credit [XMP]": "Desk",
        "Copyright [IIM]": "Copyright Jane",
        "Copyright [XMP]": "© Jane",
        "Copyright [EXIF]": "(c) Jane",
    }
    assert {each.name for each in found["rights"].details if each.private} == {
        "Creator [IIM]",
        "Creator [XMP]",
        "Creator [EXIF]",
    }
    assert "rights-disagree" not in found


def test_png_text_names_rights_and_never_contradicts() -> None:
    found = observations(files.png({"Author": "Joe", "Copyright": "Joe"}, exif=files.exif({files.ARTIST: "Jane"})))
    assert values(found["rights"]) == {
        "Creator [EXIF]": "Jane",
        "Creator [PNG text]": "Joe",
        "Copyright [PNG text]": "Joe",
    }
    assert "rights-disagree" not in found


@pytest.mark.parametrize("name", NAMES)
def test_different_statements_disagree(name: str) -> None:
    (one, first), (other, second), *_ = NAMES[name].items()
    note = _disagreement((one, first, "Jane Doe"), (other, second, "Somebody Else"))
    assert note is not None
    assert note.contradiction
    assert note.claim is None
    assert name.lower() in note.summary
    assert "Jane" not in note.summary
    assert [each.private for each in note.details] == [name == "Creator"] * 2


@pytest.mark.parametrize(
    ("name", "one", "other"),
    [
        ("Creator", "Jane Doe", "JANE  DOE"),
        ("Creator", "Jane Doe; Joe Roe", "Joe Roe, Jane Doe"),
        ("Creator", "Jane Doe and Joe Roe", "Jane Doe/Joe Roe"),
        ("Creator", "Zoë Ünal", "Zoe Unal"),
        ("Creator", "Jane Doe", "Jane Doe; Joe Roe"),
        ("Creator", "Jane Doe", "photographer: Jane Doe"),
        ("Creator", "Jane Doe", "---"),
        ("Copyright", "© 2026 Jane Doe", "(c) 2026, Jane Doe. All rights reserved."),
        ("Copyright", "Copyright Jane Doe", "Jane Doe"),
        ("Credit", "Desk / Agency", "Desk/Agency"),
        ("Credit", "NASA, ESA, Michael Wong (Space Telescope", "NASA, ESA, Michael Wong (Space T"),
        ("Credit", "Associated Press of Xanadu City – Desk", "Associated Press of Xanadu Ci?\x02z "),
    ],
)
def test_what_software_changes_on_the_way_does_not_disagree(name: str, one: str, other: str) -> None:
    (source, iim), (second, xmp), *_ = NAMES[name].items()
    assert _disagreement((source, iim, other), (second, xmp, one)) is None
    if name != "Credit":
        assert _disagreement((source, iim, one), (second, xmp, other)) is None


def test_one_notice_in_two_languages_is_one_notice() -> None:
    items = [(Source.XMP, "dc:rights", "all mine"), (Source.XMP, "dc:rights", "tout à moi")]
    assert _disagreement(*items, (Source.IIM, "Copyright Notice", "all mine")) is None


def test_without_fields_there_is_nothing() -> None:
    assert list(rights(fields())) == []
    assert _disagreement() is None


@given(
    st.lists(
        st.tuples(st.sampled_from(Source), st.sampled_from(["By-line", "Artist", "dc:creator"]), st.text(max_size=40))
    )
)
def test_no_text_raises_and_a_copy_never_disagrees(items: list[Item]) -> None:
    list(rights_disagree(fields(*items)))
    for _, _, value in items:
        assert _disagreement((Source.IIM, "By-line", value), (Source.XMP, "dc:creator", value)) is None
