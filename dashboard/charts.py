"""Curves. Each stands above the table of its numbers, for who cannot see it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import altair
import streamlit as st

from assay.policy import MAX_P_VALUE, MIN_LOG10_LR

if TYPE_CHECKING:
    from assay.jobs.laundering import Point

_DASHES = ([1, 0], [6, 3], [2, 2], [8, 3, 2, 3])
_SHAPES = ("circle", "square", "triangle-up", "diamond", "cross", "triangle-down")


def lines(rows: Sequence[dict[str, object]], *, x: str, y: str, by: str, bound: float | None = None) -> None:
    """Lines that are told apart by shape and dash, not by colour alone.

    Args:
        rows: Values by the names of the columns.
        x: Column along the axis, in the order given.
        y: Column of numbers.
        by: Column whose values have a line each.
        bound: Where a rule is drawn across.
    """
    names = list(dict.fromkeys(str(row[by]) for row in rows))
    order = list(dict.fromkeys(str(row[x]) for row in rows))
    base = altair.Chart(altair.InlineData([{**row, x: str(row[x])} for row in rows]))
    drawn: altair.LayerChart | altair.Chart = base.mark_line(point={"size": 70, "filled": True}).encode(
        x=altair.X(field=x, type="nominal", title=x, sort=order, axis=altair.Axis(labelAngle=0)),
        y=altair.Y(field=y, type="quantitative", title=y),
        color=altair.Color(field=by, type="nominal", title=by, sort=names),
        shape=altair.Shape(field=by, type="nominal", title=by, sort=names, scale=altair.Scale(range=list(_SHAPES))),
        strokeDash=altair.StrokeDash(
            field=by, type="nominal", title=by, sort=names, scale=altair.Scale(range=[*_DASHES])
        ),
    )
    if bound is not None:
        rule = (
            altair.Chart(altair.InlineData([{y: bound}]))
            .mark_rule(strokeDash=[3, 3])
            .encode(y=altair.Y(field=y, type="quantitative"))
        )
        drawn = drawn + rule
    st.altair_chart(drawn, width="stretch", alt=f"{y} against {x}; the table below has the numbers")


def falling(points: Sequence[Point], name: str) -> None:
    """How the evidence of each check falls: chances and ratios on axes of their own."""
    chances = list(_chances(points, name))
    if chances:
        st.markdown("**Marks**: how seldom a picture without the mark would show as much. Higher is stronger evidence.")
        lines(chances, x=name, y="digits of the chance", by="check", bound=-math.log10(MAX_P_VALUE))
        st.caption("Above the dashed line, fewer than one in a million, the verdict counts it.")
    ratios = list(_ratios(points, name))
    if ratios:
        st.markdown("**Detectors**: support for the proposition that a model made it.")
        lines(ratios, x=name, y="log10 likelihood ratio", by="check", bound=MIN_LOG10_LR)
    st.table([_as_row(point, name) for point in points])


def _chances(points: Iterable[Point], name: str) -> Iterable[dict[str, object]]:
    measured = {standing.check for point in points for standing in point.standings if standing.p_value is not None}
    for point in points:
        for standing in point.standings:
            if standing.check in measured:
                p_value = 1.0 if standing.p_value is None else max(standing.p_value, 1e-300)
                yield {
                    name: written(point.value),
                    "check": standing.check,
                    "digits of the chance": -math.log10(p_value),
                }


def _ratios(points: Iterable[Point], name: str) -> Iterable[dict[str, object]]:
    for point in points:
        for standing in point.standings:
            if standing.log10_lr is not None:
                yield {name: written(point.value), "check": standing.check, "log10 likelihood ratio": standing.log10_lr}


def _as_row(point: Point, name: str) -> dict[str, str]:
    found = [standing.check for standing in point.standings if standing.found]
    return {
        name: written(point.value),
        "Counts as evidence": ", ".join(found) or "nothing",
        "Verdict": point.report.verdict.headline,
    }


def written(value: float | None) -> str:
    """A value of a slider."""
    return "none" if value is None else f"{value:g}"


def histogram(ratios: Sequence[float]) -> None:
    """How many files have which likelihood ratio."""
    if not ratios:
        st.caption("No file here has a measured ratio.")
        return
    bins = altair.Bin(step=0.5)
    chart = (
        altair.Chart(altair.InlineData([{"log10 likelihood ratio": value} for value in ratios]))
        .mark_bar()
        .encode(x=altair.X("log10 likelihood ratio:Q", bin=bins), y=altair.Y("count()", title="files"))
    )
    st.altair_chart(chart, width="stretch", alt=f"Histogram of {len(ratios):,} log10 likelihood ratios")
    st.caption("Right of 0 speaks for a model, left of it against; the verdict counts ratios from 1 on.")
