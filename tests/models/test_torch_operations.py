"""Operations of PyTorch that units run through: each is pruned, removed and compared."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

import pruneviz as pv

RNG = np.random.default_rng(0)
IMAGES = RNG.random((4, 8, 8, 3), np.float32)
TOKENS = RNG.random((4, 5, 6), np.float32)


def net(forward, **layers):
    """Make a module of a forward, given as a function of the module and its input, and layers."""
    model = type("Net", (nn.Module,), {"forward": forward})()
    for name, layer in layers.items():
        setattr(model, name, layer)
    return model.eval()


def check(model, x, granularity="filter", share=0.5, **options):
    """Prune and remove, and compare on other images; the smaller model trains."""
    mask = pv.prune(model, share, granularity=granularity, example=x, keep_at_least=1, **options)
    assert mask.pruned
    small = pv.remove(model, mask, x)
    other = np.random.default_rng(1).random((7, *x.shape[1:])).astype(x.dtype)
    assert pv.check_removed(model, mask, small, other) <= 1e-5
    batch = torch.from_numpy(np.moveaxis(other, -1, 1).copy() if x.ndim == 4 else other)
    small.train()(batch).square().mean().backward()
    return mask, small.eval()


def conv(n=3, out=8, **options):
    return nn.Conv2d(n, out, 3, padding=1, **options)


def gate(s, y):
    return torch.sigmoid(s.up(torch.relu(s.down(y.mean((2, 3)))))).unflatten(1, (8, 1, 1))


BODIES = {
    "expand_as": lambda s, y: y * gate(s, y).expand_as(y),
    "sum": lambda _, y: y.sum((2, 3), keepdim=True) + y,
    "sum of constants": lambda _, y: torch.sigmoid(y).sum((2, 3)).unflatten(1, (8, 1, 1)),
    "amax": lambda _, y: y.amax(dim=(2, 3), keepdim=True) * y,
    "amin by axis": lambda _, y: torch.amin(y, dim=-1, keepdim=True),
    "clip": lambda _, y: y.clip(-0.5, 0.5),
    "float": lambda _, y: y.float().double().to(torch.float32).type(torch.float64).to(y.device, y.dtype),
    "swapaxes": lambda _, y: y.swapaxes(2, 3).swapdims(-1, 2),
    "movedim": lambda _, y: torch.movedim(y, 1, -1).moveaxis(3, 1),
    "permute by keyword": lambda _, y: y.permute(dims=(0, 2, 3, 1)).permute(0, -1, 1, 2),
    "concat": lambda _, y: torch.concat([y, torch.tanh(y)], dim=1)[:, ::, 1:-1],
    "add with alpha": lambda _, y: torch.add(torch.sigmoid(y), y.tanh().sigmoid(), alpha=2),
    "chunk": lambda _, y: torch.mul(*y.chunk(2, 1)),
    "larger of two": lambda _, y: torch.max(*y.chunk(2, 1)) * torch.min(*torch.tensor_split(y, 2, dim=1)),
    "sizes of another": lambda _, y: y.transpose(2, 3).reshape(y.size()),
    "resized": lambda _, y: functional.interpolate(functional.max_pool2d(y, 2), size=y.shape[2:]) + y,
    "split by size": lambda _, y: torch.mul(*y.split(4, 1)),
    "split by sizes": lambda _, y: torch.cat([*torch.split(y, [3, 5], dim=1)][::-1], 1),
    "ranges": lambda _, y: torch.cat([y[:, 5:], y[:, :-3].tanh()], 1),
    "halves": lambda _, y: y[:, : y.shape[1] // 2] * y[:, y.shape[1] // 2 :].sigmoid(),
    "glu": lambda _, y: functional.glu(y, 1),
    "glu as a layer": lambda _, y: nn.GLU(dim=-3)(nn.ReLU()(y)),
    "stack": lambda _, y: torch.stack([y, y.tanh()], -1).sum(-1),
    "stack of units": lambda _, y: torch.stack([y, y.tanh()], 1).flatten(1, 2),
    "shuffles": lambda _, y: functional.pixel_unshuffle(functional.pixel_shuffle(y, 2), 2),
    "chunk as a list": lambda _, y: torch.cat([*list(y.chunk(2, dim=1)), y], 1),
    "chunk of three": lambda _, y: sum(torch.cat([y, y, y], 1).chunk(3, 1)),
    "cut in space": lambda _, y: y[:, :, 1:-1, ::2] + y[..., 2:, 1::2],
    "one place": lambda _, y: y[:, :, 2].unsqueeze(2),
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_operations_between_convolutions(body):
    model = net(
        lambda s, x: s.f(s.b(body(s, torch.relu(s.a(x)))).mean((2, 3))),
        a=conv(), up=nn.Linear(4, 8), down=nn.Linear(8, 4), b=nn.LazyConv2d(5, 1), f=nn.Linear(5, 3),
    )  # fmt: skip
    model(torch.rand(2, 3, 8, 8))
    mask, _ = check(model, IMAGES)
    assert "a" in mask


def test_ranges_of_units_shrink_by_what_they_lose():
    model = net(
        lambda s, x: s.f(torch.cat([s.b(s.a(x)[:, :5]), s.c(s.a(x)[:, 5:])], 1).mean((2, 3))),
        a=conv(), b=conv(5, 2), c=conv(3, 2), f=nn.Linear(4, 3),
    )  # fmt: skip
    mask, small = check(model, IMAGES, exclude=["b", "c"])
    assert small.b.in_channels == mask["a"][:5].sum()
    assert small.c.in_channels == mask["a"][5:].sum()
    with torch.no_grad():
        model.a.weight[5:] = 0
    mask = pv.prune(model, scope={"a": 0.4}, granularity="filter", example=IMAGES)
    with pytest.raises(ValueError, match=r"leaves layer 'c' without inputs: .* lower sparsity or by exclude"):
        pv.remove(model, mask, IMAGES)


@pytest.mark.parametrize("index", [3, slice(None, None, 2)])
def test_units_that_code_takes_one_by_one_are_refused_by_name(index):
    model = net(lambda s, x: s.f(s.a(x)[:, index].flatten(1)), a=conv(), f=nn.LazyLinear(3))
    model(torch.rand(1, 3, 8, 8))
    with pytest.raises(ValueError, match=r"'getitem' takes single units; .*exclude=\['a'\]"):
        pv.prune(model, 0.5, granularity="filter", example=IMAGES)


class C2f(nn.Module):
    """The block of YOLOv8: parts of channels, each used again."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.cv1, self.cv2 = nn.Conv2d(3, 8, 1), nn.Conv2d(16, 6, 1)
        self.m = nn.ModuleList(nn.Conv2d(4, 4, 3, padding=1) for _ in range(2))
        self.head = nn.Linear(6, 3)

    def forward(self, x):
        y = list(self.cv1(x).chunk(2, 1))
        y.extend(m(y[-1]).relu() for m in self.m)
        return self.head(self.cv2(torch.cat(y, 1)).relu().mean((2, 3)))


