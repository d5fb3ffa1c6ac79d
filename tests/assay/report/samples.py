"""One fixed list of reports with everything a format has to cope with, built by hand from the vocabulary."""

from __future__ import annotations

import hashlib
import struct
import zlib
from base64 import b64decode
from dataclasses import replace
from datetime import date
from typing import Any

from assay.policy import decide
from assay.vocabulary import (
    Action,
    AiUse,
    Attestation,
    Basis,
    Claim,
    Detail,
    ExhibitFacts,
    Failed,
    History,
    Integrity,
    Manifest,
    Measurement,
    Nothing,
    Observation,
    Outcome,
    Picture,
    Report,
    Severity,
    Signer,
    Skipped,
    TimeStamp,
    ToolFacts,
    Trust,
    TrustFacts,
    Violation,
)

TODAY = date(2026, 11, 23)
TOOLS = ToolFacts(
    assay="0.1.0",
    libraries={"c2pa-python": "0.38.1", "pillow": "13.0.0"},
    trust=TrustFacts(
        profile="c2pa",
        certificates=30,
        sha256=hashlib.sha256(b"anchors").hexdigest(),
        issued=date(2026, 8, 5),
    ),
)
NEWSROOM = Signer(
    organisation="Example Newsroom",
    common_name="Picture Desk",
    issuer="Example Issuing CA",
    serial="4711",
    not_after="2027-06-30T00:00:00+00:00",
    signed_at="2026-11-01T09:12:44+00:00",
)
STUDIO = Signer(
    organisation="Example Image Model",
    common_name="Generator",
    issuer="Example Issuing CA",
    serial="4712",
    not_after="2027-01-31T00:00:00+00:00",
    signed_at="2026-10-30T17:00:03+00:00",
)
STRANGER = Signer(
    organisation="Example Newsroom",
    common_name="",
    issuer="Example Newsroom",
    serial="1",
    not_after="2036-01-01T00:00:00+00:00",
)
# A 12 x 8 picture, two halves in different greys.
PREVIEW = b64decode(
    "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAA0JCgsKCA0LCgsODg0PEyAVExISEyccHhcgLikxMC4pLSwzOko+MzZGNywtQFdBRkxOUlNSMj5a"
    "YVpQYEpRUk//wAALCAAIAAwBAREA/8QAHwAAAQUBAQEBAQEAAAAAAAAAAAECAwQFBgcICQoL/8QAtRAAAgEDAwIEAwUFBAQAAAF9AQIDAAQR"
    "BRIhMUEGE1FhByJxFDKBkaEII0KxwRVS0fAkM2JyggkKFhcYGRolJicoKSo0NTY3ODk6Q0RFRkdISUpTVFVWV1hZWmNkZWZnaGlqc3R1dnd4"
    "eXqDhIWGh4iJipKTlJWWl5iZmqKjpKWmp6ipqrKztLW2t7i5usLDxMXGx8jJytLT1NXW19jZ2uHi4+Tl5ufo6erx8vP09fb3+Pn6/9oACAEB"
    "AAA/AKui/wDIVh/4F/6Ca6qv/9k="
)


def _png(width: int, height: int) -> bytes:
    """An 8-bit greyscale PNG of a soft spot, uncompressed inside, so that no library changes its bytes."""
    rows = b"".join(
        b"\0" + bytes(max(0, 255 - 12 * ((x - 11) ** 2 + (y - 5) ** 2)) for x in range(width)) for y in range(height)
    )

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"".join(
        (
            b"\x89PNG\r\n\x1a\n",
            chunk(b"IHDR", header),
            chunk(b"IDAT", zlib.compress(rows, level=0)),
            chunk(b"IEND", b""),
        )
    )


MAP = _png(16, 12)


def picture(format_name: str = "JPEG", **changes: Any) -> Picture:
    values = {"mime": f"image/{format_name.lower()}", "width": 1600, "height": 1200, "frames": 1, "mode": "RGB"}
    return Picture(format=format_name, **(values | changes))


