"""Settings: what this dashboard runs with, and the command that changes each. Keys are shown by fingerprint only."""

from __future__ import annotations

from datetime import UTC, datetime

import streamlit as st

from assay import doctor
from assay.doctor import Finding, State
from assay.errors import AssayError
from assay.keys import key_store
from assay.vocabulary import Detail
from dashboard import fragments
from dashboard.fragments import complain
from dashboard.service import may_fetch, may_read_folders, policy, settings

_SIGNS = {State.SOUND: "●", State.NOTE: "△", State.PROBLEM: "▲"}


def main() -> None:
    """Draw the page."""
    st.title("Settings")
    st.write("Nothing can be changed from here: whoever opens this page need not be who answers for it.")
    for draw in (_doors, _rules, _keys, _environment):
        try:
            draw()
        except AssayError as error:
            complain(error)


def _doors() -> None:
    chosen = settings()
    limits = chosen.limits
    folders = "open: pages may name files of this machine" if may_read_folders() else "closed"
    searched = "at every model and size" if chosen.thorough else "where size or content speaks for it"
    network = "open: addresses that are typed in are fetched" if may_fetch() else "closed: nothing is fetched"
    fragments.facts(
        "Doors and limits",
        (
            Detail(name="files of this machine", value=f"{folders} (assay dashboard --no-folders)"),
            Detail(name="network", value=f"{network} (assay dashboard --allow-network)"),
            Detail(name="trust profile", value=f"{chosen.trust} (assay dashboard --trust PROFILE)"),
            Detail(name="checks left out", value=f"{', '.join(chosen.skip) or 'none'} (ASSAY_SKIP)"),
            Detail(name="mark in the noise", value=f"looked for {searched} (ASSAY_THOROUGH)"),
            Detail(
                name="one file", value=f"{limits.max_bytes // 2**20} MB, {limits.max_pixels:,} pixels, "
                f"{limits.max_frames} frames, {limits.seconds:g} s, {limits.memory_bytes // 2**20:,} MB of memory",
            ),
        ),
    )  # fmt: skip


def _rules() -> None:
    present = policy()
    if present is None:
        value = "none: no assay.toml in the folder that the dashboard was started in, nor above it"
        fragments.facts("The publisher's rules", (Detail(name="policy", value=value),))
        return
    rules = tuple(
        Detail(name=applied.rule.id, value=f"{applied.severity}: {applied.rule.title()}") for applied in present.rules
    )
    fragments.facts("The publisher's rules", rules)


def _keys() -> None:
    now = datetime.now(UTC)
    keys = tuple(
        Detail(name=f"key {key.id}", value=f"{key.state(now)}, epoch {key.epoch}; fingerprint {key.commitment}")
        for key in key_store(settings().home).keys()  # noqa: SIM118 - not a mapping
    )
    none = (Detail(name="keys", value="none: nothing can be marked here yet (assay keys init)"),)
    fragments.facts("Watermark keys", keys or none)


def _environment() -> None:
    found = doctor.examine(settings(), today=datetime.now(UTC).date())
    fragments.facts("Environment", tuple(Detail(name=each.what, value=_in_words(each)) for each in found))


def _in_words(finding: Finding) -> str:
    remedy = f". {finding.remedy}" if finding.remedy else ""
    return f"{_SIGNS[finding.state]} {finding.state}: {finding.text}{remedy}"


main()
