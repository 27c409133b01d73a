"""The checks of lesson 04a accept right answers and name each typical mistake."""

import copy

import numpy as np
import pytest
import torch
from torch import nn

import pruneviz as pv
from pruneviz.engine.model import Seen
from pruneviz.lessons.checks import lesson_04a

MAKES = ["block4.conv2", "block4.shortcut", "block5.conv2", "block6.conv2"]
NORMALISES = ["block4.bn2", "block4.shortcut_bn", "block5.bn2", "block6.bn2"]
READS = ["block5.conv1", "block6.conv1", "block7.conv1", "block7.shortcut"]
COUNTS = 73_984, 4_718_592


@pytest.fixture(scope="module")
def resnet():
    torch.manual_seed(0)
    model = pv.zoo.resnet_20("torch", pretrained=False)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):  # as if trained: no two blocks alike, nothing zero
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.uniform_(module.bias, -0.5, 0.5)
    return model


@pytest.fixture(scope="module")
def pictures():
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (16, 32, 32, 3), dtype=np.uint8), rng.integers(0, 10, 16)


@pytest.fixture
def thin():
    model = pv.zoo.lenet_5_bn("torch")
    return pv.apply(model, pv.prune(model, 0.5, scope="layer", exclude=["fc3"]))


@pytest.fixture(scope="module")
def digits():
    return pv.datasets.mnist().train[0][:1_000]


def test_the_wire_is_what_the_units_say(resnet, pictures):
    units = Seen(resnet, pictures[0][:1]).structure.units
    wire = units.of["block5.conv2"][5]
    assert [name for name, ids in units.of.items() if wire in ids] == MAKES
    assert [name for name, ids in units.norms.items() if wire in ids] == NORMALISES
    assert [name for name, ids in units.columns.items() if wire in ids] == READS
    assert lesson_04a.tied.verdict(MAKES, NORMALISES, READS).startswith("Right.")
    assert lesson_04a.tied.verdict(set(MAKES), tuple(NORMALISES), READS).startswith("Right.")


@pytest.mark.parametrize(
    ("makes", "normalises", "reads", "told"),
    [
        (["block5.conv2"], NORMALISES, READS, "block4.conv2 belongs to makes: "),
        (["block4.conv2", "block5.conv2", "block6.conv2"], NORMALISES, READS, "block4.shortcut belongs"),
        (MAKES, NORMALISES[:3], READS, "block6.bn2 belongs to normalises"),
        (MAKES, NORMALISES, READS[:3], "block7 reads the sum"),
        (MAKES[1:], NORMALISES, [*READS, "block4.conv2"], "belongs to makes, not to reads"),
        ([*MAKES, "block5.conv1"], NORMALISES, READS, "channels of its own"),
        (MAKES, [*NORMALISES, "block5.bn1"], READS, "channels of its own"),
        (MAKES, NORMALISES, [*READS, "block5.conv2"], "channels of its own"),
        ([*MAKES, "block7.conv2"], NORMALISES, READS, "third stage"),
        ([*MAKES, "block3.conv2"], NORMALISES, READS, "first stage"),
        (MAKES, NORMALISES, [*READS, "block6.bn2"], "comes after it"),
        ("block5.conv2", NORMALISES, READS, "give a list"),
        (MAKES, 3, READS, "give a list"),
        (MAKES, ..., READS, "Not answered yet:"),
    ],
)
def test_the_first_missed_member_is_named(makes, normalises, reads, told):
    assert told in lesson_04a.tied.verdict(makes, normalises, reads)


def dropped(network, number, instead=None):
    twin = copy.deepcopy(network)
    setattr(twin, f"block{number}", instead or nn.Identity())
    return twin


def silenced(network, number):
    twin = copy.deepcopy(network)
    nn.init.zeros_(twin.get_submodule(f"block{number}.bn2").weight)
    nn.init.zeros_(twin.get_submodule(f"block{number}.bn2").bias)
    return twin


def in_place(network, number):
    setattr(network, f"block{number}", nn.Identity())
    return network


def lost_without_block_8(network, data):
    return pv.scorecard(network, data).correct - pv.scorecard(dropped(network, 8), data).correct


