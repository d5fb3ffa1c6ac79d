from dataclasses import replace

import pytest
from hypothesis import given, settings

from assay.report.view import ORDER, describe, view
from assay.vocabulary import (
    Attestation,
    Basis,
    Claim,
    Failed,
    History,
    Integrity,
    Measurement,
    Nothing,
    Outcome,
    Report,
    Skipped,
    Trust,
)
from tests.assay.report import samples
from tests.assay.report.arbitrary import anything
from tests.builders import attestation, facts, measurement, observation, report

STATES = {
    "trusted": {},
    "intact, signer unknown": {"trust": Trust.UNKNOWN},
    "intact, signer's certificate expired": {"trust": Trust.EXPIRED},
    "intact, signer's certificate revoked": {"trust": Trust.REVOKED},
    "history broken": {"history": History.BROKEN},
    "does not verify": {"integrity": Integrity.BROKEN},
    "points to a remote manifest (not fetched)": {"integrity": Integrity.NOT_FETCHED},
}


@pytest.mark.parametrize("state", STATES)
def test_a_manifest_is_signed_only_when_everything_holds(state: str) -> None:
    line = describe(attestation(**STATES[state]), facts(), samples.TOOLS)
    assert line.label == ("signed" if state == "trusted" else "noted")
    assert line.title == "Content Credentials"
    assert line.text == f"{state}. The file is as it was when it was signed."
    assert [cell.name for cell in line.cells][-1] == "identity"


@pytest.mark.parametrize("state", STATES)
def test_every_state_says_what_would_change_it(state: str) -> None:
    shown = view(report(attestation(**STATES[state]), tools=samples.TOOLS))
    assert len(shown.would_change) == 1


def test_without_a_trust_list_that_is_what_would_change_it() -> None:
    shown = view(report(attestation(trust=Trust.UNKNOWN)))
    assert shown.would_change == ("A trust list: none is installed, so nobody is trusted (assay trust update).",)


@pytest.mark.parametrize(
    ("outcome", "label", "title"),
    [
        (measurement(), "measured", "Measurement"),
        (measurement(log10_lr=-3.0), "measured", "Measurement"),
        (measurement(log10_lr=None), "nothing", "Measurement"),
        (measurement(basis=Basis.MARKED, log10_lr=None, p_value=1e-9), "marked", "Watermark"),
        (measurement(basis=Basis.MARKED, log10_lr=None, p_value=0.3), "nothing", "Watermark"),
        (measurement(basis=Basis.MARKED, log10_lr=0.2), "nothing", "Watermark"),
        (observation(), "noted", "Declared origin and AI use"),
        (observation(contradiction=True), "noted", "Contradictions"),
        (Nothing(check="credentials"), "nothing", "Nothing found"),
        (Nothing(check="metadata"), "nothing", "Nothing found"),
        (Skipped(check="noise", reason="Not installed."), "skipped", "Skipped"),
        (Failed(check="exhibit", error="photo.jpg: empty", hint="Fetch it."), "failed", "Could not be examined"),
    ],
)
def test_every_kind_of_outcome_has_a_line(outcome: Outcome, label: str, title: str) -> None:
    line = describe(outcome, facts(), samples.TOOLS)
    assert (line.label, line.title, line.check) == (label, title, outcome.check)
    assert line.text


def test_absence_is_explained_and_not_held_against_the_image() -> None:
    text = describe(Nothing(check="credentials"), facts(), samples.TOOLS).text
    assert text == "No Content Credentials. Most images have none, and removing them is easy."


def test_a_failure_does_not_name_the_file_twice() -> None:
    failed = Failed(check="exhibit", error="photo.jpg: empty", hint="Fetch it.")
    line = describe(failed, facts(), samples.TOOLS)
    assert (line.text, line.hint) == ("empty", "Fetch it.")


