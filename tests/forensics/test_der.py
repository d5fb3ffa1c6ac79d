import pytest
from hypothesis import given
from hypothesis import strategies as st

from forensics import der

SHORT = b"\x30\x06\x02\x01\x07\x04\x01x"


def test_the_elements_inside_are_found_with_their_heads() -> None:
    assert der.content_of(SHORT) == [b"\x02\x01\x07", b"\x04\x01x"]
    assert der.elements(SHORT, 0, len(SHORT)) == [der.Element(0x30, 0, 2, 8)]


def test_a_length_of_several_bytes_is_read() -> None:
    long = b"\x04\x82\x01\x00" + bytes(256)
    assert der.content_of(b"\x30\x82\x01\x04" + long) == [long]


@pytest.mark.parametrize("data", [b"\x30\x05\x02", b"\x30\x84\xff\xff\xff\xff", b"\x30\x02\x04\x09"])
def test_an_element_behind_the_end_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="behind the end"):
        der.content_of(data)


def test_text_that_its_type_does_not_allow_is_retyped_and_nothing_else() -> None:
    allowed, refused, other = b"\x13\x03a-b", b"\x13\x03a_b", b"\x04\x03a_b"
    inner = allowed + refused + other
    changed = der.with_lenient_text(bytes([0x30, len(inner)]) + inner)
    assert changed == bytes([0x30, len(inner)]) + allowed + b"\x0c\x03a_b" + other


@given(st.binary(max_size=200))
def test_any_bytes_end_in_elements_or_in_one_of_two_errors(data: bytes) -> None:
    for read in (der.content_of, der.with_lenient_text):
        try:
            read(data)
        except (IndexError, ValueError):
            continue
