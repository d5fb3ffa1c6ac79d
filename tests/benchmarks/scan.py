"""What `assay scan` costs beside its checks, and whether a scan that was killed ends in the same rows.

    python -m tests.benchmarks.scan [N] [--skip CHECK,…] [--jobs N]

N files are made of the two photographs that scikit-learn carries: 256 to 512 pixels a side, two in three JPEG, the
others PNG, one in fifty broken. The ceiling is what as many processes could do that did nothing but call the checks:
their times are measured in one process, on some of the files, before and after the scans. Beside the clock stands the
processor's time, which a busy machine changes less.
"""

from __future__ import annotations

import argparse
import math
import os
import resource
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from assay import catalog, exhibit
from assay.errors import UnreadableError
from assay.jobs.scan import Row, read_rows
from assay.jobs.scan.journal import journal_of
from assay.jobs.verify import processors
from assay.settings import from_environment
from assay.vocabulary import Check, Exhibit, Settings
from tests.seeds import photograph_file

FILES = 2_000
BROKEN_ONE_IN = 50
SAMPLE = 200
"""Files on which each check is timed, at most."""
READING = "reading and decoding"


class Seconds(NamedTuple):
    """What something took."""

    clock: float
    processor: float


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="?", type=int, default=FILES, metavar="N")
    parser.add_argument("--skip", default="", metavar="CHECK,…")
    parser.add_argument("--jobs", type=int, default=processors())
    options = parser.parse_args()
    settings = replace(from_environment(), skip=tuple(filter(None, options.skip.split(","))))
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        paths = make(folder / "pictures", options.files)
        command = _command(folder / "pictures", options)
        sample = paths[:: max(1, len(paths) // SAMPLE)]
        before = own_times(sample, settings)
        start = _start(paths[: options.jobs], options)
        seconds = _seconds(command, folder / "whole.parquet")
        again = _seconds(command, folder / "whole.parquet")
        after = own_times(sample, settings)
        _killed(command, folder / "killed.parquet", [options.files // 3, options.files * 2 // 3])
        _seconds(command, folder / "killed.parquet")
        whole, killed = (_timeless(read_rows(folder / f"{name}.parquet")) for name in ("whole", "killed"))
    if whole != killed or len(whole) != options.files:
        raise RuntimeError("a scan that was killed twice gave other rows")
    errors = sum(row.error is not None for row in whole)
    print(
        f"{len(whole):,} files, {errors} of them broken; skipped: {options.skip or 'nothing'}; {options.jobs} processes"
    )
    print("killed twice and continued: the same rows")
    own = {
        name: Seconds(*(statistics.fmean(pair) for pair in zip(before[name], after[name], strict=True)))
        for name in before
    }
    _print_speed(own, start, seconds, again, options)


def _print_speed(
    own: Mapping[str, Seconds], start: Seconds, whole: Seconds, again: Seconds, options: argparse.Namespace
) -> None:
    for name, mean in own.items():
        print(f"  {name:24} {mean.clock * 1e3:8.2f} ms a file, {mean.processor * 1e3:8.2f} ms of a processor")
    files = options.files - options.jobs
    speed = files / (whole.clock - start.clock)
    each = (whole.processor - start.processor) / files
    print(f"start, a file for each process  {start.clock:.1f} s, {start.processor:.1f} s of a processor")
    print(f"scan, start left out     {speed:8.1f} files/s, {each * 1e3:8.2f} ms of a processor a file")
    checks = [mean for name, mean in own.items() if name != READING]
    for what, parts in (("checks", checks), (f"checks, {READING}", [*checks, own[READING]])):
        ceiling = options.jobs / sum(part.clock for part in parts)
        share = sum(part.processor for part in parts) / each
        print(f"  ceiling, {what}: {ceiling:.1f} files/s; the scan reaches {speed / ceiling:.0%}")
        print(f"    {share:.0%} of its processor time is theirs")
    print(f"scan again, nothing changed {options.files / again.clock:8.1f} files/s")


def make(folder: Path, count: int) -> list[Path]:
    """Different pictures, always the same."""
    folder.mkdir()
    photographs = []
    for name in ("china", "flower"):
        with Image.open(photograph_file(name)) as image:
            photographs.append(image.convert("RGB"))
    for number in range(count):
        random = np.random.default_rng(number)
        jpeg = number % 3 < 2
        data = _picture(photographs[number % 2], random, "JPEG" if jpeg else "PNG")
        if number % BROKEN_ONE_IN == BROKEN_ONE_IN - 1:
            data = data[: len(data) // 2]
        (folder / f"{number:06d}.{'jpg' if jpeg else 'png'}").write_bytes(data)
    return sorted(folder.iterdir())


def _picture(photograph: Image.Image, random: np.random.Generator, format_name: str) -> bytes:
    width, height = (int(side) for side in random.integers(256, 513, 2))
    left, top = (int(at) for at in random.integers(0, (photograph.width - 320, photograph.height - 320)))
    cut = photograph.crop((left, top, left + 320, top + 320)).resize((width, height), Image.Resampling.LANCZOS)
    stream = BytesIO()
    cut.save(stream, format_name, quality=int(random.integers(70, 96)))
    return stream.getvalue()


def own_times(paths: Sequence[Path], settings: Settings) -> dict[str, Seconds]:
    """Mean time a file of each check, and of what comes before all of them; nothing for a file that cannot be read."""
    file_checks = catalog.make(catalog.FILE_CHECKS, settings)
    pixel_checks = [check for check in catalog.make(catalog.PIXEL_CHECKS, settings) if not getattr(check, "idle", None)]
    for check in pixel_checks:  # once, to load what there is to load
        check.examine(_read(paths[0], settings))
    times: dict[str, list[Seconds]] = defaultdict(list)
    for path in paths:
        _time_one(path, settings, (*file_checks, *pixel_checks), times)
    return {
        name: Seconds(*(math.fsum(column) / len(paths) for column in zip(*each, strict=True)))
        for name, each in times.items()
    }


def _time_one(path: Path, settings: Settings, checks: Iterable[Check], times: dict[str, list[Seconds]]) -> None:
    try:
        with _timed(times[READING]):
            received = _read(path, settings)
    except UnreadableError:
        return
    for check in checks:
        with _timed(times[check.id]):
            check.examine(received)


def _read(path: Path, settings: Settings) -> Exhibit:
    received = exhibit.inspect(exhibit.receive(path, str(path), settings.limits), settings.limits)
    pixels, _ = exhibit.decode(received, settings.limits)
    return replace(received, decoded=pixels)


@contextmanager
def _timed(times: list[Seconds]) -> Iterator[None]:
    clock, processor = time.perf_counter(), time.process_time()
    yield
    times.append(Seconds(clock=time.perf_counter() - clock, processor=time.process_time() - processor))


def _start(paths: Sequence[Path], options: argparse.Namespace) -> Seconds:
    """What a scan takes before it is at full speed: one of a file for each process."""
    with tempfile.TemporaryDirectory() as made:
        few = Path(made)
        for path in paths:
            (few / path.name).write_bytes(path.read_bytes())
        return _seconds(_command(few, options), few / "few.parquet")


def _command(folder: Path, options: argparse.Namespace) -> list[str]:
    skip = ["--skip", options.skip] if options.skip else []
    return [sys.executable, "-m", "assay", "scan", str(folder), "--jobs", str(options.jobs), "--quiet", *skip, "--out"]


def _seconds(command: Sequence[str], out: Path) -> Seconds:
    started, used = time.perf_counter(), _children_seconds()
    done = subprocess.run([*command, out], check=False)
    if done.returncode not in (0, 3):
        raise RuntimeError(f"assay scan: exit {done.returncode}")
    return Seconds(clock=time.perf_counter() - started, processor=_children_seconds() - used)


def _children_seconds() -> float:
    """Processor time of all processes that have ended and were begun from here, and of those that these began."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _killed(command: Sequence[str], out: Path, at: Iterable[int]) -> None:
    """Scan, and kill it when so many rows are in the journal."""
    for rows in at:
        process = subprocess.Popen([*command, out])
        while process.poll() is None and _rows(journal_of(out)) < rows:
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
        if process.wait() != -signal.SIGKILL:
            raise RuntimeError("the scan ended before it could be killed")


def _rows(journal: Path) -> int:
    return journal.read_bytes().count(b"\n") if journal.exists() else 0


def _timeless(rows: Iterable[Row]) -> list[Row]:
    return [replace(row, seconds=0.0) for row in rows]


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()
