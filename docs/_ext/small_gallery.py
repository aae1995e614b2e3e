"""The gallery: the examples as they are, run in small.

Their constants are given other values while they run. Each page says which, and shows
the picture of the whole run where there is one.
"""

import os
import re
import shutil
import tempfile
from pathlib import Path
from unittest import mock
from urllib.error import URLError

from sphinx_gallery import gen_rst

from tests.examples._constants import constants_of, with_constants

DOCS = Path(__file__).parents[1]
EXAMPLES = DOCS.parent / "examples"
# Examples save pictures beside themselves.
COPIES = DOCS / "_examples"

# What is made smaller. An example that is not named here runs as it is.
SIZES = {
    "plot_quickstart": {"N_ROUNDS": 5, "N_REPEATS": 2},
    "plot_few_labels": {"N_ROUNDS": 5, "N_REPEATS": 4},
    "plot_batch_diagnostics": {"N_ROUNDS": 4, "N_REPEATS": 2},
    "plot_joint_entropy": {"N_ROUNDS": 3, "N_REPEATS": 2},
    "plot_openml_adult": {"N_REPEATS": 1},
    "plot_openml_letter": {"N_REPEATS": 1},
    "plot_monitoring": {"N_ROUNDS": 6},
    "plot_text": {"N_ROUNDS": 5, "N_REPEATS": 3},
    "plot_images": {"N_ROUNDS": 4, "N_REPEATS": 2},
    "plot_parquet_pool": {"N_ROWS": 2000, "BATCH_ROWS": 500},
    "plot_rare_class": {"N_REPEATS": 2},
    "plot_regression": {"N_REPEATS": 3},
}

# Those that come first; the others follow by name.
FIRST = [
    "plot_quickstart.py",
    "plot_few_labels.py",
    "plot_text.py",
    "plot_images.py",
]


def order_of(filename):
    """What the examples are sorted by."""
    place = FIRST.index(filename) if filename in FIRST else len(FIRST)
    return place, filename


GALLERY = {
    "examples_dirs": str(COPIES),
    "gallery_dirs": "auto_examples",
    "filename_pattern": r"/plot_",
    "backreferences_dir": "api/backreferences",
    "doc_module": ("skbadge",),
    "reset_modules": ("matplotlib",),
    "matplotlib_animations": False,
    "download_all_examples": False,
    "show_signature": False,
    "write_computation_times": False,
    "remove_config_comments": True,
    "abort_on_example_error": True,
    "within_subsection_order": "small_gallery.order_of",
}


def copy_examples():
    """Copy the examples to where they run."""
    shutil.rmtree(COPIES, ignore_errors=True)
    COPIES.mkdir()
    shutil.copy(DOCS / "gallery.rst", COPIES / "GALLERY_HEADER.rst")
    for path in sorted(EXAMPLES.glob("plot_*.py")):
        shutil.copy(path, COPIES)


_execute = gen_rst.execute_code_block


def _execute_in_small(compiler, block, example_globals, script_vars, *rest):
    """Run a block of an example, with what `SIZES` says of the constants it assigns."""
    sizes = SIZES.get(Path(script_vars["src_file"]).stem, {})
    if block.type == "code":
        here = constants_of(block.content) & sizes.keys()
        values = {name: sizes[name] for name in here}
        block = block._replace(content=with_constants(block.content, values))
    # Examples with a data set of the network have another for want of it.
    with mock.patch("urllib.request.urlopen", side_effect=URLError("none is asked")):
        return _execute(compiler, block, example_globals, script_vars, *rest)


def add_note(app, docname, source):
    """Say above an example what was made smaller, and show the whole run."""
    name = docname.rpartition("/")[2]
    if not docname.startswith("auto_examples/") or name not in SIZES:
        return
    sizes = ", ".join(f"``{key} = {value}``" for key, value in SIZES[name].items())
    note = (
        f"\n.. note::\n\n   What is shown below is a smaller run, with {sizes}, and "
        "without a network. What the text says of results is of the whole run, as the "
        "code stands.\n"
    )
    picture = EXAMPLES / "images" / f"{name.removeprefix('plot_')}.png"
    if picture.is_file():
        note += (
            "\n   .. dropdown:: The picture of the whole run\n\n"
            f"      .. image:: ../../examples/images/{picture.name}\n"
            "         :alt: The same picture as at the end, of all runs\n"
        )
    title_end = re.search(r"\n=+\n[^\n]+\n=+\n", source[0]).end()
    source[0] = source[0][:title_end] + note + source[0][title_end:]


def setup(app):
    """Take the place of what runs a block, and say so on the pages."""
    gen_rst.execute_code_block = _execute_in_small
    # Nothing that was downloaded before is used.
    os.environ["SCIKIT_LEARN_DATA"] = tempfile.mkdtemp()
    os.environ["TQDM_DISABLE"] = "1"
    app.connect("source-read", add_note)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
