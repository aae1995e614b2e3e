"""Rows of several embeddings of one kind copied into one embedding of that kind."""

from copy import copy
from functools import reduce, singledispatch

import numpy as np
import torch

from skbadge.embeddings._base import Embedding
from skbadge.embeddings._conditioned import ConditionedEmbedding
from skbadge.embeddings._dense import DenseEmbedding
from skbadge.embeddings._factors import below_each_other
from skbadge.embeddings._input_kernel import InputKernelEmbedding
from skbadge.embeddings._on_device import DeviceEmbedding
from skbadge.embeddings._outer import OuterProductEmbedding
from skbadge.embeddings._product import ProductEmbedding
from skbadge.embeddings._row_stacked import RowStackedEmbedding
from skbadge.embeddings._scaled import ScaledEmbedding
from skbadge.embeddings._sparse import SparseEmbedding
from skbadge.embeddings._stacked import StackedEmbedding


def joined(parts):
    """Embeddings of one kind below each other, copied into one of that kind.

    `RowStackedEmbedding` copies nothing, and holds the parts as long as it lives. This
    is for a few rows out of many chunks that go.

    Parameters
    ----------
    parts : sequence of Embedding
        At least one. All of one kind, with equal numbers of columns.

    Returns
    -------
    embedding : Embedding
        Squared norms that all parts know are kept.
    """
    parts = list(parts)
    if len(parts) == 1:
        return parts[0]
    whole = below(*parts)
    norms_sq = [part._cached_norms_sq for part in parts]
    if all(norms is not None for norms in norms_sq):
        whole._cached_norms_sq = np.concatenate(norms_sq)
    return whole


@singledispatch
def below(first: Embedding, *others: Embedding) -> Embedding:
    """`joined` for a kind of embeddings; a new kind registers what it does."""
    raise TypeError(
        f"Rows of {type(first).__name__} from several chunks cannot be put into one "
        "embedding. Register what to do by `skbadge.embeddings._joined.below.register`."
    )


@below.register
def _(first: DenseEmbedding, *others):
    return DenseEmbedding(np.concatenate([part.matrix for part in (first, *others)]))


@below.register
def _(first: SparseEmbedding, *others):
    return SparseEmbedding(below_each_other([part.matrix for part in (first, *others)]))


@below.register
def _(first: OuterProductEmbedding, *others):
    parts = (first, *others)
    return OuterProductEmbedding(
        np.concatenate([part.left for part in parts]),
        below_each_other([part.right for part in parts]),
    )


@below.register
def _(first: ScaledEmbedding, *others):
    for other in others:
        first._check_factor(other)
    inner = joined([part.embedding for part in (first, *others)])
    return ScaledEmbedding(inner, first.factor)


@below.register
def _(first: StackedEmbedding, *others):
    columns = zip(*(part.parts for part in (first, *others)), strict=True)
    return StackedEmbedding([joined(parts) for parts in columns])


@below.register
def _(first: ProductEmbedding, *others):
    parts = (first, *others)
    return ProductEmbedding(
        joined([part.first for part in parts]), joined([part.second for part in parts])
    )


@below.register
def _(first: InputKernelEmbedding, *others):
    for other in others:
        first._table(other)
    parts = (first, *others)
    whole = copy(first)
    whole.X = below_each_other([part.X for part in parts])
    norms_sq = [part._input_norms_sq for part in parts]
    whole._input_norms_sq = np.concatenate(norms_sq)
    whole._cached_norms_sq = None
    return whole


@below.register
def _(first: ConditionedEmbedding, *others):
    parts = (first, *others)
    return first._of(
        joined([part.prior for part in parts]),
        np.concatenate([part.coordinates for part in parts]),
    )


@below.register
def _(first: RowStackedEmbedding, *others):
    # Parts that lie at the places their rows have in the whole.
    parts, places, start = [], [], 0
    for stack in (first, *others):
        positions = np.arange(start, start + len(stack))
        parts += stack.parts
        places += [positions[place] for place in stack._places]
        start += len(stack)
    return first._like(parts, places)


@below.register
def _(first: DeviceEmbedding, *others):
    factors = zip(*(part._factors for part in (first, *others)), strict=True)
    return type(first)(*(reduce(_rows_below, columns) for columns in factors))


def _rows_below(first, second):
    dtype = torch.promote_types(first.dtype, second.dtype)
    return torch.cat([first.to(dtype), second.to(first.device, dtype)])
