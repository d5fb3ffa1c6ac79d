"""`assay keys`: make and manage the keys that mark images."""

# ruff: noqa: PLC0415 - `assay --help` has to answer at once

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterable
from datetime import UTC, datetime, time
from pathlib import Path
from typing import TYPE_CHECKING

from assay.options import Commands, add_home, day, print_rows, settings_of

if TYPE_CHECKING:
    from assay.keys import WatermarkKey

_USER = "default"


def add(commands: Commands) -> None:
    """What can be said of `assay keys`."""
    keys = commands.add_parser(
        "keys",
        help="make and manage the keys that mark images",
        description="Watermark keys: one a user and epoch, all derived from one root, which is never shown. "
        "A rotated or revoked key never marks again; images with its mark are still read.",
    )
    actions = keys.add_subparsers(dest="action", metavar="ACTION", required=True)
    init = actions.add_parser("init", help="make a watermark key and a development signing key, where missing")
    listing = actions.add_parser("list", help="show all watermark keys, without their secrets")
    rotate = actions.add_parser("rotate", help="begin a new epoch: the user's present key retires")
    revoke = actions.add_parser("revoke", help="never mark with a key again")
    revoke.add_argument("id", metavar="ID", help="of the key, as assay keys list shows it")
    for action in (init, rotate):
        action.add_argument("--user", default=_USER, metavar="NAME", help=f"whose key (default {_USER})")
        action.add_argument("--expires", metavar="DATE", help="the first day on which a new key marks no more, in UTC")
    for action in (init, listing, rotate, revoke):
        add_home(action)


def run(options: Namespace) -> int:
    """Make and manage watermark keys."""
    from assay.keys import key_store

    home = settings_of(options).home
    store = key_store(home)
    match options.action:
        case "init":
            print_rows(_rows([store.init(options.user, not_after=_expiry(options))]))
            _make_signing_key(home)
        case "rotate":
            store.rotate(options.user, not_after=_expiry(options))
            keys = store.keys()
            print_rows(_rows(key for key in keys if key.user == options.user))
        case "revoke":
            print_rows(_rows([store.revoke(options.id)]))
        case _:
            keys = store.keys()
            print_rows(_rows(keys))
            if not keys:
                print(f"no watermark key in {store.folder}\n  assay keys init")
    return 0


def _expiry(options: Namespace) -> datetime | None:
    return None if options.expires is None else datetime.combine(day(options.expires), time(), UTC)


def _make_signing_key(home: Path) -> None:
    from generation.development import NAME, ROOT, development_key, signing_folder

    key, folder = development_key(signing_folder(home)), signing_folder(home)
    until = f"{key.certificate.not_valid_after_utc:%Y-%m-%d}"
    print_rows([("signing key, development", f"in {folder}, until {until}: {NAME}")])
    print(f"  no trust list vouches for it; to try it out: assay trust add --kind signers --trust dev {folder / ROOT}")


def _rows(keys: Iterable[WatermarkKey]) -> Iterable[tuple[str, str]]:
    from assay.report.escape import visible

    now = datetime.now(UTC)
    for key in keys:
        dates = f"from {_date(key.not_before)}" + (f" until {_date(key.not_after)}" if key.not_after else "")
        text = f"{key.state(now)}, epoch {key.epoch} of {visible(key.user)}, {dates}, commitment {key.commitment}"
        yield f"watermark {key.id}", text


def _date(moment: datetime | None) -> str:
    return "the beginning" if moment is None else f"{moment:%Y-%m-%d %H:%M:%S} UTC"
