"""Nets with attention: torch's fused layers are off while a net is read."""

import warnings

import numpy as np
import pytest
import torch
from skorch import NeuralNetClassifier, NeuralNetRegressor
from torch import nn

from skbadge import BadgeQuerier
from skbadge.outputs import Needs, model_outputs
from skbadge.outputs._output_shape import output_shape

RNG = np.random.default_rng(0)
TOKENS = RNG.integers(1, 9, size=(60, 7))
# The rows have different lengths: 0 stands for padding.
TOKENS[np.arange(7) >= RNG.integers(2, 8, size=(60, 1))] = 0
y = np.arange(60) % 3


class Encoder(nn.Module):
    """torch's encoder with its defaults, and a padding mask; the mean of the tokens."""

    def __init__(self, n_outputs=3, freeze=False):
        super().__init__()
        self.embed = nn.Embedding(9, 8)
        layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, 2)
        self.head = nn.Linear(8, n_outputs)
        self.embed.requires_grad_(not freeze)
        self.encoder.requires_grad_(not freeze)

    def forward(self, X):
        padded = X == 0
        hidden = self.encoder(self.embed(X), src_key_padding_mask=padded)
        hidden = hidden.masked_fill(padded[:, :, None], 0)
        return self.head(hidden.sum(1) / (~padded).sum(1, keepdim=True))


def net(cls=NeuralNetClassifier, **kwargs):
    torch.manual_seed(0)
    if cls is NeuralNetClassifier:
        kwargs = {"criterion": nn.CrossEntropyLoss} | kwargs
    return cls(Encoder, max_epochs=1, verbose=0, train_split=None, **kwargs)


@pytest.fixture(params=[True, False], autouse=True)
def fast_path(request):
    """However the user has set it, it stays so."""
    found = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(request.param)
    yield request.param
    assert torch.backends.mha.get_fastpath_enabled() is request.param
    torch.backends.mha.set_fastpath_enabled(found)


@pytest.mark.filterwarnings("ignore:Gradients are those of linear")
@pytest.mark.parametrize(
    "needs",
    [
        Needs(proba=True, features=True, inputs=True),
        Needs(n_posterior=3),
        Needs(gradients=True, n_columns=16),
        Needs(proba=True, features=True, n_posterior=2, gradients=True),
    ],
    ids=str,
)
@pytest.mark.parametrize("layer", ["auto", "head"])
def test_encoders_with_padding_are_read(needs, layer):
    fitted = net().initialize()
    outputs = model_outputs(
        fitted, TOKENS, needs=needs, feature_layer=layer, batch_size=13, random_state=0
    )
    assert all(getattr(outputs, name) is not None for name in needs.fields)
    if needs.proba:
        with warnings.catch_warnings():
            # torch's own, of nested tensors.
            warnings.simplefilter("ignore")
            proba = fitted.predict_proba(TOKENS)
        np.testing.assert_allclose(outputs.proba, proba, atol=1e-5)
    if needs.posterior:
        # Dropout inside the encoder acts, which fused layers skip.
        assert outputs.posterior.std(axis=0).mean() > 1e-3
    if needs.features:
        assert outputs.features.shape == (60, 8)
        head = fitted.module_.head
        logits = head(torch.from_numpy(outputs.features))
        expected = torch.softmax(logits, 1).detach()
        np.testing.assert_allclose(outputs.proba, expected, atol=1e-6)


def test_frozen_encoders_are_read():
    # Without parameters that are trained the fused layers could be used for gradients.
    fitted = net(module__freeze=True).initialize()
    gradients = model_outputs(fitted, TOKENS, needs="gradients").gradients
    assert gradients.shape == (60, 27)
    assert output_shape(fitted, TOKENS) == (3,)


@pytest.mark.filterwarnings("ignore:Gradients are those of linear")
@pytest.mark.parametrize("name", ["badge", "core_set", "bait", "lcmd", "bald"])
def test_encoders_are_asked(name):
    querier = BadgeQuerier(net(), strategy=name, random_state=0)
    querier.fit(TOKENS[:30], y[:30])
    assert len(set(querier.query(TOKENS[30:], 5))) == 5


class Attention(nn.Module):
    """A query that attends to the tokens that are there."""

    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(9, 8)
        self.attend = nn.MultiheadAttention(8, 2, dropout=0.2, batch_first=True)
        self.asked = nn.Parameter(torch.randn(1, 1, 8))
        self.dropout = nn.Dropout(0.2)
        self.head = nn.Linear(8, 3)

    def forward(self, X):
        tokens = self.embed(X)
        asked = self.asked.expand(len(X), -1, -1)
        hidden, _ = self.attend(asked, tokens, tokens, key_padding_mask=X == 0)
        return self.head(self.dropout(hidden[:, 0]))


class Nested(nn.Module):
    """Encoders inside a module of the user's own, one of which puts norms first."""

    def __init__(self):
        super().__init__()
        self.inner = nn.ModuleList([Encoder(), Encoder()])
        for layer in self.inner[1].encoder.layers:
            layer.norm_first = True
        self.head = nn.Linear(6, 3)

    def forward(self, X):
        return self.head(torch.cat([part(X) for part in self.inner], dim=1))


class Failing(Encoder):
    def forward(self, X):
        hidden = super().forward(X)
        if not self.training and len(X) > 10:
            raise RuntimeError("too many rows")
        return hidden


EMBEDDING_STRATEGIES = [
    "badge",
    "badge_k_center",
    "badge_kdpp",
    "badge_max_det",
    "core_set",
    "lcmd",
    "bald",
    "posterior_bait",
]


@pytest.mark.filterwarnings("ignore:Gradients are those of linear")
@pytest.mark.parametrize("name", EMBEDDING_STRATEGIES)
@pytest.mark.parametrize("module", [Attention, Nested])
def test_other_modules_with_attention_are_asked(module, name):
    querier = BadgeQuerier(net().set_params(module=module), strategy=name)
    querier.fit(TOKENS[:30], y[:30])
    assert len(set(querier.query(TOKENS[30:], 5))) == 5
    proba = querier.outputs(TOKENS, needs="proba").proba
    with warnings.catch_warnings():
        # torch's own, of nested tensors.
        warnings.simplefilter("ignore")
        np.testing.assert_allclose(querier.predict_proba(TOKENS), proba, atol=1e-5)


@pytest.mark.filterwarnings("ignore:Gradients are those of linear")
@pytest.mark.filterwarnings("ignore:The PyTorch API of nested tensors")
@pytest.mark.parametrize("needs", ["proba", "features", "inputs", "gradients"])
def test_an_error_inside_the_module_leaves_no_trace(needs):
    fitted = net().set_params(module=Failing).initialize()
    with pytest.raises(RuntimeError, match="too many rows"):
        model_outputs(fitted, TOKENS, needs=needs, batch_size=60)
    for part in fitted.module_.modules():
        assert not part._forward_hooks
        assert not part._forward_pre_hooks


def test_the_fast_path_is_put_back_after_an_error():
    with pytest.raises(ValueError, match="must be 'auto' or the name"):
        model_outputs(net().initialize(), TOKENS, feature_layer="hed")
    regressor = net(NeuralNetRegressor, module__n_outputs=1).initialize()
    with pytest.raises(TypeError, match="predicts no probabilities"):
        model_outputs(regressor, TOKENS)
