"""The pages of the reference: each public package, with all names of its ``__all__``.

And the role of single backticks in docstrings: a link if it is a name of ours.
"""

import inspect
from importlib import import_module
from pathlib import Path

from docutils import nodes
from sphinx import addnodes
from sphinx.util import logging

import skbadge

LOGGER = logging.getLogger(__name__)

# Layers, first to last, and beside them what stands in none.
PACKAGES = [
    "skbadge",
    "skbadge.strategies",
    "skbadge.pools",
    "skbadge.outputs",
    "skbadge.embeddings",
    "skbadge.samplers",
    "skbadge.nn",
    "skbadge.inspection",
    "skbadge.monitoring",
    "skbadge.labeling",
    "skbadge.datasets",
    "skbadge.experiment",
    "skbadge.exceptions",
]
# Headings of those that have more than classes and functions to tell apart.
BASES = "For strategies of your own"
GROUPS = {
    "skbadge.strategies": {
        "Gradient embeddings and other kernels": [
            "Badge", "BadgeKDPP", "BadgeKCenter", "BadgeMaxDet", "Bait", "CoreSet",
        ],
        "Scores": [
            "LeastConfidence", "Margin", "Entropy", "VoteEntropy", "Bald", "EPIG",
        ],
        "First and few labels": [
            "MaxHerding", "UncertaintyHerding", "TypiClust", "Centroids", "DropQuery",
            "AlfaMix", "Clue", "Falcun", "Refine",
        ],
        "Rare classes, large batches, many strategies": [
            "Direct", "ClusterMargin", "BatchBald", "ALBL", "Random",
        ],
        "Regression, and any kernel": [
            "LCMD", "PosteriorVariance", "PosteriorMaxDet", "PosteriorBait",
            "PosteriorKMeansPlusPlus", "AcsFW", "IGS",
        ],
        BASES: [
            "Strategy", "ScoreStrategy", "EmbeddingStrategy", "Recipe",
            "CallableStrategy",
        ],
    },
    "skbadge.pools": {
        "Pools in chunks": [
            "ChunkedPool", "from_arrays", "from_chunks", "from_dask", "from_parquet",
        ],
    },
    "skbadge.samplers": {
        "What samplers are given, and give": [
            "Sampler", "Feasible", "OpenRows", "Selection",
        ],
    },
}  # fmt: skip
REST = {"skbadge.pools": "Rows of anything, for readers of your own"}


def names_of(package):
    """The public names of a package, as it lists them."""
    module = import_module(package)
    listed = getattr(module, "__all__", None)
    if listed is None:
        listed = [
            name
            for name, value in vars(module).items()
            if getattr(value, "__module__", "") == package
        ]
    return [name for name in listed if not name.startswith("__")]


def _table(names):
    lines = "\n".join(f"   {name}" for name in names)
    return f".. autosummary::\n   :toctree: generated\n   :nosignatures:\n\n{lines}\n"


def page_of(package):
    """The page of a package, in reStructuredText."""
    module = import_module(package)
    summary = inspect.getdoc(module).partition("\n\n")[0]
    lines = [package, "=" * len(package), "", summary, "", f".. module:: {package}", ""]
    left = names_of(package)
    groups = dict(GROUPS.get(package, {}))
    grouped = {name for names in groups.values() for name in names}
    rest = [name for name in left if name not in grouped]
    values = {name: getattr(module, name) for name in rest}
    classes = [name for name, value in values.items() if inspect.isclass(value)]
    functions = [name for name, value in values.items() if inspect.isroutine(value)]
    others = [name for name in rest if name not in {*classes, *functions}]
    if package in REST:
        groups[REST[package]] = rest
    else:
        groups |= {"Classes": classes, "Functions": functions}
    for heading, names in groups.items():
        if names:
            lines += [heading, "-" * len(heading), "", _table(names)]
    for name in others:
        lines += [f".. autodata:: {name}", "   :no-value:", ""]
    return "\n".join(lines)


def write_reference(folder):
    """Write a page for each public package."""
    folder.mkdir(exist_ok=True)
    for package in PACKAGES:
        path = Path(folder, f"{package}.rst")
        text = page_of(package)
        # One that is as it was is not read again.
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


def full_names():
    """Short names that mean one object of ours, and the name it is documented by."""
    return {
        name: f"{package}.{name}"
        for package in reversed(PACKAGES)
        for name in names_of(package)
    }


FULL = full_names()


def _documented(name, current):
    """The full name of an object of ours, or None."""
    if name.startswith("skbadge."):
        # An attribute is told with its class.
        owner, _, member = name.rpartition(".")
        short = owner.rpartition(".")[2]
        return owner if FULL.get(short) == owner and not _has(owner, member) else name
    owner = FULL.get((current or "").rpartition(".")[2])
    if owner and _has(owner, name):
        return f"{owner}.{name}"
    head, _, member = name.partition(".")
    if head not in FULL:
        return None
    return _documented(f"{FULL[head]}.{member}", None) if member else FULL[head]


def _has(owner, name):
    """Whether a class of ours has a method or a property of that name."""
    package, _, short = owner.rpartition(".")
    value = getattr(getattr(import_module(package), short), name, None)
    return not name.startswith("_") and (callable(value) or isinstance(value, property))


def name_role(role, rawtext, text, lineno, inliner, options=None, content=()):
    """A name in single backticks: a link if it is one of ours, else code."""
    env = inliner.document.settings.env
    shown = text.removeprefix("~")
    target = _documented(shown, env.ref_context.get("py:class"))
    if text.startswith("~"):
        shown = shown.rpartition(".")[2]
        target = target or text[1:]
    code = nodes.literal(rawtext, shown, classes=["xref", "py", "py-obj"])
    if target is None:
        return [nodes.literal(rawtext, shown)], []
    link = addnodes.pending_xref(
        rawtext, code, refdomain="py", reftype="obj", reftarget=target,
        refexplicit=True, refwarn=True, refdoc=env.docname,
    )  # fmt: skip
    link.source, link.line = inliner.reporter.get_source_and_line(lineno)
    return [link], []


def check_reachable(app, env):
    """Warn of public names that the reference does not have."""
    found = {name for name, *_ in env.domains["py"].get_objects()}
    for package in PACKAGES:
        for name in names_of(package):
            if f"{package}.{name}" not in found:
                LOGGER.warning("%s.%s is not in the reference", package, name)


def setup(app):
    """Register the role and the check."""
    assert {f"skbadge.{name}" for name in skbadge._SUBPACKAGES} < set(PACKAGES)
    app.add_role("name", name_role)
    app.connect("env-check-consistency", check_reachable)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
