"""Reading skorch nets: outputs, precision, and leaving the net as it was."""

import numpy as np
import pytest
import torch
from skorch import (
    NeuralNet,
    NeuralNetBinaryClassifier,
    NeuralNetClassifier,
    NeuralNetRegressor,
)
from torch import nn

from skbadge.outputs import model_outputs
from skbadge.outputs._output_shape import n_outputs

rng = np.random.default_rng(0)
X = rng.normal(size=(50, 4)).astype("f4")
y = rng.integers(3, size=50)


class Net(nn.Module):
    """A net with everything that behaves differently in training; counts rows."""

    def __init__(self, n_out=3, fails=False, softmax=False, extra=False):
        super().__init__()
        self.body = nn.Sequential(
            nn.Linear(4, 8), nn.BatchNorm1d(8), nn.Tanh(), nn.Dropout(0.5)
        )
        self.head = nn.Linear(8, n_out)
        self.fails, self.softmax, self.extra = fails, softmax, extra
        self.rows = []

    def forward(self, X):
        self.rows.append(len(X))
        out = self.head(self.body(X))
        if self.fails:
            raise RuntimeError("the module fails")
        out = torch.softmax(out, dim=1) if self.softmax else out
        return (out, X) if self.extra else out


def _fit(module=Net, cls=NeuralNetClassifier, y=y, epochs=1, **kwargs):
    torch.manual_seed(0)
    defaults = {"max_epochs": epochs, "verbose": 0, "train_split": None, "lr": 0.1}
    return cls(module, **{**defaults, **kwargs}).fit(X, y)


def _snapshot(net):
    return {
        "modes": [(name, m.training) for name, m in net.module_.named_modules()],
        "hooks": [
            len(m._forward_hooks) + len(m._forward_pre_hooks)
            for m in net.module_.modules()
        ],
        "grads": [p.requires_grad for p in net.module_.parameters()],
        "state": {k: v.clone() for k, v in net.module_.state_dict().items()},
        "torch": torch.get_rng_state(),
        "grad_mode": torch.is_grad_enabled(),
    }


def _assert_same(before, after):
    for key in ("modes", "hooks", "grads", "grad_mode"):
        assert before[key] == after[key], key
    assert torch.equal(before["torch"], after["torch"])
    for key, value in before["state"].items():
        assert torch.equal(value, after["state"][key]), key


@pytest.mark.parametrize("extra", [False, True])
@pytest.mark.parametrize("softmax", [False, True])
def test_both_loss_conventions_agree_with_predict_proba(softmax, extra):
    criterion = nn.NLLLoss if softmax else nn.CrossEntropyLoss
    # skorch's loss takes the first entry of a tuple only by an override; it is not
    # what is tested here, so the weights are copied from a net that trained.
    trained = _fit(module__softmax=softmax, criterion=criterion)
    net = NeuralNetClassifier(
        Net, module__softmax=softmax, module__extra=extra, criterion=criterion
    ).initialize()
    net.module_.load_state_dict(trained.module_.state_dict())
    outputs = model_outputs(net, X)
    np.testing.assert_allclose(outputs.proba, net.predict_proba(X), atol=1e-6)
    assert outputs.one_logit is False


def test_features_are_the_hidden_layer_in_inference_mode():
    net = _fit(criterion=nn.CrossEntropyLoss, epochs=2)
    outputs = model_outputs(net, X, batch_size=7)
    weights = {k: v.numpy() for k, v in net.module_.state_dict().items()}
    z = X @ weights["body.0.weight"].T + weights["body.0.bias"]
    z = (z - weights["body.1.running_mean"]) / np.sqrt(
        weights["body.1.running_var"] + 1e-5
    )
    z = np.tanh(z * weights["body.1.weight"] + weights["body.1.bias"])
    np.testing.assert_allclose(outputs.features, z, atol=1e-5)
    logits = z @ weights["head.weight"].T + weights["head.bias"]
    expected = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(outputs.proba, expected, atol=1e-5)


@pytest.mark.parametrize("needs", [("proba",), ("features",), ("proba", "features")])
def test_each_row_is_run_once(needs):
    net = _fit(criterion=nn.CrossEntropyLoss)
    net.module_.rows.clear()
    outputs = model_outputs(net, X, needs=needs, batch_size=20)
    # A few rows more, to find the layer.
    probe = [4] if "features" in needs else []
    assert net.module_.rows == [*probe, 20, 20, 10]
    assert (outputs.proba is None) is ("proba" not in needs)
    assert (outputs.features is None) is ("features" not in needs)


