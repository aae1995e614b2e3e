"""Tables and pictures of the pages that are made from the results beside this file.

To print the tables, and to put them and the pictures into the pages::

    python examples/studies/pages.py
    python examples/studies/pages.py --write
"""

import argparse
import re
from functools import partial
from pathlib import Path

import badge_study
import bmdal_study
import evidence
import matplotlib.pyplot as plt
import plan

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md"]
PAGES += [
    ROOT / "docs" / f"{name}.md"
    for name in ("evidence", "reproduction", "reproduction_bmdal")
]
IMAGES = ROOT / "examples" / "images"
# What fills the places that are marked with these names.
TABLES = {
    "tables": evidence.tables,
    "as good": evidence.as_good,
    "rare rows": partial(evidence.rare_rows, "rare"),
    "rows of rare classes": partial(evidence.rare_rows, "rare_classes"),
    "summary": evidence.summary,
    "work": plan.work,
    "badge sentence": badge_study.sentence,
    "badge settings": badge_study.settings,
    "badge penalties": badge_study.penalties,
    "badge against": badge_study.against_badge,
    "badge times": badge_study.times,
    "badge optimiser": badge_study.optimiser,
    "badge samplers": badge_study.samplers,
    "badge diagnostics": badge_study.diagnostics,
    "badge curves": badge_study.curves,
    "bmdal sentence": bmdal_study.sentence,
    "bmdal rmse": bmdal_study.by_rmse,
    "bmdal metrics": bmdal_study.by_metric,
    "bmdal more": bmdal_study.more,
    "bmdal sizes": bmdal_study.sizes,
    "bmdal tails": bmdal_study.tails,
    "bmdal times": bmdal_study.times,
    "bmdal curves": bmdal_study.curves,
}
PICTURES = {"badge curves": badge_study.pictures, "bmdal curves": bmdal_study.pictures}


def filled(text):
    """A page with the tables of the results in the places that are marked for them."""
    for name in marked(text):
        start, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
        before, _, rest = text.partition(start)
        after = rest.partition(end)[2]
        text = f"{before}{start}\n\n{TABLES[name]().strip()}\n\n{end}{after}"
    return text


def marked(text):
    """Names of the places of a page."""
    return re.findall("<!-- end of (.*) -->", text)


def write(path):
    """Fill a page, and draw its pictures anew if their results are others."""
    old = path.read_text(encoding="utf-8")
    for name in PICTURES.keys() & set(marked(old)):
        if TABLES[name]() not in old:
            for file, draw in PICTURES[name]():
                figure = draw().figure_
                figure.savefig(IMAGES / f"{file}.png", dpi=90, bbox_inches="tight")
                plt.close(figure)
    # Last, for it says which results the pictures are of.
    path.write_text(filled(old), encoding="utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="into the pages")
    if parser.parse_args().write:
        for page in PAGES:
            write(page)
    else:
        for name, table in TABLES.items():
            print(f"{name}\n\n{table()}\n")
