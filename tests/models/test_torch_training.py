"""What a PyTorch model does while it is trained outlives the removal of its units, or is refused."""

import copy
import pickle

import numpy as np
import pytest
import torch
import torchvision
from torch import nn
from torch.nn import functional

import pruneviz as pv

X = np.random.default_rng(0).random((4, 8, 8, 3), np.float32)
BATCH = torch.rand(5, 3, 8, 8, generator=torch.Generator().manual_seed(0))


class Old(nn.Module):
    """The form of PyTorch's first examples: sizes spelled out, dropout as a function."""

    def __init__(self, drop=functional.dropout):
        super().__init__()
        self.drop = drop
        self.conv, self.fc1, self.fc2 = nn.Conv2d(3, 6, 3), nn.Linear(216, 9), nn.Linear(9, 3)

    def forward(self, x):
        x = self.drop(functional.relu(self.conv(x)), 0.25, self.training)
        x = self.fc1(x.view(-1, 216))
        return self.fc2(functional.dropout(x, training=self.training))


def small_of(model, share=0.5, x=X, granularity="filter"):
    mask = pv.prune(model, share, granularity=granularity, example=x, keep_at_least=1)
    small = pv.remove(model, mask, x)
    assert pv.check_removed(model, mask, small, x[::-1].copy()) <= 1e-5
    return small


@pytest.mark.parametrize("mode", [True, False])
@pytest.mark.parametrize(
    "drop", [functional.dropout, functional.dropout2d, functional.alpha_dropout, torch.dropout]
)
def test_dropout_stays_dropout(drop, mode):
    model = Old(drop).train(mode)
    small = small_of(model)
    assert isinstance(small, torch.fx.GraphModule)
    assert small.training == mode
    for again in (small, copy.deepcopy(small), pickle.loads(pickle.dumps(small))):
        again.train()
        assert not torch.equal(again(BATCH), again(BATCH))
        again.eval()
        assert torch.equal(again(BATCH), again(BATCH))
    assert [module.p for module in small.modules() if "Dropout" in type(module).__name__] == [0.25, 0.5]
    small.train()(BATCH).square().mean().backward()
    assert all(parameter.grad is not None for parameter in small.parameters())


class Switch(Old):
    """Gives what an auxiliary head says, too, while it is trained."""

    def __init__(self, spelled=False, tail=6):
        super().__init__()
        self.spelled = spelled
        self.aux = nn.Linear(tail, 3)

    def forward(self, x):
        x = functional.relu(self.conv(x))
        y = self.fc2(functional.relu(self.fc1(x.flatten(1))))
        if self.training:
            h = x.mean((2, 3))
            return y, self.aux(h.view(-1, 6) if self.spelled else h)
        return y


def test_branches_of_training_shrink_along():
    model = Switch()
    for share, granularity in ((0.5, "filter"), (0.4, "neuron")):
        small = small_of(model, share, granularity=granularity)
        assert type(small) is Switch
        y, aux = small.train()(BATCH)
        assert (y.shape, aux.shape) == ((5, 3), (5, 3))
        (y.sum() + aux.sum()).backward()
    assert small_of(model).aux.in_features == 3


def test_sizes_spelled_where_training_differs_are_refused():
    with pytest.raises(ValueError, match=r"Switch spells out a size .* while it is trained.*x\.flatten\(1\)"):
        small_of(Switch(spelled=True))


def test_googlenet_trains_on():
    torch.manual_seed(0)
    model = torchvision.models.googlenet(init_weights=False, num_classes=4).eval()
    x = np.random.default_rng(0).random((2, 64, 64, 3), np.float32)
    small = small_of(model, 0.3, x)
    outputs = small.train()(torch.rand(2, 3, 64, 64))
    assert outputs.aux_logits1.shape == outputs.logits.shape == (2, 4)
    sum(output.sum() for output in outputs).backward()


