import pytest

import assay


def test_exported_names_are_there_and_sorted() -> None:
    assert assay.__all__ == sorted(assay.__all__)
    for name in assay.__all__:
        assert getattr(assay, name) is not None


def test_other_names_are_not() -> None:
    with pytest.raises(AttributeError, match="nonsense"):
        _ = assay.nonsense  # type: ignore[attr-defined]
