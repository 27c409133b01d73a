"""What PyTorch models answer where there is little to prune: why, what is left out, what is in the way."""

import subprocess
import sys

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

import pruneviz as pv

RNG = np.random.default_rng(0)
X = RNG.random((8, 6), np.float32)
IMAGES = RNG.random((4, 8, 8, 3), np.float32)
TOKENS = RNG.random((4, 5, 6), np.float32)
LABELS = np.zeros(8, int)


def net(forward, **layers):
    model = type("Net", (nn.Module,), {"forward": forward})()
    for name, layer in layers.items():
        setattr(model, name, layer)
    return model.eval()


def attention():
    attended = nn.MultiheadAttention(6, 2, batch_first=True)
    return net(lambda s, x: s.f(s.m(x, x, x)[0].mean(1)), m=attended, f=nn.Linear(6, 3))


def recurrent(kind):
    return net(lambda s, x: s.f(s.m(x)[0][:, -1]), m=kind(6, 12, batch_first=True), f=nn.Linear(12, 3))


class Functional(nn.Module):
    """Multiplies by a parameter of its own, and activations with each other."""

    def __init__(self):
        super().__init__()
        self.inner, self.f = nn.Sequential(nn.Linear(6, 6), nn.ReLU()), nn.Linear(6, 3)
        self.own = nn.Parameter(torch.rand(3, 3))

    def forward(self, x):
        q = self.inner(x)
        return functional.linear(self.f((q @ q.transpose(1, 2) @ x).mean(1)), self.own)


class Adapted(nn.Linear):
    """A dense layer with two more weights."""

    def __init__(self):
        super().__init__(6, 4)
        self.down, self.up = nn.Parameter(torch.rand(6, 2)), nn.Parameter(torch.rand(2, 4))

    def forward(self, x):
        return super().forward(x) + x @ self.down @ self.up


UNCOUNTED = {
    "attention": (attention, 18, ("m",), {"m": 126}),
    "LSTM": (lambda: recurrent(nn.LSTM), 36, ("m",), {"m": 960}),
    "GRU": (lambda: recurrent(nn.GRU), 36, ("m",), {"m": 720}),
    "functions": (Functional, 5 * 36 + 18, ("Functional",), {"own": 9}),
    "more weights": (
        lambda: nn.Sequential(Adapted(), nn.Flatten(), nn.Linear(20, 3)), 5 * 24 + 60, ("0",), {"0": 20}
    ),
    "a shared weight": (
        lambda: net(lambda s, x: s.g(s.f(s.f(x))).mean(1), f=nn.Linear(6, 6), g=nn.Linear(6, 3)), 450, (), {}
    ),
}  # fmt: skip


@pytest.mark.parametrize(("make", "macs", "uncounted", "uncovered"), UNCOUNTED.values(), ids=UNCOUNTED)
def test_what_is_not_counted_or_covered_is_named(make, macs, uncounted, uncovered):
    model = make()
    card = pv.scorecard(model, (TOKENS, LABELS[:4]))
    assert (card.macs, card.uncounted, dict(card.uncovered)) == (macs, uncounted, uncovered)
    assert pv.network(model).uncovered == uncovered == pv.prune(model, 0.5).uncovered
    for text in (repr(pv.network(model)), repr(pv.prune(model, 0.5)), str(card)):
        assert all(f"{name} ({number:,} numbers)" in text for name, number in uncovered.items())
        assert ("not covered" in text) == bool(uncovered)
    assert ("not counted: " in str(card)) == bool(uncounted)


CALLS = {
    "linear": functional.linear,
    "@": lambda x, w: x @ w,
    "reflected @": lambda x, w: (w @ x.transpose(1, 2)).transpose(1, 2),
    "bmm": lambda x, w: torch.bmm(x, w.expand(len(x), 6, 6)),
    "baddbmm": lambda x, w: torch.baddbmm(x, x, w.expand(len(x), 6, 6)),
    "addmm_": lambda x, w: x.flatten(0, 1).clone().addmm_(x.flatten(0, 1), w).view(x.shape),
    "mv": lambda x, w: x.flatten(0, 1).mv(w[0]).view(len(x), -1, 1),
    "einsum": lambda x, w: torch.einsum("bij,jk->bik", x, w),
    "tensordot": lambda x, w: torch.tensordot(x, w, 1),
    "conv1d": lambda x, w: functional.conv1d(x.transpose(1, 2), w[..., None]),
    "bilinear": lambda x, w: functional.bilinear(x, x, w.expand(6, 6, 6)),
    "attention": lambda x, _: functional.scaled_dot_product_attention(x, x, x),
    "a cell": lambda x, w: torch.gru_cell(x[:, 0], x[:, 1], w.repeat(3, 1), w.repeat(3, 1))[:, None],
}  # fmt: skip


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_products_by_functions_are_named_and_other_functions_are_not(call):
    model = net(lambda s, x: s.inside(x).mean(1), inside=(inside := net(lambda s, x: call(x, s.w))))
    inside.w = nn.Parameter(torch.rand(6, 6))
    assert pv.scorecard(model, (TOKENS, LABELS[:4])).uncounted == ("inside",)
    other = net(lambda s, x: functional.glu(functional.layer_norm(x, (6,)).softmax(1) * s.w[0]).mean(1))
    other.w = inside.w
    assert pv.scorecard(other, (TOKENS, LABELS[:4])).uncounted == ()


