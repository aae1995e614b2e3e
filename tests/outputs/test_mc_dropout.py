"""Monte Carlo dropout: masks that all rows share, and the net left as it was."""

import numpy as np
import pytest
import torch
from sklearn.datasets import make_classification
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from skorch import NeuralNetBinaryClassifier, NeuralNetClassifier
from skorch.helper import SliceDict
from torch import nn

from skbadge.outputs import Needs, model_outputs

X, y = make_classification(
    120, 6, n_informative=4, n_classes=3, n_clusters_per_class=1, random_state=0
)
X = X.astype("f4")


class Net(nn.Module):
    """Dropout of two kinds, one module called twice, and batch normalisation."""

    def __init__(self, p=0.5, n_out=3, fails=False):
        super().__init__()
        self.first = nn.Linear(6, 16)
        self.norm = nn.BatchNorm1d(16)
        self.drop = nn.Dropout(p)
        self.second = nn.Linear(16, 16)
        self.alpha = nn.AlphaDropout(p / 2)
        self.head = nn.Linear(16, n_out)
        self.fails = fails

    def forward(self, X):
        Z = self.drop(torch.relu(self.norm(self.first(X))))
        Z = self.drop(torch.relu(self.second(Z)))
        Z = self.head(self.alpha(Z))
        if self.fails and len(X) < 20:
            raise RuntimeError("the module fails")
        return Z


def fitted(module=Net, cls=NeuralNetClassifier, y=y, X=X, **params):
    defaults = {
        "criterion": nn.CrossEntropyLoss,
        "max_epochs": 3,
        "lr": 0.1,
        "verbose": 0,
        "train_split": None,
    }
    if cls is NeuralNetBinaryClassifier:
        del defaults["criterion"]
    torch.manual_seed(0)
    return cls(module, **{**defaults, **params}).fit(X, y)


def posterior(estimator, X=X, n=5, seed=0, **options):
    options = {"needs": Needs(n_posterior=n), "random_state": seed, **options}
    return model_outputs(estimator, X, **options).posterior


def equal_rows(n_rows=40):
    return np.repeat(X[:1], n_rows, axis=0)


@pytest.mark.parametrize("batch_size", ["auto", 7])
def test_all_rows_of_a_sample_share_its_masks(batch_size):
    samples = posterior(fitted(), equal_rows(), batch_size=batch_size)
    assert samples.shape == (5, 40, 3)
    assert samples.dtype == np.float32
    np.testing.assert_allclose(samples, samples[:, :1].repeat(40, axis=1), atol=1e-6)
    differences = np.abs(samples[:, None, 0] - samples[None, :, 0]).max(axis=2)
    assert differences[~np.eye(5, dtype=bool)].min() > 1e-3


def test_masks_do_not_depend_on_the_batch_size():
    net = fitted()
    reference = posterior(net)
    for batch_size in (1, 7, 64, 120):
        samples = posterior(net, batch_size=batch_size)
        np.testing.assert_allclose(samples, reference, atol=1e-6)


def test_masks_do_not_depend_on_the_net_s_own_data_loading():
    reference = posterior(fitted())
    net = fitted(iterator_valid__batch_size=9)
    dataset = torch.utils.data.TensorDataset(
        torch.from_numpy(X), torch.zeros(len(X), dtype=torch.long)
    )
    np.testing.assert_allclose(posterior(net, dataset), reference, atol=1e-6)


def test_masks_do_not_depend_on_the_rows():
    net = fitted()
    part = posterior(net)[:, 30:50]
    np.testing.assert_allclose(posterior(net, X[30:50]), part, atol=1e-6)


def test_a_seed_gives_the_same_masks_and_fewer_samples_are_the_first_ones():
    net = fitted()
    reference = posterior(net, n=6)
    np.testing.assert_array_equal(posterior(net, n=6), reference)
    np.testing.assert_array_equal(posterior(net, n=2), reference[:2])
    rng = np.random.RandomState(0)
    np.testing.assert_array_equal(posterior(net, n=6, seed=rng), reference)
    assert np.abs(posterior(net, n=6, seed=1) - reference).max() > 1e-3


