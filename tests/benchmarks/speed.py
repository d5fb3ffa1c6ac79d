"""`make bench`: what the guard, the explanation and the report cost, as ratios measured in one run.

    python -m tests.benchmarks.speed [FOLDER]

The peer is one bare process that does, on the same files, what a script would: c2pa, Pillow's open, EXIF and XMP; no
hash, no limits, no verdict. Both are timed as a user waits for them, start included. FOLDER holds images of one's own;
without one, photographs and signed files are made.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from io import BytesIO
from itertools import chain
from pathlib import Path
from typing import Any, TypeVar

from assay import catalog, codec, exhibit, policy
from assay.errors import UnreadableError
from assay.guard import Worker
from assay.jobs.protocol import Answer, Request, run
from assay.jobs.sources import expand
from assay.report.as_json import render_lines
from assay.report.privacy import masked
from assay.settings import from_environment
from assay.vocabulary import Limits, Report, Settings, ToolFacts
from forensics import trust

T = TypeVar("T")

FILES = 500
ROUNDS = 3
MAX_BYTES = 5_000_000
"""The latency figure is for files up to this size."""

BARE = """
import json, sys
from io import BytesIO
from c2pa import C2paError, Context, Reader
from PIL import Image
from forensics import trust
Image.MAX_IMAGE_PIXELS = None
import warnings; warnings.simplefilter("ignore")
context = Context.from_dict(json.loads(sys.argv[1]))
for path in sys.stdin.read().splitlines():
    data = open(path, "rb").read()
    try:
        reader = Reader.try_create(None, BytesIO(data), context=context)
        if reader is not None:
            with reader:
                json.loads(reader.json())
    except C2paError:
        pass
    try:
        with Image.open(BytesIO(data)) as image:
            exif = image.getexif()
            for tag in (0x8769, 0x8825):
                dict(exif.get_ifd(tag))
            image.getxmp()
    except Exception:
        pass
"""


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path)
    options = parser.parse_args()
    settings = from_environment()
    with tempfile.TemporaryDirectory() as made:
        paths = list(expand(str(options.folder or _make(Path(made)))))
        paths = (paths * (FILES // len(paths) + 1))[:FILES]
        sizes = sorted(path.stat().st_size for path in paths)
        print(f"{len(paths)} files, median {statistics.median(sizes) / 1e6:.2f} MB, largest {sizes[-1] / 1e6:.1f} MB")
        _throughput(paths, settings)
        _latency(paths, settings)
        _stages(paths, settings)
        _guard(paths, settings)
        _start()


def _throughput(paths: Sequence[Path], settings: Settings) -> None:
    """Alternating rounds, so that a busy machine is busy for all; processor time is what others disturb least."""
    bare: list[tuple[float, float]] = []
    guarded: dict[int, list[tuple[float, float]]] = {1: [], 2: []}
    for _ in range(ROUNDS):
        bare.append(_spent(lambda: _bare(paths, settings)))
        for workers, spent in guarded.items():
            spent.append(_spent(lambda workers=workers: _verify(paths, workers)))  # type: ignore[misc]
    print(f"bare process               {len(paths) / _median_of(bare):8.1f} files/s")
    for workers, spent in guarded.items():
        print(
            f"verify, {workers} worker{'s' if workers > 1 else ' '}          "
            f"{len(paths) / _median_of(spent):8.1f} files/s   "
            f"{_ratios(spent, bare, 0)} x the bare time, {_ratios(spent, bare, 1)} x its processor time"
        )
    print(f"scaling from 1 to 2 workers    {_median_of(guarded[1]) / _median_of(guarded[2]):.2f} x")


def _spent(call: Callable[[], object]) -> tuple[float, float]:
    """Seconds by the clock, and seconds of processor time of the processes that the call waits for."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = _seconds(call)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return seconds, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _median_of(spent: Sequence[tuple[float, float]]) -> float:
    return statistics.median(seconds for seconds, _ in spent)


def _ratios(spent: Sequence[tuple[float, float]], bare: Sequence[tuple[float, float]], which: int) -> str:
    """The median of the rounds, with the lowest and the highest."""
    ratios = sorted(each[which] / other[which] for each, other in zip(spent, bare, strict=True))
    return f"{statistics.median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})"


def _bare(paths: Sequence[Path], settings: Settings) -> None:
    configuration = json.dumps(trust.reader_settings(trust.load(settings)))
    subprocess.run([sys.executable, "-c", BARE, configuration], input="\n".join(map(str, paths)).encode(), check=True)


def _verify(paths: Sequence[Path], workers: int) -> None:
    checks = ("--skip", ",".join(catalog.PIXEL_CHECKS))  # the peer looks at no pixels
    command = [
        sys.executable,
        "-m",
        "assay",
        "verify",
        "--no-policy",
        *checks,
        "--format",
        "jsonl",
        "--files-from",
        "-",
    ]
    listed = "\n".join(map(str, paths)).encode()
    done = subprocess.run([*command, "--jobs", str(workers)], input=listed, stdout=subprocess.PIPE, check=False)
    if done.stdout.count(b"\n") != len(paths):
        raise RuntimeError(f"{len(paths)} files went in, other than that came out")


