import json
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay import codec
from assay.vocabulary import (
    Attestation,
    Claim,
    Limits,
    Manifest,
    Measurement,
    Outcome,
    Report,
    Settings,
    ToolFacts,
    TrustFacts,
)
from tests.builders import attestation, report

MANIFESTS = st.recursive(
    st.builds(Manifest, title=st.text(), ingredients=st.just(())),
    lambda children: st.builds(Manifest, title=st.text(), ingredients=st.lists(children, max_size=2).map(tuple)),
    max_leaves=4,
)
OUTCOMES = st.one_of(
    st.builds(Attestation, manifest=st.none() | MANIFESTS),
    *(st.from_type(kind) for kind in codec._OUTCOMES.values() if kind is not Attestation),
)
TOOLS = st.builds(ToolFacts, libraries=st.dictionaries(st.text(), st.text(), max_size=3))
REPORTS = st.builds(
    Report, tools=TOOLS, outcomes=st.lists(OUTCOMES, max_size=3).map(tuple), preview=st.none() | st.binary(max_size=20)
)


@settings(max_examples=40, deadline=None)
@given(REPORTS)
def test_any_report_survives_json(original: Report) -> None:
    text = json.dumps(codec.encode(original), allow_nan=True)
    again = codec.decode(Report, json.loads(text))
    assert repr(again) == repr(original)  # repr, because a NaN statistic equals nothing


def test_settings_keep_their_path() -> None:
    original = Settings(home=Path("/a b"), trust="own", limits=Limits(max_pixels=7))
    assert codec.decode(Settings, codec.encode(original)) == original


def test_dates_are_iso() -> None:
    facts = TrustFacts(profile="c2pa", certificates=1, sha256="", issued=date(2026, 8, 5))
    assert codec.encode(facts)["issued"] == "2026-08-05"
    assert codec.decode(TrustFacts, codec.encode(facts)) == facts


def test_outcomes_are_tagged_and_carry_their_state() -> None:
    data = codec.encode(attestation(claim=Claim.GENERATED))
    assert (data["kind"], data["state"], data["claim"]) == ("attestation", "trusted", "generated")


def test_missing_optional_keys_take_their_defaults() -> None:
    data = codec.encode(report())
    del data["preview"]
    assert codec.decode(Report, data) == report()


@pytest.mark.parametrize("value", [object(), {1, 2}, Measurement])
def test_foreign_values_are_refused(value: object) -> None:
    with pytest.raises(TypeError, match="not part of the vocabulary"):
        codec.encode(value)


@pytest.mark.parametrize("damage", [{"name": 3}, {"name": None}, {"picture": {"format": "JPEG"}}, {"byte_size": "12"}])
def test_wrong_shapes_are_refused(damage: dict[str, object]) -> None:
    data = codec.encode(report())
    data["exhibit"] |= damage
    with pytest.raises((TypeError, ValueError, KeyError)):
        codec.decode(Report, data)


def test_every_outcome_has_a_tag() -> None:
    from typing import get_args

    assert set(codec._OUTCOMES.values()) == set(get_args(Outcome))
