"""What to do next: the last words of a `StoppingAdvice`."""

from math import ceil, isfinite, sqrt

from scipy.stats import norm

from skbadge.monitoring.estimates._intervals import alpha_of_look


def next_step(last, stop, target, alpha):
    """What to do, in a sentence or two."""
    if last is None:
        return "No round was added yet."
    if last.assessment is None:
        # The first note is of the error, the others of the agreement.
        why = (f"Note: {note}." for note in last.notes[:1])
        return " ".join(["There is no bound.", *why])
    if stop:
        return _on_what_it_rests(last)
    found, next_alpha = last.assessment, alpha_of_look(alpha, last.number + 1)
    if not isfinite(found.error_bound(1 - next_alpha)):
        return " ".join([f"There is no bound of the {found.metric}:", *found.notes])
    estimate = found.error.estimate
    if estimate > target:
        missing = f"The estimate, {estimate:.3g}, is above {target:g}: the model has to"
        missing += " get better."
    else:
        missing = f"The estimate, {estimate:.3g}, is at most {target:g} already. What"
        missing += " is missing is certainty: judge more rows."
    return f"{missing} {_rows_needed(found, last.source, target, next_alpha)}".strip()


def _on_what_it_rests(last):
    found = last.assessment
    said = ["It holds for rows like those of the audit, and for this model."]
    if last.source == "batch":
        said = ["It holds for the rows of the pool as it was at first."]
        if found.n_folds:
            share = 100 * found.n_labeled / found.overall.n_pool
            said.append(
                f"The labelled ones, {share:.2g} % of them, count as models see them "
                "that were trained without some of them: that part is an estimate."
            )
    if found.interval == "normal":
        said = [
            "The bound is that of a normal distribution, which holds for many rows. "
            "Do not trust it with few."
        ]
    return " ".join([*said, *(f"Note: {note}." for note in found.notes)])


def _rows_needed(found, source, target, alpha):
    """How many rows without any loss a bound at the target takes in the next round."""
    n = found.ends.n_without_loss(target, alpha)
    if n is None:
        return ""
    n_audit = found.ends.n_of_audit(target, alpha)
    audit = f"an audit of about {ceil(n_audit)} rows"
    if source == "audit":
        now, as_now = found.error.estimate, ""
        if found.interval == "exact" and now < target:
            # The normal distribution of the errors, were the error the target.
            spread = norm.ppf(1 - alpha) * sqrt(target * (1 - target))
            n_now = ceil(max((spread / (target - now)) ** 2, n_audit))
            as_now = f", and about {n_now} rows with as many errors as now"
        return (
            f"At the next round the bound takes {audit} if the model is right about "
            f"all of them{as_now}. It has {found.overall.n} rows."
        )
    if not isfinite(n):
        return (
            "No batch can do, as the labelled rows alone are worse than that; at the "
            f"next round {audit} would, if the model is right about all of them."
        )
    return (
        f"At the next round the bound takes a batch of about {ceil(n)} rows without "
        f"any loss, or {audit}."
    )
