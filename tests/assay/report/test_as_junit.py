import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from junitparser import Error, Failure, JUnitXml, Skipped
from lxml import etree

from assay.report import as_junit
from assay.vocabulary import Failed, Report, Severity
from tests.assay.report import samples
from tests.assay.report.arbitrary import HOSTILE, REPORTS, with_text

FORBIDDEN = re.compile(r"[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def parse(text: str) -> JUnitXml:
    return JUnitXml.fromstring(text.encode())


@settings(max_examples=60, deadline=None)
@given(REPORTS)
def test_any_report_parses(reports: list[Report]) -> None:
    text = as_junit.render(reports)
    assert not FORBIDDEN.search(text)
    (suite,) = parse(text)
    assert suite.tests == len(reports)
    assert [case.classname for case in suite] == ["assay.verify"] * len(reports)
    assert sum(any(isinstance(result, Error) for result in case.result) for case in suite) == suite.errors
    assert sum(any(isinstance(result, Failure) for result in case.result) for case in suite) == suite.failures


@pytest.mark.parametrize("text", HOSTILE)
def test_a_file_cannot_forge_an_element(text: str) -> None:
    def structure(word: str) -> list[tuple[str, list[str]]]:
        xml = as_junit.render([with_text(shown, word) for shown in samples.all_kinds()])
        return [(node.tag, sorted(node.attrib)) for node in etree.fromstring(xml.encode()).iter()]

    assert structure(text) == structure("plain")


def test_errors_fail_warnings_do_not(reports: list[Report]) -> None:
    (suite,) = parse(as_junit.render(reports))
    assert (suite.tests, suite.failures, suite.errors, suite.skipped) == (6, 3, 1, 0)
    cases = {case.name: case for case in suite}
    failure = cases["pictures/quay.jpg"].result[0]
    assert (failure.type, failure.message) == ("no-personal-data", "no-personal-data: its metadata holds location")
    assert "remedy: Strip these fields" in failure.text
    assert "warning   no-contradictions" in cases["pictures/quay.jpg"].system_out
    assert cases["pictures/tulip.jpg"].result == []
    error = cases["pictures/notes.jpg"].result[0]
    assert isinstance(error, Error)
    assert error.message == "pictures/notes.jpg: not an image in a known format"
    assert "hint: Known, by content" in error.text


def test_what_a_baseline_accepts_is_skipped() -> None:
    accepted = replace(samples.unreadable(), failures_accepted=True)
    (suite,) = parse(as_junit.render([accepted, samples.unreadable()]))
    assert (suite.failures, suite.errors, suite.skipped) == (0, 1, 1)
    skipped, error = (case.result[0] for case in suite)
    assert (type(skipped), type(error)) == (Skipped, Error)
    assert skipped.message == "A baseline accepts that this file could not be examined."
    (broken,) = samples.broken().violations
    (suite,) = parse(as_junit.render([replace(accepted, violations=(broken,))]))
    assert (suite.failures, suite.errors, suite.skipped) == (1, 0, 0)


def test_several_broken_rules_are_one_failure() -> None:
    shown = samples.contradictory()
    stricter = tuple(replace(violation, severity=Severity.ERROR) for violation in shown.violations)
    (suite,) = parse(as_junit.render([replace(shown, violations=stricter)]))
    (failure,) = next(iter(suite)).result
    assert failure.message == "2 broken rules: no-contradictions no-personal-data"
    assert failure.text.count("remedy: ") == 2


def test_an_image_can_fail_and_be_an_error() -> None:
    shown = samples.contradictory()
    failed = Failed(check="credentials", error="cut", hint="Fetch it again.")
    (suite,) = parse(as_junit.render([replace(shown, outcomes=(*shown.outcomes, failed))]))
    assert (suite.failures, suite.errors) == (1, 1)


def test_what_made_the_report_is_in_it(reports: list[Report]) -> None:
    (suite,) = parse(as_junit.render(reports))
    facts = {item.name: item.value for item in suite.properties()}
    assert facts["assay"] == "0.1.0"
    assert facts["c2pa-python"] == "0.38.1"
    assert facts["trust list sha256"] == samples.TOOLS.trust.sha256


def test_nothing_examined() -> None:
    (suite,) = parse(as_junit.render([]))
    assert suite.tests == 0
