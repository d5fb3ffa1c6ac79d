"""Content Credentials: C2PA manifest -> `Attestation`.

Integrity, trust, history, declared AI use and identity are separate fields, because they fail separately. The reading
follows C2PA 2.2, section 15 (validation), and the status-code classes of the C2PA Asset Integrity Rubric 1.0.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO
from typing import ClassVar

from c2pa import C2paError, Context, Reader

from assay.containers import has_joined_stores
from assay.vocabulary import (
    AiUse,
    Attestation,
    Claim,
    Detail,
    Exhibit,
    Failed,
    History,
    Integrity,
    Nothing,
    Observation,
    Outcome,
    Settings,
    Signer,
    Trust,
)
from forensics import declarations, trust
from forensics.manifest_pictures import pictures
from forensics.manifests import Store
from forensics.offline import REMOTE_ERROR, require_closed_network

_BOXED = frozenset({"AVIF", "HEIF"})
_CHANGED = (".mismatch", ".missing", "15.5.2.1)")
"""How failures end that say something changed, rather than that it never was in order."""
_JOINED = "two manifest stores in one box (C2PA 2.2, section 15.5.2.1)"
_SIDECAR_ONLY = frozenset({"BMP"})
"""Formats that have no place for a manifest inside."""


class Credentials:
    """Content Credentials (C2PA): who signed the file, whether it still matches, and what the manifest declares.

    Reads the C2PA manifest inside the file, or beside it (`photo.c2pa` beside `photo.jpg`), checks the signature, the
    hashes and the certificate, and walks the history: the active manifest, what changed in its ingredients since they
    were added, and every ingredient's own manifest. The network stays closed.

    What it says:
        trusted                      the bytes are as signed, and the chosen trust list vouches for the signer
        intact, signer unknown       the bytes are as signed, by a certificate that no list of yours vouches for;
                                     anybody can make one, with any name in it
        intact, signer's certificate expired
                                     as signed, without a timestamp from before the certificate ran out
        intact, signer's certificate revoked
                                     as signed, by a certificate whose issuer has withdrawn it
        history broken               the last signature holds, but an ingredient's does not: what came before it
                                     may have been changed and signed over
        does not verify              bytes or manifest changed after signing; a harmless re-save can do that, too
        no credentials               none found; most images have none, and removing them is easy
        points to a remote manifest (not fetched)
        could not be checked         the manifest cannot be read

    What it means: a trusted signer states how the image was made. What it does not mean: that the statement is true.
    A signature proves who says so, and that nothing changed since.
    """

    id: ClassVar[str] = "credentials"
    claims: ClassVar[frozenset[Claim]] = frozenset({Claim.GENERATED, Claim.EDITED, Claim.CAPTURED})

    def __init__(self, settings: Settings) -> None:
        profile = trust.load(settings)
        self._thumbnails = settings.thumbnails
        self._has_anchors = bool(profile.lists)
        self._profile = profile.name
        self._context = Context.from_dict(trust.reader_settings(profile))
        self._signers_only = Context.from_dict(trust.reader_settings(profile, timestamps=False))
        for context in (self._context, self._signers_only):
            require_closed_network(context)

    def examine(self, exhibit: Exhibit) -> tuple[Outcome, ...]:
        """Read and validate the manifest store of one file; what strangers in its history declare is noted apart."""
        try:
            store, is_beside = self._read(exhibit)
        except (C2paError, ValueError) as error:
            return (self._unread(exhibit, str(error)),)
        if store is None:
            return (self._none_found(exhibit),)
        joined = exhibit.picture.format in _BOXED and has_joined_stores(exhibit.data)
        attestation = self._attest(store, [_JOINED] if joined else [], is_beside=is_beside)
        return (attestation, *self._hearsay(store, attestation))

    def _read(self, exhibit: Exhibit) -> tuple[Store | None, bool]:
        """The manifest store, and whether it was kept beside the file."""
        store, is_beside = _read_store(exhibit, self._context, thumbnails=self._thumbnails)
        if store is not None and store.is_ambiguous():
            return _read_store(exhibit, self._signers_only, thumbnails=self._thumbnails)
        return store, is_beside

    def _none_found(self, exhibit: Exhibit) -> Outcome:
        if exhibit.picture.truncated:
            return Failed(
                check=self.id,
                error=f"{exhibit.facts.name}: the file stops early, and credentials may have stood in what is missing",
                hint="Fetch the file again and compare its size with the source's.",
            )
        return Nothing(check=self.id)

    def _unread(self, exhibit: Exhibit, error: str) -> Outcome:
        if error.startswith(REMOTE_ERROR):
            return self._remote(error.removeprefix(REMOTE_ERROR))
        return Failed(
            check=self.id,
            error=f"{exhibit.facts.name}: Content Credentials could not be checked: {error}",
            hint="The manifest is malformed or of a kind this release does not read; the image itself may be sound.",
        )

    def _remote(self, url: str) -> Attestation:
        return Attestation(
            check=self.id,
            claim=None,
            signer=None,
            integrity=Integrity.NOT_FETCHED,
            trust=Trust.UNKNOWN,
            history=History.UNKNOWN,
            ai_use=AiUse.UNKNOWN,
            identity=(),
            summary="The file names an address where its Content Credentials are kept. The address was not visited.",
            details=(Detail(name="Remote manifest", value=url),),
        )

    def _attest(self, store: Store, faults: list[str], *, is_beside: bool) -> Attestation:
        """Numbered as in C2PA 2.2, section 15: structure and hashes, signature, signer, ingredients."""
        root = store.tree()
        faults = faults + store.active_failures()
        integrity = Integrity.INTACT if store.is_intact() and not faults else Integrity.BROKEN  # (1) and (2)
        signer_trust = store.trust()  # (3)
        history_failures = store.history_failures()  # (4)
        history = History.BROKEN if history_failures else History.INTACT
        # What a broken manifest states is not shown as fact (C2PA User Experience Guidance 2.0).
        is_intact = integrity is Integrity.INTACT
        said = self._summary(root.signer, signer_trust, history) if is_intact else _broken(faults, is_beside=is_beside)
        return Attestation(
            check=self.id,
            claim=_claim(store, signer_trust) if is_intact else None,
            signer=root.signer,
            integrity=integrity,
            trust=signer_trust,
            history=history,
            ai_use=declarations.ai_use(store.statements, store.root) if is_intact else AiUse.UNKNOWN,
            identity=store.identities(),
            summary=said,
            details=(
                *([Detail(name="Manifest", value="kept beside the file")] if is_beside else []),
                *(Detail(name="Failed check", value=text) for text in faults),
                *(Detail(name="Certificate", value=code) for code in store.trust_failures()),
                *(Detail(name="Failed check in the history", value=text) for text in history_failures),
                *store.bindings(),
                *([Detail(name="History", value="drawn in part; all of it was read")] if store.is_cut_off() else []),
            ),
            manifest=root,
        )

    def _hearsay(self, store: Store, attestation: Attestation) -> Iterator[Observation]:
        """What counts for less than the signature over it: strangers in the history, and inferences from a name."""
        if attestation.integrity is not Integrity.INTACT:
            return
        said = declarations.claim(store.statements, store.root)
        if attestation.trust is Trust.TRUSTED and said in (Claim.GENERATED, Claim.EDITED) and said != attestation.claim:
            yield Observation(
                check=self.id,
                signal="history-declares",
                claim=said,
                summary=f"An earlier version or a part, whose signer no list vouches for, declares the image {said}.",
            )
        if any(each.names_generator for each in declarations.line_of_descent(store.statements, store.root)):
            yield Observation(
                check=self.id,
                signal="generator-named",
                claim=Claim.GENERATED,
                summary="The manifest was made by software that only generates images, going by the software's name.",
            )

    def _summary(self, signer: Signer | None, signer_trust: Trust, history: History) -> str:
        name = signer.name if signer else "an unnamed signer"
        whom = {
            Trust.TRUSTED: f"The trust list '{self._profile}' vouches for the signer, {name}.",
            Trust.UNKNOWN: f"The certificate names {name}, but {self._no_voucher()}.",
            Trust.EXPIRED: f"The certificate names {name}; it has expired, no timestamp shows it was used in time, and "
            "no list vouches for it now: anybody can make one, with any name.",
            Trust.REVOKED: f"The certificate names {name}; its issuer has revoked it.",
        }[signer_trust]
        if history is History.BROKEN:
            return f"The last signature holds, but an ingredient in the image's history does not verify. {whom}"
        return f"The file is as it was when it was signed. {whom}"

    def _no_voucher(self) -> str:
        if self._has_anchors:
            return f"the trust list '{self._profile}' does not vouch for it"
        return f"the trust profile '{self._profile}' holds no list, so nobody is trusted (assay trust update)"


def _claim(store: Store, signer_trust: Trust) -> Claim | None:
    """What the signature carries: a trusted signer does not vouch for what strangers said before."""
    return declarations.claim(store.statements, store.root, vouched_for=signer_trust is Trust.TRUSTED)


def _broken(faults: list[str], *, is_beside: bool) -> str:
    if faults and not any(fault.endswith(_CHANGED) for fault in faults):
        return "The manifest is not formed as C2PA requires. Nothing shows that the image changed."
    if is_beside:
        return (
            "The manifest kept beside this file does not match it: one of the two changed after signing, "
            "or they do not belong together."
        )
    return (
        "The Content Credentials do not match this file: it, or they, changed after signing, "
        "or they were taken from another file."
    )


def _read_store(exhibit: Exhibit, context: Context, *, thumbnails: bool) -> tuple[Store | None, bool]:
    stream, mime = BytesIO(exhibit.data), exhibit.picture.mime
    reader = None
    if exhibit.picture.format not in _SIDECAR_ONLY:
        try:
            reader = Reader.try_create(mime, stream, context=context)
        except C2paError as error:
            if exhibit.sidecar is None or not str(error).startswith(REMOTE_ERROR):
                raise
    is_beside = reader is None and exhibit.sidecar is not None
    if is_beside:
        reader = Reader(mime, stream, exhibit.sidecar, context=context)
    if reader is None:
        return None, False
    with reader:
        store = Store.parse(json.loads(reader.crjson()))
        if thumbnails:
            store = replace(store, thumbnails=pictures(reader, store.thumbnail_uris()))
        return store, is_beside
