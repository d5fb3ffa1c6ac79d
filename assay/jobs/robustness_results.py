"""What was measured of marks under attack: the file that it is kept in, and the page that shows it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from assay.codec import decode, encode
from assay.errors import ConfigurationError
from assay.files import write_whole
from assay.stats import clopper_pearson

FOUND = -6.0
"""log10 of the p-value at which a mark counts as found."""
KEYS = 1_000_000
FOUND_OF_KEYS = -12.0
"""The same, with `KEYS` keys tried and corrected for."""
LEVELS = (1e-2, 1e-3, 1e-4, 1e-5, 1e-6)
"""Where false finds are counted."""
BAND = 0.999


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """What all rows of one file have in common."""

    model: str
    weights: str
    """First 16 hexadecimal digits of the SHA-256 of the model's weights, or its revision."""
    count: int
    """Images of a row; some rows take fewer."""
    steps: int
    guidance: float
    seed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One method under one attack, image by image."""

    method: str
    name: str
    device: str
    """Where the network ran."""
    log10_p: tuple[float, ...]
    payload: tuple[bool, ...] | None
    """Whether the payload was read without an error; None where there is none, or it was not asked for."""
    same: tuple[bool, ...]
    """Whether the picture agrees with the thumbnail of the image whose mark was looked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Null:
    """Fresh keys on images that were made without them."""

    images: str
    """What they are, in words."""
    count: int
    """How many of them."""
    draws: int
    """Pairs of a key and an image."""
    each: int
    """How many images each key was tried on; keys are never used again."""
    exceeding: tuple[int, ...]
    """Draws with a p-value at or below each of `LEVELS`."""
    uniform_p: float
    """Kolmogorov-Smirnov test of one p-value a key against the uniform law."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """A results file."""

    setup: Setup
    rows: tuple[Row, ...] = ()
    nulls: tuple[Null, ...] = ()

    def row(self, method: str, name: str) -> Row | None:
        """The row of that method and name, if it was measured."""
        return next((row for row in self.rows if (row.method, row.name) == (method, name)), None)


def load(path: Path, setup: Setup) -> Results:
    """The results so far; none where there is no file.

    Raises:
        ConfigurationError: The file is of another setup, or no results file.
    """
    if not path.exists():
        return Results(setup=setup)
    results = read(path)
    if results.setup != setup:
        raise ConfigurationError(f"{path}: was measured with {results.setup}, not {setup}", hint="Use another --out.")
    return results


def read(path: Path) -> Results:
    """A results file.

    Raises:
        ConfigurationError: It cannot be read, or is none.
    """
    try:
        return decode(Results, json.loads(path.read_text()))
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise ConfigurationError(f"{path}: not a results file: {error}", hint="Use another file.") from error


def save(path: Path, results: Results) -> None:
    """Write a results file: a row a line, and whole or not at all."""
    rows, nulls = (",\n".join(json.dumps(encode(each)) for each in some) for some in (results.rows, results.nulls))
    setup = json.dumps(encode(results.setup))
    write_whole(path, f'{{"setup": {setup},\n"rows": [\n{rows}\n],\n"nulls": [\n{nulls}\n]}}\n'.encode())


# --- the page ---------------------------------------------------------------------------------------------------------

FORGERIES = ("reprompt", "nonce-reuse", "imprint", "forge-average-", "wrong-key")
"""Beginnings of the names of rows in which the mark is not where it was put."""

_INTRODUCTION = """\
# How well marks survive

Images drawn by `{model}` (weights {weights}) with {steps} steps and guidance {guidance:g}, each with a mark of its own
payload and nonce; changed as each row says; the noise estimated again with 10 steps and the empty prompt; and compared
with the mark that was put in. All methods have the same prompts and, where they take any, the same noise. Lengths are
in pixels of the {size}.