def report(name: str, *outcomes: Outcome, violations: tuple[Violation, ...] = (), **changes: Any) -> Report:
    facts = ExhibitFacts(
        name=name, byte_size=482_113, sha256=hashlib.sha256(name.encode()).hexdigest(), picture=picture()
    )
    values: dict[str, Any] = {"exhibit": facts, "tools": TOOLS, "verdict": decide(outcomes)}
    return Report(outcomes=outcomes, violations=violations, **(values | changes))


def violation(rule: str, severity: Severity, message: str, remedy: str, name: str) -> Violation:
    fingerprint = hashlib.sha256(f"{rule}\n{name}".encode()).hexdigest()
    return Violation(rule=rule, severity=severity, message=message, remedy=remedy, fingerprint=fingerprint)


def signed_and_generated() -> Report:
    """A trusted signer says that a model made it; two steps of history."""
    texture = Manifest(title="paper-texture.jpg", relationship="componentOf")
    draft = Manifest(
        title="tulip-draft.png",
        relationship="parentOf",
        signer=STUDIO,
        trust=Trust.TRUSTED,
        generator="Example Image Model 4",
        actions=(
            Action(name="c2pa.created", digital_source_type="trainedAlgorithmicMedia", software="Example Image Model"),
        ),
        ai_use=AiUse.FULLY,
        thumbnail=PREVIEW,
    )
    root = Manifest(
        title="tulip.jpg",
        signer=NEWSROOM,
        trust=Trust.TRUSTED,
        generator="PhotoDesk 3.1",
        actions=(
            Action(name="c2pa.opened"),
            Action(name="c2pa.color_adjustments"),
            Action(name="c2pa.cropped", software="PhotoDesk 3.1"),
            Action(name="c2pa.placed"),
        ),
        ingredients=(draft, texture),
    )
    attestation = Attestation(
        check="credentials",
        claim=Claim.GENERATED,
        signer=NEWSROOM,
        integrity=Integrity.INTACT,
        trust=Trust.TRUSTED,
        history=History.INTACT,
        ai_use=AiUse.FULLY,
        vouched_ai_use=AiUse.FULLY,
        identity=(Detail(name="Author, as stated", value="Jo Example", private=True),),
        summary="The file is as it was when it was signed. "
        "The trust list 'c2pa' vouches for the signer, Example Newsroom.",
        details=(Detail(name="Soft binding", value="com.example.watermark"),),
        manifest=root,
    )
    declared = Observation(
        check="metadata",
        signal="digital-source-type",
        claim=Claim.GENERATED,
        summary="XMP declares the IPTC Digital Source Type trainedAlgorithmicMedia.",
        details=(Detail(name="Digital Source Type [XMP]", value="trainedAlgorithmicMedia"),),
    )
    rights = Observation(
        check="metadata",
        signal="rights",
        claim=None,
        summary="Rights are stated in XMP.",
        details=(
            Detail(name="Creator [XMP]", value="Jo Example", private=True),
            Detail(name="Credit [XMP]", value="Example Newsroom"),
        ),
    )
    return report("pictures/tulip.jpg", attestation, declared, rights, preview=PREVIEW)


def signed_by_a_stranger() -> Report:
    """The signature holds, and anybody could have made it."""
    root = Manifest(
        title="bridge.jpg",
        signer=STRANGER,
        generator="SomeCam 1.0",
        actions=(Action(name="c2pa.created", digital_source_type="digitalCapture"),),
        failures=("signingCredential.untrusted",),
    )
    attestation = Attestation(
        check="credentials",
        claim=Claim.CAPTURED,
        signer=STRANGER,
        integrity=Integrity.INTACT,
        trust=Trust.UNKNOWN,
        history=History.INTACT,
        ai_use=AiUse.NONE,
        identity=(),
        summary="The file is as it was when it was signed. "
        "The certificate names Example Newsroom, but the trust list 'c2pa' does not vouch for it.",
        details=(Detail(name="Certificate", value="signingCredential.untrusted"),),
        manifest=root,
    )
    facts = ExhibitFacts(
        name="pictures/bridge & river [1].jpg", byte_size=1_204_882, sha256="b" * 64, picture=picture("PNG", mode="P")
    )
    broken = violation(
        "signer-trusted",
        Severity.ERROR,
        "its Content Credentials are not those of a trusted signer: intact, signer unknown",
        "Have the file signed with a certificate of the list, or add the signer's issuer with `assay trust add`.",
        facts.name,
    )
    return report(facts.name, attestation, Nothing(check="metadata"), violations=(broken,), exhibit=facts)


