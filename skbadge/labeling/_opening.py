"""Opening a session: what the ledger and the arguments say of one another."""

import numpy as np
from sklearn.base import clone, is_classifier

from skbadge.exceptions import QueryWarning
from skbadge.labeling._arguments import texts_of_classes
from skbadge.labeling.ledger._scalars import from_text
from skbadge.utils._caller import warn_caller
from skbadge.utils._shown import listed

# Rows whose contents are compared with what they were, the labelled ones for one.
_N_COMPARED = 1000


def settle(ledger, life, pool, querier, classes, audit_share):
    """Write down what a ledger is about, or check that it is about this.

    Returns the classes as JSON or None, and the querier to clone.
    """
    _check_rows(ledger, pool)
    texts = texts_of_classes(classes, "classes")
    named = texts_of_classes(querier.classes, "querier.classes")
    if texts is not None and named is not None and set(texts) != set(named):
        raise ValueError(
            "`classes` must be those of the querier, or None. Got "
            f"{listed(classes)}, and the querier has {listed(querier.classes)}."
        )
    texts = named if texts is None else texts
    known = ledger.told().get("classes") if texts is None else texts
    if known is not None and not is_classifier(querier):
        raise ValueError(
            "`classes` must be None for a regressor, and so must those of the ledger. "
            f"Got {listed(map(from_text, known))}: use a classifier, or a new `store`."
        )
    looks = {"n_rows": pool.n_rows, "digest": pool.digest()}
    # The lock is taken within a transaction, as it has to be.
    with ledger.about() as about:
        life.acquire()
        if not about:
            about["audit_share"] = audit_share
            about["random_state"] = _root_seed(querier.random_state)
            about["ids"], about["pool"] = pool.source, looks
            about["classes"] = texts
        elif about["ids"] != pool.source:
            raise ValueError(
                f"`ids` must be made as for the ledger {str(ledger.path)!r}, whose ids "
                f"are those of {_SOURCES[about['ids']]}. Got {_SOURCES[pool.source]}."
            )
        if texts is not None:
            _check_holds(texts, ledger)
            about["classes"] = texts
        has_changed = about["pool"] != looks
        was, about["pool"] = about["pool"], looks
        share, about["audit_share"] = about.get("audit_share", 0.0), audit_share
        texts = about["classes"]
        seed = about["random_state"]
    if has_changed:
        warn_caller(
            "`X_pool` has changed since the session was last open: "
            f"{_difference(was['n_rows'], pool.n_rows)}. The rows that were asked are "
            "as they were, and it goes on with the pool as it is now.",
            QueryWarning,
        )
    if share != audit_share:
        warn_caller(
            f"`audit_share` was {share:g} when the session was last open, and is "
            f"{audit_share:g}. A row that one of them lets the strategy choose is not "
            "drawn for the audit later, and `audit` says how many it lacks.",
            QueryWarning,
        )
    bare = clone(querier).set_params(random_state=seed)
    if texts is not None and bare.classes is None:
        bare.set_params(classes=[from_text(text) for text in texts])
    return texts, bare


def _difference(n_before, n_now):
    if n_before == n_now:
        return f"{n_now} rows as before, but in another order or with other contents"
    return f"{n_before} rows then, {n_now} now"


_SOURCES = {
    "index": "the index of a frame",
    "column": "a column",
    "array": "an array",
    "position": "the positions of the rows",
}


def _root_seed(random_state):
    if isinstance(random_state, int | np.integer):
        return int(random_state)
    # Of a generator, one draw, as for any call.
    if isinstance(random_state, np.random.RandomState):
        return int(random_state.randint(2**31 - 1))
    return int(np.random.SeedSequence().generate_state(1)[0])


def _check_holds(texts, ledger):
    """Raise unless classes hold all labels that were ever given."""
    missing = [text for text in ledger.given() if text not in texts]
    if missing:
        raise ValueError(
            "`classes` must hold all labels of the ledger, those that were corrected "
            f"too. It lacks {listed([from_text(text) for text in missing])}."
        )


def _check_rows(ledger, pool):
    """Raise if rows of the ledger are gone, or are not what they were."""
    rows = ledger.standing.rows
    for key in rows:
        if pool.position(key) is None:
            raise ValueError(
                "`X_pool` must hold all rows that were asked, whatever their order. "
                f"The row {from_text(key)!r} of the ledger {str(ledger.path)!r} is "
                f"missing.{_how_to_open(pool, key)}"
            )
    digests = ledger.digests()
    keys = [key for key in rows if key in digests]
    keys = keys[:: max(1, len(keys) // _N_COMPARED)]
    found = pool.digests([pool.position(key) for key in keys])
    for key, digest in zip(keys, found, strict=True):
        if digest != digests[key]:
            raise ValueError(
                f"The row {from_text(key)!r} of `X_pool` is not what it was when it "
                "was asked. Open the session on the row as it was; a better version "
                "of it may be in the pool too, under an id of its own. For another "
                "pool, use a new `store`."
            )


def _how_to_open(pool, key):
    """What to do where a row is missing."""
    # All ids or none have become text, or floats.
    twin = pool.twin(from_text(key))
    if twin is not None:
        return (
            f" The pool has {twin!r}, of type {type(twin).__name__}. Give the `ids` "
            "the type that they had."
        )
    return (
        " Open the session on all rows, with the same `ids`. What is not to be asked "
        "or trained on stays in the pool, and `skip` leaves it out."
    )
