"""No picture is left of any report, and nothing else is touched."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given

from assay.codec import encode
from assay.report.pictures import without_pictures
from assay.vocabulary import Report
from tests.assay.report.arbitrary import anything

PICTURES = ("preview", "thumbnail")


def pictures(value: object) -> list[object]:
    match value:
        case dict():
            own = [value[name] for name in PICTURES if value.get(name) is not None]
            return own + [each for item in value.values() for each in pictures(item)]
        case list():
            return [each for item in value for each in pictures(item)]
        case _:
            return []


@given(anything(Report))
def test_no_picture_is_left(report: Report) -> None:
    assert pictures(encode(without_pictures(report))) == []


@given(anything(Report))
def test_a_report_without_pictures_stays_as_it_is(report: Report) -> None:
    bare = without_pictures(report)
    assert without_pictures(bare) == bare
    assert replace(bare, preview=report.preview, outcomes=report.outcomes) == report
