from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forensics.fields import Source
from forensics.xmp import read_xmp
from tests.forensics.metadata_files import element, listed, packet

DOCTYPE = '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><x:xmpmeta xmlns:x="adobe:ns:meta/">&a;</x:xmpmeta>'
LAUGHS = "".join(f'<!ENTITY l{at} "{f"&l{at - 1};" * 10}">' for at in range(1, 10))
BILLION_LAUGHS = f'<!DOCTYPE x [<!ENTITY l0 "lol">{LAUGHS}]><x>&l9;</x>'


def _pairs(data: bytes) -> list[tuple[str, str]]:
    found, problem = read_xmp(data)
    assert problem is None
    assert all(field.source is Source.XMP for field in found)
    return [(field.name, field.value) for field in found]


def test_attributes_elements_lists_and_structures_are_flat() -> None:
    history = (
        '<xmpMM:History><rdf:Seq><rdf:li stEvt:action="saved" stEvt:softwareAgent="Tool A"/>'
        '<rdf:li rdf:parseType="Resource"><stEvt:softwareAgent>Tool B</stEvt:softwareAgent></rdf:li></rdf:Seq>'
        "</xmpMM:History>"
    )
    reference = '<Iptc4xmpExt:DigitalSourceType rdf:resource="http://cv.iptc.org/x/print"/>'
    alternatives = (
        '<dc:rights><rdf:Alt><rdf:li xml:lang="x-default">mine</rdf:li>'
        '<rdf:li xml:lang="fr">à moi</rdf:li></rdf:Alt></dc:rights>'
    )
    body = listed("dc:creator", "Jane", "Joe") + history + reference + alternatives
    assert _pairs(packet(body, photoshop_Credit="Desk")) == [
        ("photoshop:Credit", "Desk"),
        ("dc:creator", "Jane"),
        ("dc:creator", "Joe"),
        ("stEvt:action", "saved"),
        ("stEvt:softwareAgent", "Tool A"),
        ("stEvt:softwareAgent", "Tool B"),
        ("Iptc4xmpExt:DigitalSourceType", "http://cv.iptc.org/x/print"),
        ("dc:rights", "mine"),
        ("dc:rights", "à moi"),
    ]


def test_prefixes_are_the_usual_ones_whatever_the_file_calls_them() -> None:
    data = packet(photoshop_Credit="Desk").replace(b"photoshop:", b"odd:").replace(b"xmlns:photoshop", b"xmlns:odd")
    assert _pairs(data) == [("photoshop:Credit", "Desk")]
    assert _pairs(packet(element("TC260:AIGC", "{}"))) == [("AIGC", "{}")]


@pytest.mark.parametrize("code", ["utf-8-sig", "utf-16", "utf-16-be", "utf-16-le"])
def test_other_codes_are_read(code: str) -> None:
    text = '<x:xmpmeta xmlns:x="adobe:ns:meta/" xmlns:q="http://q/"><q:a>灯台</q:a></x:xmpmeta>'
    assert _pairs(text.encode(code)) == [("a", "灯台")]


def test_padding_and_the_rest_of_an_older_packet_do_no_harm() -> None:
    data = packet(photoshop_Credit="Desk")
    assert _pairs(b"\0 " + data + b"\0" * 100) == [("photoshop:Credit", "Desk")]
    assert _pairs(data + b"</rdf:RDF>") == [("photoshop:Credit", "Desk")]


@pytest.mark.parametrize("attack", [DOCTYPE, BILLION_LAUGHS], ids=["external entity", "billion laughs"])
def test_entities_are_refused(attack: str) -> None:
    assert read_xmp(attack.encode()) == ((), "declares entities, which are refused")


@pytest.mark.parametrize("depth", [101, 5_000, 300_000])
def test_deep_nesting_is_refused(depth: int) -> None:
    found, problem = read_xmp(b"<a>" * depth + b"</a>" * depth)
    assert (found, problem) == ((), "is nested deeper than 100 levels")


def test_a_packet_of_too_many_elements_is_read_as_far_as_the_bound() -> None:
    found, problem = read_xmp(packet(listed("dc:subject", *("x" for _ in range(60_000)), kind="Bag")))
    assert problem is not None
    assert problem.startswith("has more than 50,000 elements")
    assert 40_000 < len(found) < 50_000


def test_ten_megabytes_of_one_value_are_cut() -> None:
    found, problem = read_xmp(packet(element("dc:description", "x" * 10 * 2**20)))
    assert problem is None
    assert [len(field.value) for field in found] == [2 * 2**20]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff\xfe\xfd",
        b"<a>",
        b'<?xml version="1.0" encoding="none"?><a/>',
        b'<?xml version="1.0" encoding="gb18030"?><a/>',
        b"<a>\x01</a>",
    ],
)
def test_what_is_not_well_formed_is_said_to_be_so(data: bytes) -> None:
    assert read_xmp(data)[1] == "is not well-formed XML"


def test_what_stands_before_a_fault_counts() -> None:
    found, problem = read_xmp(packet(listed("dc:creator", "Jane") + "<dc:rights>&&", photoshop_Credit="Desk"))
    assert [field.value for field in found] == ["Desk", "Jane"]
    assert problem == "is not well-formed XML"


@settings(max_examples=150)
@given(st.data())
def test_damaged_packets_never_raise(data: st.DataObject) -> None:
    damaged = bytearray(packet(listed("dc:creator", "Jane"), photoshop_Credit="Desk"))
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    read_xmp(bytes(damaged))