def test_parts_of_channels_lose_the_same():
    mask, small = check(C2f(), IMAGES)
    assert list(mask) == ["cv1", "cv2", "m.0", "m.1"]
    assert np.array_equal(mask["cv1"][:4], mask["cv1"][4:])
    assert type(small) is C2f


PER_CHANNEL = {
    "PReLU": lambda: nn.PReLU(8),
    "InstanceNorm": lambda: nn.InstanceNorm2d(8),
    "affine InstanceNorm": lambda: nn.InstanceNorm2d(8, affine=True),
    "InstanceNorm with statistics": lambda: nn.InstanceNorm2d(8, affine=True, track_running_stats=True),
    "both": lambda: nn.Sequential(nn.InstanceNorm2d(8, affine=True), nn.PReLU(8)),
    "PReLU between functions": lambda: nn.Sequential(nn.Sigmoid(), nn.PReLU(8), nn.Tanh()),
    "PReLU of one number": nn.PReLU,
}


@pytest.mark.parametrize("make", PER_CHANNEL.values(), ids=PER_CHANNEL)
@pytest.mark.parametrize("between", [nn.Identity, nn.BatchNorm2d])
def test_layers_with_a_parameter_a_channel(make, between):
    norm = nn.Identity() if between is nn.Identity else nn.BatchNorm2d(8)
    after = [nn.Conv2d(8, 5, 3, bias=False), nn.ReLU(), nn.Flatten(), nn.Linear(80, 3)]
    model = nn.Sequential(nn.Conv2d(3, 8, 3), norm, make(), *after).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) / 4)
    mask, _ = check(model, IMAGES, scope="layer")
    assert mask.pruned == 4 + 2 + (mask["3"].size % 2)


class Scaled(nn.Module):
    """A residual block with a scale and a shift for each channel of its own."""

    def __init__(self, apply, form=(8,)):
        super().__init__()
        self.a, self.b, self.c = conv(), conv(8, 12), conv(12, 8)
        self.gamma, self.head = nn.Parameter(torch.rand(form) + 0.5), nn.Linear(8, 3)
        self.register_buffer("shift", torch.rand(form))
        self.apply_scale = apply

    def forward(self, x):
        x = self.a(x).relu()
        return self.head((x + self.apply_scale(self, self.c(self.b(x).relu()))).mean((2, 3)))


