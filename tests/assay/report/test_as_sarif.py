import json
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from jsonschema import Draft202012Validator
from sarif.loader import load_sarif_file

from assay.report import as_sarif
from assay.report.as_sarif import BASE, MAX_RESULTS, artifact_location
from assay.vocabulary import Report, Severity
from tests.assay.report import samples
from tests.assay.report.arbitrary import HOSTILE, REPORTS, with_text
from tests.builders import facts, report

pytestmark = pytest.mark.usefixtures("elsewhere")


def closed(required: dict[str, Any], optional: dict[str, Any] | None = None) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": required | (optional or {}),
        "required": list(required),
        "additionalProperties": False,
    }


def many(item: dict[str, Any], **limits: int) -> dict[str, Any]:
    return {"type": "array", "items": item, **limits}


WORDS = {"type": "string", "minLength": 1}
MESSAGE = closed({"text": WORDS})
LEVEL = {"enum": ["error", "warning", "note"]}
COUNT = {"type": "integer", "minimum": 0}
WHERE = {
    "oneOf": [
        closed({"uri": {"type": "string", "pattern": r"^[A-Za-z0-9._~%/-]+$"}, "uriBaseId": {"const": BASE}}),
        closed({"uri": {"type": "string", "pattern": r"^file:///[A-Za-z0-9._~%/-]*$"}}),
    ]
}
LOCATION = closed(
    {"physicalLocation": closed({"artifactLocation": WHERE, "region": closed({"startLine": {"const": 1}})})}
)
DESCRIPTOR = {
    "id": {"type": "string"},
    "name": {"type": "string", "maxLength": 255},
    "shortDescription": MESSAGE,
    "fullDescription": MESSAGE,
    "help": MESSAGE,
    "properties": closed({"tags": many(WORDS, maxItems=10)}),
}
RULE = closed(DESCRIPTOR | {"defaultConfiguration": closed({"level": LEVEL})})
RESULT = closed(
    {
        "ruleId": {"type": "string"},
        "ruleIndex": COUNT,
        "level": LEVEL,
        "message": MESSAGE,
        "locations": many(LOCATION, minItems=1, maxItems=1),
        "partialFingerprints": closed({"primaryLocationLineHash": WORDS}),
    }
)
NOTIFICATION = closed(
    {"descriptor": closed({"id": WORDS, "index": COUNT}), "level": LEVEL, "message": MESSAGE},
    {"locations": many(LOCATION, minItems=1)},
)
DRIVER = closed(
    {
        "name": {"const": "Assay"},
        "version": {"type": "string"},
        "rules": many(RULE),
        "notifications": many(closed(DESCRIPTOR)),
    },
    {"properties": {"type": "object"}},
)
SAID = closed({"verdict": {"type": "string"}, "outcomes": many({"type": "string"})})
ARTIFACT = closed(
    {"location": WHERE, "roles": many({"const": "analysisTarget"}, minItems=1), "properties": SAID},
    {"length": COUNT, "hashes": closed({"sha-256": {"type": "string"}})},
)
RUN = closed(
    {
        "tool": closed({"driver": DRIVER}),
        "invocations": many(
            closed({"executionSuccessful": {"type": "boolean"}, "toolExecutionNotifications": many(NOTIFICATION)}),
            minItems=1,
            maxItems=1,
        ),
        "originalUriBaseIds": closed({BASE: closed({"description": MESSAGE})}),
        "artifacts": many(ARTIFACT, uniqueItems=1),
        "results": many(RESULT, maxItems=25_000),
        "columnKind": {"const": "unicodeCodePoints"},
    }
)
LOG = Draft202012Validator(
    closed({"$schema": WORDS, "version": {"const": "2.1.0"}, "runs": many(RUN, minItems=1, maxItems=1)})
)
"""What GitHub code scanning reads of SARIF 2.1.0, closed: anything else in a log is an error."""


