"""Estimates of noise: levelled before they are compared, and turned into log-likelihoods before they are decoded."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from assay.vocabulary import Latents
from watermark import stream
from watermark.codes import Bits, PolarCode, Reals

Preparation: TypeAlias = Callable[[Latents], Reals]
"""From an estimate of the noise to an array of the same shape. It sees the estimate and nothing of the key."""

_CLIP = 3.0
_BANDS = 16
_ROUNDS, _DOUBT = 3, 0.02
_LEAST_SHARE, _MOST_SHARE = 0.02, 0.99
_WEAKEST_RATIO = 0.15
"""Signal to noise power per bit of the code word below which no payload is ever read."""
TRIES = 2
"""Word lists that `read` looks at."""


def level(noise: Latents, weights: Sequence[float] | None = None) -> Reals:
    """Each channel without its mean, scaled to unit power, cut at three; what is unknown (not finite) is 0.

    Inverting a picture that was edited shifts and scales channels, and throws out wild values.

    Args:
        noise: Shape (channels, height, width).
        weights: How much each channel is to count, if they are known to differ; from anything but the key.
    """
    values = np.array(noise, np.float64)
    known = np.isfinite(values)
    values[~known] = 0
    per_channel = np.maximum(known.sum(axis=(1, 2), keepdims=True), 1)
    centred = np.where(known, values - values.sum(axis=(1, 2), keepdims=True) / per_channel, 0)
    power = (centred**2).sum(axis=(1, 2), keepdims=True) / per_channel
    levelled: Reals = np.clip(centred / np.sqrt(np.where(power > 0, power, 1)), -_CLIP, _CLIP)
    return levelled if weights is None else levelled * np.reshape(weights, (-1, 1, 1))


def whiten(noise: Latents) -> Reals:
    """As `level`, with each channel's spectrum made flat over frequency bands: for errors that are mostly smooth."""
    spectra = np.fft.rfft2(level(noise))
    _, height, width = noise.shape
    frequency = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width))
    band = (frequency * _BANDS).astype(np.intp)
    in_band = np.bincount(band.ravel())
    for at, spectrum in enumerate(spectra):
        power = np.bincount(band.ravel(), weights=(np.abs(spectrum) ** 2).ravel()) / np.maximum(in_band, 1)
        spectra[at] = spectrum / np.sqrt(np.where(power > 0, power, 1))[band]
    whitened: Reals = np.fft.irfft2(spectra, s=(height, width))
    return whitened


@dataclass(frozen=True, slots=True, kw_only=True)
class Cover:
    """The key stream that a code word is hidden under."""

    mask: Bits
    """Added to payload and CRC before they are encoded, shape (message_bits,)."""
    pad: Bits
    """Added to the places of the word, shape (count,)."""


def cover_of(code: PolarCode, key: bytes, nonce: bytes, count: int) -> Cover:
    """The first bits of a key stream are the mask, the next `count` the pad."""
    mask, pad = np.split(stream.bits(key, nonce, code.message_bits + count), [code.message_bits])
    return Cover(mask=mask, pad=pad)


def hide(code: PolarCode, payload: int, cover: Cover) -> Bits:
    """The places of the payload's code word under the cover, shape (count,)."""
    count = len(cover.pad)
    word: Bits = code.encode(np.array([payload], np.uint64), count, cover.mask)[0, code.places(count)]
    return word ^ cover.pad


def signs_of(bits: Bits) -> Reals:
    """0 is +1, 1 is -1."""
    return np.where(bits, -1.0, 1.0)


def read(code: PolarCode, values: Reals, scales: Reals, cover: Cover, channels: NDArray[np.intp]) -> int | None:
    """The payload of a code word under a key stream; None where no CRC holds.

    Two tries: all values weighed alike, then each channel by what it seems to hold, since editing spares some channels.

    Args:
        code: Whose word it is.
        values: The prepared estimate, shape (count,), in the order in which the code fills the places; 0 is unknown.
        scales: The magnitudes that were written, shape (count,), or typical ones.
        cover: What the word was hidden under.
        channels: Which channel each value is of, shape (count,).
    """
    known = values != 0
    if not known.any():
        return None
    scales = np.where(known, scales, 0)
    evidence = signs_of(cover.pad) * scales * values / np.sqrt(np.mean(values[known] ** 2))
    llrs = _weighed_alike(code, evidence, scales, int(known.sum()))
    payload = code.decode(llrs, cover.mask)
    if payload is not None:
        return payload
    return code.decode(_weighed_by_channel(code, evidence, scales, llrs, channels), cover.mask)


def _weighed_alike(code: PolarCode, evidence: Reals, scales: Reals, known: int) -> Reals:
    """Log-likelihoods if each value is r times scale times sign, and normal noise; r is the most likely one."""
    share, noise = _share_of_signal(code.gather(evidence), scales, known)
    return np.asarray(2 * share * evidence / noise)


def _weighed_by_channel(
    code: PolarCode, evidence: Reals, scales: Reals, llrs: Reals, channels: NDArray[np.intp]
) -> Reals:
    """Log-likelihoods with a share r for each channel, by expectation maximisation over the unknown bits."""
    places = code.places(len(evidence))
    for _ in range(_ROUNDS):
        believed = np.tanh((code.gather(llrs)[places] - llrs) / 2)  # by the other copies of the bit
        signal = np.bincount(channels, weights=evidence * believed)
        power = np.bincount(channels, weights=scales**2 * (believed**2 + _DOUBT))
        shares = np.clip(signal / np.where(power > 0, power, 1), _LEAST_SHARE, _MOST_SHARE)
        llrs = 2 * (shares / (1 - shares**2))[channels] * evidence
    return llrs


def _share_of_signal(sums: Reals, scales: Reals, known: int) -> tuple[float, float]:
    """The most likely share r with the bits unknown, so both values of each are summed over; and the noise's power."""
    energy = float(np.sum(scales**2))
    lowest = min(math.sqrt(_WEAKEST_RATIO * len(sums) / energy), 0.9)
    shares = np.linspace(lowest, _MOST_SHARE, 64)
    noises = 1 - shares**2 * min(1.0, energy / known)
    arguments = np.abs(np.outer(shares / noises, sums))
    log_cosh = (arguments + np.log1p(np.exp(-2 * arguments))).sum(axis=1)
    fit = log_cosh - (shares**2 * energy + known) / (2 * noises) - known * np.log(noises) / 2
    best = int(np.argmax(fit))
    return float(shares[best]), float(noises[best])
