"""Generate: a prompt in; a picture out that is marked, signed and in the ledger, and watched while it is drawn."""

from __future__ import annotations

import secrets

import numpy as np
import streamlit as st

from assay import device
from assay.errors import AssayError
from assay.jobs.generate import BOTH, NONE, Step, Wish
from dashboard import drawing
from dashboard.fragments import complain
from dashboard.making import Drawn, draw, is_shown, latest, noise_picture
from generation.models import SPECS, spec_named

_MARKS = {
    BOTH: "In the noise and in the pixels",
    "sealed-seed": "In the noise alone",
    "spread": "In the pixels alone",
    NONE: "None: a seed can then be chosen",
}
_SEEDS = 2**32


def main() -> None:
    """Draw the page."""
    st.title("Make an image that carries its own proof")
    st.write(
        "The picture is drawn from noise that hides a keyed watermark, signed with Content Credentials, and entered in "
        "the ledger of this installation."
    )
    if not device.available():
        st.info("Drawing needs models: `pip install 'assay[models]'`.", icon=":material/info:")
        return
    wish = _asked()
    if wish is not None:
        try:
            st.session_state["drawn"] = _watched(wish)
        except AssayError as error:
            complain(error)
    if (drawn := latest()) is not None:
        _show(drawn)


def _asked() -> Wish | None:
    """What the form asks for, once its button is pressed."""
    name = st.selectbox(
        "Model", list(SPECS), help="`pocket` comes with Assay; others need their weights on this machine."
    )
    spec = spec_named(name)
    mark = st.selectbox("Watermark", list(_MARKS), format_func=_MARKS.__getitem__)
    with st.form("wish"):
        prompt = st.text_input("Prompt", value="a close-up of a yellow sunflower", max_chars=500)
        left, middle, right = st.columns(3)
        steps = left.slider("Steps", 1, 100, spec.steps, key=f"steps-{name}", help="More steps, finer pictures.")
        guidance = middle.slider(
            "Guidance", 0.0, 15.0, spec.guidance, 0.5, key=f"guidance-{name}", help="How closely the prompt is kept to."
        )
        seed = right.number_input(
            "Seed", 0, _SEEDS - 1, 0, disabled=mark != NONE,
            help="Only without a watermark: marked noise comes from a key and a number that is never used twice.",
        )  # fmt: skip
        asked = st.form_submit_button("Draw", type="primary", icon=":material/draw:")
    if not asked:
        return None
    return Wish(
        prompt=prompt,
        model=name,
        steps=steps,
        guidance=guidance,
        watermark=mark,
        seed=int(seed) if mark == NONE else None,
        device=device.available()[0],
    )


def _watched(wish: Wish) -> Drawn:
    bar, place = st.progress(0.0, text="Opening the model …"), st.empty()

    def show(step: Step) -> None:
        bar.progress(step.number / step.total, text=f"Step {step.number} of {step.total}")
        if is_shown(step):
            place.image(step.preview(), width=256, alt=f"The picture after step {step.number}")

    drawn = draw(wish, show)
    bar.empty()
    place.empty()
    return drawn


def _show(drawn: Drawn) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.download_button(
            "Download the signed PNG", drawn.data, "assay-drawn.png", "image/png", on_click="ignore",
            icon=":material/download:",
        )  # fmt: skip
        st.page_link("views/attack.py", label="Attack it: see how its proof holds", icon=":material/science:")
    _noise(drawn)
    drawing.report(drawn.seen.report, drawn.seen.shown, key="drawn", personal=False)


def _noise(drawn: Drawn) -> None:
    if drawn.made.image_id is None:
        return
    st.header("The noise it was drawn from")
    plain = np.random.default_rng(secrets.randbits(64)).standard_normal(drawn.made.noise.shape, np.float32)
    left, right, words = st.columns([1, 1, 2])
    left.image(noise_picture(drawn.made.noise), caption="Sealed noise", alt="The noise that carries the mark")
    right.image(noise_picture(plain), caption="Fresh noise", alt="Noise without a mark, for comparison")
    words.write(
        "One of them hides an identifier of 64 bits under the key. Both are exactly as likely under the normal "
        "distribution: without the key, nothing in the noise or in the pictures tells them apart."
    )
    if drawn.made.log10_p is not None:
        words.write(
            f"Read back from the finished file, the mark fits its key so well that noise without it would "
            f"do so with a chance of 10^{drawn.made.log10_p:.0f}. It took {drawn.made.seconds:.1f} s."
        )


main()
