import json
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.errors import TrustError
from assay.vocabulary import Settings
from forensics import distrust, trust
from forensics.distrust import Distrusted, match

TODAY = date(2026, 11, 23)
FINGERPRINT = "0123456789abcdef" * 4
SINCE = date(2025, 9, 12)


def _by_fingerprint(
    fingerprint: str = FINGERPRINT, since: date | None = SINCE, reason: str = "key leaked"
) -> Distrusted:
    return Distrusted(fingerprint=fingerprint, since=since, reason=reason, added=TODAY)


def _by_serial(serial: str = "0x3F2A", issuer: str = "Camera Maker CA", since: date | None = None) -> Distrusted:
    return Distrusted(serial=serial, issuer=issuer, since=since, reason="withdrawn", added=TODAY)


def test_nobody_is_distrusted_at_first(stranger_settings: Settings) -> None:
    assert distrust.load(stranger_settings) == ()


def test_what_was_added_comes_back_in_one_spelling(stranger_settings: Settings) -> None:
    colons = ":".join(FINGERPRINT[place : place + 2] for place in range(0, 64, 2)).upper()
    first = distrust.add(stranger_settings, _by_fingerprint(colons, reason=" key\n leaked "))
    second = distrust.add(stranger_settings, _by_serial("16170", " Camera  Maker CA "))
    assert distrust.load(stranger_settings) == (first, second)
    assert (first.fingerprint, first.reason, first.since) == (FINGERPRINT, "key leaked", SINCE)
    assert (second.serial, second.issuer) == ("0x3f2a", "Camera Maker CA")
    assert trust.profiles(stranger_settings.home) == ()


def test_a_certificate_is_listed_once(stranger_settings: Settings) -> None:
    distrust.add(stranger_settings, _by_fingerprint())
    distrust.add(stranger_settings, _by_serial())
    newer = distrust.add(stranger_settings, _by_fingerprint(FINGERPRINT.upper(), since=None))
    again = distrust.add(stranger_settings, _by_serial("3f:2a", "CAMERA MAKER CA"))
    assert distrust.load(stranger_settings) == (newer, again)


def test_a_certificate_is_taken_off_again(stranger_settings: Settings) -> None:
    kept = distrust.add(stranger_settings, _by_fingerprint())
    gone = distrust.add(stranger_settings, _by_serial())
    assert distrust.undo(stranger_settings, serial="16170", issuer="camera maker ca") == gone
    assert distrust.load(stranger_settings) == (kept,)
    with pytest.raises(TrustError, match="serial 0x3f2a issued by camera maker ca is on the list"):
        distrust.undo(stranger_settings, serial="16170", issuer="camera maker ca")
    assert distrust.undo(stranger_settings, fingerprint=FINGERPRINT.upper()) == kept
    assert distrust.load(stranger_settings) == ()


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        (_by_fingerprint("abc"), "'abc' is not the sha256"),
        (_by_fingerprint("g" * 64), "is not the sha256"),
        (_by_fingerprint("0" * 40), "is not the sha256"),
        (_by_fingerprint(reason="  "), "A reason has 1 to 500"),
        (_by_fingerprint(reason="x" * 501), "A reason has 1 to 500"),
        (_by_fingerprint(since=date(2026, 11, 24)), "2026-11-24 has not come yet"),
        (_by_serial("-3"), "'-3' is not a serial number"),
        (_by_serial("9" * 61), "is not a serial number"),
        (_by_serial("f" * 51), "is not a serial number"),
        (_by_serial("٣"), "is not a serial number"),
        (_by_serial(issuer=" "), "One certificate has to be named"),
        (_by_serial(serial=""), "One certificate has to be named"),
        (_by_serial(issuer="x" * 257), "at most 256"),
        (Distrusted(reason="x", added=TODAY), "One certificate has to be named"),
        (
            Distrusted(fingerprint=FINGERPRINT, serial="1", issuer="CA", reason="x", added=TODAY),
            "One certificate has to be named",
        ),
    ],
)
def test_what_names_no_certificate_is_refused(stranger_settings: Settings, entry: Distrusted, message: str) -> None:
    with pytest.raises(TrustError, match=message) as caught:
        distrust.add(stranger_settings, entry)
    assert caught.value.hint
    assert distrust.load(stranger_settings) == ()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        "[" * 100_000,
        '{"distrusted": [{}]}',
        '{"distrusted": [{"reason": "x", "added": "2026-11-23"}]}',
        '{"distrusted": [{"fingerprint": 3, "reason": "x", "added": "2026-11-23"}]}',
        '{"distrusted": [{"fingerprint": {"kind": "nothing", "check": "x"}, "reason": "x", "added": "2026-11-23"}]}',
        json.dumps({"distrusted": [{"fingerprint": FINGERPRINT, "reason": "x", "added": "today"}]}),
    ],
)
def test_a_damaged_list_is_never_passed_over(stranger_settings: Settings, text: str) -> None:
    (stranger_settings.home / "trust").mkdir(parents=True)
    (stranger_settings.home / "trust" / "distrusted.json").write_text(text)
    with pytest.raises(TrustError, match=r"distrusted\.json is damaged"):
        distrust.load(stranger_settings)


