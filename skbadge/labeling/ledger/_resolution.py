"""One label for each row, of the answers of several people."""

from collections import Counter

from skbadge.utils._shown import shown

RESOLUTIONS = ("latest", "majority", "refuse")


def check_resolution(resolution):
    """Raise for one that is not allowed."""
    if resolution not in RESOLUTIONS:
        raise ValueError(
            f"`resolution` must be one of {list(RESOLUTIONS)}. Got {shown(resolution)}."
        )


def resolve(row, resolution):
    """The answer that gives a row its label; None if there is none."""
    votes = row.counting()
    if not votes:
        return None
    counts = Counter(vote.label for vote in votes)
    if len(counts) == 1 or resolution == "latest":
        return votes[-1]
    if resolution == "refuse":
        return None
    (first, most), (_, second) = counts.most_common(2)
    if most == second:
        return None
    return [vote for vote in votes if vote.label == first][-1]


def contradicts(row):
    """Whether the answers that count say different things."""
    return len({vote.label for vote in row.counting()}) > 1


def trainable(standing):
    """As `answered`, without the rows of the audit."""
    return [(key, row) for key, row in answered(standing) if not row.is_audit]


def answered(standing):
    """The labelled rows, in the order of their first answers."""
    found = [(key, row) for key, row in standing.rows.items() if row.votes]
    return sorted(found, key=lambda item: item[1].order)
