"""What a picture declares of its own making, in metadata: so that the manifest of a marked copy states it, too.

What an earlier manifest states needs no repetition: it goes on as that of the parent, and counts as the picture's own.
"""

from __future__ import annotations

from assay.vocabulary import Claim, Exhibit, Observation, Settings
from forensics.metadata import Metadata
from forensics.terms import FULLY_GENERATED, PARTLY_GENERATED

_TERM = "Digital source type"


def declared_source_type(exhibit: Exhibit, settings: Settings) -> str | None:
    """The digital source type that the metadata declare; None where they declare no use of a generative model.

    A term is taken as it stands. Settings of a generator, or its name as the creator, declare that the whole picture
    was generated; a field that only says that a model was used, that a part was.
    """
    notes = [each for each in Metadata(settings).examine(exhibit) if isinstance(each, Observation)]
    terms = {detail.value for each in notes for detail in each.details if detail.name == _TERM}
    claims = {each.claim for each in notes if not each.contradiction}
    if Claim.GENERATED in claims:
        return next(iter(sorted(terms & FULLY_GENERATED)), "trainedAlgorithmicMedia")
    partly = sorted(terms & PARTLY_GENERATED)
    if partly:
        return partly[0]
    return "compositeWithTrainedAlgorithmicMedia" if Claim.EDITED in claims else None
