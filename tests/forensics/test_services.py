from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.vocabulary import Claim, Observation
from forensics.fields import Fields, Source
from forensics.services import hugging_face, midjourney, tc260, xai
from tests.forensics import metadata_files as files
from tests.forensics.metadata_files import element, fields, observations, packet, values

UUID = "4800156b-8880-4786-9056-7ca3da449d8c"
SIGNATURE = "Signature: " + "Ab9/" * 30 + "s="
LABEL = {"Label": "1", "ContentProducer": "001191110102MACQD9K64010000", "ProduceID": "cc75f5e9", "Other": None}


MIDJOURNEY = f"a control panel, static --ar 4:3 --v 5.2 Job ID: {UUID}"


@pytest.mark.parametrize(
    "data",
    [
        files.png({"Description": MIDJOURNEY, "Author": "somebody"}),
        files.save("JPEG", exif=files.exif({files.DESCRIPTION: MIDJOURNEY})),
        files.save("JPEG", xmp=packet(files.listed("dc:description", MIDJOURNEY, kind="Alt"))),
        files.with_iim(files.save("JPEG"), (2, 120, MIDJOURNEY.encode())),
    ],
    ids=["png", "exif", "xmp", "iim"],
)
def test_midjourneys_descriptions_are_recognised(data: bytes) -> None:
    found = observations(data)
    note = found["midjourney"]
    assert note.claim is Claim.GENERATED
    assert values(note) == {"Job ID": UUID, "Options": "--ar 4:3 --v 5.2"}
    assert values(found["prompt"]) == {"Prompt": "a control panel, static --ar 4:3 --v 5.2"}
    assert "somebody" not in note.summary


@pytest.mark.parametrize(
    ("text", "claims"),
    [
        ("a cat --ar 4:3 --v 6", [None]),
        ("usage: tool --v 6", []),
        ("Job ID: 42", []),
        ("a photograph of the Midjourney office", []),
        ("A person who uses Midjourney and ChatGPT", []),
        ("x " * 20_000 + MIDJOURNEY, []),
    ],
)
def test_options_without_a_job_number_only_resemble(text: str, claims: list[Claim | None]) -> None:
    assert [
        note.claim for note in midjourney(fields((Source.PNG, "Description", text))) if note.signal != "prompt"
    ] == claims


@pytest.mark.parametrize(
    "data",
    [
        files.png({"AIGC": json.dumps(LABEL)}),
        files.save("PNG", pnginfo=None, exif=files.exif({files.DESCRIPTION: json.dumps({"AIGC": LABEL})})),
        files.save("JPEG", xmp=packet(element("TC260:AIGC", json.dumps(LABEL)))),
        files.save("JPEG", xmp=packet(TC260_AIGC=json.dumps(LABEL))),
        files.save("JPEG", comment=b"AIGC" + json.dumps(LABEL).encode()),
        files.save("JPEG", exif=files.exif({}, exif={files.USER_COMMENT: json.dumps({"AIGC": LABEL}).encode()})),
    ],
    ids=["png", "exif", "xmp element", "xmp attribute", "comment", "user comment"],
)
def test_the_chinese_label_is_read(data: bytes) -> None:
    note = observations(data)["tc260-aigc"]
    assert note.claim is Claim.GENERATED
    assert values(note) == {key: LABEL[key] for key in ("Label", "ContentProducer", "ProduceID")}
    assert {each.name for each in note.details if each.private} == {"ProduceID"}


@pytest.mark.parametrize(
    ("label", "claims"),
    [
        ({"Label": 1}, [Claim.GENERATED]),
        ({"Label": "2"}, [None]),
        ({"Label": "3"}, [None]),
        ({"Label": "9"}, [None]),
        ({"ServiceProvider": "somebody"}, [Claim.GENERATED]),
        ({"Other": "1"}, []),
        ({"Label": None}, []),
        ({}, []),
    ],
)
def test_the_chinese_label_says_how_sure_it_is(label: dict[str, object], claims: list[Claim | None]) -> None:
    assert [note.claim for note in tc260(fields((Source.PNG, "AIGC", json.dumps(label))))] == claims


@pytest.mark.parametrize("value", ['{"Label": "1"}', "AIGC", "AIGC {", '{"AIGC": 1}', "AIGC is a label"])
def test_json_without_the_name_is_no_label(value: str) -> None:
    assert list(tc260(fields((Source.PNG, "Comment", value), (Source.XMP, "Label", value)))) == []


@pytest.mark.parametrize("tag", ["description", "comment"])
def test_groks_pair_of_fields_is_recognised(tag: str) -> None:
    block = (
        files.exif({files.DESCRIPTION: SIGNATURE, files.ARTIST: UUID})
        if tag == "description"
        else files.exif({files.ARTIST: UUID}, exif={files.USER_COMMENT: b"ASCII\0\0\0" + SIGNATURE.encode()})
    )
    found = observations(files.save("JPEG", exif=block))
    assert found["xai-grok"].claim is Claim.GENERATED
    assert [each.private for each in found["xai-grok"].details] == [True]
    assert UUID not in found["xai-grok"].summary


@pytest.mark.parametrize(
    ("description", "artist"),
    [(SIGNATURE, "Jane"), ("Signature: short", UUID), ("A signature: " + "A" * 80, UUID), ("", UUID), (SIGNATURE, "")],
)
def test_half_of_the_pair_is_nothing(description: str, artist: str) -> None:
    assert list(xai(fields((Source.EXIF, "ImageDescription", description), (Source.EXIF, "Artist", artist)))) == []


def test_a_job_of_hugging_face_is_named() -> None:
    note = observations(files.png({"hf-job-id": UUID}))["hugging-face-job"]
    assert (note.claim, values(note)) == (Claim.GENERATED, {"Job": UUID})


@settings(max_examples=100)
@given(
    st.sampled_from((midjourney, tc260, xai, hugging_face)),
    st.sampled_from(("AIGC", "Software", "Description", "Artist", "hf-job-id")),
    st.text(max_size=200) | st.sampled_from((SIGNATURE, MIDJOURNEY, "AIGC{", json.dumps({"AIGC": LABEL}))),
)
def test_no_text_raises(recogniser: Callable[[Fields], Iterator[Observation]], name: str, value: str) -> None:
    items = fields(*((source, name, value) for source in Source))
    assert all(note.details for note in recogniser(items))
