"""`assay explain`: what a check or a rule does, and what it does not mean."""

# ruff: noqa: PLC0415 - `assay --help` has to answer at once

from __future__ import annotations

from argparse import Namespace

from assay.errors import ConfigurationError
from assay.options import Commands, print_rows


def add(commands: Commands) -> None:
    """What can be said of `assay explain`."""
    explain = commands.add_parser("explain", help="say what a check or a rule does, and what it does not mean")
    explain.add_argument("id", nargs="?", metavar="ID", help="a check or a rule; all of them are listed without one")


def run(options: Namespace) -> int:
    """Say what a check or a rule does, and what it does not mean."""
    from assay import catalog
    from assay.rules import RULES, describe

    if options.id is None:
        print("checks:")
        print_rows((name, catalog.explanation(name).partition("\n")[0]) for name in catalog.CHECKS)
        print("rules:")
        print_rows((name, rule.title()) for name, rule in RULES.items())
    elif options.id in catalog.CHECKS:
        print(catalog.explanation(options.id))
    elif options.id in RULES:
        print(describe(options.id))
    else:
        raise ConfigurationError(f"{options.id!r} is neither a check nor a rule", hint="List them with: assay explain")
    return 0