def test_a_list_that_cannot_be_read_is_never_passed_over(stranger_settings: Settings) -> None:
    (stranger_settings.home / "trust" / "distrusted.json").mkdir(parents=True)
    with pytest.raises(TrustError, match="Is a directory"):
        distrust.load(stranger_settings)


@pytest.mark.parametrize("fingerprint", [FINGERPRINT, FINGERPRINT.upper(), "01:23:" + FINGERPRINT[4:]])
def test_fingerprints_match_in_any_spelling(stranger_settings: Settings, fingerprint: str) -> None:
    entry = distrust.add(stranger_settings, _by_fingerprint())
    assert match([entry], fingerprint=fingerprint, serial="", issuer="") == entry
    assert match([entry], fingerprint=FINGERPRINT[::-1], serial="", issuer="") is None
    assert match([entry], fingerprint=None, serial="1", issuer="CA") is None


@pytest.mark.parametrize(
    ("written", "serial"),
    [
        ("0x3f2a", "3f2a"),
        ("16170", "3f2a"),
        ("3F:2A", "003F2A"),
        ("00:3f:2a", "3f:2a"),
        ("3f2a", "0x3f2a"),
        ("10", "a"),
    ],
)
def test_serial_numbers_match_as_numbers(stranger_settings: Settings, written: str, serial: str) -> None:
    entry = distrust.add(stranger_settings, _by_serial(written))
    assert match([entry], fingerprint=None, serial=serial, issuer="Camera Maker CA") == entry
    assert match([entry], fingerprint=None, serial=serial + "0", issuer="Camera Maker CA") is None
    assert match([entry], fingerprint=None, serial="no number", issuer="Camera Maker CA") is None


def test_a_serial_number_counts_with_its_issuer_only(stranger_settings: Settings) -> None:
    entry = distrust.add(stranger_settings, _by_serial())
    for issuer, organisation, is_meant in (
        ("camera maker  ca", "", True),
        ("Camera Maker CA 2", "", False),
        ("", "", False),
        ("Root 7", "Camera Maker CA", True),
    ):
        found = match([entry], fingerprint=None, serial="3f2a", issuer=issuer, organisation=organisation)
        assert (found == entry) is is_meant


def test_of_two_entries_the_stricter_counts() -> None:
    dated, undated = _by_fingerprint(), _by_serial(since=None)
    earlier = _by_serial(since=date(2025, 1, 1))
    for entries, expected in (([dated, undated], undated), ([dated, earlier], earlier), ([earlier, dated], earlier)):
        assert match(entries, fingerprint=FINGERPRINT, serial="3f2a", issuer="Camera Maker CA") == expected


@given(st.integers(0, 2**160 - 1))
def test_decimal_and_hex_are_one_number(number: int) -> None:
    expected = hex(number)
    colons = number.to_bytes(20).hex(":")
    assert distrust.normal_serial(str(number)) == expected
    assert distrust.normal_serial(expected) == expected
    assert distrust.normal_serial(colons) == expected


@given(serial=st.text(max_size=80), issuer=st.text(max_size=20), fingerprint=st.none() | st.text(max_size=80))
def test_whatever_a_file_says_is_compared(serial: str, issuer: str, fingerprint: str | None) -> None:
    found = match([_by_fingerprint(), _by_serial()], fingerprint=fingerprint, serial=serial, issuer=issuer)
    assert found is None or (fingerprint or "").lower().replace(":", "").strip() == FINGERPRINT


def test_reports_tell_the_lists_apart(stranger_settings: Settings) -> None:
    profile = trust.load(stranger_settings)
    entries = (distrust.add(stranger_settings, _by_fingerprint()), distrust.add(stranger_settings, _by_serial()))
    facts = profile.facts(entries)
    assert (facts.distrusted, profile.facts().distrusted) == (2, 0)
    assert len({facts.sha256, profile.facts().sha256, profile.facts(entries[:1]).sha256}) == 3
    assert profile.facts(entries[::-1]) == facts
