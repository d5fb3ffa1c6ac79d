"""Lay a received picture over the thumbnail of the one that was made.

First a search over mirror images, turns, scales and shifts by cross-correlation at low resolution, all shifts at once
by FFT; then the best candidates are refined by Gauss-Newton on brightness, the way of Lucas and Kanade (IJCAI 1981)
with the gain solved for in each step, as in ECC (Evangelidis and Psarakis, PAMI 30, 2008), and weights that let go of
what was pasted over.

Everything works on *detail*: brightness less its local mean, so that a change of light does not count. Coordinates are
continuous, as in `assay.perturb`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from assay.fingerprint import Likeness, likeness, opened
from assay.perturb import Matrix, rotation, translation
from assay.vocabulary import Pixels
from watermark.comparison import smooth
from watermark.geometry import pose, undo

_Values: TypeAlias = NDArray[Any]
"""Of float32: this is most of the time that it takes."""

_COARSE_SIDE, _FINE_SIDE = 40, 64
"""Longer side of the original in pixels, while searching and in the end."""
_FFT_SIDE = 80
_SCALES = tuple(1.06 * 0.89**step for step in range(8))
"""Part of the original's side that the received picture's longer side may show: 1.06 (with a margin) to .47."""
_ANGLES = tuple(range(-45, 45, 5))
_LEAST_OVERLAP = 0.7
"""Of the received picture's area, inside the original."""
_KEPT = 14
"""Candidates that are refined."""
_RIM = 2
"""Pixels at the edge of the received picture that refinement leaves out."""
_MOST_STRETCH = 1.35
"""Of the refined transform, and of its aspect: with more, a patch of anything can be laid over anything."""
_DARK = 10
"""At most this bright, a pixel may be fill."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Registered:
    """Where a received picture lies on the original."""

    matrix: Matrix
    """From coordinates of the original to coordinates of the received picture; `geometry.undo` takes it."""
    likeness: Likeness
    """How alike the two are once it is undone. A picture that shows something else gets a matrix, too."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Layer:
    """Detail of a picture, and which of its pixels are known."""

    detail: _Values
    known: _Values
    """1 where known, 0 elsewhere; `detail` is 0 there."""
    matrix: Matrix
    """From coordinates of this layer to coordinates of the picture."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Candidate:
    posture: int
    """Which of the eight postures of the original."""
    scale: float
    matrix: Matrix
    """From coordinates of the posed original, at the working resolution, to those of the received layer."""
    fit: float
    """Logarithm of the likelihood ratio against unrelated pictures, to a factor."""


def register(pixels: Pixels, thumbnail: bytes, size: tuple[int, int]) -> Registered:
    """Find the similarity transform, mirrored or not, that took the original to the received picture.

    Rotation by any angle, crops that keep half of each side or more, and any scale are found; so are combinations, and
    slight changes of the aspect. About 0.3 s.

    Args:
        pixels: As received: uint8 of shape (height, width, 3).
        thumbnail: Of the original, from `assay.fingerprint.thumbnail`.
        size: Height and width of the original in pixels.
    """
    (registered,) = register_all(pixels, [thumbnail], size)
    return registered


def register_all(pixels: Pixels, thumbnails: Sequence[bytes], size: tuple[int, int]) -> list[Registered]:
    """The same over several originals of one size, in less time than one after the other."""
    dark = Image.fromarray(_is_dark(pixels) * np.uint8(255))
    found: dict[int, Registered] = {}
    for mask in (dark, None):
        chosen = [at for at, thumbnail in enumerate(thumbnails) if _is_bright(thumbnail) is (mask is dark)]
        found |= zip(chosen, _registered(pixels, [thumbnails[at] for at in chosen], size, mask), strict=True)
    return [found[at] for at in range(len(thumbnails))]


def _registered(
    pixels: Pixels, thumbnails: Sequence[bytes], size: tuple[int, int], dark: Image.Image | None
) -> Iterator[Registered]:
    if not thumbnails:
        return
    originals = [_original_layer(opened(thumbnail), size, _COARSE_SIDE) for thumbnail in thumbnails]
    received = {scale: _layer(pixels, scale * _COARSE_SIDE / max(pixels.shape[:2]), dark) for scale in _SCALES}
    for original, thumbnail, found in zip(originals, thumbnails, _search(originals, received), strict=True):
        candidates = sorted(found, key=lambda candidate: -candidate.fit)[:_KEPT]
        refined = [_refined(original, received[each.scale], each, steps=12) for each in candidates]
        best = max(refined, key=lambda candidate: candidate.fit)
        yield _finish(best, pixels, thumbnail, size, dark)


def _is_bright(thumbnail: bytes) -> bool:
    """Whether what is dark in a received picture is not the picture, but fill."""
    return float(_is_dark(opened(thumbnail)).mean()) < 0.02  # noqa: PLR2004


def _is_dark(pixels: Pixels) -> NDArray[np.bool_]:
    """Pixels that may be what a rotation or a frame has left, not the picture."""
    return np.maximum(np.maximum(pixels[..., 0], pixels[..., 1]), pixels[..., 2]) <= _DARK


def _finish(
    found: _Candidate, pixels: Pixels, thumbnail: bytes, size: tuple[int, int], dark: Image.Image | None
) -> Registered:
    """Refine at the thumbnail's resolution and measure."""
    zoom = _FINE_SIDE / _COARSE_SIDE
    fine = _original_layer(opened(thumbnail), size, _FINE_SIDE)
    layer = _layer(pixels, found.scale * _FINE_SIDE / max(pixels.shape[:2]), dark)
    scaled = np.diag([zoom, zoom, 1.0]) @ found.matrix @ np.diag([1 / zoom, 1 / zoom, 1.0])
    final = _refined(fine, layer, replace(found, matrix=scaled), steps=15, is_affine=True)
    to_layer = (
        final.matrix @ pose(final.posture, (fine.detail.shape[0], fine.detail.shape[1])) @ np.linalg.inv(fine.matrix)
    )
    matrix = layer.matrix @ to_layer
    straight, mask = undo(pixels, matrix, size)
    return Registered(matrix=matrix, likeness=likeness(straight, thumbnail, mask))


