from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow.ipc
import pytest
from streamlit.testing.v1 import AppTest

from assay.jobs.laundering import Point, Standing
from dashboard import charts
from tests.builders import observation, report
from tests.dashboard import session

BLANK = np.zeros((8, 8, 3), dtype=np.uint8)


@dataclass(frozen=True, kw_only=True)
class Chart:
    spec: dict[str, Any]
    rows: list[dict[str, Any]]
    """What its lines or bars are drawn of."""
    across: list[dict[str, Any]]
    """What the rule across is drawn of."""

    @property
    def layers(self) -> list[dict[str, Any]]:
        return self.spec.get("layer", [self.spec])

    @property
    def marks(self) -> list[str]:
        return [layer["mark"]["type"] for layer in self.layers]

    @property
    def encoding(self) -> dict[str, Any]:
        return self.layers[0]["encoding"]

    def column(self, name: str) -> list[Any]:
        return [row[name] for row in self.rows]


def charted(page: AppTest) -> list[Chart]:
    return [_chart(each.proto) for each in page.get("vega_lite_chart")]


def _chart(proto: Any) -> Chart:
    tables = {each.name: pyarrow.ipc.open_stream(each.data.data).read_all().to_pylist() for each in proto.datasets}
    spec = json.loads(proto.spec)
    rows, *across = (tables[layer["data"]["name"]] for layer in spec.get("layer", [spec]))
    return Chart(spec=spec, rows=rows, across=[row for rule in across for row in rule])


ROWS = [{"at": at, "share": at / 4, "kind": kind} for kind in ("one", "other") for at in (1, 2, 10)]


def test_lines_are_told_apart_without_colour_and_keep_their_order() -> None:
    page = session.drawn(charts.lines, ROWS, x="at", y="share", by="kind")
    (chart,) = charted(page)
    drawn = chart.encoding
    assert len({tuple(dash) for dash in drawn["strokeDash"]["scale"]["range"]}) > 1
    assert len(set(drawn["shape"]["scale"]["range"])) > 1
    assert drawn["x"]["sort"] == ["1", "2", "10"]
    assert [drawn[name]["sort"] for name in ("color", "shape", "strokeDash")] == [["one", "other"]] * 3


def test_a_chart_is_described_for_who_cannot_see_it() -> None:
    page = session.drawn(charts.lines, ROWS, x="at", y="share", by="kind")
    (chart,) = page.get("vega_lite_chart")
    assert chart.proto.alt == "share against at; the table below has the numbers"


@pytest.mark.parametrize("bound", [None, 0.5])
def test_a_bound_is_a_rule_across(bound: float | None) -> None:
    (chart,) = charted(session.drawn(charts.lines, ROWS, x="at", y="share", by="kind", bound=bound))
    assert chart.marks == ["line"] if bound is None else ["line", "rule"]


def standing(check: str, **changes: Any) -> Standing:
    return Standing(**({"check": check, "p_value": None, "log10_lr": None, "found": False, "summary": ""} | changes))


def points() -> list[Point]:
    strong = standing("watermark", p_value=0.0, found=True), standing("detector", log10_lr=2.0, found=True)
    weak = standing("watermark"), standing("detector", log10_lr=-0.5)
    told = report(observation())
    return [
        Point(value=value, pixels=BLANK, report=told, standings=standings)
        for value, standings in ((None, strong), (50, weak))
    ]


def test_chances_and_ratios_fall_on_axes_of_their_own() -> None:
    page = session.drawn(charts.falling, points(), "quality")
    chances, ratios = charted(page)
    assert chances.column("digits of the chance") == [300, 0]
    assert ratios.column("log10 likelihood ratio") == [2.0, -0.5]
    assert (chances.across, ratios.across) == ([{"digits of the chance": 6}], [{"log10 likelihood ratio": 1}])
    assert [chances.column("check"), ratios.column("check")] == [["watermark"] * 2, ["detector"] * 2]
    rows = page.table[0].value.to_dict("records")
    assert [(row["quality"], row["Counts as evidence"]) for row in rows] == [
        ("none", "watermark, detector"),
        ("50", "nothing"),
    ]


def test_where_nothing_was_measured_there_is_a_table_alone() -> None:
    nothing = [Point(value=0.0, pixels=BLANK, report=report(), standings=(standing("watermark"),))]
    page = session.drawn(charts.falling, nothing, "blur")
    assert charted(page) == []
    assert page.table[0].value["Counts as evidence"].tolist() == ["nothing"]


def test_a_histogram_counts_files_and_none_is_said_to_be_none() -> None:
    page = session.drawn(charts.histogram, [0.1, 0.2, 1.7])
    (chart,) = charted(page)
    assert chart.column("log10 likelihood ratio") == [0.1, 0.2, 1.7]
    assert chart.encoding["y"]["aggregate"] == "count"
    page = session.drawn(charts.histogram, [])
    assert charted(page) == []
    assert session.words(page).strip() == "No file here has a measured ratio."


def test_values_are_written_as_a_slider_shows_them() -> None:
    assert [charts.written(value) for value in (None, 0.0, 0.5, 90)] == ["none", "0", "0.5", "90"]
