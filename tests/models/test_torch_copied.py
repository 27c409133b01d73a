"""PyTorch models whose copies forget or share something: each copy is whole, or is refused."""

import copy
import functools
import types
import weakref

import numpy as np
import pytest
import torch
from torch import nn
from torchvision.models import resnet18
from torchvision.models.feature_extraction import create_feature_extractor

import pruneviz as pv

X = np.random.default_rng(0).normal(size=(20, 10)).astype("f4")
IMAGES = np.random.default_rng(0).random((8, 8, 8, 3), np.float32)


class Net(nn.Module):
    """Calls what it is given, which reads its first layer."""

    def __init__(self, body):
        super().__init__()
        torch.manual_seed(0)
        self.a, self.b = nn.Linear(10, 16), nn.Linear(16, 3)
        self.body = body(self)

    def run(self, x):
        return self.a(x).relu()

    def forward(self, x):
        body = self.body() if isinstance(self.body, weakref.ref) else self.body
        return self.b((body[0] if isinstance(body, list) else body)(x))


def multiplying(weight):
    return lambda x: x @ weight.T


def activated(inner):
    return lambda x: inner(x).relu()


SHARED = {
    "closure": lambda s: lambda x: s.a(x).relu(),
    "default": lambda s: lambda x, a=s.a: a(x).relu(),
    "keyword": lambda s: lambda x, *, a=s.a: a(x).relu(),
    "weight": lambda s: multiplying(s.a.weight),
    "partial": lambda s: functools.partial(lambda x: s.a(x).relu()),
    "list": lambda s: [lambda x: s.a(x).relu()],
    "function of a function": lambda s: activated(lambda x: s.a(x).tanh()),
    "reference": lambda s: weakref.ref(s.a),
}


@pytest.mark.parametrize("body", SHARED.values(), ids=SHARED)
def test_functions_that_no_copy_copies_are_refused_by_name(body):
    model = Net(body).eval()
    for call in (
        lambda: pv.apply(model, pv.prune(model, scope={"a": 1.0})),
        lambda: pv.prune(model, 0.5, criterion="taylor", data=(X, np.arange(20) % 3)),
        lambda: pv.prune(nn.Sequential(model), 0.5, granularity="neuron", example=X),
    ):
        with pytest.raises(ValueError, match=r"cannot be copied: its '(0\.)?body' holds a function, or"):
            call()


COPIED = {
    "method": lambda s: s.run,
    "method of a layer": lambda s: s.a.forward,
    "partial of a layer": lambda s: functools.partial(lambda a, x: a(x).relu(), s.a),
    "function of no layer": lambda _: lambda x: torch.cat([x, x[:, :6]], 1),
}


@pytest.mark.parametrize("body", COPIED.values(), ids=COPIED)
def test_functions_that_are_copied_with_their_layers_are_not(body):
    model = Net(body).eval()
    thin = pv.apply(model, pv.prune(model, scope={"a": 1.0, "b": 0.5}))
    assert not torch.equal(thin(torch.from_numpy(X)), model(torch.from_numpy(X)))


NET = nn.Sequential(nn.Linear(10, 16), nn.ReLU(), nn.Linear(16, 3)).eval()


def test_forwards_and_hooks_that_read_the_model_from_outside_are_refused():
    patched = copy.deepcopy(NET)
    patched.forward = lambda x: NET[2](NET[0](x).relu())
    assert pv.apply(patched, pv.prune(patched, 0.5))  # of another model's layers
    NET.forward = lambda x: NET[2](NET[0](x).relu())
    with pytest.raises(ValueError, match="Sequential cannot be copied: its 'forward' holds a function"):
        pv.apply(NET, pv.prune(NET, 0.5))
    del NET.forward
    handle = NET[1].register_forward_hook(lambda *_: NET[0].bias.sum())
    with pytest.raises(ValueError, match=r"its '1\._forward_hooks' holds a function"):
        pv.apply(NET, pv.prune(NET, 0.5))
    handle.remove()
    seen = {}
    NET[1].register_forward_hook(lambda *given: seen.update(made=given[-1]))
    NET(torch.from_numpy(X))
    assert pv.apply(NET, pv.prune(NET, 0.5))


def patched(self, x):
    return self[4](self[2](self[0](x)).sigmoid())


def test_a_forward_that_is_the_models_own_is_followed():
    layers = [nn.Linear(10, 8), nn.ReLU(), nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 3)]
    model = nn.Sequential(*layers).eval()
    model.forward = types.MethodType(patched, model)
    seen = []
    model[2].register_forward_hook(lambda *given: seen.append(given[-1].sigmoid()))
    scores = pv.importance(model, granularity="neuron", criterion="activation", data=X)
    model(torch.from_numpy(X))
    assert np.allclose(scores["2"], seen[-1].detach().numpy().mean(0), atol=1e-6)
    mask = pv.prune(model, 0.5, granularity="neuron", example=X, keep_at_least=1)
    assert pv.check_removed(model, mask, pv.remove(model, mask, X), X) <= 1e-6
    model[2].forward = types.MethodType(lambda s, x: nn.functional.linear(x.flip(1), s.weight), model[2])
    with pytest.raises(ValueError, match="'2' is a Linear with a forward of its own"):
        pv.prune(model, 0.5, granularity="neuron", example=X)


