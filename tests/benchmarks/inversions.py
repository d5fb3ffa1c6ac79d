"""What is lost, and saved, by not reading a picture at every model and size of the ledger.

    python -m tests.benchmarks.inversions FOLDER [--count 204] [--photograph FILE]

Pictures of the model that comes with Assay are drawn in six sizes, with the mark in the noise alone, into a ledger in
the folder. First, for each edit, how often the picture's own row is among what is tried. Then the checks of marks are
timed on a photograph of twelve megapixels that carries none. Last, each picture is looked for as it is and after JPEG
75, by default and with `--thorough`; what default finds, `--thorough` finds, so that it is asked only about the others.
Rows go to `found.csv`, and what is in it is not measured again.
"""

from __future__ import annotations

import argparse
import csv
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import numpy as np
from PIL import Image

from assay import catalog
from assay.jobs.generate import Wish, generate
from assay.jobs.inversions import is_of, worth
from assay.jobs.marks import Watermark
from assay.jobs.registry import Registry
from assay.keys import key_store
from assay.ledger import location, open_ledger
from assay.perturb import perturbation
from assay.stats import clopper_pearson
from assay.vocabulary import Exhibit, ExhibitFacts, Pixels, Settings
from generation.development import development_key, signing_folder
from tests.seeds import photograph_file

MANY = ((128, 128),) * 6 + ((160, 160),) * 2 + ((128, 192), (192, 128))
FEW = ((256, 256), (224, 224))
FLOWERS = ("sunflower", "pink tulip", "red rose", "white daisy", "purple iris", "orange lily", "water lily", "thistle")
LOOKED_FOR = ("jpeg-75", "as it is")
EDITS = (
    *LOOKED_FOR, "scale-0.5+jpeg-75", "scale-3+jpeg-75", "brightness-1.5+scale-2", "grey+scale-2", "flip-horizontal",
    "rotate-20", "crop-75", "crop-60", "screenshot", "overlay-20+scale-2",
)  # fmt: skip
MARKS = ("watermark", "pixel-watermark", "legacy-watermark")
LARGE = (4000, 3000)


def main() -> None:
    """Draw, look, time and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--count", type=int, default=204, help="pictures (default 204)")
    parser.add_argument("--photograph", type=Path, default=photograph_file("china"), help="without a mark")
    options = parser.parse_args()
    settings = Settings(home=options.folder / "home")
    pictures = list(_drawn(options.folder / "pictures", options.count, settings))
    for edit in EDITS:
        _print_choice(edit, pictures, settings)
    _print_cost(options.photograph, settings)
    rows = options.folder / "found.csv"
    for edit in LOOKED_FOR:
        for path in pictures:
            _look(path, edit, rows, settings)
    _print_power(rows)


def _drawn(folder: Path, count: int, settings: Settings) -> Iterator[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    if not key_store(settings.home).keys():
        key_store(settings.home).init()
        development_key(signing_folder(settings.home))
    for number in range(count):
        path = folder / f"{number:03d}.png"
        if not path.exists():
            size = MANY[number % len(MANY)] if number % 17 else FEW[number // 17 % len(FEW)]
            prompt = f"a {FLOWERS[number % len(FLOWERS)]}"
            wish = Wish(prompt=prompt, steps=2, size=size, watermark="sealed-seed")
            list(generate(wish, [path], settings=settings))
        yield path


def _look(path: Path, edit: str, rows: Path, settings: Settings) -> None:
    if any((row["picture"], row["edit"]) == (path.name, edit) for row in _read(rows)):
        return
    received = _received(path, edit)
    by_default = _finds(received, settings)
    thorough = by_default or _finds(received, replace(settings, thorough=True))
    with rows.open("a", newline="") as stream:
        csv.writer(stream).writerow([path.name, edit, int(by_default), int(thorough)])


def _received(path: Path, edit: str) -> Pixels:
    with Image.open(path) as image:
        pixels = np.asarray(image.convert("RGB"))
    return pixels if edit == "as it is" else perturbation(edit).apply(pixels)


def _print_choice(edit: str, pictures: Sequence[Path], settings: Settings) -> None:
    """How often a picture's own row is tried; where it is, default reads just what `--thorough` reads."""
    secrets = {key.id: key.secret for key in key_store(settings.home).keys()}  # noqa: SIM118 - not a mapping
    with open_ledger(location(settings)) as ledger:
        registry = Registry(ledger, secrets, settings.home / "keys")
        tried = 0
        for path in pictures:
            (row,) = ledger.by_file_sha256(sha256(path.read_bytes()).hexdigest())
            received = _received(path, edit)
            chosen = worth(registry, ledger, received, (received.shape[0], received.shape[1]), thorough=False)
            tried += any(is_of(row, kind) for kind in chosen.whole) or row in chosen.laid
    low, high = clopper_pearson(tried, len(pictures))
    print(f"{edit:24} own row tried for {tried} of {len(pictures)} [{low:.3f}, {high:.3f}]", flush=True)


def _read(rows: Path) -> list[dict[str, str]]:
    if not rows.exists():
        return []
    with rows.open(newline="") as stream:
        return list(csv.DictReader(stream, ("picture", "edit", "default", "thorough")))


_checks: dict[bool, Watermark] = {}
"""By whether they are thorough: each reads the ledger once."""


def _finds(pixels: Pixels, settings: Settings) -> bool:
    check = _checks.setdefault(settings.thorough, Watermark(settings))
    return check.find(pixels) is not None


def _print_power(rows: Path) -> None:
    found = _read(rows)
    for edit in LOOKED_FOR:
        of_edit = [row for row in found if row["edit"] == edit]
        if not of_edit:
            continue
        thorough = sum(int(row["thorough"]) for row in of_edit)
        default = sum(int(row["default"]) for row in of_edit)
        low, high = clopper_pearson(default, max(1, thorough))
        print(
            f"{edit:12} {len(of_edit)} pictures; --thorough finds {thorough}, default {default} of them "
            f"[{low:.3f}, {high:.3f}]"
        )


def _print_cost(photograph: Path, settings: Settings) -> None:
    with Image.open(photograph) as image:
        large = np.asarray(image.convert("RGB").resize(LARGE, Image.Resampling.BICUBIC))
    facts = ExhibitFacts(name=str(photograph))
    for thorough in (False, True):
        made = catalog.make(catalog.PIXEL_CHECKS, replace(settings, thorough=thorough))
        checks = [check for check in made if check.id in MARKS]
        for check in checks:  # once, to load what there is to load
            check.examine(Exhibit(facts=facts, decoded=large))
        exhibit = Exhibit(facts=facts, decoded=large.copy())  # what was read once is not read again
        seconds = {}
        for check in checks:
            started = time.process_time()
            check.examine(exhibit)
            seconds[check.id] = time.process_time() - started
        parts = ", ".join(f"{name} {spent:.2f}" for name, spent in seconds.items())
        print(f"{'--thorough' if thorough else 'default'}: {sum(seconds.values()):.2f} s of a processor ({parts})")


if __name__ == "__main__":
    main()
