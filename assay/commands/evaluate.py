"""`assay evaluate`: measure detectors on a folder of labelled pictures, or watermarks under attack."""

# ruff: noqa: PLC0415 - `assay --help` has to answer at once

from __future__ import annotations

import sys
from argparse import ArgumentTypeError, Namespace
from pathlib import Path

from assay.commands import robustness
from assay.errors import ConfigurationError
from assay.options import Commands, positive

SUITES = ("detector", "robustness")


def add(commands: Commands) -> None:
    """What can be said of `assay evaluate`."""
    evaluate = commands.add_parser(
        "evaluate",
        help="measure detectors on pictures of one's own, or what the documentation claims of watermarks",
        description="With a FOLDER: measures the detectors on the pictures in real/ and ai/, any names below, the next "
        "folder naming the camera or the generator. With --suite robustness: draws images with each watermark, or "
        "marks the pictures of FOLDER, changes them, reads them. Both go on where they were interrupted.",
    )
    evaluate.add_argument(
        "folder", nargs="?", type=Path, metavar="FOLDER", help="holds real/ and ai/, or pictures to mark"
    )
    evaluate.add_argument("--suite", choices=SUITES, default=SUITES[0], help="default detector")
    evaluate.add_argument("--device", choices=("cpu", "cuda", "mps"), help="default: the best there is")
    detector = evaluate.add_argument_group("detectors")
    detector.add_argument("--results", type=Path, metavar="FILE", help="a line of JSON for each picture")
    detector.add_argument("--deliveries", type=_deliveries, metavar="NAME,…", help="default native; all for all")
    detector.add_argument("--weights", type=Path, metavar="FOLDER", help="default: those that come with Assay")
    detector.add_argument("--squares", type=positive, default=8, metavar="N", help="of each picture (default 8)")
    detector.add_argument("--workers", type=positive, default=2, metavar="N", help="processes (default 2)")
    robustness.add_options(evaluate.add_argument_group("robustness"))


def run(options: Namespace) -> int:
    """Measure, and say what was measured."""
    return robustness.run(options) if options.suite == "robustness" else _detector(options)


def _detector(options: Namespace) -> int:
    from tqdm import tqdm

    from assay.device import available
    from assay.jobs.assess import assess, unread
    from assay.jobs.detect import WEIGHTS
    from detection import page, tables
    from detection.delivery import NATIVE

    if options.folder is None:
        raise ConfigurationError("there is nothing to measure on", hint="Name a FOLDER with real/ and ai/ in it.")
    devices = available()
    if not devices:
        raise ConfigurationError("detectors need models", hint="Install the extra: pip install 'assay[models]'.")
    found = assess(
        options.folder,
        options.weights or WEIGHTS,
        deliveries=options.deliveries or (NATIVE,),
        device=options.device or devices[0],
        count=options.squares,
        workers=options.workers,
        results=options.results,
    )
    measured = {row.key: (row, finding) for row, finding in tqdm(found, "measured", unit="row", mininterval=5)}
    rows = [row for row, _ in measured.values()]
    print(page.lines(tables.lines(rows, lambda row: measured[row.key][1])))
    print(page.alarms(tables.alarms(rows, lambda row: measured[row.key][1])))
    for path in unread(options.folder, rows):
        print(f"{path}: no picture that can be opened; it was left out", file=sys.stderr)
    return 0


def _deliveries(text: str) -> tuple[str, ...]:
    from detection.delivery import DELIVERIES

    names = tuple(DELIVERIES) if text == "all" else tuple(text.split(","))
    for name in names:
        if name not in DELIVERIES:
            raise ArgumentTypeError(f"{name}: no such delivery; they are {', '.join(DELIVERIES)}")
    return names