def test_named_layer_needs_no_probe():
    net = _fit(criterion=nn.CrossEntropyLoss)
    net.module_.rows.clear()
    model_outputs(net, X, feature_layer="head", batch_size=25)
    assert net.module_.rows == [25, 25]


def test_probabilities_alone_need_no_hooks(monkeypatch):
    net = _fit(criterion=nn.CrossEntropyLoss)
    monkeypatch.setattr(nn.Module, "register_forward_hook", lambda *a, **k: 1 / 0)
    monkeypatch.setattr(nn.Module, "register_forward_pre_hook", lambda *a, **k: 1 / 0)
    assert model_outputs(net, X, needs=("proba",)).proba.shape == (50, 3)


@pytest.mark.parametrize("read", [model_outputs, n_outputs])
@pytest.mark.parametrize("fails", [False, True])
@pytest.mark.parametrize("layer", ["auto", "head"])
def test_net_is_left_as_it_was_found(layer, fails, read):
    net = _fit(criterion=nn.CrossEntropyLoss)
    net.module_.train()
    net.module_.body[1].eval()
    net.module_.body[0].weight.requires_grad_(False)
    net.module_.fails = fails
    kwargs = {"feature_layer": layer} if read is model_outputs else {}
    before = _snapshot(net)
    if fails:
        with pytest.raises(RuntimeError, match="the module fails"):
            read(net, X, **kwargs)
    else:
        read(net, X, **kwargs)
    _assert_same(before, _snapshot(net))


def test_criterion_mode_is_restored():
    net = _fit(criterion=nn.CrossEntropyLoss)
    net.criterion_.train()
    model_outputs(net, X)
    assert net.criterion_.training


@pytest.mark.parametrize("layer", ["auto", "head"])
def test_no_graph_is_recorded(layer):
    class Recorder(NeuralNetClassifier):
        def infer(self, x, **fit_params):
            out = super().infer(x, **fit_params)
            recorded.append(out.requires_grad)
            return out

        def evaluation_step(self, batch, training=False):
            # An override that forgets about gradients.
            self._set_training(training)
            return self.infer(batch[0])

    recorded = []
    net = _fit(cls=Recorder, criterion=nn.CrossEntropyLoss)
    recorded.clear()
    model_outputs(net, X, feature_layer=layer)
    assert recorded
    assert not any(recorded)


@pytest.mark.parametrize("shape", ["column", "flat"])
def test_one_logit(shape):
    ending = nn.Identity() if shape == "column" else nn.Flatten(0)
    net = _fit(
        nn.Sequential(Net(1), ending),
        NeuralNetBinaryClassifier,
        y=(y > 0).astype("f4"),
    )
    outputs = model_outputs(net, X)
    assert outputs.one_logit is True
    assert outputs.features.shape == (50, 8)
    np.testing.assert_allclose(outputs.proba, net.predict_proba(X), atol=1e-6)
    assert n_outputs(net, X) == 1
    assert model_outputs(net, X, needs=("features",)).one_logit is True


def test_large_logits_keep_the_small_probability():
    net = _fit(Net(1), NeuralNetBinaryClassifier, y=(y > 0).astype("f4"))
    with torch.no_grad():
        net.module_.head.weight.zero_()
        net.module_.head.bias.fill_(60.0)
    np.testing.assert_allclose(
        model_outputs(net, X).proba[:, 0], np.exp(-60.0), rtol=1e-5
    )


@pytest.mark.parametrize("flat", [False, True])
def test_probability_of_one_class(flat):
    layers = [Net(1), nn.Sigmoid(), nn.Flatten(0) if flat else nn.Identity()]
    net = NeuralNet(nn.Sequential(*layers), criterion=nn.BCELoss).initialize()
    outputs = model_outputs(net, X)
    assert outputs.one_logit is True
    p = net.forward(X).numpy().ravel()
    np.testing.assert_allclose(outputs.proba, np.column_stack([1 - p, p]), atol=1e-6)


def test_several_labels_per_row_are_refused():
    net = NeuralNet(Net(3), criterion=nn.BCEWithLogitsLoss).initialize()
    with pytest.raises(ValueError, match=r"one output for each row.*several labels"):
        model_outputs(net, X)


