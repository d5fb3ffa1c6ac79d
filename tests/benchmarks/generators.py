"""Leave one generator out: how well do the hand-made features find each, after learning from all others?

    python -m tests.benchmarks.generators SET --features RUN/features.npy

For each generator, the rule learns from every other generator and from the photographs of the four folds that do not
hold it; it is asked about one degraded square of each of its pictures, and of each photograph of its own fold.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from assay.discrimination import Estimate, auc_interval, tpr_interval
from detection import handmade
from detection.prepare import Prepared, load

FEWEST = 20
"""Pictures of a generator that is left out."""


def left_out(
    prepared: Prepared, features: NDArray[np.float32]
) -> Iterator[tuple[str, int, int, Estimate, Estimate | None]]:
    """By generator: its name, how many of its pictures, how many photographs, AUC, TPR at 5 % false alarms."""
    kinds = np.array([item.kind for item in prepared.items])
    labels, folds = prepared.labels, prepared.folds
    for kind, count in sorted(Counter(kinds[labels == 1]).items()):
        if count < FEWEST:
            continue
        made = (labels == 1) & (kinds == kind)
        photographs = (labels == 0) & (folds == folds[made][0])
        chosen = np.flatnonzero(~made & ~photographs)
        rule = handmade.fit(features[0, chosen], labels[chosen], prepared.weights(chosen))
        yes, no = (rule.of_features(features[1, side]) for side in (made, photographs))
        yield kind, int(made.sum()), int(photographs.sum()), auc_interval(yes, no), tpr_interval(yes, no, 0.05)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("set", type=Path, help="from assay data prepare")
    parser.add_argument("--features", type=Path, required=True, help="that assay train left")
    options = parser.parse_args()
    print("| left out | n | photographs | AUC | TPR at 5 % FPR |\n| --- | ---: | ---: | --- | --- |", flush=True)
    found = []
    for kind, made, photographs, area, rate in left_out(load(options.set), np.load(options.features, mmap_mode="r")):
        found.append(area.value)
        print(f"| {kind} | {made:,} | {photographs:,} | {area} | {rate or 'too few photographs'} |", flush=True)
    print(f"| median of {len(found)} | | | {np.median(found):.3f} | |")


if __name__ == "__main__":
    main()
