from dataclasses import replace

from hypothesis import given, settings

from assay import codec
from assay.report.privacy import MASK, masked
from assay.vocabulary import Detail, Report
from tests.assay.report import samples
from tests.assay.report.arbitrary import anything


def test_private_values_go_and_nothing_else() -> None:
    report = samples.signed_and_generated()
    attestation, declared, rights = report.outcomes
    expected = replace(
        report,
        outcomes=(
            replace(attestation, identity=(Detail(name="Author, as stated", value=MASK, private=True),)),
            declared,
            replace(rights, details=(replace(rights.details[0], value=MASK), rights.details[1])),
        ),
    )
    assert masked(report) == expected


def test_a_report_without_private_values_is_handed_on_as_it_is() -> None:
    report = samples.unreadable()
    assert masked(report) is report


def test_a_place_is_masked() -> None:
    shown = repr(masked(samples.contradictory()))
    assert "52.5200" not in shown
    assert "Example Optics" in shown


@settings(max_examples=40, deadline=None)
@given(anything(Report))
def test_the_only_difference_is_the_mask(report: Report) -> None:
    def mask(value: object) -> object:
        match value:
            case {"name": _, "value": _, "private": True}:
                return value | {"value": MASK}
            case dict():
                return {key: mask(item) for key, item in value.items()}
            case list():
                return [mask(item) for item in value]
            case _:
                return value

    assert repr(codec.encode(masked(report))) == repr(mask(codec.encode(report)))
