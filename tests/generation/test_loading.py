from __future__ import annotations

from generation.loading import KEPT, kept_model


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
