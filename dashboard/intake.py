"""Files in, examined once for as long as a page holds them. Nothing of them is written down, or outlives it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from assay.errors import AssayError
from assay.jobs.sources import expand
from assay.jobs.verify import Source, Upload
from assay.report.escape import visible
from assay.vocabulary import Limits, Report
from dashboard.fragments import complain
from dashboard.service import examiner, may_fetch, may_read_folders, settings, settle
from dashboard.viewer import Shown, encoded

_MOST_IN_FOLDER = 50
"""Files of a folder that a page examines by itself; more are for `assay scan`."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Item:
    """One file that is to be examined."""

    key: str
    """The same file under the same name has the same key for as long as the page holds it."""
    source: Source

    @property
    def has_path(self) -> bool:
        """Whether it stands in a folder of this machine; what was dropped or fetched does not."""
        return not isinstance(self.source, Upload)

    @property
    def name(self) -> str:
        """As it is shown while nothing else is known of it."""
        return visible(self.source.name if isinstance(self.source, Upload) else str(self.source))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Seen:
    """One file that was examined."""

    report: Report
    """Before any rule of the publisher's is applied."""
    shown: Shown | None
    """None where there are no pixels."""


def received() -> list[Item]:
    """Ask for files, and return those that the page holds now."""
    most = settings().limits.max_bytes // 2**20
    uploads = st.file_uploader(
        "Images to examine",
        accept_multiple_files=True,
        max_upload_size=most,
        help=f"Any image file, {most} MB at most each. Files stay in the memory of this process, and are forgotten "
        "when the page is closed.",
    )
    items = [Item(key=each.file_id, source=Upload(name=each.name, data=each.getvalue())) for each in uploads]
    if may_read_folders():
        items += _from_folder()
    if may_fetch():
        items += _from_addresses(settings().limits)
    return items


def _from_folder() -> list[Item]:
    with st.expander("Or a file, a folder or a pattern on this machine"):
        name = st.text_input("Path", placeholder="/pictures/inbox", key="folder").strip()
    if not name:
        return []
    try:
        paths = list(expand(name))
    except AssayError as error:
        complain(error)
        return []
    if len(paths) > _MOST_IN_FOLDER:
        st.warning(
            f"There are {len(paths):,} images; the first {_MOST_IN_FOLDER} are examined here. "
            "For all of them, scan the folder on the Triage page, or with: assay scan",
            icon=":material/info:",
        )
    return [Item(key=_key(path), source=path) for path in paths[:_MOST_IN_FOLDER]]


def _key(path: Path) -> str:
    try:
        return f"{path}:{path.stat().st_mtime_ns}"
    except OSError:
        return str(path)


def _from_addresses(limits: Limits) -> list[Item]:
    with st.expander("Or addresses of images"):
        text = st.text_area("Addresses, one a line", placeholder="https://example.org/photo.jpg", key="addresses")
    items = []
    wanted = dict.fromkeys(filter(None, map(str.strip, text.splitlines())))
    kept: dict[str, Upload | AssayError] = st.session_state.setdefault("fetched", {})
    for address in kept.keys() - wanted.keys():
        del kept[address]
    for address in wanted:
        fetched = kept[address] = kept.get(address) or _fetched(address, limits)
        if isinstance(fetched, AssayError):
            complain(fetched)
        else:
            items.append(Item(key=address, source=fetched))
    return items


def _fetched(address: str, limits: Limits) -> Upload | AssayError:
    """Whatever came of it: a page that is drawn again does not ask again."""
    from assay.jobs.fetching import fetch  # noqa: PLC0415 - only where the network is allowed

    try:
        return fetch(address, limits)
    except AssayError as error:
        return error


def examined(items: Sequence[Item]) -> list[Seen]:
    """What there is to say of each; files that the page no longer holds are forgotten."""
    kept: dict[str, Seen] = st.session_state.setdefault("seen", {})
    for key in kept.keys() - {item.key for item in items}:
        del kept[key]
    waiting = [item for item in items if item.key not in kept]
    if waiting:
        for item, seen in _examined_now(waiting):
            kept[item.key] = seen
    return [kept[item.key] for item in items]


def _examined_now(items: Sequence[Item]) -> Iterator[tuple[Item, Seen]]:
    """Each picture is shown as soon as it is decoded, while the checks look at it."""
    bar, place = st.progress(0.0, text="Starting the checks …"), st.empty()
    with st.spinner("Examining", show_time=True), ThreadPoolExecutor(1) as beside:
        for number, item in enumerate(items):
            bar.progress(number / len(items), text=f"Examining {number + 1} of {len(items)}")
            received = examiner().read(item.source)
            judging = beside.submit(examiner().judge, received)
            shown = None if received.pixels is None else encoded(received.pixels)
            if shown is not None:
                place.image(shown.data, width=320, alt="The image that is being examined")
            report = judging.result().report
            settle()
            yield item, Seen(report=report, shown=shown)
    bar.empty()
    place.empty()
