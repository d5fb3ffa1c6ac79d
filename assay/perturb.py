"""What happens to pictures on their way: one list for training, for every table and for attacks.

A perturbation has a textual name, `kind-value-value`: `jpeg-50`, `noise-0.05`, `rotate--15`. A chain joins names with a
plus: `rotate-15+resize-0.5+jpeg-50`. Files are encoded last, so **the codec comes last in a chain**; one in the middle
stands for an earlier life of the file.

Lengths (blur's sigma, the window of a median) are in pixels of the picture as it is given, whatever its size: `blur-2`
takes four times more away from 128 pixels a side than from 512. Amplitudes (noise) are in units of the full range,
[0, 1]. Crops state the kept part of each *side* in per cent, `crop-area` that of the area.

Coordinates are continuous: x to the right, y down, the picture covers [0, width] x [0, height], and the centre of the
first pixel is (0.5, 0.5).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter

from assay.errors import ConfigurationError
from assay.vocabulary import Pixels

Matrix: TypeAlias = NDArray[np.float64]
"""A 3 x 3 map of homogeneous coordinates (x, y, 1)."""

_Random: TypeAlias = np.random.Generator

BATTERY = (
    *("jpeg-90", "jpeg-75", "jpeg-50", "jpeg-25", "jpeg-10", "webp-50", "avif-50"),
    *("resize-0.25", "resize-0.5", "resize-2", "scale-0.5", "scale-2"),
    *("blur-1", "blur-2", "blur-4", "median-3", "median-5", "median-7"),
    *("noise-0.02", "noise-0.05", "noise-0.1", "salt-0.05"),
    *("brightness-0.5", "brightness-1.5", "brightness-6", "contrast-0.5", "contrast-2", "gamma-0.5", "gamma-2"),
    *("grey", "hue-30", "crop-in-place-60", "drop-50", "drop-80", "overlay-10"),
    *("crop-90", "crop-75", "crop-50", "crop-25", "crop-area-75", "crop-area-50"),
    *("rotate-2", "rotate-5", "rotate-15", "rotate-45", "turn-90", "turn-180", "flip-horizontal", "flip-vertical"),
    *("perspective-3", "perspective-10", "aspect-1.2", "fit-128", "screenshot"),
    *("resize-0.5+jpeg-50", "rotate-15+jpeg-50", "crop-75+jpeg-50", "crop-75+rotate-5+jpeg-75"),
)
"""The names that every table shows."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Perturbed:
    """A picture after a perturbation, and where its parts came from."""

    pixels: Pixels
    """uint8 of shape (height', width', 3)."""
    matrix: Matrix
    """From coordinates of this picture to coordinates of the one before; the identity where nothing moved."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Perturbation:
    """One perturbation, or a chain. Pure: the result depends on the picture, the name and the seed only."""

    name: str
    steps: tuple[Callable[[Pixels, _Random], Perturbed], ...]

    def apply(self, pixels: Pixels, seed: int = 0) -> Pixels:
        """The picture afterwards.

        Args:
            pixels: uint8 of shape (height, width, 3), in [0, 255]; left as it is.
            seed: At least 0. Draws positions, noise and whatever else the kind leaves to chance.

        Returns:
            uint8 of shape (height', width', 3).
        """
        return self.trace(pixels, seed).pixels

    def trace(self, pixels: Pixels, seed: int = 0) -> Perturbed:
        """As `apply`, and tell where the parts of the picture came from."""
        matrix = np.eye(3)
        for number, (step, name) in enumerate(zip(self.steps, self.name.split("+"), strict=True)):
            # A step draws the same alone and at the head of a chain, so rows of a table can be compared.
            done = step(pixels, np.random.default_rng([seed, number, *name.encode()]))
            pixels, matrix = done.pixels, matrix @ done.matrix
        return Perturbed(pixels=pixels, matrix=matrix)


def perturbation(name: str) -> Perturbation:
    """The perturbation of this name.

    Args:
        name: `kind-value-...` with the values that `KINDS` lists, or several joined by plus signs.

    Raises:
        ConfigurationError: There is no such kind, or a value is missing or out of range.
    """
    return Perturbation(name=name, steps=tuple(_step(part) for part in name.split("+")))


def _step(name: str) -> Callable[[Pixels, _Random], Perturbed]:
    match = re.fullmatch(r"([a-z]+(?:-[a-z]+)*)((?:--?\d+(?:\.\d+)?)*)", name)
    kind = KINDS.get(match[1]) if match else None
    if match is None or kind is None:
        raise ConfigurationError(f"{name}: no such perturbation", hint=f"The kinds are: {', '.join(KINDS)}.")
    values = [float(value) for value in re.findall(r"-(-?[\d.]+)", match[2])]
    if not kind.accepts(values):
        raise ConfigurationError(f"{name}: a value is missing or out of range", hint=f"Write {kind.usage(match[1])}.")

    def run(pixels: Pixels, random: _Random) -> Perturbed:
        done = kind.run(pixels, random, *values)
        return done if isinstance(done, Perturbed) else Perturbed(pixels=done, matrix=np.eye(3))

    return run


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of perturbation: what it does, and which values it takes."""

    run: Callable[..., Pixels | Perturbed]
    bounds: tuple[tuple[float, float], ...] = ()
    """Least and greatest value of each parameter."""
    optional: int = 0
    """How many of the last parameters may be left out."""

    def accepts(self, values: list[float]) -> bool:
        """Whether these values are enough, not too many, and in range."""
        enough = len(self.bounds) - self.optional <= len(values) <= len(self.bounds)
        return enough and all(low <= value <= high for value, (low, high) in zip(values, self.bounds, strict=False))

    def usage(self, name: str) -> str:
        """How a name of this kind is written."""
        return "-".join([name, *(f"[{low:g} to {high:g}]" for low, high in self.bounds)])