def broken() -> Report:
    """Changed after signing, and an ingredient was, too."""
    parent = Manifest(
        title="harbour-original.jpg",
        relationship="parentOf",
        signer=NEWSROOM,
        failures=("assertion.dataHash.mismatch",),
    )
    root = Manifest(
        title="harbour.jpg",
        signer=NEWSROOM,
        generator="PhotoDesk 3.1",
        actions=(Action(name="c2pa.opened"), Action(name="org.example.retouched")),
        failures=("assertion.dataHash.mismatch",),
        ingredients=(parent,),
    )
    attestation = Attestation(
        check="credentials",
        claim=None,
        signer=NEWSROOM,
        integrity=Integrity.BROKEN,
        trust=Trust.TRUSTED,
        history=History.BROKEN,
        ai_use=AiUse.UNKNOWN,
        identity=(),
        summary="The Content Credentials do not match this file: it, or they, changed after signing, "
        "or they were taken from another file.",
        details=(
            Detail(name="Failed check", value="assertion.dataHash.mismatch"),
            Detail(name="Failed check in the history", value="assertion.dataHash.mismatch"),
        ),
        manifest=root,
    )
    required = violation(
        "credentials-verify",
        Severity.ERROR,
        "its Content Credentials do not verify: the file or the manifest was changed after signing",
        "Find the step that changes the file after signing, and sign after it.",
        "pictures/harbour.jpg",
    )
    return report("pictures/harbour.jpg", attestation, violations=(required,))


def contradictory() -> Report:
    """A photograph without credentials, whose metadata does not agree with itself."""
    camera = Observation(
        check="metadata",
        signal="camera",
        claim=Claim.CAPTURED,
        summary="EXIF names a camera.",
        details=(
            Detail(name="Make", value="Example Optics"),
            Detail(name="Model", value="X-1"),
            Detail(name="Lens", value="50mm f/1.8"),
        ),
    )
    place = Observation(
        check="metadata",
        signal="location",
        claim=None,
        summary="EXIF holds a place.",
        details=(Detail(name="GPS", value="52.5200 N, 13.4050 E", private=True),),
    )
    generator = Observation(
        check="metadata",
        signal="a1111-parameters",
        claim=Claim.GENERATED,
        summary="The text chunk 'parameters' declares a Stable Diffusion generation.",
        details=(Detail(name="Model", value="example-xl"), Detail(name="Steps", value="30")),
    )
    prompt = Observation(
        check="metadata",
        signal="prompt",
        claim=None,
        summary="A generator's prompt stands in the file in clear text.",
        details=(Detail(name="Prompt", value="a quiet harbour at dawn, mist,\nfilm grain"),),
    )
    clash = Observation(
        check="metadata",
        signal="camera-and-generator",
        claim=Claim.CAPTURED,
        summary="EXIF names a camera, and the same file holds a generator's parameters.",
        contradiction=True,
    )
    name = "pictures/quay.jpg"
    rules = (
        violation(
            "no-contradictions",
            Severity.WARNING,
            "its metadata contradicts itself (camera-and-generator)",
            "Go back to the source and find out which statement holds; then export the file again.",
            name,
        ),
        violation(
            "no-personal-data",
            Severity.ERROR,
            "its metadata holds location",
            "Strip these fields from the published copy; keep them in the master.",
            name,
        ),
    )
    return report(
        name, Nothing(check="credentials"), camera, place, generator, prompt, clash, violations=rules, preview=PREVIEW
    )


