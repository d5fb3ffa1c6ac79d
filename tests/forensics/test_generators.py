from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.vocabulary import Claim, Observation
from forensics.fields import Fields, Source
from forensics.generators import a1111, comfyui, invokeai, novelai
from tests.forensics import metadata_files as files
from tests.forensics.metadata_files import A1111, fields, observations, values

GRAPH = {
    "3": {"class_type": "KSampler", "inputs": {"seed": 5, "model": ["4", 0]}},
    "4": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "sd.safetensors"}},
    "6": {"class_type": "CLIPTextEncode", "inputs": {"text": "a lighthouse in fog", "clip": ["4", 1]}},
}
DRAWN = {"last_node_id": 3, "nodes": [{"id": 3, "type": "KSampler", "inputs": []}], "links": []}
UPSCALING = {"1": {"class_type": "LoadImage", "inputs": {}}, "2": {"class_type": "ImageScale", "inputs": {}}}
FOOOCUS = {"prompt": "a cat", "negative_prompt": "", "base_model": "juggernautXL", "steps": 30, "seed": "99"}
SWARM = {"sui_image_params": {"prompt": "a dog", "model": "flux", "seed": 7, "steps": 20, "cfgscale": 1.0}}


def _user_comment(text: str, code: str = "utf-16-be") -> bytes:
    return files.exif({}, exif={files.USER_COMMENT: b"UNICODE\0" + text.encode(code)})


@pytest.mark.parametrize(
    "data",
    [
        files.png({"parameters": A1111}),
        files.png({"parameters": A1111}, compressed=True),
        files.png({"parameters": A1111.replace("fog", "霧")}),
        files.save("JPEG", exif=_user_comment(A1111)),
        files.save("JPEG", exif=_user_comment(A1111, "utf-16-le")),
        files.save("WEBP", exif=_user_comment(A1111)),
        files.save("JPEG", comment=A1111.encode()),
        files.save("GIF", comment=A1111.encode()),
        files.save("JPEG", exif=files.exif({files.DESCRIPTION: A1111})),
    ],
    ids=["png", "zTXt", "iTXt", "jpeg", "jpeg, little", "webp", "comment", "gif", "description"],
)
def test_settings_of_a1111_are_read_wherever_they_stand(data: bytes) -> None:
    found = observations(data)
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
    assert values(found["prompt"])["Prompt"].startswith("a lighthouse")
    assert values(found["prompt"])["Negative prompt"] == "people"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "Steps: 4, Sampler: Euler, Distilled CFG Scale: 3.5, Seed: 1, Version: f2.0.1v1.10.1",
            {"Version": "f2.0.1v1.10.1"},
        ),
        ('x\nSteps: 4, Sampler: "a, b", Seed: 1, Lora hashes: "x: 1, y: 2", Size: 8x8', {"Size": "8x8", "Seed": "1"}),
        ("The Steps: 3 of the dance\nSteps: 9, Sampler: DDIM, Seed: 4", {"Steps": "9"}),
        (json.dumps(SWARM), {"Model": "flux", "Seed": "7", "Steps": "20", "CFG scale": "1.0"}),
        (json.dumps(FOOOCUS), {"Model": "juggernautXL", "Seed": "99"}),
    ],
    ids=["forge", "quoted", "last line counts", "swarm", "fooocus"],
)
def test_the_interfaces_that_write_the_same_block_are_understood(text: str, expected: dict[str, str]) -> None:
    note, *_ = a1111(fields((Source.PNG, "parameters", text)))
    assert note.claim is Claim.GENERATED
    assert expected.items() <= values(note).items()


@pytest.mark.parametrize(
    "text",
    [
        "Steps: 3",
        "Follow these Steps: 3, then turn left, Seed: buy some",
        "Steps: 20, then Sampler: none",
        "Steps: many, Sampler: Euler, Seed: 1, Size: 2x2",
        "Sampler: Euler a, CFG scale: 7, Seed: 1, Size: 512x512",
        '{"steps": 3}',
        "",
    ],
)
def test_text_that_only_sounds_like_settings_is_not(text: str) -> None:
    assert list(a1111(fields((Source.EXIF, "UserComment", text), (Source.PNG, "Comment", text)))) == []


def test_a_block_of_that_name_without_settings_claims_nothing() -> None:
    notes = list(a1111(fields((Source.PNG, "parameters", "width=3"))))
    assert [(note.signal, note.claim) for note in notes] == [("a1111-parameters", None)]


@pytest.mark.parametrize(
    "data",
    [
        files.png({"prompt": json.dumps(GRAPH)}),
        files.png({"workflow": json.dumps(DRAWN)}),
        files.save("WEBP", exif=files.exif({files.MODEL: "prompt:" + json.dumps(GRAPH)})),
        files.save("WEBP", exif=files.exif({files.MAKE: "workflow:" + json.dumps(DRAWN)})),
        files.save("JPEG", exif=_user_comment(json.dumps(GRAPH))),
        files.png({"prompt": json.dumps({**GRAPH, "9": {"class_type": "X", "is_changed": [float("nan")]}})}),
    ],
    ids=["prompt", "workflow", "webp prompt", "webp workflow", "jpeg", "NaN"],
)
def test_graphs_of_comfyui_are_read_and_are_no_camera(data: bytes) -> None:
    found = observations(data)
    assert found["comfyui-workflow"].claim is Claim.GENERATED
    assert "KSampler" in values(found["comfyui-workflow"])["Nodes"]
    assert "camera" not in found
    assert "camera-and-generator" not in found