# --- codecs and resampling --------------------------------------------------------------------------------------------

_SUBSAMPLING = {444: 0, 422: 1, 420: 2}


def _jpeg(pixels: Pixels, _: _Random, quality: float, subsampling: float = 420) -> Pixels:
    nearest = min(_SUBSAMPLING, key=lambda known: abs(known - subsampling))
    return _encoded(pixels, "JPEG", quality=int(quality), subsampling=_SUBSAMPLING[nearest])


def _webp(pixels: Pixels, _: _Random, quality: float) -> Pixels:
    return _encoded(pixels, "WEBP", quality=int(quality), method=4)


def _avif(pixels: Pixels, _: _Random, quality: float) -> Pixels:
    return _encoded(pixels, "AVIF", quality=int(quality), speed=8, max_threads=1)


def _encoded(pixels: Pixels, format_name: str, **options: Any) -> Pixels:
    stream = BytesIO()
    Image.fromarray(pixels).save(stream, format_name, **options)
    with Image.open(stream) as image:
        return np.array(image.convert("RGB"))


def _resize(pixels: Pixels, random: _Random, factor: float) -> Pixels:
    """There and back."""
    height, width = pixels.shape[:2]
    return _resized(_scale(pixels, random, factor).pixels, width, height)


def _scale(pixels: Pixels, _: _Random, factor: float) -> Perturbed:
    return _stretch(pixels, factor, factor)


def _fit(pixels: Pixels, _: _Random, longest: float) -> Perturbed:
    """Reduced to a longer side, as services do; smaller pictures stay as they are."""
    factor = min(1.0, longest / max(pixels.shape[:2]))
    return _stretch(pixels, factor, factor)


def _aspect(pixels: Pixels, _: _Random, factor: float) -> Perturbed:
    """Wider by the factor, as high as before."""
    return _stretch(pixels, factor, 1.0)


def _stretch(pixels: Pixels, across: float, down: float) -> Perturbed:
    height, width = pixels.shape[:2]
    new_width, new_height = max(1, round(width * across)), max(1, round(height * down))
    matrix = np.diag([width / new_width, height / new_height, 1.0])
    return Perturbed(pixels=_resized(pixels, new_width, new_height), matrix=matrix)


