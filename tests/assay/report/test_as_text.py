import re
import unicodedata
from dataclasses import replace

import pytest
from hypothesis import given, settings

from assay.report import as_text
from assay.vocabulary import Detail, Manifest, Report
from tests.assay.report import samples
from tests.assay.report.arbitrary import HOSTILE, REPORTS, with_text
from tests.builders import attestation, observation, report

STYLE = re.compile(r"\x1b\[[0-9;]*m")


@settings(max_examples=60, deadline=None)
@given(REPORTS, REPORTS)
def test_blocks_stand_for_themselves(first: list[Report], second: list[Report]) -> None:
    assert as_text.render(first + second) == as_text.render(first) + as_text.render(second)


@settings(max_examples=60, deadline=None)
@given(REPORTS)
def test_nothing_can_act_on_the_terminal(reports: list[Report]) -> None:
    text = as_text.render(reports)
    acting = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
    assert not acting & {unicodedata.category(character) for character in text.replace("\n", "")}
    text.encode("utf-8")


@settings(max_examples=60, deadline=None)
@given(REPORTS)
def test_colour_says_nothing_that_the_words_do_not(reports: list[Report]) -> None:
    assert STYLE.sub("", as_text.render(reports, colour=True)) == as_text.render(reports)


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("shown", samples.all_kinds(), ids=lambda shown: shown.exhibit.name)
def test_a_file_cannot_forge_a_line(shown: Report, text: str) -> None:
    forged, plain = (as_text.render([with_text(shown, word)]) for word in (text, "plain"))
    assert [line[:12] for line in forged.splitlines()[1:]] == [line[:12] for line in plain.splitlines()[1:]]


def test_colour_is_never_green(reports: list[Report]) -> None:
    styles = set(STYLE.findall(as_text.render(reports, colour=True)))
    assert styles
    assert not any("32" in style or "92" in style for style in styles)


def test_the_headline_is_first_and_bold() -> None:
    text = as_text.render([samples.signed_and_generated()], colour=True)
    assert text.startswith("\x1b[1mMade with generative AI, says a trusted signer\x1b[0m\n")


def test_the_history_is_drawn_with_its_branches() -> None:
    text = as_text.render([samples.signed_and_generated()])
    assert "● tulip.jpg (this file): trusted" in text
    assert "├─ ● tulip-draft.png (earlier version): trusted" in text
    assert "└─ ◌ paper-texture.jpg (part of the image): no credentials of its own" in text


def test_what_was_said_is_not_said_twice() -> None:
    text = as_text.render([samples.contradictory()])
    assert text.count("EXIF names a camera, and the same file holds") == 1
    assert "because" not in text


def test_reasons_and_conflicts_of_the_policy_are_said() -> None:
    signed = attestation(claim="captured")
    text = as_text.render([report(signed, observation(claim="generated"))])
    assert "  conflict  One source says generated (noted), another captured (signed)." in text


def test_a_reason_that_no_line_gives_is_given() -> None:
    shown = report(observation())
    text = as_text.render([replace(shown, verdict=replace(shown.verdict, because=("A rule of the house.",)))])
    assert "  because   A rule of the house." in text


def test_rules_come_with_their_remedy_and_failures_with_a_hint() -> None:
    text = as_text.render([samples.contradictory(), samples.unreadable()])
    assert "  error     no-personal-data: its metadata holds location\n" in text
    assert "              remedy: Strip these fields" in text
    assert "              hint: Known, by content" in text


def test_a_megabyte_is_not_printed() -> None:
    text = as_text.render([with_text(shown, "x" * 1_000_000) for shown in samples.all_kinds()])
    assert len(text) < 200_000
    assert "999,600 more characters" in text


def test_long_lists_are_counted() -> None:
    many = tuple(Detail(name=str(number), value="x") for number in range(100))
    text = as_text.render([report(observation(details=many), attestation(identity=many))])
    assert text.count("and 60 more, which the JSON report lists") == 2


def test_a_deep_tree_says_that_it_is_cut() -> None:
    manifest = Manifest(title="root", ingredients=(Manifest(title="x"),) * 500)
    text = as_text.render([report(attestation(manifest=manifest))])
    assert "├─ ◌ x (this file)" in text
    assert "└─ … and 301 more, which the JSON report lists" in text


def test_nothing_examined() -> None:
    assert as_text.render([]) == ""