def test_each_sample_is_a_thinned_net():
    net = fitted(nn.Sequential(nn.Linear(6, 8), nn.Dropout(0.25), nn.Linear(8, 3)))
    samples = posterior(net, n=40)
    first, _, head = net.module_
    with torch.no_grad():
        hidden = first(torch.from_numpy(X)).numpy().astype(float)
        W, b = head.weight.numpy().astype(float), head.bias.numpy()
    kept = []
    for sample in samples:
        # Logits up to a constant a row; the mask is what explains their differences.
        logits = np.log(sample.astype(float))
        target = logits - logits[:, :1] - (b - b[0])
        design = hidden[:, None, :] * (W - W[0])[None]
        mask, *_ = np.linalg.lstsq(design.reshape(-1, 8), target.ravel(), rcond=None)
        np.testing.assert_allclose(mask * (mask - 1 / 0.75), 0, atol=1e-3)
        kept.append(mask > 0.5)
    # 320 draws with probability 3/4: four standard deviations are 31.
    assert abs(np.sum(kept) - 240) < 31


def test_the_mean_is_that_of_torch_s_own_dropout():
    net = fitted()
    samples = posterior(net, X[:30], n=600)
    module = net.module_
    torch.manual_seed(0)
    module.eval()
    for dropout in (module.drop, module.alpha):
        dropout.train()
    with torch.no_grad():
        batch = torch.from_numpy(X[:30])
        own = np.array([module(batch).softmax(1).numpy() for _ in range(600)])
    error = samples.std(axis=0) ** 2 / 600 + own.std(axis=0) ** 2 / 600
    z = (samples.mean(axis=0) - own.mean(axis=0)) / np.sqrt(error)
    # The rows share their masks, so that their errors go together.
    assert np.abs(z).max() < 4.5
    np.testing.assert_allclose(samples.std(axis=0), own.std(axis=0), atol=0.03)
    inference = model_outputs(net, X[:30], needs=("proba",)).proba
    assert np.abs(own.mean(axis=0) - inference).max() > 0.01


def test_batch_normalisation_stays_in_inference_mode():
    # In training mode a row's output would depend on the others.
    net = fitted()
    before = {name: part.clone() for name, part in net.module_.state_dict().items()}
    np.testing.assert_allclose(
        posterior(net, X[:2]), posterior(net)[:, :2], rtol=1e-4, atol=1e-6
    )
    for name, part in net.module_.state_dict().items():
        assert torch.equal(part, before[name])


