"""Formulas as MathML, which browsers show by themselves: no script, no network."""

from docutils import nodes
from docutils.utils.math import MathError
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.util import logging

LOGGER = logging.getLogger(__name__)


def _append(translator, node, *, as_block):
    try:
        formula = tex2mathml(node.astext(), as_block=as_block)
    except MathError as error:
        LOGGER.warning("%s: %s", node.astext(), error, location=node)
        formula = f"<code>{translator.encode(node.astext())}</code>"
    if as_block:
        formula = f'<div class="math">{formula}</div>'
    translator.body.append(formula)
    raise nodes.SkipNode


def _visit_inline(translator, node):
    _append(translator, node, as_block=False)


def _visit_block(translator, node):
    _append(translator, node, as_block=True)


def setup(app):
    """Register the renderer, and take it."""
    app.add_html_math_renderer("mathml", (_visit_inline, None), (_visit_block, None))
    app.config.html_math_renderer_name = "mathml"
    return {"parallel_read_safe": True, "parallel_write_safe": True}
