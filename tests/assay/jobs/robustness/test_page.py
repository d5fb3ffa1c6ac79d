from pathlib import Path

import pytest

from assay.jobs.robustness.kept import read
from assay.jobs.robustness.page import render
from assay.jobs.robustness.results import Results
from tests.assay.jobs.robustness.examples import full

DOCS = Path(__file__).parents[4] / "docs"


def test_the_page_says_what_the_file_holds() -> None:
    page = render(full())

    assert "| clean | 4 | 0.750 [0.194, 0.994] | 0.750 [0.194, 0.994] |" in page  # found, by R's binom.test(3, 4)
    assert "| clean | 4 | 0.500 [0.068, 0.932] | 0.000 [0.000, 0.602] |" in page  # with a million keys
    assert "| clean | 4 | 0.750 [0.194, 0.994] | no payload |" in page
    assert "| reprompt | 4 | 1.000 [0.158, 1.000] |  |" in page  # transplanted, of the two that were found
    assert "9 [2, 22]" in page
    assert "| sealed-seed | fresh | 2 x 10 | 4 | 0.750 [0.194, 0.994] | 20 | 0.02 |" in page
    assert "| 50.50 | 50.00 | +0.50 [-0.10, +1.10] | 8 | 0.750 | 0.875 | -0.125 [-0.375, +0.125] |" in page


def test_the_committed_page_is_that_of_the_committed_results() -> None:
    results = DOCS / "robustness.json"
    if not results.exists():
        pytest.skip("no results were committed yet")

    assert (DOCS / "robustness.md").read_text() == render(read(results, Results))