@pytest.mark.parametrize(
    ("dropout", "shape", "shared"),
    [
        (nn.Dropout(0.5), (4, 5), None),
        (nn.Dropout1d(0.5), (4, 5), (2,)),
        (nn.Dropout2d(0.5), (4, 5, 6), (2, 3)),
        (nn.Dropout3d(0.5), (4, 2, 3, 2), (2, 3, 4)),
        (nn.AlphaDropout(0.5), (4, 5), None),
        (nn.FeatureAlphaDropout(0.5), (4, 5), (2,)),
        (nn.Dropout(0.5, inplace=True), (4, 5), None),
    ],
)
def test_each_kind_of_dropout_acts_as_its_own(dropout, shape, shared):
    seen = []

    class Shaped(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.Linear(int(np.prod(shape)), 2)
            self.dropout = dropout

        def forward(self, X):
            out = self.dropout(X.reshape(-1, *shape).clone())
            seen.append(out.numpy().copy() if not self.training else None)
            return self.weight(out.flatten(1))

    n_features = int(np.prod(shape))
    rows = np.full((12, n_features), 3, dtype="f4")
    net = NeuralNetClassifier(Shaped, criterion=nn.CrossEntropyLoss).initialize()
    posterior(net, rows, n=30)
    out = np.array(seen)
    # All rows alike, samples not.
    np.testing.assert_array_equal(out, out[:, :1].repeat(12, axis=1))
    assert len(np.unique(out[:, 0].reshape(30, -1), axis=0)) > 1
    values = np.unique(out.round(5))
    if isinstance(dropout, nn.AlphaDropout | nn.FeatureAlphaDropout):
        dropout.train()
        own = np.unique(dropout(torch.full((400, *shape), 3.0)).numpy().round(5))
        np.testing.assert_allclose(values, own, atol=2e-5)
    else:
        np.testing.assert_array_equal(values, [0, 6])
    if shared is None:
        # Neighbours are dropped by themselves.
        assert (out[..., 1:] != out[..., :-1]).any()
    else:
        first = out[(..., *[slice(0, 1)] * len(shared))]
        np.testing.assert_array_equal(out, np.broadcast_to(first, out.shape))
        assert len(np.unique(first[:, 0], axis=1)) > 1


def test_a_module_called_twice_has_two_masks():
    class Twice(nn.Module):
        def __init__(self):
            super().__init__()
            self.drop = nn.Dropout(0.5, inplace=True)
            self.head = nn.Linear(6, 2)

        def forward(self, X):
            masks.append([self.drop(torch.ones_like(X))[0].numpy() for _ in range(2)])
            return self.head(X)

    masks = []
    net = NeuralNetClassifier(Twice, criterion=nn.CrossEntropyLoss).initialize()
    posterior(net, X, n=20, batch_size=50)
    masks = np.array(masks).reshape(20, 3, 2, 6)
    assert set(np.unique(masks)) == {0, 2}
    np.testing.assert_array_equal(masks, masks[:, :1].repeat(3, axis=1))
    assert (masks[:, 0, 0] != masks[:, 0, 1]).mean() > 0.3


def snapshot(net):
    return {
        "modes": [m.training for m in net.module_.modules()],
        "hooks": [
            len(m._forward_hooks) + len(m._forward_pre_hooks)
            for m in net.module_.modules()
        ],
        "torch": torch.get_rng_state().tolist(),
        "numpy": np.random.get_state()[1].tolist(),
        "grad": torch.is_grad_enabled(),
    }


@pytest.mark.parametrize("fails", [False, True])
def test_the_net_is_left_as_it_was_found(fails):
    net = fitted()
    net.module_.train()
    net.module_.norm.eval()
    net.module_.alpha.eval()
    net.module_.fails = fails
    before = snapshot(net)
    if fails:
        # In the second batch.
        with pytest.raises(RuntimeError, match="the module fails"):
            posterior(net, batch_size=110)
    else:
        posterior(net)
    assert snapshot(net) == before


@pytest.mark.parametrize(
    "module",
    [
        nn.Linear(6, 3),
        nn.Sequential(nn.Linear(6, 8), nn.Dropout(0.0), nn.Linear(8, 3)),
    ],
)
def test_a_net_without_dropout_is_refused(module):
    with pytest.raises(ValueError, match=r"no dropout module with p > 0.*Bagging"):
        posterior(fitted(module))


def test_dropout_that_is_not_run_is_refused():
    class Unused(nn.Module):
        def __init__(self):
            super().__init__()
            self.drop, self.head = nn.Dropout(0.5), nn.Linear(6, 3)

        def forward(self, X):
            return self.head(self.drop(X) if self.training else X)

    with pytest.raises(ValueError, match="None of the net's dropout modules is run"):
        posterior(fitted(Unused))


def test_dropout_with_other_things_than_rows_first_is_refused():
    class TimeFirst(nn.Module):
        def __init__(self):
            super().__init__()
            self.drop, self.head = nn.Dropout(0.5), nn.Linear(6, 3)

        def forward(self, X):
            Z = self.drop(X.reshape(-1, 2, 3).transpose(0, 1))
            return self.head(Z.transpose(0, 1).flatten(1))

    net = NeuralNetClassifier(TimeFirst, criterion=nn.CrossEntropyLoss).initialize()
    with pytest.raises(ValueError, match=r"rows along their first.*120 rows.*\[2\]"):
        posterior(net)


def test_rows_of_varying_shape_are_refused():
    class Padded(nn.Module):
        def __init__(self):
            super().__init__()
            self.drop, self.head = nn.Dropout(0.5), nn.Linear(6, 3)

        def forward(self, X):
            # As long as the longest row of the batch.
            wide = nn.functional.pad(X, (0, len(X) % 7))
            return self.head(self.drop(wide)[:, :6])

    net = NeuralNetClassifier(Padded, criterion=nn.CrossEntropyLoss).initialize()
    with pytest.raises(ValueError, match=r"same shape in all batches.*7.*first and"):
        posterior(net, batch_size=50)


def test_a_module_that_is_not_called_is_refused():
    class Around(NeuralNetClassifier):
        def infer(self, x, **fit_params):
            return self.module_.forward(x)

    with pytest.raises(ValueError, match="must run its Net by calling it"):
        posterior(fitted(cls=Around))


def test_a_net_that_is_not_fitted_is_refused():
    with pytest.raises(NotFittedError, match="is not initialized yet"):
        posterior(NeuralNetClassifier(Net))


def test_a_name_stands_for_twenty_samples():
    net = fitted()
    named = model_outputs(net, X, needs="posterior", random_state=0).posterior
    np.testing.assert_array_equal(named, posterior(net, n=20))


@pytest.mark.parametrize("dtype", [torch.float16, torch.float64])
def test_modules_of_other_precision(dtype):
    net = fitted()
    reference = posterior(net)
    net.module_.to(dtype)
    samples = posterior(net)
    assert samples.dtype == np.float32
    np.testing.assert_allclose(samples, reference, atol=0.02)


def test_one_logit_and_compiled_modules():
    net = fitted(
        Net, NeuralNetBinaryClassifier, y=(y > 0).astype("f4"), module__n_out=1
    )
    samples = posterior(net)
    assert samples.shape == (5, 120, 2)
    np.testing.assert_allclose(samples.sum(axis=2), 1, atol=1e-6)
    vars(net)["module_"] = torch.compile(net.module_, backend="eager")
    np.testing.assert_allclose(posterior(net), samples, atol=1e-6)


def test_nets_of_several_modules():
    class Encoded(NeuralNetClassifier):
        def initialize_module(self):
            super().initialize_module()
            layers = nn.Linear(6, 6), nn.ReLU(), nn.Dropout(0.5)
            self.encoder_ = nn.Sequential(*layers)
            return self

        def infer(self, x, **fit_params):
            return self.module_(self.encoder_(x))

    net = fitted(cls=Encoded)
    samples = posterior(net, equal_rows(), batch_size=7)
    np.testing.assert_allclose(samples, samples[:, :1].repeat(40, axis=1), atol=1e-6)
    net.module_.drop.p = net.module_.alpha.p = 0.0
    samples = posterior(net, equal_rows(), batch_size=7)
    np.testing.assert_allclose(samples, samples[:, :1].repeat(40, axis=1), atol=1e-6)
    assert samples.std(axis=0).min() > 1e-4


def test_other_fields_are_read_as_without_samples():
    net = fitted()
    plain = model_outputs(net, X)
    outputs = model_outputs(
        net, X, needs=Needs(proba=True, features=True, n_posterior=3), random_state=0
    )
    np.testing.assert_array_equal(outputs.proba, plain.proba)
    np.testing.assert_array_equal(outputs.features, plain.features)
    np.testing.assert_array_equal(outputs.posterior, posterior(net, n=3))
    assert plain.posterior is None
    alone = model_outputs(net, X, needs=Needs(n_posterior=3))
    assert alone.proba is None
    assert alone.features is None
    assert len(alone) == 120


def test_wrappers_are_opened():
    net = fitted()
    pipeline = make_pipeline(StandardScaler().fit(X), FrozenEstimator(net))
    Z = pipeline[0].transform(X)
    np.testing.assert_array_equal(posterior(pipeline), posterior(net, Z))
    search = GridSearchCV(net, {"lr": [0.1]}, cv=2).fit(X, y)
    np.testing.assert_array_equal(posterior(search), posterior(search.best_estimator_))


def test_several_inputs():
    class TwoInputs(nn.Module):
        def __init__(self):
            super().__init__()
            self.drop, self.head = nn.Dropout(0.5), nn.Linear(6, 3)

        def forward(self, left, right):
            return self.head(self.drop(torch.cat([left, right], dim=1)))

    parts = SliceDict(left=X[:, :2], right=X[:, 2:])
    net = fitted(TwoInputs, X=parts)
    assert posterior(net, dict(parts)).shape == (5, 120, 3)
