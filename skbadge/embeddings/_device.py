"""Moving embeddings to a device of torch's, and back."""

from functools import singledispatch

import torch

from skbadge.embeddings._base import Embedding


@singledispatch
def to_device(embedding: Embedding, device: str | torch.device | None) -> Embedding:
    """Let products be formed on a device, such as a GPU.

    Samplers and transformations take what comes out as they take what goes in. Picks
    are the same but where rounding decides between almost equal rows.

    Parameters
    ----------
    embedding : Embedding of shape (n_rows, n_columns)
        Matrices, outer products and what is put together of them are moved. Kernels of
        the rows of a table and sparse matrices stay in main memory, and so do kinds of
        other packages that register nothing.

    device : str, torch.device or None
        A device with float64, such as "cuda". "cpu" lets torch form the products. None
        is main memory, without torch.

    Returns
    -------
    embedding : Embedding
        With the same entries.

    Examples
    --------
    >>> from skbadge.embeddings import DenseEmbedding, to_device
    >>> from skbadge.samplers import LCMD
    >>> embedding = to_device(DenseEmbedding([[0.0], [3.0], [4.0]]), "cpu")
    >>> LCMD().sample(embedding, 2)
    array([2, 0])
    """
    return embedding
