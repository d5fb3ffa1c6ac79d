"""`assay trust`: choose whose signatures count."""

# ruff: noqa: PLC0415 - `assay --help` has to answer at once

from __future__ import annotations

from argparse import Namespace
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from assay.errors import ConfigurationError
from assay.options import Commands, add_home, add_settings, day, opened, print_rows, settings_of, today
from assay.vocabulary import Settings

if TYPE_CHECKING:
    from forensics.distrust import Distrusted
    from forensics.trust import TrustList


def add(commands: Commands) -> None:
    """What can be said of `assay trust`."""
    trust = commands.add_parser("trust", help="choose whose signatures count")
    actions = trust.add_subparsers(dest="action", metavar="ACTION", required=True)
    listing = actions.add_parser("list", help="show all profiles and their lists")
    add = actions.add_parser("add", help="add certificates (PEM, DER), or a published list in JSON, to a profile")
    add.add_argument("file", type=Path, metavar="FILE")
    add.add_argument(
        "--kind",
        choices=("signers", "timestamps", "allowed"),
        help="what the certificates vouch for: signers, timestamps, or just themselves; a JSON list says so itself",
    )
    add.add_argument("--issued", type=str, metavar="DATE", help="when the list was issued, such as 2026-08-05")
    remove = actions.add_parser("remove", help="take a list out of a profile")
    remove.add_argument("sha256", metavar="SHA256", help="of the list, or how it begins, as assay trust list shows it")
    distrust = actions.add_parser("distrust", help="say that a certificate is misused; holds for every profile")
    distrust.add_argument("--fingerprint", metavar="SHA256", help="of the certificate, in hex")
    distrust.add_argument("--serial", metavar="N", help="of the certificate: decimal, or hex with 0x or colons")
    distrust.add_argument("--issuer", metavar="NAME", help="who issued it: the common name, or the organisation")
    distrust.add_argument(
        "--since",
        metavar="DATE",
        help="signatures that a vouched-for time stamp puts before it keep their state; left out, none does",
    )
    distrust.add_argument("--reason", metavar="TEXT", help="why, for whoever reads a report")
    distrust.add_argument("--undo", action="store_true", help="take the certificate off the list again")
    add_home(distrust)
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
        case "distrust":
            _distrust(options, settings)
            return 0
        case _:
            changed, what = (_add_list(options, settings),), "added"
    print_rows((f"{what}, {settings.trust}: {entry.kind}", _list_row(entry)) for entry in changed)
    return 0


def _list_profiles(settings: Settings) -> None:
    from forensics import distrust
    from forensics.trust import profiles, read

    names = profiles(settings.home)
    for name in names:
        lists = read(replace(settings, trust=name)).lists
        print_rows((f"{name}: {entry.kind}", _list_row(entry)) for entry in lists)
    if not names:
        print(f"no trust list in {settings.home}, so nobody is trusted\n  assay trust update, or assay trust add FILE")
    print_rows(("distrusted", _distrusted_row(entry)) for entry in distrust.load(settings))


def _distrust(options: Namespace, settings: Settings) -> None:
    from forensics import distrust

    which = {name: getattr(options, name) for name in ("fingerprint", "serial", "issuer")}
    if options.undo:
        if options.since or options.reason:
            raise ConfigurationError(
                "--undo takes neither --since nor --reason", hint="Name the certificate, and nothing else."
            )
        print_rows([("trusted as before", _distrusted_row(distrust.undo(settings, **which)))])
        return
    since = day(options.since) if options.since else None
    entry = distrust.Distrusted(**which, since=since, reason=options.reason or "", added=today())
    print_rows([("distrusted", _distrusted_row(distrust.add(settings, entry)))])


def _add_list(options: Namespace, settings: Settings) -> TrustList:
    from forensics.anchors import add
    from forensics.trust import ListKind, read

    with opened(options.file) as stream:
        data = stream.read()
    before = read(settings).lists
    added = add(
        settings,
        data,
        kind=ListKind(options.kind) if options.kind else None,
        source=options.file.name,
        issued=day(options.issued) if options.issued else None,
        today=today(),
    )
    replaced = [old for old in before if (old.kind, old.source) == (added.kind, added.source)]
    other = [old for old in replaced if old.sha256 != added.sha256]
    print_rows((f"replaced, {settings.trust}: {old.kind}", _list_row(old)) for old in other)
    return added


def _list_row(entry: TrustList) -> str:
    issued = f"issued {entry.issued}" if entry.issued else "without a date"
    return f"{entry.certificates} certificates, {issued}, sha256 {entry.sha256[:12]}, from {entry.source}"


def _distrusted_row(entry: Distrusted) -> str:
    since = f"since {entry.since}" if entry.since else "at any time"
    return f"{entry.whom}, {since}, added {entry.added}: {entry.reason}"
