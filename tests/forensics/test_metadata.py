from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import ExifTags

from assay.errors import UnreadableError
from assay.exhibit import inspect, receive
from assay.rules.ai import AI_SIGNALS
from assay.vocabulary import (
    Claim,
    Exhibit,
    ExhibitFacts,
    Failed,
    Limits,
    Nothing,
    Observation,
    Picture,
    Settings,
)
from forensics.metadata import Metadata
from forensics.notes import MAX_VALUE
from tests.forensics import metadata_files as files
from tests.forensics.metadata_files import A1111, examine, observations, packet, values

FACTS = {
    "camera",
    "capture-date",
    "location",
    "serial-numbers",
    "rights",
    "software",
    "prompt",
    "bytes-after-end",
    "hidden-text",
}
CONTRADICTIONS = {"camera-and-generator", "thumbnail-differs", "dates-disagree", "rights-disagree"}


def test_it_is_a_check_of_files() -> None:
    assert Metadata.id == "metadata"
    assert Metadata.claims == {Claim.GENERATED, Claim.EDITED, Claim.CAPTURED}
    first, *rest = (Metadata.__doc__ or "").splitlines()
    assert first.endswith(".")
    assert any("What it does not mean" in line for line in rest)


@pytest.mark.parametrize("format_name", ["JPEG", "PNG", "WEBP", "TIFF", "GIF", "BMP", "AVIF"])
def test_a_file_without_metadata_says_nothing(format_name: str) -> None:
    assert examine(files.save(format_name)) == (Nothing(check="metadata"),)


@pytest.mark.parametrize("which", files.PHOTOGRAPHS)
def test_real_photographs_declare_no_ai_and_contradict_nothing(which: str) -> None:
    for outcome in examine(files.photograph_file(which)):
        assert isinstance(outcome, Observation | Nothing)
        if isinstance(outcome, Observation):
            assert outcome.signal in FACTS
            assert not outcome.contradiction


def test_a_camera_beside_a_generator_is_a_contradiction_that_speaks_against_generated() -> None:
    found = observations(files.png({"parameters": A1111}, exif=files.exif({files.MAKE: "Canon"})))
    note = found["camera-and-generator"]
    assert (note.contradiction, note.claim) == (True, Claim.GENERATED)
    assert values(note) == {"Generator's marks": "a1111-parameters"}


def test_a_camera_beside_an_edit_is_none() -> None:
    xmp = packet(Iptc4xmpExt_DigitalSourceType="compositeWithTrainedAlgorithmicMedia")
    found = observations(files.save("JPEG", exif=files.exif({files.MAKE: "Google"}), xmp=xmp))
    assert {"camera", "digital-source-type"} == set(found)


def test_one_prompt_that_stands_in_two_places_is_reported_once() -> None:
    outcomes = examine(files.png({"parameters": A1111, "Comment": A1111}))
    prompts = [each for each in outcomes if isinstance(each, Observation) and each.signal == "prompt"]
    assert [list(values(each)) for each in prompts] == [["Prompt", "Negative prompt"]]


def test_long_values_are_cut_and_stand_on_one_line() -> None:
    note = observations(files.png({"parameters": "a\nb " * 2_000 + "\n" + A1111.split("\n")[-1]}))["prompt"]
    (prompt,) = note.details
    assert len(prompt.value) == MAX_VALUE
    assert prompt.value.endswith("…")
    assert "\n" not in prompt.value


def test_what_cannot_be_read_is_one_failure_that_names_the_file_and_hides_nothing() -> None:
    attack = b'<!DOCTYPE x [<!ENTITY a "b">]><x:xmpmeta xmlns:x="adobe:ns:meta/">&a;</x:xmpmeta>'
    outcomes = examine(files.save("JPEG", xmp=attack, exif=files.exif({files.MAKE: "Canon"})))
    (failed,) = (each for each in outcomes if isinstance(each, Failed))
    assert failed.error.startswith("a.jpg: ")
    assert "entities" in failed.error
    assert any(isinstance(each, Observation) and each.signal == "camera" for each in outcomes)


SECRET = "Xanthippe Quux"


