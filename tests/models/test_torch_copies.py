"""PyTorch models whose copies are harder to make: one channel, shared parameters, a layer alone."""

import copy
import warnings

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

import pruneviz as pv
from pruneviz import frameworks

X = np.random.default_rng(0).random((8, 6), np.float32)


class Viewing(nn.Module):
    """The network of every tutorial: a view after a convolution."""

    def __init__(self, channels=1, side=28):
        super().__init__()
        self.side = (side - 4) // 2
        self.conv, self.fc = nn.Conv2d(channels, 10, 5), nn.Linear(10 * self.side**2, 10)

    def forward(self, x):
        return self.fc(functional.max_pool2d(self.conv(x), 2).relu().view(-1, 10 * self.side**2))


class OnePixel(nn.Module):
    """Images of one pixel are laid out in two ways at once, too."""

    def __init__(self):
        super().__init__()
        self.conv, self.fc = nn.Conv2d(3, 4, 3, padding=1), nn.Linear(4, 10)

    def forward(self, x):
        return self.fc(self.conv(x).view(x.size(0), -1))


@pytest.mark.parametrize(
    ("model", "shape"), [(Viewing(), (28, 28, 1)), (OnePixel(), (1, 1, 3)), (Viewing(1, 12), (12, 12, 1))]
)
def test_a_view_after_a_convolution(model, shape):
    rng = np.random.default_rng(0)
    x, y = rng.integers(0, 256, (6, *shape), np.uint8), np.arange(6)
    card = pv.scorecard(model, (x, y), latency=[2])
    wanted = model(torch.tensor(np.moveaxis(x, -1, 1).tolist()) / 255).argmax(1)
    assert np.array_equal(card.predictions, wanted)
    assert card.latency_ms[2].low > 0
    mask = pv.prune(model, 0.5, granularity="filter", example=x)
    assert pv.check_removed(model, mask, pv.remove(model, mask, x), x) <= 1e-5
    ((batch,),) = frameworks.adapter(model)._batches(x)
    assert batch.stride() == torch.empty(batch.shape).stride()


class Tied(nn.Module):
    """A head that shares its weight with the embedding, as language models do."""

    def __init__(self, bias=False):
        super().__init__()
        self.embed, self.inner, self.outer = nn.Embedding(9, 6), nn.Linear(6, 8), nn.Linear(8, 6)
        self.head = nn.Linear(6, 9, bias=bias)
        self.head.weight = self.embed.weight

    def forward(self, x):
        x = self.embed(x.long()).mean(1)
        return self.head(x + self.outer(functional.relu(self.inner(x))))


class Autoencoder(nn.Module):
    """Decodes with the encoder's own weight, turned round."""

    def __init__(self):
        super().__init__()
        self.first, self.latent = nn.Linear(6, 7), nn.Linear(7, 5)
        self.last = nn.Linear(7, 6)

    def forward(self, x):
        code = torch.relu(self.latent(torch.relu(self.first(x))))
        return self.last(functional.linear(code, self.latent.weight.t()))


def one_bias():
    model = nn.Sequential(nn.Linear(6, 6), nn.ReLU(), nn.Linear(6, 6), nn.ReLU(), nn.Linear(6, 3))
    model[2].bias = model[0].bias
    return model


def one_weight():
    model = nn.Sequential(*(nn.Linear(6, 6) for _ in range(4)), nn.Linear(6, 3))
    model[2].weight = model[0].weight
    return model


def one_norm():
    layers = [nn.Linear(6, 6), nn.BatchNorm1d(6), nn.Linear(6, 6), nn.BatchNorm1d(6), nn.Linear(6, 3)]
    layers[3].weight = layers[1].weight
    return nn.Sequential(*layers, nn.Linear(3, 4), nn.Linear(4, 2)).eval()


def aliases(model):
    found = {}
    for name, parameter in model.named_parameters(remove_duplicate=False):
        found.setdefault(id(parameter), set()).add(name)
    return {frozenset(names) for names in found.values()}


TIED = [Tied, lambda: Tied(bias=True), Autoencoder, one_bias, one_weight, one_norm]