def test_a_card_does_not_load_the_compiler_of_torch():
    script = """
import sys, numpy as np, torch, pruneviz as pv
model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(4, 3))
pv.scorecard(pv.apply(model, pv.prune(model, 0.5)), (np.zeros((2, 2, 2, 1), np.float32), np.zeros(2, int)))
print([name for name in ("torch._dynamo", "torch._inductor", "triton") if name in sys.modules])
"""
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"


def test_a_weight_that_two_layers_hold_counts_at_each():
    tied = nn.Sequential(nn.Linear(6, 6), nn.ReLU(), nn.Linear(6, 6))
    tied[2].weight = tied[0].weight
    card = pv.scorecard(tied, (X, LABELS))
    assert (card.macs, card.uncounted) == (72, ())


@pytest.mark.filterwarnings("ignore")
def test_scripted_and_quantised_models_say_what_they_lack():
    plain = nn.Sequential(nn.Linear(6, 4), nn.Linear(4, 3)).eval()
    scripted = torch.jit.script(plain)
    quantised = torch.ao.quantization.quantize_dynamic(plain, {nn.Linear}, dtype=torch.qint8)
    with pytest.raises(
        ValueError, match=r"no weights to prune: not covered: 0 \(28 numbers\), 1 \(15 numbers\)"
    ):
        pv.prune(scripted, 0.5)
    with pytest.raises(ValueError, match="no weights to prune: it has no dense layers or convolutions"):
        pv.prune(quantised, 0.5)
    assert pv.scorecard(scripted, (X, LABELS)).uncounted == ("RecursiveScriptModule",)
    assert pv.scorecard(quantised, (X, LABELS)).uncounted == ("0", "1")
    part = net(lambda s, x: s.f(s.m(x)), m=scripted, f=nn.Linear(3, 3))
    assert pv.scorecard(part, (X, LABELS)).uncounted == ("m",)


def test_nothing_to_prune_is_refused_and_sparsity_is_checked_first():
    last = net(lambda s, x: s.m(x)[0][:, -1], m=nn.LSTM(6, 3, batch_first=True))
    for nothing, x in ((nn.ReLU(), X[:4]), (last, TOKENS)):
        data = x, LABELS[:4]
        assert pv.prune(nothing, 0).total == 0
        with pytest.raises(TypeError, match="sparsity 'half' is not a number"):
            pv.prune(nothing, "half")
        with pytest.raises(TypeError, match="sparsity 'half' is not a number"):
            pv.sweep(nothing, data, [0, "half"])
        for attempt in (
            lambda model, _: pv.prune(model, 0.5),
            lambda model, data: pv.sweep(model, data, [0, 0.5]),
            lambda model, data: pv.iterate(model, lambda _: 0.5, print, data, rounds=1),
            pv.explore,
        ):
            with pytest.raises(ValueError, match="the model has no weights to prune: "):
                attempt(nothing, data)
    dense = nn.Sequential(nn.Linear(6, 8), nn.Linear(8, 3))
    with pytest.raises(ValueError, match="exclude leaves the model no weights to prune"):
        pv.prune(dense, 0.5, exclude=["0", "1"])
    with pytest.raises(ValueError, match="exclude leaves the model no neurons to prune"):
        pv.prune(dense, 0.5, granularity="neuron", exclude=["0"], example=X)
    for exclude in ([0], None):
        with pytest.raises(TypeError, match=r"exclude is .*, not a list of layer names"):
            pv.prune(dense, 0.5, exclude=exclude)


REASONS = {
    "its input": (lambda s, x: s.f(s.a(x) + x), "a's are tied to the model's input; f's are what the model"),
    "a parameter": (lambda s, x: s.f(s.a(x) + s.place.exp()), "a's are tied to the parameter place"),
    "attention": (lambda s, x: s.f(s.a(x) + s.m(x, x, x)[0]), "a's are tied to what 'getitem' gives"),
    "nothing": (lambda s, x: s.f(x), "a's are not asked for"),
}  # fmt: skip