def test_the_texts_of_a_graph_are_its_prompts() -> None:
    found = observations(files.png({"prompt": json.dumps(GRAPH), "workflow": json.dumps(DRAWN)}))
    assert [(each.name, each.value) for each in found["prompt"].details] == [("Prompt", "a lighthouse in fog")]


def test_a_graph_that_only_scales_claims_nothing() -> None:
    note, *rest = comfyui(fields((Source.PNG, "prompt", json.dumps(UPSCALING))))
    assert note.claim is None
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
        '{"prompt": ' + "[" * 5_000,
    ],
)
def test_other_json_is_no_graph(text: str) -> None:
    assert list(comfyui(fields((Source.PNG, "prompt", text)))) == []


NOVELAI = {"steps": 28, "sampler": "k_euler", "seed": 1, "prompt": "a fox", "uc": "bad", "signed_hash": "q=="}


@pytest.mark.parametrize(
    "data",
    [
        files.png({"Software": "NovelAI", "Source": "Stable Diffusion 1D44365E", "Comment": json.dumps(NOVELAI)}),
        files.png({"Source": "NovelAI Diffusion V4 37442FCA", "Comment": json.dumps(NOVELAI)}),
        files.png({"Comment": json.dumps(NOVELAI)}),
        files.save("WEBP", exif=_user_comment(json.dumps({"Software": "NovelAI", "Comment": json.dumps(NOVELAI)}))),
    ],
    ids=["software", "source", "signed only", "webp"],
)
def test_novelai_is_recognised(data: bytes) -> None:
    found = observations(data)
    assert found["novelai"].claim is Claim.GENERATED
    assert {"Steps": "28", "Seed": "1", "Signed settings": "present, not checked"}.items() <= values(
        found["novelai"]
    ).items()
    assert values(found["prompt"]) == {"Prompt": "a fox", "Negative prompt": "bad"}


def test_novelai_without_settings_is_named_all_the_same() -> None:
    note, *rest = novelai(fields((Source.EXIF, "Software", "NovelAI")))
    assert (note.claim, rest) == (Claim.GENERATED, [])


INVOKE = {"positive_prompt": "a bird", "negative_prompt": "blur", "seed": 3, "steps": 35, "model": {"model_name": "xl"}}
SD_METADATA = {"model_weights": "deliberate", "app_version": "2.3.0", "image": {"steps": 50, "seed": 29}}
DREAM = '"a bird in a tree" -s 50 -S 2980747362 -W 512 -H 768 -C 5 -A k_lms'


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        ({"invokeai_metadata": json.dumps(INVOKE)}, {"Model": "xl", "Seed": "3", "Steps": "35"}),
        ({"sd-metadata": json.dumps(SD_METADATA)}, {"Model": "deliberate", "Seed": "29", "Version": "2.3.0"}),
        ({"Dream": DREAM}, {}),
        ({"invokeai_graph": '{"nodes": {}}'}, {}),
        ({"Software": "InvokeAI 5.0"}, {}),
    ],
)
def test_invokeai_is_recognised(texts: dict[str, str], expected: dict[str, str]) -> None:
    found = observations(files.png(texts))
    assert found["invokeai"].claim is Claim.GENERATED
    assert expected.items() <= values(found["invokeai"]).items()
    assert ("prompt" in found) is ("invokeai_metadata" in texts or "Dream" in texts)


@pytest.mark.parametrize("texts", [{"Dream": "I had a dream -s"}, {"invokeai_metadata": "none"}, {"sd-metadata": "[]"}])
def test_words_under_the_keys_of_invokeai_are_nothing(texts: dict[str, str]) -> None:
    assert list(invokeai(fields(*((Source.PNG, key, value) for key, value in texts.items())))) == []


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=12,
)
KEYS = (
    "model",
    "image",
    "prompt",
    "steps",
    "nodes",
    "links",
    "class_type",
    "inputs",
    "text",
    "sui_image_params",
    "seed",
)


@settings(max_examples=150)
@given(
    st.sampled_from((a1111, comfyui, novelai, invokeai)),
    st.sampled_from(("parameters", "prompt", "workflow", "Comment", "invokeai_metadata", "sd-metadata")),
    st.dictionaries(st.sampled_from(KEYS), JSON | st.dictionaries(st.sampled_from(KEYS), JSON, max_size=4), max_size=6),
)
def test_json_of_any_shape_raises_nothing(
    recogniser: Callable[[Fields], Iterator[Observation]], key: str, value: dict[str, Any]
) -> None:
    for note in recogniser(fields((Source.PNG, key, json.dumps(value)), (Source.PNG, "Software", "NovelAI"))):
        assert len(note.summary) < 200
