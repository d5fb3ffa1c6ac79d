"""Attack: launder a picture with sliders, and see how the evidence falls as they move."""

from __future__ import annotations

import streamlit as st

from assay.errors import AssayError
from assay.jobs.laundering import SWEEPS, Laundering, Point, Slider, examined, fall, laundered, standings
from assay.jobs.verify import Upload
from assay.report.privacy import masked
from assay.report.view import view
from assay.vocabulary import Pixels, Report
from dashboard import fragments
from dashboard.charts import falling
from dashboard.drawing import picture
from dashboard.fragments import complain
from dashboard.making import latest
from dashboard.service import examiner
from dashboard.viewer import encoded

_NAMES = {
    Slider.JPEG: "JPEG quality",
    Slider.CROP: "Crop: part of each side kept",
    Slider.ROTATION: "Rotation in degrees",
    Slider.BLUR: "Blur in pixels",
    Slider.NOISE: "Noise in grey levels",
    Slider.REGENERATION: "Regeneration by a model",
}
_UNTOUCHED = 101
"""Of the slider for JPEG: one beyond the best quality."""


def main() -> None:
    """Draw the page."""
    st.title("How well does the proof hold?")
    st.write(
        "Signatures end with the first edit; marks should not. Move the sliders and see what `verify` says of the "
        "result, or draw how each piece of evidence falls as one edit grows."
    )
    try:
        pixels = _pixels()
        if pixels is not None:
            _attack(pixels)
    except AssayError as error:
        complain(error)


def _pixels() -> Pixels | None:
    """Of the picture that is attacked: one that was uploaded, or the last one drawn in this session."""
    upload = st.file_uploader("A picture of your own", help="Without one, the last picture drawn here is taken.")
    if upload is not None:
        received = examiner().read(Upload(name=upload.name, data=upload.getvalue()))
        if received.pixels is None:
            examined_ = examiner().judge(received).report
            st.error("The file could not be decoded, so there is nothing to attack.", icon=":material/error:")
            fragments.evidence(view(masked(examined_)))
        return received.pixels
    if (drawn := latest()) is not None:
        return drawn.pixels
    st.info("Draw a picture first, or drop one above.", icon=":material/info:")
    st.page_link("views/generate.py", label="Draw a picture", icon=":material/draw:")
    return None


def _attack(pixels: Pixels) -> None:
    controls, result = st.columns([1, 3], gap="large")
    with controls:
        laundering = _sliders()
    with result, st.spinner("Examining", show_time=True):
        changed = laundered(pixels, laundering)
        report = examined(examiner(), changed, "attacked.png")
    with result:
        _result(changed, report)
    st.header("How the evidence falls")
    _fall(pixels, laundering)


def _sliders() -> Laundering:
    jpeg = st.slider(_NAMES[Slider.JPEG], 5, _UNTOUCHED, _UNTOUCHED, help="101 is: not compressed.")
    return Laundering(
        crop=st.slider(_NAMES[Slider.CROP], 0.2, 1.0, 1.0, 0.05),
        rotation=st.slider(_NAMES[Slider.ROTATION], -90.0, 90.0, 0.0, 1.0),
        blur=st.slider(_NAMES[Slider.BLUR], 0.0, 6.0, 0.0, 0.25),
        noise=st.slider(_NAMES[Slider.NOISE], 0.0, 60.0, 0.0, 2.0),
        regeneration=st.slider(
            _NAMES[Slider.REGENERATION], 0.0, 1.0, 0.0, 0.1,
            help="How far towards pure noise a diffusion model takes the picture before it draws it anew.",
        ),
        jpeg=None if jpeg == _UNTOUCHED else jpeg,
    )  # fmt: skip


def _result(changed: Pixels, report: Report) -> None:
    words = view(masked(report))
    left, right = st.columns(2, gap="large")
    with left:
        picture(report, encoded(changed), key="attacked")
    with right:
        fragments.verdict(words)
    rows = [
        {
            "Check": standing.check,
            "Counts as evidence": "yes" if standing.found else "no",
            "Chance without the claim": "–" if standing.p_value is None else f"{standing.p_value:.1g}",
            "log10 likelihood ratio": "–" if standing.log10_lr is None else f"{standing.log10_lr:.2f}",
        }
        for standing in standings(report)
    ]
    st.table(rows)


def _fall(pixels: Pixels, others: Laundering) -> None:
    slider = st.selectbox("Move one slider, the others as they are", list(SWEEPS), format_func=_NAMES.__getitem__)
    if not st.button("Draw the fall", icon=":material/trending_down:"):
        return
    values, points = SWEEPS[slider], list[Point]()
    bar, place = st.progress(0.0, text="Examining …"), st.empty()
    for point in fall(examiner(), pixels, slider, others=others):
        points.append(point)
        bar.progress(len(points) / len(values), text=f"{len(points)} of {len(values)}")
        with place.container():
            falling(points, _NAMES[slider])
    bar.empty()


main()
