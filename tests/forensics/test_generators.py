from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.rules.ai import AI_SIGNALS
from assay.vocabulary import Claim, Observation
from forensics.fields import Source
from forensics.generators import DIALECTS, generators
from tests.forensics import metadata_files as files
from tests.forensics.metadata_files import A1111, fields, observations, values
from tests.forensics.shapes import DRAWN, DREAM, FOOOCUS, GRAPH, INVOKE, NOVELAI, SD_METADATA, SWARM

UPSCALING = {"1": {"class_type": "LoadImage", "inputs": {}}, "2": {"class_type": "ImageScale", "inputs": {}}}


def _read(*items: tuple[Source, str, str]) -> list[Observation]:
    return list(generators(fields(*items)))


def _png(name: str, value: Any) -> tuple[Source, str, str]:
    return Source.PNG, name, value if isinstance(value, str) else json.dumps(value)


def test_settings_of_a1111_are_told_with_their_prompts() -> None:
    found = observations(files.png({"parameters": A1111}))
    note = found["a1111-parameters"]
    assert note.claim is Claim.GENERATED
    assert values(note) == {
        "Steps": "20",
        "Sampler": "Euler a",
        "CFG scale": "7",
        "Seed": "1234567",
        "Size": "512x512",
        "Model": "sd_v15",
    }
    assert values(found["prompt"]) == {"Prompt": "a lighthouse in fog", "Negative prompt": "people"}


@pytest.mark.parametrize(
    ("value", "signal", "expected"),
    [
        (SWARM, "generator-settings", {"Model": "flux", "Seed": "7", "Steps": "20", "CFG scale": "1"}),
        (FOOOCUS, "generator-settings", {"Model": "juggernautXL", "Seed": "99", "Version": "Fooocus v2.5.0"}),
        (NOVELAI, "novelai", {"Steps": "28", "Seed": "1", "Signed settings": "present, not checked"}),
        (INVOKE, "invokeai", {"Model": "xl", "Seed": "3", "Steps": "35", "Version": "5.0.0"}),
        (SD_METADATA, "invokeai", {"Model": "deliberate", "Seed": "29", "Version": "2.3.0"}),
        ({"a": {"b": {"parameters": A1111}}}, "a1111-parameters", {"Seed": "1234567"}),
        ({"a": json.dumps({"b": json.dumps(FOOOCUS)})}, "generator-settings", {"Seed": "99"}),
    ],
    ids=["SwarmUI", "Fooocus", "NovelAI", "InvokeAI", "old InvokeAI", "text in JSON", "JSON in JSON"],
)
def test_named_values_are_told_by_their_common_names(value: Any, signal: str, expected: dict[str, str]) -> None:
    note, *_ = _read(_png("anything", value))
    assert (note.signal, note.claim) == (signal, Claim.GENERATED)
    assert expected.items() <= values(note).items()


def test_the_fullest_of_several_objects_is_told() -> None:
    note, *_ = _read(_png("invokeai_graph", {"nodes": {}}), _png("invokeai_metadata", INVOKE))
    assert values(note)["Model"] == "xl"


@pytest.mark.parametrize("text", ["width=3", '{"made": "by hand"}', '{"prompt": 5}', "{}"])
def test_a_block_of_that_name_without_settings_claims_nothing(text: str) -> None:
    notes = _read(_png("parameters", text))
    assert [(note.signal, note.claim) for note in notes] == [("a1111-parameters", None)]
    assert "no settings could be read" in notes[0].summary


@pytest.mark.parametrize("value", ["", "words that are no settings"])
def test_hidden_text_that_cannot_be_read_as_settings_claims_nothing(value: str) -> None:
    (note,) = _read((Source.HIDDEN, "stealth_pngcomp", value))
    assert (note.signal, note.claim) == ("hidden-text", None)
    assert values(note)["Kind"] == "stealth_pngcomp"


def test_the_texts_of_a_graph_are_its_prompts() -> None:
    found = observations(files.png({"prompt": json.dumps(GRAPH), "workflow": json.dumps(DRAWN)}))
    assert [(each.name, each.value) for each in found["prompt"].details] == [("Prompt", "a lighthouse in fog")]


@pytest.mark.parametrize("software", ["", "ComfyUI"])
def test_a_graph_that_only_scales_claims_nothing(software: str) -> None:
    note, *rest = _read(_png("prompt", UPSCALING), _png("Software", software))
    assert (note.signal, note.claim) == ("comfyui-workflow", None)
    assert "without a node that generates" in note.summary
    assert rest == []


@pytest.mark.parametrize(
    "text",
    [
        "a prompt for the actors",
        "{}",
        '{"nodes": 3, "links": []}',
        '{"1": {"class_type": 5}}',
        '{"1": "KSampler"}',
        '{"nodes": [{"type": "KSampler"}]}',
        '{"links": [], "nodes": [], "definitions": {"subgraphs": [3, {"nodes": 4}]}}',
        '{"prompt": ' + "[" * 5_000,
    ],
)
def test_other_json_is_no_graph(text: str) -> None:
    assert _read(_png("prompt", text)) == []


def test_a_program_is_named_once_beside_its_settings() -> None:
    notes = _read(
        _png("Comment", NOVELAI), _png("Software", "NovelAI"), _png("Source", "NovelAI Diffusion V4 37442FCA")
    )
    assert [note.signal for note in notes] == ["novelai", "prompt"]


@pytest.mark.parametrize(
    "item", [_png("Dream", "I had a dream -s"), _png("invokeai_metadata", "none"), _png("sd-metadata", "[]")]
)
def test_words_under_the_keys_of_invokeai_are_nothing(item: tuple[Source, str, str]) -> None:
    assert _read(item) == []


def test_the_command_line_of_old_invokeai_is_read() -> None:
    note, prompt = _read(_png("Dream", DREAM))
    assert (note.signal, note.claim, prompt.signal) == ("invokeai", Claim.GENERATED, "prompt")


def test_every_signal_of_the_table_is_one_that_rules_see() -> None:
    assert {each.signal for each in DIALECTS} <= AI_SIGNALS


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=12,
)
KEYS = ("model", "image", "prompt", "steps", "nodes", "links", "class_type", "inputs", "text", "sui_image_params")
MORE_KEYS = ("seed", "uc", "negative_prompt", "software", "definitions", "cfg_scale", "version", "mold:seed")
NAMES = ("parameters", "prompt", "workflow", "Comment", "invokeai_metadata", "sd-metadata", "mold:model")


@settings(max_examples=150)
@given(
    st.sampled_from(NAMES),
    st.dictionaries(
        st.sampled_from(KEYS + MORE_KEYS),
        JSON | st.dictionaries(st.sampled_from(KEYS + MORE_KEYS), JSON, max_size=4),
        max_size=6,
    ),
)
def test_json_of_any_shape_raises_nothing(key: str, value: dict[str, Any]) -> None:
    for note in _read(_png(key, value), _png("Software", "NovelAI"), (Source.XMP, "a", "prompt: " + json.dumps(value))):
        assert len(note.summary) < 200