def test_no_summary_repeats_personal_data() -> None:
    exif = files.exif(
        {files.ARTIST: SECRET, files.COPYRIGHT: SECRET, files.MAKE: SECRET, files.SOFTWARE: "ChatGPT " + SECRET},
        exif={files.BODY_SERIAL: SECRET, files.OWNER: SECRET, files.DATE_TIME_ORIGINAL: "2026:05:04 18:39:11"},
        gps={ExifTags.GPS.GPSLatitudeRef: "N", ExifTags.GPS.GPSLatitude: (1.0, 2.0, 3.0)},
    )
    body = files.listed("dc:creator", "Somebody Else") + files.element("Iptc4xmpExt:AIPromptWriterName", SECRET)
    data = files.png({f"{SECRET}'s notes": A1111, "Author": SECRET, "AIGC": '{"Label": "1"}'}, exif=exif)
    jpeg = files.with_iim(
        files.save("JPEG", exif=exif, xmp=packet(body)), (2, 80, SECRET.encode()), (2, 55, b"20200101")
    )
    for found in (observations(data), observations(jpeg)):
        assert len(found) > 6
        assert all(SECRET not in note.summary for note in found.values())


def test_a_bare_codestream_of_jpeg_xl_has_nothing_to_walk() -> None:
    facts = Picture(format="JXL", mime="image/jxl", width=1, height=1, frames=1, mode="RGB")
    exhibit = Exhibit(facts=ExhibitFacts(name="a.jxl", picture=facts), data=b"\xff\x0a" + bytes(30))
    assert Metadata(Settings(home=Path("/nowhere"))).examine(exhibit) == (Nothing(check="metadata"),)


def _images(folder: Path) -> Iterator[Exhibit]:
    for path in sorted(folder.rglob("*")):
        if not path.is_file():
            continue
        try:
            yield inspect(receive(path, path.name, Limits()), Limits())
        except UnreadableError:
            continue


@pytest.mark.parametrize("folder", ["c2pa", "hostile"])
def test_no_shared_file_raises_and_every_signal_is_known(shared: Path, folder: str) -> None:
    check = Metadata(Settings(home=Path("/nowhere")))
    count = 0
    for exhibit in _images(shared / folder):
        count += 1
        for outcome in check.examine(exhibit):
            assert outcome.check == "metadata"
            if isinstance(outcome, Observation):
                assert outcome.signal in AI_SIGNALS | FACTS | CONTRADICTIONS
                assert outcome.contradiction is (outcome.signal in CONTRADICTIONS)
    assert count > 100


SEEDS = (
    files.png({"parameters": A1111, "workflow": '{"nodes": [{"type": "KSampler"}], "links": []}'}),
    files.with_iim(
        files.save(
            "JPEG", exif=files.exif({files.MAKE: "Canon", files.ARTIST: "Jane"}), xmp=packet(photoshop_Credit="x")
        ),
        (2, 80, b"Joe"),
    ),
    files.save("WEBP", exif=files.exif({files.MODEL: 'prompt:{"1": {"class_type": "KSampler"}}'}), xmp=packet()),
    files.save("TIFF", tiffinfo={700: packet(), 33723: files.iim((2, 80, b"Jane"))}),
    files.save("GIF", comment=A1111.encode()),
    files.save("AVIF", exif=files.exif({files.MAKE: "Canon"}), xmp=packet()),
)
FORMATS = ("PNG", "JPEG", "WEBP", "TIFF", "GIF", "AVIF")


@settings(max_examples=200)
@given(st.integers(0, len(SEEDS) - 1), st.data())
def test_damaged_files_never_raise(which: int, data: st.DataObject) -> None:
    damaged = bytearray(SEEDS[which])
    for _ in range(data.draw(st.integers(1, 5))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(damaged)))
    facts = Picture(format=FORMATS[which], mime="", width=48, height=32, frames=1, mode="RGB")
    exhibit = Exhibit(facts=ExhibitFacts(name="x", picture=facts), data=bytes(damaged[:cut]))
    outcomes = Metadata(Settings(home=Path("/nowhere"))).examine(exhibit)
    assert outcomes
