"""Hypothesis: any row that a scan can make."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from assay.jobs.scan import Row
from assay.vocabulary import Basis, Claim

TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=12)
DIGESTS = st.integers(0, 2**256 - 1).map("{:064x}".format)
_COUNTS = st.integers(0, 2**63 - 1)

ROWS: st.SearchStrategy[Row] = st.builds(
    Row,
    path=TEXT,
    sha256=st.none() | DIGESTS,
    byte_size=st.none() | _COUNTS,
    sidecar_sha256=st.none() | DIGESTS,
    format=st.none() | TEXT,
    width=st.none() | _COUNTS,
    height=st.none() | _COUNTS,
    claim=st.none() | st.sampled_from(Claim),
    basis=st.none() | st.sampled_from(Basis),
    log10_lr=st.none() | st.floats(allow_nan=False),
    headline=TEXT,
    conflicts=st.lists(TEXT, max_size=3).map(tuple),
    error=st.none() | TEXT,
    perceptual_hash=st.none() | st.integers(0, 2**64 - 1),
    thumbnail=st.none() | st.binary(max_size=40),
    seconds=st.floats(0, 1e6),
    report=TEXT,
)


def plain_row(path: str, **changes: Any) -> Row:
    """A file about which there is nothing to say."""
    values: dict[str, Any] = dict.fromkeys(Row.__dataclass_fields__)
    values |= {"path": path, "headline": "Inconclusive", "conflicts": (), "seconds": 0.5, "report": "{}"}
    return Row(**values | changes)


def plain_rows(count: int) -> list[Row]:
    return [plain_row(f"{number}.png") for number in range(count)]
