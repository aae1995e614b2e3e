"""Links of pages that lead to files of the repository, which has a page here or none.

The pages are read on their own as well, so their links are those of the repository.
"""

import re

# What lies elsewhere in the repository, and the page that shows it.
PAGES = {
    "../CHANGELOG.md": "changelog.md",
}


def _target(found):
    path = found[1]
    script = re.fullmatch(r"\.\./examples/(plot_\w+)\.py", path)
    return (
        f"](auto_examples/{script[1]}.rst)" if script else f"]({PAGES.get(path, path)})"
    )


def rewrite(app, docname, source):
    """Let a page's links lead to pages."""
    if app.env.doc2path(docname).suffix == ".md":
        source[0] = re.sub(r"\]\((\.\./[^)#]+)\)", _target, source[0])


def setup(app):
    """Connect to the reading of pages."""
    app.connect("source-read", rewrite)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
