"""Whom nobody shall trust: certificates known to be misused, as one dated list in the user's folder.

The list is `<home>/trust/distrusted.json`, and it holds for every profile: a key that is in the wrong hands stays there
whatever the profile. C2PA validators learn of revoked certificates from OCSP answers, which need the network and
which some issuers do not give; this list needs neither.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from assay import codec
from assay.errors import TrustError
from assay.files import write_whole
from assay.vocabulary import Settings

MAX_REASON = 500
"""Most characters of a reason."""
_MAX_ISSUER = 256
_FINGERPRINT = re.compile(r"[0-9a-f]{64}")
_DECIMAL = re.compile(r"[0-9]{1,60}")
_HEX = re.compile(r"(?:0x)?([0-9a-f]{1,50})")
"""Serial numbers have at most 20 bytes (RFC 5280, section 4.1.2.2); a few authorities write longer ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Distrusted:
    """One certificate that nobody shall trust: by its fingerprint, or by its serial number and issuer."""

    fingerprint: str | None = None
    """The sha256 of the certificate (DER): 64 lower-case hex digits; None where serial and issuer name it."""
    serial: str | None = None
    """In hex with a leading `0x`, as `normal_serial` writes it."""
    issuer: str | None = None
    """Common name or organisation of whoever issued the certificate."""
    since: date | None = None
    """From when on its signatures count for nothing. A signature that a vouched-for time stamp puts before that day
    keeps its state; None where no signature does."""
    reason: str
    added: date

    @property
    def whom(self) -> str:
        """Which certificate this is, in words."""
        return _whom(self.fingerprint, self.serial, self.issuer)

    @property
    def _key(self) -> tuple[str | None, ...]:
        return self.fingerprint, self.serial, self.issuer and _folded(self.issuer)


def load(settings: Settings) -> tuple[Distrusted, ...]:
    """Read the list, in the order in which its entries were added; empty where there is none.

    Raises:
        TrustError: The list is damaged. It is never passed over: that would trust again whom it names.
    """
    path = _path(settings)
    try:
        document = json.loads(path.read_bytes())
        entries = tuple(codec.decode(Distrusted, entry) for entry in document["distrusted"])
        return tuple(_checked(entry) for entry in entries)
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise TrustError(f"{path}: {error.strerror}", hint="Make the file readable for who runs Assay.") from error
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, TrustError) as error:
        hint = f"Restore {path}, or remove it and add its entries again: assay trust distrust"
        raise TrustError(f"{path} is damaged: {error}", hint=hint) from error


def add(settings: Settings, entry: Distrusted) -> Distrusted:
    """Add a certificate to the list, and return the entry as it is kept; an older entry for the same one is replaced.

    Raises:
        TrustError: The entry names no certificate or two, its fingerprint or serial number is not one, its reason is
            empty or longer than `MAX_REASON`, or its date lies after the day on which it is added.
    """
    entry = _checked(entry)
    others = [old for old in load(settings) if old._key != entry._key]
    _write(settings, [*others, entry])
    return entry


def undo(
    settings: Settings, *, fingerprint: str | None = None, serial: str | None = None, issuer: str | None = None
) -> Distrusted:
    """Take a certificate off the list again, named as when it was added, and return its entry.

    Raises:
        TrustError: The list does not hold it, or what is given does not name one certificate.
    """
    fingerprint, serial, issuer = _certificate(fingerprint, serial, issuer)
    key = fingerprint, serial, issuer and _folded(issuer)
    entries = load(settings)
    for entry in entries:
        if entry._key == key:
            _write(settings, [other for other in entries if other is not entry])
            return entry
    raise TrustError(
        f"No certificate with {_whom(fingerprint, serial, issuer)} is on the list of distrusted certificates",
        hint="Look it up with: assay trust list",
    )


def match(
    entries: Sequence[Distrusted], *, fingerprint: str | None, serial: str, issuer: str, organisation: str = ""
) -> Distrusted | None:
    """Return the entry that names a certificate; None where none does. By several, the strictest: the earliest date.

    Args:
        entries: From `load`.
        fingerprint: The sha256 of the certificate in hex, in either case, with or without colons; None if not known.
        serial: In hex, as reports and the C2PA library's crJSON write it, with or without colons and leading zeros.
        issuer: Common name of whoever issued the certificate, or what stands for it.
        organisation: Organisation of whoever issued it, where that is known as well.
    """
    digest = _plain(fingerprint) if fingerprint else None
    number = _hex(serial)
    names = {_folded(name) for name in (issuer, organisation) if name.strip()}
    found = [entry for entry in entries if _names(entry, digest, number, names)]
    return min(found, key=lambda entry: entry.since or date.min, default=None)


