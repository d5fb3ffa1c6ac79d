"""`assay train`: a prepared set in, detectors out."""

# ruff: noqa: PLC0415 - `assay --help` has to answer at once

from __future__ import annotations

import shlex
import sys
from argparse import Namespace
from pathlib import Path

from assay.errors import ConfigurationError
from assay.options import Commands, numbers, positive


def add(commands: Commands) -> None:
    """What can be said of `assay train`."""
    train = commands.add_parser(
        "train",
        help="train detectors of generated pictures on a prepared set",
        description="Trains on four folds and measures on the fifth, five times, then on all, and fits what turns "
        "logits into likelihood ratios. Seeded; goes on where it was cut off.",
    )
    train.add_argument("set", type=Path, metavar="SET", help="from assay data prepare")
    train.add_argument("--out", type=Path, required=True, metavar="RUN", help="checkpoints, curves, weights")
    train.add_argument(
        "--pictures", type=Path, required=True, metavar="FOLDER", help="git copies, or the files' folder"
    )
    train.add_argument("--steps", type=positive, default=600, metavar="N", help="of each fold (default 600)")
    train.add_argument("--final-steps", type=positive, default=1500, metavar="N", help="on all folds (default 1500)")
    train.add_argument("--batch", type=positive, default=32, metavar="N", help="squares of a step (default 32)")
    train.add_argument(
        "--side", type=positive, default=192, metavar="N", help="of the squares, in pixels (default 192)"
    )
    train.add_argument("--rate", type=float, default=3e-4, metavar="X", help="largest learning rate (default 0.0003)")
    train.add_argument("--backbone", default="tf_efficientnet_lite0", metavar="NAME", help="of timm's")
    train.add_argument("--taps", type=numbers, default=(3,), metavar="N,…", help="its feature maps (default 3)")
    train.add_argument("--checkpoint", type=Path, metavar="FILE", help="timm weights to begin with, safetensors")
    train.add_argument("--start", type=Path, metavar="FILE", help="weights of ours to go on from, on all folds only")
    train.add_argument(
        "--newest", default="not stated", metavar="TEXT", help="newest generator in the set, and its month"
    )
    train.add_argument("--folds", type=numbers, metavar="N,…", help="only these, for runs side by side; default all")
    train.add_argument("--each", type=positive, default=40, metavar="N", help="measured of a generator (default 40)")
    train.add_argument("--squares", type=positive, default=4, metavar="N", help="of each measured (default 4)")
    train.add_argument("--seed", type=int, default=0, metavar="N", help="default 0")
    train.add_argument("--bfloat16", action="store_true", help="autocast: faster where the device multiplies it faster")
    train.add_argument("--device", choices=("cpu", "cuda", "mps"), help="default: the best there is")
    train.add_argument("--workers", type=positive, default=2, metavar="N", help="processes that measure (default 2)")
    train.add_argument("--despite-audit", action="store_true", help="do not ask first what gives labels away")


def run(options: Namespace) -> int:
    """Train, and say what was done."""
    from assay.device import available
    from assay.jobs.train import Course, run
    from assay.loop import Plan
    from detection.audit import audit, too_good
    from detection.manifest import FOLDS
    from detection.network import Shape
    from detection.prepare import load
    from detection.training import Recipe

    devices = available()
    if not devices:
        raise ConfigurationError("training needs torch", hint="Install the extra: pip install 'assay[training]'.")
    prepared = load(options.set)
    given_away = None if options.despite_audit else too_good(audit(prepared))
    if given_away:
        raise ConfigurationError(
            f"{options.set}: {given_away}", hint="Balance the sources, see assay data audit; or add --despite-audit."
        )
    recipe = Recipe(
        shape=Shape(backbone=options.backbone, taps=options.taps),
        batch=options.batch,
        side=options.side,
        start=options.start,
        checkpoint=options.checkpoint,
    )
    plan = Plan(
        steps=options.steps,
        learning_rate=options.rate,
        out=options.out,
        seed=options.seed,
        warmup=50,
        decay=0.5,
        ema=0.995,
        bfloat16=options.bfloat16,
    )
    course = Course(
        prepared=prepared,
        place=options.pictures,
        out=options.out,
        recipe=recipe,
        plan=plan,
        final_steps=options.final_steps,
        device=options.device or devices[0],
        command=shlex.join(["assay", *sys.argv[1:]]),
        newest=options.newest,
        folds=options.folds or tuple(range(FOLDS)),
        each=options.each,
        squares=options.squares,
        workers=options.workers,
    )
    for stage in run(course):
        print(stage, flush=True)
    return 0
