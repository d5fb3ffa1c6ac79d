from __future__ import annotations

from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from assay.errors import ConfigurationError
from assay.jobs.generate import Step, Wish
from assay.vocabulary import Claim
from dashboard.making import draw, is_shown, noise_picture
from tests.assay.jobs.studio import furnish


@given(st.integers(1, 100))
def test_few_previews_are_drawn_and_the_last_always_is(total: int) -> None:
    shown = [number for number in range(1, total + 1) if is_shown(Step(number=number, total=total, preview=_never))]
    assert 1 <= len(shown) <= 16
    assert shown[-1] == total


def _never() -> np.ndarray:
    raise AssertionError


@pytest.mark.parametrize("channels", [1, 2, 4, 16])
def test_noise_is_drawn_in_up_to_three_channels(channels: int) -> None:
    noise = np.random.default_rng(0).standard_normal((channels, 32, 32), np.float32)
    image = Image.open(BytesIO(noise_picture(noise, side=64)))
    assert (image.format, image.size, image.mode) == ("PNG", (64, 64), "RGB")
    red, green, blue = np.asarray(image).transpose(2, 0, 1).astype(float)
    assert np.allclose(red[::2, ::2], np.clip((noise[0] / 3 + 1) * 127.5, 0, 255), atol=1)
    assert np.array_equal(red, green) == (channels < 3)
    assert np.array_equal(red, blue) == (channels < 3)


def test_a_picture_is_drawn_examined_and_not_left_on_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSAY_HOME", str(furnish(tmp_path / "home").home))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    steps: list[Step] = []
    drawn = draw(Wish(prompt="a tulip", steps=4), steps.append)
    assert [step.number for step in steps] == [1, 2, 3, 4]
    assert drawn.prompt == "a tulip"
    assert drawn.seen.report.verdict.claim is Claim.OURS
    assert np.array_equal(np.asarray(Image.open(BytesIO(drawn.data))), drawn.pixels)
    assert [path.name for path in tmp_path.iterdir()] == ["home"]


def test_without_a_key_nothing_is_drawn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSAY_HOME", str(furnish(tmp_path / "home").home))
    with pytest.raises(ConfigurationError, match="exclude each other"):
        draw(replace(Wish(prompt="x"), seed=1), lambda _: None)