def digest(entries: Sequence[Distrusted]) -> str:
    """Return the sha256 over all entries, whatever their order, in hex; reports show it with the trust lists."""
    lines = sorted(json.dumps(codec.encode(entry), sort_keys=True) for entry in entries)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def normal_serial(text: str) -> str:
    """Write a serial number as the list keeps it: in hex, with a leading `0x`.

    Args:
        text: Decimal, as c2patool prints it, or hex: with a leading `0x`, with colons, or with a letter in it. A number
            of digits alone is decimal.

    Raises:
        TrustError: It is neither.
    """
    plain = text.strip()
    if _DECIMAL.fullmatch(plain):
        return hex(int(plain))
    number = None if plain.isdigit() else _hex(plain)
    if number is None:
        raise TrustError(
            f"{text!r} is not a serial number",
            hint="Write it in decimal, or in hex with a leading 0x or with colons: 0x3f2a, or 3f:2a.",
        )
    return hex(number)


def _names(entry: Distrusted, digest: str | None, number: int | None, names: set[str]) -> bool:
    if entry.fingerprint:
        return entry.fingerprint == digest
    same_issuer = entry.issuer is not None and _folded(entry.issuer) in names
    return same_issuer and number is not None and _hex(entry.serial or "") == number


def _checked(entry: Distrusted) -> Distrusted:
    """The entry as the list keeps it."""
    reason = " ".join(entry.reason.split())
    if not reason or len(reason) > MAX_REASON:
        raise TrustError(
            f"A reason has 1 to {MAX_REASON} characters", hint="Say why, for whoever reads a report: --reason TEXT."
        )
    if entry.since and entry.since > entry.added:
        raise TrustError(f"{entry.since} has not come yet", hint="Give the first day of misuse, or leave --since out.")
    fingerprint, serial, issuer = _certificate(entry.fingerprint, entry.serial, entry.issuer)
    return replace(entry, fingerprint=fingerprint, serial=serial, issuer=issuer, reason=reason)


def _certificate(
    fingerprint: str | None, serial: str | None, issuer: str | None
) -> tuple[str | None, str | None, str | None]:
    """Fingerprint, or serial number and issuer, written as the list keeps them."""
    name = " ".join((issuer or "").split())
    if bool(fingerprint) == bool(serial or name) or bool(serial) != bool(name):
        raise TrustError(
            "One certificate has to be named",
            hint="Give its sha256 with --fingerprint, or its serial number and its issuer with --serial and --issuer.",
        )
    if serial:
        if len(name) > _MAX_ISSUER:
            raise TrustError(f"An issuer's name has at most {_MAX_ISSUER} characters", hint="Give its common name.")
        return None, normal_serial(serial), name
    digest = _plain(fingerprint or "")
    if not _FINGERPRINT.fullmatch(digest):
        raise TrustError(
            f"{fingerprint!r} is not the sha256 of a certificate",
            hint="It has 64 hex digits; openssl x509 -noout -fingerprint -sha256 -in CERTIFICATE prints it.",
        )
    return digest, None, None


def _whom(fingerprint: str | None, serial: str | None, issuer: str | None) -> str:
    return f"sha256 {fingerprint}" if fingerprint else f"serial {serial} issued by {issuer}"


def _hex(text: str) -> int | None:
    digits = _HEX.fullmatch(_plain(text))
    return int(digits[1], 16) if digits else None


def _plain(text: str) -> str:
    return text.strip().replace(":", "").lower()


def _folded(name: str) -> str:
    return " ".join(name.split()).casefold()


def _path(settings: Settings) -> Path:
    return settings.home / "trust" / "distrusted.json"


def _write(settings: Settings, entries: Sequence[Distrusted]) -> None:
    path = _path(settings)
    path.parent.mkdir(parents=True, exist_ok=True)
    document = {"distrusted": [codec.encode(entry) for entry in entries]}
    write_whole(path, json.dumps(document, indent=2).encode())