def _latency(paths: Sequence[Path], settings: Settings) -> None:
    checks = catalog.make(catalog.FILE_CHECKS, settings)
    seconds = []
    for path in dict.fromkeys(paths):
        if path.stat().st_size > MAX_BYTES:
            continue
        try:
            received = exhibit.inspect(exhibit.receive(path, str(path), Limits()), Limits())
        except Exception as error:
            print(f"  left out: {error}")
            continue
        started = time.perf_counter()
        for check in checks:
            check.examine(received)
        seconds.append(time.perf_counter() - started)
    cuts = statistics.quantiles(seconds, n=100)
    print(
        f"credentials + metadata     p50 {cuts[49] * 1e3:.1f} ms, p95 {cuts[94] * 1e3:.1f} ms, "
        f"slowest {max(seconds) * 1e3:.1f} ms (n = {len(seconds)} files up to 5 MB)"
    )


def _stages(paths: Sequence[Path], settings: Settings) -> None:
    """Where the processor time of one file goes, once everything is loaded."""
    checks = catalog.make(catalog.FILE_CHECKS, settings)
    tools = ToolFacts(assay="", libraries={}, trust=trust.load(settings).facts())
    spent: dict[str, float] = {}
    count = 0

    def timed(stage: str, call: Callable[..., T], *given: Any) -> T:
        started = time.process_time()
        done = call(*given)
        spent[stage] = spent.get(stage, 0.0) + time.process_time() - started
        return done

    different = [*dict.fromkeys(paths)]
    for number, path in enumerate(different * (ROUNDS + 1)):
        if number == len(different):  # the first round loads what is needed
            spent, count = {}, 0
        try:
            received = timed("read and hash", exhibit.receive, path, str(path), settings.limits)
            seen = timed("open and walk", exhibit.inspect, received, settings.limits)
        except UnreadableError:
            continue
        found = [timed(check.id, run, check, seen) for check in checks]
        count += 1
        answer = timed("between processes", _sent, Answer(facts=seen.facts, outcomes=tuple(chain.from_iterable(found))))
        timed("verdict and report", _reported, answer, tools)
    for stage, seconds in spent.items():
        print(f"  {stage:28} {seconds / count * 1e3:.2f} ms of processor time a file")


def _sent(answer: Answer) -> Answer:
    return codec.decode(Answer, json.loads(json.dumps(codec.encode(answer))))


def _reported(answer: Answer, tools: ToolFacts) -> str:
    verdict = policy.decide(answer.outcomes)
    report = Report(exhibit=answer.facts, outcomes=answer.outcomes, verdict=verdict, tools=tools)
    return render_lines([masked(report)])


def _guard(paths: Sequence[Path], settings: Settings) -> None:
    """The same request with and without a process between."""
    worker = Worker("assay.jobs.worker", codec.encode(settings), settings.limits)
    _ = worker.greeting
    path = str(min(paths, key=lambda each: abs(each.stat().st_size - 1_000_000)))
    plain = codec.encode(Request(name="/nonexistent", path="/nonexistent"))
    drawn = codec.encode(Request(name=path, path=path, decode=True))

    def decode_here() -> None:
        received = exhibit.inspect(exhibit.receive(Path(path), path, Limits()), Limits())
        exhibit.decode(received, Limits())
        for check in checks:
            check.examine(received)

    def decode_there() -> None:
        answer = worker.ask(drawn, name=path)
        worker.pixels(answer["height"], answer["width"])

    checks = catalog.make(catalog.FILE_CHECKS, settings)
    empty = _median(lambda: worker.ask(plain, name="x"), 200)
    here, there = _median(decode_here, 15), _median(decode_there, 15)
    worker.close()
    print(f"guard, an empty request        {empty * 1e3:.2f} ms")
    print(f"guard, decoded pixels and all  {there * 1e3:.1f} ms against {here * 1e3:.1f} ms unguarded")


def _start() -> None:
    command = [sys.executable, "-m", "assay", "--help"]
    seconds = _median(lambda: subprocess.run(command, capture_output=True, check=True), 7)
    print(f"assay --help                   {seconds:.3f} s")


def _median(call: Callable[[], object], times: int) -> float:
    return statistics.median(_seconds(call) for _ in range(times))


def _seconds(call: Callable[[], object]) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def _make(folder: Path) -> Path:
    """Ten photographs at 0.1 to 5 MB, half of them signed: from the two that scikit-learn carries."""
    from PIL import Image
    from sklearn.datasets import load_sample_images

    from generation.declaration import Declaration
    from generation.sign import sign
    from tests.authority import Authority

    signer = Authority.create().signer()
    exif = Image.Exif()
    exif[0x010F], exif[0x0110] = "Example", "Camera 1"
    for number, scale in enumerate((0.5, 1, 2, 3, 5) * 2):
        picture = Image.fromarray(load_sample_images().images[number % 2])
        size = (round(picture.width * scale), round(picture.height * scale))
        stream = BytesIO()
        picture.resize(size, Image.Resampling.LANCZOS).save(stream, "JPEG", quality=92, exif=exif)
        data = stream.getvalue()
        if number < 5:
            data = sign(data, "image/jpeg", signer, Declaration(title="photo.jpg", source_type="digitalCapture"))
        (folder / f"{number}.jpg").write_bytes(data)
    return folder


if __name__ == "__main__":
    main()
