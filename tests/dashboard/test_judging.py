from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from assay.rules import Policy, load
from assay.vocabulary import Claim, Failed, Report
from dashboard.judging import WITH_PATH, WITHOUT_PATH, in_short, judged, rulings
from tests.builders import facts, observation, report

POLICY = """
[[rules]]
id = "no-ai"
paths = ["news/**"]
exclude = ["news/art/*"]

[[rules]]
id = "no-prompt"

[[rules]]
id = "credentials-required"
severity = "warning"
paths = ["photos/**", "news/**"]
"""
EXCEPTION = """
[[exceptions]]
rule = "no-ai"
{which}
reason = "an illustration"
expires = {expires}
"""
TODAY = datetime.now(UTC).date()
LATER = TODAY + timedelta(days=2)
"""An exception until this day counts, even where midnight passes while the tests run."""


@pytest.fixture
def policy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Policy:
    monkeypatch.chdir(tmp_path)
    return policy_of(tmp_path)


def policy_of(folder: Path, *exceptions: str) -> Policy:
    (folder / "assay.toml").write_text(POLICY + "".join(exceptions))
    return load(folder / "assay.toml")


def generated(name: str) -> Report:
    return report(observation(), exhibit=facts(name=name, sha256="cd" * 32))


def broken(one: Report) -> list[str]:
    return [violation.rule for violation in one.violations]


def test_without_rules_reports_stay_as_they_are() -> None:
    reports = [generated("a.jpg"), report()]
    assert all(one is other for one, other in zip(judged(None, reports, [True, False]), reports, strict=True))


def test_files_with_a_path_and_without_one_are_judged_each_in_its_way_and_stay_in_order(policy: Policy) -> None:
    names = ("a.jpg", "photos/a.jpg", "b.jpg", "news/art/b.jpg")
    has_path = [False, True, False, True]
    done = judged(policy, list(map(generated, names)), has_path)
    assert [one.exhibit.name for one in done] == list(names)
    assert [broken(one) for one in done] == [
        ["no-ai", "credentials-required"],
        ["credentials-required"],
        ["no-ai", "credentials-required"],
        ["credentials-required"],
    ]


def test_each_rule_says_what_became_of_it_for_a_file_without_a_path(policy: Policy) -> None:
    (done,) = judged(policy, [generated("a.jpg")], [False])
    told = rulings(policy, done, has_path=False)
    assert (told.policy, told.manner, told.broken, told.others) == ("assay.toml", WITHOUT_PATH, 2, ())
    assert [(each.rule, each.state, each.is_broken, each.scope) for each in told.applied] == [
        ("no-ai", "broken (error)", True, "for news/**; not for news/art/*"),
        ("no-prompt", "not broken", False, ""),
        ("credentials-required", "broken (warning)", True, "for photos/**, news/**"),
    ]


def test_rules_that_do_not_speak_about_a_path_are_told_apart(policy: Policy) -> None:
    (done,) = judged(policy, [generated("photos/a.jpg")], [True])
    told = rulings(policy, done, has_path=True)
    assert (told.manner, told.broken) == (WITH_PATH, 1)
    assert [each.rule for each in told.applied] == ["no-prompt", "credentials-required"]
    assert [(each.rule, each.state) for each in told.others] == [("no-ai", "not applied")]


@pytest.mark.parametrize(
    ("which", "expires", "state"),
    [
        ('sha256 = ["' + "CD" * 32 + '"]', LATER, f"an exception lets the file pass until {LATER} (an illustration)"),
        ('sha256 = ["' + "CD" * 32 + '"]', TODAY - timedelta(days=1), "broken (error)"),
        ('paths = ["**"]', LATER, "broken (error)"),
    ],
    ids=["named by its hash", "too late", "named by its path"],
)
def test_an_exception_is_told_where_it_counts(
    policy: Policy, tmp_path: Path, which: str, expires: date, state: str
) -> None:
    policy = policy_of(tmp_path, EXCEPTION.format(which=which, expires=expires))
    (done,) = judged(policy, [generated("a.jpg")], [False])
    assert rulings(policy, done, has_path=False).applied[0].state == state
    assert ("no-ai" in broken(done)) is state.startswith("broken")


def test_what_is_broken_is_said_in_short(policy: Policy, tmp_path: Path) -> None:
    failure = Failed(check="watermark", error="a.jpg: …", hint="…")
    paths = [True, True, False]
    plain, partly, both = judged(policy, [report(), report(failure), generated("a.jpg")], paths)
    assert in_short(plain) == "none broken"
    assert in_short(partly) == "none broken in what could be examined"
    assert in_short(both) == "2 broken: no-ai, credentials-required"
    late = policy_of(tmp_path, EXCEPTION.format(which='sha256 = ["' + "cd" * 32 + '"]', expires="2026-01-01"))
    (lapsed,) = judged(late, [generated("a.jpg")], [False])
    assert in_short(lapsed) == "2 broken: no-ai, credentials-required, expired-exception"


def test_what_could_not_be_examined_is_not_called_unbroken(policy: Policy) -> None:
    failure = Failed(check="watermark", error="a.jpg: …", hint="…")
    (done,) = judged(policy, [report(failure, observation(claim=Claim.CAPTURED))], [False])
    assert [each.state for each in rulings(policy, done, has_path=False).applied] == [
        "not broken in what could be examined",
        "not broken in what could be examined",
        "broken (warning)",
    ]