@pytest.mark.parametrize("make", TIED)
def test_what_is_shared_is_named_once_and_stays_shared(make, tmp_path):
    model = make()
    adapter = frameworks.adapter(model)
    arrays = adapter.arrays()
    assert sum(a.size for a in adapter.parameters().values()) == sum(p.numel() for p in model.parameters())
    mask = pv.prune(model, 0.5)
    thin = pv.apply(model, mask)
    assert aliases(thin) == aliases(model)
    zeros = [sum(int((p == 0).sum()) for p in m.parameters()) for m in (model, thin)]
    assert zeros[1] - zeros[0] == mask.pruned
    for name, layer in pv.network(thin).items():
        assert np.array_equal(layer.weight, np.where(mask[name], arrays[f"{name}.weight"], 0))
    with pv.keep_pruned(thin, mask):
        optimizer = torch.optim.SGD(thin.parameters(), 0.1)
        thin(torch.from_numpy(X)).square().mean().backward()
        optimizer.step()
    assert not any(layer.weight[~mask[name]].any() for name, layer in pv.network(thin).items())
    pv.save(thin, tmp_path / "thin.pv")
    again = pv.load(tmp_path / "thin.pv", model)
    assert aliases(again) == aliases(model)


@pytest.mark.parametrize("make", TIED)
def test_layers_that_share_a_parameter_stay_whole(make):
    model = make()
    options = {"granularity": "neuron", "example": X, "keep_at_least": 1}  # weights are drawn anew
    options["exclude"] = ["1"] if make is one_weight else ()
    whole = make in (Autoencoder, one_bias)
    if whole:
        with pytest.raises(ValueError, match=r"no neurons to prune: .* share a parameter with another"):
            pv.prune(model, 0.5, **options)
    mask = pv.prune(model, 0 if whole else 0.5, **options)
    small = pv.remove(model, mask, X)
    assert pv.check_removed(model, mask, small, X[::-1].copy()) <= 1e-5
    assert aliases(small) == aliases(model)
    assert sum(p.numel() for p in small.parameters()) <= sum(p.numel() for p in model.parameters())


def test_neurons_beside_a_tied_head_are_pruned():
    model = Tied()
    mask = pv.prune(model, 0.5, granularity="neuron", example=X)
    assert list(mask) == ["inner"]
    assert mask.pruned == 4
    small = pv.remove(model, mask, X)
    assert small.head.weight is small.embed.weight
    assert small.inner.out_features == 4


@pytest.mark.parametrize(
    ("layer", "x"),
    [
        (nn.Linear(6, 4), X),
        (nn.Linear(6, 4, bias=False), X),
        (nn.Conv2d(3, 4, 3), np.ones((2, 5, 5, 3), np.float32)),
        (nn.ConvTranspose2d(3, 4, 3), np.ones((2, 5, 5, 3), np.float32)),
    ],
)
def test_a_layer_alone_is_a_model(layer, x, tmp_path):
    name = type(layer).__name__.lower()
    mask = pv.prune(layer, 0.5)
    thin = pv.apply(layer, mask)
    assert list(mask) == list(pv.network(layer)) == [name]
    assert int((thin.weight == 0).sum()) == mask.pruned == layer.weight.numel() // 2
    with pv.keep_pruned(thin, mask):
        thin(torch.ones(2, *np.moveaxis(x, -1, 1).shape[1:])).sum().backward()
        torch.optim.SGD(thin.parameters(), 0.1).step()
    assert int((thin.weight == 0).sum()) == mask.pruned
    pv.save(thin, tmp_path / "thin.pv")
    assert torch.equal(pv.load(tmp_path / "thin.pv", layer).weight, thin.weight)
    assert not pv.importance(layer, granularity="channel", example=x)


def normed(kind, layer, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        return nn.Sequential(kind(layer, **options), nn.ReLU(), nn.Linear(5, 3))


@pytest.mark.parametrize(
    "layer", [nn.Linear(6, 5), nn.Conv2d(6, 5, 3), nn.ConvTranspose2d(6, 5, 3), nn.LSTM(6, 5)]
)
def test_norms_of_the_old_kind_are_refused_by_name(layer):
    names = {"name": "weight_hh_l0"} if isinstance(layer, nn.LSTM) else {}
    with pytest.raises(ValueError, match=r"'0' is under weight_norm: .*torch\.nn\.utils\.remove_weight_norm"):
        pv.prune(normed(nn.utils.weight_norm, copy.deepcopy(layer), **names), 0.5)
    with pytest.raises(ValueError, match=r"'0' is under spectral_norm: .*nn\.utils\.remove_spectral_norm"):
        pv.prune(normed(nn.utils.spectral_norm, copy.deepcopy(layer), **names), 0.5)


def test_a_masked_bias_is_named():
    model = nn.Sequential(nn.Linear(6, 5), nn.ReLU(), nn.Linear(5, 3))
    nn.utils.prune.l1_unstructured(model[0], "bias", 0.5)
    with pytest.raises(ValueError, match=r'prune\.remove\(layer, "bias"\)'):
        pv.prune(model, 0.5)