@pytest.mark.parametrize(("forward", "reason"), REASONS.values(), ids=REASONS)
def test_the_reason_says_what_units_are_tied_to(forward, reason):
    attended, place = nn.MultiheadAttention(6, 2, batch_first=True), nn.Parameter(torch.rand(6))
    model = net(forward, a=nn.Linear(6, 6), f=nn.Linear(6, 3), m=attended, place=place)
    with pytest.raises(ValueError, match=f"the model has no neurons to prune: {reason}"):
        pv.prune(model, 0.5, granularity="neuron", example=TOKENS)
    with pytest.raises(ValueError, match="scope names layer 'f', whose outputs are what the model gives"):
        pv.prune(model, scope={"f": 0.5}, granularity="neuron", example=TOKENS)
    with pytest.raises(ValueError, match="no filters to prune: it has no convolutions"):
        pv.sweep(model, (TOKENS, LABELS[:4]), [0.5], granularity="filter")


def stuck():
    """Four filters, three of which something stands in the way of."""

    def forward(s, x):
        y = functional.relu(s.a(x))
        z = s.c(torch.sigmoid(s.b(y)))
        return s.f((s.d(z) + s.c(s.norm(y))).mean((2, 3)))

    def conv(n, out):
        return nn.Conv2d(n, out, 3, padding=1)

    return net(
        forward,
        a=conv(3, 6),
        b=conv(6, 6),
        norm=nn.GroupNorm(1, 6),
        c=conv(6, 5),
        d=conv(5, 5),
        f=nn.Linear(5, 3),
    )


def test_all_obstacles_are_named_at_once_with_the_one_exclude():
    model = stuck()
    with pytest.raises(ValueError, match=r"'norm' is a GroupNorm that reads pruned units") as refused:
        pv.prune(model, 0.4, granularity="filter", example=IMAGES)
    assert "exclude=['a', 'b'], or exclude=\"auto\"" in str(refused.value)
    by_hand = pv.prune(model, 0.4, granularity="filter", example=IMAGES, exclude=["a", "b"])
    mask = pv.prune(model, 0.4, granularity="filter", example=IMAGES, exclude="auto")
    assert mask == by_hand
    assert (list(mask), mask.left_alone) == (["c", "d"], ["a", "b"])
    assert "left alone: a, b" in repr(mask)
    pv.remove(model, mask, IMAGES)
    assert pv.explore(model, (IMAGES, LABELS[:4]), granularity="filter", exclude="auto").result().total == 5
    (card,) = pv.sweep(model, (IMAGES, LABELS[:4]), [0.4], granularity="filter", exclude="auto")
    assert card.nonzero < pv.scorecard(model, (IMAGES, LABELS[:4])).nonzero


def test_a_forward_that_computes_with_a_width_is_refused_by_it():
    layers = {"a": nn.Linear(6, 8), "f": nn.Linear(8, 3)}
    fixed = net(lambda s, x: s.f(s.a(x).relu()) * x.shape[1], **layers)
    pv.remove(fixed, pv.prune(fixed, 0.5, granularity="neuron", example=X), X)
    asked = net(lambda s, x: s.f(y := s.a(x).relu()) * (y.shape[1] // 2), **layers)
    with pytest.raises(ValueError, match=r"'mul' computes with the width of 'relu'; .*exclude=\['a'\]"):
        pv.prune(asked, 0.5, granularity="neuron", example=X)
    attribute = net(lambda s, x: s.f(s.a(x).relu()) / s.f.in_features, **layers)
    mask = pv.prune(attribute, 0.5, granularity="neuron", example=X)
    with pytest.raises(ValueError, match=r"such as a width that it asks a layer for"):
        pv.remove(attribute, mask, X)


class Chain(nn.Module):
    def __init__(self, *, adds=False):
        super().__init__()
        self.a, self.b, self.f, self.adds = nn.Linear(6, 8), nn.Linear(8, 8), nn.Linear(8, 3), adds

    def forward(self, x):
        y = self.a(x).relu()
        return self.f(self.b(y) + y if self.adds else self.b(y))


class Residual(Chain):
    def forward(self, x):
        y = self.a(x).relu()
        return self.f(self.b(y) + y)


@pytest.mark.parametrize("make", [lambda: Chain(adds=True), Residual], ids=["an attribute", "a class"])
def test_a_mask_of_another_model_is_refused(make):
    mask = pv.prune(Chain(), 0.4, granularity="neuron", example=X)
    pv.apply(Chain(), mask)
    other = make()
    with pytest.raises(ValueError, match=r"made for another model: pass example"):
        pv.apply(other, mask)
    with pytest.raises(ValueError, match=r"is tied to layer '[ab]', where the mask prunes it"):
        pv.apply(other, mask, X)
    with pytest.raises(ValueError, match="the mask names layer 'a'; the model has 0, 1"):
        pv.apply(nn.Sequential(nn.Linear(6, 8), nn.Linear(8, 3)), mask)
