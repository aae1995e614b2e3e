"""Moving embeddings to a device of torch's, and back."""

from functools import singledispatch

from skbadge.embeddings._dense import DenseEmbedding
from skbadge.embeddings._scaled import ScaledEmbedding
from skbadge.embeddings._stacked import StackedEmbedding


@singledispatch
def to_device(embedding, device):
    """Let products be formed on a device, such as a GPU.

    Samplers and transformations take what comes out as they take what goes in. Picks
    are the same but where rounding decides between almost equal rows.

    Parameters
    ----------
    embedding : Embedding of shape (n_rows, n_columns)
        Matrices and stacks of matrices are moved. Kinds that are known by factors or by
        a formula stay in main memory.

    device : str, torch.device or None
        A device with float64, such as "cuda"; "cpu" lets torch form the products. None
        is main memory, without torch.

    Returns
    -------
    embedding : Embedding of shape (n_rows, n_columns)
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


@to_device.register
def _(embedding: DenseEmbedding, device):
    if device is None:
        return embedding
    from skbadge.embeddings._tensor import tensor_embedding

    return tensor_embedding(embedding.matrix, device)


@to_device.register
def _(embedding: StackedEmbedding, device):
    return StackedEmbedding([to_device(part, device) for part in embedding.parts])


@to_device.register
def _(embedding: ScaledEmbedding, device):
    return ScaledEmbedding(to_device(embedding.embedding, device), embedding.factor)


@singledispatch
def projected(embedding, directions):
    """Coordinates of the rows along some directions, where the rows are.

    Parameters
    ----------
    embedding : Embedding of shape (n_rows, n_columns)
        The rows.

    directions : ndarray of shape (n_columns, n_directions)
        One direction in each column.

    Returns
    -------
    projected : Embedding of shape (n_rows, n_directions)
        Dense, in float64, on the same device.
    """
    return DenseEmbedding(embedding.project(directions))