APPLIED = {
    "whole": (lambda s, y: s.gamma * y + s.shift, (8, 1, 1)),
    "with the batch": (lambda s, y: y * s.gamma - s.shift, (1, 8, 1, 1)),
    "laid out": (lambda s, y: s.gamma.view(1, -1, 1, 1) * y + s.gamma[None, :, None, None], (8,)),
    "unsqueezed": (lambda s, y: torch.mul(y, s.gamma.unsqueeze(-1).unsqueeze(-1)), (8,)),
    "channels last": (lambda s, y: (y.permute(0, 2, 3, 1) * s.gamma.to(y.dtype)).permute(0, 3, 1, 2), (8,)),
    "twice": (lambda s, y: s.gamma * (s.gamma * y), (8, 1, 1)),
}


@pytest.mark.parametrize(("apply", "form"), APPLIED.values(), ids=APPLIED)
def test_scales_of_a_channel_shrink_along(apply, form, tmp_path):
    model = Scaled(apply, form).eval()
    mask, small = check(model, IMAGES, scope="layer")
    assert {"a", "c"} <= mask.keys()
    assert small.gamma.numel() == small.a.out_channels == 4 == 8 - (~mask["a"]).sum()
    assert small.gamma.ndim == len(form)
    with torch.no_grad():
        (gone,) = (~mask["a"]).nonzero()
        assert pv.apply(model, mask).gamma.flatten()[gone].eq(0).all()
    pv.save(small, tmp_path / "small.pv")
    again = pv.load(tmp_path / "small.pv", model, IMAGES)
    assert torch.equal(again.gamma, small.gamma)
    with pv.keep_pruned(thin := pv.apply(model, mask), mask):
        thin(torch.rand(2, 3, 8, 8)).sum().backward()
        torch.optim.SGD(thin.parameters(), 0.1).step()
    assert thin.gamma.flatten()[gone].eq(0).all()


OTHERWISE = {
    "exponential": lambda s, y: s.gamma.exp() * y,
    "also elsewhere": lambda s, y: s.gamma * y + s.gamma.sum(),
    "spelled": lambda s, y: y * s.gamma.view(1, 8, 1, 1),
    "by itself": lambda s, y: y * (s.gamma * s.gamma),
    "from the other side": lambda s, y: s.gamma - y,
}


@pytest.mark.parametrize("apply", OTHERWISE.values(), ids=OTHERWISE)
def test_scales_that_do_something_else_keep_their_channels(apply):
    mask, small = check(Scaled(apply, (8, 1, 1)).eval(), IMAGES)
    assert list(mask) == ["b"]
    assert small.gamma.numel() == 8


def test_a_scale_that_two_modules_hold_keeps_its_channels():
    model = nn.Sequential(one := Scaled(APPLIED["whole"][0], (8, 1, 1)), nn.Linear(3, 3)).eval()
    model[1].register_parameter("same", one.gamma)
    mask, _ = check(model, IMAGES)
    assert not {"0.a", "0.c"} & mask.keys()


def several(s, x):
    y = s.a(x).relu().mean((2, 3))
    return {"class": s.f(y), "more": (s.g(y), None)}


def test_models_with_several_outputs():
    model = net(several, a=conv(), f=nn.Linear(8, 3), g=nn.Linear(8, 4))
    mask = pv.prune(model, 0.5, granularity="filter", example=IMAGES)
    small = pv.remove(model, mask, IMAGES)
    assert pv.check_removed(model, mask, small, IMAGES[::-1].copy()) <= 1e-6
    small.g.bias.data += 1
    assert pv.check_removed(model, mask, small, IMAGES) > 0.1
    assert small(torch.rand(2, 3, 8, 8))["more"][0].shape == (2, 4)


