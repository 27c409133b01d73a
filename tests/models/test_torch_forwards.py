"""PyTorch forwards that other packages and older code bring: hooks, unpacking, functions, compiled parts."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

import pruneviz as pv

X = np.random.default_rng(0).normal(size=(20, 10)).astype("f4")
LABELS = np.arange(20) % 3
IMAGES = np.random.default_rng(0).random((8, 8, 8, 3), np.float32)


class Net(nn.Module):
    """Two layers with a function between."""

    def __init__(self, body, width=16, outputs=3):
        super().__init__()
        torch.manual_seed(0)
        self.a, self.b = nn.Linear(10, 16), nn.Linear(width, outputs)
        self.scale, self.each = nn.Parameter(torch.tensor(2.0)), nn.Parameter(torch.rand(16) + 1)
        self.body = body

    def forward(self, x):
        return self.b(self.body(self.a(x), self.scale, self.each))


def check(model):
    mask = pv.prune(model, 0.5, granularity="neuron", example=X)
    small = pv.remove(model, mask, X)
    assert small.a.out_features == 8
    assert pv.check_removed(model, mask, small, X[::-1][:7].copy()) <= 1e-5


BODIES = {
    "sin": lambda y, *_: torch.sin(30 * y),
    "cos": lambda y, *_: y.cos(),
    "erf": lambda y, *_: torch.erf(y).expm1().floor(),
    "sign": lambda y, *_: y.sign() * y.abs().log1p(),
    "divided": lambda y, t, _: (y / t).relu(),
    "divided by what is computed": lambda y, t, _: torch.div(y, t.exp()).relu(),
    "divided in place": lambda y, t, _: y.div_(t),
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_functions_of_single_numbers(body):
    check(Net(body).eval())


REFUSED = {
    "a number by units": (lambda y, t, _: t / y, "'truediv' is truediv that pruneviz does not know"),
    "by each": (lambda y, _, e: y / e, "a's are tied to the parameter each"),
    "constants": (lambda y, t, _: y.sigmoid() / t, "not the same everywhere"),
}


@pytest.mark.parametrize(("body", "why"), REFUSED.values(), ids=REFUSED)
def test_other_divisions_are_refused_by_a_sentence(body, why):
    with pytest.raises(ValueError, match=why):
        pv.prune(Net(body).eval(), 0.5, granularity="neuron", example=X)


def three(y, *_):
    q, k, v = y[:, :12].view(-1, 3, 4).permute(1, 0, 2)
    return q * k + v


def two(y, *_):
    k, v = y.view(-1, 2, 8).transpose(0, 1)
    return (k * v)[:, :4]


def unbound(y, *_):
    q, k, v = y[:, :12].view(-1, 3, 4).unbind(1)
    return q * k + v


@pytest.mark.parametrize("body", [three, two, unbound])
def test_tensors_are_unpacked(body):
    model = nn.Sequential(nn.Linear(10, 12), nn.ReLU(), nn.Linear(12, 10), Net(body, 4)).eval()
    mask = pv.prune(model, 0.5, granularity="neuron", example=X, exclude="auto")
    assert mask["0"].sum() < 12
    assert pv.check_removed(model, mask, pv.remove(model, mask, X), X) <= 1e-5


def test_loops_over_the_images_are_refused():
    model = Net(lambda y, *_: torch.stack([row.relu() for row in y])).eval()
    with pytest.raises(ValueError, match=r"torch\.fx cannot trace Net: Proxy object cannot be iterated"):
        pv.prune(model, 0.5, granularity="neuron", example=X)


HEADS = {
    "logit": lambda model: nn.Sequential(model, nn.Flatten(0)),
    "probability": lambda model: nn.Sequential(model, nn.Sigmoid(), nn.Flatten(0)),
}


@pytest.mark.parametrize("head", HEADS.values(), ids=HEADS)
def test_one_output_an_image_without_an_axis_tells_two_classes_apart(head):
    model = Net(lambda y, *_: y.relu(), outputs=1).eval()
    flat, data = head(model), (X, np.arange(20) % 2)
    one, other = pv.scorecard(model, data), pv.scorecard(flat, data)
    assert np.array_equal(one.predictions, other.predictions)
    pv.explore(flat, data, predict=False).measure()
    one, other = (pv.importance(m, criterion="gradient", data=data) for m in (model, flat))
    assert np.allclose(one["a"], other["0.a"], atol=1e-6)
    assert pv.scorecard(flat, (X[:1], data[1][:1])).n == 1


@pytest.mark.parametrize("criterion", ["activation", "apoz"])
def test_hooks_of_the_model_itself_run_where_activations_are_read(criterion):
    layers = [nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Flatten(), nn.Linear(288, 3)]
    bare = nn.Sequential(*layers).eval()
    wanted = pv.importance(bare, granularity="filter", criterion=criterion, data=(IMAGES - 0.5) / 0.25)
    hooked = nn.Sequential(*layers).eval()
    hooked.register_forward_pre_hook(lambda _, args: ((args[0] - 0.5) / 0.25,))
    hooked.register_forward_hook(lambda *given: given[-1].softmax(1))
    found = pv.importance(hooked, granularity="filter", criterion=criterion, data=IMAGES)
    assert np.allclose(found["0"], wanted["0"], atol=1e-5)
    found = pv.importance(bare, granularity="filter", criterion=criterion, data=IMAGES)
    assert not np.allclose(found["0"], wanted["0"])


class Pooled(nn.Module):
    """Pools, and keeps in mind where the largest was, as SegNet does."""

    def __init__(self):
        super().__init__()
        self.first, self.a = nn.Conv2d(3, 6, 3, padding=1), nn.Conv2d(6, 8, 3, padding=1)
        self.pool, self.up = nn.MaxPool2d(2, return_indices=True), nn.MaxUnpool2d(2)
        self.b = nn.Conv2d(8, 3, 3)

    def forward(self, x):
        pooled, places = self.pool(self.a(self.first(x).relu()).relu())
        return self.b(self.up(pooled, places)).mean((2, 3))


def test_a_pool_that_gives_two_things_is_refused_by_name():
    model = Pooled().eval()
    with pytest.raises(ValueError, match=r"'pool' is a MaxPool2d that pruneviz does not know; .*\['a'\]"):
        pv.prune(model, 0.5, granularity="filter", example=IMAGES)
    mask = pv.prune(model, 0.5, granularity="filter", example=IMAGES, exclude="auto")
    assert pv.check_removed(model, mask, pv.remove(model, mask, IMAGES), IMAGES) <= 1e-5


class Whole(nn.Module):
    """Has a parameter of whole numbers."""

    def __init__(self):
        super().__init__()
        self.ids = nn.Parameter(torch.tensor([0, 2, 4]), requires_grad=False)
        self.a, self.h = nn.Linear(3, 12), nn.Linear(12, 3)

    def forward(self, x):
        return self.h(self.a(x[:, self.ids]).relu())


@pytest.mark.parametrize("criterion", ["taylor", "gradient"])
def test_whole_numbers_have_no_gradient(criterion):
    model = Whole().eval()
    model.a.requires_grad_(False)
    assert pv.prune(model, 0.5, criterion=criterion, data=(X, LABELS)).pruned


@pytest.mark.filterwarnings("ignore:.*torch.jit:FutureWarning")
@pytest.mark.parametrize("how", ["traced", "scripted", "compiled"])
@pytest.mark.parametrize("inside", [False, True])
def test_what_is_compiled_is_refused_by_its_name(how, inside):
    part = nn.Sequential(nn.Linear(10, 8), nn.ReLU(), nn.Linear(8, 10)).eval()
    make = {
        "traced": lambda: torch.jit.trace(part, torch.from_numpy(X)),
        "scripted": lambda: torch.jit.script(part),
        "compiled": lambda: torch.compile(part, backend="eager"),
    }
    model = make[how]()
    model = nn.Sequential(nn.Linear(10, 10), model, nn.Linear(10, 3)).eval() if inside else model
    what = r"layer '1', which is compiled," if inside else "a compiled model"
    own = r"(model|1)\._orig_mod" if how == "compiled" else "what it was made of"
    with pytest.raises(ValueError, match=f"^{what} cannot be followed: give {own}, and"):
        pv.prune(model, 0.5, granularity="neuron", example=X)


def test_functional_names_are_methods_too():
    check(Net(lambda y, *_: functional.softplus(y.sin().cos())).eval())
