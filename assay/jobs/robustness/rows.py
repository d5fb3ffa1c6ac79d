"""How well marks survive: images drawn, changed, attacked and read back, row by row, in a run that can be resumed.

A row is a method and the name of what was done. Where the name is that of a perturbation (`assay.perturb`), the picture
is read as it is. `registered:NAME` lays it over the ledger's thumbnail first, `blind:NAME` searches without. All other
names are attacks that need a model; see `ATTACKS`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from assay import catalog, fingerprint
from assay.errors import ConfigurationError
from assay.jobs.marks import fitted, likeness
from assay.jobs.robustness.bench import UNMARKED, Bench, batches, evaluation_key, in_batches
from assay.jobs.robustness.kept import load, save
from assay.jobs.robustness.results import Results, Row, is_forgery
from assay.perturb import perturbation
from assay.stats import log10_bonferroni
from assay.vocabulary import Latents, LatentWatermark, Pixels
from generation import attacks
from generation.invert import estimate
from generation.pictures import to_pixels, to_tensor
from watermark import blind
from watermark.estimate import level
from watermark.geometry import read_undone
from watermark.registration import register
from watermark.sealed_seed import SealedSeed, template

METHODS = ("sealed-seed", "gaussian-shading", "tree-ring", "prc")
ROWS = (
    *("clean", "jpeg-75", "jpeg-50", "jpeg-25", "webp-50", "noise-0.05", "noise-0.1", "blur-2", "median-5"),
    *("resize-0.5", "resize-0.25", "brightness-1.5", "contrast-0.5", "resize-0.5+jpeg-50"),
    *(f"registered:{name}" for name in ("rotate-15", "rotate-45", "crop-75", "crop-50", "scale-0.5", "scale-2")),
    *("vae", "regenerate-0.1", "regenerate-0.2", "regenerate-0.4"),
    *("average-10", "average-100", "average-1000"),
    *("wrong-key", "forge-average-10", "forge-average-100", "forge-average-1000", "nonce-reuse", "reprompt", "imprint"),
    *(f"blind:{name}" for name in ("rotate-5", "rotate-15", "crop-75")),
)
"""What is measured by default."""
FEW = 50
"""Images of a row that costs much for each."""


# --- rows -------------------------------------------------------------------------------------------------------------


def measure(
    bench: Bench, path: Path, methods: Sequence[str] = METHODS, names: Sequence[str] = ROWS
) -> Iterator[tuple[Row, Results]]:
    """Measure what the results file lacks; what was yielded is in it.

    Rows are the outer loop, so that methods can be compared before all is done.

    Args:
        bench: What to measure with.
        path: The results file.
        methods: Of `catalog.LATENT_WATERMARKS`.
        names: Of rows.

    Raises:
        ConfigurationError: There is no such method or row, or the file is of another setup.
    """
    _require_known(methods, names)
    results = load(path, Results(setup=bench.setup))
    for name in names:
        for method in methods:
            if results.row(method, name) is None:
                row = measured(bench, method, name)
                results = replace(results, rows=(*results.rows, row))
                save(path, results)
                yield row, results


def _require_known(methods: Sequence[str], names: Sequence[str]) -> None:
    for method in methods:
        if method not in catalog.LATENT_WATERMARKS:
            raise ConfigurationError(
                f"{method}: no such watermark", hint=f"Use {', '.join(catalog.LATENT_WATERMARKS)}."
            )
    for name in names:
        if name != "clean" and _attack(name) is None:
            perturbation(name.rpartition(":")[2])


def _averaged(name: str) -> int:
    """Of how many images a row needs the average; 0 where it needs none."""
    kind, _, value = name.rpartition("-")
    return int(value) if kind in ("average", "forge-average") else 0


def measured(bench: Bench, method: str, name: str) -> Row:
    """Make and read all pictures of one row."""
    few = name.startswith("blind:") or name in ("reprompt", "imprint", "nonce-reuse")
    count = min(bench.setup.count, FEW) if few else bench.setup.count
    originals = bench.images(method, max(bench.setup.count, _averaged(name)))
    found: list[_Read] = []
    for numbers in batches(count):
        specimens = _Specimens(bench=bench, method=method, name=name, numbers=numbers, originals=originals)
        found += _read(specimens, _changed(specimens))
    payloads = tuple(one.payload for one in found if one.payload is not None)
    return Row(
        method=method,
        name=name,
        device=str(bench.adapter.device),
        log10_p=tuple(round(one.log10_p, 2) for one in found),
        payload=payloads or None,
        same=tuple(one.same for one in found),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Specimens:
    """One batch of a row."""

    bench: Bench
    method: str
    name: str
    numbers: Sequence[int]
    originals: Sequence[Pixels]
    """All marked images of the method, and as many more as the row averages."""

    @property
    def marked(self) -> Tensor:
        return to_tensor([self.originals[number] for number in self.numbers])

    @property
    def plain(self) -> Tensor:
        """Other images of the same prompts, without a mark."""
        return to_tensor([self.bench.plain[number] for number in self.numbers])

    @property
    def others(self) -> list[str]:
        """A prompt for each image that is not its own."""
        return [self.bench.other_prompt(number) for number in self.numbers]


# --- what is done to them ---------------------------------------------------------------------------------------------


def _changed(specimens: _Specimens) -> list[Pixels]:
    attack = _attack(specimens.name)
    if attack is not None:
        return attack(specimens)
    pictures = [(number, specimens.originals[number]) for number in specimens.numbers]
    name = specimens.name.rpartition(":")[2]
    if name == "clean":
        return [pixels for _, pixels in pictures]
    done = perturbation(name)
    return [done.apply(pixels, seed=number) for number, pixels in pictures]


_Attack = Callable[[_Specimens], list[Pixels]]


def _attack(name: str) -> _Attack | None:
    """The attack of that name; None where there is none."""
    if name in ATTACKS:
        return ATTACKS[name]
    kind, _, value = name.rpartition("-")
    if kind not in _WITH_VALUE or not value.replace(".", "", 1).isdigit():
        return None
    return lambda specimens: _WITH_VALUE[kind](specimens, float(value))


def _vae(specimens: _Specimens) -> list[Pixels]:
    return to_pixels(attacks.vae_round_trip(specimens.bench.adapter, specimens.marked))


def _regenerate(specimens: _Specimens, strength: float) -> list[Pixels]:
    bench = specimens.bench
    random = np.random.default_rng([bench.setup.seed, 3, specimens.numbers[0]])
    fresh = torch.from_numpy(random.standard_normal((len(specimens.numbers), *bench.shape), np.float32))
    return to_pixels(attacks.regenerate(bench.adapter, specimens.marked, strength=strength, fresh=fresh))


def _average(specimens: _Specimens, count: float) -> list[Pixels]:
    return to_pixels(attacks.shifted(specimens.marked, _pattern(specimens, int(count)), -1))


def _forge_average(specimens: _Specimens, count: float) -> list[Pixels]:
    return to_pixels(attacks.shifted(specimens.plain, _pattern(specimens, int(count)), 1))


def _pattern(specimens: _Specimens, count: int) -> Tensor:
    plain = specimens.bench.images(UNMARKED, len(specimens.originals))
    return attacks.residual(to_tensor(specimens.originals[:count]), to_tensor(plain))


def _reprompt(specimens: _Specimens) -> list[Pixels]:
    setup = specimens.bench.setup
    drawn = attacks.reprompt(
        specimens.bench.adapter, specimens.marked, specimens.others, steps=setup.steps, guidance=setup.guidance
    )
    return to_pixels(drawn)


def _nonce_reuse(specimens: _Specimens) -> list[Pixels]:
    """Another prompt, with key, nonce and payload used a second time: an issuer's mistake, or a perfect estimate."""
    noises = [specimens.bench.noise(specimens.method, number) for number in specimens.numbers]
    return specimens.bench.draw(specimens.others, noises)