# --- layers -----------------------------------------------------------------------------------------------------------


def _original_layer(stored: Pixels, size: tuple[int, int], side: int) -> _Layer:
    """Detail of the thumbnail, `side` pixels long, with square pixels in terms of the original."""
    height, width = size
    to_original = np.diag([width / stored.shape[1], height / stored.shape[0], 1.0])
    layer = _resampled(stored, (width / stored.shape[1], height / stored.shape[0]), side / max(size), None)
    return _Layer(detail=layer.detail, known=layer.known, matrix=to_original @ layer.matrix)


def _layer(pixels: Pixels, scale: float, dark: Image.Image | None) -> _Layer:
    """Detail of the received picture at this scale."""
    return _resampled(pixels, (1.0, 1.0), scale, dark)


def _resampled(pixels: Pixels, pixel: tuple[float, float], scale: float, dark: Image.Image | None) -> _Layer:
    """Detail at `scale` times the coordinates in which one pixel measures `pixel` (width, height).

    The new size is cut to whole pixels and the last fraction of one left out, so that scales are exact. What the mask
    shows white is not known.
    """
    across, down = scale * pixel[0], scale * pixel[1]
    width, height = max(1, int(pixels.shape[1] * across + 1e-6)), max(1, int(pixels.shape[0] * down + 1e-6))
    box = (0.0, 0.0, min(width / across, pixels.shape[1]), min(height / down, pixels.shape[0]))
    image = Image.fromarray(pixels).resize((width, height), Image.Resampling.BOX, box=box)
    known = np.ones((height, width), dtype=np.float32)
    if dark is not None:
        known = (np.asarray(dark.resize((width, height), Image.Resampling.BOX, box=box)) < 26).astype(np.float32)  # noqa: PLR2004 - a tenth
    matrix = np.diag([1 / across, 1 / down, 1.0])
    return _Layer(detail=_detail(np.asarray(image.convert("L"), dtype=np.float32), known), known=known, matrix=matrix)


def _detail(grey: _Values, known: _Values) -> _Values:
    """Brightness less its local mean over known pixels."""
    fine, coarse = (smooth(grey * known, sigma) / np.maximum(smooth(known, sigma), 1e-6) for sigma in (0.7, 3.0))
    return (fine - coarse) * known


# --- the eight postures of the original -------------------------------------------------------------------------------


def _posed(values: _Values, posture: int) -> _Values:
    """Turned by `posture % 4` quarter turns counter-clockwise, after mirroring from posture 4 on."""
    return np.rot90(values[:, ::-1] if posture >= 4 else values, posture % 4)  # noqa: PLR2004


# --- the search -------------------------------------------------------------------------------------------------------


