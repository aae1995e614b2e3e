"""Reading a pool in chunks: what a querier's model says about each of them."""

from copy import copy
from dataclasses import dataclass, replace
from typing import Any

from skbadge.outputs import Needs
from skbadge.outputs._chunked_outputs import ChunkedOutputs
from skbadge.outputs._options import ReadingOptions
from skbadge.outputs._pipeline import unwrap
from skbadge.outputs.readers._column_statistics import ColumnStatistics
from skbadge.outputs.readers._input_rows import input_rows
from skbadge.querier._strategy_in_use import is_pure
from skbadge.strategies import ScoreStrategy
from skbadge.utils._memory import available_memory
from skbadge.utils._shared_state import seeded
from skbadge.utils._under_way import said_by

# Outputs of a strategy that streams are kept up to this size.
KEPT_NBYTES = 2**29


@dataclass
class ChunkReader:
    """What a querier's model says about a chunk; it goes to each worker once.

    Parameters
    ----------
    querier : BadgeQuerier
        A shallow copy without the labelled rows.

    needs : Needs
        What to read.

    options : ReadingOptions
        How.

    seed : int or None
        Of code that draws from global generators.
    """

    querier: Any
    needs: Needs
    options: ReadingOptions
    seed: int | None

    @classmethod
    def of(cls, querier, needs, seed):
        """That of a querier as it is now."""
        options, querier = querier._options(needs), copy(querier)
        vars(querier).pop("_labeled", None)
        return cls(querier, needs, options, seed)

    def __call__(self, chunk):
        estimator = self.querier._trained_estimator("query")
        # A chunk is no news: its rows are counted once they are read.
        with seeded(self.seed), said_by(None):
            X = self.querier._check_X(chunk, reset=False, name="X_pool")
            return self.querier._read(estimator, X, self.needs, self.options)


@dataclass
class StatisticsReader:
    """Statistics of the columns of a chunk, of a model that has no features."""

    querier: Any
    keep_sparse: bool

    def __call__(self, chunk):
        estimator = self.querier._trained_estimator("query")
        X = self.querier._check_X(chunk, reset=False, name="X_pool")
        _, rows = unwrap(estimator, X)
        return ColumnStatistics.of(input_rows(rows, self.keep_sparse))


def chunked_outputs(querier, pool, needs, seed, engine):
    """What a querier's model is going to say about a pool, read pass by pass."""
    reader = ChunkReader.of(querier, needs, seed)
    outputs = ChunkedOutputs(pool, reader, engine)
    if outputs.first_rows.scaling is None:
        return outputs
    # The columns of such a model are standardised by the whole pool.
    statistics = StatisticsReader(reader.querier, needs.sparse)
    columns = ChunkedOutputs(pool, statistics, engine)
    scaling = columns.reduce(_itself, ColumnStatistics.merge).scaling()
    reader = replace(reader, options=replace(reader.options, scaling=scaling))
    outputs = ChunkedOutputs(pool, reader, engine)
    outputs.n_passes = columns.n_passes
    return outputs


def kept_if_it_should_be(outputs, strategy, storage):
    """All outputs, read now and kept, or as they are: read anew in each pass.

    Strategies that stream need them kept in no case. They are, where that takes little
    and spares a pass, or where the user has named a folder; but not for a sample, which
    is read without the rest. Others need all at once.
    """
    if strategy.samples_pool:
        return outputs
    available, nbytes = available_memory(), outputs.nbytes
    has_folder = storage not in (None, "auto")
    if strategy.streams and not has_folder:
        is_cheap = nbytes <= min(KEPT_NBYTES, available // 2)
        # A score takes one pass in any case. Code of others, which may draw from global
        # generators, is run where it can be seeded.
        spares_nothing = isinstance(strategy, ScoreStrategy) and is_pure(strategy)
        return outputs.collected() if is_cheap and not spares_nothing else outputs
    if storage is None and 2 * nbytes > available:
        raise ValueError(
            f"{strategy} needs what the model says about all {len(outputs)} rows at "
            f"once, {nbytes / 1e9:.3g} GB, and memory is short. Let it be kept in "
            'files (`storage="auto"`, or a folder), or of a random part of the pool '
            "(`subsample`)."
        )
    return outputs.collected()


def _itself(part, first):
    return part
