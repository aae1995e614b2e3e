"""The trunk of all strategies that embed rows and sample among the embeddings."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from numbers import Integral
from typing import Literal

import numpy as np
from sklearn.base import clone

from skbadge._compat import Interval, StrOptions
from skbadge.embeddings import (
    Embedding,
    EmbeddingTransformer,
    RowStackedEmbedding,
    Sketch,
    to_device,
    transform_pool_and_labeled,
)
from skbadge.embeddings.transforms._base import fit_transformers
from skbadge.outputs import Needs, Outputs
from skbadge.samplers import LCMD, Sampler, Selection
from skbadge.strategies._base import WAYS_OUT, Strategy
from skbadge.strategies._kernels import KERNELS, KernelName, find_kernel
from skbadge.utils._held_bytes import nbytes_beyond


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """What an embedding strategy is made of.

    Parameters
    ----------
    kernel, transforms, mode, n_columns
        As for `EmbeddingStrategy`, which has other defaults.

    sampler : Sampler
        Picks among the transformed rows.
    """

    kernel: str | Callable
    sampler: Sampler
    transforms: Sequence[EmbeddingTransformer] = ()
    mode: str = "P"
    n_columns: int | None = None


class EmbeddingStrategy(Strategy):
    """A strategy from a base kernel, transformations, a sampler and a mode.

    Rows are embedded by the kernel, the embedding is transformed given the labelled
    rows, and the sampler picks among what comes out: the framework of Holzmüller et al.
    [1]_ for batch active learning, which BADGE and its kin fit as well. The named
    strategies of this kind put together

    ========================== ========== ================ ================== ====
    strategy                   kernel     transforms       sampler            mode
    ========================== ========== ================ ================== ====
    badge                      badge                       KMeansPlusPlus     P
    badge_k_center             badge                       KCenter            P
    badge_kdpp                 badge                       KDPP               P
    badge_max_det              badge                       MaxDet             P
    core_set                   features                    KCenter            TP
    lcmd                       gradients                   LCMD               TP
    acs_fw                     last_layer Scale, Acs...    FrankWolfe         P
    posterior_variance         last_layer Scale, Posterior MaxDiag            P
    posterior_max_det          last_layer Scale, Posterior MaxDet             P
    posterior_bait             last_layer Scale, Posterior Bait               TP
    posterior_kmeans_plus_plus last_layer Scale, Posterior KMeansPlusPlus     P
    ========================== ========== ================ ================== ====

    A subclass may have parameters of its own and say in `recipe` what they make, see
    the second example.

    Parameters
    ----------
    kernel : str or callable, default="gradients"
        The base kernel. Of the last layer: "badge" (the gradient of the loss at the
        predicted label), "badge_bias" (with the bias), "last_layer" (the gradient of an
        output), "features" (the layer's input), "cosine" (the same at length 1),
        "gaussian" (the Gaussian kernel of the latter, with sigma 1).
        "gradients" are those of all layers. "linear", "nngp", "ntk" and "laplace" are
        kernels of the inputs with default parameters. See
        `skbadge.outputs.model_outputs` for what is read of the model. A function takes
        the `Outputs` of rows and returns an `Embedding`; its attribute ``needs`` says
        what it reads, by default "features".

    transforms : sequence of EmbeddingTransformer, default=()
        Applied in this order, each fitted on the labelled rows; ``[Scale(),
        Posterior()]`` is the paper's ``train``.

    sampler : Sampler or None, default=None
        Picks among the transformed rows. None is `skbadge.samplers.LCMD`.

    mode : {"TP", "P"}, default="TP"
        Whether the sampler sees the labelled rows as well as the pool. Samplers that
        ignore them do so in either mode.

    n_columns : int or None, default=512
        For "gradients", the columns that they are sketched to while they are read. None
        holds them by their factors, and a `Sketch` may follow among the ``transforms``.

    Notes
    -----
    The targets of labelled rows play no part. For classifiers, "gradients" are those of
    the loss at the predicted label, and "last_layer" ignores what is predicted.

    Where nothing is labelled, transformations start from what is known before any
    label, see `skbadge.embeddings.EmbeddingTransformer.fit`.

    Products are formed on the device that the outputs name, such as the net's GPU.
    Memory is that of the base kernel and of each transformation: for the default,
    ``n_rows * n_columns`` float32 numbers beyond the batch being read.

    References
    ----------
    .. [1] D. Holzmüller, V. Zaverkin, J. Kästner, I. Steinwart. "A framework and
       benchmark for deep batch active learning for regression". JMLR 24, 2023.

    Examples
    --------
    BADGE on what the labelled rows leave uncertain of the full gradients:

    >>> from sklearn.datasets import load_diabetes
    >>> from skbadge import BadgeQuerier
    >>> from skbadge.embeddings import Posterior, Scale
    >>> from skbadge.nn import TabularNetRegressor
    >>> from skbadge.samplers import KMeansPlusPlus
    >>> from skbadge.strategies import EmbeddingStrategy
    >>> strategy = EmbeddingStrategy(
    ...     transforms=[Scale(), Posterior()], sampler=KMeansPlusPlus(), mode="P"
    ... )
    >>> net = TabularNetRegressor(max_epochs=10)
    >>> querier = BadgeQuerier(net, strategy=strategy, random_state=0)
    >>> X, y = load_diabetes(return_X_y=True)
    >>> querier.fit(X[:40], y[:40]).query(X[40:], n=5).shape
    (5,)

    The same with a name and one parameter:

    >>> from skbadge.strategies import Recipe
    >>> class UncertainGradients(EmbeddingStrategy):
    ...     def __init__(self, sigma=1e-3):
    ...         self.sigma = sigma
    ...
    ...     def recipe(self):
    ...         return Recipe(
    ...             kernel="gradients",
    ...             transforms=[Scale(), Posterior(self.sigma)],
    ...             sampler=KMeansPlusPlus(),
    ...             n_columns=512,
    ...         )
    """

    _parameter_constraints: dict = {
        "kernel": [StrOptions(set(KERNELS)), callable],
        "transforms": ["array-like"],
        "sampler": [Sampler, None],
        "mode": [StrOptions({"P", "TP"})],
        "n_columns": [Interval(Integral, 1, None, closed="left"), None],
    }

    def __init__(
        self,
        kernel: KernelName | Callable[[Outputs], Embedding] = "gradients",
        *,
        transforms: Sequence[EmbeddingTransformer] = (),
        sampler: Sampler | None = None,
        mode: Literal["P", "TP"] = "TP",
        n_columns: int | None = 512,
    ):
        self.kernel = kernel
        self.transforms = transforms
        self.sampler = sampler
        self.mode = mode
        self.n_columns = n_columns

    def _validate_params(self):
        """Check the parameters of the sampler and the transformations, too."""
        super()._validate_params()
        recipe = self.recipe()
        for part in (recipe.sampler, *recipe.transforms):
            part._validate_params()

    def recipe(self) -> Recipe:
        """What the strategy is made of.

        Returns
        -------
        recipe : Recipe
            With a sampler and transformations of its own, not yet fitted.
        """
        for transform in self.transforms:
            if not isinstance(transform, EmbeddingTransformer):
                raise TypeError(
                    "`transforms` must hold transformations of embeddings, such as "
                    f"Scale() and Posterior(). Got {transform!r}."
                )
        return Recipe(
            kernel=self.kernel,
            transforms=tuple(self.transforms),
            sampler=LCMD() if self.sampler is None else clone(self.sampler),
            mode=self.mode,
            n_columns=self.n_columns,
        )

    @property
    def needs(self) -> Needs:
        """What the kernel needs of the model, and the labelled rows if they count."""
        recipe = self.recipe()
        needs = find_kernel(recipe.kernel).needs
        if needs.gradients and needs.n_columns is None:
            needs = replace(needs, n_columns=recipe.n_columns)
        sees_labeled = recipe.mode == "TP" or any(
            transform.needs_rows for transform in recipe.transforms
        )
        return replace(needs, labeled=needs.labeled or sees_labeled)

    @property
    def reads_population(self) -> bool:
        """Whether rows that may not be picked have a part in the selection."""
        recipe = self.recipe()
        return recipe.sampler.reads_population or bool(recipe.transforms)

    @property
    def streams(self) -> bool:
        """Whether the sampler does, and rows are transformed one by one."""
        return self.recipe().sampler.streams

    def embed(self, outputs: Outputs) -> Embedding:
        """Embed rows by the base kernel, before any transformation.

        Parameters
        ----------
        outputs : Outputs
            What the model says about them.

        Returns
        -------
        embedding : Embedding
            One row for each.
        """
        embedding = find_kernel(self.recipe().kernel).embed(outputs)
        if not isinstance(embedding, Embedding):
            raise TypeError(
                "`kernel` must return an Embedding, such as DenseEmbedding(matrix). "
                f"Got {type(embedding).__name__}."
            )
        return embedding

    def _run(self, pool, n, labeled, feasible, rng):
        recipe, embed = self.recipe(), self.embed
        if n == 0:
            rows = np.empty(0, dtype=np.int64)
            nothing = to_device(embed(pool).take(rows), None)
            return Selection(rows, np.empty(0), norms=np.empty(0), embedding=nothing)
        embedding = to_device(embed(pool), pool.device)
        known = None
        if self.needs.labeled and labeled is not None and len(labeled):
            known = to_device(embed(labeled.outputs), pool.device)
            if isinstance(embedding, RowStackedEmbedding):
                # Gradients of a pool in chunks, which compare to their like only.
                known = RowStackedEmbedding([known])
        embedding, known = transform_pool_and_labeled(
            _with_sketch(recipe, embedding), embedding, known, random_state=rng
        )
        # Some transformations make a matrix of what was none, or in main memory.
        embedding = to_device(embedding, pool.device)
        if recipe.mode == "P":
            known = None
        selection = recipe.sampler.run(
            embedding,
            n,
            labeled=None if known is None else to_device(known, pool.device),
            feasible=feasible,
            random_state=rng,
        )
        batch = embedding.take(selection.rows)
        return replace(
            selection,
            norms=np.sqrt(batch.norms_sq()),
            embedding=to_device(batch, None),
            nbytes=nbytes_beyond(embedding, pool),
        )

    def _run_on_chunks(self, pool, n, labeled, feasible, rng):
        recipe = self.recipe()
        known = None
        if self.needs.labeled and labeled is not None and len(labeled):
            # Where the chunks are, which are transformed by what is learned from these.
            known = to_device(self.embed(labeled.outputs), pool.device)
        if known is None and any(step.needs_rows for step in recipe.transforms):
            raise ValueError(
                f"The transformations of {self} are fitted to labelled rows, of which "
                f"there are none, or else to all of the pool. {WAYS_OUT}"
            )
        steps = _with_sketch(recipe, self.embed(pool.first_rows))
        fitted, known = fit_transformers(steps, known, random_state=rng)
        known = None if known is None or recipe.mode == "P" else to_device(known, None)
        selection = recipe.sampler.run(
            pool.embedded(_EmbedChunk(self, fitted, pool.device)),
            n,
            labeled=known,
            feasible=feasible,
            random_state=rng,
        )
        if n == 0:
            return replace(selection, norms=np.empty(0))
        return selection


@dataclass
class _EmbedChunk:
    """From the outputs of a chunk to its transformed embedding."""

    strategy: EmbeddingStrategy
    transforms: Sequence[EmbeddingTransformer]
    device: str | None

    def __call__(self, outputs):
        embedding = to_device(self.strategy.embed(outputs), self.device)
        for transform in self.transforms:
            embedding = transform.transform(embedding)
        return to_device(embedding, self.device)


def _with_sketch(recipe, embedding):
    """The transformations, after a sketch of gradients that came with more columns."""
    is_wide = recipe.n_columns is not None and embedding.shape[1] > recipe.n_columns
    if recipe.kernel == "gradients" and is_wide:
        return [Sketch(recipe.n_columns), *recipe.transforms]
    return list(recipe.transforms)
