"""Curves of what was measured of marks in the pixels: the share read against the strength of a change."""

from __future__ import annotations

import re
from collections.abc import Mapping
from io import BytesIO

from assay.jobs.robustness.pixels import PixelResults
from assay.stats import clopper_pearson

_FEWEST = 3
"""Strengths of one kind of change that make a curve."""
_STRENGTH = re.compile(r"([a-z-]+)-([\d.]+)")


def kinds(results: PixelResults) -> Mapping[str, Mapping[float, str]]:
    """Rows whose names differ in one number only: kind to number to name."""
    found: dict[str, dict[float, str]] = {}
    for name in dict.fromkeys(row.name for row in results.rows):
        if match := _STRENGTH.fullmatch(name):
            found.setdefault(match[1], {})[float(match[2])] = name
    return {kind: dict(sorted(names.items())) for kind, names in found.items() if len(names) >= _FEWEST}


def drawn(results: PixelResults) -> bytes:
    """One panel for each kind, one line for each method, with 95 % intervals: a PNG."""
    from matplotlib.figure import Figure  # noqa: PLC0415 - slow to import

    panels = kinds(results)
    across = max(1, len(panels))
    figure = Figure(figsize=(3.6 * across, 3.2), layout="tight")
    axes = figure.subplots(1, across, squeeze=False)
    for axis, (kind, names) in zip(axes[0], panels.items(), strict=False):
        for quality in results.qualities:
            rows = {at: results.row(quality.method, name) for at, name in names.items()}
            counts = {at: (sum(row.exact), len(row.exact)) for at, row in rows.items() if row is not None}
            middle = [right / of for right, of in counts.values()]
            bounds = [clopper_pearson(*count) for count in counts.values()]
            away = [[m - low for m, (low, _) in zip(middle, bounds, strict=True)]]
            away.append([high - m for m, (_, high) in zip(middle, bounds, strict=True)])
            axis.errorbar(list(counts), middle, yerr=away, marker="o", markersize=3, capsize=2, label=quality.method)
        axis.set(title=kind, ylim=(-0.03, 1.03), xlabel="strength, as in its name")
    axes[0][0].set_ylabel("whole payload read")
    if panels:
        axes[0][-1].legend(fontsize=7)
    figure.suptitle(results.setup.pictures, fontsize=9)
    stream = BytesIO()
    figure.savefig(stream, format="png", dpi=110)
    return stream.getvalue()