def _resized(pixels: Pixels, width: int, height: int) -> Pixels:
    """Bicubic, and averaging over what one new pixel covers."""
    return np.array(Image.fromarray(pixels).resize((width, height), Image.Resampling.BICUBIC))


# --- filters and noise ------------------------------------------------------------------------------------------------


def _blur(pixels: Pixels, _: _Random, sigma: float) -> Pixels:
    return np.array(Image.fromarray(pixels).filter(ImageFilter.GaussianBlur(sigma)))


def _median(pixels: Pixels, _: _Random, window: float) -> Pixels:
    return np.array(Image.fromarray(pixels).filter(ImageFilter.MedianFilter(int(window) // 2 * 2 + 1)))


def _noise(pixels: Pixels, random: _Random, sigma: float) -> Pixels:
    """Gaussian, independent in every pixel and channel."""
    return _rounded(pixels + 255 * sigma * random.standard_normal(pixels.shape))


def _salt(pixels: Pixels, random: _Random, share: float) -> Pixels:
    """Salt and pepper: this share of pixels becomes white or black."""
    hit = random.random(pixels.shape[:2]) < share
    grains = 255 * random.integers(0, 2, size=pixels.shape[:2], dtype=np.uint8)
    salted: Pixels = pixels.copy()
    salted[hit] = grains[hit][:, None]
    return salted


def _rounded(values: NDArray[Any]) -> Pixels:
    pixels: Pixels = np.clip(np.rint(values), 0, 255).astype(np.uint8)
    return pixels


# --- light and colour -------------------------------------------------------------------------------------------------


def _brightness(pixels: Pixels, _: _Random, factor: float) -> Pixels:
    return _rounded(pixels * factor)


def _contrast(pixels: Pixels, _: _Random, factor: float) -> Pixels:
    """About the mean grey of the picture."""
    return np.array(ImageEnhance.Contrast(Image.fromarray(pixels)).enhance(factor))


def _gamma(pixels: Pixels, _: _Random, exponent: float) -> Pixels:
    return _rounded(255 * (pixels / 255) ** exponent)


def _grey(pixels: Pixels, _: _Random) -> Pixels:
    return np.array(Image.fromarray(pixels).convert("L").convert("RGB"))


def _hue(pixels: Pixels, _: _Random, degrees: float) -> Pixels:
    hsv = np.array(Image.fromarray(pixels).convert("HSV"))
    hsv[..., 0] += np.uint8(round(degrees / 360 * 256) % 256)
    return np.array(Image.fromarray(hsv, "HSV").convert("RGB"))


# --- parts taken away or put on ---------------------------------------------------------------------------------------


def _crop_in_place(pixels: Pixels, random: _Random, side: float) -> Pixels:
    """Black outside a window with this part of each side."""
    rows, columns = _window(pixels, random, side / 100)
    left = np.zeros_like(pixels)
    left[rows, columns] = pixels[rows, columns]
    return left


def _drop(pixels: Pixels, random: _Random, side: float) -> Pixels:
    """Black inside a window with this part of each side."""
    left = pixels.copy()
    left[_window(pixels, random, side / 100)] = 0
    return left


def _overlay(pixels: Pixels, random: _Random, area: float) -> Pixels:
    """A light box with dark lines as of text, over this part of the area."""
    rows, columns = _window(pixels, random, (area / 100) ** 0.5)
    image = Image.fromarray(pixels)
    draw = ImageDraw.Draw(image)
    draw.rectangle((columns.start, rows.start, columns.stop - 1, rows.stop - 1), fill=(240, 240, 235))
    line = max(2, (rows.stop - rows.start) // 6)
    for top in range(rows.start + line // 2, rows.stop - line // 2, line):
        end = columns.start + (columns.stop - columns.start) * random.uniform(0.6, 0.95)
        draw.rectangle((columns.start + line // 2, top, max(columns.start + line // 2, end), top + line // 2), fill=20)
    return np.array(image)


def _window(pixels: Pixels, random: _Random, side: float) -> tuple[slice, slice]:
    """Rows and columns of a rectangle with this part of each side, anywhere in the picture."""
    height, width = (max(1, round(length * side)) for length in pixels.shape[:2])
    top = int(random.integers(pixels.shape[0] - height + 1))
    left = int(random.integers(pixels.shape[1] - width + 1))
    return slice(top, top + height), slice(left, left + width)


# --- geometry ---------------------------------------------------------------------------------------------------------


def _crop(pixels: Pixels, random: _Random, side: float) -> Perturbed:
    """A window with this part of each side, anywhere, enlarged to the size of the picture."""
    height, width = pixels.shape[:2]
    rows, columns = _window(pixels, random, side / 100)
    scale = np.diag([(columns.stop - columns.start) / width, (rows.stop - rows.start) / height, 1.0])
    matrix = translation(columns.start, rows.start) @ scale
    return Perturbed(pixels=_resized(pixels[rows, columns], width, height), matrix=matrix)


def _crop_area(pixels: Pixels, random: _Random, area: float) -> Perturbed:
    return _crop(pixels, random, 100 * (area / 100) ** 0.5)


def _rotate(pixels: Pixels, _: _Random, degrees: float) -> Perturbed:
    """Counter-clockwise about the centre; the canvas stays, and what no pixel covers is black."""
    height, width = pixels.shape[:2]
    matrix = about_centre(rotation(degrees), (height, width))
    return Perturbed(pixels=_warped(pixels, matrix), matrix=matrix)


def _turn(pixels: Pixels, _: _Random, degrees: float) -> Perturbed:
    """Counter-clockwise by quarter turns, without loss."""
    quarters = round(degrees / 90) % 4
    matrix = np.eye(3)
    for _quarter in range(quarters):
        # What is at (x, y) after a quarter turn was at (width - y, x), where width is that before the turn.
        matrix = matrix @ np.array([[0.0, -1.0, pixels.shape[1]], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
        pixels = np.rot90(pixels)
    return Perturbed(pixels=np.ascontiguousarray(pixels), matrix=matrix)


def _flip_horizontal(pixels: Pixels, _: _Random) -> Perturbed:
    matrix = np.array([[-1.0, 0.0, pixels.shape[1]], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    return Perturbed(pixels=np.ascontiguousarray(pixels[:, ::-1]), matrix=matrix)


def _flip_vertical(pixels: Pixels, _: _Random) -> Perturbed:
    matrix = np.array([[1.0, 0.0, 0.0], [0.0, -1.0, pixels.shape[0]], [0.0, 0.0, 1.0]])
    return Perturbed(pixels=np.ascontiguousarray(pixels[::-1]), matrix=matrix)


def _perspective(pixels: Pixels, random: _Random, percent: float) -> Perturbed:
    """Each corner moves by up to this part of the sides, in both directions."""
    height, width = pixels.shape[:2]
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], dtype=float)
    moved = corners + random.uniform(-percent, percent, (4, 2)) / 100 * [width, height]
    matrix = _homography(corners, moved)
    return Perturbed(pixels=_warped(pixels, matrix), matrix=matrix)


def _screenshot(pixels: Pixels, random: _Random) -> Perturbed:
    """Shown at another size on a light page, cut out with a little of the page, toned by the screen, saved as JPEG."""
    shown = _scale(pixels, random, random.uniform(0.75, 1.5))
    margins = [int(share * shown.pixels.shape[0]) for share in random.uniform(0, 0.03, 4)]
    page = np.pad(shown.pixels, ((margins[0], margins[1]), (margins[2], margins[3]), (0, 0)), constant_values=245)
    toned = _gamma(page, random, random.uniform(0.9, 1.1))
    matrix = shown.matrix @ translation(-margins[2], -margins[0])
    return Perturbed(pixels=_jpeg(toned, random, 80), matrix=matrix)


def _warped(pixels: Pixels, matrix: Matrix) -> Pixels:
    """The picture whose point p shows what was at `matrix` p; bicubic, same canvas, black where nothing was."""
    height, width = pixels.shape[:2]
    coefficients = (matrix / matrix[2, 2]).ravel()[:8].tolist()
    image = Image.fromarray(pixels)
    moved = image.transform((width, height), Image.Transform.PERSPECTIVE, coefficients, Image.Resampling.BICUBIC)
    return np.array(moved)


def _homography(source: NDArray[np.float64], target: NDArray[np.float64]) -> Matrix:
    """The projective map that takes four points to four points, both of shape (4, 2)."""
    rows = []
    for (x, y), (u, v) in zip(source, target, strict=True):
        rows.append([x, y, 1, 0, 0, 0, -u * x, -u * y])
        rows.append([0, 0, 0, x, y, 1, -v * x, -v * y])
    solved = np.linalg.solve(np.array(rows), target.ravel())
    return np.append(solved, 1.0).reshape(3, 3)


def translation(x: float, y: float) -> Matrix:
    """The map that adds (x, y)."""
    return np.array([[1.0, 0.0, x], [0.0, 1.0, y], [0.0, 0.0, 1.0]])


def rotation(degrees: float) -> Matrix:
    """The map under which a picture appears turned counter-clockwise: from where a point is to where it came from."""
    cosine, sine = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return np.array([[cosine, -sine, 0.0], [sine, cosine, 0.0], [0.0, 0.0, 1.0]])


def about_centre(matrix: Matrix, shape: tuple[int, int]) -> Matrix:
    """The same map with the centre of a picture of shape (height, width) as its fixed point."""
    height, width = shape
    return translation(width / 2, height / 2) @ matrix @ translation(-width / 2, -height / 2)


KINDS = {
    "jpeg": Kind(run=_jpeg, bounds=((1, 100), (420, 444)), optional=1),
    "webp": Kind(run=_webp, bounds=((1, 100),)),
    "avif": Kind(run=_avif, bounds=((1, 100),)),
    "resize": Kind(run=_resize, bounds=((0.02, 8),)),
    "scale": Kind(run=_scale, bounds=((0.02, 8),)),
    "fit": Kind(run=_fit, bounds=((16, 20_000),)),
    "aspect": Kind(run=_aspect, bounds=((0.25, 4),)),
    "blur": Kind(run=_blur, bounds=((0, 100),)),
    "median": Kind(run=_median, bounds=((3, 31),)),
    "noise": Kind(run=_noise, bounds=((0, 1),)),
    "salt": Kind(run=_salt, bounds=((0, 1),)),
    "brightness": Kind(run=_brightness, bounds=((0, 20),)),
    "contrast": Kind(run=_contrast, bounds=((0, 20),)),
    "gamma": Kind(run=_gamma, bounds=((0.1, 10),)),
    "grey": Kind(run=_grey),
    "hue": Kind(run=_hue, bounds=((-180, 180),)),
    "crop-in-place": Kind(run=_crop_in_place, bounds=((1, 100),)),
    "drop": Kind(run=_drop, bounds=((1, 100),)),
    "overlay": Kind(run=_overlay, bounds=((1, 100),)),
    "crop": Kind(run=_crop, bounds=((1, 100),)),
    "crop-area": Kind(run=_crop_area, bounds=((1, 100),)),
    "rotate": Kind(run=_rotate, bounds=((-180, 180),)),
    "turn": Kind(run=_turn, bounds=((-270, 270),)),
    "flip-horizontal": Kind(run=_flip_horizontal),
    "flip-vertical": Kind(run=_flip_vertical),
    "perspective": Kind(run=_perspective, bounds=((0, 30),)),
    "screenshot": Kind(run=_screenshot),
}
"""Every kind by name; the order of its values is that of its bounds."""
