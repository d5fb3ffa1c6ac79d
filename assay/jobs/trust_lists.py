"""Fetching trust lists from their publishers: the one job that is allowed the network."""

from __future__ import annotations

import os
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date

from assay import __version__
from assay.errors import ConfigurationError, NetworkError
from assay.vocabulary import Settings
from forensics.anchors import add
from forensics.trust import ListKind, TrustList

MAX_BYTES = 8 * 2**20
SECONDS = 30.0
BASE = "ASSAY_TRUST_BASE"
"""Environment variable: a mirror to take the official list from, such as one inside a closed network."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """One list that its publisher keeps at an address."""

    url: str
    kind: ListKind
    issued: date | None = None
    """For a list that does not say so itself."""


_OFFICIAL = "https://raw.githubusercontent.com/c2pa-org/conformance-public/main/trust-list/"
_INTERIM = "https://contentcredentials.org/trust/"
_FROZEN = date(2026, 1, 1)

_C2PA = (
    Published(url=f"{_OFFICIAL}C2PA-TRUST-LIST.json", kind=ListKind.SIGNERS),
    Published(url=f"{_OFFICIAL}C2PA-TSA-TRUST-LIST.json", kind=ListKind.TIMESTAMPS),
)
PUBLISHED: Mapping[str, tuple[Published, ...]] = {
    "c2pa": _C2PA,
    "c2pa+interim": (
        *_C2PA,
        Published(url=f"{_INTERIM}anchors.pem", kind=ListKind.SIGNERS, issued=_FROZEN),
        Published(url=f"{_INTERIM}allowed.pem", kind=ListKind.ALLOWED, issued=_FROZEN),
    ),
}
"""Profiles that have a publisher. The interim list has been frozen since 2026-01-01."""


def update(settings: Settings, *, today: date) -> tuple[TrustList, ...]:
    """Fetch every list of the profile, and only then add them.

    Raises:
        ConfigurationError: The profile has no publisher.
        NetworkError: A list could not be fetched; the profile is as it was.
        TrustError: What was fetched is no list of certificates.
    """
    if settings.trust not in PUBLISHED:
        names = ", ".join(PUBLISHED)
        raise ConfigurationError(
            f"The profile {settings.trust!r} has no publisher to update from",
            hint=f"Use assay trust add FILE --trust {settings.trust}, or one of: {names}.",
        )
    base = os.environ.get(BASE)
    lists = [_at(base, each) if base else each for each in PUBLISHED[settings.trust]]
    fetched = [(each, _fetch(each.url)) for each in lists]
    return tuple(
        add(settings, data, kind=each.kind, source=each.url, issued=each.issued, today=today) for each, data in fetched
    )


def published_as(entry: TrustList, profile: str) -> Published | None:
    """Return what `update` of this profile would put in the place of a list, at a mirror, too; None where nothing."""
    folder, _, name = entry.source.rpartition("/")
    here = PUBLISHED.get(profile, ()) if folder else ()  # what was added by hand has a file's name as its source
    return next((each for each in here if each.kind is entry.kind and each.url.endswith(f"/{name}")), None)


def _at(base: str, published: Published) -> Published:
    return replace(published, url=base.rstrip("/") + "/" + published.url.rpartition("/")[2])


def _fetch(url: str) -> bytes:
    request = urllib.request.Request(url, headers={"User-Agent": f"assay/{__version__}"})  # noqa: S310 - our own list
    hint = f"Check the connection, or download {url} elsewhere and use: assay trust add FILE"
    try:
        with urllib.request.urlopen(request, timeout=SECONDS) as response:  # noqa: S310
            data: bytes = response.read(MAX_BYTES + 1)
    except OSError as error:  # URLError is one
        if isinstance(error, urllib.error.HTTPError):
            error.close()
        raise NetworkError(f"{url} could not be fetched: {error}", hint=hint) from error
    if len(data) > MAX_BYTES:
        raise NetworkError(f"{url} is larger than {MAX_BYTES:,} bytes", hint=hint)
    return data