def measured() -> Report:
    """A detector with a map, a watermark reader, and a check that is not installed."""
    detector = Measurement(
        check="noise",
        claim=Claim.GENERATED,
        basis=Basis.MEASURED,
        statistic=4.125,
        null="photographs of the calibration set",
        p_value=None,
        log10_lr=2.3,
        summary="The noise residual differs from that of photographs.",
        details=(Detail(name="Calibrated on", value="12,000 photographs and as many generated images"),),
        map=MAP,
    )
    abstention = Measurement(
        check="sealed-seed",
        claim=Claim.OURS,
        basis=Basis.MARKED,
        statistic=0.41,
        null="a standard normal distribution",
        p_value=0.34,
        log10_lr=None,
        summary="No watermark of ours was found.",
    )
    skipped = Skipped(check="copy-move", reason="Not installed. Run: make env")
    facts = ExhibitFacts(
        name="/srv/inbox/räksmörgås #2.webp",
        byte_size=88_400,
        sha256="c" * 64,
        picture=picture("WEBP", width=1024, height=1024, frames=3, notes=("named .jpg, but the content is WEBP",)),
    )
    return report(facts.name, Nothing(check="credentials"), detector, abstention, skipped, exhibit=facts)


def unreadable() -> Report:
    """Not an image at all."""
    name = "pictures/notes.jpg"
    failed = Failed(
        check="exhibit", error=f"{name}: not an image in a known format", hint="Known, by content: JPEG, PNG, WEBP."
    )
    facts = ExhibitFacts(name=name, byte_size=12, sha256="d" * 64)
    return report(name, failed, exhibit=facts)


def all_kinds() -> list[Report]:
    """What the golden files show."""
    return [signed_and_generated(), signed_by_a_stranger(), broken(), contradictory(), measured(), unreadable()]


_STAMPED = TimeStamp(
    time="2024-05-02T08:00:00+00:00", authority="Example Stamps 7", issuer="Example Stamps CA", vouched_by=None
)


def _credentials(summary: str, **changes: Any) -> Attestation:
    """An attestation of the newsroom's, with one manifest."""
    signer = changes.get("signer", NEWSROOM)
    trust = changes.get("trust", Trust.TRUSTED)
    values = {
        "check": "credentials",
        "claim": None,
        "signer": signer,
        "integrity": Integrity.INTACT,
        "trust": trust,
        "history": History.INTACT,
        "ai_use": AiUse.UNKNOWN,
        "identity": (),
        "manifest": Manifest(title="market.jpg", signer=signer, trust=trust, generator="PhotoDesk 3.1"),
    }
    return Attestation(summary=summary, **(values | changes))


def uncovered() -> Report:
    """The signature holds, and stands for no picture."""
    attestation = _credentials(
        "The signature does not cover the picture: its hash leaves out what tells where and how the picture data lies, "
        "so anybody can put another picture there without a key.",
        integrity=Integrity.UNCOVERED,
        details=(Detail(name="Left out of the hash", value="what tells where and how the picture data lies"),),
    )
    return report("pictures/market.avif", attestation, Nothing(check="metadata"))


def left_out() -> Report:
    """The signature holds for the picture, and not for what stands in EXIF."""
    attestation = _credentials(
        "The signature holds for the picture. The signer left EXIF and the orientation (in EXIF) out of the hash: what "
        "stands there may have changed since, and no signature vouches for it.",
        claim=Claim.CAPTURED,
        ai_use=AiUse.NONE,
        vouched_ai_use=AiUse.NONE,
        outside=("EXIF", "the orientation (in EXIF)"),
        details=(Detail(name="Left out of the hash", value="EXIF"),),
    )
    return report("pictures/market.jpg", attestation, Nothing(check="metadata"))


