from __future__ import annotations

import pytest

from assay.errors import ConfigurationError
from generation.loading import KEPT, kept_model, open_model
from generation.models import spec_named

HUB = "stable-diffusion-v1-5/stable-diffusion-v1-5"


def test_a_model_is_opened_once() -> None:
    first = kept_model("pocket")
    assert kept_model("pocket", device="cpu") is first
    other = kept_model("pocket", scheduler="euler")
    assert other is not first
    assert type(first.pipeline.scheduler).__name__ == "DDIMScheduler"


def test_only_a_few_stay_open() -> None:
    first = kept_model("pocket")
    for scheduler in ("ddim", "euler", "heun", "unipc")[: KEPT + 1]:
        kept_model("pocket", scheduler=scheduler)
    assert kept_model("pocket") is not first


def test_a_model_of_the_hub_that_is_not_here_is_not_fetched_where_that_is_not_wanted() -> None:
    with pytest.raises(ConfigurationError, match=f"{HUB}: its weights are not here") as caught:
        open_model(spec_named(HUB), fetch=False)
    assert f"--model {HUB}" in caught.value.hint


def test_a_model_that_comes_with_assay_is_the_same_whether_anything_may_be_fetched() -> None:
    assert kept_model("pocket", fetch=False) is kept_model("pocket")
