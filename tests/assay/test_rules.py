"""Every rule: what breaks it, what does not, and what it must not say."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import date
from typing import Any

import pytest

from assay.rules import RULES, Context, Rule
from assay.rules.ai import AI_SIGNALS
from assay.rules.parameters import build
from assay.vocabulary import (
    AiUse,
    Attestation,
    Basis,
    Claim,
    Detail,
    Failed,
    History,
    Integrity,
    Manifest,
    Nothing,
    Outcome,
    Picture,
    Report,
    Severity,
    Trust,
    TrustFacts,
)
from tests.builders import SIGNER, TOOLS, attestation, facts, measurement, observation, report

TODAY = date(2026, 11, 23)
CONTEXT = Context(today=TODAY, name="photos/photo.jpg")

NOT_FETCHED: dict[str, Any] = {"integrity": Integrity.NOT_FETCHED, "trust": Trust.UNKNOWN, "signer": None}
BROKEN: dict[str, Any] = {"integrity": Integrity.BROKEN, "trust": Trust.UNKNOWN}
STRANGER: dict[str, Any] = {"trust": Trust.UNKNOWN}
UNCHECKED = Failed(check="credentials", error="photo.jpg: could not be checked", hint="Fetch it again.")


def messages(rule_id: str, subject: Report, *, context: Context = CONTEXT, **values: Any) -> list[str]:
    rule = build(RULES[rule_id], values, where="assay.toml")
    return list(rule.check(subject, context))


def is_broken(rule_id: str, *outcomes: Outcome, **values: Any) -> bool:
    return bool(messages(rule_id, report(*outcomes), **values))


# --- files ------------------------------------------------------------------------------------------------------------


def test_readable() -> None:
    assert messages("readable", report(UNCHECKED, Nothing(check="metadata"))) == [
        "it could not be examined (credentials)"
    ]
    assert messages("readable", report(Nothing(check="metadata"))) == []


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({"formats": ["jpeg", "PNG"]}, []),
        ({"formats": ["PNG", "WebP"]}, ["its format is JPEG; allowed: PNG, WEBP"]),
        ({"max_bytes": 1234}, []),
        ({"max_bytes": 1233}, ["it is 1234 bytes; 1233 are allowed"]),
        ({"max_width": 64, "max_height": 48}, []),
        ({"max_width": 63}, ["it is 64 pixels wide; 63 are allowed"]),
        (
            {"max_height": 47, "max_bytes": 1},
            ["it is 1234 bytes; 1 are allowed", "it is 48 pixels high; 47 are allowed"],
        ),
    ],
)
def test_allowed_format(parameters: dict[str, Any], expected: list[str]) -> None:
    assert messages("allowed-format", report(), **parameters) == expected


@pytest.mark.parametrize(
    ("formats", "expected"),
    [
        (["JPEG"], []),
        (["MPO"], []),
        (["jpeg", "PNG"], []),
        (["PNG"], ["its format is MPO; allowed: PNG"]),
    ],
)
def test_a_jpeg_with_further_pictures_is_allowed_as_a_jpeg(formats: list[str], expected: list[str]) -> None:
    picture = facts().picture
    assert picture is not None
    several = report(exhibit=facts(picture=replace(picture, format="MPO", frames=2)))
    assert messages("allowed-format", several, formats=formats) == expected


def test_a_jpeg_alone_is_no_file_of_several_pictures() -> None:
    assert messages("allowed-format", report(), formats=["MPO"]) == ["its format is JPEG; allowed: MPO"]


def test_allowed_format_of_what_is_no_image() -> None:
    text = report(exhibit=facts(picture=None))
    assert messages("allowed-format", text, formats=["JPEG"]) == ["it is not an image that could be opened"]
    assert messages("allowed-format", text, max_bytes=2000) == []


def test_the_formats_are_those_that_can_be_opened() -> None:
    from assay.formats import FORMATS

    choices = next(item for item in fields(RULES["allowed-format"]) if item.name == "formats").metadata["choices"]  # type: ignore[arg-type]
    opened = {family.name for family in FORMATS.values()} | {
        reader for family in FORMATS.values() for reader in family.readers
    }
    assert opened <= set(choices)


# --- credentials ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "broken_at"),
    [
        (None, {"present", "intact", "trusted"}),
        (NOT_FETCHED, {"present", "intact", "trusted"}),
        (BROKEN, {"intact", "trusted"}),
        ({"history": History.BROKEN}, {"intact", "trusted"}),
        (STRANGER, {"trusted"}),
        ({"trust": Trust.EXPIRED}, {"trusted"}),
        ({}, set()),
    ],
)
def test_credentials_required(changes: dict[str, Any] | None, broken_at: set[str]) -> None:
    outcomes = () if changes is None else (attestation(**changes),)
    states = {
        state for state in ("present", "intact", "trusted") if is_broken("credentials-required", *outcomes, state=state)
    }
    assert states == broken_at
    assert is_broken("credentials-required", *outcomes) == ("present" in broken_at)


def test_missing_credentials_are_not_confused_with_unchecked_ones() -> None:
    assert messages("credentials-required", report(Nothing(check="credentials"))) == ["it has no Content Credentials"]
    unchecked = ["its Content Credentials could not be checked"]
    assert messages("credentials-required", report(UNCHECKED)) == unchecked
    assert messages("credentials-required", report(exhibit=facts(picture=None))) == unchecked
    assert messages("signer-trusted", report(UNCHECKED), allow_unsigned=True) == unchecked


@pytest.mark.parametrize(
    ("outcomes", "lenient", "strict"),
    [
        ((), False, False),
        ((attestation(),), False, False),
        ((attestation(history=History.BROKEN),), False, False),
        ((attestation(**BROKEN),), True, True),
        ((attestation(), attestation(**BROKEN)), True, True),
        ((attestation(**NOT_FETCHED),), False, True),
        ((UNCHECKED,), False, True),
        ((Failed(check="metadata", error="photo.jpg: …", hint="…"),), False, False),
    ],
)
def test_credentials_verify(outcomes: tuple[Outcome, ...], lenient: bool, strict: bool) -> None:
    assert is_broken("credentials-verify", *outcomes) is lenient
    assert is_broken("credentials-verify", *outcomes, strict=True) is strict


def test_history_intact_names_the_status_codes_of_every_generation() -> None:
    deep = Manifest(title="grandparent", failures=("assertion.hashedURI.mismatch",))
    parent = Manifest(title="parent", failures=("assertion.dataHash.mismatch",), ingredients=(deep, deep))
    found = attestation(history=History.BROKEN, manifest=Manifest(title="now", ingredients=(parent,)))
    assert messages("history-intact", report(found)) == [
        "an earlier version in its history does not verify (assertion.dataHash.mismatch, assertion.hashedURI.mismatch)"
    ]
    assert messages("history-intact", report(attestation(history=History.BROKEN))) == [
        "an earlier version in its history does not verify"
    ]
    assert not is_broken("history-intact", attestation())
    assert not is_broken("history-intact", attestation(history=History.BROKEN, **BROKEN))


def test_a_history_of_any_depth_is_walked() -> None:
    node = Manifest(title="first", failures=("claimSignature.mismatch",))
    for number in range(5000):
        node = Manifest(title=str(number), ingredients=(node,))
    found = replace(attestation(history=History.BROKEN), manifest=node)
    rule = build(RULES["history-intact"], {}, where="assay.toml")
    assert "claimSignature.mismatch" in "".join(rule.check(report(found), CONTEXT))


@pytest.mark.parametrize(
    ("changes", "is_violation"),
    [
        ({}, False),
        (STRANGER, True),
        ({"trust": Trust.REVOKED}, True),
        ({"history": History.BROKEN}, True),
        ({"integrity": Integrity.BROKEN, "trust": Trust.TRUSTED}, True),
        (NOT_FETCHED, True),
    ],
)
def test_signer_trusted(changes: dict[str, Any], is_violation: bool) -> None:
    assert is_broken("signer-trusted", attestation(**changes)) is is_violation
    assert is_broken("signer-trusted", attestation(**changes), allow_unsigned=True) is is_violation


@pytest.mark.parametrize("rule", ["signer-trusted", "signer-allowed"])
def test_a_stripped_file_passes_a_rule_about_signers_only_when_the_policy_says_so(rule: str) -> None:
    lists: dict[str, Any] = {"organisations": ["Example Press"]} if rule == "signer-allowed" else {}
    assert messages(rule, report(), **lists) == ["it has no Content Credentials"]
    assert messages(rule, report(), allow_unsigned=True, **lists) == []


@pytest.mark.parametrize(
    ("lists", "passes"),
    [
        ({"organisations": ["Other", "Example Press"]}, True),
        ({"organisations": ["example press"]}, False),
        ({"organisations": ["Example"]}, False),
        ({"common_names": ["Example Press Photo Desk"]}, True),
        ({"issuers": ["Example Issuing CA"]}, True),
        ({"organisations": ["Example Press"], "issuers": ["Other CA"]}, False),
        ({"organisations": ["Example Press"], "common_names": ["Somebody"]}, False),
    ],
)
def test_signer_allowed(lists: dict[str, Any], passes: bool) -> None:
    assert is_broken("signer-allowed", attestation(), **lists) is not passes


@pytest.mark.parametrize("changes", [STRANGER, {"trust": Trust.EXPIRED}, {"integrity": Integrity.BROKEN}, NOT_FETCHED])
def test_the_name_in_a_certificate_that_nobody_vouches_for_is_not_on_the_list(changes: dict[str, Any]) -> None:
    found = messages("signer-allowed", report(attestation(**changes)), organisations=["Example Press"])
    assert found == [f"its Content Credentials are not those of a trusted signer: {attestation(**changes).state}"]


def test_one_of_several_attestations_may_be_the_allowed_one() -> None:
    other = attestation(signer=replace(SIGNER, organisation="Other"))
    assert not is_broken("signer-allowed", other, attestation(), organisations=["Example Press"])
    assert messages("signer-allowed", report(other), organisations=["Example Press"]) == [
        "its signer is trusted but not on the list of allowed signers"
    ]


# --- validity ---------------------------------------------------------------------------------------------------------


def signed(**changes: Any) -> Attestation:
    return attestation(signer=replace(SIGNER, **changes))


def test_signature_timestamped() -> None:
    assert messages("signature-timestamped", report(signed())) == [
        "its signature has no time stamp by an authority for whom a list vouches"
    ]
    assert is_broken("signature-timestamped", attestation(signer=None))
    assert not is_broken("signature-timestamped", signed(signed_at="2026-01-01T00:00:00Z"))
    assert not is_broken("signature-timestamped")
    assert not is_broken("signature-timestamped", attestation(**BROKEN))


@pytest.mark.parametrize(
    ("not_after", "expected"),
    [
        ("2026-12-24T00:00:00Z", None),
        ("2026-12-23T23:59:59Z", "expires on 2026-12-23"),
        ("2026-11-23T00:00:00Z", "expires on 2026-11-23"),
        ("2026-11-22T23:59:59Z", "expired on 2026-11-22"),
        ("2026-12-24T01:00:00+02:00", "expires on 2026-12-23"),
        ("2026-12-23T23:00:00-02:00", None),
        ("2026-12-23", "expires on 2026-12-23"),
        ("tomorrow", "no readable end"),
        ("", "no readable end"),
        ("0001-01-01T00:00:00+14:00", "no readable end"),
    ],
)
def test_certificate_validity(not_after: str, expected: str | None) -> None:
    found = messages("certificate-validity", report(signed(not_after=not_after)), days=30)
    assert [expected in text for text in found if expected] == ([True] if expected else [])
    assert bool(found) is (expected is not None)


def test_a_timestamped_signature_outlives_its_certificate() -> None:
    assert not is_broken("certificate-validity", signed(not_after="2020-01-01", signed_at="2019-06-01T00:00:00Z"))
    assert not is_broken("certificate-validity", attestation(**BROKEN))
    assert not is_broken("certificate-validity", attestation(signer=None))


@pytest.mark.parametrize(
    ("certificates", "issued", "expected"),
    [
        (30, date(2026, 8, 25), None),
        (30, date(2026, 8, 24), "91 days old; 90 are allowed"),
        (30, date(2027, 1, 1), None),
        (30, None, "bears no date"),
        (0, None, "holds no certificate"),
    ],
)
def test_trust_list_fresh(certificates: int, issued: date | None, expected: str | None) -> None:
    trust = TrustFacts(profile="c2pa", certificates=certificates, sha256="0" * 64, issued=issued)
    found = messages("trust-list-fresh", report(tools=replace(TOOLS, trust=trust)))
    assert len(found) == (expected is not None)
    assert not found or (expected or "") in found[0]


# --- generative AI ----------------------------------------------------------------------------------------------------

DST = observation(signal="digital-source-type", claim=Claim.GENERATED)
MARK = measurement(check="watermark", basis=Basis.MARKED, log10_lr=None, p_value=1e-9)


@pytest.mark.parametrize("signal", sorted(AI_SIGNALS - {"digital-source-type"}))
def test_each_generators_signal_needs_a_declaration(signal: str) -> None:
    assert messages("no-undeclared-ai", report(observation(signal=signal))) == [
        f"generative AI is indicated ({signal}) but not declared where readers see it"
    ]
    assert not is_broken("no-undeclared-ai", observation(signal=signal), DST)
    assert not is_broken("no-undeclared-ai", observation(signal=signal), attestation(ai_use=AiUse.FULLY))
    assert not is_broken("no-undeclared-ai", observation(signal=signal, claim=None))
    # That part of the picture is declared does not cover a sign that all of it is AI-made; the other way round it does.
    assert is_broken("no-undeclared-ai", observation(signal=signal), attestation(ai_use=AiUse.PARTLY))
    partly = observation(signal=signal, claim=Claim.EDITED)
    assert not is_broken("no-undeclared-ai", partly, attestation(ai_use=AiUse.PARTLY))
    assert not is_broken("no-undeclared-ai", partly, attestation(ai_use=AiUse.FULLY))


@pytest.mark.parametrize(
    ("outcomes", "is_violation"),
    [
        ((), False),
        ((DST,), False),
        ((observation(signal="digital-source-type", claim=Claim.EDITED),), False),
        ((attestation(ai_use=AiUse.PARTLY),), False),
        ((attestation(ai_use=AiUse.PARTLY, **STRANGER),), False),
        ((attestation(ai_use=AiUse.POSSIBLE),), False),
        ((attestation(ai_use=AiUse.FULLY, **BROKEN),), True),
        ((attestation(ai_use=AiUse.FULLY, **BROKEN), DST), False),
        ((attestation(), observation()), True),
        ((attestation(ai_use=AiUse.POSSIBLE), observation()), True),
        ((observation(), observation(signal="digital-source-type", claim=Claim.CAPTURED)), True),
        ((observation(signal="digital-source-type", claim=None),), False),
        ((observation(signal="software", claim=Claim.EDITED),), False),
        ((observation(signal="camera", claim=Claim.CAPTURED),), False),
        ((MARK,), True),
        ((MARK, DST), False),
        ((replace(MARK, p_value=0.5),), False),
        ((replace(MARK, claim=Claim.OURS),), True),
        ((replace(MARK, claim=Claim.EDITED),), False),
        ((measurement(log10_lr=50.0),), False),
    ],
)
def test_no_undeclared_ai(outcomes: tuple[Outcome, ...], is_violation: bool) -> None:
    assert is_broken("no-undeclared-ai", *outcomes) is is_violation


def test_which_declarations_count_is_the_publishers_choice() -> None:
    label = observation(signal="tc260-aigc")
    assert is_broken("no-undeclared-ai", label)
    assert not is_broken("no-undeclared-ai", label, declarations=["tc260-aigc"])
    assert is_broken("no-undeclared-ai", label, DST, observation(), declarations=["credentials"])
    assert is_broken("no-undeclared-ai", label, attestation(ai_use=AiUse.FULLY), declarations=["digital-source-type"])


@pytest.mark.parametrize(
    ("outcome", "allow", "is_violation"),
    [
        (DST, None, True),
        (observation(), None, True),
        (MARK, None, True),
        (measurement(log10_lr=50.0), None, False),
        (attestation(ai_use=AiUse.FULLY), ["possible", "in part"], True),
        (attestation(ai_use=AiUse.PARTLY), None, True),
        (attestation(ai_use=AiUse.PARTLY), ["In Part"], False),
        (observation(claim=Claim.EDITED), ["in part"], False),
        (attestation(ai_use=AiUse.POSSIBLE), None, False),
        (attestation(ai_use=AiUse.POSSIBLE), [], True),
        (attestation(), [], False),
    ],
)
def test_no_ai(outcome: Outcome, allow: list[str] | None, is_violation: bool) -> None:
    assert is_broken("no-ai", outcome, **({} if allow is None else {"allow": allow})) is is_violation


def test_no_ai_names_every_source() -> None:
    found = report(observation(), observation(), attestation(ai_use=AiUse.PARTLY))
    assert messages("no-ai", found) == [
        "generative AI is indicated (a1111-parameters: whole image, credentials: in part)"
    ]


@pytest.mark.parametrize(
    ("masters", "outcomes", "expected"),
    [
        (
            {"photo": "masters/photo.tif"},
            (),
            "its master masters/photo.tif declares generative AI, and the copy does not",
        ),
        ({"photo": "masters/photo.tif"}, (DST,), None),
        ({"photo": "masters/photo.tif"}, (attestation(ai_use=AiUse.PARTLY),), None),
        ({"photo": None}, (), None),
        ({"other": None}, (), "no examined file matches 'masters/{stem}.*'"),
        ({}, (DST,), "no examined file matches 'masters/{stem}.*'"),
    ],
)
def test_ai_mark_kept(masters: dict[str, str | None], outcomes: tuple[Outcome, ...], expected: str | None) -> None:
    pattern = "masters/{stem}.*"
    context = replace(CONTEXT, masters={pattern: masters})
    found = messages("ai-mark-kept", report(*outcomes), context=context, masters=pattern)
    assert len(found) == (expected is not None)
    assert not found or found[0].startswith(expected or "")
    relaxed = messages("ai-mark-kept", report(*outcomes), context=context, masters=pattern, require_master=False)
    assert bool(relaxed) is (found != [] and "no examined" not in found[0])


def test_what_could_not_be_examined_is_not_called_undeclared() -> None:
    assert messages("no-undeclared-ai", report(observation(), UNCHECKED)) == [
        "generative AI is indicated (a1111-parameters) but not declared in what could be examined"
    ]
    context = replace(CONTEXT, masters={"{stem}.*": {"photo": "photo.tif"}})
    assert messages("ai-mark-kept", report(UNCHECKED), context=context, masters="{stem}.*") == [
        "its master photo.tif declares generative AI, and the copy could not be examined"
    ]


def test_no_prompt_does_not_repeat_the_prompt() -> None:
    prompt = observation(signal="prompt", claim=None, details=(Detail(name="Prompt", value="a secret product"),))
    (message,) = messages("no-prompt", report(prompt))
    assert "secret" not in message
    assert not is_broken("no-prompt", observation())


@pytest.mark.parametrize("rule_id", ["no-prompt", "no-personal-data"])
@pytest.mark.parametrize(("check", "place"), [("metadata", "its metadata"), ("credentials", "its Content Credentials")])
def test_what_could_not_be_read_is_not_called_empty(rule_id: str, check: str, place: str) -> None:
    unread = replace(UNCHECKED, check=check)
    what = "a prompt" if rule_id == "no-prompt" else "personal data"
    assert messages(rule_id, report(unread)) == [f"{place} could not be read, so {what} may stand there"]
    assert messages(rule_id, report(replace(unread, check="detector"))) == []
    # Of a file that is no picture at all, the rule `readable` speaks.
    assert messages(rule_id, report(replace(unread, check="exhibit"), exhibit=facts(picture=None))) == []


@pytest.mark.parametrize(
    ("outcomes", "expected"),
    [
        ((measurement(log10_lr=1.0),), ["detector measured a log10 likelihood ratio of 1.0 for generated"]),
        ((measurement(log10_lr=0.9),), []),
        ((measurement(log10_lr=None),), []),
        ((measurement(log10_lr=3.0, claim=Claim.CAPTURED),), []),
        ((measurement(log10_lr=3.0, basis=Basis.MARKED),), []),
        ((measurement(log10_lr=3.0), DST), []),
        ((observation(),), []),
    ],
)
def test_detector_advisory(outcomes: tuple[Outcome, ...], expected: list[str]) -> None:
    assert messages("detector-advisory", report(*outcomes)) == expected


def test_the_threshold_of_the_detector_advisory_is_the_publishers_choice() -> None:
    assert not is_broken("detector-advisory", measurement(log10_lr=2.5), min_log10_lr=3)
    assert RULES["detector-advisory"].severities == (Severity.WARNING,)


# --- metadata ---------------------------------------------------------------------------------------------------------


def rights(*names: str, value: str = "Somebody Private") -> Outcome:
    details = tuple(Detail(name=f"{name} [XMP]", value=value, private=name == "Creator") for name in names)
    return observation(signal="rights", claim=None, details=details)


@pytest.mark.parametrize(
    ("outcomes", "parameters", "missing"),
    [
        ((rights("Creator", "Credit", "Copyright"),), {}, None),
        ((rights("Creator", "Copyright"),), {}, "Credit"),
        ((rights("Creator"), rights("Credit", "Copyright")), {}, None),
        ((rights("Creator", "Credit", "Copyright", value="  "),), {}, "Creator, Credit, Copyright"),
        ((), {}, "Creator, Credit, Copyright"),
        ((rights("Creator"),), {"fields": ["creator"]}, None),
        ((rights("Creator"),), {"need": "any"}, None),
        ((), {"need": "any", "fields": ["Credit", "Copyright"]}, "Credit, Copyright"),
        ((observation(details=(Detail(name="Creator [XMP]", value="x"),)),), {"fields": ["Creator"]}, "Creator"),
    ],
)
def test_rights_present(outcomes: tuple[Outcome, ...], parameters: dict[str, Any], missing: str | None) -> None:
    expected = [f"its metadata lacks {missing}"] if missing else []
    assert messages("rights-present", report(*outcomes), **parameters) == expected


def test_metadata_that_could_not_be_read_is_not_called_empty() -> None:
    unread = Failed(check="metadata", error="photo.jpg: …", hint="…")
    assert messages("rights-present", report(unread)) == ["its metadata could not be checked"]
    assert messages("rights-present", report(exhibit=facts(picture=None))) == ["its metadata could not be checked"]
    assert messages("rights-present", report(UNCHECKED), fields=["Credit"]) == ["its metadata lacks Credit"]


def contradiction(signal: str) -> Outcome:
    return observation(signal=signal, claim=None, contradiction=True)


def test_rights_consistent() -> None:
    assert is_broken("rights-consistent", contradiction("rights-disagree"))
    assert not is_broken("rights-consistent", contradiction("dates-disagree"), rights("Creator"))


def test_no_personal_data_names_kinds_and_never_values() -> None:
    place = observation(signal="location", claim=None, details=(Detail(name="GPS", value="52.5, 13.4", private=True),))
    serial = observation(signal="serial-numbers", claim=None, details=(Detail(name="Body", value="77", private=True),))
    assert messages("no-personal-data", report(serial, place)) == ["its metadata holds location and serial numbers"]
    assert messages("no-personal-data", report(serial), kinds=["location"]) == []
    signed_place = replace(place, check="credentials")
    assert messages("no-personal-data", report(serial, signed_place)) == [
        "its metadata holds serial numbers",
        "its Content Credentials hold location",
    ]
    assert messages("no-personal-data", report(observation(signal="camera"))) == []


def test_no_contradictions() -> None:
    found = report(contradiction("thumbnail-differs"), contradiction("camera-and-generator"))
    assert messages("no-contradictions", found) == [
        "its metadata contradicts itself (camera-and-generator, thumbnail-differs)"
    ]
    assert messages("no-contradictions", found, signals=["dates-disagree"]) == []
    assert not is_broken("no-contradictions", observation(signal="dates-disagree", contradiction=False))


# --- all of them ------------------------------------------------------------------------------------------------------

REQUIRED: dict[str, dict[str, Any]] = {
    "allowed-format": {"max_width": 10},
    "ai-mark-kept": {"masters": "masters/{stem}.*"},
    "signer-allowed": {"organisations": ["Somebody Else"]},
}
SECRET = "c0ffee-private-value"


@pytest.fixture(params=sorted(RULES))
def rule(request: pytest.FixtureRequest) -> Rule:
    return build(RULES[request.param], REQUIRED.get(request.param, {}), where="assay.toml")


def test_no_rule_repeats_what_the_file_says_in_private(rule: Rule) -> None:
    secret = Detail(name="Creator [XMP]", value=SECRET, private=True)
    signals = (
        "a1111-parameters",
        "prompt",
        "rights",
        "rights-disagree",
        "location",
        "serial-numbers",
        "dates-disagree",
    )
    everything = [
        observation(signal=signal, summary=SECRET, details=(secret,), contradiction=signal.endswith("disagree"))
        for signal in signals
    ]
    for changes in ({}, STRANGER, BROKEN, {"history": History.BROKEN, "manifest": Manifest(title=SECRET)}):
        found = attestation(identity=(secret,), details=(secret,), summary=SECRET, **changes)
        subject = report(*everything, found, measurement(summary=SECRET), UNCHECKED)
        assert SECRET not in "".join(rule.check(subject, CONTEXT))


def test_every_rule_can_be_broken_and_satisfied(rule: Rule) -> None:
    """A rule that nothing breaks, or that everything breaks, says nothing."""
    picture = Picture(format="GIF", mime="image/gif", width=11, height=1, frames=1, mode="P")
    bad = (
        report(exhibit=facts(picture=picture)),
        report(observation(), observation(signal="prompt"), UNCHECKED),
        report(attestation(**BROKEN)),
        report(signed(not_after="2020-01-01")),
        report(attestation(history=History.BROKEN)),
        report(measurement()),
        report(contradiction("rights-disagree"), observation(signal="location")),
    )
    trust = TrustFacts(profile="c2pa", certificates=1, sha256="0" * 64, issued=TODAY)
    good = report(
        attestation(signer=replace(SIGNER, organisation="Somebody Else", signed_at="2026-01-01T00:00:00Z")),
        rights("Creator", "Credit", "Copyright"),
        exhibit=facts(picture=replace(picture, format="JPEG", width=10)),
        tools=replace(TOOLS, trust=trust),
    )
    context = replace(CONTEXT, masters={"masters/{stem}.*": {"photo": None}})
    assert any(list(rule.check(subject, CONTEXT)) for subject in bad)
    assert list(rule.check(good, context)) == []


def test_every_rule_can_be_explained(rule: Rule) -> None:
    assert rule.title().endswith(".")
    assert rule.why.endswith(".")
    assert rule.remedy.endswith(".")
    assert rule.severities
    text = " ".join((type(rule).__doc__ or "", rule.why, rule.remedy)).lower().split()
    assert not {"real", "fake", "authentic", "score", "confidence"} & set(text)
