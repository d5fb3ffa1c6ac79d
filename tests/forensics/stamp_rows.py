"""Rows of the tamper matrix about time stamps: whose count, and which are forged.

Whoever finds the key of an expired certificate signs a file, and lets a stamp say that it was signed in time.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from generation.signing_key import SigningKey
from tests.authority import EMAIL_PROTECTION, Authority
from tests.carriers import AVIF, Carrier
from tests.forensics.tamper_rows import EXPIRED, STRANGER, TRUSTED, Bench, Make, Row, Specimen
from tests.forge import CAPTURED, BmffHash, DataHash, Draft, Stamp, sign, stamper
from tests.forge.certificates import chain, unreadable
from tests.seeds import encoded

_NOW = datetime.now(UTC)


def _ago(hours: float) -> datetime:
    return _NOW - timedelta(hours=hours)


BORN, STAMPED, DIED = _ago(20), _ago(10), _ago(1)
"""The life of a certificate that has expired, and a time within it."""

_ROOM = 40_000
"""Bytes for signature, certificates and stamp."""

Key = Callable[[Bench], SigningKey]
MakeStamp = Callable[[Bench], Stamp]


def expired(bench: Bench) -> SigningKey:
    """Return a key whose certificate was good between `BORN` and `DIED`."""
    return bench.authority.signer(not_before=BORN, not_after=DIED)


def good(bench: Bench) -> SigningKey:
    """Return a key whose certificate is good today."""
    return bench.authority.signer()


def unborn(bench: Bench) -> SigningKey:
    """Return a key whose certificate is not good yet."""
    return bench.authority.signer(not_before=_ago(-24), not_after=_ago(-72))


def young(bench: Bench) -> SigningKey:
    """Return a key whose certificate was issued an hour ago."""
    return bench.authority.signer(not_before=_ago(1))


def signed(carrier: Carrier, key: SigningKey, version: int, stamp: Stamp | None, **choices: Any) -> bytes:
    """Return a photograph that the key says was captured."""
    binding = BmffHash() if carrier is AVIF else DataHash()
    draft = Draft(
        key=key, version=version, assertions=(CAPTURED,), binding=binding, stamp=stamp, size=40_000, **choices
    )
    return sign(carrier, encoded(carrier.name), draft)


def with_stamps(key: Key, *stamps: MakeStamp) -> Make:
    """Return a maker of files: claims of both versions, each with each stamp."""

    def make(bench: Bench, carrier: Carrier) -> Iterator[Specimen]:
        owner = key(bench)
        for version in (1, 2):
            for stamp in stamps:
                yield Specimen(carrier=carrier, data=signed(carrier, owner, version, stamp(bench)))

    return make


def listed(at: datetime = STAMPED, **choices: Any) -> MakeStamp:
    """A stamp by an authority in the reader's list."""
    return lambda bench: Stamp(key=stamper(bench.stamps), at=at, **choices)


def by_nobody(header: str = "", at: datetime = STAMPED) -> MakeStamp:
    """A stamp by an authority that was made for it."""
    return lambda _bench: Stamp(key=stamper(Authority.create("Nobody")), at=at, header=header)


def by_signers_authority(bench: Bench) -> Stamp:
    """A stamp by an authority whose root is in the list of signers, and in no other."""
    return Stamp(key=stamper(bench.authority), at=STAMPED)


def by_signer(bench: Bench) -> Stamp:
    """A stamp with a certificate that signs manifests."""
    return Stamp(key=bench.authority.signer(), at=STAMPED)


def by_unfit_certificate(bench: Bench) -> Stamp:
    """A stamp with a certificate of a listed authority that is for e-mail."""
    return Stamp(key=bench.stamps.signer(purposes=(EMAIL_PROTECTION,)), at=STAMPED)


def before_its_own_time(bench: Bench) -> Stamp:
    """A stamp with a certificate of a listed authority that was issued later than the stamp says."""
    return Stamp(key=stamper(bench.stamps, not_before=_ago(5)), at=STAMPED)


def by_retired_unit(bench: Bench) -> Stamp:
    """A stamp with a certificate of a listed authority that was good at the time, and has expired since."""
    return Stamp(key=stamper(bench.stamps, not_before=BORN, not_after=DIED), at=STAMPED)


def by_namesake(*, crowded: bool) -> MakeStamp:
    """A stamp by nobody, with the number of a listed authority's certificate, which it carries as well.

    Who goes by the number, and cannot read the certificate of the one who stamped, takes the other for it. It is either
    in a form that few can read, or comes after more certificates than anybody wants to look at.
    """

    def make(bench: Bench) -> Stamp:
        listed_one, nobody = stamper(bench.stamps), Authority.create("Nobody")
        own = stamper(nobody, serial=listed_one.certificate.serial_number)
        hidden = unreadable(own.certificate, nobody.intermediate_key)
        carried = (*chain(listed_one), *chain(own)[1:] * 40, *chain(own)) if crowded else (hidden, *chain(listed_one))
        return Stamp(key=own, at=STAMPED, certificates=carried)

    return make