`assay evaluate watermark` measures, and `make docs` rewrites this page from what it wrote. Brackets are 95 % intervals
(Clopper and Pearson). Names are those of `assay/perturb.py`. *registered* rows are laid over the ledger's thumbnail
first, *blind* rows are searched without it; there, methods other than sealed seed are read at the same rotations,
scales and crops, without shifts, and corrected for their number.
"""


def render(results: Results) -> str:
    """The page of a results file, in Markdown."""
    edits = [name for name in _names(results.rows) if not is_forgery(name)]
    forgeries = [name for name in _names(results.rows) if is_forgery(name)]
    parts = [_INTRODUCTION.format(**encode(results.setup), size="image as it was drawn")]
    if edits:
        parts += [
            _table("Found at p < 10^-6", results, edits, lambda row: _found(row, FOUND)),
            _table(f"Found among {KEYS:,} keys: p < 10^-12", results, edits, lambda row: _found(row, FOUND_OF_KEYS)),
            _table("Payload of 64 bits without an error", results, edits, _payload),
            _table("Edited images wrongly called transplanted, of those found", results, edits, _transplanted),
        ]
    if forgeries:
        parts += [
            _table("Forgeries: found at p < 10^-6", results, forgeries, lambda row: _found(row, FOUND)),
            _table("Forgeries called transplanted, of those found", results, forgeries, _transplanted),
        ]
    if results.nulls:
        parts.append(_null_table(results.nulls))
    return "\n".join(parts)


def is_forgery(name: str) -> bool:
    """Whether a row is about marks on pictures that were not made with them."""
    return name.startswith(FORGERIES)


def _names(rows: Iterable[Row]) -> list[str]:
    return list(dict.fromkeys(row.name for row in rows))


def _table(title: str, results: Results, names: Sequence[str], cell: Callable[[Row], str]) -> str:
    methods = list(dict.fromkeys(row.method for row in results.rows))
    lines = [f"## {title}\n", f"| row | n | {' | '.join(methods)} |", "| --- | ---: |" + " --- |" * len(methods)]
    for name in names:
        rows = [results.row(method, name) for method in methods]
        counts = sorted({len(row.log10_p) for row in rows if row is not None})
        cells = ["" if row is None else cell(row) for row in rows]
        lines.append(f"| {name} | {', '.join(map(str, counts))} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _found(row: Row, threshold: float) -> str:
    return share(sum(value < threshold for value in row.log10_p), len(row.log10_p))


def _payload(row: Row) -> str:
    return "no payload" if row.payload is None else share(sum(row.payload), len(row.payload))


def _transplanted(row: Row) -> str:
    found = [same for same, value in zip(row.same, row.log10_p, strict=True) if value < FOUND]
    return share(sum(not same for same in found), len(found)) if found else "none found"


def share(successes: int, trials: int) -> str:
    """A proportion with its interval."""
    low, high = clopper_pearson(successes, trials)
    return f"{successes / trials:.3f} [{low:.3f}, {high:.3f}]"


def _null_table(nulls: Iterable[Null]) -> str:
    levels = " | ".join(f"{level:.0e}" for level in LEVELS)
    lines = [
        "## False finds of sealed seed: fresh keys on images made without them\n",
        f"Counts of p-values at or below each level; in brackets, the {BAND:.1%} band of a binomial law.\n",
        f"| images | n | draws | images a key | {levels} | uniform: p |",
        "| --- | ---: | ---: | ---: |" + " --- |" * (len(LEVELS) + 1),
    ]
    lines += [
        f"| {null.images} | {null.count} | {null.draws:,} | {null.each} | {' | '.join(_counted(null))} | "
        f"{null.uniform_p:.2f} |"
        for null in nulls
    ]
    return "\n".join(lines) + "\n"


def _counted(null: Null) -> Iterator[str]:
    for count, level in zip(null.exceeding, LEVELS, strict=True):
        low, high = band(null.draws, level)
        yield f"{count:,} [{low:,}, {high:,}]"


def band(draws: int, level: float) -> tuple[int, int]:
    """Where the number of p-values at or below a level lies with probability `BAND` at least, both ends included."""
    from scipy.stats import binom  # noqa: PLC0415 - not part of the core install

    low, high = binom.interval(BAND, draws, level)
    return int(low), int(high)
