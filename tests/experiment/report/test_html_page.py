"""report.html: the same as report.md, in one file that needs no other."""

import base64
import re
from pathlib import Path

import pandas as pd
import pytest

from skbadge.experiment import write_report
from tests.experiment.report._pages import HTMLPage
from tests.experiment.report._results import (
    NASTY,
    make_errors,
    make_frame,
    make_settings,
)

HOSTILE = [
    *NASTY[:3],
    "</script><script>alert(1)</script>",
    "</style><img src=x onerror=alert(1)>",
    "\"' onmouseover='alert(1)' \"",
    "<!-- -->&lt;&amp;",
    "</td></table>",
]


@pytest.fixture(autouse=True)
def _pictures_without_a_screen():
    pytest.importorskip("matplotlib").use("Agg")


def report_on(frame, folder, **options):
    """The text in Markdown, and the page."""
    path = write_report(frame, folder / "out", **options)
    page = path.with_suffix(".html").read_text(encoding="utf-8")
    return path.read_text(encoding="utf-8"), page


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    """A report's folder, its text in Markdown, and its page."""
    pytest.importorskip("matplotlib").use("Agg")
    folder = tmp_path_factory.mktemp("settings")
    return folder / "out", *report_on(make_settings(), folder)


def markdown_tables(text):
    blocks = re.findall(r"(?:^\|.*\n)+", text, flags=re.MULTILINE)
    tables = [
        [re.split(r"(?<!\\) ?\| ?", line)[1:-1] for line in block.splitlines()]
        for block in blocks
    ]
    return [
        [[unescaped(cell) for cell in row] for row in (head, *rows)]
        for head, _, *rows in tables
    ]


def unescaped(text):
    return re.sub(r"\\(.)", r"\1", text)


def on_one_line(text):
    return " ".join(text.split())


@pytest.mark.parametrize("make", [make_errors, make_settings])
def test_all_of_the_markdown_is_in_the_page(tmp_path, make):
    text, html = report_on(make(), tmp_path)
    page = HTMLPage(html)
    assert page.tables == markdown_tables(text)
    headings = re.findall(r"^(#+) (.*)$", text, flags=re.MULTILINE)
    for level in (1, 2, 3):
        expected = [unescaped(each) for marks, each in headings if len(marks) == level]
        assert page.texts(f"h{level}") == expected
    pictures = re.findall(r"^!\[(.*)\]\((.*)\)$", text, flags=re.MULTILINE)
    images = page.of("img")
    assert [image["alt"] for image in images] == [
        unescaped(each) for each, _ in pictures
    ]
    for image, (_, name) in zip(images, pictures, strict=True):
        kind, _, data = image["src"].partition(",")
        assert kind == "data:image/png;base64"
        assert base64.b64decode(data) == (tmp_path / "out" / name).read_bytes()
    lines = [each for each in text.split("\n\n")[2:] if each[0] not in "#|!["]
    shown = [each for each in page.texts("p") if each.strip()]
    said = [each for each in lines if not re.search(r"\]\([^)]+\)$", each.strip())]
    assert [unescaped(each.strip()) for each in said] == [
        each for each in shown if not each.endswith(": ")
    ]


def test_the_page_holds_the_csv_files(settings):
    folder, text, html = settings
    links = [each for each in HTMLPage(html).of("a") if "download" in each]
    names = re.findall(r"\]\(([^)]+\.csv)\)", text)
    assert [each["download"] for each in links] == names
    for link in links:
        kind, _, data = link["href"].partition(",")
        assert kind == "data:text/csv;base64"
        content = (folder / link["download"]).read_bytes()
        assert base64.b64decode(data) == content


def test_the_contents_lead_to_all_headings(settings):
    page = HTMLPage(settings[-1])
    links = [each["href"] for each in page.of("a") if "download" not in each]
    ids = [each["id"] for level in "23" for each in page.of(f"h{level}")]
    assert sorted(links) == sorted(f"#{each}" for each in ids)
    assert len(set(ids)) == len(ids)