def _imprint(specimens: _Specimens) -> list[Pixels]:
    adapter = specimens.bench.adapter
    noise = estimate(adapter, [specimens.originals[number] for number in specimens.numbers])
    return to_pixels(attacks.imprint(adapter, specimens.plain, torch.from_numpy(np.stack(noise))))


def _as_is(specimens: _Specimens) -> list[Pixels]:
    return [specimens.originals[number] for number in specimens.numbers]


ATTACKS: Mapping[str, _Attack] = {
    "vae": _vae,
    "reprompt": _reprompt,
    "nonce-reuse": _nonce_reuse,
    "imprint": _imprint,
    "wrong-key": _as_is,
}
_WITH_VALUE: Mapping[str, Callable[[_Specimens, float], list[Pixels]]] = {
    "regenerate": _regenerate,
    "average": _average,
    "forge-average": _forge_average,
}


# --- reading ----------------------------------------------------------------------------------------------------------


class _Read(NamedTuple):
    log10_p: float
    payload: bool | None
    same: bool


def _read(specimens: _Specimens, pictures: Sequence[Pixels]) -> list[_Read]:
    match specimens.name.partition(":")[0]:
        case "registered":
            read = _registered
        case "blind":
            read = _blind
        case _:
            return _plain(specimens, pictures)
    return [read(specimens, number, pixels) for number, pixels in zip(specimens.numbers, pictures, strict=True)]


