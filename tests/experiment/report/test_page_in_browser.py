"""report.html in a real browser: Chromium without a window sorts its tables."""

import pandas as pd
import pytest

from skbadge.experiment import write_report
from tests._chromium import chromium, missing
from tests.experiment.report._results import make_frame

MISSING = missing()
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(bool(MISSING), reason=f"needs {', '.join(MISSING)}"),
]
HOSTILE = "</script><img src=x onerror='document.title=1'><script>document.title=2"
# Seconds of training of four strategies: shown as 1.235e+04 and so on.
TIMES = {"badge": 12345.6, "margin": 12345.1, "entropy": float("nan"), "random": 9.5}


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with chromium(tmp_path_factory.mktemp("chromium")) as driver:
        yield driver


@pytest.fixture
def page(browser, tmp_path):
    pytest.importorskip("matplotlib").use("Agg")
    base = make_frame(n_repeats=2)
    better = base[base["strategy"] == "badge"]
    frames = [base, *(better.assign(strategy=name) for name in ("margin", "entropy"))]
    frame = pd.concat(frames).assign(dataset=HOSTILE)
    frame["fit_time"] = frame["strategy"].map(TIMES)
    path = write_report(frame, tmp_path / "out").with_suffix(".html")
    browser.get(path.as_uri())
    return browser


def head_of(page, name):
    """The head of a column of the table of times."""
    return page.find_element(
        "xpath", f"(//table)[last()]//th[normalize-space(button)='{name}']"
    )


def column_of(page, number):
    cells = page.find_elements("xpath", f"(//table)[last()]/tbody/tr/td[{number}]")
    return [cell.text for cell in cells]


def test_a_click_sorts_by_numbers_as_they_were_and_another_turns_it_round(page):
    assert column_of(page, 4) == ["badge", "entropy", "margin", "random"]
    head = head_of(page, "fit_time")
    assert head.get_attribute("aria-sort") is None
    button = head.find_element("tag name", "button")
    button.click()
    assert column_of(page, 4) == ["random", "margin", "badge", "entropy"]
    assert column_of(page, 5) == ["9.5", "1.235e+04", "1.235e+04", "-"]
    assert head.get_attribute("aria-sort") == "ascending"
    button.click()
    # What is missing stays last.
    assert column_of(page, 4) == ["badge", "margin", "random", "entropy"]
    assert head.get_attribute("aria-sort") == "descending"


def test_names_are_sorted_by_keys_and_one_column_at_a_time(page):
    other, head = head_of(page, "fit_time"), head_of(page, "strategy")
    other.find_element("tag name", "button").click()
    button = head.find_element("tag name", "button")
    button.send_keys("\ue007")  # Enter
    button.send_keys(" ")
    assert column_of(page, 4) == ["random", "margin", "entropy", "badge"]
    assert head.get_attribute("aria-sort") == "descending"
    assert other.get_attribute("aria-sort") is None


def test_rows_that_sum_up_keep_their_place(page):
    table = page.find_element("xpath", "//table[tfoot]")
    for button in table.find_elements("tag name", "button"):
        button.click()
        rows = table.find_elements("xpath", ".//tr")
        assert rows[-1].text.startswith("column average")


def test_hostile_names_do_nothing_and_the_console_is_empty(page):
    assert page.title == "Active learning benchmark"
    assert column_of(page, 1) == [HOSTILE] * 4
    assert page.get_log("browser") == []


@pytest.mark.parametrize("width", [360, 1400])
def test_what_is_wide_scrolls_in_itself(page, width):
    size = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": True}
    page.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    script = "const root = document.documentElement; return root.scrollWidth"
    assert page.execute_script(script) <= width
    page.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_the_page_is_dark_where_the_reader_wants_it(page):
    colors = {}
    for scheme in ("light", "dark"):
        feature = {"name": "prefers-color-scheme", "value": scheme}
        page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})
        script = "return getComputedStyle(document.body)[arguments[0]]"
        colors[scheme] = [
            page.execute_script(script, name) for name in ("backgroundColor", "color")
        ]
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    assert colors["light"][0] == "rgb(255, 255, 255)"
    assert colors["dark"] == ["rgb(21, 24, 28)", "rgb(228, 231, 234)"]
