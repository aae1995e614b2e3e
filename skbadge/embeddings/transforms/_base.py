"""What transformations of embeddings share, and how several follow one another."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Self

from sklearn.base import BaseEstimator, clone
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from skbadge.embeddings._base import Embedding
from skbadge.embeddings._checked import check_embedding, check_finite
from skbadge.utils._row_errors import rows_among
from skbadge.utils._typing import RandomState


class EmbeddingTransformer(BaseEstimator, ABC):
    """A map of embeddings to embeddings that is learned from the labelled rows.

    A subclass stores its parameters in the constructor, lists them in
    ``_parameter_constraints``, and implements `_fit` and `_transform` for valid input.
    Where nothing is labelled yet, `_fit` says what the map is.

    Attributes
    ----------
    needs_rows : bool
        Whether the map depends on rows at all.

    n_columns_in_ : int, inf or None
        Number of columns of the rows that it was fitted on; None if there were none.
    """

    _parameter_constraints: dict = {}
    needs_rows: bool = True

    def fit(
        self, labeled: Embedding | None = None, pool: Embedding | None = None
    ) -> Self:
        """Learn the map.

        Parameters
        ----------
        labeled : Embedding of shape (n_labeled, n_columns) or None
            The rows that are labelled.

        pool : Embedding of shape (n_rows, n_columns) or None
            The rows that are not. They count only where no row is labelled: then
            `Scale` takes its factor from them, and a posterior is the prior. `Sketch`
            needs neither.

        Returns
        -------
        self : EmbeddingTransformer
            Fitted.

        Raises
        ------
        ValueError
            If there are no rows where some are needed, or they are not finite, or a
            parameter is out of its range.
        """
        self._validate_params()
        known = labeled if labeled is not None and len(labeled) else None
        rows, name = (pool, "pool") if known is None else (known, "labeled")
        if rows is not None:
            with rows_among(of=None if known is None else name):
                _check_embedding(rows, name)
        elif self.needs_rows:
            raise ValueError(
                f"{type(self).__name__} needs `labeled` rows, at least one, or else "
                f"the `pool`. Got {'None' if labeled is None else 'none'}."
            )
        self.n_columns_in_ = None if rows is None else rows.shape[1]
        self._fit(known, pool)
        return self

    def transform(self, embedding: Embedding) -> Embedding:
        """Apply the map to rows, of the pool or labelled.

        Parameters
        ----------
        embedding : Embedding of shape (n_rows, n_columns)
            Of the kind and the width that the map was fitted on.

        Returns
        -------
        transformed : Embedding
            As many rows.

        Raises
        ------
        ValueError
            If the number of columns is another, or the rows are not finite.
        """
        check_is_fitted(self, "n_columns_in_")
        _check_embedding(embedding, "embedding")
        if self.n_columns_in_ not in (None, embedding.shape[1]):
            raise ValueError(
                "`embedding` must have as many columns as the embedding that "
                f"{type(self).__name__} was fitted on, {self.n_columns_in_}. "
                f"Got {embedding.shape[1]}."
            )
        return self._transform(embedding)

    @abstractmethod
    def _fit(self, labeled, pool):
        """Learn the map from the labelled rows, or from the pool where that is None."""

    @abstractmethod
    def _transform(self, embedding):
        """Apply the map."""


def _check_embedding(embedding, name):
    """Raise unless it is an embedding of finite rows."""
    check_embedding(embedding, name)
    check_finite(embedding, name)


def transform_pool_and_labeled(
    transformers: Sequence[EmbeddingTransformer],
    pool: Embedding,
    labeled: Embedding | None,
    *,
    random_state: RandomState = None,
) -> tuple[Embedding, Embedding | None]:
    """Apply transformations one after another, each fitted on the labelled rows so far.

    Where nothing is labelled yet, each does what it does then: see
    `EmbeddingTransformer.fit`.

    Parameters
    ----------
    transformers : sequence of EmbeddingTransformer
        Left as they are: clones are fitted. One that has a ``random_state`` of None
        gets a seed drawn from the ``random_state`` here.

    pool : Embedding of shape (n_rows, n_columns)
        The candidates.

    labeled : Embedding of shape (n_labeled, n_columns) or None
        The labelled rows, of the same kind; None or no rows before the first label.

    random_state : None, int or RandomState
        Source of randomness.

    Returns
    -------
    pool, labeled : Embedding
        Transformed by the same maps; None stays None.

    Examples
    --------
    >>> import numpy as np
    >>> from skbadge.embeddings import (
    ...     OuterProductEmbedding, Posterior, Scale, Sketch, transform_pool_and_labeled
    ... )
    >>> rng = np.random.default_rng(0)
    >>> gradients = OuterProductEmbedding(
    ...     rng.normal(size=(50, 30)), rng.normal(size=(50, 20))
    ... )
    >>> pool, labeled = transform_pool_and_labeled(
    ...     [Sketch(64), Scale(), Posterior(sigma=0.1)],
    ...     gradients.take(slice(10, None)),
    ...     gradients.take(slice(10)),
    ...     random_state=0,
    ... )
    >>> pool
    DenseEmbedding(shape=(40, 64))
    >>> bool(labeled.norms_sq().max() < 0.1**2)
    True
    """
    rng = check_random_state(random_state)
    for transformer in map(clone, transformers):
        _seed(transformer, rng).fit(labeled, pool)
        pool = transformer.transform(pool)
        labeled = None if labeled is None else transformer.transform(labeled)
    return pool, labeled


def fit_transformers(
    transformers: Sequence[EmbeddingTransformer],
    labeled: Embedding | None,
    *,
    random_state: RandomState = None,
) -> tuple[list[EmbeddingTransformer], Embedding | None]:
    """Fit transformations to the labelled rows alone, for a pool that comes later.

    Parameters
    ----------
    transformers, labeled, random_state
        As for `transform_pool_and_labeled`.

    Returns
    -------
    fitted : list of EmbeddingTransformer
        To be applied one after another.

    labeled : Embedding or None
        Transformed by them.

    Raises
    ------
    ValueError
        If nothing is labelled and one needs rows.
    """
    rng, fitted = check_random_state(random_state), []
    for transformer in map(clone, transformers):
        fitted.append(_seed(transformer, rng).fit(labeled))
        labeled = None if labeled is None else transformer.transform(labeled)
    return fitted, labeled


def _seed(transformer, rng):
    """Seed a transformation that has no seed."""
    if transformer.get_params(deep=False).get("random_state", 0) is None:
        transformer.set_params(random_state=rng.randint(2**31 - 1))
    return transformer