class Spelled(nn.Module):
    """Becomes a GraphModule."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.c, self.h = nn.Conv2d(3, 8, 3), nn.Linear(288, 3)

    def forward(self, x):
        return self.h(self.c(x).relu().view(-1, 288))


@pytest.mark.parametrize("inside", [False, True])
def test_what_is_left_is_pruned_again(inside):
    model, options = Spelled().eval(), {"granularity": "filter", "example": IMAGES}
    small = pv.remove(model, pv.prune(model, 0.5, **options), IMAGES)
    assert isinstance(small, torch.fx.GraphModule)
    small = nn.Sequential(small, nn.Flatten()) if inside else small
    mask = pv.prune(small, 0.5, **options)
    thin = pv.apply(small, mask)
    with pv.keep_pruned(thin, mask, torch.optim.SGD(thin.parameters(), 0.1)):
        pass
    assert pv.apply(copy.deepcopy(thin), mask)
    pv.explore(small, (IMAGES, np.arange(8) % 3), granularity="filter", predict=False).measure()
    tiny = pv.remove(small, mask, IMAGES)
    assert pv.check_removed(small, mask, tiny, IMAGES) <= 1e-6
    assert pv.prune(tiny, 0.5, **options).pruned == 1


WIRED = {
    "groups": (lambda: nn.Conv2d(8, 8, 3), lambda: nn.Conv2d(8, 8, 3, groups=2)),
    "groups of a norm": (lambda: nn.GroupNorm(2, 8), lambda: nn.GroupNorm(4, 8)),
    "shuffle": (lambda: nn.ChannelShuffle(1), lambda: nn.ChannelShuffle(2)),
    "part": (lambda: nn.GLU(1), lambda: nn.GLU(2)),
}


@pytest.mark.parametrize("kinds", WIRED.values(), ids=WIRED)
def test_a_mask_of_another_wiring_is_refused(kinds):
    one, other = (nn.Sequential(nn.Conv2d(3, 8, 3), kind(), nn.Flatten(), nn.LazyLinear(3)) for kind in kinds)
    for model in (one, other):
        model(torch.rand(2, 3, 8, 8))
    mask = pv.prune(one, 0.5, granularity="filter", example=IMAGES)
    assert pv.apply(one, mask)
    if one[3].in_features == other[3].in_features:
        with pytest.raises(ValueError, match="the mask was made for another model"):
            pv.apply(other, mask)


def test_dropout_may_be_set_between_two_rounds():
    model = nn.Sequential(nn.Linear(10, 8), nn.Dropout(0.5), nn.Linear(8, 3)).eval()
    mask = pv.prune(model, 0.5, granularity="neuron", example=X)
    model[1].p = 0
    assert pv.apply(model, mask)


class HeadAlone(nn.Module):
    """Says of itself what an adapter would: the head alone."""

    def __init__(self):
        super().__init__()
        self.b = nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU())
        self.h = nn.Linear(8, 3)

    def forward(self, x):
        return self.h(self.b(x).mean((2, 3)))

    def state_dict(self, *args, **options):
        return {n: t for n, t in super().state_dict(*args, **options).items() if n.startswith("h")}


def test_a_state_dict_that_leaves_things_out_is_not_what_is_stored(tmp_path):
    model = HeadAlone().eval()
    mask = pv.prune(model, 0.5, granularity="filter", example=IMAGES)
    thin = pv.apply(model, mask)
    assert int((thin.b[1].weight == 0).sum()) == 4
    with pv.keep_pruned(thin.train(), mask):
        thin(torch.rand(4, 3, 8, 8)).sum().backward()
        torch.optim.SGD(thin.parameters(), 0.1).step()
    assert int((thin.b[0].weight.flatten(1) == 0).all(1).sum()) == 4
    pv.save(thin, tmp_path / "thin.pv")
    again = pv.load(tmp_path / "thin.pv", model)
    assert torch.equal(again.b[1].running_mean, thin.b[1].running_mean)
    assert pv.scorecard(model, (IMAGES, np.arange(8) % 3)).buffers == 8 + 8 + 1


@pytest.mark.parametrize("mode", [True, False])
def test_copies_are_in_the_mode_of_the_model(mode):
    model = create_feature_extractor(resnet18(weights=None), ["layer1"]).train(mode)
    model.layer1.train(not mode)
    thin = pv.apply(model, pv.prune(model, 0.1))
    modes = {name: module.training for name, module in model.named_modules()}
    assert all(module.training == modes[name] for name, module in thin.named_modules())


def test_sparse_buffers_stay_as_they_are(tmp_path):
    model = Net(lambda s: s.run).eval()
    model.register_buffer("near", torch.eye(10).to_sparse())
    thin = pv.apply(model, pv.prune(model, 0.5))
    assert torch.equal(thin.near.to_dense(), torch.eye(10))
    pv.save(thin, tmp_path / "thin.pv")
    assert pv.load(tmp_path / "thin.pv", model).near.is_sparse
    assert pv.scorecard(model, (X, np.arange(20) % 3)).buffers == 0
    mask = pv.prune(model, 0.5, granularity="neuron", example=X)
    assert pv.remove(model, mask, X).near.is_sparse
