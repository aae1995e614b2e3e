"""What a failure in training a net most likely means, and what to do about it."""

import numpy as np

from skbadge.outputs._pipeline import innermost, is_skorch_net
from skbadge.pools import kind_of
from skbadge.querier._check_rows import NOT_NUMBERS, encoding_hint
from skbadge.utils._shown import listed


def nets_of(estimator):
    """The nets that an estimator trains, or holds to train clones of them."""
    if is_skorch_net(innermost(estimator)):
        return [innermost(estimator)]
    members = getattr(estimator, "estimators_", None)
    # An ensemble whose training failed has none yet.
    is_trained = isinstance(members, list) and len(members)
    parts = map(innermost, members) if is_trained else estimator.get_params().values()
    return [part for part in parts if is_skorch_net(part)]


def check_keeps_rows(estimator):
    """Raise before a training if a net is going to predict for some rows only."""
    iterators = [net.get_params_for("iterator_valid") for net in nets_of(estimator)]
    if any(params.get("drop_last") for params in iterators):
        raise ValueError(
            "With `iterator_valid__drop_last=True` the net predicts nothing for the "
            "rows of the last, incomplete batch. Set it to False; of the training, "
            "`iterator_train__drop_last` may leave out batches."
        )


def check_saw_rows(estimator, n_labeled):
    """Raise if the training of a net had no batch."""
    for net in nets_of(estimator):
        history = getattr(net, "history", None)
        if history and history[-1].get("train_batch_count") == 0:
            raise ValueError(
                f"The net was trained on no row: of {n_labeled} labelled rows, less "
                "any held out, `drop_last` leaves no full batch of batch_size="
                f"{net.batch_size}. Lower `batch_size`, or set "
                "`iterator_train__drop_last=False`."
            )


def explain(error, estimator, rows, classes):
    """Raise a ValueError in place of one of somebody else's, where it is a known one.

    Others get a note, or stay as they are.
    """
    text = str(error)
    if "Expected 2D array, got" in text:
        # scikit-learn's message has the array in it.
        raise ValueError(
            f"{text.partition(':')[0]}: `X` has shape {np.shape(rows.X)}. Reshape your "
            "data: `.reshape(-1, 1)` if it is one feature."
        ) from None
    nets = nets_of(estimator)
    if not nets:
        if any(word in text for word in NOT_NUMBERS):
            error.add_note(encoding_hint(rows.X, "X"))
        return
    check_saw_rows(estimator, len(rows.y))
    if kind_of(rows.X) == "dict" and "unexpected keyword argument" in text:
        raise ValueError(
            "skorch hands the entries of a dict to the module's `forward` by their "
            f"keys, {listed(rows.X)}: {text}."
        ) from error
    if "unexpected keyword argument" in text:
        error.add_note(
            "skorch hands parameters of `fit` to the module. Weights of rows are taken "
            "by skbadge.nn.TabularNetClassifier and TabularNetRegressor."
        )
    for fragment, meaning in MEANINGS.items():
        # A search reports all its errors with their tracebacks.
        found = [line.strip() for line in text.splitlines() if fragment in line]
        if found:
            raise ValueError(meaning(found[-1], nets[0], rows, classes)) from error


def _too_few_outputs(text, net, rows, classes):
    if classes is None:
        return f"A number is out of bounds, such as a class beyond the outputs: {text}"
    return (
        f"The net has fewer outputs than the {len(classes)} classes {listed(classes)}. "
        "Give its last layer an output for each class."
    )


def _another_width(text, net, rows, classes):
    return (
        "A layer of the net is not as wide as its input. The rows of `X` must have as "
        f"many columns as the first layer has inputs: {text}."
    )


def _too_few_to_hold_out(text, net, rows, classes):
    return (
        f"The net holds out part of the {len(rows.y)} labelled rows for validation, as "
        "skorch does by default, and they are too few. With few labels, turn that off: "
        f"train_split=None. {text}"
    )


def _batch_of_one(text, net, rows, classes):
    return (
        "A batch of one row reached a layer that normalises over the rows of a batch, "
        f"such as BatchNorm: of {len(rows.y)} labelled rows, less any held out, one is "
        f"left over in batches of {net.batch_size}. Set another `batch_size`, or "
        "`iterator_train__drop_last=True` if there are more rows than that."
    )


def _schedule_ended(text, net, rows, classes):
    return (
        "A learning rate schedule of fixed length (`total_steps`) ended before the "
        f"training: {text}. More labelled rows make more batches. Let it step once an "
        "epoch (`step_every='epoch'`, `total_steps` the `max_epochs` of the net), or "
        "take a schedule without a length."
    )


def _nothing_held_out(text, net, rows, classes):
    return (
        f"A callback of the net reads what is not recorded: {text} With "
        "`train_split=None` there are no validation scores. Let it watch the training, "
        "such as by `monitor='train_loss'`, or give the net a `train_split`."
    )


def _targets_that_do_not_fit(text, net, rows, classes):
    criterion = getattr(net.criterion, "__name__", type(net.criterion).__name__)
    return (
        f"The criterion, {criterion}, was given outputs and targets that do not fit: "
        f"{text}. A classifier's module must return a logit for each class, of shape "
        "(n_rows, n_classes), for criterion=torch.nn.CrossEntropyLoss; a regressor's a "
        "number for each target."
    )


def _no_gradients(text, net, rows, classes):
    return (
        "What is to be trained was made under torch.inference_mode or torch.no_grad, "
        "by the net's `forward` or with the module. Take that out; parts that are not "
        f"to be trained may run under torch.no_grad. {text}"
    )


def _several_as_one(text, net, rows, classes):
    return (
        "skorch hands several inputs to the module's `forward` as one list. Pass a "
        f"dict to have them by name, or unpack the list in `forward`. {text}"
    )


def _outputs_that_are_several(text, net, rows, classes):
    return (
        "The criterion was given a tuple: the module returns more than its "
        f"predictions. Override the net's `get_loss` to pick these out. {text}"
    )


def _unknown_codes(text, net, rows, classes):
    return (
        "An embedding table of the module has no entry for what it was given: codes "
        "must be integers from 0 on, below the `num_embeddings` of the table. "
        f"{text}"
    )


# By a part of the message. The first found says what an error means.
MEANINGS = {
    "out of bounds": _too_few_outputs,
    "shapes cannot be multiplied": _another_width,
    "n_splits": _too_few_to_hold_out,
    "Expected more than 1 value per channel": _batch_of_one,
    "number of total steps": _schedule_ended,
    "was not found in history": _nothing_held_out,
    "must match the size of tensor": _targets_that_do_not_fit,
    "Expected target size": _targets_that_do_not_fit,
    "must be the same as input size": _targets_that_do_not_fit,
    "to match target batch_size": _targets_that_do_not_fit,
    "type for target with class probabilities": _targets_that_do_not_fit,
    "must be Tensor, not tuple": _outputs_that_are_several,
    "required positional argument": _several_as_one,
    "index out of range in self": _unknown_codes,
    "scalar types: Long, Int": _unknown_codes,
    "1D target must have": _targets_that_do_not_fit,
    "Inference tensors cannot": _no_gradients,
    "does not require grad": _no_gradients,
}