def test_a_measurement_shows_its_numbers_with_their_null() -> None:
    line = describe(measurement(p_value=0.00123, statistic=1234.56), facts(), samples.TOOLS)
    assert [(detail.name, detail.value) for detail in line.details] == [
        ("statistic", "1235"),
        ("if the claim were false", "photographs of the calibration set"),
        ("p-value", "0.00123"),
        ("log10 likelihood ratio", "2.50"),
    ]
    assert line.text.endswith("Moderately strong support for the proposition that a generative model made it, "
                              "relative to its opposite.")  # fmt: skip
    assert describe(measurement(log10_lr=None), facts(), samples.TOOLS).text.endswith("The method abstains.")


@settings(max_examples=60, deadline=None)
@given(anything(Report))
def test_lines_are_in_the_order_of_their_weight(shown: Report) -> None:
    labels = [line.label for line in view(shown).lines]
    assert labels == sorted(labels, key=ORDER.index)
    assert len(labels) == len(shown.outcomes)


def test_among_notes_credentials_come_first_then_contradictions() -> None:
    camera, clash = observation(signal="camera"), observation(contradiction=True)
    stranger = attestation(trust=Trust.UNKNOWN)
    lines = view(report(camera, observation(), clash, stranger)).lines
    assert [line.title for line in lines] == [
        "Content Credentials",
        "Contradictions",
        "Declared origin and AI use",
        "Camera facts",
    ]


def test_a_verdict_by_measurement_is_on_the_scale() -> None:
    assert view(samples.measured()).support.startswith("Moderately strong support for")
    assert view(samples.signed_and_generated()).support == ""


def test_a_note_in_credentials_is_not_changed_by_an_edit_of_the_metadata() -> None:
    shown = view(report(attestation(trust=Trust.UNKNOWN, claim=Claim.GENERATED), tools=samples.TOOLS))
    assert shown.label == "noted"
    assert not any("edit of the metadata" in text for text in shown.would_change)


def test_rules_that_stop_a_file_come_first() -> None:
    assert [violation.severity for violation in view(samples.contradictory()).violations] == ["error", "warning"]


def test_what_would_change_a_note_and_a_conflict() -> None:
    changes = view(samples.contradictory()).would_change
    assert any("One edit of the metadata" in text for text in changes)
    assert any("which of the contradicting statements holds" in text for text in changes)


def test_a_file_that_was_not_read_has_to_be_read() -> None:
    shown = view(samples.unreadable())
    assert shown.label == "not examined"
    assert shown.would_change == ("A file that can be read: fetch it again from the source.",)


def test_a_check_that_failed_alone_says_what_to_do() -> None:
    failed = Failed(check="credentials", error="photo.jpg: cut", hint="Fetch the file again.")
    shown = view(report(observation(), failed))
    assert shown.label == "noted"
    assert "Fetch the file again." in shown.would_change


def test_the_file_in_words() -> None:
    shown = view(samples.measured())
    assert [(detail.name, detail.value) for detail in shown.file] == [
        ("image", "WEBP, 1,024 × 1,024 pixels as stored, RGB, 3 frames"),
        ("size", "88,400 bytes"),
        ("SHA-256", "c" * 64),
    ]
    assert shown.file_notes == ("named .jpg, but the content is WEBP",)
    unread = replace(samples.unreadable().exhibit, byte_size=None, sha256=None)
    assert view(replace(samples.unreadable(), exhibit=unread)).file == ()


def test_a_map_travels_with_its_measurement() -> None:
    assert [line.map for line in view(samples.measured()).lines if line.map] == [samples.MAP]


def test_the_words_that_are_never_used() -> None:
    texts = repr([view(shown) for shown in samples.all_kinds()]).lower()
    for word in (" real ", "fake", "authentic", "confidence", "score", "%", "✓", "✔"):
        assert word not in texts


def test_types_are_told_apart() -> None:
    kinds = {type(outcome) for shown in samples.all_kinds() for outcome in shown.outcomes}
    assert {Attestation, Measurement, Nothing, Skipped, Failed} < kinds
