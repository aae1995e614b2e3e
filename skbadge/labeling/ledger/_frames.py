"""What a ledger says, as frames of pandas."""

from typing import Any

from skbadge.labeling.ledger._ledger_format import Event
from skbadge.labeling.ledger._resolution import answered, contradicts, resolve
from skbadge.labeling.ledger._row_standing import Why
from skbadge.labeling.ledger._scalars import from_text
from skbadge.utils._optional import import_optional

_NAMES = Event._fields
_OF_LABELS = (
    *("label", "annotator", "time"),
    *Why._fields,
    *("n_answers", "is_contradictory"),
)
_WHOLE = ("round", "rank", "refers_to")


def _pandas():
    return import_optional("pandas", extra="labeling", purpose="A frame of labels")


def labels_frame(ledger: Any, resolution: str) -> Any:
    """The labelled rows, by id."""
    times = ledger.times()
    records: dict[str, list] = {name: [] for name in _OF_LABELS}
    ids = []
    for key, row in answered(ledger.standing):
        ids.append(from_text(key))
        vote = resolve(row, resolution)
        records["label"].append(None if vote is None else from_text(vote.label))
        records["annotator"].append(None if vote is None else vote.who[0])
        records["time"].append(None if vote is None else times[vote.seq])
        for name in Why._fields:
            records[name].append(None if vote is None else getattr(vote.why, name))
        records["n_answers"].append(len(row.votes))
        records["is_contradictory"].append(contradicts(row))
    columns = {name: _series(values) for name, values in records.items()}
    return _typed(_pandas().DataFrame(columns).set_axis(_index(ids)))


def history_frame(ledger: Any) -> Any:
    """All events, by their numbers."""
    events = list(ledger.events())
    columns = {name: [event[i] for event in events] for i, name in enumerate(_NAMES)}
    for name in ("id", "label"):
        texts = columns[name]
        columns[name] = [None if text is None else from_text(text) for text in texts]
    frame = _pandas().DataFrame({name: _series(columns[name]) for name in _NAMES})
    return _typed(frame.set_index("seq"))


def agreement_frame(ledger: Any) -> Any:
    """Where several people answered one row, what they said."""
    several = [
        (key, row) for key, row in answered(ledger.standing) if len(row.votes) > 1
    ]
    answers = [
        {vote.who[0] or vote.who[1]: from_text(vote.label) for vote in row.votes}
        for _, row in several
    ]
    columns = {
        "answers": answers,
        "agrees": [len({vote.label for vote in row.votes}) == 1 for _, row in several],
        "is_decided": [row.decided > 0 for _, row in several],
    }
    index = _index([from_text(key) for key, _ in several])
    return _pandas().DataFrame(columns, index=index)


def _typed(frame):
    """Times as times, and whole numbers as such where some are missing."""
    pd = _pandas()
    frame["time"] = pd.to_datetime(frame["time"], utc=True, format="ISO8601")
    frame["probability"] = frame["probability"].astype("float64")
    for name in _WHOLE:
        if name in frame:
            frame[name] = frame[name].astype("Int64")
    return frame


def _index(ids):
    return _pandas().Index(_series(ids), name="id")


def _series(values):
    """Values of one type as pandas has them; of several, or some missing, as objects.

    Else 1, 1.0 and True would become one.
    """
    pd = _pandas()
    if len({type(value) for value in values}) == 1:
        try:
            return pd.Series(values)
        except (UnicodeEncodeError, OverflowError):
            # Half a surrogate pair, as of a file's name that is no text; or an int that
            # old versions of pandas would have as a float.
            pass
    return pd.Series(values, dtype=object)
