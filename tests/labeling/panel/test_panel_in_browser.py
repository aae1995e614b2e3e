"""The panel in a real browser: Chromium without a window looks at JupyterLab."""

import sqlite3
import time
from contextlib import closing

import nbformat
import pytest
from sklearn.datasets import load_digits

from tests._chromium import chromium, missing
from tests.labeling.panel._browser import Notebook, jupyterlab, wait_for

MISSING = missing("ipykernel", "ipywidgets", "jupyterlab")

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(bool(MISSING), reason=f"needs {', '.join(MISSING)}"),
]

Y = load_digits().target
OPEN = """
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from skbadge import BadgeQuerier
from skbadge.labeling import LabelingSession

X = load_digits().data[:200]
querier = BadgeQuerier(LogisticRegression(max_iter=500), random_state=0)
session = LabelingSession(
    querier, X, store="labels.sqlite", classes=range(10), train_every=4
)
"""
# Longer than the default: a busy machine may be late with a click.
PAUSE = 2
PANEL = "session.panel('image', pause={})"


class LabelingInBrowser:
    """What a person does with a panel, and what the ledger says of it."""

    def __init__(self, notebook, folder):
        self.notebook, self.path = notebook, folder / "labels.sqlite"

    def read(self, query):
        with closing(sqlite3.connect(self.path)) as ledger:
            return ledger.execute(query).fetchall()

    def prompt(self):
        """The number of the turn that is shown."""
        text = self.notebook.find(".widget-text input").get_attribute("value")
        return int(text.partition(">")[0])

    def row(self):
        """The id of the row that is shown: of the open ones, the last."""
        open_rows = self.read(
            "SELECT id FROM events GROUP BY id HAVING id NOT NULL AND max(seq) IN "
            "(SELECT seq FROM events WHERE kind IN ('asked', 'undone'))"
            "ORDER BY max(seq) DESC"
        )
        return int(open_rows[0][0])

    def wait_for_turn(self, number):
        wait_for(lambda: self.prompt() == number, f"turn {number}")

    def click(self, name):
        """Click on a button, and wait for the next row."""
        number = self.prompt()
        self.button(name).click()
        self.wait_for_turn(number + 1)

    def button(self, name):
        return self.notebook.find(".widget-button", text=name)

    def press(self, key):
        """Press a key, wherever the focus is, and wait for the next row."""
        from selenium.webdriver import ActionChains

        number = self.prompt()
        ActionChains(self.notebook.driver).send_keys(key).perform()
        self.wait_for_turn(number + 1)

    def double_click(self, name):
        from selenium.webdriver import ActionChains

        # As slow as people are: the next row is there by then.
        twice = ActionChains(self.notebook.driver).click(self.button(name))
        twice.pause(0.2).click().perform()

    def skipped(self, number):
        """Whether a turn is reached; if not, skip."""
        if self.prompt() < number:
            self.button("skip").click()
        return self.prompt() >= number

    def focus(self):
        self.notebook.find(".widget-text input").click()

    def answers(self):
        """The label of each row that has one and was not taken back."""
        found = self.read(
            "SELECT id, label FROM events AS done WHERE kind = 'labeled' AND seq NOT "
            "IN (SELECT refers_to FROM events WHERE kind = 'undone')"
        )
        ids = [int(id) for id, _ in found]
        assert len({*ids}) == len(ids), "a row was labelled twice"
        return {int(id): int(label) for id, label in found}


def write_notebook(path, *cells):
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    cells = [nbformat.v4.new_code_cell(cell.strip()) for cell in cells]
    book = nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})
    nbformat.write(book, path)


@pytest.fixture
def labeling(tmp_path):
    write_notebook(tmp_path / "digits.ipynb", OPEN, PANEL.format(0))
    write_notebook(tmp_path / "twice.ipynb", OPEN, PANEL.format(PAUSE))
    with jupyterlab(tmp_path) as address, chromium(tmp_path) as driver:
        yield LabelingInBrowser(Notebook(driver, address), tmp_path)


def test_digits_are_labeled_in_a_notebook(labeling, tmp_path):
    book = labeling.notebook
    book.open("digits.ipynb")
    book.run_all()
    labeling.wait_for_turn(1)

    labeling.focus()
    for _ in range(5):
        labeling.press(str(Y[labeling.row()]))
    for _ in range(5):
        labeling.click(str(Y[labeling.row()]))
    answers = labeling.answers()
    assert len(answers) == 10
    assert answers == {row: Y[row] for row in answers}

    row = labeling.row()
    labeling.click("undo")
    assert len(labeling.answers()) == 9
    undone = labeling.row()
    assert undone in answers
    labeling.click(str(Y[undone]))
    assert labeling.answers() == answers
    assert labeling.row() == row
    picture = book.find(".widget-html img")
    assert picture.get_property("naturalWidth") == 8
    book.driver.save_screenshot(str(tmp_path / "panel.png"))

    book.save()
    book.reload()
    labeling.focus()
    assert labeling.row() == row
    labeling.press(str(Y[row]))
    answers[row] = Y[row]
    assert labeling.answers() == answers

    row = labeling.row()
    book.run_all()
    labeling.wait_for_turn(1)
    assert labeling.row() == row
    labeling.click(str(Y[row]))
    answers[row] = Y[row]
    assert labeling.answers() == answers
    assert labeling.read("PRAGMA integrity_check") == [("ok",)]

    book.open("twice.ipynb")
    book.run_all()
    labeling.wait_for_turn(1)
    start = time.monotonic()
    book.save()
    book.reload()
    wait_for(lambda: time.monotonic() > start + PAUSE, "the pause")
    assert labeling.row() not in [row, *answers]
    labeling.double_click(str(Y[labeling.row()]))
    # A later click tells that both were heard.
    wait_for(lambda: labeling.skipped(3), "skipping a row")
    assert len(labeling.answers()) == len(answers) + 1
