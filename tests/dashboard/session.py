"""Sessions without a browser: pages run as Streamlit runs them, and what they drew is read back."""

from __future__ import annotations

import json
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

from streamlit.runtime.media_file_manager import MediaFileManager
from streamlit.runtime.memory_media_file_storage import MemoryMediaFileStorage
from streamlit.testing.v1 import AppTest, app_test

from tests.pages import Page

APP = Path(__file__).parents[2] / "dashboard" / "app.py"
SECONDS = 120.0
"""A run may take this long on a busy machine."""


class Downloads(MediaFileManager):
    """Streamlit's own, found again once the run is over that made it."""

    made: ClassVar[deque[Downloads]] = deque(maxlen=100)

    def __init__(self, storage: MemoryMediaFileStorage) -> None:
        super().__init__(storage)
        self.made.append(self)


app_test.MediaFileManager = Downloads  # type: ignore[misc]


def opened(view: str = "verify", **query: str) -> AppTest:
    """A new session that looks at a page."""
    session = AppTest.from_file(APP, default_timeout=SECONDS)
    session.query_params.update(query)
    session.run()
    if view != "verify":
        session.switch_page(f"views/{view}.py").run()
    return sound(session)


def drawn(function: Callable[..., None], *values: Any, **options: Any) -> AppTest:
    """A session whose page is what one function draws."""
    given = {"function": function, "values": values, "options": options}
    return sound(AppTest.from_function(_page, kwargs=given, default_timeout=SECONDS).run())


def _page(function, values, options) -> None:  # type: ignore[no-untyped-def] # noqa: ANN001 - Streamlit copies it
    function(*values, **options)


def drop(session: AppTest, files: dict[str, bytes]) -> AppTest:
    """Drop files in place of those that were there."""
    uploader = session.file_uploader[0]
    given = [(name, data, "application/octet-stream") for name, data in files.items()]
    uploader.set_value(given if uploader.accept_multiple_files else given[0])
    return sound(session.run())


def press(session: AppTest, label: str) -> AppTest:
    """Press the one button of that name."""
    (button,) = [each for each in session.button if each.label == label]
    return sound(button.click().run())


def wait(until: Callable[[], bool]) -> None:
    """For something that happens behind the page."""
    deadline = time.monotonic() + SECONDS
    while not until():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def sound(session: AppTest) -> AppTest:
    """The session, which is alive: nothing was raised on its page."""
    assert [(each.value, each.stack_trace) for each in session.exception] == []
    return session


def fragments(session: AppTest) -> Page:
    """All HTML of the page."""
    return Page("\n".join(each.value for each in session.main.html))


def words(session: AppTest) -> str:
    """All that is to be read on the page, but for what is in tables and on widgets."""
    headings = (session.title, session.header, session.subheader)
    texts = (session.markdown, session.caption, session.info, session.warning, session.error)
    said = [each.value for elements in (*headings, *texts) for each in elements]
    return " ".join([*said, fragments(session).text()])


def verdict(session: AppTest) -> str:
    """The headline of the report that is drawn."""
    (section,) = [each.value for each in session.main.html if 'aria-label="Verdict"' in each.value]
    heading = section[section.index("<h2>") + 4 : section.index("</h2>")]
    return Page(heading).text()


def downloaded(session: AppTest, label: str, which: int = 0) -> bytes:
    """What a download button hands out."""
    button = [each for each in session.get("download_button") if each.label == label][which]
    (manager,) = [each for each in Downloads.made if button.proto.deferred_file_id in each._deferred_callables]
    place = manager.execute_deferred(button.proto.deferred_file_id)
    return manager._storage.get_file(Path(place).name).content


def pictures(session: AppTest) -> list[dict[str, Any]]:
    """What each viewer on the page was given."""
    return [json.loads(each.proto.json) for each in session.get("bidi_component")]
