"""Reports against a whole policy, its exceptions and its baseline."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.errors import PolicyError
from assay.gate import Gate
from assay.rules import (
    EXPIRED_EXCEPTION,
    RULES,
    Policy,
    applicable,
    covering_exceptions,
    evaluate,
    find_masters,
    load,
    read_baseline,
    violations,
    without_known,
    write_baseline,
)
from assay.rules.globs import Glob
from assay.rules.model import AppliedRule
from assay.rules.parameters import build
from assay.vocabulary import AiUse, Claim, Failed, Integrity, Report, Severity, Trust
from tests.builders import attestation, facts, measurement, observation, report

TODAY = date(2026, 11, 23)
DST = observation(signal="digital-source-type", claim=Claim.GENERATED)


def policy_of(folder: Path, text: str) -> Policy:
    path = folder / "assay.toml"
    path.write_text(text, encoding="utf-8")
    return load(path)


def of_file(folder: Path, name: str, *outcomes: Any, sha256: str | None = None) -> Report:
    """A report on a file below the folder; its content is its name unless told otherwise."""
    digest = sha256 or hashlib.sha256(name.encode()).hexdigest()
    return report(*outcomes, exhibit=facts(name=str(folder / name), sha256=digest))


def test_a_violation_says_everything(tmp_path: Path) -> None:
    policy = policy_of(tmp_path, '[[rules]]\nid = "no-ai"\nname = "sport"\nseverity = "warning"')
    (found,) = violations(policy, of_file(tmp_path, "a.jpg", DST, sha256="cd" * 32), today=TODAY)
    assert (found.rule, found.severity) == ("sport", Severity.WARNING)
    assert found.message == "generative AI is indicated (digital-source-type: whole image)"
    assert found.remedy == RULES["no-ai"].remedy
    assert found.fingerprint == hashlib.sha256(b"sport\0" + b"cd" * 32).hexdigest()


def test_only_the_files_that_a_rule_speaks_about_can_break_it(tmp_path: Path) -> None:
    policy = policy_of(
        tmp_path,
        '[[rules]]\nid = "credentials-required"\npaths = ["photos/**/*.jpg"]\nexclude = ["photos/archive/**"]',
    )
    broken = {
        name: bool(violations(policy, of_file(tmp_path, name), today=TODAY))
        for name in ("photos/a.jpg", "photos/2026/A.JPG", "photos/a.png", "photos/archive/a.jpg", "a.jpg")
    }
    assert [name for name, is_broken in broken.items() if is_broken] == ["photos/a.jpg", "photos/2026/A.JPG"]


def test_standard_input_is_a_file_like_any_other(tmp_path: Path) -> None:
    policy = policy_of(tmp_path, '[[rules]]\nid = "credentials-required"')
    piped = report(exhibit=facts(name="<stdin>"))
    assert [each.rule for each in violations(policy, piped, today=TODAY)] == ["credentials-required"]


def test_several_messages_of_a_rule_are_one_violation(tmp_path: Path) -> None:
    policy = policy_of(tmp_path, '[[rules]]\nid = "allowed-format"\nmax_width = 1\nmax_height = 1')
    (found,) = violations(policy, of_file(tmp_path, "a.jpg"), today=TODAY)
    assert found.message == "it is 64 pixels wide; 1 are allowed; it is 48 pixels high; 1 are allowed"


def test_an_unreadable_file_is_known_by_its_name_below_the_policy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    policy = policy_of(tmp_path, '[[rules]]\nid = "readable"')
    (tmp_path / "photos").mkdir()
    failure = Failed(check="open", error="gone.jpg: no such file", hint="Check the spelling.")

    def fingerprint(name: str) -> str:
        unread = report(failure, exhibit=facts(name=name, sha256=None, picture=None, byte_size=None))
        (found,) = violations(policy, unread, today=TODAY)
        return found.fingerprint

    expected = hashlib.sha256(b"readable\0photos/gone.jpg").hexdigest()
    assert fingerprint(str(tmp_path / "photos" / "gone.jpg")) == expected
    monkeypatch.chdir(tmp_path / "photos")
    assert fingerprint("gone.jpg") == expected


# --- exceptions -------------------------------------------------------------------------------------------------------

EXCEPTION = """
[[rules]]
id = "credentials-required"
[[exceptions]]
rule = "credentials-required"
{which}
reason = "scanned before 2024"
expires = 2026-11-23
"""


@pytest.mark.parametrize("which", ['paths = ["old/*.jpg"]', f'sha256 = ["{"CD" * 32}"]'])
def test_an_exception_lets_its_files_pass_to_the_end_of_its_last_day(tmp_path: Path, which: str) -> None:
    policy = policy_of(tmp_path, EXCEPTION.format(which=which))
    old = of_file(tmp_path, "old/a.jpg", sha256="cd" * 32)
    assert violations(policy, old, today=TODAY) == ()
    assert policy.expired(TODAY) == ()
    other = of_file(tmp_path, "new/a.jpg")
    assert [each.rule for each in violations(policy, other, today=TODAY)] == ["credentials-required"]


def test_an_expired_exception_no_longer_applies_and_is_reported(tmp_path: Path) -> None:
    policy = policy_of(tmp_path, EXCEPTION.format(which='paths = ["old/*.jpg"]'))
    tomorrow = TODAY + timedelta(days=1)
    found = violations(policy, of_file(tmp_path, "old/a.jpg"), today=tomorrow)
    assert [(each.rule, each.severity) for each in found] == [
        ("credentials-required", Severity.ERROR),
        (EXPIRED_EXCEPTION, Severity.WARNING),
    ]
    assert "expired on 2026-11-23 (scanned before 2024)" in found[1].message
    assert found[0].fingerprint != found[1].fingerprint
    (line,) = policy.expired(tomorrow)
    assert str(policy.file) in line
    assert "'credentials-required'" in line


def test_an_expired_exception_that_no_file_needs_is_no_violation(tmp_path: Path) -> None:
    policy = policy_of(tmp_path, EXCEPTION.format(which='paths = ["old/*.jpg"]'))
    assert violations(policy, of_file(tmp_path, "old/a.jpg", attestation()), today=TODAY + timedelta(days=1)) == ()


def test_a_renewed_exception_beside_an_expired_one_applies(tmp_path: Path) -> None:
    text = EXCEPTION.format(which='paths = ["old/*.jpg"]')
    renewed = text + text[text.index("[[exceptions]]") :].replace("2026-11-23", "2027-11-23")
    policy = policy_of(tmp_path, renewed)
    assert violations(policy, of_file(tmp_path, "old/a.jpg"), today=TODAY + timedelta(days=1)) == ()


def test_an_exception_speaks_for_one_rule_only(tmp_path: Path) -> None:
    text = EXCEPTION.format(which='paths = ["old/*.jpg"]') + '[[rules]]\nid = "no-ai"\n'
    found = violations(policy_of(tmp_path, text), of_file(tmp_path, "old/a.jpg", DST), today=TODAY)
    assert [each.rule for each in found] == ["no-ai"]


# --- masters and copies -----------------------------------------------------------------------------------------------

KEPT = '[[rules]]\nid = "ai-mark-kept"\npaths = ["published/**"]\nmasters = "masters/**/{stem}.*"\n'


def test_a_copy_is_compared_with_its_master(tmp_path: Path) -> None:
    reports = [
        of_file(tmp_path, "published/2026/lost.jpg", observation()),
        of_file(tmp_path, "published/kept.webp", attestation(ai_use=AiUse.PARTLY)),
        of_file(tmp_path, "published/plain.jpg"),
        of_file(tmp_path, "published/orphan.jpg"),
        of_file(tmp_path, "masters/2026/lost.tif", DST),
        of_file(tmp_path, "masters/kept.tif", DST),
        of_file(tmp_path, "masters/plain.tif", observation()),
    ]
    judged = list(evaluate(policy_of(tmp_path, KEPT), iter(reports), today=TODAY))
    assert [each.exhibit for each in judged] == [each.exhibit for each in reports]
    assert {Path(each.exhibit.name).stem: each.violations[0].message for each in judged if each.violations} == {
        "lost": "its master masters/2026/lost.tif declares generative AI, and the copy does not",
        "orphan": "no examined file matches 'masters/**/{stem}.*', so its AI declaration cannot be compared",
    }


def test_of_two_masters_the_one_that_declares_counts(tmp_path: Path) -> None:
    policy = policy_of(tmp_path, KEPT)
    two = [of_file(tmp_path, "masters/a.tif", DST), of_file(tmp_path, "masters/x/a.tif")]
    for masters in (two, two[::-1]):
        assert find_masters(policy, masters) == {"masters/**/{stem}.*": {"a": "masters/a.tif"}}


def test_a_master_that_could_not_be_examined_is_none(tmp_path: Path) -> None:
    policy = policy_of(tmp_path, KEPT)
    failure = Failed(check="metadata", error="a.tif: …", hint="…")
    assert find_masters(policy, [of_file(tmp_path, "masters/a.tif", failure)]) == {"masters/**/{stem}.*": {}}
    assert find_masters(policy, [of_file(tmp_path, "masters/a.tif", failure, DST)]) == {
        "masters/**/{stem}.*": {"a": "masters/a.tif"}
    }


def test_masters_may_carry_a_mark_in_their_names(tmp_path: Path) -> None:
    policy = policy_of(tmp_path, KEPT.replace("{stem}.*", "{stem}_original.tif"))
    reports = [of_file(tmp_path, "published/a.jpg"), of_file(tmp_path, "masters/a_original.TIF", DST)]
    first, _ = evaluate(policy, reports, today=TODAY)
    assert [each.rule for each in first.violations] == ["ai-mark-kept"]


def test_reports_stream_where_no_rule_compares_files(tmp_path: Path) -> None:
    def endless() -> Iterator[Report]:
        while True:
            yield of_file(tmp_path, "a.jpg")

    judged = evaluate(policy_of(tmp_path, '[[rules]]\nid = "credentials-required"'), endless(), today=TODAY)
    assert [each.rule for each in next(judged).violations] == ["credentials-required"]
    assert next(judged).violations


# --- files without a path ---------------------------------------------------------------------------------------------


def test_every_rule_speaks_about_a_file_without_a_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    text = (
        '[[rules]]\nid = "credentials-required"\npaths = ["photos/**"]\n'
        '[[rules]]\nid = "no-ai"\npaths = ["news/**"]\nexclude = ["**"]\n'
        '[[rules]]\nid = "no-undeclared-ai"\nexclude = ["*.jpg"]\n'
    )
    policy = policy_of(tmp_path, text)
    upload = report(observation(), exhibit=facts(name="a.jpg"))
    assert violations(policy, upload, today=TODAY) == ()
    assert applicable(policy, upload) == ()
    (judged,) = evaluate(policy, [upload], today=TODAY, whatever_paths=True)
    assert [each.rule for each in judged.violations] == ["credentials-required", "no-ai", "no-undeclared-ai"]
    assert applicable(policy, upload, whatever_paths=True) == policy.rules


def test_an_exception_by_path_covers_no_file_without_a_path(tmp_path: Path) -> None:
    upload = report(exhibit=facts(name="a.jpg", sha256="cd" * 32))
    for which, is_covered in (('paths = ["**"]', False), (f'sha256 = ["{"CD" * 32}"]', True)):
        policy = policy_of(tmp_path, EXCEPTION.format(which=which))
        assert violations(policy, upload, today=TODAY) == ()
        found = violations(policy, upload, today=TODAY, whatever_paths=True)
        assert [each.rule for each in found] == ([] if is_covered else ["credentials-required"])
        covering = covering_exceptions(policy, policy.rules[0], upload, whatever_paths=True)
        assert covering == (policy.exceptions if is_covered else ())


def test_what_is_known_of_a_file_stays_known_without_its_path(tmp_path: Path) -> None:
    policy = policy_of(tmp_path, '[[rules]]\nid = "credentials-required"\n')
    (placed,) = violations(policy, of_file(tmp_path, "photos/a.jpg", sha256="cd" * 32), today=TODAY)
    (upload,) = violations(
        policy, report(exhibit=facts(name="a.jpg", sha256="cd" * 32)), today=TODAY, whatever_paths=True
    )
    assert upload == placed


def unplaced(policy: Policy, **outcomes: Any) -> dict[str, str]:
    """The message about each upload that breaks the one rule of the policy."""
    reports = [
        report(*found, exhibit=facts(name=name.replace("_", ".", 1), sha256=None)) for name, found in outcomes.items()
    ]
    judged = evaluate(policy, reports, today=TODAY, whatever_paths=True)
    return {each.exhibit.name: each.violations[0].message for each in judged if each.violations}


def test_no_upload_is_known_to_be_the_master_of_another(tmp_path: Path) -> None:
    said = unplaced(policy_of(tmp_path, KEPT), a_jpg=(), a_webp=(), b_jpg=(DST,), c_jpg=(), c_tif=(DST,))
    unknown = "no examined file matches 'masters/**/{stem}.*', so its AI declaration cannot be compared"
    assert said == {
        "a.jpg": unknown,
        "a.webp": unknown,
        "b.jpg": unknown,
        "c.jpg": "c.tif, which may be its master, declares generative AI, and the copy does not",
        "c.tif": unknown,
    }


def test_where_no_master_is_asked_for_an_upload_of_the_same_name_counts_against_a_copy(tmp_path: Path) -> None:
    policy = policy_of(tmp_path, KEPT + "require_master = false\n")
    said = unplaced(policy, a_jpg=(), a_webp=(), b_jpg=(DST,), c_jpg=(), c_tif=(DST,))
    assert said == {"c.jpg": "c.tif, which may be its master, declares generative AI, and the copy does not"}


PLACES = ("photos/a.jpg", "news/a.jpg", "news/2026/a.jpg", "a.jpg", "masters/a.jpg")
placed_rules = st.lists(
    st.tuples(
        st.sampled_from(["credentials-required", "no-ai", "no-undeclared-ai", "ai-mark-kept", "rights-present"]),
        st.lists(st.sampled_from(["photos/**", "news/*", "**/*.jpg", "*.png"]), max_size=2),
        st.lists(st.sampled_from(["news/2026/**", "*.jpg"]), max_size=1),
    ),
    min_size=1,
    max_size=4,
)


@settings(max_examples=200, deadline=None)
@given(
    placed_rules, st.sampled_from(PLACES), st.lists(st.sampled_from([DST, observation(), attestation()]), max_size=2)
)
def test_whatever_breaks_a_rule_at_some_path_breaks_it_without_one(
    rules: list[tuple[str, list[str], list[str]]], place: str, found: list[Any]
) -> None:
    policy = Policy(
        file=Path("/site/assay.toml"),
        rules=tuple(
            AppliedRule(
                name=f"{number}-{name}",
                rule=build(RULES[name], PARAMETERS.get(name, {}), where="test"),
                severity=RULES[name].severities[0],
                paths=tuple(map(Glob, paths)),
                exclude=tuple(map(Glob, exclude)),
            )
            for number, (name, paths, exclude) in enumerate(rules)
        ),
    )
    placed = report(*found, exhibit=facts(name=f"/site/{place}"))
    upload = report(*found, exhibit=facts(name="a.jpg"))
    (stopped,) = evaluate(policy, [placed], today=TODAY)
    (shown,) = evaluate(policy, [upload], today=TODAY, whatever_paths=True)
    assert {each.rule for each in stopped.violations} <= {each.rule for each in shown.violations}


# --- properties -------------------------------------------------------------------------------------------------------

PARAMETERS: dict[str, dict[str, Any]] = {
    "allowed-format": {"max_width": 10},
    "ai-mark-kept": {"masters": "{stem}.*"},
    "signer-allowed": {"issuers": ["Nobody"]},
}
applied_rules = st.permutations(sorted(RULES)).map(
    lambda ids: tuple(
        AppliedRule(
            name=name,
            rule=build(RULES[name], PARAMETERS.get(name, {}), where="test"),
            severity=RULES[name].severities[0],
        )
        for name in ids
    )
)
outcomes = st.lists(
    st.sampled_from(
        [
            DST,
            attestation(),
            attestation(ai_use=AiUse.FULLY, integrity=Integrity.BROKEN, trust=Trust.UNKNOWN),
            measurement(),
            observation(),
            observation(signal="prompt"),
            observation(signal="location", claim=None),
            observation(signal="rights-disagree", claim=None, contradiction=True),
            Failed(check="credentials", error="photo.jpg: …", hint="…"),
        ]
    ),
    max_size=5,
)


@settings(max_examples=100, deadline=None)
@given(applied_rules, outcomes, st.randoms(use_true_random=False))
def test_violations_are_the_same_each_time_and_follow_the_policys_order(
    rules: tuple[AppliedRule, ...], found: list[Any], shuffler: Any
) -> None:
    policy = Policy(file=Path("/site/assay.toml"), rules=rules)
    subject = report(*found, exhibit=facts(name="/site/photo.jpg"))
    first = violations(policy, subject, today=TODAY)
    assert first == violations(policy, subject, today=TODAY)
    names = [rule.name for rule in rules]
    assert [each.rule for each in first] == sorted((each.rule for each in first), key=names.index)
    assert len({each.fingerprint for each in first}) == len(first)

    shuffled = list(found)
    shuffler.shuffle(shuffled)
    again = violations(policy, report(*shuffled, exhibit=subject.exhibit), today=TODAY)
    assert again == first


# --- baseline ---------------------------------------------------------------------------------------------------------


def judged(folder: Path, *names: str) -> list[Report]:
    policy = policy_of(folder, '[[rules]]\nid = "credentials-required"\n[[rules]]\nid = "rights-present"')
    return list(evaluate(policy, [of_file(folder, name) for name in names], today=TODAY))


def test_a_baseline_hides_what_is_known_and_survives_a_rename(tmp_path: Path) -> None:
    path = tmp_path / "baseline.json"
    assert write_baseline(path, judged(tmp_path, "a.jpg", "b.jpg")) == 4
    known = read_baseline(path)
    renamed = of_file(tmp_path, "moved/a.jpg", sha256=hashlib.sha256(b"a.jpg").hexdigest())
    policy = load(tmp_path / "assay.toml")
    old, new = evaluate(policy, [renamed, of_file(tmp_path, "new.jpg")], today=TODAY, known=known)
    assert old.violations == ()
    assert [each.rule for each in new.violations] == ["credentials-required", "rights-present"]
    assert without_known(new.violations, known) == new.violations
    assert without_known(new.violations, frozenset({new.violations[0].fingerprint})) == new.violations[1:]


def test_a_baseline_is_stable_and_readable(tmp_path: Path) -> None:
    path, again = tmp_path / "baseline.json", tmp_path / "again.json"
    write_baseline(path, judged(tmp_path, "b.jpg", "a.jpg", "a.jpg"))
    write_baseline(again, judged(tmp_path, "a.jpg", "b.jpg"))
    assert path.read_bytes() == again.read_bytes()
    entries = json.loads(path.read_text())["violations"]
    assert [(entry["name"], entry["rule"]) for entry in entries] == [
        ("a.jpg", "credentials-required"),
        ("a.jpg", "rights-present"),
        ("b.jpg", "credentials-required"),
        ("b.jpg", "rights-present"),
    ]


def test_an_expired_exception_is_not_put_into_a_baseline(tmp_path: Path) -> None:
    policy = policy_of(tmp_path, EXCEPTION.format(which='paths = ["old/*.jpg"]'))
    found = evaluate(policy, [of_file(tmp_path, "old/a.jpg")], today=TODAY + timedelta(days=1))
    assert write_baseline(tmp_path / "baseline.json", found) == 1


BAD_BYTES = Failed(check="exhibit", error="a.jpg: not an image in a known format", hint="x")


def unread(folder: Path, name: str, wrong: str) -> Report:
    failed = Failed(check="exhibit", error=f"{folder / name}: {wrong}", hint="x")
    return report(failed, exhibit=facts(name=str(folder / name), sha256=None, byte_size=None, picture=None))


@pytest.mark.parametrize("rules", ['id = "readable"', 'id = "readable"\nname = "all-read"', 'id = "no-ai"'])
def test_a_baseline_accepts_that_a_file_could_not_be_examined(tmp_path: Path, rules: str) -> None:
    policy = policy_of(tmp_path, f"[[rules]]\n{rules}")
    path = tmp_path / "known" / "baseline.json"
    path.parent.mkdir()
    seen = [of_file(tmp_path, "a.jpg", BAD_BYTES), unread(tmp_path, "b.jpg", "Permission denied")]
    write_baseline(path, evaluate(policy, seen, today=TODAY), root=policy.root)
    known = read_baseline(path)
    changed = of_file(tmp_path, "a.jpg", BAD_BYTES, sha256="cd" * 32)
    renamed = replace(seen[0], exhibit=replace(seen[0].exhibit, name=str(tmp_path / "moved.jpg")))
    missing = unread(tmp_path, "b.jpg", "No such file or directory")
    elsewhere = unread(tmp_path, "c.jpg", "Permission denied")
    fine = of_file(tmp_path, "fine.jpg", sha256=seen[0].exhibit.sha256)
    everything = [*seen, renamed, changed, missing, elsewhere, fine]
    found = list(evaluate(policy, everything, today=TODAY, known=known))
    assert [each.failures_accepted for each in found] == [True, True, True, False, False, False, False]
    if "readable" in rules:  # the rule itself knows a file that could not be read by its name alone
        assert [bool(each.violations) for each in found] == [False, False, False, True, False, True, False]
    for each, code in zip(found, (0, 0, 0, 3, 3, 3, 0), strict=True):
        gate = Gate()
        list(gate.watch([replace(each, violations=())]))
        assert gate.exit_code == code


def test_a_baseline_that_cannot_be_written_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match="cannot be written"):
        write_baseline(tmp_path / "absent" / "baseline.json", [])
    (tmp_path / "folder").mkdir()
    with pytest.raises(PolicyError, match="cannot be written"):
        write_baseline(tmp_path / "folder", [])
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"\xff",
        b"[" * 100_000,
        b"[]",
        b"{}",
        b'{"schema": "assay-baseline/2", "violations": []}',
        b'{"schema": "assay-baseline/1"}',
        b'{"schema": "assay-baseline/1", "violations": {}}',
        b'{"schema": "assay-baseline/1", "violations": [1]}',
        b'{"schema": "assay-baseline/1", "violations": [{"rule": "no-ai"}]}',
        b'{"schema": "assay-baseline/1", "violations": [{"fingerprint": "xyz"}]}',
    ],
)
def test_a_damaged_baseline_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "baseline.json"
    path.write_bytes(content)
    with pytest.raises(PolicyError, match="baseline") as caught:
        read_baseline(path)
    assert caught.value.hint


def test_an_absent_baseline_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match="cannot be read"):
        read_baseline(tmp_path / "absent.json")


def test_an_empty_baseline_knows_nothing(tmp_path: Path) -> None:
    path = tmp_path / "baseline.json"
    assert write_baseline(path, []) == 0
    assert read_baseline(path) == frozenset()
