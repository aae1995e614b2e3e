"""The page that a report is written to: lines, tables and pictures."""

import os
import re
import shutil
import warnings
from hashlib import sha256
from pathlib import Path
from tempfile import mkdtemp

from skbadge.experiment.report._csv_file import write_csv
from skbadge.experiment.report._markdown import markdown_table, plain
from skbadge.experiment.store import is_beside_a_store
from skbadge.utils._optional import import_optional

TITLE = "# Active learning benchmark"
_MAX_LENGTH = 40


class Page:
    """The lines of a report, and the folder that its tables and pictures go to.

    Parameters
    ----------
    out : path-like
        The folder, made if there is none. Files of an earlier report are replaced,
        others never.

    sources : list of Path
        Files that the report is made from, which are never replaced.
    """

    def __init__(self, out, sources=()):
        self.folder = Path(out)
        is_file = self.folder.exists() and not self.folder.is_dir()
        if is_file or is_beside_a_store(self.folder):
            raise FileExistsError(
                f"The report needs a folder. {str(out)!r} is a file, or belongs to a "
                "result store: choose another one."
            )
        self.folder.mkdir(parents=True, exist_ok=True)
        self.lines = [TITLE, ""]
        self._sources = {os.path.realpath(path) for path in sources}
        self._written = {}
        self._replaceable = _files_of(self.folder / "report.md")
        self._new_path("report", ".md")
        # An earlier report stays until this one is whole.
        self._draft = Path(mkdtemp(prefix=".report-", dir=self.folder))

    def line(self, text):
        self.lines += [text, ""]

    def table(self, frame, name, *, shown=None):
        """Write a table as CSV, and show it or a part of it."""
        file = self.file(frame, name)
        self.line(markdown_table(frame if shown is None else shown))
        self.line(f"[{file}]({file})")

    def file(self, frame, name):
        """Write a table as CSV, and return the name of the file."""
        path = self._new_path(name, ".csv")
        write_csv(frame, self._draft / path.name)
        return path.name

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
            self.line(f"![{plain(caption)}]({path.name})")

    def attempt(self, compute):
        """What a function computes, or None and a line that says what it lacks."""
        try:
            return compute()
        except ValueError as error:
            self.line(f"Not available: {plain(error)}")
            return None

    def save(self):
        """Put the report in the place of an earlier one, all files of which go."""
        page = self.folder / "report.md"
        text = "\n".join(self.lines)
        (self._draft / page.name).write_text(text, encoding="utf-8")
        # The page comes first, for it says which files are of a report.
        for path in self._written.values():
            os.replace(self._draft / path.name, path)
        for name in self._replaceable - set(self._written):
            path = self.folder / name
            if os.path.realpath(path) not in self._sources:
                path.unlink(missing_ok=True)
        return page

    def close(self):
        """Delete what was not put in its place."""
        shutil.rmtree(self._draft, ignore_errors=True)

    def skipped(self, statistics, name):
        """Write what statistics left out, and show how often for which reason."""
        skipped = statistics.skipped
        if len(skipped):
            reasons = skipped["reason"].value_counts().rename("times").reset_index()
            self.line("Left out:")
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


def _files_of(page):
    """Names of the files of an earlier report, if there is one."""
    if not page.is_file():
        return set()
    text = page.read_text(encoding="utf-8", errors="replace")
    if not text.startswith(TITLE):
        return set()
    # Names that look like links are escaped by backslashes.
    files = re.findall(r"(?<!\\)\]\(([^()/\\]+\.(?:csv|png))\)", text)
    return {page.name, *files}


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
