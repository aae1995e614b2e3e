"""Products by oneDNN: those of torch, up to rounding, where a table says so."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.func import vmap
from torch.nn import functional

from skbadge.utils import _fast_products
from skbadge.utils._fast_products import (
    NOTE,
    SWITCH,
    is_in_use,
    linear,
    noting_products,
    product,
)

EPS = torch.finfo(torch.float32).eps
has_onednn = pytest.mark.skipif(
    not torch.backends.mkldnn.is_available(), reason="torch was built without oneDNN"
)


@pytest.fixture
def in_table(monkeypatch):
    """As on a processor of the table, whatever this one is."""
    monkeypatch.setattr(_fast_products, "_is_faster", lambda: True)


@pytest.fixture
def small_too(in_table, monkeypatch):
    monkeypatch.setattr(_fast_products, "LEAST_MULTIPLICATIONS", 0)


def normal(*shape, seed=0, dtype=torch.float32):
    values = np.random.default_rng([seed, *shape]).standard_normal(shape)
    return torch.from_numpy(values).to(dtype)


def noted(function, *args, **kwargs):
    """Whether the product went to oneDNN, and what came of it."""
    with noting_products() as notes:
        result = function(*args, **kwargs)
    assert notes in (set(), {NOTE})
    return bool(notes), result


def assert_rounded(found, rows, weight, bias=None):
    """Hold a product to that in float64, within the bound on rounding."""
    parts = [p.detach().double() for p in (rows, weight, bias) if p is not None]
    exact = functional.linear(*parts)
    terms = functional.linear(*(part.abs() for part in parts))
    bound = (weight.shape[1] + 1) * EPS * terms
    assert found.shape == exact.shape
    assert found.dtype is torch.float32
    assert ((found - exact).abs() <= bound).all()


LAYOUTS = {
    "as they are": lambda rows: rows,
    "columns of a wider array": lambda rows: torch.cat([rows, rows], -1)[
        ..., : rows.shape[-1]
    ],
    "column by column": lambda rows: rows.mT.contiguous().mT,
    "every other row": lambda rows: rows.repeat_interleave(2, 0)[::2],
    "one row, repeated": lambda rows: rows[:1].expand(rows.shape),
}


@has_onednn
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("transposed", [False, True])
@pytest.mark.parametrize("has_bias", [False, True])
@pytest.mark.parametrize(
    "shape", [(0, 5), (1, 1), (3, 7), (100, 50), (33, 257), (2, 3, 5), (4, 0, 5)]
)
def test_layers_are_those_of_torch_within_rounding(
    small_too, layout, transposed, has_bias, shape
):
    rows, n_outputs = LAYOUTS[layout](normal(*shape)), 24
    weight = normal(shape[-1], n_outputs).T if transposed else normal(24, shape[-1])
    bias = normal(n_outputs) if has_bias else None
    with torch.no_grad():
        was_fast, found = noted(linear, rows, weight, bias)
    assert was_fast
    assert_rounded(found, rows, weight, bias)


@has_onednn
def test_products_of_any_layout_are_those_of_torch(small_too):
    left, right = normal(300, 20), normal(300, 30)
    for a, b in ((left.T, right), (right, normal(30, 20)), (left, normal(30, 20).T)):
        was_fast, found = noted(product, a, b)
        assert was_fast
        assert_rounded(found, a, b.T)


@has_onednn
def test_the_same_bits_with_one_thread_and_two_and_again(in_table):
    rows, weight, bias = normal(1000, 256), normal(64, 256), normal(64)
    n_threads = torch.get_num_threads()
    try:
        found = []
        for n in (1, 2, 2, 1):
            torch.set_num_threads(n)
            was_fast, result = noted(linear, rows, weight, bias)
            assert was_fast
            found.append(result)
    finally:
        torch.set_num_threads(n_threads)
    assert all(torch.equal(found[0], other) for other in found[1:])


@has_onednn
def test_gradients_of_any_order_with_respect_to_the_input(small_too):
    weight, bias = normal(24, 7), normal(24)

    def differentiated(layer):
        rows = normal(5, 7).requires_grad_()
        cubes = layer(rows, weight, bias) ** 3
        (first,) = torch.autograd.grad(cubes.sum(), rows, create_graph=True)
        (second,) = torch.autograd.grad((first**2).sum(), rows)
        return first, second

    was_fast, found = noted(differentiated, linear)
    assert was_fast
    for ours, theirs in zip(found, differentiated(functional.linear), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-4)


class Tagged(torch.Tensor):
    pass


BIG = normal(4096, 64), normal(64, 64), normal(64)
LEFT_ALONE = {
    "in float64": [part.double() for part in BIG],
    "of a subclass": [BIG[0].as_subclass(Tagged), *BIG[1:]],
    "of few rows": [BIG[0][:64], *BIG[1:]],
    "with few outputs": [BIG[0].repeat(20, 1), BIG[1][:4], BIG[2][:4]],
    "of a vector": [normal(2**20), normal(8, 2**20)],
    "with a trained weight": [BIG[0], nn.Parameter(BIG[1]), BIG[2]],
    "with a trained bias": [BIG[0], BIG[1], nn.Parameter(BIG[2])],
    "of another device": [part.to("meta") for part in BIG],
}


@pytest.mark.parametrize("which", LEFT_ALONE)
def test_what_is_left_to_torch(in_table, which):
    args = LEFT_ALONE[which]
    was_fast, found = noted(linear, *args)
    assert not was_fast
    right = functional.linear(*args)
    assert type(found) is type(right)
    assert found.requires_grad == right.requires_grad
    if not found.is_meta:
        torch.testing.assert_close(found, right)


@has_onednn
def test_trained_weights_without_gradients_are_not_left_to_torch(in_table):
    with torch.no_grad():
        was_fast, found = noted(linear, BIG[0], *map(nn.Parameter, BIG[1:]))
    assert was_fast
    assert not found.requires_grad


def test_errors_are_those_of_torch(small_too):
    for rows, weight in (
        (normal(3, 4), normal(8, 5)),
        (normal(3, 4), normal(8, 4).double()),
    ):
        with pytest.raises(RuntimeError) as theirs:
            functional.linear(rows, weight)
        with pytest.raises(RuntimeError) as ours:
            linear(rows, weight)
        assert str(ours.value) == str(theirs.value)


# Torch's own, as it differentiates forward for the first time.
@pytest.mark.filterwarnings("ignore:.*torch.jit.script:DeprecationWarning")
def test_transformed_functions_are_left_to_torch(in_table):
    rows, weight = normal(2, 4096, 64), BIG[1]
    was_fast, found = noted(vmap(lambda part: linear(part, weight)), rows)
    assert not was_fast
    torch.testing.assert_close(found, functional.linear(rows, weight))
    forward_ad = torch.autograd.forward_ad
    with forward_ad.dual_level(), torch.no_grad():
        dual = forward_ad.make_dual(BIG[0], BIG[0])
        was_fast, _ = noted(linear, dual, weight)
    assert not was_fast


def test_autocast_is_left_to_torch(in_table):
    with torch.autocast("cpu", torch.bfloat16):
        was_fast, found = noted(linear, *BIG)
    assert not was_fast
    assert found.dtype is torch.bfloat16


@pytest.fixture
def table():
    """The table itself, read anew."""
    _fast_products._is_faster.cache_clear()
    yield
    _fast_products._is_faster.cache_clear()


@has_onednn
@pytest.mark.parametrize(
    ("vendor", "version", "expected"),
    [
        ("AuthenticAMD", "2.13.0+cpu", True),
        ("AuthenticAMD", "2.14.1", True),
        ("AuthenticAMD", "2.12.1", False),
        ("AuthenticAMD", "3.0.0", False),
        ("GenuineIntel", "2.13.0+cpu", False),
        ("", "2.13.0+cpu", False),
    ],
)
def test_the_table(table, monkeypatch, vendor, version, expected):
    monkeypatch.setattr(_fast_products, "_processor_vendor", lambda: vendor)
    monkeypatch.setattr(torch, "__version__", type(torch.__version__)(version))
    monkeypatch.setattr(torch.backends.mkl, "is_available", lambda: True)
    assert is_in_use() is expected
    assert noted(linear, *BIG)[0] is expected


@pytest.mark.parametrize(
    ("file", "processor", "vendor"),
    [
        ("processor: 0\nvendor_id\t: AuthenticAMD\nmodel: 2\n", "", "AuthenticAMD"),
        ("processor: 0\nBogoMIPS: 50\n", "", ""),
        (None, "AMD64 Family 26 Model 2 Stepping 1, AuthenticAMD", "AuthenticAMD"),
        (None, "arm", "arm"),
        (None, "", ""),
    ],
)
def test_the_processor_tells_who_made_it(monkeypatch, file, processor, vendor):
    def read(path):
        if file is None:
            raise FileNotFoundError(path)
        return file

    monkeypatch.setattr(_fast_products.Path, "read_text", read)
    monkeypatch.setattr(_fast_products.platform, "processor", lambda: processor)
    assert _fast_products._processor_vendor() == vendor


@has_onednn
def test_it_can_be_switched_off(in_table, monkeypatch):
    assert is_in_use()
    monkeypatch.setenv(SWITCH, "0")
    assert not is_in_use()
    was_fast, found = noted(linear, *BIG)
    assert not was_fast
    assert torch.equal(found, functional.linear(*BIG))
    monkeypatch.delenv(SWITCH)
    monkeypatch.setattr(torch.backends.mkldnn, "enabled", False)
    assert not is_in_use()


def raising(rows, weight, bias=None):
    raise NotImplementedError("there is no such operator")


BROKEN = {
    "raises": raising,
    "is off": lambda *args: functional.linear(*args) + 1e-3,
    "forgets the bias": lambda rows, weight, bias=None: rows @ weight.T,
    "reads transposed weights as they lie": lambda rows, weight, bias: (
        functional.linear(rows, weight.T, bias)
    ),
    "returns NaN": lambda *args: functional.linear(*args) * torch.nan,
    "returns another dtype": lambda *args: functional.linear(*args).double(),
    "returns another shape": lambda *args: functional.linear(*args)[1:],
}


@pytest.mark.parametrize("how", BROKEN)
def test_an_operator_that_misbehaves_is_not_used(in_table, monkeypatch, how):
    _fast_products._is_right.cache_clear()
    try:
        monkeypatch.setattr(_fast_products, "onednn_linear", lambda: BROKEN[how])
        was_fast, found = noted(linear, *BIG)
        assert not was_fast
        assert torch.equal(found, functional.linear(*BIG))
    finally:
        _fast_products._is_right.cache_clear()


@has_onednn
def test_trying_the_operator_draws_no_random_number(in_table):
    _fast_products._is_right.cache_clear()
    torch.set_default_dtype(torch.float64)
    try:
        state = torch.get_rng_state()
        with torch.inference_mode():
            assert is_in_use()
        assert torch.equal(state, torch.get_rng_state())
    finally:
        torch.set_default_dtype(torch.float32)
