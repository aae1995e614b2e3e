"""Core-Set on the gradients of the last layer, for regression."""

from skbadge.samplers import MaxDist
from skbadge.strategies._kernel_strategy import KernelStrategy


class CoreSetRegression(KernelStrategy):
    """Rows farthest from all labelled rows, by the gradients of a layer or of all.

    ``MaxDist-TP ll`` of Holzmüller et al. [1]_, which stands for Core-Set [2]_ and
    FF-Active in their benchmark. With ``kernel="ll"`` it picks the rows that `CoreSet`
    picks: weight factors scale all distances, and the bias cancels. Other kernels are
    what it is here for.

    Parameters
    ----------
    kernel : {"grad", "ll", "linear", "nngp", "ntk", "laplace"}, default="ll"
        What to measure distances in, see `BMDAL`.

    sketch_size : int or None, default=512
        For "grad", the columns that gradients are sketched to while they are read; None
        for exact ones.

    References
    ----------
    .. [1] D. Holzmüller, V. Zaverkin, J. Kästner, I. Steinwart. "A framework and
       benchmark for deep batch active learning for regression". JMLR 24, 2023.
    .. [2] O. Sener, S. Savarese. "Active learning for convolutional neural networks: a
       core-set approach". ICLR 2018.
    """

    mode = "TP"

    def __init__(self, *, kernel="ll", sketch_size=512):
        self.kernel = kernel
        self.sketch_size = sketch_size

    def make_sampler(self):
        """Farthest-first traversal."""
        return MaxDist()
