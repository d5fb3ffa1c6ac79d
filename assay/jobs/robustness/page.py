"""The page that shows what was measured of marks under attack, in Markdown."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from assay.codec import encode
from assay.jobs.robustness.results import (
    FOUND,
    FOUND_OF_KEYS,
    KEYS,
    LEVELS,
    Null,
    Pairs,
    Results,
    Row,
    ToldApart,
    is_forgery,
)
from assay.stats import clopper_pearson

BAND = 0.999

_INTRODUCTION = """\
# How well marks survive

Images drawn by `{model}` (weights {weights}) with {steps} steps and guidance {guidance:g}, each with a mark of its own
payload and nonce; changed as each row says; the noise estimated again with 10 steps and the empty prompt; and compared
with the mark that was put in. All methods have the same prompts and, where they take any, the same noise. Lengths are
in pixels of the {size}.

`assay evaluate --suite robustness` measures, and `make docs` rewrites this page from what it wrote. Brackets are 95 %
intervals (Clopper and Pearson). Names are those of `assay/perturb.py`. *registered* rows are laid over the ledger's
thumbnail first, *blind* rows are searched without it; there, methods other than sealed seed are read at the same
rotations, scales and crops, without shifts, and corrected for their number.
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
    if results.told_apart:
        parts.append(_told_apart_table(results.told_apart))
    if results.pairs:
        parts.append(_pairs_table(results.pairs))
    return "\n".join(parts)


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
        f"{'an upper bound' if null.uniform_p is None else f'{null.uniform_p:.2f}'} |"
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


def _told_apart_table(found: Iterable[ToldApart]) -> str:
    lines = [
        "## Without the key: marked noise against fresh\n",
        "A residual CNN with a weight for each position, trained on marked and fresh latents, judged on others, half",
        "of each; .5 is chance. The attacker has the noise itself, which no picture gives away. Textbook tests: the",
        "smallest of their p-values times their number.\n",
        "| method | payload | trained on | judged on | told apart | textbook tests: n | p |",
        "| --- | --- | ---: | ---: | --- | ---: | ---: |",
    ]
    lines += [
        f"| {one.method} | {one.payload} | 2 x {one.train:,} | {one.judged:,} | {share(one.correct, one.judged)} | "
        f"{one.looked_at:,} | {one.textbook_p:.2g} |"
        for one in found
    ]
    return "\n".join(lines) + "\n"


def _pairs_table(pairs: Iterable[Pairs]) -> str:
    lines = [
        "## Without the key: the pictures\n",
        "The same prompts drawn with a mark and without. Fréchet distance to photographs, of the 1,280 features of",
        "EfficientNet-Lite2; agreement with the colour that a prompt names. Differences are with minus without, with",
        "95 % intervals by a paired bootstrap.\n",
        "| method | pairs | photographs | distance: with | without | difference | name a colour | agree | without "
        "| difference |",
        "| --- | ---: | ---: | ---: | ---: | --- | ---: | ---: | ---: | --- |",
    ]
    lines += [
        f"| {one.method} | {one.count:,} | {one.photographs:,} | {one.frechet[0]:.2f} | {one.frechet[1]:.2f} | "
        f"{_difference(one.frechet_difference, 2)} | {one.named:,} | {one.agreement[0]:.3f} | {one.agreement[1]:.3f} | "
        f"{_difference(one.agreement_difference, 3)} |"
        for one in pairs
    ]
    return "\n".join(lines) + "\n"


def _difference(difference: tuple[float, float, float], digits: int) -> str:
    middle, low, high = (f"{value:+.{digits}f}" for value in difference)
    return f"{middle} [{low}, {high}]"
