"""A pool in two dimensions: where its rows lie, as a strategy sees them."""

from dataclasses import dataclass

import numpy as np
from scipy import sparse
from sklearn.decomposition import PCA
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from skbadge.embeddings import sketch
from skbadge.embeddings._sparse import matrix_embedding
from skbadge.outputs import Needs
from skbadge.pools import frame_to_array, is_frame, n_rows, not_numeric, take_rows
from skbadge.strategies import EmbeddingStrategy

# Above this, embeddings are sketched before their components are sought.
_MAX_BYTES = 2**27
_N_SKETCH = 512


@dataclass(frozen=True, eq=False)
class Projection:
    """Rows in two dimensions, see `project_query`.

    Attributes
    ----------
    pool : ndarray of shape (n_shown, 2)
        Rows of the pool that were not picked.

    pool_rows : ndarray of shape (n_shown,)
        Their positions in the pool, int64, in ascending order.

    picks : ndarray of shape (n_picks, 2)
        The picked rows, in order of selection.

    labeled : ndarray of shape (n_labeled, 2) or None
        The labelled rows.

    labeled_rows : ndarray of shape (n_labeled,) or None
        Their positions among all labelled rows.

    explained : tuple of float
        Share of the variance along each of the two axes.

    space : str
        What was projected, for the axes' labels.
    """

    pool: np.ndarray
    pool_rows: np.ndarray
    picks: np.ndarray
    labeled: np.ndarray | None
    labeled_rows: np.ndarray | None
    explained: tuple
    space: str


def project_query(
    querier, X_pool, picks, *, with_labeled=True, max_points=5000, random_state=None
):
    """Project pool, picks and labelled rows to the pool's two principal components.

    Parameters
    ----------
    querier : BadgeQuerier
        Trained.

    X_pool : array-like, or what the estimator takes
        The pool, as the querier takes it.

    picks : ndarray of shape (n_picks,)
        Distinct positions in the pool.

    with_labeled : bool, default=True
        Whether to project the labelled rows, if there are any.

    max_points : int, default=5000
        Rows of the pool, and labelled rows, to show at most: a random part, picked
        rows not counted.

    random_state : None, int or RandomState
        Draws that part, and the random vectors of large projections.

    Returns
    -------
    projection : Projection
        In float64. The components are those of the pool's rows that are shown.
    """
    check_is_fitted(querier)
    rng = check_random_state(random_state)
    others = np.setdiff1d(np.arange(n_rows(X_pool)), picks)
    others = _part(others, max_points, rng)
    shown = np.concatenate([picks, others]).astype(np.int64)
    X_labeled = getattr(querier, "X_labeled_", None) if with_labeled else None
    labeled_rows = None
    if X_labeled is not None:
        labeled_rows = _part(np.arange(n_rows(X_labeled)), max_points, rng)
    matrices, space = _coordinates(
        querier, [(X_pool, shown), (X_labeled, labeled_rows)], rng.randint(2**31 - 1)
    )
    points, explained = _principal(matrices, rng)
    return Projection(
        pool=points[0][len(picks) :],
        pool_rows=others.astype(np.int64),
        picks=points[0][: len(picks)],
        labeled=points[1] if len(points) > 1 else None,
        labeled_rows=labeled_rows,
        explained=explained,
        space=space,
    )


def _part(rows, n, rng):
    return rows if len(rows) <= n else np.sort(rng.choice(rows, n, replace=False))


def _coordinates(querier, parts, seed):
    """Rows as vectors, in the first space there is: a matrix for each part."""
    parts = [(X, rows) for X, rows in parts if X is not None]
    strategy = getattr(querier, "strategy_", None)
    if isinstance(strategy, EmbeddingStrategy):
        read = _read(querier, parts, None)
        found = [strategy.embed(part) for part in read]
        return _dense(found, seed), "the strategy's embedding"
    try:
        read = _read(querier, parts, Needs(features=True, sparse=True))
        found = [matrix_embedding(part.features) for part in read]
        return _dense(found, seed), "the model's features"
    except (TypeError, ValueError):
        # A net without a last linear layer has none.
        found = [matrix_embedding(_numeric(*part)) for part in parts]
        return _dense(found, seed), "the input"


def _read(querier, parts, needs):
    """What the model says of each part, columns standardised by the first."""
    read = []
    for X, _ in parts:
        like = read[0] if read else None
        read.append(querier.outputs(X, needs=needs, like=like))
    return [outputs.take(rows) for outputs, (_, rows) in zip(read, parts, strict=True)]


def _dense(embeddings, seed):
    """Their matrices; if they are large, those of one sketch of all."""
    n_rows = sum(len(embedding) for embedding in embeddings)
    row_bytes = embeddings[0].shape[1] * embeddings[0].dtype.itemsize
    if n_rows * row_bytes > _MAX_BYTES:
        return [
            sketch(embedding, _N_SKETCH, random_state=seed).to_dense()
            for embedding in embeddings
        ]
    return [embedding.to_dense() for embedding in embeddings]


def _numeric(X, rows):
    part = take_rows(X, rows)
    if is_frame(part):
        others = set(not_numeric(part))
        table = frame_to_array(
            part[[name for name in part.columns if name not in others]]
        )
    else:
        if sparse.issparse(part):
            return part
        table = np.asarray(part)
    if table.ndim < 2 or table.dtype.kind not in "biuf" or not table.size:
        raise TypeError(
            "There is nothing to project: the strategy has no embedding, the model no "
            f"features, and the rows are no numbers. Got a {type(X).__name__}."
        )
    return table.reshape(len(table), -1)


def _principal(matrices, rng):
    """Two coordinates of the rows of each matrix, the components from the first."""
    matrices = [np.asarray(part, dtype=np.float64) for part in matrices]
    n_components = min(2, *matrices[0].shape)
    pca = PCA(n_components, random_state=rng)
    # One row, or equal ones, have no variance to share out.
    with np.errstate(invalid="ignore", divide="ignore"):
        pca.fit(matrices[0])
    missing = 2 - n_components
    points = [np.pad(pca.transform(part), [(0, 0), (0, missing)]) for part in matrices]
    shares = np.nan_to_num(pca.explained_variance_ratio_)
    return points, tuple(float(share) for share in np.pad(shares, (0, missing)))
