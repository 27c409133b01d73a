"""A model on another device stays there, and takes no number that the device may lack.

A model on the meta device holds no values: it shows where tensors are made, without any accelerator. Where
there is one, all of it runs there.
"""

import numpy as np
import pytest
import torch
from torch import nn

import pruneviz as pv
from pruneviz.core.plan import Plan
from pruneviz.frameworks.torch import adapter as adapters
from pruneviz.frameworks.torch import rebuild

X = np.random.default_rng(0).random((6, 8, 8, 3), np.float32)
Y = np.arange(6) % 3
DEVICES = ["cpu"] + [name for name in ("cuda", "mps") if getattr(torch, name).is_available()]


class Net(nn.Module):
    """Convolutions, every norm that shrinks along, a scale of its own, a size that is spelled out."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.a, self.b = nn.Conv2d(3, 8, 3), nn.Conv2d(8, 4, 3, bias=False)
        self.norms = nn.Sequential(nn.BatchNorm2d(8), nn.PReLU(8), nn.InstanceNorm2d(8, affine=True))
        self.scale, self.drop = nn.Parameter(torch.ones(8, 1, 1)), nn.Dropout(0.1)
        self.head = nn.Linear(64, 3)

    def forward(self, x):
        y = self.scale * self.norms(self.a(x)).sigmoid()
        return self.head(self.drop(self.b(y)).view(-1, 64))


@pytest.fixture
def unread(monkeypatch):
    """Read zeros where a tensor has no values."""

    def zeros(tensor):
        return torch.zeros(tensor.shape, dtype=tensor.dtype).numpy()

    monkeypatch.setattr(rebuild, "to_numpy", zeros)
    monkeypatch.setattr(adapters, "to_numpy", zeros)


@pytest.fixture
def moves(monkeypatch):
    """List the types of what is put on a device."""
    seen, to = [], torch.Tensor.to

    def watched(self, *args, **kwargs):
        made = to(self, *args, **kwargs)
        placed = any(isinstance(arg, torch.device) for arg in (*args, *kwargs.values()))
        if placed and made.is_floating_point():
            seen.append(made.dtype)
        return made

    monkeypatch.setattr(torch.Tensor, "to", watched)
    return seen


@pytest.mark.usefixtures("unread")
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16])
def test_smaller_layers_are_made_where_the_layers_are(moves, dtype):
    model, kept = Net().to("meta", dtype), np.arange(3)
    plan = Plan(
        outputs={"a": kept, "b": np.arange(4)},
        inputs={"a": np.arange(3), "b": kept},
        shifts={"b": np.ones(4)},
        norms={"norms.0": kept, "norms.1": kept, "norms.2": kept, "scale": kept},
    )
    small = rebuild.rebuilt(model, plan, ())
    floats = [t for t in (*small.parameters(), *small.buffers()) if t.is_floating_point()]
    assert {(t.device.type, t.dtype) for t in floats} == {("meta", dtype)}
    assert small.b.bias.shape == (4,)
    assert small.scale.shape == (3, 1, 1)
    assert set(moves) == {dtype}


@pytest.mark.usefixtures("unread")
def test_images_masks_and_arrays_go_where_the_model_is(moves):
    adapter = object.__new__(adapters.TorchAdapter)
    adapter.model = model = Net().to("meta")
    adapter.modules = {"a": model.a, "b": model.b, "head": model.head}
    for array in (X, X.astype("f8"), (255 * X).astype("u1"), X[0, 0].astype("f8")):
        made = adapter._tensor(array, embeds=False)
        assert (made.device.type, made.dtype) == ("meta", torch.float32)
    assert adapter._tensor(Y, embeds=True).device.type == "meta"
    adapter.zeroing({"a.weight": np.ones(model.a.weight.shape, bool), "scale": np.ones((8, 1, 1), bool)})()
    adapter.write({"a.weight": np.zeros(model.a.weight.shape)})
    assert {p.device.type for p in model.parameters()} == {"meta"}
    assert torch.float64 not in moves


def test_nothing_of_double_precision_is_put_on_a_device(moves, tmp_path):
    cycle(Net(), tmp_path)
    assert moves
    assert torch.float64 not in moves


@pytest.mark.parametrize("device", DEVICES)
def test_a_model_stays_on_its_device(device, tmp_path):
    for one in cycle(Net().to(device), tmp_path):
        assert {t.device.type for t in (*one.parameters(), *one.buffers())} == {device}


def cycle(model, folder):
    """Score, prune, apply, train, remove, save and load, measure; give the models that come of it."""
    model.eval()
    for criterion in ("magnitude", "taylor", "activation"):
        mask = pv.prune(model, 0.4, granularity="filter", criterion=criterion, data=(X, Y), example=X)
    thin = pv.apply(model, mask)
    with pv.keep_pruned(thin, mask):
        batch = torch.from_numpy(X).permute(0, 3, 1, 2).to(next(thin.parameters()).device)
        thin.train()(batch).square().mean().backward()
        torch.optim.SGD(thin.parameters(), 0.1).step()
    small = pv.remove(model, mask, X)
    assert pv.check_removed(model, mask, small, X[::-1].copy()) <= 1e-4
    pv.save(small, folder / "small.pv")
    again = pv.load(folder / "small.pv", model, X)
    assert pv.scorecard(again, (X, Y)).correct == pv.scorecard(small, (X, Y)).correct
    restored = pv.reconstruct(model, mask, X)
    return [thin, small, again, restored, pv.recalibrate(small, X)]