def _plain(specimens: _Specimens, pictures: Sequence[Pixels]) -> list[_Read]:
    """Read as it is, brought to the size of the original."""
    size = specimens.bench.size
    noises = estimate(specimens.bench.adapter, [fitted(pixels, size) for pixels in pictures])
    return [
        _Read(
            _log10_p(specimens, number, noise),
            _payload(specimens, number, noise),
            likeness(pixels, fingerprint.thumbnail(specimens.originals[number]), size).agrees,
        )
        for number, pixels, noise in zip(specimens.numbers, pictures, noises, strict=True)
    ]


def _registered(specimens: _Specimens, number: int, pixels: Pixels) -> _Read:
    """Laid over the thumbnail of the original, as `assay verify` does with the ledger's."""
    bench, size = specimens.bench, specimens.bench.size
    found = register(pixels, fingerprint.thumbnail(specimens.originals[number]), size)
    (noise,) = read_undone(pixels, [found.matrix], size, lambda undone: estimate(bench.adapter, undone))
    return _Read(_log10_p(specimens, number, noise), _payload(specimens, number, noise), found.likeness.agrees)


def _blind(specimens: _Specimens, number: int, pixels: Pixels) -> _Read:
    """Searched without the original; methods that have no template get the same hypotheses, but no shifts."""
    bench = specimens.bench
    surveyed = blind.survey(pixels, bench.size, bench.shape[1:], lambda many: in_batches(bench, many), level)
    same = likeness(pixels, fingerprint.thumbnail(specimens.originals[number]), bench.size).agrees
    if isinstance(_watermark(specimens.method), SealedSeed):
        found = blind.search(surveyed, template(bench.seal(number), bench.shape))
        return _Read(found.log10_p, _payload(specimens, number, found.noise), same)
    readings = [(_log10_p(specimens, number, noise), noise) for noise in surveyed.noises]
    log10_p, noise = min(readings, key=lambda reading: reading[0])
    return _Read(log10_bonferroni(log10_p, len(readings)), _payload(specimens, number, noise), same)


def _log10_p(specimens: _Specimens, number: int, noise: Latents) -> float:
    seal = specimens.bench.seal(number)
    if specimens.name == "wrong-key":
        seal = replace(seal, secret=evaluation_key(specimens.bench.setup.seed + 1))
    return _watermark(specimens.method).measure(_known(specimens.method, noise), seal).log10_p


def _payload(specimens: _Specimens, number: int, noise: Latents) -> bool | None:
    if is_forgery(specimens.name) or specimens.method == "tree-ring":  # which carries none
        return None
    seal = specimens.bench.seal(number)
    found = _watermark(specimens.method).decode(_known(specimens.method, noise), seal.secret, seal.nonce)
    return found == seal.payload


def _known(method: str, noise: Latents) -> Latents:
    """Sealed seed knows what to make of unknown values; for the others they are 0."""
    return noise if isinstance(_watermark(method), SealedSeed) else np.nan_to_num(noise)


@cache
def _watermark(method: str) -> LatentWatermark:
    return catalog.latent_watermark(method)
