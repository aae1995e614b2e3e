"""k-means++ seeding on implicit embeddings, exact, in about one pass over the rows."""

from skbadge.samplers._base import FIRST_CENTER, FirstCenter, Sampler, fill_uniformly
from skbadge.samplers._chunk_picks import ChunkPicks
from skbadge.samplers._kmeans_of_chunks import seed_by_distances, seed_by_norms
from skbadge.samplers._kmeans_seeding import Seeding
from skbadge.samplers._row_sketch import new_seed
from skbadge.utils._ties import Ties


class KMeansPlusPlus(Sampler):
    r"""k-means++ seeding: each row drawn by its squared distance to those before it.

    With :math:`D^2(x)` the squared distance of row :math:`x` to the nearest row picked,
    labelled or pending, the next pick is :math:`x` with probability
    :math:`D^2(x) / \sum_y D^2(y)`, the sum being over the rows that may be picked
    (Arthur and Vassilvitskii [1]_). This is the sampler of BADGE [2]_, and not
    scikit-learn's greedy variant.

    Parameters
    ----------
    first_center : {"max_norm", "uniform", "norm_weighted"}, default="max_norm"
        How the first row is picked if none is labelled or pending. "max_norm" is what
        the code of the BADGE paper does, "uniform" is the original algorithm, and
        "norm_weighted" draws by squared norm. An outlier of great norm is always
        picked first by "max_norm", after which the second pick is close to uniform.

    Notes
    -----
    The values of the selection are the squared distances of the picks at the moment
    they were picked, for the first of all its squared norm.

    Rows are proposed from upper bounds of the distances that were right some picks ago,
    and a proposal is accepted with the probability that makes up for it; bounds are
    renewed only when that pays. This takes ``O(n_rows + n**2)`` distances in the usual
    case of ``n`` much smaller than ``n_rows``, where ``n_rows * n`` would be all.

    Beyond the embedding, two float64 arrays of ``n_rows`` and blocks of fixed size are
    held.

    From an embedding that comes in chunks, rows are drawn by the same law, though not
    the same rows for a seed, in one pass or a few. Each keeps ``8 * n`` rows that are a
    weighted draw without replacement, which stands for draws from the whole pool as
    long as it lasts. The first pass draws by what norms say of distances, which does
    for gradient embeddings as a rule; the others by distances to some of the picks.
    Nothing that is held grows with ``n_rows``, and picks depend neither on the chunks
    nor on the order of their merges, but for rounding.

    References
    ----------
    .. [1] D. Arthur, S. Vassilvitskii. "k-means++: the advantages of careful seeding".
       SODA 2007.
    .. [2] J. T. Ash, C. Zhang, A. Krishnamurthy, J. Langford, A. Agarwal. "Deep batch
       active learning by diverse, uncertain gradient lower bounds". ICLR 2020.

    Examples
    --------
    >>> from skbadge.embeddings import DenseEmbedding
    >>> from skbadge.samplers import KMeansPlusPlus
    >>> embedding = DenseEmbedding([[0.0], [0.1], [5.0], [5.1]])
    >>> KMeansPlusPlus().sample(embedding, 2, random_state=0)
    array([3, 1])
    """

    streams = True
    _parameter_constraints: dict = FIRST_CENTER

    def __init__(self, *, first_center: FirstCenter = "max_norm") -> None:
        self.first_center = first_center

    def _run(self, embedding, n, labeled, feasible, rng):
        seeding = Seeding(embedding, n, feasible.open())
        seeding.begin(labeled, feasible, self.first_center, Ties(rng), rng)
        seeding.lazy(rng)
        return fill_uniformly(
            seeding.rows,
            seeding.values,
            n,
            seeding.open_rows,
            rng,
            value_name="squared distance",
            n_distances=seeding.n_distances,
        )

    def _run_on_chunks(self, view, n, labeled, feasible, rng):
        ties, seed = Ties(rng), new_seed(rng)
        picks = ChunkPicks(view, n, labeled, feasible)
        if picks.centers is None:
            seed_by_norms(picks, self.first_center, ties, seed, rng)
        seed_by_distances(picks, seed, rng)
        return picks.finish(picks.values, rng, value_name="squared distance")
