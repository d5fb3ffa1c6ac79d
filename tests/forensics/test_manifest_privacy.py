from __future__ import annotations

import time
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.report.privacy import masked
from assay.rules import Context
from assay.rules.metadata import NoPersonalData
from assay.vocabulary import Observation, Settings
from forensics.manifest_privacy import personal
from tests.builders import report
from tests.forensics.conftest import examine, exhibit_of
from tests.forensics.metadata_files import values

EXIF: dict[str, Any] = {"@context": {"exif": "http://ns.adobe.com/exif/1.0/"}}


def _found(*assertions: dict[str, Any], **more: Any) -> dict[str, Observation]:
    notes = list(personal([{"label": "a", "assertions": each} for each in assertions], **more))
    assert all(note.check == "credentials" and note.claim is None for note in notes)
    assert all(each.private for note in notes for each in note.details)
    return {note.signal: note for note in notes}


@pytest.mark.parametrize("label", ["stds.exif", "c2pa.metadata", "cawg.metadata", "com.example.camera", "stds.exif__1"])
def test_places_and_serial_numbers_are_found_in_every_assertion(label: str) -> None:
    body = EXIF | {"exif:GPSLatitude": "48,51.5N", "exif:GPSLongitude": 2.29, "exifEX:BodySerialNumber": "SN-1"}
    found = _found({label: body})
    assert values(found["location"]) == {"Latitude": "48.858333", "Longitude": "2.290000"}
    assert values(found["serial-numbers"]) == {"Body serial number": "SN-1"}
    assert not any(character.isdigit() for note in found.values() for character in note.summary)


def test_places_stand_in_structures_and_lists() -> None:
    body = {"contentLocation": [{"@type": "Place", "geo": {"latitude": "48.5", "longitude": "2.25"}}]}
    assert values(_found({"stds.schema-org.CreativeWork": body})["location"])["Latitude"] == "48.500000"


def test_older_manifests_are_read_too() -> None:
    assert "location" in _found({}, {"stds.exif": {"EXIF:GPSLatitude": "43.15", "EXIF:GPSLongitude": "-77.58"}})


@pytest.mark.parametrize(
    "parameters",
    [
        {"prompt": "a secret product"},
        {"com.example.prompt": ["a secret product"]},
        {"prompt": {"text": "a secret product"}},
        {"com.adobe": {"settings": [{"negativePrompt": "a secret product"}]}},
    ],
)
def test_prompts_are_found_in_the_parameters_of_actions(parameters: dict[str, Any]) -> None:
    found = _found({"c2pa.actions.v2": {"actions": [{"action": "c2pa.created", "parameters": parameters}]}})
    assert [each.value for each in found["prompt"].details] == ["a secret product"]


@pytest.mark.parametrize("key", ["dataTypes", "data_types"])
def test_an_ingredient_that_is_a_prompt_is_one(key: str) -> None:
    types = [{"type": "c2pa.types.generator.prompt"}]
    found = _found({"c2pa.ingredient.v3": {"dc:title": "a secret product", key: types, "relationship": "inputTo"}})
    assert [each.value for each in found["prompt"].details] == ["a secret product"]
    assert "prompt" in _found({"c2pa.ingredient.v3": {key: types}})


@pytest.mark.parametrize(
    "assertions",
    [
        {"cawg.identity": {"signature": {"certificateInfo": {"serialNumber": "77"}}}},
        {"c2pa.ingredient": {"validationResults": {"serialNumber": "77", "prompt": "x"}, "dc:title": "a.jpg"}},
        {"c2pa.actions": {"actions": [{"action": "c2pa.edited", "parameters": {"promptStrength": 7, "prompt": ""}}]}},
        {"stds.exif": {"exif:GPSLatitude": "0", "exif:GPSLongitude": "0", "exif:GPSVersionID": "2.3.0.0"}},
        {"c2pa.hash.data": {"serialNumber": "77"}},
        {"c2pa.metadata": {"dc:creator": "Jane", "photoshop:City": "Paris"}},
    ],
)
def test_what_is_not_personal_is_left_out(assertions: dict[str, Any]) -> None:
    assert _found(assertions) == {}


@pytest.mark.parametrize(
    "manifest",
    [
        {},
        {"assertions": None},
        {"assertions": [1]},
        {"assertions": {"a": None, "b": [[[]]], "c": "prompt", "d": {"": 1}}},
    ],
)
def test_any_value_may_have_any_type(manifest: dict[str, Any]) -> None:
    assert list(personal([manifest])) == []


def test_depth_and_size_are_bounded() -> None:
    deep: Any = "end"
    for _ in range(50_000):
        deep = {"a": [deep]}
    wide = {str(at): {"prompt": str(at), "GPSLatitude": str(at % 80)} for at in range(100_000)}
    start = time.process_time()
    found = _found({"deep": deep, "wide": wide})
    assert time.process_time() - start < 10
    assert all(len(note.details) <= 40 for note in found.values())


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["prompt", "exif:GPSLatitude", "dataTypes", "type", "serialNumber"]) | st.text(max_size=5),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@settings(max_examples=150)
@given(st.dictionaries(st.sampled_from(["c2pa.actions", "stds.exif", "cawg.identity"]), JSON))
def test_no_manifest_raises(assertions: dict[str, Any]) -> None:
    list(personal([{"assertions": assertions}]))


def test_a_real_manifest_is_read_whether_it_verifies_or_not(shared: Path, stranger_settings: Settings) -> None:
    data = (shared / "c2pa/public-testfiles/image/jpeg/truepic-20230212-library.jpg").read_bytes()
    changed = bytearray(data)
    changed[-1_000] ^= 1
    for each in (data, bytes(changed)):
        signals = [
            note.signal for note in examine(stranger_settings, exhibit_of(each)) if isinstance(note, Observation)
        ]
        assert "location" in signals


def test_the_file_whose_manifest_alone_says_where_breaks_the_rule(shared: Path, stranger_settings: Settings) -> None:
    data = (shared.parent / "cases" / "files" / "c36-gps-in-manifest.jpg").read_bytes()
    outcomes = examine(stranger_settings, exhibit_of(data))
    found = {each.signal for each in outcomes if isinstance(each, Observation)}
    assert found == {"location", "serial-numbers"}
    context = Context(today=date(2026, 11, 23), name="photo.jpg")
    assert list(NoPersonalData().check(report(*outcomes), context)) == [
        "its Content Credentials hold location and serial numbers"
    ]
    shown = str(masked(report(*outcomes)))
    assert "SN-SECRET-1" not in shown
    assert "48.85" not in shown