def stamped_by_a_stranger() -> Report:
    """The certificate has run out, and no list vouches for whoever stamped the time."""
    attestation = _credentials(
        "The file is as it was when it was signed. The certificate names Example Newsroom; it has expired, and the "
        "profile 'c2pa' holds no list that vouches for Example Stamps 7, the authority that stamped the time "
        "2024-05-02T08:00:00+00:00. No list vouches for it now: anybody can make one, with any name.",
        signer=replace(NEWSROOM, not_after="2025-01-01T00:00:00+00:00", signed_at=None, stamp=_STAMPED),
        trust=Trust.EXPIRED,
        ai_use=AiUse.NONE,
        vouched_ai_use=AiUse.NONE,
        details=(
            Detail(name="Time stamp, which does not count", value="2024-05-02T08:00:00+00:00, by Example Stamps 7"),
            Detail(name="To let it count", value="assay trust add --kind timestamps --trust c2pa ROOT.pem"),
        ),
    )
    return report("pictures/market-2024.jpg", attestation, Nothing(check="metadata"))


def stamped_in_time() -> Report:
    """The certificate has run out, and a list vouches for whoever stamped the time."""
    stamp = replace(_STAMPED, vouched_by="stamps.pem")
    attestation = _credentials(
        "The file is as it was when it was signed. The trust list 'c2pa' vouches for the signer, Example Newsroom. "
        "Example Stamps 7 stamped the time, 2024-05-02T08:00:00+00:00; the list stamps.pem vouches for that authority.",
        signer=replace(NEWSROOM, not_after="2025-01-01T00:00:00+00:00", signed_at=stamp.time, stamp=stamp),
        claim=Claim.EDITED,
        ai_use=AiUse.PARTLY,
        vouched_ai_use=AiUse.PARTLY,
    )
    return report("pictures/market-2024-crop.jpg", attestation, Nothing(check="metadata"))


def distrusted() -> Report:
    """The user's own list names the certificate."""
    attestation = _credentials(
        "The file is as it was when it was signed. The certificate names Example Newsroom; your list of distrusted "
        "certificates names it since 2025-09-01: its key was published.",
        trust=Trust.REVOKED,
        ai_use=AiUse.NONE,
        vouched_ai_use=AiUse.NONE,
    )
    return report("pictures/market-camera.jpg", attestation, Nothing(check="metadata"))


def malformed() -> Report:
    """The manifest breaks the standard, and declares AI against its own interest."""
    attestation = _credentials(
        "The manifest breaks the C2PA standard (assertion.action.malformed). The hash of the file matches: it did not "
        "change.",
        integrity=Integrity.MALFORMED,
        details=(Detail(name="Failed check", value="assertion.action.malformed"),),
    )
    declared = Observation(
        check="credentials",
        signal="unverified-credentials-declare",
        claim=Claim.GENERATED,
        summary="Content Credentials that break the C2PA standard declare the image made with generative AI. Anybody "
        "can attach such credentials, to an honest photograph, too.",
    )
    return report("pictures/market-poster.jpg", attestation, declared, Nothing(check="metadata"))


def named_generator() -> Report:
    """A trusted signer names software that only generates."""
    attestation = _credentials(
        "The file is as it was when it was signed. The trust list 'c2pa' vouches for the signer, Example Newsroom.",
        claim=Claim.GENERATED,
        ai_use=AiUse.NONE,
        vouched_ai_use=AiUse.NONE,
    )
    named = Observation(
        check="credentials",
        signal="generator-named",
        claim=Claim.GENERATED,
        summary="The manifest was made by software that only generates images, going by the software's name.",
    )
    return report("pictures/market-toy.jpg", attestation, named, Nothing(check="metadata"))


def all_states() -> list[Report]:
    """What the golden files of states show: what Content Credentials can be besides trusted, unknown and broken."""
    return [
        uncovered(),
        left_out(),
        stamped_by_a_stranger(),
        stamped_in_time(),
        distrusted(),
        malformed(),
        named_generator(),
    ]