def test_the_page_asks_for_nothing_from_elsewhere(settings):
    page = HTMLPage(settings[-1])
    assert not page.of("link")
    for _, attributes in page.elements:
        places = [attributes[name] for name in ("src", "href") if name in attributes]
        assert all(place.startswith(("data:", "#")) for place in places)
        assert not {"style", "srcset", "background"} & set(attributes)
    folder = Path(write_report.__code__.co_filename).parent
    for name in ("page.css", "page.js"):
        text = (folder / name).read_text(encoding="utf-8")
        assert not re.search(r"https?:|//\w|@import|url\(|</", text)


def test_names_mean_nothing_to_html(tmp_path):
    usual = make_frame(n_repeats=2)
    frames = [
        usual.assign(dataset=name, model=name).replace({"strategy": {"badge": name}})
        for name in HOSTILE
    ]
    metric = " ".join(HOSTILE)
    frame = pd.concat([usual, *frames]).assign(metric=metric)
    page = HTMLPage(report_on(frame, tmp_path / "a")[1])
    head, *rows = next(table for table in page.tables if "repeats" in table[0])
    for name in ("dataset", "model", "strategy"):
        assert {row[head.index(name)] for row in rows} >= set(HOSTILE)
    assert metric in page.texts("h2")
    # No element is there, and no attribute, that a page of plain names lacks.
    plain = frame.replace({name: f"name {i}" for i, name in enumerate(HOSTILE)})
    plain = HTMLPage(report_on(plain.assign(metric="m"), tmp_path / "b")[1])
    assert {tag: set(there) for tag, there in page.elements} == {
        tag: set(there) for tag, there in plain.elements
    }
    assert len(page.elements) == len(plain.elements)


def test_the_same_results_make_the_same_page(settings, tmp_path):
    again = report_on(make_settings().sample(frac=1, random_state=0), tmp_path)
    assert again == settings[1:]


def test_cells_keep_what_rounding_hides(tmp_path):
    frame = make_frame()
    frame.loc[frame["strategy"] == "badge", "fit_time"] = 1.234567
    page = HTMLPage(report_on(frame, tmp_path)[1])
    values = [each["data-value"] for each in page.of("td") if "data-value" in each]
    assert "1.234567" in values
    assert any("1.235" in row for table in page.tables for row in table)


def test_a_page_that_is_not_of_a_report_is_left(tmp_path):
    text, _ = report_on(make_frame(), tmp_path)
    page = tmp_path / "out" / "report.html"
    page.write_text("<!doctype html><title>Mine</title>")
    with pytest.raises(FileExistsError, match=r"replace '.*report\.html', which is of"):
        write_report(make_frame(n_repeats=2), tmp_path / "out")
    assert page.read_text() == "<!doctype html><title>Mine</title>"
    assert (tmp_path / "out" / "report.md").read_text() == text
    page.unlink()
    write_report(make_frame(n_repeats=2), tmp_path / "out")


def test_a_page_without_its_report_in_markdown_is_left(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "report.html").write_text("mine")
    with pytest.raises(FileExistsError, match=r"report\.html"):
        write_report(make_frame(), tmp_path / "out")
    assert [each.name for each in (tmp_path / "out").iterdir()] == ["report.html"]


def test_a_link_in_the_place_of_the_page_is_not_followed(tmp_path):
    _, html = report_on(make_frame(), tmp_path)
    mine, page = tmp_path / "mine.html", tmp_path / "out" / "report.html"
    mine.write_text(html)
    page.unlink()
    page.symlink_to(mine)
    _, after = report_on(make_frame(n_repeats=2), tmp_path)
    assert mine.read_text() == html != after


def test_a_report_on_nothing_but_failures_has_a_page(tmp_path):
    class Failed:
        def to_frame(self):
            return make_frame()[:0]

        def failures_frame(self):
            run = {"dataset": "d", "model": "m", "strategy": "s", "n_query": 1}
            return pd.DataFrame([run | {"repeat": 0, "error": "<b>\n" * 30}])

    page = HTMLPage(report_on(Failed(), tmp_path)[1])
    assert on_one_line(page.tables[-1][-1][-1]) == on_one_line("<b>\n" * 30)
    assert not page.of("b")
    assert page.of("td")[-1] == {"class": "long"}
