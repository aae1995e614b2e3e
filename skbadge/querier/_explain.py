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
    net, meanings = nets[0], MEANINGS
    known = {
        "n_labeled": len(rows.y),
        "batch_size": net.batch_size,
        "criterion": getattr(net.criterion, "__name__", type(net.criterion).__name__),
    }
    if classes is not None:
        known["classes"] = f"{len(classes)} classes {listed(classes)}"
        meanings = MEANINGS | OF_CLASSIFIERS
    for fragment, meaning in meanings.items():
        # A search reports all its errors with their tracebacks.
        found = [line.strip() for line in text.splitlines() if fragment in line]
        if found:
            raise ValueError(meaning.format(text=found[-1], **known)) from error


NO_FIT = (
    "The criterion, {criterion}, was given outputs and targets that do not fit: "
    "{text}. A classifier's module must return a logit for each class, of shape "
    "(n_rows, n_classes), for criterion=torch.nn.CrossEntropyLoss; a regressor's a "
    "number for each target."
)
NO_GRADIENTS = (
    "What is to be trained was made under torch.inference_mode or torch.no_grad, by "
    "the net's `forward` or with the module. Take that out; parts that are not to be "
    "trained may run under torch.no_grad. {text}"
)
UNKNOWN_CODES = (
    "An embedding table of the module has no entry for what it was given: codes must "
    "be integers from 0 on, below the `num_embeddings` of the table. {text}"
)

# By a part of the message. The first found says what an error means.
MEANINGS = {
    "out of bounds": (
        "A number is out of bounds, such as a class beyond the outputs: {text}"
    ),
    "shapes cannot be multiplied": (
        "A layer of the net is not as wide as its input. The rows of `X` must have as "
        "many columns as the first layer has inputs: {text}."
    ),
    "n_splits": (
        "The net holds out part of the {n_labeled} labelled rows for validation, as "
        "skorch does by default, and they are too few. With few labels, turn that off: "
        "train_split=None. {text}"
    ),
    "Expected more than 1 value per channel": (
        "A batch of one row reached a layer that normalises over the rows of a batch, "
        "such as BatchNorm: of {n_labeled} labelled rows, less any held out, one is "
        "left over in batches of {batch_size}. Set another `batch_size`, or "
        "`iterator_train__drop_last=True` if there are more rows than that."
    ),
    "number of total steps": (
        "A learning rate schedule of fixed length (`total_steps`) ended before the "
        "training: {text}. More labelled rows make more batches. Let it step once an "
        "epoch (`step_every='epoch'`, `total_steps` the `max_epochs` of the net), or "
        "take a schedule without a length."
    ),
    "was not found in history": (
        "A callback of the net reads what is not recorded: {text} With "
        "`train_split=None` there are no validation scores. Let it watch the training, "
        "such as by `monitor='train_loss'`, or give the net a `train_split`."
    ),
    "must match the size of tensor": NO_FIT,
    "Expected target size": NO_FIT,
    "1D target must have": NO_FIT,
    "must be the same as input size": NO_FIT,
    "to match target batch_size": NO_FIT,
    "type for target with class probabilities": NO_FIT,
    "must be Tensor, not tuple": (
        "The criterion was given a tuple: the module returns more than its "
        "predictions. Override the net's `get_loss` to pick these out. {text}"
    ),
    "required positional argument": (
        "skorch hands several inputs to the module's `forward` as one list. Pass a "
        "dict to have them by name, or unpack the list in `forward`. {text}"
    ),
    "index out of range in self": UNKNOWN_CODES,
    "scalar types: Long, Int": UNKNOWN_CODES,
    "Inference tensors cannot": NO_GRADIENTS,
    "does not require grad": NO_GRADIENTS,
}
OF_CLASSIFIERS = {
    "out of bounds": (
        "The net has fewer outputs than the {classes}. Give its last layer an output "
        "for each class."
    ),
}
