"""Drawing a picture while a page watches, and what is kept of it for as long as the session lasts."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
import streamlit as st
from PIL import Image

from assay.jobs.generate import Made, Step, Wish, generate
from assay.jobs.verify import Upload
from assay.vocabulary import Latents, Pixels
from dashboard.intake import Seen
from dashboard.service import examiner, settings
from dashboard.viewer import encoded

_PREVIEWS = 8
"""Pictures that are shown while one is drawn: decoding each takes as long as a step."""
_RANGE = 3.0
"""Standard deviations of the noise from black to white."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Drawn:
    """A picture that was drawn here, signed and entered in the ledger."""

    prompt: str
    data: bytes
    made: Made
    pixels: Pixels
    seen: Seen


def draw(wish: Wish, show: Callable[[Step], None]) -> Drawn:
    """Draw, sign, enter, and examine what came of it as `verify` would.

    Args:
        wish: What to draw.
        show: Told of each step.

    Raises:
        AssayError: See `assay.jobs.generate.generate`.
    """
    with tempfile.TemporaryDirectory(prefix="assay-") as folder:
        target = Path(folder, "drawn.png")
        (made,) = generate(wish, [target], settings=settings(), progress=show)
        data = target.read_bytes()
    examined = examiner().judge(received := examiner().read(Upload(name=target.name, data=data)))
    if received.pixels is None:
        raise received.failure or RuntimeError("a picture that was just drawn has no pixels")
    return Drawn(
        prompt=wish.prompt,
        data=data,
        made=made,
        pixels=received.pixels,
        seen=Seen(report=examined.report, shown=encoded(received.pixels)),
    )


def is_shown(step: Step) -> bool:
    """Whether a preview of this step is worth its time."""
    every = max(1, step.total // _PREVIEWS)
    return step.number % every == 0 or step.number == step.total


def noise_picture(noise: Latents, side: int = 256) -> bytes:
    """Up to three channels of noise as red, green and blue: a PNG.

    Args:
        noise: float32 of shape (channels, height, width).
        side: Of the picture, in pixels.
    """
    channels = noise[[0, 1, 2]] if len(noise) > 2 else noise[[0, 0, 0]]  # noqa: PLR2004 - red, green, blue
    levels = np.clip((channels / _RANGE + 1) * 127.5, 0, 255).astype(np.uint8)
    stream = BytesIO()
    Image.fromarray(levels.transpose(1, 2, 0)).resize((side, side), Image.Resampling.NEAREST).save(stream, "PNG")
    return stream.getvalue()


def latest() -> Drawn | None:
    """The last picture of this session."""
    drawn: Drawn | None = st.session_state.get("drawn")
    return drawn
