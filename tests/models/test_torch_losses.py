"""The loss fits what a PyTorch model gives; training keeps zeros whatever becomes of its tensors."""

import copy

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

import pruneviz as pv

X = np.random.default_rng(0).random((8, 6), np.float32)
Y = np.arange(8) % 3
DATA = (X, Y)


class Net(nn.Module):
    """Has a Softmax for a predict method, registered last or first, which forward need not call."""

    def __init__(self, end=None, kind=nn.Softmax, *, first=False):
        super().__init__()
        torch.manual_seed(0)
        if first:
            self.soft = kind(1)
        self.a, self.f = nn.Linear(6, 8), nn.Linear(8, 3)
        if not first:
            self.soft = kind(1)
        self.end = end

    def forward(self, x):
        x = self.f(self.a(x).relu())
        return x if self.end is None else self.soft(x) if self.end == "layer" else self.end(x, 1)


@pytest.mark.parametrize(
    "model",
    [
        Net(),
        Net(kind=nn.LogSoftmax),
        Net("layer"),
        Net("layer", first=True),
        Net(functional.softmax),
        Net(torch.softmax, kind=nn.Identity),
        Net("layer", nn.LogSoftmax),
        Net(functional.log_softmax, kind=nn.Softmax),
        nn.Sequential(Net(), nn.Identity()),
    ],
)
def test_the_loss_fits_what_the_output_went_through(model):
    logits = Net()
    functional.cross_entropy(logits(torch.tensor(X)), torch.tensor(Y)).backward()
    scores = pv.importance(model, criterion="gradient", data=DATA)
    for name, wanted in (("a", logits.a.weight.grad), ("f", logits.f.weight.grad)):
        found = next(scores[key] for key in scores if key.endswith(name))
        np.testing.assert_allclose(found, wanted.abs().numpy(), rtol=1e-4, atol=1e-7)


def test_a_softmax_inside_attention_is_no_loss():
    class Attending(Net):
        def forward(self, x):
            return self.f(self.a(x) * self.soft(self.a(x)))

    model = Attending()
    functional.cross_entropy(model(torch.tensor(X)), torch.tensor(Y)).backward()
    scores = pv.importance(model, criterion="gradient", data=DATA)
    np.testing.assert_allclose(scores["f"], model.f.weight.grad.abs().numpy(), rtol=1e-4, atol=1e-7)


def test_an_optimizer_of_another_model_is_refused():
    model = Net()
    mask = pv.prune(model, 0.5)
    thin = pv.apply(model, mask)
    frozen = nn.Linear(3, 3)
    for other in (model, copy.deepcopy(thin), frozen):
        optimizer = torch.optim.SGD(other.parameters(), 0.1)
        with (
            pytest.raises(ValueError, match="optimizer trains no parameter"),
            pv.keep_pruned(thin, mask, optimizer),
        ):
            pass


@pytest.mark.parametrize("watched", [True, False])
def test_zeros_are_kept_after_other_tensors_were_assigned(watched):
    model = Net()
    mask = pv.prune(model, 0.5)
    thin = pv.apply(model, mask)
    optimizer = torch.optim.SGD(thin.parameters(), 0.1)
    with pv.keep_pruned(thin, mask, optimizer if watched else None):
        thin.load_state_dict(model.state_dict(), assign=True)
        if not watched:
            again = torch.optim.SGD(thin.parameters(), 0.1)
            thin(torch.tensor(X)).square().mean().backward()
            again.step()
            assert not thin.a.weight[torch.tensor(~mask["a"])].any()
    assert not thin.a.weight[torch.tensor(~mask["a"])].any()


class Width(nn.Module):
    """Multiplies by a width that it asks a layer for, which no image of zeros shows."""

    def __init__(self):
        super().__init__()
        self.a, self.f = nn.Linear(6, 8, bias=False), nn.Linear(8, 3, bias=False)

    def forward(self, x):
        return self.f(self.a(x).relu()) * self.f.in_features


@pytest.mark.parametrize("dummy", [np.zeros((2, 6), np.float32), np.zeros((2, 6), np.uint8), X])
def test_a_proof_is_not_empty(dummy):
    model = Width()
    with pytest.raises(ValueError, match="differs from the masked one"):
        pv.remove(model, pv.prune(model, 0.5, granularity="neuron", example=dummy), dummy)


def test_noise_stays_in_an_embeddings_range():
    class Text(nn.Module):
        def __init__(self):
            super().__init__()
            self.e, self.a, self.f = nn.Embedding(9, 6), nn.Linear(6, 8), nn.Linear(8, 3)

        def forward(self, x):
            return self.f(self.a(self.e(x.long()).mean(1)).relu())

    model = Text()
    for x in (np.full((2, 5), 8.0, np.float32), np.zeros((2, 5), np.float32)):
        mask = pv.prune(model, 0.5, granularity="neuron", example=x)
        assert pv.remove(model, mask, x).a.out_features == 4
