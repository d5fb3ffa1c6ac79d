"""Content Credentials: C2PA manifest -> `Attestation`.

Integrity, trust, history, declared AI use and identity are separate fields, because they fail separately. The reading
follows C2PA 2.2, section 15 (validation), and the status-code classes of the C2PA Asset Integrity Rubric 1.0. The
library's word is not taken for what it leaves open: whose time stamp counts (`forensics.signers`), and what the hash
leaves out (`forensics.coverage`).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace
from functools import cached_property
from io import BytesIO
from typing import ClassVar

from c2pa import C2paError, Context, Reader

from assay.containers import has_joined_stores, walk
from assay.policy import UNVERIFIED_DECLARATION
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
    Trust,
)
from forensics import credential_words as words
from forensics import declarations, distrust, history_tree, trust
from forensics.coverage import coverage
from forensics.covered import WHOLE, Coverage
from forensics.crjson import as_dict
from forensics.manifest_notes import notes
from forensics.manifest_pictures import pictures
from forensics.manifest_privacy import personal
from forensics.manifests import EMPTY, Store, is_tampering
from forensics.offline import REMOTE_ERROR, require_closed_network
from forensics.signers import Signers

_BOXED = frozenset({"AVIF", "HEIF"})
_JOINED = "two manifest stores in one box (C2PA 2.2, section 15.5.2.1)"
_SIDECAR_ONLY = frozenset({"BMP"})
"""Formats that have no place for a manifest inside."""
_MALFORMED_CLAIM = "claim could not be converted from CBOR"
_RULES = {
    _MALFORMED_CLAIM: "claim.malformed",
    "claim missing hard binding": "claim.hardBindings.missing",
    "claim has multiple hard bindings": "claim.hardBindings.multiple",
    "unknown algorithm": "algorithm.unsupported",
    "unsupported algorithm": "algorithm.unsupported",
    EMPTY: "an ingredient that lacks what was recorded of it (C2PA 2.2, section 18.16)",
}
"""Errors in whose place the standard has a status code."""
_AI = (AiUse.PARTLY, AiUse.FULLY)
_CLAIM_OF = {AiUse.PARTLY: Claim.EDITED, AiUse.FULLY: Claim.GENERATED}


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
                                     as signed; no time stamp that a list of yours vouches for is from before the
                                     certificate ran out
        intact, signer's certificate revoked
                                     as signed, by a certificate whose issuer, or you, withdrew it
        history broken               the last signature holds, but an ingredient's does not: what came before it
                                     may have been changed and signed over
        does not verify              bytes or manifest changed after signing, which a harmless re-save can do, too; or
                                     the manifest breaks the standard
        the signature does not cover the picture
                                     as signed, but another picture can be put into the file without any key
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
        self._signers = Signers(profile, distrust.load(settings))
        self._settings = trust.reader_settings(profile)
        self._context = Context.from_dict(self._settings)
        require_closed_network(self._context)

    @cached_property
    def _unverifying(self) -> Context:
        """Reads a store that the library gives up on when it verifies it."""
        settings = deepcopy(self._settings)
        settings["verify"]["verify_after_reading"] = False
        context = Context.from_dict(settings)
        require_closed_network(context)
        return context

    def examine(self, exhibit: Exhibit) -> tuple[Outcome, ...]:
        """Read and validate the manifest store of one file; what nobody vouches for in it is noted apart."""
        error = ""
        try:
            store, is_beside = self._read(exhibit, self._context)
        except (C2paError, ValueError) as fault:
            error = str(fault)
            if error.startswith(REMOTE_ERROR):
                return (self._remote(error.removeprefix(REMOTE_ERROR)),)
            try:
                store, is_beside = self._read(exhibit, self._unverifying)
            except (C2paError, ValueError):
                return (self._unread(exhibit, error),)
        if store is None:
            return (self._none_found(exhibit),)
        faults = [_rule(error) or error] if error else []
        if exhibit.picture.format in _BOXED and has_joined_stores(exhibit.data):
            faults.append(_JOINED)
        attestation = self._attest(store, exhibit, faults, is_beside=is_beside)
        return (attestation, *self._hearsay(store, attestation), *personal(store.manifests))

    def _read(self, exhibit: Exhibit, context: Context) -> tuple[Store | None, bool]:
        """The manifest store, and whether it was kept beside the file."""
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
            store = replace(Store.parse(json.loads(reader.crjson())), signers=self._signers)
            if self._needs_certificates(store):
                store = replace(store, jumbf=_jumbf(reader, store.root))
            if self._thumbnails:
                store = replace(store, thumbnails=pictures(reader, history_tree.thumbnail_uris(store)))
            return store, is_beside

    def _needs_certificates(self, store: Store) -> bool:
        """Whether a signature has to be opened: for its time stamp, its record as an ingredient, or a fingerprint."""
        has_stamps = any(as_dict(each.get("signature")).get("timeStampInfo") for each in store.manifests)
        return bool(has_stamps or len(store.manifests) > 1 or self._signers.distrusted)

    def _none_found(self, exhibit: Exhibit) -> Outcome:
        picture = exhibit.picture
        if picture.truncated and not walk(exhibit.data, picture.format).is_front_whole:
            return Failed(
                check=self.id,
                error=f"{exhibit.facts.name}: the file stops early, and credentials may have stood in what is missing",
                hint="Fetch the file again and compare its size with the source's.",
            )
        return Nothing(check=self.id)

    def _unread(self, exhibit: Exhibit, error: str) -> Outcome:
        if (rule := _rule(error)) is not None:
            return self._unreported(rule)
        return Failed(
            check=self.id,
            error=f"{exhibit.facts.name}: Content Credentials could not be checked: {error}",
            hint="The manifest is malformed or of a kind this release does not read; the image itself may be sound.",
        )

    def _unreported(self, rule: str) -> Attestation:
        """A manifest that is there, and breaks the standard so that the library reports nothing of it."""
        summary = words.malformed((rule,), is_bound=False)
        return self._without_manifest(Integrity.MALFORMED, summary, Detail(name="Failed check", value=rule))

    def _remote(self, url: str) -> Attestation:
        return self._without_manifest(
            Integrity.NOT_FETCHED,
            "The file names an address where its Content Credentials are kept. The address was not visited.",
            Detail(name="Remote manifest", value=url),
        )

    def _without_manifest(self, integrity: Integrity, summary: str, detail: Detail) -> Attestation:
        return Attestation(
            check=self.id,
            claim=None,
            signer=None,
            integrity=integrity,
            trust=Trust.UNKNOWN,
            history=History.UNKNOWN,
            ai_use=AiUse.UNKNOWN,
            identity=(),
            summary=summary,
            details=(detail,),
        )

    def _attest(self, store: Store, exhibit: Exhibit, faults: list[str], *, is_beside: bool) -> Attestation:
        """Numbered as in C2PA 2.2, section 15: structure and hashes, signature, signer, ingredients."""
        root = history_tree.tree(store)
        faults = faults + store.active_failures()
        covered = WHOLE if faults else _coverage(store, exhibit)
        faults += [covered.intruder] if covered.intruder else []
        integrity = _integrity(store, faults, covered)  # (1) and (2)
        standing = store.standing(store.root)  # (3)
        history_failures = store.history_failures()  # (4)
        history = History.BROKEN if history_failures else History.INTACT
        # What a broken manifest states is not shown as fact (C2PA User Experience Guidance 2.0).
        is_intact = integrity is Integrity.INTACT
        vouched = declarations.ai_use(store.statements, store.root, vouched_for=True)
        reading = words.Reading(
            integrity=integrity,
            history=history,
            standing=standing,
            signer=root.signer,
            covered=covered,
            faults=tuple(faults),
            is_bound=store.is_bound(),
            is_beside=is_beside,
        )
        return Attestation(
            check=self.id,
            claim=_claim(store, standing.trust) if is_intact else None,
            signer=root.signer,
            integrity=integrity,
            trust=standing.trust,
            history=history,
            ai_use=declarations.ai_use(store.statements, store.root) if is_intact else AiUse.UNKNOWN,
            vouched_ai_use=vouched if is_intact else AiUse.UNKNOWN,
            outside=covered.outside,
            identity=store.identities(),
            summary=words.summary(reading, self._signers.profile),
            details=(
                *([Detail(name="Manifest", value="kept beside the file")] if is_beside else []),
                *(Detail(name="Failed check", value=text) for text in faults),
                *(Detail(name="Left out of the hash", value=text) for text in covered.named),
                *(Detail(name="Certificate", value=code) for code in store.trust_failures()),
                *words.stamp_details(standing, self._signers.profile),
                *(Detail(name="Failed check in the history", value=text) for text in history_failures),
                *notes(store),
                *store.bindings(),
                *([Detail(name="History", value="drawn in part; all of it was read")] * history_tree.is_cut_off(store)),
            ),
            manifest=root,
        )

    def _hearsay(self, store: Store, attestation: Attestation) -> Iterator[Observation]:
        """What counts for less than the signature over it: strangers in the history, names, and broken manifests."""
        if attestation.integrity is not Integrity.INTACT:
            yield from self._unverified(store, attestation.integrity)
            return
        declared = declarations.ai_use(store.statements, store.root)
        if attestation.trust is Trust.TRUSTED and declared in _AI and declared is not attestation.vouched_ai_use:
            yield Observation(
                check=self.id,
                signal="history-declares",
                claim=_CLAIM_OF[declared],
                summary="An earlier version or a part, whose signer no list vouches for, declares the image "
                f"{words.made(_CLAIM_OF[declared])}.",
            )
        if any(each.names_generator for each in declarations.line_of_descent(store.statements, store.root)):
            yield Observation(
                check=self.id,
                signal="generator-named",
                claim=Claim.GENERATED,
                summary="The manifest was made by software that only generates images, going by the software's name.",
            )

    def _unverified(self, store: Store, integrity: Integrity) -> Iterator[Observation]:
        """What credentials that do not stand for the picture declare of AI."""
        declared = declarations.ai_use_where_broken(store.statements, store.root)
        if declared in _AI:
            yield Observation(
                check=self.id,
                signal=UNVERIFIED_DECLARATION,
                claim=_CLAIM_OF[declared],
                summary=words.unverified(integrity, _CLAIM_OF[declared]),
            )


def _rule(error: str) -> str | None:
    """The status code, or the rule, in whose place the library raised an error."""
    return next((code for text, code in _RULES.items() if text in error), None)


def _jumbf(reader: Reader, label: str) -> bytes:
    """The manifest store itself: the library hands it out whole where a part of it is asked for."""
    stream = BytesIO()
    try:
        reader.resource_to_stream(f"self#jumbf=/c2pa/{label}/c2pa.signature", stream)
    except C2paError:
        return b""
    return stream.getvalue()


def _coverage(store: Store, exhibit: Exhibit) -> Coverage:
    name, body = store.hard_binding()
    return coverage(exhibit.data, exhibit.picture.format, name, body)


def _integrity(store: Store, faults: list[str], covered: Coverage) -> Integrity:
    if faults:
        return Integrity.BROKEN if any(map(is_tampering, faults)) else Integrity.MALFORMED
    if not store.is_intact():
        return Integrity.BROKEN
    return Integrity.UNCOVERED if covered.reaches_picture else Integrity.INTACT


def _claim(store: Store, signer_trust: Trust) -> Claim | None:
    """What the signature carries: a trusted signer does not vouch for what strangers said before."""
    is_trusted = signer_trust is Trust.TRUSTED
    said = declarations.claim(store.statements, store.root, vouched_for=is_trusted)
    if not is_trusted or said not in (None, Claim.EDITED):
        return said
    # A signer who names software that only generates has said so, if not in the standard's terms.
    if declarations.names_generator_for_sure(store.statements, store.root):
        return Claim.GENERATED
    # Whoever crops what a stranger declares as AI does not put the crop into the headline in its place.
    is_vouched_for = declarations.ai_use(store.statements, store.root, vouched_for=True) in _AI
    is_declared = declarations.ai_use(store.statements, store.root) in _AI
    return None if is_declared and not is_vouched_for else said
