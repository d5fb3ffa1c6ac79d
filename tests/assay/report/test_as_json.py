import json
import math
from dataclasses import replace

from hypothesis import given, settings

from assay import codec
from assay.report import as_json
from assay.vocabulary import Measurement, Report
from tests.assay.report import samples
from tests.assay.report.arbitrary import REPORTS


def refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


@settings(max_examples=60, deadline=None)
@given(REPORTS)
def test_any_report_comes_back(reports: list[Report]) -> None:
    text = as_json.render(reports)
    document = json.loads(text, parse_constant=refuse)
    assert text.isascii()
    assert document["schema"] == "assay-reports/1"
    assert list(document) == ["schema", "reports"]
    again = [codec.decode(Report, data) for data in document["reports"]]
    assert repr(again) == repr(reports)  # repr, because a NaN statistic equals nothing


@settings(max_examples=60, deadline=None)
@given(REPORTS)
def test_one_report_a_line(reports: list[Report]) -> None:
    text = as_json.render_lines(reports)
    assert text.isascii()
    assert text.count("\n") == len(reports)
    again = [codec.decode(Report, json.loads(line, parse_constant=refuse)) for line in text.splitlines()]
    assert repr(again) == repr(reports)


def test_numbers_that_json_does_not_have() -> None:
    measured = samples.measured()
    detector = next(outcome for outcome in measured.outcomes if isinstance(outcome, Measurement))
    for value in (math.inf, -math.inf, math.nan):
        report = replace(measured, outcomes=(replace(detector, statistic=value, log10_lr=value),))
        data = json.loads(as_json.render([report]), parse_constant=refuse)["reports"][0]
        assert data["outcomes"][0]["statistic"] == str(value)
        assert repr(codec.decode(Report, data)) == repr(report)


def test_nothing_is_cut() -> None:
    report = replace(samples.unreadable(), exhibit=replace(samples.unreadable().exhibit, name="x" * 1_000_000))
    assert codec.decode(Report, json.loads(as_json.render_lines([report]))) == report


def test_text_reports_state_beside_the_fields() -> None:
    data = json.loads(as_json.render([samples.broken()]))["reports"][0]
    assert data["outcomes"][0]["state"] == "does not verify"


def test_nothing_examined() -> None:
    assert json.loads(as_json.render([])) == {"schema": "assay-reports/1", "reports": []}
    assert as_json.render_lines([]) == ""