def run(*reports: Report) -> dict[str, Any]:
    log = json.loads(as_sarif.render(reports))
    LOG.validate(log)
    only: dict[str, Any] = log["runs"][0]
    rules = only["tool"]["driver"]["rules"]
    assert len({rule["id"] for rule in rules}) == len(rules)
    for result in only["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
    descriptors = [each["id"] for each in only["tool"]["driver"]["notifications"]]
    for notification in only["invocations"][0]["toolExecutionNotifications"]:
        assert descriptors[notification["descriptor"]["index"]] == notification["descriptor"]["id"]
    return only


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(REPORTS)
def test_any_report_is_a_valid_log(reports: list[Report]) -> None:
    assert as_sarif.render(reports).isascii()
    only = run(*reports)
    failed = any(shown.failures and not shown.failures_accepted for shown in reports)
    assert only["invocations"][0]["executionSuccessful"] is not failed


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_stays_in_its_place(text: str) -> None:
    plain, hostile = (run(*(with_text(shown, word) for shown in samples.all_kinds())) for word in ("plain", text))
    assert [result["level"] for result in hostile["results"]] == [result["level"] for result in plain["results"]]
    messages = [result["message"]["text"] for result in hostile["results"]]
    assert not any("](" in message or "{0}" in message.replace("{{0}}", "") for message in messages)


def test_sarif_tools_reads_it(reports: list[Report], elsewhere: Path) -> None:
    path = elsewhere / "report.sarif"
    path.write_text(as_sarif.render(reports), encoding="utf-8")
    log = load_sarif_file(str(path))
    assert log.get_distinct_tool_names() == ["Assay"]
    assert log.get_result_count() == 9
    assert log.get_report().get_issue_count_for_severity("error") == 3
    records = log.get_records()
    assert {record["Location"] for record in records} >= {"pictures/tulip.jpg", "pictures/harbour.jpg"}


def test_one_rule_an_id_with_its_help_and_gravest_level() -> None:
    shown = samples.contradictory()
    first, second = shown.violations
    again = replace(second, severity=Severity.WARNING)
    rules = {
        rule["id"]: rule for rule in run(replace(shown, violations=(again, first, second)))["tool"]["driver"]["rules"]
    }
    assert list(rules) == ["no-personal-data", "no-contradictions", "assay/metadata", "assay/verdict"]
    assert rules["no-personal-data"]["defaultConfiguration"]["level"] == "error"
    assert rules["no-personal-data"]["help"]["text"].startswith("Strip these fields")
    assert rules["no-personal-data"]["name"] == "NoPersonalData"
    assert rules["assay/verdict"]["name"] == "AssayVerdict"


def test_a_rule_without_a_remedy_still_has_help() -> None:
    shown = samples.broken()
    bare = replace(shown, violations=(replace(shown.violations[0], remedy=""),))
    assert run(bare)["tool"]["driver"]["rules"][0]["help"]["text"] == "The publisher's rule credentials-verify."


def test_a_verdict_says_what_it_rests_on() -> None:
    (result,) = run(samples.signed_and_generated())["results"]
    assert (result["ruleId"], result["level"]) == ("assay/verdict", "note")
    assert result["message"]["text"].startswith(
        "Made with generative AI, says a trusted signer. This rests on a signature that holds,"
    )


def test_fingerprints_survive_a_rename_and_not_a_change() -> None:
    def fingerprints(shown: Report) -> list[str]:
        return [result["partialFingerprints"]["primaryLocationLineHash"] for result in run(shown)["results"]]

    shown = samples.contradictory()
    moved = replace(shown, exhibit=replace(shown.exhibit, name="elsewhere.jpg"))
    changed = replace(moved, exhibit=replace(moved.exhibit, sha256="e" * 64))
    assert fingerprints(shown) == fingerprints(moved)
    assert fingerprints(moved)[2:] != fingerprints(changed)[2:]
    assert fingerprints(shown)[0] == f"{shown.violations[0].fingerprint}:1"


def test_two_results_of_one_rule_on_one_file_are_two() -> None:
    shown = samples.broken()
    twice = run(replace(shown, violations=shown.violations * 2))["results"]
    ends = [result["partialFingerprints"]["primaryLocationLineHash"][-2:] for result in twice]
    assert ends == [":1", ":2", ":1"]


def test_an_unread_file_is_a_notification_and_no_result() -> None:
    only = run(samples.unreadable())
    assert only["results"] == []
    (invocation,) = only["invocations"]
    assert invocation["executionSuccessful"] is False
    (notification,) = invocation["toolExecutionNotifications"]
    assert notification["level"] == "error"
    assert notification["message"]["text"] == (
        "pictures/notes.jpg: not an image in a known format (exhibit). Known, by content: JPEG, PNG, WEBP."
    )
    assert notification["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "pictures/notes.jpg"


def test_an_unread_file_that_a_baseline_accepts_is_only_noted() -> None:
    accepted = replace(samples.unreadable(), failures_accepted=True)
    (invocation,) = run(accepted)["invocations"]
    assert invocation["executionSuccessful"] is True
    (notification,) = invocation["toolExecutionNotifications"]
    assert notification["level"] == "note"
    assert notification["message"]["text"].endswith("A baseline accepts that this file could not be examined.")
    assert run(accepted, samples.unreadable())["invocations"][0]["executionSuccessful"] is False


@pytest.mark.parametrize(
    ("name", "uri"),
    [
        ("a.jpg", "a.jpg"),
        ("./a/../b c.jpg", "b%20c.jpg"),
        ("a#1?&[x].jpg", "a%231%3F%26%5Bx%5D.jpg"),
        ("100%.jpg", "100%25.jpg"),
        ("räk.jpg", "r%C3%A4k.jpg"),
        ("http://x/y.jpg", "http%3A/x/y.jpg"),
        ("a:b.jpg", "a%3Ab.jpg"),
        ("<stdin>", "%3Cstdin%3E"),
        ("\ud800", "%5Cud800"),
        ("a\0b", "a%5Cx00b"),
        ("..a/b", "..a/b"),
        ("caf\udce9.jpg", "caf%E9.jpg"),
        ("caf\\xe9.jpg", "caf%5Cxe9.jpg"),
    ],
)
def test_outside_a_repository_paths_below_the_current_folder_are_relative(name: str, uri: str) -> None:
    assert artifact_location(name) == {"uri": uri, "uriBaseId": BASE}


def test_absolute_paths_are_relative_where_they_lie_below(elsewhere: Path) -> None:
    assert artifact_location(str(elsewhere / "sub" / "a.jpg")) == {"uri": "sub/a.jpg", "uriBaseId": BASE}


def test_bytes_that_are_no_text_reach_the_uri() -> None:
    latin = facts(name="caf\\xe9.jpg", raw_name=b"caf\xe9.jpg")
    only = run(report(exhibit=latin), report(exhibit=facts(name="caf\\xe9.jpg")))
    assert [artifact["location"]["uri"] for artifact in only["artifacts"]] == ["caf%E9.jpg", "caf%5Cxe9.jpg"]
    unread = replace(samples.unreadable(), exhibit=latin)
    (notification,) = run(unread)["invocations"][0]["toolExecutionNotifications"]
    assert notification["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "caf%E9.jpg"


@pytest.mark.parametrize("kind", ["folder", "file"])
def test_paths_are_relative_to_the_git_root(kind: str, elsewhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = elsewhere / "repository" / "site" / "photos"
    here.mkdir(parents=True)
    mark = elsewhere / "repository" / ".git"
    mark.mkdir() if kind == "folder" else mark.write_text("gitdir: elsewhere")
    monkeypatch.chdir(here)
    for name, uri in (
        ("a.jpg", "site/photos/a.jpg"),
        ("./sub/../a.jpg", "site/photos/a.jpg"),
        ("../b.jpg", "site/b.jpg"),
        (str(here / "c.jpg"), "site/photos/c.jpg"),
        (str(elsewhere / "repository" / "d.jpg"), "d.jpg"),
    ):
        assert artifact_location(name) == {"uri": uri, "uriBaseId": BASE}
    outside = artifact_location("../../../out.jpg")
    assert outside == {"uri": (elsewhere / "out.jpg").as_uri()}
    shown = samples.contradictory()
    only = run(replace(shown, exhibit=replace(shown.exhibit, name="a.jpg")))
    places = [result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for result in only["results"]]
    assert set(places) == {"site/photos/a.jpg"}
    assert "git repository" in only["originalUriBaseIds"][BASE]["description"]["text"]


def test_a_file_named_by_way_of_a_link_lies_in_its_real_folder(elsewhere: Path) -> None:
    real = elsewhere / "real"
    real.mkdir()
    away = elsewhere.parent / f"{elsewhere.name}-link"
    away.symlink_to(real)
    assert artifact_location(str(away / "a.jpg")) == {"uri": "real/a.jpg", "uriBaseId": BASE}


@pytest.mark.parametrize("name", ["../outside.jpg", "/srv/in box/a.jpg", "..", "//srv/x"])
def test_paths_elsewhere_are_absolute(name: str, elsewhere: Path) -> None:
    location = artifact_location(name)
    assert list(location) == ["uri"]
    parts = urlsplit(location["uri"])
    assert (parts.scheme, parts.netloc) == ("file", "")
    assert Path(unquote(parts.path)) == (elsewhere / name.replace("//", "/")).resolve()


def test_every_file_is_listed_with_its_hash_and_what_was_said(reports: list[Report]) -> None:
    artifacts = {artifact["location"]["uri"]: artifact for artifact in run(*reports)["artifacts"]}
    assert len(artifacts) == len(reports)
    assert artifacts["pictures/harbour.jpg"]["hashes"] == {"sha-256": samples.broken().exhibit.sha256}
    said = artifacts["pictures/harbour.jpg"]["properties"]
    assert said["verdict"] == samples.broken().verdict.headline
    assert any("(credentials): does not verify" in line for line in said["outcomes"])
    bare = replace(samples.unreadable(), exhibit=replace(samples.unreadable().exhibit, sha256=None, byte_size=None))
    assert list(run(bare)["artifacts"][0]) == ["location", "roles", "properties"]


def test_what_made_the_report_is_in_it() -> None:
    driver = run(samples.broken())["tool"]["driver"]
    assert driver["version"] == "0.1.0"
    assert driver["properties"]["libraries"] == {"c2pa-python": "0.38.1", "pillow": "13.0.0"}
    assert driver["properties"]["trust"]["issued"] == "2026-08-05"


def test_no_more_results_than_a_run_may_have(monkeypatch: pytest.MonkeyPatch) -> None:
    assert MAX_RESULTS == 25_000
    few = 300
    monkeypatch.setattr(as_sarif, "MAX_RESULTS", few)
    (error,) = samples.broken().violations
    warning = replace(error, rule="weaker", severity=Severity.WARNING)
    crowd = (warning,) * (few - 1)
    shown = replace(report(exhibit=facts()), violations=(*crowd, error, error, error))
    log = json.loads(as_sarif.render([shown]))
    results = log["runs"][0]["results"]
    assert len(results) == few
    assert [result["level"] for result in results[-4:]] == ["warning", "error", "error", "error"]
    (notification,) = log["runs"][0]["invocations"][0]["toolExecutionNotifications"]
    assert notification["message"]["text"] == "2 results left out, the least severe: a run may have 300."
    assert log["runs"][0]["invocations"][0]["executionSuccessful"] is True


def test_nothing_examined() -> None:
    only = run()
    assert only["results"] == []
    assert only["invocations"] == [{"executionSuccessful": True, "toolExecutionNotifications": []}]
    assert only["tool"]["driver"]["version"]
