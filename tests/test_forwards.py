"""Ways in which learners write the forward of a PyTorch module."""

import threading

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

import pruneviz as pv

RNG = np.random.default_rng(0)
ROWS, STEPS, IMAGES = (RNG.random(shape, np.float32) for shape in ((6, 6), (6, 9, 6), (6, 8, 8, 3)))
ALL, LINEAR, CONV = slice(None), nn.Linear, nn.Conv2d


class Own(nn.Module):
    def __init__(self, forward, **layers):
        super().__init__()
        self.own_forward = forward
        for name, layer in layers.items():
            setattr(self, name, layer)

    def forward(self, x):
        return self.own_forward(self, x)


def halved(model, x, granularity="neuron", **options):
    """Take half of the units out; gives how many each layer keeps, where it computes the same."""
    mask = pv.prune(model, 0.5, granularity=granularity, scope="layer", example=x, **options)
    assert pv.check_removed(model, mask, pv.remove(model, mask, x), x) < 1e-6
    return {name: int(kept.sum()) for name, kept in mask.items()}


@pytest.mark.parametrize("index", [(ALL, ALL, None, None), (..., None, None)])
def test_a_gate_gets_new_axes_by_none(index):
    def forward(self, x):
        maps = self.conv(x)
        return self.head((maps * self.gate(maps.mean((2, 3))).sigmoid()[index]).mean((2, 3)))

    model = Own(forward, conv=CONV(3, 8, 3), gate=LINEAR(8, 8), head=LINEAR(8, 3))
    assert halved(model, IMAGES, "filter") == {"conv": 4, "gate": 4}


@pytest.mark.parametrize(
    "largest",
    [
        lambda maps: maps.max(2)[0],
        lambda maps: maps.max(dim=-1).values,
        lambda maps: torch.min(maps, 2, keepdim=True)[0].squeeze(2),
        lambda maps: torch.max(maps, dim=2, keepdim=True).values.flatten(1),
    ],
)
def test_the_largest_along_an_axis_is_followed(largest):
    model = Own(
        lambda self, x: self.head(largest(self.conv(x).flatten(2))), conv=CONV(3, 8, 3), head=LINEAR(8, 3)
    )
    assert halved(model, IMAGES, "filter") == {"conv": 4}


def test_where_the_largest_is_ties_nothing_and_the_largest_unit_ties_all():
    place = Own(
        lambda self, x: self.head(self.last(self.conv(x)).flatten(2).max(2)[1].float()),
        conv=CONV(3, 8, 3),
        last=CONV(8, 8, 1),
        head=LINEAR(8, 3),
    )
    with pytest.raises(ValueError, match=r"is argmax that pruneviz does not know.*exclude=\['last'\]"):
        halved(place, IMAGES, "filter")
    assert halved(place, IMAGES, "filter", exclude="auto") == {"conv": 4}
    one = Own(
        lambda self, x: self.head(self.body(x).max(1, keepdim=True)[0]), body=LINEAR(6, 8), head=LINEAR(1, 3)
    )
    with pytest.raises(ValueError, match=r"exclude=\['body'\]"):
        halved(one, ROWS)
    two = Own(
        lambda self, x: self.head(torch.max(self.a(x), self.b(x))),
        a=LINEAR(6, 8),
        b=LINEAR(6, 8),
        head=LINEAR(8, 3),
    )
    assert halved(two, ROWS) == {"a": 4, "b": 4}


def last_state(self, x):
    return self.head(self.body(self.rnn(x)[1].squeeze(0)).relu())


def time_first(self, x):
    return self.head(self.body(x.transpose(0, 1)).relu().mean(0))


def frames(self, x):
    return self.head(self.body(x.reshape(-1, 6)).relu().view(x.size(0), 9, 8).mean(1))


def there_and_back(self, x):
    return self.head(self.more(self.body(x.transpose(0, 1)).relu().transpose(0, 1)).relu().mean(1))


def two_at_once(self, x):
    return self.head(torch.stack([self.body(x), self.other(x)]).mean(0).mean(1))


def three_at_once(self, x):
    return self.head(torch.stack([self.body(x), self.other(x), x[..., :1].expand(-1, -1, 8)]).mean(0).mean(1))


@pytest.mark.parametrize(
    ("forward", "width", "kept", "said"),
    [
        (last_state, 10, {"body": 4}, None),
        (time_first, 6, None, "no neurons to prune"),
        (frames, 6, None, "no neurons to prune"),
        (there_and_back, 6, {"more": 4}, None),
        (two_at_once, 6, None, r"'stack' is a batch of batches.*exclude=\['body', 'other'\]"),
        (three_at_once, 6, None, r"'stack' is an operation on the batch.*exclude=\['body', 'other'\]"),
    ],
)
def test_where_the_batch_is_not_first_nothing_is_followed(forward, width, kept, said):
    layers = {"body": LINEAR(width, 8), "other": LINEAR(6, 8), "more": LINEAR(8, 8), "head": LINEAR(8, 3)}
    model = Own(forward, rnn=nn.GRU(6, 10, batch_first=True), **layers)
    if said:
        with pytest.raises(ValueError, match=said):
            halved(model, STEPS)
    else:
        assert halved(model, STEPS) == kept


def test_what_a_forward_leaves_on_a_module_is_copied_without_its_history():
    def forward(self, x):
        self.maps = self.conv(x).relu()
        self.all = [self.maps, {"twice": 2 * self.maps}]
        return self.head(self.maps.mean((2, 3)))

    model = Own(forward, conv=CONV(3, 8, 3), head=LINEAR(8, 3))
    model(torch.zeros(2, 3, 8, 8)).sum().backward()
    thin = pv.apply(model, pv.prune(model, 0.5))
    assert model.maps.requires_grad
    assert not thin.maps.requires_grad
    assert not thin.all[1]["twice"].requires_grad
    assert halved(model, IMAGES, "filter") == {"conv": 4}


def test_what_has_no_copy_is_said_in_a_sentence():
    model = nn.Sequential(LINEAR(6, 8), nn.ReLU(), LINEAR(8, 3))
    model.log = threading.Lock()
    with pytest.raises(ValueError, match=r"Sequential cannot be copied .*lock.*take that off it"):
        pv.apply(model, pv.prune(model, 0.5))


def test_a_model_that_draws_when_it_answers_cannot_be_compared():
    model = Own(
        lambda self, x: self.b(functional.dropout(self.a(x).relu())), a=LINEAR(6, 8), b=LINEAR(8, 3)
    ).eval()
    mask = pv.prune(model, 0.5, granularity="neuron", example=ROWS)
    with pytest.raises(ValueError, match=r"other outputs each time.*training=self\.training"):
        pv.remove(model, mask, ROWS)
    with pytest.raises(ValueError, match="other outputs each time"):
        pv.keep_classes(model, [0, 1], ROWS)


def test_a_compiled_model_says_which_one_to_give():
    model = torch.compile(nn.Sequential(LINEAR(6, 8), nn.ReLU(), LINEAR(8, 3)), backend="eager")
    with pytest.raises(ValueError, match=r"give model\._orig_mod"):
        halved(model, ROWS)
    assert halved(model._orig_mod, ROWS) == {"0": 4}
