"""Rounds as text, as HTML and as a frame."""

from html import escape

import numpy as np

from skbadge.monitoring.estimates._shown_numbers import brief, percent
from skbadge.utils._html_tables import table
from skbadge.utils._optional import import_optional

# So many classes are named one by one.
_N_CLASSES = 4


def error_name(assessment):
    """What the error of an assessment is."""
    metric = assessment.metric
    if metric == "accuracy":
        return "error"
    return f"1 - {metric}" if assessment.is_score else metric


def cells_of(one):
    """What is known of a round, as texts by name; "" where nothing is."""
    assessment, error = one.assessment, ""
    if assessment is not None:
        show = percent if assessment.is_score else "{:.3g}".format
        error = brief(one.error, show)
    return {
        "round": str(one.number),
        "labelled": str(one.n_labeled),
        "answered": f"{one.n_answered} of {one.n_asked}",
        "error" if assessment is None else error_name(assessment): error,
        "from": one.source,
        "agreement": "" if one.agreement is None else f"{one.agreement:.3f}",
        "disagreement": "" if one.disagreement is None else percent(one.disagreement),
        "duplicates": percent(one.duplicates),
        "answers": _balance(one.class_counts),
    }


def _balance(counts):
    """Which classes the answers are of."""
    if len(counts) <= _N_CLASSES:
        return ", ".join(f"{label}: {count}" for label, count in counts.items())
    least, most = min(counts.values()), max(counts.values())
    return f"{len(counts)} classes, {least} to {most} each"


def about(rounds, judge, source):
    """How many rounds there are, and what judges them."""
    used = {one.assessment.interval for one in rounds if one.assessment is not None}
    kinds = " and ".join(sorted(used or {judge.interval_of(source)}))
    return (
        f"{len(rounds)} round{'s' * (len(rounds) != 1)}, {judge.metric} with {kinds} "
        f"intervals of confidence {judge.confidence:g}"
    )


def as_text(rounds):
    """A table with a line for each round, then what is to be said of them."""
    lines = _lines(rounds)
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    rows = [
        "  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True))
        for line in lines
    ]
    return "\n".join([*rows, *_notes(rounds)])


def as_html(rounds):
    """The same for a notebook."""
    head, *lines = _lines(rounds)
    notes = "".join(f"<p>{escape(note)}</p>" for note in _notes(rounds))
    return table(head, lines, align="right") + notes


def _lines(rounds):
    """The names of the columns, and the cells of each round."""
    judged = [one.assessment for one in rounds if one.assessment is not None]
    names = [*cells_of(rounds[0])]
    names[3] = error_name(judged[0]) if judged else "error"
    return [names] + [
        [cell or "-" for cell in cells_of(one).values()] for one in rounds
    ]


def _notes(rounds):
    """Each note once, with the rounds that it is of."""
    found = {}
    for one in rounds:
        more = () if one.assessment is None else one.assessment.notes
        for note in (*one.notes, *more):
            found.setdefault(note, []).append(one.number)
    for note, numbers in found.items():
        where = f"round {numbers[0]}"
        if len(numbers) > 1:
            where = f"{len(numbers)} rounds, last in round {numbers[-1]}"
        yield f"note, in {where}: {note}"


def as_frame(rounds):
    """A data frame with a row for each round."""
    pd = import_optional("pandas", extra="plot", purpose="A frame of rounds")
    classes = sorted({label for one in rounds for label in one.class_counts})
    records = []
    for one in rounds:
        error, judged = one.error, one.assessment
        record = {
            "round": one.number,
            "n_labeled": one.n_labeled,
            "strategy": one.strategy,
            "n_asked": one.n_asked,
            "n_answered": one.n_answered,
            "source": one.source,
            "metric": None if judged is None else judged.metric,
            "interval": None if judged is None else judged.interval,
            "error": np.nan if error is None else error.estimate,
            "error_low": np.nan if error is None else error.low,
            "error_high": np.nan if error is None else error.high,
            "agreement": np.nan if one.agreement is None else one.agreement,
            "disagreement": np.nan if one.disagreement is None else one.disagreement,
            "duplicates": one.duplicates,
        }
        for label in classes:
            name = f"n_{label}"
            # A class may be called "labeled", or 1 beside "1".
            while name in record:
                name += "_"
            record[name] = one.class_counts.get(label, 0)
        records.append(record | {"notes": "; ".join(one.notes)})
    return pd.DataFrame(records)
