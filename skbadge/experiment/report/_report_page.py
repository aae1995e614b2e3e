"""The page that a report is written to: texts, tables and pictures."""

import os
import re
import shutil
import warnings
from hashlib import sha256
from pathlib import Path
from tempfile import mkdtemp

from skbadge.experiment.report._blocks import File, Heading, Picture, Table, Text
from skbadge.experiment.report._csv_file import write_csv
from skbadge.experiment.report._html_page import HTML_START, html_page
from skbadge.experiment.report._markdown import MARKDOWN_START, markdown_page
from skbadge.experiment.store import is_beside_a_store
from skbadge.utils._optional import import_optional

_MARKDOWN, _HTML = "report.md", "report.html"
_MAX_LENGTH = 40


class Page:
    """The blocks of a report, and the folder that its tables and pictures go to.

    Parameters
    ----------
    out : path-like
        The folder, made if there is none. Files of an earlier report are replaced,
        others never.

    sources : list of Path
        Files that the report is made from, which are never replaced.
    """

    def __init__(self, out, sources):
        self.folder = Path(out)
        is_file = self.folder.exists() and not self.folder.is_dir()
        if is_file or is_beside_a_store(self.folder):
            raise FileExistsError(
                f"The report needs a folder. {str(out)!r} is a file, or belongs to a "
                "result store: choose another one."
            )
        self.folder.mkdir(parents=True, exist_ok=True)
        self.blocks = []
        self._sources = {os.path.realpath(path) for path in sources}
        self._written = {}
        self._replaceable = _files_of(self.folder)
        # The one in Markdown comes first, for it says which files are of a report.
        for name in (_MARKDOWN, _HTML):
            self._new_path(*os.path.splitext(name))
        # An earlier report stays until this one is whole.
        self._draft = Path(mkdtemp(prefix=".report-", dir=self.folder))

    def heading(self, text, level=3):
        self.blocks.append(Heading(text, level))

    def text(self, text):
        self.blocks.append(Text(text))

    def table(self, frame, name, *, shown=None, n_foot=0):
        """Write a table as CSV, and show it or a part of it.

        The last ``n_foot`` rows of what is shown sum up the others.
        """
        self.blocks.append(Table(frame if shown is None else shown, n_foot))
        self.file(frame, name)

    def file(self, frame, name, text=""):
        """Write a table as CSV, and name the file after a text."""
        path = self._new_path(name, ".csv")
        write_csv(frame, self._draft / path.name)
        self.blocks.append(File(path.name, text))

    def picture(self, draw, name, caption):
        """Draw a Display, unless there is too little to draw."""
        plt = import_optional("matplotlib.pyplot", extra="plot", purpose="A report")
        display = self.attempt(draw)
        if display is not None:
            path = self._new_path(name, ".png")
            with warnings.catch_warnings():
                # The caption has the names in letters that the picture's font lacks.
                warnings.filterwarnings("ignore", "Glyph .* missing from")
                display.figure_.savefig(
                    self._draft / path.name, dpi=120, bbox_inches="tight"
                )
            plt.close(display.figure_)
            self.blocks.append(Picture(path.name, caption))

    def attempt(self, compute):
        """What a function computes, or None and a text that says what it lacks."""
        try:
            return compute()
        except ValueError as error:
            self.text(f"Not available: {error}")
            return None

    def save(self):
        """Put the report in the place of an earlier one, all files of which go."""
        pages = {
            _MARKDOWN: markdown_page(self.blocks),
            _HTML: html_page(self.blocks, self._draft),
        }
        for name, text in pages.items():
            (self._draft / name).write_text(text, encoding="utf-8")
        for path in self._written.values():
            os.replace(self._draft / path.name, path)
        for name in self._replaceable - set(self._written):
            path = self.folder / name
            if os.path.realpath(path) not in self._sources:
                path.unlink(missing_ok=True)
        return self.folder / _MARKDOWN

    def close(self):
        """Delete what was not put in its place."""
        shutil.rmtree(self._draft, ignore_errors=True)

    def skipped(self, statistics, name):
        """Write what statistics left out, and show how often for which reason."""
        skipped = statistics.skipped
        if len(skipped):
            reasons = skipped["reason"].value_counts().rename("times").reset_index()
            self.text("Left out:")
            self.table(skipped, f"{name}_skipped", shown=reasons)

    def _new_path(self, name, suffix):
        """Where to write: to no file twice, and to none of somebody else's."""
        free, n = name, 1
        while f"{free}{suffix}" in self._written:
            n += 1
            free = f"{name}_{n}"
        path = self.folder / f"{free}{suffix}"
        is_source = os.path.realpath(path) in self._sources
        is_ours = path.name in self._replaceable and path.is_file() and not is_source
        if os.path.lexists(path) and not is_ours:
            raise FileExistsError(
                f"The report would replace {str(path)!r}, which is of no earlier "
                "report. It was left as it is: choose another folder."
            )
        self._written[path.name] = path
        return path


def _files_of(folder):
    """Names of the files of an earlier report in a folder, if there is one."""
    page = folder / _MARKDOWN
    if not _begins_with(page, MARKDOWN_START):
        return set()
    text = page.read_text(encoding="utf-8", errors="replace")
    # Names that look like links are escaped by backslashes.
    named = re.findall(r"(?<!\\)\]\(([^()/\\]+\.(?:csv|png|html))\)", text)
    files = {name for name in named if not name.endswith(".html")}
    if _HTML in named and _begins_with(folder / _HTML, HTML_START):
        files.add(_HTML)
    return {_MARKDOWN, *files}


def _begins_with(path, text):
    if not path.is_file():
        return False
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read(len(text)) == text


def slug(text):
    """Part of a file name for a name: the same each time, and another for each other.

    Examples
    --------
    >>> from skbadge.experiment.report._report_page import slug
    >>> slug("neg_log_loss"), slug("a b"), slug("A_b")
    ('neg_log_loss', 'a_b-c8687a08', 'a_b-08eb65ad')
    """
    # Some file systems do not tell capital letters from small ones.
    part = re.sub(r"[^a-z0-9_]+", "_", text.lower()).strip("_")[:_MAX_LENGTH]
    if part == text:
        return part
    mark = sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"{part}-{mark}" if part else mark
