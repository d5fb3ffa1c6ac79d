"""Values of the vocabulary with sensible defaults, and Hypothesis strategies for arbitrary ones."""

from __future__ import annotations

from typing import Any

from assay.vocabulary import (
    AiUse,
    Attestation,
    Basis,
    Claim,
    ExhibitFacts,
    History,
    Integrity,
    Measurement,
    Observation,
    Outcome,
    Picture,
    Report,
    Signer,
    ToolFacts,
    Trust,
    TrustFacts,
    Verdict,
)

SIGNER = Signer(
    organisation="Example Press",
    common_name="Example Press Photo Desk",
    issuer="Example Issuing CA",
    serial="01",
    not_after="2030-01-01T00:00:00+00:00",
)
TOOLS = ToolFacts(
    assay="0.1.0",
    libraries={"c2pa-python": "0.38.1"},
    trust=TrustFacts(profile="c2pa", certificates=0, sha256="0" * 64, issued=None),
)


def attestation(**changes: Any) -> Attestation:
    """Trusted, intact, without a claim."""
    values: dict[str, Any] = {
        "check": "credentials",
        "claim": None,
        "signer": SIGNER,
        "integrity": Integrity.INTACT,
        "trust": Trust.TRUSTED,
        "history": History.INTACT,
        "ai_use": AiUse.NONE,
        "identity": (),
        "summary": "The file is as it was when it was signed.",
    }
    return Attestation(**(values | changes))


def observation(**changes: Any) -> Observation:
    """A declaration that the image was generated."""
    values: dict[str, Any] = {
        "check": "metadata",
        "signal": "a1111-parameters",
        "claim": Claim.GENERATED,
        "summary": "The PNG text declares generation settings.",
    }
    return Observation(**(values | changes))


def measurement(**changes: Any) -> Measurement:
    """A detector's finding that supports the claim."""
    values: dict[str, Any] = {
        "check": "detector",
        "claim": Claim.GENERATED,
        "basis": Basis.MEASURED,
        "statistic": 3.0,
        "null": "photographs of the calibration set",
        "p_value": None,
        "log10_lr": 2.5,
        "summary": "The detector supports that a model made it.",
    }
    return Measurement(**(values | changes))


def facts(**changes: Any) -> ExhibitFacts:
    """A small JPEG."""
    picture = Picture(format="JPEG", mime="image/jpeg", width=64, height=48, frames=1, mode="RGB")
    values: dict[str, Any] = {"name": "photo.jpg", "byte_size": 1234, "sha256": "ab" * 32, "picture": picture}
    return ExhibitFacts(**(values | changes))


def report(*outcomes: Outcome, **changes: Any) -> Report:
    """A report on these outcomes, with the verdict that the policy draws from them."""
    from assay.policy import decide

    verdict: Verdict = decide(outcomes)
    values: dict[str, Any] = {"exhibit": facts(), "outcomes": outcomes, "verdict": verdict, "tools": TOOLS}
    return Report(**(values | changes))
