"""`assay trust`: choose whose signatures count."""

# ruff: noqa: PLC0415 - `assay --help` has to answer at once

from __future__ import annotations

from argparse import Namespace
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from assay.options import Commands, add_settings, day, opened, print_rows, settings_of, today
from assay.vocabulary import Settings

if TYPE_CHECKING:
    from forensics.trust import TrustList


def add(commands: Commands) -> None:
    """What can be said of `assay trust`."""
    trust = commands.add_parser("trust", help="choose whose signatures count")
    actions = trust.add_subparsers(dest="action", metavar="ACTION", required=True)
    listing = actions.add_parser("list", help="show all profiles and their lists")
    add = actions.add_parser("add", help="add PEM certificates, or a published list in JSON, to a profile")
    add.add_argument("file", type=Path, metavar="FILE")
    add.add_argument(
        "--kind",
        choices=("signers", "timestamps", "allowed"),
        help="what the certificates vouch for: signers, timestamps, or just themselves; a JSON list says so itself",
    )
    add.add_argument("--issued", type=str, metavar="DATE", help="when the list was issued, such as 2026-08-05")
    remove = actions.add_parser("remove", help="take a list out of a profile")
    remove.add_argument("sha256", metavar="SHA256", help="of the list, or how it begins, as assay trust list shows it")
    update = actions.add_parser("update", help="fetch the profile's lists from their publisher; uses the network")
    for action in (listing, add, remove, update):
        add_settings(action)


def run(options: Namespace) -> int:
    """Choose whose signatures count."""
    settings = settings_of(options)
    match options.action:
        case "list":
            _list_profiles(settings)
            return 0
        case "update":
            from assay.jobs.trust_lists import update

            changed, what = update(settings, today=today()), "added"
        case "remove":
            from forensics.anchors import remove

            changed, what = remove(settings, options.sha256), "removed"
        case _:
            changed, what = (_add_list(options, settings),), "added"
    print_rows((f"{what}, {settings.trust}: {entry.kind}", _list_row(entry)) for entry in changed)
    return 0


def _list_profiles(settings: Settings) -> None:
    from forensics.trust import profiles, read

    names = profiles(settings.home)
    for name in names:
        lists = read(replace(settings, trust=name)).lists
        print_rows((f"{name}: {entry.kind}", _list_row(entry)) for entry in lists)
    if not names:
        print(f"no trust list in {settings.home}, so nobody is trusted\n  assay trust update, or assay trust add FILE")


def _add_list(options: Namespace, settings: Settings) -> TrustList:
    from forensics.anchors import add
    from forensics.trust import ListKind

    with opened(options.file) as stream:
        data = stream.read()
    return add(
        settings,
        data,
        kind=ListKind(options.kind) if options.kind else None,
        source=options.file.name,
        issued=day(options.issued) if options.issued else None,
        today=today(),
    )


def _list_row(entry: TrustList) -> str:
    issued = f"issued {entry.issued}" if entry.issued else "without a date"
    return f"{entry.certificates} certificates, {issued}, sha256 {entry.sha256[:12]}, from {entry.source}"
