"""k-means++ seeding on implicit embeddings, exact, in about one pass over the rows."""

from typing import Literal, get_args

from skbadge._compat import StrOptions
from skbadge.embeddings._joined import joined
from skbadge.samplers._base import FirstCenter, Sampler, fill_uniformly
from skbadge.samplers._chunk_picks import ChunkPicks
from skbadge.samplers._kmeans_of_chunks import seed_by_distances, seed_by_norms
from skbadge.samplers._kmeans_seeding import Seeding
from skbadge.samplers._known_draws import (
    UNIFORM_SHARE,
    check_no_quota,
    uniform_turns,
    with_kmeans_law,
)
from skbadge.samplers._row_sketch import new_seed
from skbadge.utils._ties import Ties

# How the first row is drawn, "auto" by what ``uniform_share`` asks for.
FirstDraw = Literal["auto"] | FirstCenter
DRAWS = {
    "first_center": [StrOptions({"auto", *get_args(FirstCenter)})],
    **UNIFORM_SHARE,
}


class KMeansPlusPlus(Sampler):
    r"""k-means++ seeding: each row drawn by its squared distance to those before it.

    With :math:`D^2(x)` the squared distance of row :math:`x` to the nearest row picked,
    labelled or pending, the next pick is :math:`x` with probability
    :math:`D^2(x) / \sum_y D^2(y)`, the sum being over the rows that may be picked
    (Arthur and Vassilvitskii [1]_). This is the sampler of BADGE [2]_, and not
    scikit-learn's greedy variant.

    Parameters
    ----------
    first_center : {"auto", "max_norm", "uniform", "norm_weighted"}, default="auto"
        How the first row is picked if none is labelled or pending. "max_norm" is what
        the code of the BADGE paper does, "uniform" is the original algorithm, and
        "norm_weighted" draws by squared norm. An outlier of great norm is always
        picked first by "max_norm", after which the second pick is close to uniform.
        "auto" is "max_norm", or "norm_weighted" with a ``uniform_share``.

    uniform_share : float, default=0.0
        Share of the draws that are uniform, from 0 to 1. Above 0, the selection says
        with what probability each row was drawn, for
        `skbadge.monitoring.risk_estimate`: the model's error on the rows picked then
        tells its error on the pool. This takes ``n_rows * n`` distances.

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
    for gradient embeddings as a rule, and keeps ``8 * n`` rows of a uniform draw
    besides; the others draw by distances to some of the picks.
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
    _parameter_constraints: dict = DRAWS

    def __init__(
        self, *, first_center: FirstDraw = "auto", uniform_share: float = 0.0
    ) -> None:
        self.first_center = first_center
        self.uniform_share = uniform_share

    def _validate_params(self):
        """Also refuse a share of uniform draws where the first row is not drawn."""
        super()._validate_params()
        if self.uniform_share and self.first_center == "max_norm":
            raise ValueError(
                "`first_center` must be 'auto', 'norm_weighted' or 'uniform' with a "
                "`uniform_share` above 0: 'max_norm' leaves nothing to chance. Got "
                f"'max_norm' and {self.uniform_share:g}."
            )

    def _run(self, embedding, n, labeled, feasible, rng):
        rule, turns = self._first_and_turns(n, feasible, rng)
        seeding = Seeding(embedding, n, feasible.open())
        first = "uniform" if 0 in turns else rule
        seeding.begin(labeled, feasible, first, Ties(rng), rng)
        seeding.draw(turns, rng)
        selection = fill_uniformly(
            seeding.rows,
            seeding.values,
            n,
            seeding.open_rows,
            rng,
            value_name="squared distance",
            n_distances=seeding.n_distances,
        )
        if not self.uniform_share:
            return selection
        pending = feasible.pending
        before = [] if labeled is None else [labeled]
        before += [embedding.take(pending)] if len(pending) else []
        total = float(embedding.norms_sq().sum())
        return with_kmeans_law(
            selection,
            embedding.reduce,
            embedding.take(selection.rows),
            joined(before) if before else None,
            (len(seeding.rows), feasible.n_left, total, seeding.negligible),
            self.uniform_share,
            rule,
        )

    def _run_on_chunks(self, view, n, labeled, feasible, rng):
        rule, turns = self._first_and_turns(n, feasible, rng)
        ties, seed = Ties(rng), new_seed(rng)
        picks = ChunkPicks(view, n, labeled, feasible)
        before = picks.centers
        if before is None:
            first = "uniform" if 0 in turns else rule
            seed_by_norms(picks, first, ties, seed, turns, rng)
        seed_by_distances(picks, seed, turns, rng)
        n_found = len(picks)
        selection = picks.finish(picks.values, rng, value_name="squared distance")
        if not self.uniform_share:
            return selection
        return with_kmeans_law(
            selection,
            view.reduce,
            selection.embedding,
            before,
            (n_found, feasible.n_left, view.survey.total, view.negligible_mass),
            self.uniform_share,
            rule,
        )

    def _first_and_turns(self, n, feasible, rng):
        """How the first row is picked, and the turns that are drawn uniformly."""
        share, rule = self.uniform_share, self.first_center
        check_no_quota(share, feasible)
        if rule == "auto":
            rule = "norm_weighted" if share else "max_norm"
        return rule, uniform_turns(n, share, rng)
