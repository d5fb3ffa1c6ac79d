from __future__ import annotations

import json

import pytest

from forensics.fields import MAX_JSON, Field, Source
from tests.forensics.metadata_files import fields


@pytest.mark.parametrize(
    ("source", "name", "place"),
    [
        (Source.EXIF, "Make", "EXIF field `Make`"),
        (Source.GPS, "GPSLatitude", "EXIF field `GPSLatitude`"),
        (Source.XMP, "photoshop:Credit", "XMP property `photoshop:Credit`"),
        (Source.IIM, "By-line", "IPTC field `By-line`"),
        (Source.PNG, "parameters", "PNG text block `parameters`"),
        (Source.PNG, "notes of Jane Doe", "PNG text block"),
        (Source.COMMENT, "comment", "comment"),
        (Source.HIDDEN, "notes of Jane Doe", "text hidden in the pixels"),
    ],
)
def test_a_place_is_told_without_repeating_what_an_author_wrote(source: Source, name: str, place: str) -> None:
    assert Field(source=source, name=name, value="").place == place


def test_fields_are_found_by_source_and_name_in_the_order_of_the_names() -> None:
    found = fields(
        (Source.XMP, "b", "2"),
        (Source.XMP, "a", ""),
        (Source.EXIF, "a", "9"),
        (Source.XMP, "a", "1"),
        (Source.XMP, "a", "3"),
    )
    assert [each.value for each in found.of(Source.XMP, "a", "b")] == ["", "1", "3", "2"]
    assert [each.value for each in found.everything(Source.XMP)] == ["2", "", "1", "3"]
    assert found.first(Source.XMP, "a", "b") == "1"
    assert found.first(Source.XMP, "c") == found.first(Source.XMP) == ""


def test_json_is_bounded_over_the_whole_file() -> None:
    found = fields()
    texts = [json.dumps({"a": str(number) + "x" * (MAX_JSON // 2 - 100)}) for number in range(3)]
    assert [found.json(text) is not None for text in texts] == [True, True, False]
    assert found.json(texts[0]) is found.json(texts[0])


def test_fields_are_grouped_by_what_they_are_there_for() -> None:
    found = fields(
        (Source.PNG, "Creator Tool", "1"),
        (Source.PNG, "author", "2"),
        (Source.PNG, "Source", "3"),
        (Source.EXIF, "Software", "4"),
        (Source.EXIF, "Artist", "5"),
        (Source.IIM, "Source", "6"),
        (Source.EXIF, "Make", "7"),
        (Source.HIDDEN, "Software", "8"),
    )
    assert [each.value for each in found.software] == ["4", "1", "8"]
    assert [each.value for each in found.creators] == ["5", "2"]
    assert [each.value for each in found.credit_lines] == ["6", "3"]
    assert [each.value for each in found.makers] == ["7"]
    assert {each.value for each in found.free_texts} == {"1", "2", "3", "8"}
