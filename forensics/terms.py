"""The digital source types of the IPTC and the C2PA, in every spelling, and what each says of a picture."""

from __future__ import annotations

MEANINGS = {
    "trainedAlgorithmicMedia": "made by a generative model",
    "trainedAlgorithmicData": "made by a generative model",
    "compositeWithTrainedAlgorithmicMedia": "edited with a generative model",
    "compositeSynthetic": "a composite with generated parts",
    "algorithmicMedia": "made by an algorithm that was not trained",
    "algorithmicallyEnhanced": "altered by an algorithm",
    "composite": "a composite, of what is not said",
    "compositeCapture": "a composite of captures",
    "computationalCapture": "captured in several frames that were merged",
    "digitalCapture": "captured by a digital camera",
    "negativeFilm": "scanned from a negative",
    "positiveFilm": "scanned from a slide",
    "print": "scanned from a print",
    "screenCapture": "captured from a screen",
    "virtualRecording": "recorded from a virtual event",
    "dataDrivenMedia": "drawn from data",
    "digitalCreation": "drawn by a person with software",
    "digitalArt": "drawn by a person with software",
    "softwareImage": "made with software",
    "humanEdits": "edited by a person without generative tools",
    "minorHumanEdits": "edited by a person without generative tools",
    "empty": "begun as an empty canvas",
}
FULLY_GENERATED = frozenset({"trainedAlgorithmicMedia", "trainedAlgorithmicData"})
PARTLY_GENERATED = frozenset({"compositeWithTrainedAlgorithmicMedia", "compositeSynthetic"})
POSSIBLY_GENERATED = frozenset({"digitalArt", "composite", "screenCapture"})
"""The "possibly" terms of the C2PA Asset Signals Rubric 1.0; a screen capture may show anything."""
CAPTURES = frozenset(
    {"digitalCapture", "computationalCapture", "compositeCapture", "negativeFilm", "positiveFilm", "print"}
)

_TERMS = {term.lower(): term for term in MEANINGS} | {"multiframecomputationalcapture": "computationalCapture"}
_SCHEMA_ORG = "digitalsource"


def term_of(value: str) -> str | None:
    """The term behind any of its spellings: URI, QCode, schema.org enumeration or bare name; None for other text."""
    address = value.partition("#")[0].partition("?")[0]
    name = address.strip().rstrip("/").rpartition("/")[2].rpartition(":")[2].strip().lower()
    return _TERMS.get(name) or _TERMS.get(name.removesuffix(_SCHEMA_ORG))
