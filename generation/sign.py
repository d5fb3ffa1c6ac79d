"""Image + manifest -> C2PA-signed file.

The manifest says how the image came about; the signature says who says so. Nothing here uses the network, and nothing
is written but the file asked for.
"""

from __future__ import annotations

import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.metadata import version
from io import BytesIO
from pathlib import Path
from typing import Any

from c2pa import Builder, C2paError, C2paSignerInfo, C2paSigningAlg, Context, Signer

from assay.errors import SigningError
from assay.files import write_whole
from assay.formats import sniff
from generation.declaration import Declaration, definition, label
from generation.signing_key import SIGNING_PURPOSES, Callback, SigningKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """A signed file, and what stripping would take away from it."""

    data: bytes = field(repr=False)
    """The file."""
    manifest: bytes = field(repr=False)
    """The manifest store inside it, byte for byte."""


def sign(data: bytes, mime: str, key: SigningKey, declaration: Declaration) -> bytes:
    """Sign an image and embed the manifest. Its pixels stay as they are; credentials that it had are replaced.

    To keep earlier credentials as history, give the same bytes as an ingredient, too.

    Args:
        data: JPEG, PNG, WebP, AVIF, TIFF, GIF, HEIC, or JPEG XL in a container.
        mime: What the data is; has to agree with its first bytes.
        key: Who signs.
        declaration: What the signer states.

    Returns:
        The signed file.

    Raises:
        SigningError: The certificate is out of date, the declaration is not one that C2PA allows, or the data is not
            an image that can carry a manifest.
    """
    return sign_and_keep(data, mime, key, declaration).data


def sign_and_keep(data: bytes, mime: str, key: SigningKey, declaration: Declaration) -> Signed:
    """As `sign`, and hand the manifest store out as well, to be kept where it cannot be stripped.

    Args: as for `sign`.

    Raises:
        SigningError: As `sign`.
    """
    return _sign(data, mime, key, declaration, embed=True)


def sign_sidecar(data: bytes, mime: str, key: SigningKey, declaration: Declaration) -> bytes:
    """Sign an image and leave it as it is.

    Args: as for `sign`; BMP works, too.

    Returns:
        The manifest store, to be kept beside the image as a `.c2pa` file (C2PA 2.2, section 15.5.3.1).

    Raises:
        SigningError: As `sign`.
    """
    return _sign(data, mime, key, declaration, embed=False).manifest


def sign_file(source: Path, target: Path, key: SigningKey, declaration: Declaration) -> None:
    """Sign a file. The target is there whole or stays as it was; signing in place is safe.

    A target that exists keeps its permissions; a new one takes the source's.

    Raises:
        SigningError: As `sign`; also where the source cannot be read, or the target cannot be written.
    """
    try:
        data = source.read_bytes()
        mode = stat.S_IMODE((target if target.exists() else source).stat().st_mode)
    except OSError as error:
        raise SigningError(f"{source}: {error.strerror}", hint="Check the path and its permissions.") from error
    family = sniff(data[:64])
    if family is None:
        raise SigningError(f"{source}: not an image in a known format", hint=_HINTS["type is unsupported"])
    signed = sign(data, family.mime, key, declaration)
    try:
        write_whole(target.resolve(), signed, mode=mode)  # resolved: a link stays a link
    except OSError as error:
        raise SigningError(f"{target}: {error.strerror}", hint="Check the folder and its permissions.") from error


def _sign(data: bytes, mime: str, key: SigningKey, declaration: Declaration, *, embed: bool) -> Signed:
    manifest = definition(declaration)
    key.require_valid()
    _require_format(data, mime)
    signed = BytesIO()
    with (
        _errors(),
        _signer(key) as signer,
        Context.from_dict(_settings()) as context,
        Builder(manifest, context=context) as builder,
    ):
        for number, part in enumerate(declaration.ingredients):
            described = {"title": part.title, "relationship": part.relationship.value, "label": label(number)}
            builder.add_ingredient(described, part.mime, BytesIO(part.data))
        if not embed:
            builder.set_no_embed()
        store: bytes = builder.sign(signer, mime, BytesIO(data), signed)
    return Signed(data=signed.getvalue(), manifest=store)


def _require_format(data: bytes, mime: str) -> None:
    family = sniff(data[:64])
    if family is None or family.mime != mime:
        found = "not an image in a known format" if family is None else family.name
        raise SigningError(f"said to be {mime}, but the content is {found}", hint="Give the type of the content.")


def _settings() -> dict[str, Any]:
    """Settings of a C2PA builder that never uses the network and adds no thumbnail, which would be most of the file."""
    return {
        "verify": {"remote_manifest_fetch": False, "ocsp_fetch": False},
        "core": {"allowed_network_hosts": [], "allow_redirects": False, "decode_identity_assertions": False},
        "trust": {"trust_config": "\n".join(SIGNING_PURPOSES)},
        "builder": {
            "thumbnail": {"enabled": False},
            "claim_generator_info": {"name": "Assay", "version": version("assay")},
        },
    }


@contextmanager
def _signer(key: SigningKey) -> Iterator[Signer]:
    if isinstance(key.secret, bytes):
        with Signer.from_info(C2paSignerInfo(key.algorithm.value, key.chain, key.secret, None)) as signer:
            yield signer
        return
    guarded = _Guarded(key.secret)
    with Signer.from_callback(guarded, C2paSigningAlg[key.algorithm.name], key.chain.decode("ascii")) as signer:
        try:
            yield signer
        except C2paError:
            if guarded.error is None:
                raise
            raise SigningError(
                f"the signing callback failed: {type(guarded.error).__name__}",
                hint="Ask the service or device that holds the key; its own error is the cause of this one.",
            ) from guarded.error


class _Guarded:
    """Keeps a callback's exception from the library, which would log its text: it may hold secrets."""

    def __init__(self, callback: Callback) -> None:
        self._callback = callback
        self.error: Exception | None = None

    def __call__(self, data: bytes) -> bytes:
        try:
            return self._callback(data)
        except Exception as error:
            self.error = error
            return b""


_HINTS = {
    "StringTooLong": "The manifest's text is longer than 1 MB: shorten title, actions and software.",
    "type is unsupported": "JPEG, PNG, WebP, AVIF, TIFF, GIF, HEIC and JPEG XL can carry a manifest; "
    "for BMP, keep it beside the image (sign_sidecar).",
    "Not a valid JPEG XL container": "A bare JPEG XL codestream has no place for a manifest: save it in a container.",
    "could not be parsed": "The image is damaged: open it and save it again.",
    "the certificate is invalid": "The certificate does not have what C2PA 2.2, section 14.5.1.1, asks for: version 3, "
    "key usage digital signature, a subject key identifier, an authority key identifier, an organisation.",
    "does not match the provided data or public key": "The signature was made with another key than the certificate's.",
    "COSE signature invalid": "The signing callback returned nothing that could be a signature.",
}
_HINT_OTHERWISE = "Look the message up in C2PA 2.2, section 15.2.2, which lists the codes."


@contextmanager
def _errors() -> Iterator[None]:
    try:
        yield
    except C2paError as error:
        text = str(error)
        hint = next((hint for fragment, hint in _HINTS.items() if fragment in text), _HINT_OTHERWISE)
        raise SigningError(f"the image could not be signed: {text}", hint=hint) from error