def test_generic_net_that_returns_probabilities():
    net = NeuralNet(
        Net, module__softmax=True, criterion=nn.MSELoss, verbose=0
    ).initialize()
    np.testing.assert_allclose(
        model_outputs(net, X).proba, net.predict_proba(X), atol=1e-6
    )


def test_logits_where_skorch_expects_probabilities_are_refused():
    net = NeuralNetClassifier(Net, criterion=nn.NLLLoss).initialize()
    with pytest.raises(ValueError, match="NLLLoss must itself return probabilities"):
        model_outputs(net, X)


def test_own_nonlinearity_is_used():
    def sharpened(logits):
        return torch.softmax(3 * logits, dim=1)

    net = _fit(criterion=nn.CrossEntropyLoss, predict_nonlinearity=sharpened)
    proba = model_outputs(net, X).proba
    np.testing.assert_allclose(proba, net.predict_proba(X), atol=1e-6)
    net.set_params(predict_nonlinearity="auto")
    assert np.abs(model_outputs(net, X).proba - proba).max() > 0.01


def test_output_of_the_wrong_shape_is_refused():
    net = NeuralNetClassifier(
        nn.Sequential(nn.Linear(4, 6), nn.Unflatten(1, (3, 2))),
        criterion=nn.CrossEntropyLoss,
    ).initialize()
    with pytest.raises(ValueError, match=r"must have shape .n_rows, n_classes.*3, 2"):
        model_outputs(net, X)


def test_regressor_has_features_only():
    net = _fit(Net(1), NeuralNetRegressor, y=y[:, None].astype("f4"))
    outputs = model_outputs(net, X, needs=("features",))
    assert outputs.features.shape == (50, 8)
    assert outputs.one_logit is False
    with pytest.raises(TypeError, match="NeuralNetRegressor predicts no probabilit"):
        model_outputs(net, X)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
@pytest.mark.parametrize("kind", ["float32", "float64", "int64", "bool"])
def test_modules_of_other_precision(dtype, kind):
    net = _fit(criterion=nn.CrossEntropyLoss)
    reference = model_outputs(net, X.astype(kind))
    net.module_.to(dtype)
    outputs = model_outputs(net, X.astype(kind))
    expected = np.float64 if dtype is torch.float64 else np.float32
    assert outputs.proba.dtype == outputs.features.dtype == expected
    atol = 1e-6 if dtype is torch.float64 else 0.05
    np.testing.assert_allclose(outputs.proba, reference.proba, atol=atol)
    np.testing.assert_allclose(outputs.features, reference.features, atol=atol)
    np.testing.assert_allclose(outputs.proba.sum(axis=1), 1, atol=1e-6)


def test_softmax_of_half_precision_logits_is_taken_in_float32():
    net = _fit(criterion=nn.CrossEntropyLoss)
    with torch.no_grad():
        net.module_.head.weight.zero_()
        net.module_.head.bias.copy_(torch.tensor([30.0, 0.0, 0.0]))
    net.module_.half()
    # e^-30 is 0 in half precision.
    np.testing.assert_allclose(
        model_outputs(net, X).proba[:, 1], np.exp(-30.0), rtol=1e-3
    )


@pytest.mark.parametrize("how", ["whole", "inside", "call"])
def test_compiled_modules_are_read(how):
    net = _fit(criterion=nn.CrossEntropyLoss)
    reference = model_outputs(net, X)
    calls = []

    def backend(graph, example_inputs):
        calls.append(graph)
        return graph.forward

    if how == "whole":
        vars(net)["module_"] = torch.compile(net.module_, backend=backend)
    elif how == "inside":
        net.module_.head = torch.compile(net.module_.head, backend=backend)
    else:
        net.module_.compile(backend=backend)
    found = net.module_, net.module_._modules.copy(), net.module_._compiled_call_impl
    outputs = model_outputs(net, X, feature_layer="head")
    np.testing.assert_array_equal(outputs.features, reference.features)
    np.testing.assert_allclose(outputs.proba, reference.proba, atol=1e-6)
    np.testing.assert_array_equal(model_outputs(net, X).features, reference.features)
    after = net.module_, net.module_._modules.copy(), net.module_._compiled_call_impl
    assert after == found
    assert not calls
    assert n_outputs(net, X) == 3
