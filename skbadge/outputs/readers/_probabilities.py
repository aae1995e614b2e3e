"""From a net's output to class probabilities, and to gradients of its loss."""

import skorch.utils
import torch

HINT = (
    "skorch applies a softmax only with criterion=CrossEntropyLoss, for modules that "
    "return logits. A module trained with NLLLoss must itself return probabilities. "
    "For other criteria set the net's `predict_nonlinearity`."
)


def nonlinearity_of(net):
    """The function from a net's output to probabilities, without skorch's roundings."""
    nonlinearity = net._get_predict_nonlinearity()
    is_softmax = getattr(nonlinearity, "func", None) is torch.softmax
    if is_softmax and nonlinearity.keywords == {"dim": -1}:
        return softmax_columns
    # skorch forms the first of two columns as 1 - sigmoid, exactly 0 for large logits.
    if nonlinearity is skorch.utils._sigmoid_then_2d:
        return logit_columns
    if nonlinearity is skorch.utils._make_2d_probs:
        return probability_columns
    return nonlinearity


def is_binary(nonlinearity):
    """Whether a net with this nonlinearity has one output for two classes."""
    return nonlinearity in (logit_columns, probability_columns)


def gives_probabilities(nonlinearity):
    """Whether it makes probabilities of any finite numbers."""
    return nonlinearity in (softmax_columns, logit_columns)


def probabilities(output, nonlinearity):
    """Class probabilities, of shape (n_rows, n_classes), from a net's output."""
    # Before the softmax: half precision would lose the small probabilities.
    output = output if output.dtype is torch.float64 else output.float()
    if is_binary(nonlinearity):
        if output.numel() != len(output):
            raise ValueError(
                "A net with a binary cross-entropy must have one output for each row. "
                f"Got outputs of shape {tuple(output.shape)}: several labels per row "
                "are not supported."
            )
        output = output.reshape(-1)
    proba = nonlinearity(output)
    if proba.ndim != 2:
        raise ValueError(
            "The net's probabilities must have shape (n_rows, n_classes). Got shape "
            f"{tuple(proba.shape)} instead. {HINT}"
        )
    return proba


def softmax_columns(logits):
    """Softmax of logits."""
    if logits.ndim != 2:
        return torch.softmax(logits, dim=-1)
    # Along the rows it is several times faster, as rows are many and columns few.
    return torch.softmax(logits.T.contiguous(), dim=0).T


def logit_columns(logit):
    """Two columns from the one logit of a binary net."""
    return torch.stack((torch.sigmoid(-logit), torch.sigmoid(logit)), dim=1)


def probability_columns(proba):
    """Two columns from the one probability of a binary net."""
    return torch.stack((1 - proba, proba), dim=1)


def loss_gradient(output, nonlinearity):
    r"""Gradient of the cross-entropy at the predicted label with respect to the output.

    For logits that is the residual :math:`p - e_{\hat y}`, formed without cancellation;
    for a net that returns something else, torch differentiates
    :math:`-\log p_{\hat y}`. It is float32 or better, of the output's shape.
    """
    output = output.detach()
    output = output if output.dtype is torch.float64 else output.float()
    if nonlinearity is logit_columns:
        probabilities(output, nonlinearity)  # Refuses several labels per row.
        # At a logit of 0 the label is 1, as in gradient embeddings.
        return torch.where(output >= 0, -torch.sigmoid(-output), torch.sigmoid(output))
    if nonlinearity is softmax_columns:
        residual = probabilities(output, nonlinearity).contiguous()
        predicted = residual.argmax(dim=1, keepdim=True)
        # The sum of the others, not p - 1, which is 0 for a net trained to the end.
        residual.scatter_(1, predicted, 0.0)
        return residual.scatter_(1, predicted, -residual.sum(dim=1, keepdim=True))
    with torch.enable_grad():
        output.requires_grad_()
        loss = -probabilities(output, nonlinearity).amax(dim=1).log().sum()
    return torch.autograd.grad(loss, output)[0]
