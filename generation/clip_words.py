"""CLIP's vocabulary, which single checkpoints leave out, built from the merges that open-clip-torch carries.

Byte-pair encoding as in Radford et al., 2021 (arXiv 2103.00020), section 2.4. Nothing of that package is run.
"""

from __future__ import annotations

import gzip
import hashlib
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from transformers import CLIPTokenizer

from assay.errors import ConfigurationError

_FILE = "bpe_simple_vocab_16e6.txt.gz"
_SHA256 = "924691ac288e54409236115652ad4aa250f48203de50a9e4722a6ecd48d6804a"
_BYTES = 256
_SPECIAL = ("<|startoftext|>", "<|endoftext|>")
_WORDS = 49_408
_LENGTH = 77


def tokenizer(**settings: Any) -> CLIPTokenizer:
    """The tokenizer of CLIP; settings are those of a `tokenizer_config.json`, such as `pad_token`.

    Raises:
        ConfigurationError: The package is missing, or carries another vocabulary.
    """
    merges = _merges()
    letters = _letters()
    words = [*letters, *(f"{letter}</w>" for letter in letters), *("".join(pair) for pair in merges), *_SPECIAL]
    vocabulary = {word: number for number, word in enumerate(words)}
    return CLIPTokenizer(vocab=vocabulary, merges=list(merges), model_max_length=_LENGTH, **settings)


def _letters() -> list[str]:
    """A printable letter for each byte: itself where it has one, and else one from U+0100 on; in CLIP's order."""
    printable = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    return [chr(byte) for byte in printable] + [chr(_BYTES + number) for number in range(_BYTES - len(printable))]


@cache
def _merges() -> tuple[tuple[str, str], ...]:
    """Pairs in the order in which they are joined; the file has more than the vocabulary takes."""
    package = find_spec("open_clip")
    if package is None or not package.submodule_search_locations:
        raise ConfigurationError(
            "the vocabulary of CLIP is not installed",
            hint="Install the extra: assay[models]; or name a folder that has a tokenizer: --config FOLDER.",
        )
    path = Path(package.submodule_search_locations[0]) / _FILE
    data = path.read_bytes()
    if hashlib.sha256(data).hexdigest() != _SHA256:
        raise ConfigurationError(f"{path}: not the vocabulary of CLIP", hint="Install open-clip-torch==3.3.0 again.")
    count = _WORDS - 2 * _BYTES - len(_SPECIAL)
    lines = gzip.decompress(data).decode().split("\n")[1 : count + 1]
    return tuple((first, second) for first, second in (line.split() for line in lines))