@pytest.mark.parametrize(
    ("before", "shuffle", "after", "together"),
    [
        (8, nn.PixelShuffle(2), 2, 4),
        (12, nn.PixelShuffle(2), 3, 4),
        (18, nn.PixelShuffle(3), 2, 9),
        (3, nn.PixelUnshuffle(2), 12, 1),
        (8, nn.ChannelShuffle(2), 8, 2),
        (12, nn.ChannelShuffle(4), 12, 4),
        (8, nn.ChannelShuffle(4), 8, 4),
    ],
)
def test_shuffles_take_sets_of_units(before, shuffle, after, together):
    model = nn.Sequential(conv(3, before), shuffle, conv(after, 5), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    model.append(nn.Linear(5, 3))
    mask, small = check(model, IMAGES, share=None, scope={"0": 0.5})
    sets = mask["0"].reshape(-1, together)
    if isinstance(shuffle, nn.ChannelShuffle):  # what lies at one place of all groups
        sets = mask["0"].reshape(together, -1).T
    assert (sets.all(1) | ~sets.any(1)).all()
    assert small[2].in_channels == after * mask["0"].mean()


SHUFFLED = {
    "ShuffleNet's": lambda y: y.view(len(y), 2, y.shape[1] // 2, 8, 8).transpose(1, 2).flatten(1, 2),
    "with sizes": lambda y: y.reshape(-1, 2, 4, 8, 8).permute(0, 2, 1, 3, 4).reshape(-1, 8, 8, 8),
    "undone": lambda y: y.view(len(y), -1, 2, 8, 8).transpose(1, 2).reshape(y.shape),
    "unflatten": lambda y: y.unflatten(1, (2, -1)).swapaxes(1, 2).flatten(1, 2),
    "more groups than places": lambda y: y.view(-1, 4, 2, 64).transpose(1, 2).reshape(-1, 8, 8, 8),
    "twice": lambda y: SHUFFLED["unflatten"](SHUFFLED["unflatten"](y)),
}


@pytest.mark.parametrize("body", SHUFFLED.values(), ids=SHUFFLED)
def test_shuffles_in_code_take_sets_of_units(body):
    model = net(
        lambda s, x: s.f(s.b(body(s.a(x).relu())).mean((2, 3))), a=conv(), b=conv(8, 5), f=nn.Linear(5, 3)
    )
    mask, small = check(model, IMAGES, share=None, scope={"a": 0.5})
    pairs = mask["a"].reshape(4, 2) if body is SHUFFLED["undone"] else mask["a"].reshape(2, 4).T
    if body is SHUFFLED["more groups than places"]:
        pairs = mask["a"].reshape(4, 2)
    if body is not SHUFFLED["twice"]:
        assert (pairs[:, 0] == pairs[:, 1]).all()
    assert small.b.in_channels == 4


def test_what_is_laid_out_in_two_axes_goes_in_slices_of_the_longer():
    model = net(
        lambda s, x: s.f(s.a(x.mean(1)).tanh().view(-1, 3, 4).mean(1)), a=nn.Linear(6, 12), f=nn.Linear(4, 3)
    )
    mask, small = check(model, TOKENS, "neuron")
    assert (mask["a"].reshape(3, 4) == mask["a"][:4]).all()
    assert small.f.in_features == 2


def test_a_decoder_loses_neurons_map_by_map():
    model = net(
        lambda s, x: s.c2(s.c1(s.fc(x.mean(1)).relu().view(-1, s.c1.in_channels, 4, 4)).relu()).flatten(1),
        fc=nn.Linear(6, 64), c1=nn.ConvTranspose2d(4, 6, 3), c2=nn.ConvTranspose2d(6, 2, 3),
    )  # fmt: skip
    mask, small = check(model, TOKENS, "channel", None, scope={"fc": 0.5})
    maps = mask["fc"].reshape(4, 16)
    assert (maps.all(1) | ~maps.any(1)).all()
    assert small.c1.in_channels == 2


class Vit(nn.Module):
    """A transformer of a learner's own: a class token, attention by hand, a residual stream."""

    def __init__(self, position=True):
        super().__init__()
        torch.manual_seed(0)
        self.cls, self.embed = nn.Parameter(torch.rand(1, 1, 8)), nn.Linear(6, 8)
        self.pos = nn.Parameter(torch.rand(1, 6, 8)) if position else 0
        self.norm1, self.norm2, self.last = (nn.LayerNorm(8) for _ in range(3))
        self.q, self.k, self.v, self.out = (nn.Linear(8, 8) for _ in range(4))
        self.f1, self.f2, self.head = nn.Linear(8, 16), nn.Linear(16, 8), nn.Linear(8, 3)

    def forward(self, x):
        x = torch.cat([self.cls.expand(x.shape[0], -1, -1), self.embed(x)], 1) + self.pos
        y = self.norm1(x)
        mixed = functional.softmax(self.q(y) @ self.k(y).transpose(1, 2) / 8**0.5, -1) @ self.v(y)
        x = x + self.out(mixed)
        x = x + self.f2(functional.gelu(self.f1(self.norm2(x))))
        return self.head(self.last(x)[:, 0] + x.mean(1))


@pytest.mark.parametrize("position", [True, False])
def test_the_neurons_of_a_transformer(position):
    model = Vit(position)
    mask, small = check(model, TOKENS, "neuron", exclude=["q", "k", "v"])
    assert list(mask) == ["f1"]
    assert small.f1.out_features == 8