class DropPath(Old):
    """Leaves a block out for some images, while it is trained."""

    def forward(self, x):
        x = functional.relu(self.conv(x))
        if self.training:
            x = x * x.new_empty(x.shape[0], 1, 1, 1).bernoulli_(0.5).div_(0.5)
        return self.fc2(self.fc1(x.flatten(1)))


def test_paths_that_are_dropped_are_dropped_on():
    small = small_of(DropPath())
    assert type(small) is DropPath
    assert not torch.equal(small.train()(BATCH), small(BATCH))


class Deciding(Switch):
    def forward(self, x):
        x = functional.relu(self.conv(x))
        y = self.fc2(self.fc1(x.flatten(1)))
        return self.aux(x.mean((2, 3))) if self.training and x.mean() > 0 else y


def test_training_that_cannot_be_traced_is_refused_where_it_may_read_what_goes():
    with pytest.raises(ValueError, match="cannot trace Deciding in training mode"):
        small_of(Deciding())


def test_looking_draws_no_random_numbers():
    model = DropPath()
    state = torch.get_rng_state()
    pv.prune(model, 0.5, granularity="filter", example=X)
    assert torch.equal(state, torch.get_rng_state())


class Reversed(torch.autograd.Function):
    """Turns slopes round, as adversarial training between domains does."""

    @staticmethod
    def forward(_, x):
        return x.view_as(x)

    @staticmethod
    def backward(_, slope):
        return -slope


def without_slopes(s, x):
    with torch.no_grad():
        return s.conv(x)


def switched_off(s, x):
    with torch.set_grad_enabled(False):
        return s.conv(x)


def coarse(s, x):
    with torch.autocast("cpu", torch.bfloat16):
        return s.conv(x).float()


FORGOTTEN = {
    "a backward of its own": lambda s, x: Reversed.apply(s.conv(x)),
    "no_grad": without_slopes,
    "set_grad_enabled": switched_off,
    "autocast": coarse,
    "a constant that changes": lambda s, x: s.conv(x * torch.tensor(2.0 if s.training else 1.0)),
}


class Spelled(Old):
    """Spells out a size, or not, behind a function."""

    def __init__(self, body, flat=False):
        super().__init__()
        self.body, self.flat = body, flat

    def forward(self, x):
        x = self.body(self, x).relu()
        return self.fc2(self.fc1(x.flatten(1) if self.flat else x.view(-1, 216)))


@pytest.mark.parametrize("body", FORGOTTEN.values(), ids=FORGOTTEN)
def test_what_a_graph_would_forget_is_refused(body):
    with pytest.raises(
        ValueError, match=r"or by no_grad, autocast, a hook or an autograd\.Function.*flatten"
    ):
        small_of(Spelled(body).eval())
    if body is not coarse:
        assert type(small_of(Spelled(body, flat=True).eval())) is Spelled


def test_a_hook_that_a_graph_would_forget_is_refused():
    model = Spelled(lambda s, x: s.conv(x)).eval()
    model.register_forward_pre_hook(lambda _, args: ((args[0] - 0.5) / 0.25,))
    with pytest.raises(ValueError, match=r"no_grad, autocast, a hook .*write x\.flatten\(1\)"):
        small_of(model)


RECORDED = {
    "detach": lambda s, x: s.conv(x).detach(),
    "constant": lambda s, x: s.conv(x - torch.tensor([0.5, 0.4, 0.3]).view(1, 3, 1, 1)),
    "two equal constants": lambda s, x: s.conv(x - torch.ones(3, 1, 1)) * torch.ones(3, 1, 1)[0],
    "checkpoint": lambda s, x: torch.utils.checkpoint.checkpoint(s.conv, x, use_reentrant=False),
}


@pytest.mark.parametrize("frozen", [False, True])
@pytest.mark.parametrize("body", RECORDED.values(), ids=RECORDED)
def test_what_a_graph_records_is_not_refused(body, frozen):
    model = Spelled(body).eval()
    model.conv.requires_grad_(not frozen)
    small = small_of(model)
    assert isinstance(small, torch.fx.GraphModule)
    assert small.conv.weight.requires_grad is not frozen
    assert all(p.grad is None for p in model.parameters())
