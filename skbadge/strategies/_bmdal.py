"""BMDAL: any base kernel, transformations and sampler, put together."""

from sklearn.base import clone

from skbadge._compat import StrOptions
from skbadge.embeddings import EmbeddingTransformer
from skbadge.samplers import LCMD, Sampler
from skbadge.strategies._kernel_strategy import KernelStrategy


class BMDAL(KernelStrategy):
    """A strategy from a base kernel, transformations and a way of selection.

    The framework of Holzmüller et al. [1]_ for batch active learning of deep
    regression. The strategies named in the table put together what it calls by these
    names; `BMDAL()` is the first of them.

    ================== =========================== ==================================
    strategy           in the paper's notation     the literature's
    ================== =========================== ==================================
    lcmd               LCMD-TP, grad, rp(512)      the paper's proposal
    bald_regression    MaxDiag, ll, train          BALD
    batch_bald_regr... MaxDet-P, ll, train         BatchBALD
    bait_regression    Bait-FB-P, ll, train        BAIT
    acs_fw             FrankWolfe-P, ll, acs-rf    ACS-FW
    core_set_regr...   MaxDist-TP, ll              Core-Set, FF-Active
    badge_regression   KMeansPP-P, ll, train       BADGE
    ================== =========================== ==================================

    Parameters
    ----------
    kernel : {"grad", "ll", "linear", "nngp", "ntk", "laplace"} or callable, \
default="grad"
        The base kernel: gradients with respect to the weights of all layers, of the
        last layer, the inputs, or a kernel of the inputs with default parameters; see
        `skbadge.outputs.model_outputs` for what they are. A function takes the
        `Outputs` of rows and returns an `Embedding`; its attribute ``needs`` names the
        fields it reads, by default "features".

    transforms : sequence of EmbeddingTransformer, default=()
        Applied in this order, each fitted on the labelled rows; ``[Scale(),
        Posterior()]`` is the paper's ``train``.

    sampler : Sampler or None, default=None
        Picks among the transformed rows. None is `skbadge.samplers.LCMD`.

    mode : {"TP", "P"}, default="TP"
        Whether the sampler sees the labelled rows as well as the pool. Samplers that
        ignore them do so in either mode.

    sketch_size : int or None, default=512
        For "grad", the columns that gradients are sketched to while they are read. With
        None they are held by their factors, and a `Sketch` may follow among the
        ``transforms``.

    Notes
    -----
    Nothing here takes the targets of labelled rows, and nothing is special to
    regression: for classifiers "ll" ignores what is predicted, and "grad" is the
    gradient of the loss at the predicted label, see `model_outputs`.

    Where nothing is labelled, `Posterior` is the prior, and `Scale` takes the rows of
    the pool.

    Memory is that of the base kernel and of each transformation: for the default,
    ``n_rows * sketch_size`` float32 numbers beyond the batch being read.

    References
    ----------
    .. [1] D. Holzmüller, V. Zaverkin, J. Kästner, I. Steinwart. "A framework and
       benchmark for deep batch active learning for regression". JMLR 24, 2023.

    Examples
    --------
    MaxDist on the posterior of the full gradients:

    >>> from sklearn.datasets import load_diabetes
    >>> from skbadge.embeddings import Posterior, Scale
    >>> from skbadge.nn import TabularNetRegressor
    >>> from skbadge.outputs import Labeled, model_outputs
    >>> from skbadge.samplers import MaxDist
    >>> from skbadge.strategies import BMDAL
    >>> X, y = load_diabetes(return_X_y=True)
    >>> net = TabularNetRegressor(max_epochs=10, random_state=0).fit(X[:40], y[:40])
    >>> strategy = BMDAL(transforms=[Scale(), Posterior()], sampler=MaxDist(), mode="P")
    >>> options = {"needs": ["gradients"], "sketch_size": 512, "random_state": 0}
    >>> pool = model_outputs(net, X[40:], **options)
    >>> labeled = Labeled(model_outputs(net, X[:40], **options), y[:40])
    >>> strategy.select(pool, 5, labeled=labeled, random_state=0).shape
    (5,)
    """

    _parameter_constraints: dict = {
        **KernelStrategy._parameter_constraints,
        "kernel": [*KernelStrategy._parameter_constraints["kernel"], callable],
        "transforms": ["array-like"],
        "sampler": [Sampler, None],
        "mode": [StrOptions({"P", "TP"})],
    }

    def __init__(
        self,
        *,
        kernel="grad",
        transforms=(),
        sampler=None,
        mode="TP",
        sketch_size=512,
    ):
        self.kernel = kernel
        self.transforms = transforms
        self.sampler = sampler
        self.mode = mode
        self.sketch_size = sketch_size

    @property
    def needs(self):
        """What the kernel needs of the model, and the labelled rows."""
        if isinstance(self.kernel, str):
            return super().needs
        fields = getattr(self.kernel, "needs", ("features",))
        fields = (fields,) if isinstance(fields, str) else tuple(fields)
        return (*fields, "labeled")

    def embed(self, outputs):
        """The base kernel of rows, before any transformation."""
        if isinstance(self.kernel, str):
            return super().embed(outputs)
        return self.kernel(outputs)

    def make_transforms(self):
        """The transformations, in their order, not yet fitted."""
        for transform in self.transforms:
            if not isinstance(transform, EmbeddingTransformer):
                raise TypeError(
                    "`transforms` must hold transformations of embeddings, such as "
                    f"Scale() and Posterior(). Got {transform!r}."
                )
        return list(self.transforms)

    def make_sampler(self):
        """The sampler that picks among the transformed rows."""
        return LCMD() if self.sampler is None else clone(self.sampler)
