"""The page that a report is written to: lines, tables and pictures."""

import re
from pathlib import Path

from skbadge.experiment.report._markdown import markdown_table
from skbadge.utils._optional import import_optional


class Page:
    """The lines of a report, and the folder that its tables and pictures go to."""

    def __init__(self, out):
        self.folder = Path(out)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.lines = []

    def line(self, text):
        self.lines += [text, ""]

    def table(self, frame, name, *, shown=None):
        """Write a table as CSV, and show it or a part of it."""
        frame.to_csv(self.folder / f"{name}.csv", index=False)
        self.line(markdown_table(frame if shown is None else shown))
        self.line(f"[{name}.csv]({name}.csv)")

    def picture(self, draw, name, caption):
        """Draw a Display, unless there is too little to draw."""
        plt = import_optional("matplotlib.pyplot", extra="plot", purpose="A report")
        display = self.attempt(draw)
        if display is not None:
            display.figure_.savefig(
                self.folder / f"{name}.png", dpi=120, bbox_inches="tight"
            )
            plt.close(display.figure_)
            self.line(f"![{caption}]({name}.png)")

    def attempt(self, compute):
        """What a function computes, or None and a line that says what it lacks."""
        try:
            return compute()
        except ValueError as error:
            self.line(f"Not available: {error}")
            return None

    def save(self):
        path = self.folder / "report.md"
        path.write_text("\n".join(self.lines), encoding="utf-8")
        return path

    def skipped(self, statistics, name):
        """Write what statistics left out, and show how often for which reason."""
        skipped = statistics.skipped
        if len(skipped):
            reasons = skipped["reason"].value_counts().rename("times").reset_index()
            self.line("Left out:")
            self.table(skipped, f"{name}_skipped", shown=reasons)


def slug(text):
    return re.sub(r"[^A-Za-z0-9-]+", "_", text).strip("_") or "unnamed"
