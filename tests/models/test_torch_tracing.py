"""PyTorch forwards that ask for sizes, take optional arguments, or spell out what pruning changes."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

import pruneviz as pv
from pruneviz import frameworks
from pruneviz.frameworks.torch import adapter, rebuild, tracing

RNG = np.random.default_rng(0)
X = RNG.random((4, 6), np.float32)
IMAGES = RNG.random((4, 8, 8, 3), np.float32)


def net(forward, **layers):
    """Make a module of a forward, given as a function of the module and its input, and layers."""
    kind = type("Net", (nn.Module,), {"forward": forward})
    model = kind()
    for name, layer in layers.items():
        setattr(model, name, layer)
    return model.eval()


def conv(**more):
    torch.manual_seed(0)
    return {"c": nn.Conv2d(3, 6, 3), "f": nn.Linear(216, 4), **more}


def dense(**more):
    torch.manual_seed(0)
    return {"a": nn.Linear(6, 8), "f": nn.Linear(8, 3), **more}


def check(model, x, granularity, share=0.5, **options):
    """Prune and remove; the result computes what the masked model does, on other images too."""
    mask = pv.prune(model, share, granularity=granularity, example=x, **options)
    assert mask.pruned
    small = pv.remove(model, mask, x)
    assert sum(p.numel() for p in small.parameters()) < sum(p.numel() for p in model.parameters())
    other = np.random.default_rng(1).random((7, *x.shape[1:])).astype(x.dtype)
    assert pv.check_removed(model, mask, small, other) <= 1e-5
    data = (other, np.arange(7) % 3)
    criterion = "magnitude" if granularity == "channel" else "activation"
    pv.importance(model, granularity=granularity, criterion=criterion, data=data)
    return small


def tutorial(s, x):
    x = functional.relu(s.c(x))
    assert x.shape[1] == s.c.out_channels
    return s.f(x.view(-1, int(x.nelement() / x.shape[0])))


def by_dimension(s, x):
    if x.dim() == 3:
        x = x[None]
    if x.ndim != 4 or x.size()[2] != 8 or len(x.shape) != 4:
        raise ValueError("images, please")
    return s.f(torch.relu(s.c(x)).flatten(1))


def by_channel(s, x):
    total = 0
    for i in range(x.shape[1]):
        total = total + x[:, i : i + 1]
    return s.f(torch.relu(s.c(x + total)).flatten(1))


def made(s, x):
    b, _, h, w = x.shape
    zeros = torch.zeros(b, 6, h - 2, w - 2, device=x.device, dtype=x.dtype)
    ramp = torch.arange(h - 2, dtype=x.dtype).view(1, 1, -1, 1)
    return s.f((torch.relu(s.c(x)) * (zeros[:, :1] + ramp)).reshape(b, -1))


@pytest.mark.parametrize("forward", [tutorial, by_dimension, by_channel, made])
def test_sizes_are_known_while_tracing(forward):
    small = check(net(forward, **conv()), IMAGES, "filter")
    assert not isinstance(small, torch.fx.GraphModule)


def flat(x, s):
    return torch.relu(s.c(x))


SPELLED = {
    "view": lambda s, x: s.f(flat(x, s).view(-1, 216)),
    "view of a tuple": lambda s, x: s.f(flat(x, s).view((-1, 216))),
    "view by size": lambda s, x: s.f(flat(x, s).view(x.size(0), 216)),
    "view by len": lambda s, x: s.f(flat(x, s).view(len(x), 216)),
    "function": lambda s, x: s.f(torch.reshape(flat(x, s), (-1, 216))),
    "function, numbers known": lambda s, x: s.f(torch.reshape(flat(x, s), (x.shape[0], 216))),
    "function by keyword": lambda s, x: s.f(torch.reshape(flat(x, s), shape=(-1, 216))),
    "method by keyword": lambda s, x: s.f(flat(x, s).reshape(shape=(-1, 216))),
    "twice": lambda s, x: s.f(flat(x, s).view(-1, 6, 36).reshape(-1, 216)),
    "unflatten": lambda s, x: s.f(flat(x, s).flatten(1).unflatten(1, (6, 36)).flatten(1)),
    "unflatten by keyword": lambda s, x: s.f(
        torch.unflatten(flat(x, s).flatten(1), dim=-1, sizes=(-1, 6, 6, 6)).view(-1, 216)
    ),
    "a number that is not read anew": lambda s, x: s.f(flat(x, s).view(x.shape[0], int(x.shape[1]) * 72)),
}


@pytest.mark.parametrize("forward", SPELLED.values(), ids=SPELLED)
def test_sizes_spelled_in_every_form(forward):
    small = check(net(forward, **conv()), IMAGES, "filter")
    assert isinstance(small, torch.fx.GraphModule)
    assert small.c.out_channels == 3


def test_an_unflatten_layer_is_rewritten_in_place():
    layers = [nn.Conv2d(3, 6, 3), nn.ReLU(), nn.Flatten(), nn.Unflatten(1, (6, 6, 6)), nn.Conv2d(6, 2, 3)]
    small = check(nn.Sequential(*layers, nn.Flatten()), IMAGES, "filter")
    assert type(small) is nn.Sequential
    assert small[3].unflattened_size == (3, 6, 6)


def masked(s, x, mask=None):
    x = torch.relu(s.a(x))
    return s.f(x if mask is None else x * mask)


def features(s, x, features=False, *, scale=1.0):
    y = torch.relu(s.a(x)) * scale
    if features:
        return y
    if scale == 1:
        return s.f(y)
    return s.f(s.b(y))


def several(s, x, *rest, z=2, **options):
    return s.f(torch.relu(s.a(x))) * z if not rest and not options else x


@pytest.mark.parametrize("forward", [masked, features, several])
def test_optional_arguments_have_their_defaults(forward):
    small = check(net(forward, **dense(b=nn.Linear(8, 8))), X, "neuron")
    assert small.a.out_features == 4


def test_several_inputs_are_refused_by_a_sentence():
    model = net(lambda s, x, e: s.f(torch.relu(s.a(x) + e)), **dense())
    for call in (
        lambda: pv.prune(model, 0.5, granularity="neuron", example=X),
        lambda: pv.scorecard(model, (X, np.arange(4))),
        lambda: pv.importance(model, criterion="gradient", data=(X, np.arange(4) % 3)),
    ):
        with pytest.raises(
            ValueError,
            match=r"x is 1 array, and the model has 2 inputs, x, e: pass one for each, several as a tuple",
        ):
            call()
    assert pv.apply(model, pv.prune(model, 0.5)).a.weight.eq(0).any()


def test_an_example_that_does_not_fit_is_refused_by_the_layer():
    with pytest.raises(ValueError, match="Sequential does not take the example: layer '0' says"):
        pv.prune(nn.Sequential(nn.Linear(5, 4), nn.Linear(4, 3)), 0.5, granularity="neuron", example=X)
    with pytest.raises(ValueError, match="Net does not take the example: its 'view' says: shape"):
        pv.prune(net(SPELLED["view"], **conv()), 0.5, granularity="filter", example=IMAGES[:, :7])


ZERO_D = {
    "exp": lambda s, x: s.f(torch.relu(s.a(x)) * s.t.exp()),
    "weights": lambda s, x: s.f(s.w[0] * torch.relu(s.a(x)) + s.w[1] * torch.tanh(s.a(x))),
    "buffer": lambda s, x: s.f(torch.relu(s.a(x)).mul(s.k)),
}


@pytest.mark.parametrize("forward", ZERO_D.values(), ids=ZERO_D)
def test_tensors_without_axes(forward):
    model = net(forward, **dense(t=nn.Parameter(torch.tensor(0.3)), w=nn.Parameter(torch.rand(2))))
    model.register_buffer("k", torch.tensor(2.0))
    check(model, X, "neuron")


def test_what_mixes_the_batch_is_refused_by_name():
    model = net(lambda s, x: s.f((y := torch.relu(s.a(x))) / y.max()), **dense())
    with pytest.raises(ValueError, match=r"'max_1' is an operation on the batch.*exclude=\['a'\]"):
        pv.prune(model, 0.5, granularity="neuron", example=X)


def test_parameters_that_are_computed_tie_what_they_meet():
    model = net(lambda s, x: s.f(torch.relu(s.a(x)) * s.v.exp()), **dense(v=nn.Parameter(torch.rand(8))))
    assert not pv.importance(model, granularity="neuron", example=X)


TWICE = {
    "cat": lambda s, x: s.g(torch.cat([y := torch.relu(s.a(x)), y], 1)),
    "concat": lambda s, x: s.g(torch.concat((y := torch.relu(s.a(x)), y), dim=-1)),
    "with another between": lambda s, x: s.h(torch.cat([y := torch.relu(s.a(x)), s.b(y), y], axis=1)),
}


@pytest.mark.parametrize("forward", TWICE.values(), ids=TWICE)
@pytest.mark.parametrize("granularity", ["neuron", "channel"])
def test_concatenating_a_tensor_with_itself(forward, granularity):
    model = net(forward, **dense(b=nn.Linear(8, 8), g=nn.Linear(16, 3), h=nn.Linear(24, 3)))
    check(model, X, granularity)


def test_a_padding_with_a_value_is_refused_and_one_with_zeros_is_not():
    model = net(lambda s, x: s.f(functional.pad(torch.relu(s.c(x)), (1, 1), value=1.0)), **conv())
    model.f = nn.Sequential(nn.Conv2d(6, 2, 3), nn.Flatten())
    with pytest.raises(ValueError, match="'pad' is a padding with other values than zero"):
        pv.prune(model, 0.5, granularity="filter", example=IMAGES)
    for options in ({"value": 0.0}, {"mode": "reflect"}, {"mode": "circular"}):
        both = net(
            lambda s, x, o=options: s.f(functional.pad(torch.relu(s.c(x)), (1, 1, 0, 0), **o)), c=model.c
        )
        both.f = model.f
        check(both, IMAGES, "filter")


def test_layers_may_be_named_as_torch_fx_names_its_own():
    model = net(lambda s, x: s.f(torch.relu(s.code(x))), code=nn.Linear(6, 8), f=nn.Linear(8, 3))
    assert check(model, X, "neuron").code.out_features == 4


def test_a_call_traces_a_model_once(monkeypatch):
    model = pv.zoo.lenet_5("torch")
    x, y = (part[:8] for part in pv.datasets.mnist().validation)
    seen = []

    def counted(net, batch):
        seen.append(net)
        return tracing.traced(net, batch)

    for module in (adapter, rebuild):
        monkeypatch.setattr(module, "traced", counted)

    def once(call, most=1):
        seen.clear()
        result = call()
        assert len(seen) <= most
        return result

    mask = once(lambda: pv.prune(model, 0.5, granularity="filter", criterion="taylor", data=(x, y)))
    once(lambda: pv.prune(model, 0.5, granularity="filter", criterion="activation", data=(x, y)))
    once(lambda: pv.prune(model, 0.5, granularity="channel", criterion="reconstruction", data=(x, y)))
    once(lambda: pv.apply(model, mask, x))
    once(lambda: pv.remove(model, mask, x), most=2)  # one is written anew, with the sizes that are left
    once(lambda: pv.scorecard(model, (x, y)), most=0)
    once(lambda: pv.reconstruct(model, mask, x), most=2)  # the model, and the copy that is refitted


def test_what_is_written_after_a_trace_is_seen():
    model = nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3), nn.Linear(3, 2)).eval()
    x = np.random.default_rng(0).random((5, 4), dtype=np.float32)
    seen = frameworks.adapter(model)
    (first,) = seen.graph(x).nodes[1:2]
    before = next(seen.activations(x, {first.name}))[first.name]
    weight = seen.arrays()["0.weight"] * 2
    seen.write({"0.weight": weight, "0.bias": np.zeros(3, "f4"), "1.running_mean": np.ones(3, "f4")})
    after = next(seen.activations(x, {first.name}))[first.name]
    assert np.allclose(after, x @ weight.T, atol=1e-6)
    assert not np.allclose(before, after)
    last = seen.graph(x).nodes[-1].name
    assert np.allclose(next(seen.activations(x, {last}))[last], model(torch.from_numpy(x)).detach())


def transformer(*, batch_first):
    torch.manual_seed(0)
    layer = nn.TransformerEncoderLayer(8, 2, 12, batch_first=batch_first)
    return {"e": nn.Embedding(9, 8), "t": nn.TransformerEncoder(layer, 1), "f": nn.Linear(8, 3)}


def causal(n):
    return nn.Transformer.generate_square_subsequent_mask(n)


MASKS = {
    "padding": lambda s, x: s.t(s.e(x), src_key_padding_mask=x == 0),
    "padding of floats": lambda s, x: s.t(s.e(x), src_key_padding_mask=(x == 0).float() * -1e9),
    "causal": lambda s, x: s.t(s.e(x), mask=causal(x.size(1))),
    "causal, said": lambda s, x: s.t(s.e(x), mask=causal(x.shape[1]), is_causal=True),
    "both": lambda s, x: s.t(s.e(x), causal(x.shape[1]).isinf(), x == 0),
    "a buffer": lambda s, x: s.t(s.e(x), mask=s.mask[: x.size(1), : x.size(1)]),
}


@pytest.mark.parametrize("forward", MASKS.values(), ids=MASKS)
@pytest.mark.filterwarnings("ignore:.*nested.tensor")
def test_transformers_with_masks(forward):
    model = net(lambda s, x: s.f(forward(s, x).mean(1)), **transformer(batch_first=True))
    model.register_buffer("mask", causal(16))
    words = RNG.integers(1, 9, (6, 5))
    words[:3, 3:] = 0
    mask = pv.prune(model, 0.5, granularity="neuron", example=words)
    assert mask.pruned == 6
    small = pv.remove(model, mask, words)
    assert pv.check_removed(model, mask, small, words) <= 1e-5


@pytest.mark.filterwarnings("ignore:.*nested.tensor")
def test_layers_of_a_sequence_that_comes_before_the_batch_say_why_they_stay():
    model = net(lambda s, x: s.f(s.t(s.e(x).transpose(0, 1)).mean(0)), **transformer(batch_first=False))
    with pytest.raises(ValueError, match=r"t\.layers\.0\.linear1's come from an operation on the batch"):
        pv.prune(model, 0.5, granularity="neuron", example=np.ones((2, 5), int), exclude="auto")


def asks_what_it_is(s, x):
    if hasattr(x, "tokens") or not x.is_floating_point():
        raise TypeError("give a tensor of floats")
    if s.on > 0 and torch.ones(x.shape[1]).sum() > 3:
        x = 2 * x
    return s.f(torch.relu(s.a(x)))


def test_branches_that_no_image_decides_are_taken():
    model = net(asks_what_it_is, **dense())
    model.register_buffer("on", torch.tensor(1))
    check(model, X, "neuron")


@pytest.mark.parametrize("of_images", [True, False])
def test_branches_on_images_and_parameters_are_refused(of_images):
    def forward(s, x):
        decides = x if of_images else s.f.bias
        return s.f(torch.relu(s.a(x if decides.abs().sum() > 0 else -x)))

    model = net(forward, **dense())
    with pytest.raises(ValueError, match="cannot trace Net: it branches on the value of its 'gt'"):
        pv.prune(model, 0.5, granularity="neuron", example=X)
