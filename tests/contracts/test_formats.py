"""What every report format in the catalog owes."""

from __future__ import annotations

import pytest

from assay import catalog
from assay.vocabulary import Failed, Integrity, Nothing, Severity, Skipped, Violation
from tests.builders import attestation, facts, measurement, observation, report

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
    text = render(REPORTS)
    assert text == render(REPORTS)
    assert "credentials-required" in text
    assert "d.jpg" in text
    for word in ("score", "confidence", "authentic"):
        assert word not in text.lower()


@pytest.mark.parametrize("name", catalog.FORMATS)
def test_nothing_to_report_is_drawn_too(name: str) -> None:
    assert isinstance(catalog.format_named(name)(()), str)


@pytest.mark.parametrize("name", ["text", "jsonl"])
def test_streaming_formats_are_the_sum_of_their_parts(name: str) -> None:
    from assay.commands.verify import STREAMING

    assert name in STREAMING
    render = catalog.format_named(name)
    assert render(REPORTS) == "".join(render([each]) for each in REPORTS)


def test_a_ghost_format_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalog, "FORMATS", {"ghost": "assay.report.as_ghost:render"})
    with pytest.raises(ImportError):
        catalog.format_named("ghost")
