"""What every report format in the catalog owes."""

from __future__ import annotations

import pytest

from assay import catalog
from assay.report.privacy import masked
from assay.vocabulary import Detail, Failed, Integrity, Nothing, Severity, Skipped, Violation
from tests.builders import attestation, facts, measurement, observation, report
from tests.pages import words

VIOLATION = Violation(
    rule="credentials-required", severity=Severity.ERROR, message="none", remedy="sign it", fingerprint="ab" * 32
)
REPORTS = (
    report(attestation(), observation(), Nothing(check="a"), violations=(VIOLATION,)),
    report(measurement(), Skipped(check="b", reason="no model"), exhibit=facts(name="b.jpg")),
    report(attestation(integrity=Integrity.BROKEN), exhibit=facts(name="c.jpg")),
    report(Failed(check="exhibit", error="d.jpg: gone", hint="look"), exhibit=facts(name="d.jpg", picture=None)),
)


@pytest.mark.parametrize("name", catalog.FORMATS)
def test_it_draws_every_kind_of_outcome_and_always_the_same(name: str) -> None:
    render = catalog.format_named(name)
    drawn = render(REPORTS)
    assert drawn == render(REPORTS)
    text = words(drawn)
    assert "credentials-required" in text
    assert "d.jpg" in text
    for word in ("score", "confidence", "authentic"):
        assert word not in text.lower()


@pytest.mark.parametrize("name", catalog.FORMATS)
def test_nothing_to_report_is_drawn_too(name: str) -> None:
    assert isinstance(words(catalog.format_named(name)(())), str)


@pytest.mark.parametrize("name", catalog.FORMATS)
def test_what_a_file_holds_is_shown_as_what_it_is(name: str) -> None:
    shown = report(observation(summary="a\u202eb\x1bc"), exhibit=facts(name="d\x00e\u200bf.jpg"))
    drawn = words(catalog.format_named(name)([shown]))
    assert not set(drawn) & set("\u202e\x1b\x00\u200b")
    assert "202eb" in drawn


@pytest.mark.parametrize("name", catalog.FORMATS)
def test_personal_data_stays_out_once_it_is_masked(name: str) -> None:
    private = (Detail(name="Serial number", value="SERIAL-4711", private=True),)
    shown = report(attestation(identity=private), observation(details=private))
    render = catalog.format_named(name)
    assert ("4711" in words(render([shown]))) is (name != "sarif")  # which says nothing of notes
    assert "4711" not in words(render([masked(shown)]))


@pytest.mark.parametrize("name", ["text", "jsonl"])
def test_streaming_formats_are_the_sum_of_their_parts(name: str) -> None:
    from assay.commands.verify import STREAMING

    assert name in STREAMING
    render = catalog.format_named(name)
    assert render(REPORTS) == "".join(words(render([each])) for each in REPORTS)


def test_a_ghost_format_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalog, "FORMATS", {"ghost": "assay.report.as_ghost:render"})
    with pytest.raises(ImportError):
        catalog.format_named("ghost")
