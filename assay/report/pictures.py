"""Pictures out of a report: a format for programs states facts, and whoever wants the picture has the file."""

from __future__ import annotations

from dataclasses import replace

from assay.vocabulary import Attestation, Manifest, Report


def without_pictures(report: Report) -> Report:
    """The same report as one that was made without previews and thumbnails; maps are measured, and stay."""
    outcomes = (
        replace(outcome, manifest=_bare(outcome.manifest))
        if isinstance(outcome, Attestation) and outcome.manifest is not None
        else outcome
        for outcome in report.outcomes
    )
    return replace(report, preview=None, outcomes=tuple(outcomes))


def _bare(manifest: Manifest) -> Manifest:
    return replace(manifest, thumbnail=None, ingredients=tuple(map(_bare, manifest.ingredients)))
