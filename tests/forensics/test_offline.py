import pytest
from c2pa import C2paError, Context, Reader

from assay.errors import ConfigurationError
from assay.vocabulary import Settings
from forensics import trust
from forensics.offline import require_closed_network


def test_closed_reader_passes(settings: Settings) -> None:
    require_closed_network(Context.from_dict(trust.reader_settings(trust.load(settings))))


def test_open_reader_is_found_out() -> None:
    """A reader that does try to fetch gets another error, since port 9 answers nobody."""
    with pytest.raises(ConfigurationError, match="self-test failed"):
        require_closed_network(Context.from_dict({"verify": {"remote_manifest_fetch": True}}))


def test_a_misspelt_setting_is_found_out() -> None:
    with pytest.raises(ConfigurationError):
        require_closed_network(Context.from_dict({"verify": {"remote_manifest_fetchh": False}}))


def test_a_library_that_no_longer_refuses_is_found_out(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    monkeypatch.setattr(Reader, "try_create", lambda *_, **__: None)
    with pytest.raises(ConfigurationError, match="did not refuse"):
        require_closed_network(Context.from_dict(trust.reader_settings(trust.load(settings))))


def test_the_refusal_is_the_one_that_credentials_look_for() -> None:
    assert issubclass(C2paError, Exception)
