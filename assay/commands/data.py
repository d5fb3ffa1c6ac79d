"""`assay data`: what detectors are trained on, listed, prepared and audited."""

# ruff: noqa: PLC0415 - `assay --help` has to answer at once

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from assay.errors import ConfigurationError
from assay.options import Commands, add_home, numbers, positive, settings_of

if TYPE_CHECKING:
    from detection.manifest import Item


def add(commands: Commands) -> None:
    """What can be said of `assay data`."""
    data = commands.add_parser(
        "data",
        help="list, prepare and audit the pictures that detectors are trained on",
        description="Pictures come from git copies of public repositories, or from a folder of one's own with real/ "
        "and ai/ in it. What is prepared stays on this machine; a manifest holds facts, never pictures.",
    )
    steps = data.add_subparsers(dest="step", metavar="STEP", required=True)
    listing = steps.add_parser("list", help="lists of files in repositories -> a manifest")
    listing.add_argument("lists", nargs="+", type=Path, metavar="LIST", help="CSV: repo, path, blob, label, generator")
    listing.add_argument("--copies", type=Path, required=True, metavar="FOLDER", help="git copies, as owner+name")
    listing.add_argument("-o", "--output", type=Path, required=True, metavar="FILE", help="the manifest")
    listing.add_argument("--most", type=positive, default=600, metavar="N", help="of a source and kind (default 600)")
    listing.add_argument("--cap", type=_cap, action="append", default=[], metavar="REPO=N", help="fewer of this one")
    listing.add_argument(
        "--folds", choices=("family", "source"), default="family", help="what folds keep apart (default family)"
    )
    preparing = steps.add_parser("prepare", help="a manifest, or a folder -> a set to train on")
    _add_pictures(preparing)
    preparing.add_argument("-o", "--output", type=Path, required=True, metavar="SET", help="the set's folder")
    preparing.add_argument("--seed", type=int, default=0, metavar="N", help="of positions and scales (default 0)")
    preparing.add_argument("--workers", type=positive, default=2, metavar="N", help="processes (default 2)")
    _add_features(steps.add_parser("features", help="a manifest, or a folder -> what a frozen network makes of it"))
    auditing = steps.add_parser("audit", help="how well do things that prove nothing separate the labels of a set?")
    auditing.add_argument("set", type=Path, metavar="SET", help="a prepared set")
    auditing.add_argument("--json", action="store_true", help="print JSON")


def _add_pictures(step: ArgumentParser) -> None:
    step.add_argument("--manifest", type=Path, metavar="FILE", help="default: the one that comes with Assay")
    step.add_argument("--copies", type=Path, metavar="FOLDER", help="git copies of its repositories")
    step.add_argument("--folder", type=Path, metavar="FOLDER", help="instead: pictures in real/ and ai/<generator>/")


def _add_features(features: ArgumentParser) -> None:
    _add_pictures(features)
    features.add_argument("-o", "--output", type=Path, required=True, metavar="CACHE", help="goes on where it was")
    features.add_argument("--backbone", metavar="NAME", help="a ViT of timm's (default: CLIP ViT-B/16)")
    features.add_argument("--checkpoint", type=Path, metavar="FILE", help="its weights, safetensors")
    features.add_argument("--taps", type=numbers, metavar="N,…", help="blocks that are read, from 0 (default all)")
    features.add_argument("--rounds", type=positive, metavar="N", help="of deliveries and views (default all)")
    features.add_argument("--most", type=positive, metavar="N", help="of a source and kind (default all)")
    features.add_argument("--seed", type=int, default=0, metavar="N", help="of deliveries (default 0)")
    features.add_argument("--device", choices=("cpu", "cuda", "mps"), help="default: the best there is")
    add_home(features)


def _cap(text: str) -> tuple[str, int]:
    name, _, value = text.rpartition("=")
    if not name or not value.isdigit():
        raise ArgumentTypeError("must be owner/name=N")
    return name, int(value)


def run(options: Namespace) -> int:
    """Do one step, and say what came of it."""
    steps = {"list": _list, "prepare": _prepare, "audit": _audit, "features": _features}
    return steps[options.step](options)


def _list(options: Namespace) -> int:
    from detection.listing import by_family, by_source, manifest
    from detection.manifest import Label, write

    folded = {"family": by_family, "source": by_source}[options.folds]
    items = manifest(options.lists, options.copies, most=options.most, fewer=dict(options.cap), folded=folded)
    write(options.output, items)
    for fold in sorted({item.fold for item in items}):
        own = [item for item in items if item.fold == fold]
        made = sorted({item.kind for item in own if item.label is Label.AI})
        real = [item for item in own if item.label is Label.REAL]
        sources = len({item.source for item in real})
        print(
            f"fold {fold}: {len(real):,} photographs of {sources} sources, {len(own) - len(real):,} generated pictures"
        )
        print(f"        {', '.join(made)}")
    return 0


def _named(options: Namespace) -> tuple[tuple[Item, ...], Path]:
    """The pictures that the arguments name, and where they are."""
    from detection.folders import items_of
    from detection.manifest import SHIPPED, read

    if (options.folder is None) == (options.copies is None):
        raise ConfigurationError("name either --copies or --folder", hint=f"See assay data {options.step} --help.")
    items = items_of(options.folder) if options.folder else read(options.manifest or SHIPPED)
    return items, options.folder or options.copies


def _prepare(options: Namespace) -> int:
    from detection.prepare import prepare

    items, place = _named(options)
    prepared = prepare(items, place, options.output, seed=options.seed, workers=options.workers)
    print(f"{len(prepared.items):,} of {len(items):,} pictures prepared in {options.output}")
    return 0


def _features(options: Namespace) -> int:
    from tqdm import tqdm

    from assay.device import available
    from detection import backbone, clip, featured
    from detection.manifest import capped

    if (options.backbone is None) != (options.checkpoint is None):
        raise ConfigurationError("--backbone and --checkpoint go together", hint="Name both, or neither for CLIP.")
    items, place = _named(options)
    network = backbone.opened(
        options.checkpoint or clip.require(settings_of(options).home),
        options.device or available()[0],
        name=options.backbone or clip.MODEL,
        taps=options.taps,
    )
    chosen = items if options.most is None else capped(items, options.most)
    rounds = options.rounds or len(featured.ROUNDS)
    with tqdm(total=rounds * len(chosen), unit="picture", mininterval=5) as bar:
        for number, done, of in featured.compute(
            chosen, place, network, options.output, rounds=rounds, seed=options.seed
        ):
            bar.set_description(f"round {number + 1}", refresh=False)
            bar.update(number * of + done - bar.n)
    print(f"{len(chosen):,} pictures, {rounds} rounds, in {options.output}")
    return 0


def _audit(options: Namespace) -> int:
    from detection.audit import audit, too_good
    from detection.prepare import load

    probes = audit(load(options.set))
    if options.json:
        print(json.dumps([asdict(probe) for probe in probes], indent=1))
    else:
        print(f"{'AUC of':28}{'as listed':>10}{'as shown':>10}")
        for probe in probes:
            print(
                f"{probe.name:28}{_cell(probe.raw)}{_cell(probe.prepared)}{'  too good' if probe.is_too_good else ''}"
            )
    found = too_good(probes)
    if found:
        print(f"{options.set}: {found}", file=sys.stderr)
    return int(found is not None)


def _cell(value: float | None) -> str:
    return f"{'-':>10}" if value is None else f"{value:10.2f}"