def test_a_block_is_dropped(resnet, pictures):
    context = {"network": resnet, "data": pictures}
    lost = lost_without_block_8(resnet, pictures)
    verdict = lesson_04a.block_dropped.verdict
    assert verdict(dropped, *COUNTS, lost, **context).startswith("Right.")
    assert "fewer_parameters is not 73728: BatchNorm's" in verdict(dropped, 73_728, 1, lost, **context)
    assert "fewer_macs is not 73728: these are weights" in verdict(
        dropped, COUNTS[0], 73_728, lost, **context
    )
    assert "count both" in verdict(dropped, 5, COUNTS[1], lost, **context)
    assert "lost is not" in verdict(dropped, *COUNTS, lost + 1, **context)
    assert "Not answered yet:" in verdict(dropped, *COUNTS, ..., **context)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (silenced, "silent, not gone"),
        (lambda network, _: copy.deepcopy(network), "computes what it did before"),
        (lambda network, _: dropped(network, 9), "it drops block9"),
        (lambda network, _: dropped(network, 7), "stops with RuntimeError"),
        (lambda network, number: dropped(network, number, nn.Softplus()), "computes something else"),
        (lambda *_: "gone", "returns str"),
        (lambda *_: None, "Not answered yet:"),
    ],
)
def test_wrong_ways_to_drop_a_block_are_recognised(resnet, pictures, wrong, told):
    assert told in lesson_04a.block_dropped.verdict(wrong, *COUNTS, 0, network=resnet, data=pictures)


def test_dropping_a_block_from_the_network_itself_is_recognised(resnet, pictures):
    twin = copy.deepcopy(resnet)
    assert "Work on a copy" in lesson_04a.block_dropped.verdict(
        in_place, *COUNTS, 0, network=twin, data=pictures
    )


def recalibrated(network, x, *, forget=True, scale=255, change=None):
    twin = copy.deepcopy(network).train()
    for module in twin.modules():
        if isinstance(module, nn.BatchNorm2d) and forget:
            module.reset_running_stats()
            module.momentum = None
    with torch.no_grad():
        for batch in torch.tensor(x.transpose(0, 3, 1, 2)).split(100):
            twin(batch / scale)
    if change:
        change(twin)
    return twin.eval()


def test_statistics_are_measured_again(thin, digits):
    verdict = lesson_04a.statistics.verdict
    assert verdict(recalibrated, network=thin, x=digits).startswith("Right.")
    assert verdict(pv.recalibrate, network=thin, x=digits).startswith("Right.")


def halved(twin):
    twin.fc1.weight.data *= 0.5


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (lambda network, _: copy.deepcopy(network), "as they were"),
        (lambda network, x: recalibrated(network, x[:100], forget=False), "part of the way"),
        (lambda network, x: recalibrated(network, x, scale=1), "from 0 to 1"),
        (lambda network, x: recalibrated(network, x, change=halved), "fc1.weight has changed"),
        (lambda network, x: recalibrated(network, x).train(), "training mode"),
        (lambda *_: "gone", "returns str"),
        (lambda *_: None, "Not answered yet:"),
    ],
)
def test_wrong_ways_to_measure_are_recognised(thin, digits, wrong, told):
    assert told in lesson_04a.statistics.verdict(wrong, network=thin, x=digits)


def test_measuring_in_the_network_itself_is_recognised(thin, digits):
    def spoiled(network, x):
        network.train()(torch.tensor(x[:100].transpose(0, 3, 1, 2)) / 255)
        return network.eval()

    assert "Work on a copy" in lesson_04a.statistics.verdict(spoiled, network=thin, x=digits)


def mask_of(granularity="filter", pruned=140):
    return pv.Mask({"conv1": np.arange(448) >= pruned}, granularity)


@pytest.mark.parametrize(
    ("mask", "right", "told"),
    [
        (mask_of(), 701, "Right."),
        (mask_of("channel"), 770, "Right."),
        (mask_of(), 700, "700 are right, and more than 700 have to be"),
        (mask_of(), 516, "tied to no other layer"),
        (mask_of(pruned=134), 900, "this cuts 134 of 448 channels, 29.9%"),
        (mask_of("neuron"), 900, "give a mask of filters or channels"),
        (0.3, 900, "give a mask of filters or channels"),
        (..., 900, "Not answered yet:"),
    ],
)
def test_thirty_per_cent_of_the_channels_without_labels(mask, right, told):
    assert told in lesson_04a.without_labels.verdict(mask, count_right=lambda _: right)
