"""What a strategy reads of a model, looked at before it selects."""

from dataclasses import replace

import numpy as np
from scipy import sparse

from skbadge.embeddings._checked import check_finite
from skbadge.utils._row_errors import row_error
from skbadge.utils._row_sums import proper_rows
from skbadge.utils._validation import not_finite_rows


def checked_outputs(outputs, needs, name, reader):
    """Outputs in which some fields are there, finite, and probabilities some.

    Probabilities that are off by rounding are divided by their sum.

    Parameters
    ----------
    outputs : Outputs
        Those that were read of a model, which `is_checked` says, are not looked at.

    needs : Needs
        Whose fields are read, and whether they may be sparse.

    name : str
        What errors call the outputs.

    reader : str
        Who reads them.
    """
    for field in needs.fields:
        part = getattr(outputs, field)
        if part is None:
            raise ValueError(f"{reader} needs `{name}.{field}`. Got None instead.")
        if sparse.issparse(part) and not needs.sparse:
            raise TypeError(
                f"{reader} needs a dense `{name}.{field}`. Got a "
                f"{type(part).__name__}. Its method `toarray` makes one."
            )
    if outputs.is_checked:
        return outputs
    changed = {}
    for field in needs.fields:
        part, its_name = getattr(outputs, field), f"{name}.{field}"
        if field in ("proba", "posterior"):
            proper = (_proper if field == "proba" else _proper_samples)(part, its_name)
            if proper is not part:
                changed[field] = proper
        elif field == "gradients":
            check_finite(part, its_name)
        elif field == "head":
            _check_finite_head(part, its_name)
        else:
            _check_finite_rows(part, its_name)
    if outputs.targets is not None:
        targets = checked_outputs(outputs.targets, needs, f"{name}.targets", reader)
        if targets is not outputs.targets:
            changed["targets"] = targets
    return replace(outputs, **changed) if changed else outputs


def _proper_samples(posterior, name):
    """Posterior samples, as given if none is off by rounding."""
    samples = [_proper(sample, f"{name}[{i}]") for i, sample in enumerate(posterior)]
    is_same = all(np.shares_memory(sample, posterior) for sample in samples)
    return posterior if is_same else np.array(samples)


def _proper(proba, name):
    """Probabilities that sum to 1, unless a row is no distribution."""
    return proper_rows(
        proba,
        lambda rows, shown, total: (
            f"`{name}` must hold class probabilities: finite, at least 0, of sum 1 in "
            f"each row but for rounding to three decimals. {rows} do not, the first is "
            f"row {{row}}: {shown}. Of logits, take the softmax."
        ),
    )


def _check_finite_head(head, name):
    for part, its_name in zip(head, head._fields, strict=True):
        if not np.isfinite(part).all():
            raise ValueError(f"`{name}.{its_name}` must be finite.")


def _check_finite_rows(matrix, name):
    bad = not_finite_rows(matrix)
    if bad is not None:
        raise row_error(
            f"`{name}` must be finite. {bad.sum()} of {len(bad)} rows hold NaN or "
            "infinity, the first is row {row}.",
            bad.argmax(),
        )
