from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forensics.bags import Bag, plain_key
from forensics.fields import Field, Source
from forensics.settings import ROLES, from_bag, from_text
from tests.forensics.shapes import EASY, EASY_WORDS, GRADIO, ONE_LINE, SD_CPP, SPACE


def _bag(values: dict[str, Any]) -> Bag:
    field = Field(source=Source.PNG, name="a", value="")
    return Bag(field=field, name="a", values={plain_key(key): value for key, value in values.items()})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "Steps: 4, Sampler: Euler, Distilled CFG Scale: 3.5, Seed: 1, Version: f2.0.1v1.10.1",
            {"Version": "f2.0.1v1.10.1"},
        ),
        ('x\nSteps: 4, Sampler: "a, b", Seed: 1, Lora hashes: "x: 1, y: 2", Size: 8x8', {"Size": "8x8", "Seed": "1"}),
        ("The Steps: 3 of the dance\nSteps: 9, Sampler: DDIM, Seed: 4", {"Steps": "9"}),
        (f'{SD_CPP}, SDCPP: {{"prompt": "Steps: 1, Seed: 2, Size: 3x3, Sampler: x"}}', {"Steps": "30"}),
        ("a\nSteps: 20, Sampler: x, Seed: 1, Size: 8x8, Refiner Steps: 10, Hires: 2", {"Steps": "20"}),
        (SD_CPP, {"Version": "stable-diffusion.cpp", "Sampler": "dpm++2mv2 karras"}),
        (ONE_LINE, {"Model": "someModel_v1", "Seed": "12345"}),
        ("a fox Steps: 8, Sampler: LCM, CFG scale: 1, Seed: 3", {"Steps": "8"}),
        ("a fox\n-people\nSteps: 8, Sampler: UniPC, Guidance Scale: 4.0, Seed: 3", {"Guidance Scale": "4.0"}),
    ],
    ids=[
        "forge",
        "quoted",
        "last line counts",
        "copy",
        "steps of another stage",
        "sd.cpp",
        "one line",
        "behind a prompt",
        "Draw Things",
    ],
)
def test_blocks_of_settings_are_read(text: str, expected: dict[str, str]) -> None:
    found = from_text(text)
    assert found is not None
    assert expected.items() <= found.values.items()


@pytest.mark.parametrize(
    ("text", "positive", "negative"),
    [
        (ONE_LINE, "a lighthouse in fog.", "people."),
        ("a\nb\nNegative prompt: c\nd\nSteps: 4, Seed: 1, Size: 8x8", "a\nb", "c\nd"),
        ("Steps: 4, Seed: 1, Size: 8x8", "", ""),
    ],
)
def test_the_prompts_stand_before_them(text: str, positive: str, negative: str) -> None:
    found = from_text(text)
    assert found is not None
    assert (found.positive, found.negative) == (positive, negative)


@pytest.mark.parametrize(
    "text",
    [
        'A guide that shows "Steps: 20, Sampler: Euler a, CFG scale: 7, Seed: 1, Size: 8x8" in the interface',
        "Steps: 3",
        "Follow these Steps: 3, then turn left, Seed: buy some",
        "Steps: 20, then Sampler: none",
        "Steps: many, Sampler: Euler, Seed: 1, Size: 2x2",
        "Sampler: Euler a, CFG scale: 7, Seed: 1, Size: 512x512",
        "Our settings were Steps: 20, Sampler: Euler, Seed: 1 for the test",
        '{"steps": 3}',
        "",
    ],
)
def test_text_that_only_sounds_like_settings_is_not(text: str) -> None:
    assert from_text(text) is None


@pytest.mark.parametrize(
    "values",
    [
        SPACE,
        GRADIO,
        EASY,
        EASY_WORDS,
        {"prompt": "a", "negative_prompt": "", "lora": "b"},
        {"prompt": ["a", {"prompt": "b"}], "seed": -1, "cfg_scale": "7.5"},
        {"seed": 1, "steps": 4, "guidance_scale": 3.5},
        {"prompt": "a fox", "model": "dall-e-3"},
        {"prompt": "a fox", "model": "black-forest-labs/FLUX.1-dev", "width": 1024},
    ],
)
def test_named_values_of_generators_are_enough(values: dict[str, Any]) -> None:
    assert from_bag(_bag(values)).is_enough


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"prompt": "a"},
        {"prompt": "a", "model": "gpt-4o", "seed": 1},
        {"prompt": "describe it", "model": "gpt-4o"},
        {"model": "sdxl", "seed": 1, "width": 3},
        {"seed": 1, "steps": 1_000, "model": "ising", "size": 64, "scale": 2},
        {"prompt": "a", "seed": "corn", "steps": "up the stairs", "cfg": "none", "scale": "large"},
        {"prompt": '{"a": 1}', "seed": 1, "steps": 2, "model": "a"},
        {"prompt": "", "seed": 1, "steps": 2, "model": "a"},
        {"prompt": 3, "negative_prompt": 4, "guidance_scale": True, "seed": None},
        {"Title": "Prompt", "Author": "Seed", "Description": "Steps: 3"},
    ],
)
def test_other_named_values_are_not(values: dict[str, Any]) -> None:
    assert not from_bag(_bag(values)).is_enough


def test_values_are_told_by_the_most_telling_key() -> None:
    found = from_bag(_bag({"scale": 2, "cfg_scale": 7.0, "model": {"name": "xl", "hash": "h"}, "prompt": ["a", "b"]}))
    assert found.values == {"Model": "xl", "CFG scale": "7.0"}
    assert found.positive == "a; b"


def test_no_key_plays_two_parts() -> None:
    keys = [key for role in ROLES for key in role.keys]
    assert len(keys) == len(set(keys))
    assert all(plain_key(key) == key for key in keys)


VALUES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9) | st.lists(st.text(max_size=3))
KEYS = ("prompt", "seed", "steps", "cfg", "model", "uc", "size", "loras", "version", "negative_prompt")


@given(st.dictionaries(st.sampled_from(KEYS), VALUES | st.dictionaries(st.sampled_from(KEYS), VALUES)))
def test_no_values_raise(values: dict[str, Any]) -> None:
    found = from_bag(_bag(values))
    assert all(isinstance(each, str) for each in (*found.values.values(), found.positive, found.negative))


def test_the_number_of_places_that_are_tried_is_bounded() -> None:
    text = "Steps: 20, Sampler: x, Seed: 1, Size: 8x8\n" + "Steps: 1, " * 49
    assert from_text(text) is not None
    assert from_text(text + "Steps: 1, ") is None


@given(st.text(max_size=300) | st.lists(st.sampled_from(["Steps: 3, ", "Seed: 1, ", "\n", "a", ": "])).map("".join))
def test_no_text_raises(text: str) -> None:
    from_text(text)
