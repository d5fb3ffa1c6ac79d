from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from io import BytesIO

import pytest
from PIL import Image

from assay.vocabulary import Attestation, Exhibit, ExhibitFacts, Limits, Outcome, Picture, Settings
from forensics.credentials import Credentials
from generation.declaration import Declaration
from generation.sign import sign
from tests.authority import Authority
from tests.seeds import encoded

Sign = Callable[..., bytes]


def exhibit_of(data: bytes, name: str = "photo.jpg", sidecar: bytes | None = None) -> Exhibit:
    """An exhibit as a worker would make it."""
    from assay import exhibit

    received = exhibit.inspect(exhibit.receive(data, name, Limits()), Limits())
    return replace(received, sidecar=sidecar)


def unopened(data: bytes, format_name: str = "JPEG", mime: str = "image/jpeg") -> Exhibit:
    """An exhibit of bytes that need not be an image at all."""
    picture = Picture(format=format_name, mime=mime, width=1, height=1, frames=1, mode="RGB")
    return Exhibit(facts=ExhibitFacts(name="photo.jpg", picture=picture), data=data)


def attest(settings: Settings, exhibit: Exhibit) -> Attestation:
    """What is said of the credentials; notes beside it are left to `examine`."""
    outcome, *_ = examine(settings, exhibit)
    assert isinstance(outcome, Attestation)
    return outcome


def examine(settings: Settings, exhibit: Exhibit) -> tuple[Outcome, ...]:
    return Credentials(settings).examine(exhibit)


@pytest.fixture(scope="session")
def signed(authority: Authority) -> bytes:
    """A JPEG that the test authority's signer says is generated."""
    declaration = Declaration(title="tulip.jpg", software="Example Generator")
    return sign(encoded("JPEG"), "image/jpeg", authority.signer(), declaration)


@pytest.fixture(scope="session")
def large_jpeg() -> bytes:
    stream = BytesIO()
    Image.effect_noise((1200, 900), 50).convert("RGB").save(stream, "JPEG", quality=90)
    return stream.getvalue()
