"""How a querier answers: reading the model, then selecting, at once or in chunks."""

from contextlib import nullcontext
from copy import copy
from dataclasses import replace
from functools import partial
from time import perf_counter
from typing import NamedTuple

from sklearn.base import clone

from skbadge.exceptions import QueryWarning
from skbadge.outputs import Labeled, Needs, Outputs
from skbadge.outputs._chunked_outputs import ChunkedOutputs
from skbadge.outputs._options import ReadingOptions
from skbadge.outputs._pipeline import innermost
from skbadge.outputs.readers import read_model
from skbadge.pools import ChunkedPool, is_dataset, n_rows, row_ids, take_rows
from skbadge.pools._engines import open_engine
from skbadge.querier._batch_predictions import BatchPredictions
from skbadge.querier._chunk_reading import chunked_outputs, kept_if_it_should_be
from skbadge.querier._codecs import LabelCodec, is_pretrained
from skbadge.querier._cold_start import (
    N_SAMPLED,
    ColdStart,
    as_sentence,
    needs_no_model,
)
from skbadge.querier._delegation import LikeItsEstimator
from skbadge.querier._feasibility import resolve_feasible, thinned
from skbadge.querier._fingerprint import fingerprint
from skbadge.querier._strategy_in_use import is_pure, resolve_strategy
from skbadge.querier._temperature import find_temperature
from skbadge.samplers import Feasible, Selection
from skbadge.strategies import Strategy
from skbadge.utils._caller import warn_caller
from skbadge.utils._row_errors import rows_among
from skbadge.utils._shared_state import exclusive, seeded
from skbadge.utils._streams import stream_seed


def is_pool(X):
    """Whether rows come in chunks."""
    return isinstance(X, ChunkedPool)


class Answer(NamedTuple):
    """What came of a question, for the report."""

    selection: Selection
    feasible: Feasible
    strategy: Strategy
    # When all was read that was read ahead.
    read: float
    nbytes: int
    n_passes: int = 1
    engine: str = ""
    n_subsample: int | None = None
    # That another strategy than the named one has selected, or none could, and why.
    warning: str | None = None
    # Which of the querier's models was asked, see `_model_name`; "" if there was none.
    model: str = ""
    n_labeled: int = 0
    predictions: BatchPredictions | None = None


class _TrainedModel:
    """What a querier asks once it is trained: its model, by its strategy."""

    notes: tuple[str, ...] = ()

    def __init__(self, querier):
        self._querier = querier
        self._estimator = querier._trained_estimator("query")
        self.strategy = querier._use_strategy(self._estimator)
        # As it is now: another thread may train it while this one selects.
        self._asked = copy(querier)

    def check(self, X):
        return self._querier._check_X(X, reset=False, name="X_pool")

    def read(self, X_pool):
        pool, labeled = self._querier._read_both(self._estimator, self.strategy, X_pool)
        # As of boosting with few labels, whose trees do not split.
        if len(pool) > 1 and any(
            part is not None and _is_constant(part)
            for part in (pool.proba, pool.posterior, pool.prediction)
        ):
            self.notes = (
                "the model predicts the same for all rows, so that its predictions "
                "tell none of them apart",
            )
        return pool, labeled

    def predictions(self, X):
        """What the model predicts for the rows selected."""
        return BatchPredictions.of(self._asked, X)

    @property
    def warning(self):
        """The note as a sentence, or None."""
        return as_sentence(self.notes)


def _is_constant(part):
    """Whether all rows of an array are equal; the first few mostly show it is not."""
    return all(
        (part[..., rows, :] == part[..., :1, :]).all()
        for rows in (slice(64), slice(None))
    )


