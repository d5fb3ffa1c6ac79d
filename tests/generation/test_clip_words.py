from __future__ import annotations

from pathlib import Path

import pytest

from assay.errors import ConfigurationError
from generation import clip_words
from generation.clip_words import tokenizer


def test_words_have_the_numbers_that_clip_gives_them() -> None:
    words = tokenizer(pad_token="!")
    assert len(words) == 49_408
    assert words("a photo of a cat").input_ids == [49406, 320, 1125, 539, 320, 2368, 49407]
    padded = words("a diagram", padding="max_length").input_ids
    assert padded == [49406, 320, 22697, 49407] + [0] * 73
    assert tokenizer(pad_token="<|endoftext|>")("", padding="max_length").input_ids == [49406] + [49407] * 76


def test_another_vocabulary_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "open_clip").mkdir()
    (tmp_path / "open_clip" / "__init__.py").touch()
    (tmp_path / "open_clip" / "bpe_simple_vocab_16e6.txt.gz").write_bytes(b"other")
    monkeypatch.syspath_prepend(str(tmp_path))
    clip_words._merges.cache_clear()
    with pytest.raises(ConfigurationError, match="not the vocabulary of CLIP"):
        tokenizer()
    clip_words._merges.cache_clear()
