"""`assay doctor`: is this environment sound?"""

# ruff: noqa: PLC0415 - `assay --help` has to answer at once

from __future__ import annotations

from argparse import Namespace

from assay.options import Commands, add_settings, settings_of, today


def add(commands: Commands) -> None:
    """What can be said of `assay doctor`."""
    doctor = commands.add_parser(
        "doctor", help="is this environment sound? versions, trust lists and their age, guards"
    )
    add_settings(doctor)


def run(options: Namespace) -> int:
    """Say whether this environment is sound."""
    from assay import doctor as doctor_module

    findings = list(doctor_module.examine(settings_of(options), today=today()))
    for finding in findings:
        print(f"{finding.state:8} {finding.what:16} {finding.text}")
        if finding.remedy:
            print(f"{'':25} -> {finding.remedy}")
    return 2 if any(finding.state is doctor_module.State.PROBLEM for finding in findings) else 0