class Answering(LikeItsEstimator):
    """What a querier does to answer a question about rows."""

    # Trainings that came after a query, and whether a query was made since the last.
    _n_rounds = 0
    _was_asked = False
    # How often labelled rows were replaced or left out.
    _n_losses = 0
    # Whether it was said that the pool holds labelled rows.
    _has_warned = False
    # Which other warnings were given, or are not to be; each is given once, but for
    # "start", which each start gives.
    _doubts: tuple[str, ...] = ()
    # That of the model, once it was asked for.
    _temperature: float | None = None

    def _ask(self, X_pool, n, told, subsample, predicts):
        """Select among rows that are read at once, and predict those if asked to."""
        # One thread at a time reads or trains; others may select meanwhile.
        with exclusive():
            starts = self._starts_cold()
            asked = ColdStart(self) if starts else _TrainedModel(self)
            strategy = asked.strategy
            if not is_pool(X_pool):
                X_pool = asked.check(X_pool)
            elif subsample is None:
                subsample = N_SAMPLED
            known = self._compared_with(X_pool, strategy)
            whole = resolve_feasible(X_pool, *told, X_labeled=known)
            self._warn_of_repeats(whole)
            n = whole.up_to(n)
            seed = stream_seed(self.random_state, f"query-{self._round_name()}")
            feasible, positions, n_subsample = whole, None, None
            if subsample is not None:
                feasible = thinned(whole, subsample, n, stream_seed(seed, "subsample"))
                n_subsample = int(feasible.mask.sum())
            if feasible.mask is not None and (
                subsample is not None or not strategy.reads_population
            ):
                # The others have no part in it: they need not even be read.
                positions, feasible = feasible.restricted()
            with rows_among(positions, "X_pool"):
                if is_pool(X_pool):
                    X_pool = asked.check(X_pool.take(positions))
                elif positions is not None:
                    X_pool = take_rows(X_pool, positions)
                self._say_reading(strategy, n_rows(X_pool))
                pool, labeled = asked.read(X_pool)
            read, n_labeled = perf_counter(), self._n_labeled()
            model = "" if starts else self._model_name()
            # Before the first label there is no round that a query could be part of.
            if n_labeled or not starts:
                self._was_asked = True
        strategy = asked.strategy
        self._say(f"selecting {n:,} rows by {strategy}")
        with self._alone(strategy, seed, X_pool), rows_among(positions, "X_pool"):
            selection = strategy.run(
                pool, n, labeled=labeled, feasible=feasible, random_state=seed
            )
        predictions = None
        # Only with known probabilities do they say something of the pool.
        is_drawn = selection.probabilities is not None and len(selection) > 0
        if predicts and is_drawn and not starts:
            predictions = asked.predictions(take_rows(X_pool, selection.rows))
        if positions is not None:
            selection = replace(selection, rows=positions[selection.rows])
        warning, fallbacks = asked.warning, asked.notes + selection.fallbacks
        if selection.fallbacks and not starts:
            # It has warned itself of what came of such a model.
            warning, fallbacks = None, selection.fallbacks + asked.notes
        selection = replace(selection, fallbacks=fallbacks)
        return Answer(
            selection,
            whole,
            strategy,
            read,
            pool.nbytes,
            n_subsample=n_subsample,
            warning=warning,
            model=model,
            n_labeled=n_labeled,
            predictions=predictions,
        )

    def _starts_cold(self):
        """Whether there is no model to ask, and a strategy that does without."""
        if self.cold_start is None or not self.__sklearn_is_fitted__():
            return self.cold_start is not None
        return self._knows_one_class() and not needs_no_model(
            resolve_strategy(self.strategy, self._any_estimator())
        )

    def _knows_one_class(self):
        """Whether the model was trained on one class: it is certain of all rows."""
        if not isinstance(getattr(self, "_codec", None), LabelCodec):
            return False
        # A net has an output for each class that was named.
        seen = getattr(innermost(self.estimator_), "classes_", ())
        return not (self._codec.by_units or self._is_pretrained) and len(seen) == 1

    def _ask_chunks(self, X_pool, n, told, subsample, predicts):
        """Select among rows that come in chunks.

        What was selected is not read once more, so that nothing is predicted.
        """
        with exclusive():
            estimator = self._trained_estimator("query")
            strategy = self._use_strategy(estimator)
            needs = strategy.all_needs
            self._check_X(X_pool.first(1), reset=False, name="X_pool")
            known = self._labeled.X if self._counts_repeats(strategy) else None
            feasible = resolve_feasible(X_pool, *told, X_labeled=known)
            n = feasible.up_to(n)
            seed = stream_seed(self.random_state, f"query-{self._round_name()}")
            self._was_asked = True
            asked = {"model": self._model_name(), "n_labeled": self._n_labeled()}
        # Workers that are threads read in turn with others: this one holds no lock.
        with open_engine(X_pool) as engine, rows_among(of="X_pool"):
            pool, outputs = Outputs(n_rows=len(X_pool)), None
            options = self._options(needs)
            if needs.fields:
                inference = self._seed("inference")
                outputs = chunked_outputs(self, X_pool, needs, inference, engine)
                # With the seeds and the scales of the pool.
                options = outputs.read.options
                outputs.targets = self._read_targets(estimator, strategy, options)
                if not strategy.samples_pool:
                    self._say_reading(strategy, len(X_pool))
                pool = kept_if_it_should_be(outputs, strategy, self.storage)
            # What is read chunk by chunk knows its rows by itself.
            streams = isinstance(pool, ChunkedOutputs)
            if needs.ids and not streams:
                pool = replace(pool, identify=partial(self._ids_of, X_pool))
            labeled = self._read_labeled(estimator, needs, options)
            read = perf_counter()
            self._say(f"selecting {n:,} rows by {strategy}")
            # What goes on in workers, nobody can be kept out of.
            with nullcontext() if streams else self._alone(strategy, seed, X_pool):
                selection = strategy.run(
                    pool, n, labeled=labeled, feasible=feasible, random_state=seed
                )
            n_passes = 0 if outputs is None else outputs.n_passes
            nbytes = 0 if streams else pool.nbytes
            return Answer(
                selection,
                feasible,
                strategy,
                read,
                nbytes,
                n_passes,
                repr(engine),
                **asked,
            )

    def _ids_of(self, X_pool, rows):
        """Identities of rows of a pool in chunks, checked as labelled rows are."""
        X = self._check_X(X_pool.take(rows), reset=False, name="X_pool")
        return row_ids(X)

    def _alone(self, strategy, seed, X_pool):
        """What a selection shares with other threads, held on to; nothing as a rule.

        The rows of a data set, which are the code of others, are read once more to be
        identified.
        """
        if is_pure(strategy) and (is_pool(X_pool) or not is_dataset(X_pool)):
            return nullcontext()
        return seeded(None if self.random_state is None else seed)

    def _counts_repeats(self, strategy):
        """Whether a rule sums over pool and labelled rows, each to count once."""
        counts = strategy.reads_population and strategy.all_needs.labeled
        return counts and self._n_labeled() > 0

    def _compared_with(self, X_pool, strategy):
        """The labelled rows, if it matters which rows of a pool equal one of them."""
        # A data set would be read row by row for the sake of a warning, and a pool in
        # chunks as a whole.
        warns = not (self._has_warned or is_pool(X_pool) or is_dataset(X_pool))
        is_due = self._counts_repeats(strategy) or (warns and self._n_labeled())
        return self._labeled.X if is_due else None

    def _warn_of_repeats(self, feasible):
        if feasible.repeats is None or self._has_warned:
            return
        n_repeats = int((feasible.repeats & feasible.open().mask).sum())
        if n_repeats:
            self._has_warned = True
            warn_caller(
                f"{n_repeats} rows that may be selected equal labelled ones. Leave "
                "them out of the pool, or of `candidates`, so that no label is spent "
                "twice.",
                QueryWarning,
            )

    def _n_labeled(self):
        return len(self._labeled.y) if hasattr(self, "_labeled") else 0

    def _read_both(self, estimator, strategy, X_pool):
        """What the model says about a pool and the labelled rows."""
        needs = strategy.all_needs
        options = self._options(needs)
        with seeded(self._seed("inference")):
            pool = self._read(estimator, X_pool, needs, options)
            options = replace(options, scaling=pool.scaling)
            targets = self._read_targets(estimator, strategy, options)
            labeled = self._read_labeled(estimator, needs, options)
            return replace(pool, targets=targets), labeled

    def _read_targets(self, estimator, strategy, options):
        """What the model says about rows that a strategy names, read as the pool is."""
        if strategy.target_rows is None:
            return None
        X = self._check_X(strategy.target_rows, reset=False, name="targets")
        with seeded(self._seed("inference")), rows_among(of="targets"):
            return self._read(estimator, X, strategy.all_needs, options)

    def _read_labeled(self, estimator, needs, options):
        """What the model says about labelled rows, read as the pool was; or None."""
        if not needs.labeled or not self._n_labeled():
            return None
        rows = self._labeled.lent()
        with seeded(self._seed("inference")), rows_among(of="X_labeled_"):
            outputs = self._read(estimator, rows.X, needs, options)
        columns = self._codec.columns(rows.y, innermost(estimator))
        ids = row_ids(rows.X) if needs.ids else None
        return Labeled(outputs, rows.y, columns, ids)

    def _read(self, estimator, X, needs, options):
        """What the model says about rows, with a column for each class."""
        outputs = read_model(estimator, X, needs, options)
        codec = getattr(self, "_codec", None)
        for part in (outputs.proba, outputs.posterior):
            if part is not None and isinstance(codec, LabelCodec):
                codec.check_columns(part.shape[-1], innermost(estimator))
        return outputs

    def _options(self, needs):
        """How to read; one seed for pool and labelled rows."""
        seed = None
        if needs.posterior or needs.gradients:
            # They must have the same dropout masks and be sketched alike.
            seed = stream_seed(self.random_state, "posterior")
        options = ReadingOptions(self.feature_layer, self.inference_batch_size, seed)
        if not needs.temperature:
            return options
        return replace(options, temperature=self._temperature_in_use())

    def _temperature_in_use(self):
        """The temperature of the model, found once a training; 1 of a trained one."""
        seed = self._seed("temperature")
        with seeded(seed):
            if self._temperature is None:
                estimator, found = self._estimator(), 1.0
                if not is_pretrained(estimator):
                    self._say("finding the temperature")
                    found = find_temperature(
                        estimator,
                        self._labeled,
                        self._codec,
                        seed=seed,
                        route=self._routed,
                        options=self._options(Needs(proba=True)),
                    )
                # Not before: the search may be interrupted.
                self._temperature = found
            return self._temperature

    def _use_strategy(self, estimator):
        """The strategy in use, fresh if it is another than before.

        It may have learned something, so it is kept while class and parameters are
        equal by value.
        """
        wanted = resolve_strategy(self.strategy, estimator)
        mark = fingerprint(wanted)
        if not (hasattr(self, "strategy_") and mark.is_same(self._strategy_mark)):
            self.strategy_, self._strategy_mark = clone(wanted), mark
        return self.strategy_

    def _round_name(self):
        """A name for the stream of each round, whether it trains on or starts over.

        So the draws of one round do not repeat another's, after `forget` either.
        """
        return f"{self._n_rounds}-{self._n_labeled()}"

    def _model_name(self):
        """A name for each of the querier's models, and the labelled rows behind it."""
        return f"{self._n_losses}-{self._round_name()}"

    def _has_rows_of(self, model):
        """Whether all rows that a model of that name knew are labelled still."""
        return model.split("-")[0] == str(self._n_losses)

    def _say_reading(self, strategy, n_rows):
        if strategy.all_needs.fields:
            self._say(f"reading what the model says about {n_rows:,} rows")

    def _say(self, message):
        if self.verbose:
            print(f"[{type(self).__name__}] {message}", flush=True)
