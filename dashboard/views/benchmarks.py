"""Models and benchmarks: the cards of what ships, and the curves of what was measured, with n and intervals."""

from __future__ import annotations

import re
from pathlib import Path

import streamlit as st

from assay.jobs.robustness.curves import kinds
from assay.jobs.robustness.kept import read
from assay.jobs.robustness.pixels import PixelResults
from assay.stats import clopper_pearson
from dashboard.charts import lines

_ROOT = Path(__file__).parents[2]
_CARDS = {
    "Detectors of pictures that models made": _ROOT / "detection" / "weights",
    "Pocket, the diffusion model that ships": _ROOT / "generation" / "weights" / "pocket",
}
_PICTURES = {"curve.png": "Training", "reliability.png": "Reliability", "samples.webp": "Uncurated samples"}
_IMAGE = re.compile(r"!\[[^]]*\]\([^)]*\)")
_HEADING = re.compile(r"^#", re.MULTILINE)


def main() -> None:
    """Draw the page."""
    st.title("Models and benchmarks")
    st.write(
        "What ships, what it was trained on, and what was measured of it. Every figure names its n, and a command in "
        "the repository makes it again."
    )
    for title, folder in _CARDS.items():
        with st.expander(title):
            _card(folder)
    _curves()


def _card(folder: Path) -> None:
    """Our own text, as it lies beside the weights; its pictures after it."""
    text = (folder / "README.md").read_text()
    st.markdown(_HEADING.sub("##", _IMAGE.sub("", text)))
    for name, caption in _PICTURES.items():
        if (folder / name).exists():
            st.image(folder / name, caption=caption, alt=f"{caption}: what it shows is described in the card above")


def _curves() -> None:
    st.header("How the mark in the pixels holds")
    files = sorted((_ROOT / "docs" / "pixels").glob("*.json"))
    if not files:
        st.info("The measurements lie in docs/, which this installation does not have.", icon=":material/info:")
        return
    path = st.selectbox("Measurement", files, format_func=lambda file: file.stem)
    results = read(path, PixelResults)
    st.caption(f"{results.setup.count} {results.setup.pictures}; intervals of 95 % (Clopper and Pearson).")
    curves = kinds(results)
    if not curves:
        st.info("No change was measured at three strengths, so there is no curve: the numbers are in docs/pixels.md.")
    for kind, names in curves.items():
        rows = [
            _measured(results, method, name, at)
            for method in dict.fromkeys(quality.method for quality in results.qualities)
            for at, name in names.items()
        ]
        shown = [row for row in rows if row is not None]
        if shown:
            st.markdown(f"**{kind}**")
            lines(shown, x="strength", y="share read", by="method")
            with st.expander(f"Numbers: {kind}"):
                st.table(shown)


def _measured(results: PixelResults, method: str, name: str, at: float) -> dict[str, object] | None:
    row = results.row(method, name)
    if row is None:
        return None
    right, n = sum(row.exact), len(row.exact)
    low, high = clopper_pearson(right, n)
    return {
        "method": method, "strength": f"{at:g}", "share read": right / n, "interval": f"{low:.3f} to {high:.3f}", "n": n
    }  # fmt: skip


main()
