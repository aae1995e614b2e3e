"""Sphinx: ``sphinx-build -W --keep-going docs docs/_build/html``. Needs no network."""

import os
import re
import sys
from pathlib import Path

DOCS = Path(__file__).parent
sys.path[:0] = [str(DOCS / "_ext"), str(DOCS.parent)]

from reference import write_reference  # noqa: E402
from small_gallery import GALLERY, copy_examples  # noqa: E402

import skbadge  # noqa: E402

project = "skbadge"
author = "skbadge developers"
copyright = "skbadge developers, BSD 3-Clause"
version = release = skbadge.__version__

extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.doctest",
    "sphinx.ext.intersphinx",
    "sphinx_copybutton",
    "sphinx_design",
    "sphinx_gallery.gen_gallery",
    # Of docs/_ext.
    "mathml",
    "reference",
    "repository_links",
    "small_gallery",
]
exclude_patterns = ["_build", "_examples", "_ext", "api/backreferences", "gallery.rst"]
templates_path = ["_templates"]

# Pages.
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

# Docstrings. What is inherited from other packages is told in their documentation.
autosummary_generate = True
autodoc_typehints = "none"
autodoc_member_order = "groupwise"
autodoc_default_options = {
    "members": True,
    "inherited-members": (
        "BaseEstimator,ClassifierMixin,RegressorMixin,NeuralNet,Module,Dataset,"
        "dict,list,Exception"
    ),
}
numpydoc_show_class_members = False
numpydoc_xref_param_type = False
default_role = "name"
toc_object_entries_show_parents = "hide"
# Values in quotes are code.
smartquotes = False

# Every reference to a name of ours must be found.
nitpicky = True
nitpick_ignore_regex = [(r"py:.*", r"(?!skbadge\b).*")]

# The inventories of other projects are on the network: SKBADGE_INTERSPHINX=1 asks for
# them. Without, names of theirs are no links.
if os.environ.get("SKBADGE_INTERSPHINX") == "1":
    intersphinx_mapping = {
        "python": ("https://docs.python.org/3", None),
        "numpy": ("https://numpy.org/doc/stable", None),
        "scipy": ("https://docs.scipy.org/doc/scipy", None),
        "pandas": ("https://pandas.pydata.org/docs", None),
        "sklearn": ("https://scikit-learn.org/stable", None),
        "skorch": ("https://skorch.readthedocs.io/en/stable", None),
        "torch": ("https://docs.pytorch.org/docs/stable", None),
    }

sphinx_gallery_conf = GALLERY
copybutton_prompt_text = r">>> |\.\.\. "
copybutton_prompt_is_regexp = True

html_theme = "pydata_sphinx_theme"
html_title = "skbadge"
html_static_path = ["_static"]
html_css_files = ["skbadge.css"]
html_show_sourcelink = False
html_copy_source = False
html_theme_options = {
    "navbar_align": "left",
    "header_links_before_dropdown": 6,
    "show_prev_next": True,
    "show_toc_level": 2,
    "footer_start": ["copyright"],
    "footer_end": ["sphinx-version"],
    "secondary_sidebar_items": ["page-toc"],
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
}
html_sidebars = {"index": [], "comparison": [], "changelog": []}

copy_examples()
write_reference(DOCS / "api")


def skip_request_methods(app, what, name, member, skip, options):
    """Leave out the methods of metadata routing, which scikit-learn writes."""
    return True if re.fullmatch(r"set_\w+_request|get_metadata_routing", name) else skip


def setup(app):
    """Connect what is said above."""
    app.connect("autodoc-skip-member", skip_request_methods)