def _search(originals: Sequence[_Layer], received: dict[float, _Layer]) -> list[list[_Candidate]]:
    """For each original, which all have one shape, the best shift for each posture, scale and angle."""
    spectra = [_spectra(original) for original in originals]
    inside = np.fft.rfft2(_postures(originals[0].known))
    found: list[list[_Candidate]] = [[] for _ in originals]
    for (scale, layer), angle in product(received.items(), _ANGLES):
        turned = _turned(layer, angle)
        if max(turned.detail.shape) > _FFT_SIDE:
            continue
        window = _window(inside, turned)
        for candidates, spectrum in zip(found, spectra, strict=True):
            fits = _fits(spectrum, window)
            for posture, at in enumerate(fits.reshape(8, -1).argmax(axis=1)):
                down, across = ((int(i) + _FFT_SIDE // 2) % _FFT_SIDE - _FFT_SIDE // 2 for i in divmod(at, _FFT_SIDE))
                matrix, fit = turned.matrix @ translation(-across, -down), float(fits[posture].ravel()[at])
                candidates.append(_Candidate(posture=posture, scale=scale, matrix=matrix, fit=fit))
    return found


def _spectra(original: _Layer) -> tuple[_Values, _Values]:
    """Of the detail and of its square, in all postures."""
    posed = _postures(original.detail)
    return np.fft.rfft2(posed), np.fft.rfft2(posed**2)


def _postures(values: _Values) -> _Values:
    return np.stack([_canvas(_posed(values, posture)) for posture in range(8)])


def _canvas(values: _Values) -> _Values:
    canvas = np.zeros((_FFT_SIDE, _FFT_SIDE), dtype=np.float32)
    canvas[: values.shape[0], : values.shape[1]] = values
    return canvas


def _turned(layer: _Layer, degrees: float) -> _Layer:
    """The layer turned counter-clockwise on a canvas that holds all of it."""
    height, width = layer.detail.shape
    cosine, sine = abs(np.cos(np.radians(degrees))), abs(np.sin(np.radians(degrees)))
    new_width, new_height = int(np.ceil(width * cosine + height * sine)), int(np.ceil(width * sine + height * cosine))
    matrix = translation(width / 2, height / 2) @ rotation(degrees) @ translation(-new_width / 2, -new_height / 2)
    coefficients = matrix.ravel()[:6].tolist()
    detail, known = (
        np.asarray(
            Image.fromarray(values).transform(
                (new_width, new_height), Image.Transform.AFFINE, coefficients, Image.Resampling.BILINEAR
            )
        )
        for values in (layer.detail, layer.known)
    )
    whole = (known > 0.99).astype(np.float32)  # noqa: PLR2004 - but for rounding
    return _Layer(detail=detail * whole, known=whole, matrix=matrix)


class _Window(NamedTuple):
    """What every original is compared with at one scale and angle; the last two at every shift of every posture."""

    detail: _Values
    known: _Values
    """Spectra of the turned layer."""
    power: _Values
    """Of its detail, inside the original."""
    overlap: _Values
    """Pixels inside the original; 0 where they are too few."""


def _window(inside: _Values, turned: _Layer) -> _Window:
    canvases = (_canvas(values) for values in (turned.detail, turned.known, turned.detail**2))
    detail, known, power = (np.conj(np.fft.rfft2(canvas)) for canvas in canvases)
    overlap = _correlated(inside, known)
    overlap[overlap < _LEAST_OVERLAP * turned.known.sum()] = 0
    return _Window(detail=detail, known=known, power=_correlated(inside, power), overlap=overlap)


def _fits(spectra: tuple[_Values, _Values], window: _Window) -> _Values:
    """How well the turned layer fits at every shift of every posture: shape (8, side, side)."""
    detail, power = spectra
    products, theirs = _correlated(detail, window.detail), _correlated(power, window.known)
    correlation = products / np.sqrt(np.maximum(theirs * window.power, 1e-3))
    return _likelihood(correlation, window.overlap)


def _correlated(original: _Values, received: _Values) -> _Values:
    return np.fft.irfft2(original * received, s=(_FFT_SIDE, _FFT_SIDE))


def _likelihood(correlation: _Values, count: _Values) -> _Values:
    """-n log(1 - r^2), for r > 0: what a correlation is worth depends on how much was compared."""
    worth: _Values = -count * np.log1p(-(np.clip(correlation, 0.0, 0.999) ** 2))
    return worth


# --- refinement -------------------------------------------------------------------------------------------------------


def _refined(
    original: _Layer, received: _Layer, start: _Candidate, *, steps: int, is_affine: bool = False
) -> _Candidate:
    """Gauss-Newton from a candidate; a step that leaves the basin ends it."""
    target, inside = _posed(original.detail, start.posture), _posed(original.known, start.posture)
    down, across = np.gradient(received.detail)
    channels = np.stack([received.detail, across, down, received.known * _inner(received.known.shape)])
    y, x = (axis.ravel() + 0.5 for axis in np.mgrid[: target.shape[0], : target.shape[1]])
    motions = _motions(x - target.shape[1] / 2, y - target.shape[0] / 2, is_affine=is_affine)
    values, base, matrix, fit = target.ravel(), inside.ravel() > 0.5, start.matrix, 0.0  # noqa: PLR2004
    for _ in range(steps):
        sampled, gx, gy, known = _sampled(channels, matrix, x, y)
        used = base & (known > 0.99)  # noqa: PLR2004
        if used.sum() < 40:  # noqa: PLR2004 - too little to fit anything to
            break
        step, fit = _step(values[used], sampled[used], gx[used], gy[used], [motion[:, used] for motion in motions])
        matrix = matrix + _as_matrix(step, target.shape)
        if np.abs(step[:2]).max() < 1e-3 or np.abs(step).max() > 10:  # noqa: PLR2004 - pixels
            break
    stretch = np.linalg.svd(matrix[:2, :2], compute_uv=False)
    if (
        stretch.max() > _MOST_STRETCH
        or stretch.min() < 1 / _MOST_STRETCH
        or stretch.max() > _MOST_STRETCH * stretch.min()
    ):
        return replace(start, fit=0.0)
    return replace(start, matrix=matrix, fit=fit)


def _inner(shape: tuple[int, ...]) -> _Values:
    """1 but for the rim, where the mean is taken on one side and detail is not what it is in the original."""
    inner = np.zeros(shape, dtype=np.float32)
    inner[_RIM:-_RIM, _RIM:-_RIM] = 1
    return inner


def _motions(x: NDArray[np.float64], y: NDArray[np.float64], *, is_affine: bool) -> list[_Values]:
    """How x and y of a point move with each parameter: shift across and down, then the linear part."""
    one, none = np.ones_like(x), np.zeros_like(x)
    moves_x = [one, none, x, y, none, none] if is_affine else [one, none, x, y]
    moves_y = [none, one, none, none, x, y] if is_affine else [none, one, y, -x]
    return [np.stack(moves_x).astype(np.float32), np.stack(moves_y).astype(np.float32)]


def _as_matrix(step: NDArray[np.float64], shape: tuple[int, ...]) -> Matrix:
    """The change of the matrix for a step, which is about the centre."""
    linear = step[2:6] if len(step) == 6 else np.array([step[2], step[3], -step[3], step[2]])  # noqa: PLR2004
    change = np.array([[linear[0], linear[1], step[0]], [linear[2], linear[3], step[1]], [0.0, 0.0, 0.0]])
    return change @ translation(-shape[1] / 2, -shape[0] / 2)


def _step(
    target: _Values, sampled: _Values, gx: _Values, gy: _Values, motions: list[_Values]
) -> tuple[NDArray[np.float64], float]:
    """One robust step, and how well the two fit before it."""
    gain = float(sampled @ target) / max(float(sampled @ sampled), 1e-6)
    residual = target - gain * sampled
    spread = 1.5 * float(np.median(np.abs(residual))) + 1e-3
    weights = 1 / (1 + (residual / (2 * spread)) ** 2)
    jacobian = gain * (gx * motions[0] + gy * motions[1])
    normal = (jacobian * weights) @ jacobian.T
    ridge = 1e-4 * np.diag(np.diag(normal)) + 1e-6 * np.eye(len(normal))
    step = np.linalg.solve((normal + ridge).astype(np.float64), ((jacobian * weights) @ residual).astype(np.float64))
    power = float((weights * sampled) @ sampled) * float((weights * target) @ target)
    correlation = float((weights * sampled) @ target) / max(power, 1e-6) ** 0.5
    return step, float(_likelihood(np.array(correlation), weights.sum()))


def _sampled(channels: _Values, matrix: Matrix, x: NDArray[np.float64], y: NDArray[np.float64]) -> _Values:
    """Bilinear samples of shape (channels, points); 0 outside."""
    height, width = channels.shape[1:]
    u = matrix[0, 0] * x + matrix[0, 1] * y + matrix[0, 2] - 0.5
    v = matrix[1, 0] * x + matrix[1, 1] * y + matrix[1, 2] - 0.5
    inside = (u >= 0) & (u <= width - 1) & (v >= 0) & (v <= height - 1)
    u, v = np.clip(u, 0, width - 1.001), np.clip(v, 0, height - 1.001)
    left, top = u.astype(np.int64), v.astype(np.int64)
    at, right, below = top * width + left, (u - left).astype(np.float32), (v - top).astype(np.float32)
    flat = channels.reshape(len(channels), -1)
    upper = flat[:, at] * (1 - right) + flat[:, at + 1] * right
    lower = flat[:, at + width] * (1 - right) + flat[:, at + width + 1] * right
    blended: _Values = (upper * (1 - below) + lower * below) * inside
    return blended
