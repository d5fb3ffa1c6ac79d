from __future__ import annotations

import pytest

from assay.vocabulary import Claim
from forensics.fields import Source
from forensics.source_type import ai_fields, claim_of, source_types
from forensics.terms import term_of
from tests.forensics.metadata_files import element, fields, observations, packet, save, values

IPTC = "http://cv.iptc.org/newscodes/digitalsourcetype/"
CLAIMS = {
    "trainedAlgorithmicMedia": Claim.GENERATED,
    "trainedAlgorithmicData": Claim.GENERATED,
    "compositeWithTrainedAlgorithmicMedia": Claim.EDITED,
    "compositeSynthetic": Claim.EDITED,
    "digitalCapture": Claim.CAPTURED,
    "computationalCapture": Claim.CAPTURED,
    "compositeCapture": Claim.CAPTURED,
    "negativeFilm": Claim.CAPTURED,
    "positiveFilm": Claim.CAPTURED,
    "print": Claim.CAPTURED,
    "algorithmicMedia": None,
    "algorithmicallyEnhanced": None,
    "composite": None,
    "screenCapture": None,
    "virtualRecording": None,
    "dataDrivenMedia": None,
    "digitalCreation": None,
    "digitalArt": None,
    "softwareImage": None,
    "humanEdits": None,
    "minorHumanEdits": None,
    "empty": None,
}
SPELLINGS = (
    IPTC + "{0}",
    "https://cv.iptc.org/newscodes/digitalsourcetype/{0}",
    IPTC + "{0}/",
    "http://c2pa.org/digitalsourcetype/{0}",
    "digsrctype:{0}",
    "{0}",
    " {0} ",
    "{1}DigitalSource",
    "https://schema.org/{1}DigitalSource",
    "schema:{1}DigitalSource",
)


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("term", CLAIMS)
def test_every_spelling_of_every_term_is_understood(term: str, spelling: str) -> None:
    assert term_of(spelling.format(term, term[0].upper() + term[1:])) == term


@pytest.mark.parametrize(("term", "claim"), CLAIMS.items())
def test_a_term_claims_what_it_means(term: str, claim: Claim | None) -> None:
    assert claim_of(term) is claim


@pytest.mark.parametrize("value", ["", "/", "a photograph", IPTC, "digitalsource", "DigitalSource", "trained"])
def test_other_text_is_no_term(value: str) -> None:
    assert term_of(value) is None


def test_schema_org_has_a_name_of_its_own_for_one_term() -> None:
    assert term_of("https://schema.org/MultiFrameComputationalCaptureDigitalSource") == "computationalCapture"


@pytest.mark.parametrize("format_name", ["JPEG", "WEBP", "AVIF"])
def test_the_term_is_read_from_a_file(format_name: str) -> None:
    data = save(format_name, xmp=packet(Iptc4xmpExt_DigitalSourceType=IPTC + "trainedAlgorithmicMedia"))
    note = observations(data)["digital-source-type"]
    assert note.claim is Claim.GENERATED
    assert not note.contradiction
    assert "`trainedAlgorithmicMedia`" in note.summary
    assert values(note)["Digital source type"] == "trainedAlgorithmicMedia"


def test_the_old_and_the_new_property_with_one_term_are_one_observation() -> None:
    both = fields(
        (Source.XMP, "Iptc4xmpExt:DigitalSourceFileType", "compositeSynthetic"),
        (Source.XMP, "Iptc4xmpExt:DigitalSourceType", IPTC + "compositeSynthetic"),
    )
    assert [note.claim for note in source_types(both)] == [Claim.EDITED]


def test_different_terms_are_different_observations_and_unknown_ones_claim_nothing() -> None:
    notes = list(
        source_types(
            fields(
                (Source.XMP, "Iptc4xmpExt:DigitalSourceType", "digitalCapture"),
                (Source.PNG, "DigitalSourceType", "trainedAlgorithmicMedia"),
                (Source.XMP, "schema:digitalSourceType", "somethingElse"),
            )
        )
    )
    assert [note.claim for note in notes] == [Claim.CAPTURED, Claim.GENERATED, None]
    assert "not in the IPTC vocabulary" in notes[2].summary


AI = ("AISystemUsed", "AISystemVersionUsed", "AIPromptInformation", "AIPromptWriterName")


@pytest.mark.parametrize("name", AI)
def test_any_one_of_the_ai_fields_is_a_declaration(name: str) -> None:
    found = observations(save("JPEG", xmp=packet(element(f"Iptc4xmpExt:{name}", "some value"))))
    assert found["iptc-ai-fields"].claim is (Claim.GENERATED if name == "AIPromptInformation" else Claim.EDITED)
    assert ("prompt" in found) is (name == "AIPromptInformation")


@pytest.mark.parametrize(
    ("term", "claim"),
    [
        ("compositeWithTrainedAlgorithmicMedia", Claim.EDITED),
        ("trainedAlgorithmicMedia", Claim.GENERATED),
        ("digitalCapture", None),
    ],
)
def test_how_much_the_ai_fields_speak_of_is_for_the_source_type_to_say(term: str, claim: Claim | None) -> None:
    found = fields(
        (Source.XMP, "Iptc4xmpExt:AISystemUsed", "a model"), (Source.XMP, "Iptc4xmpExt:DigitalSourceType", term)
    )
    assert [note.claim for note in ai_fields(found)] == [claim]


@pytest.mark.parametrize("value", ["None", "n/a", "-", "no", "0", " "])
def test_a_field_that_says_none_declares_nothing(value: str) -> None:
    assert not list(ai_fields(fields((Source.XMP, "Iptc4xmpExt:AISystemUsed", value))))


def test_who_wrote_the_prompt_is_private() -> None:
    (note,) = ai_fields(
        fields(*((Source.XMP, f"Iptc4xmpExt:{name}", "Jane") for name in AI if "Information" not in name))
    )
    assert {each.name for each in note.details if each.private} == {"Prompt writer"}
    assert "Jane" not in note.summary


def test_without_fields_there_is_nothing() -> None:
    assert list(source_types(fields())) == []
    assert list(ai_fields(fields())) == []
