from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forensics.bags import plain_key, read_contents, without_name
from forensics.fields import Source
from tests.forensics.metadata_files import fields

GRAPH = {"1": {"class_type": "KSampler", "inputs": {"seed": 1}}}


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ('{"a": 1}', '{"a": 1}'),
        ('prompt:{"a": 1}', '{"a": 1}'),
        ('Prompt: {"a": 1}', '{"a": 1}'),
        (' \n{"a": 1}', '{"a": 1}'),
        ('mold:parameters {"a": 1}', '{"a": 1}'),
        ("settings = {}", "{}"),
        ("two words {}", "two words {}"),
        ("AIGC{}", "AIGC{}"),
        ("Canon", "Canon"),
        ("", ""),
    ],
)
def test_a_name_before_json_is_taken_off(text: str, left: str) -> None:
    assert without_name(text) == left


@pytest.mark.parametrize(
    ("key", "plain"),
    [
        ("CFG scale", "cfgscale"),
        ("cfg_scale", "cfgscale"),
        ("mold:seed", "seed"),
        ("stable_diffusion_guidance_scale", "guidancescale"),
        ("use_stable_diffusion_model", "usestablediffusionmodel"),
        ("Stable Diffusion model", "stablediffusionmodel"),
    ],
)
def test_keys_are_one_however_they_are_spelt(key: str, plain: str) -> None:
    assert plain_key(key) == plain


def test_json_is_followed_through_objects_and_texts() -> None:
    inner = {"prompt": GRAPH, "note": "words", "more": {"seed": 1}}
    found = read_contents(fields((Source.EXIF, "UserComment", "data: " + json.dumps({"a": json.dumps(inner)}))))
    assert [graph.nodes for graph in found.graphs] == [(("KSampler", {"seed": 1}),)]
    assert [text.value for text in found.texts] == ["words"]
    assert [(bag.name, sorted(bag.values)) for bag in found.bags] == [
        ("data", ["a"]),
        ("a", ["1", "more", "note", "prompt"]),  # what stands in `prompt` is added to what is around it
        ("more", ["seed"]),
    ]
    assert {bag.place for bag in found.bags} == {"EXIF field `UserComment`"}


def test_text_blocks_together_are_a_bag() -> None:
    found = read_contents(
        fields((Source.PNG, "Seed", "1"), (Source.PNG, "workflow", json.dumps(GRAPH)), (Source.PNG, "Steps", "2"))
    )
    assert found.bags[0].values == {"seed": "1", "steps": "2"}
    assert found.bags[0].place == "PNG text blocks"
    (hidden,) = read_contents(fields((Source.HIDDEN, "Seed", "1"), (Source.HIDDEN, "Steps", "2"))).bags
    assert hidden.place == "text hidden in the pixels"


def test_a_prefix_takes_only_what_it_marks() -> None:
    found = read_contents(fields((Source.PNG, "Title", "a"), (Source.PNG, "mold:seed", "1"), (Source.PNG, "b", "c")))
    assert (found.bags[0].prefix, found.bags[0].values) == ("mold:", {"seed": "1"})


def test_fields_of_a_camera_and_of_xmp_are_looked_into_only_for_json() -> None:
    found = read_contents(
        fields(
            (Source.EXIF, "Make", "Canon"),
            (Source.EXIF, "Model", "prompt: " + json.dumps(GRAPH)),
            (Source.XMP, "dc:rights", "prompt: none"),
            (Source.XMP, "a", json.dumps({"seed": 3})),
        )
    )
    assert (len(found.graphs), found.texts) == (1, ())
    assert [bag.values for bag in found.bags] == [{"seed": 3}]


@pytest.mark.parametrize("depth", [10, 400])
def test_what_is_nested_without_end_is_followed_a_few_steps(depth: int) -> None:
    value: Any = "x"
    for _ in range(depth):
        value = {"a": value}
    assert len(read_contents(fields((Source.PNG, "Comment", json.dumps(value)))).bags) == 4


def test_the_number_of_steps_is_bounded() -> None:
    wide = json.dumps({str(at): {str(under): {} for under in range(200)} for at in range(200)})
    assert len(read_contents(fields((Source.PNG, "Comment", wide))).bags) <= 1_000


@given(st.dictionaries(st.text(max_size=12), st.text(max_size=40), max_size=8))
def test_no_texts_raise(texts: dict[str, str]) -> None:
    read_contents(fields(*((Source.PNG, key, value) for key, value in texts.items())))