def borrowed_chain(bench: Bench, carrier: Carrier) -> Iterator[Specimen]:
    """A stranger, whose certificate few can read, and behind it the certificates of the desk, which are public."""
    nobody = Authority.create("Nobody")
    key = nobody.signer()
    carried = (unreadable(key.certificate, nobody.intermediate_key), *chain(bench.desk))
    for version in (1, 2):
        for stamp in (None, by_nobody()(bench), listed()(bench)):
            data = signed(carrier, key, version, stamp, certificates=carried)
            yield Specimen(carrier=carrier, data=data)


def _imprint_altered(stamp: bytes, message: bytes) -> bytes:
    """Put the imprint of this signature where that of another stood."""
    return stamp.replace(hashlib.sha256(_ANOTHER).digest(), hashlib.sha256(message).digest())


def _time_altered(stamp: bytes, _message: bytes) -> bytes:
    """Let a stamp of today say that it was made in time."""
    return stamp.replace(f"{_NOW:%Y%m%d%H%M%SZ}".encode(), f"{STAMPED:%Y%m%d%H%M%SZ}".encode())


_ANOTHER = b"the signature of another file"

STAMP_ROWS = (
    Row(
        id="stamp-listed",
        what="expired since; stamped in time by an authority in the list",
        make=with_stamps(expired, listed(), by_retired_unit),
        expected=TRUSTED,
    ),
    Row(
        id="stamp-not-needed",
        what="certificate good today; stamped by an authority in no list",
        make=with_stamps(good, by_nobody(), by_signers_authority),
        expected=TRUSTED,
    ),
    Row(
        id="stamp-not-needed-false",
        what="certificate good today; stamp over another signature",
        make=with_stamps(good, listed(over=_ANOTHER)),
        expected=TRUSTED,
    ),
)
"""The signature was made in time, or need not have been."""

FORGED_STAMP_ROWS = (
    Row(
        id="stamp-by-nobody",
        what="stamped by an authority made in a minute",
        make=with_stamps(expired, by_nobody(), by_nobody("sigTst"), by_nobody("sigTst2")),
        expected=EXPIRED,
    ),
    Row(
        id="stamp-by-signers",
        what="stamped by an authority that is in the list of signers only, or by a signer",
        make=with_stamps(expired, by_signers_authority, by_signer),
        expected=EXPIRED,
    ),
    Row(
        id="stamp-unfit",
        what="stamped with a certificate of a listed authority that is for e-mail, or was issued after the time stated",
        make=with_stamps(expired, by_unfit_certificate, before_its_own_time),
        expected=EXPIRED,
    ),
    Row(
        id="stamp-namesake",
        what="stamped by nobody, with the number of a listed authority's certificate, which the stamp carries, too",
        make=with_stamps(expired, by_namesake(crowded=False), by_namesake(crowded=True)),
        expected=EXPIRED,
    ),
    Row(
        id="stamp-moved",
        what="stamp of another signature by a listed authority",
        make=with_stamps(expired, listed(over=_ANOTHER)),
        expected=EXPIRED,
    ),
    Row(
        id="stamp-altered",
        what="stamp by a listed authority, its imprint or its time altered",
        make=with_stamps(expired, listed(over=_ANOTHER, edit=_imprint_altered), listed(at=_NOW, edit=_time_altered)),
        expected=EXPIRED,
    ),
    Row(
        id="stamp-late",
        what="stamped by a listed authority after the certificate had expired",
        make=with_stamps(expired, listed(at=_NOW)),
        expected=EXPIRED,
    ),
    Row(
        id="stamp-unborn",
        what="certificate not good yet; stamped by an authority made in a minute",
        make=with_stamps(unborn, by_nobody(), by_nobody(at=_ago(-36))),
        expected=EXPIRED,
    ),
    Row(
        id="stamp-early",
        what="stamped by a listed authority before the certificate was good",
        make=with_stamps(young, listed()),
        expected=EXPIRED,
    ),
)
"""Nothing that counts shows that the certificate was used in time."""

BORROWED_ROWS = (
    Row(
        id="chain-borrowed",
        what="a certificate that few can read, and behind it those of a signer whom the reader trusts",
        make=borrowed_chain,
        expected=STRANGER,
    ),
)
"""Somebody else signed, and carries the certificates of the signer."""
