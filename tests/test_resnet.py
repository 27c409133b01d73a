"""ResNet-20: twins, coupled filters, and a training that goes on where it was."""

import importlib
from dataclasses import replace

import numpy as np
import pytest
from safetensors.numpy import load_file
from twins import torch

import pruneviz as pv
from benchmarks.training import resnet
from benchmarks.training.mnist import correct
from benchmarks.training.resnet import Recipe, Training, train
from pruneviz import datasets
from pruneviz.frameworks import adapter

PARAMETERS = 272_474
X = np.random.default_rng(0).integers(0, 256, (8, 32, 32, 3), dtype=np.uint8)
STAGES = [["conv1", *(f"block{i}.conv2" for i in (1, 2, 3))]]
STAGES += [[f"block{first}.shortcut", *(f"block{first + i}.conv2" for i in range(3))] for first in (4, 7)]


@pytest.fixture(scope="module")
def weights():
    """Random weights, and statistics of every BatchNorm that a forgotten constant would show in."""
    torch.manual_seed(0)
    model = importlib.import_module("pruneviz.zoo.torch").build("resnet_20", None)
    rng = np.random.default_rng(0)
    arrays = {key: tensor.numpy() for key, tensor in model.state_dict().items() if tensor.ndim}
    for norm in (key.removesuffix(".running_mean") for key in list(arrays) if key.endswith("running_mean")):
        for part, low in (("weight", 0.5), ("bias", -0.5), ("running_mean", -0.5), ("running_var", 0.5)):
            shape = arrays[f"{norm}.{part}"].shape
            arrays[f"{norm}.{part}"] = rng.uniform(low, low + 1, shape).astype(np.float32)
    return arrays


@pytest.fixture(scope="module")
def models(weights):
    """The three versions of one network."""
    keras = importlib.import_module("pruneviz.zoo.keras")
    twins = {home: keras.build("resnet_20", weights, home) for home in ("keras", "tf_keras")}
    return {"torch": importlib.import_module("pruneviz.zoo.torch").build("resnet_20", weights), **twins}


def test_twins_give_the_same_outputs(models):
    logits = {home: adapter(model).predict(X) for home, model in models.items()}
    for home in ("keras", "tf_keras"):
        difference = np.abs(logits[home] - logits["torch"]).max()
        assert difference <= 1e-5 * np.abs(logits["torch"]).max()


def test_the_trained_twins_are_as_good_as_the_card_says():
    x, y = datasets.cifar10().test
    card, model = pv.zoo.card("resnet_20"), pv.zoo.resnet_20("torch")
    assert card.test_correct >= 0.9 * card.test_images
    assert card.test_images == len(y)
    assert "first 45,000 training images" in str(card)
    found = adapter(model).predict(x).argmax(1)
    assert abs(np.count_nonzero(found == y) - card.test_correct) <= 2
    for home in ("keras", "tf_keras"):
        twin = adapter(pv.zoo.resnet_20(home)).predict(x[:500]).argmax(1)
        assert np.count_nonzero(twin != found[:500]) <= 1, home


def test_the_log_tells_of_each_epoch_of_the_card():
    rows = (resnet._HOME / "cards" / "resnet_20.csv").read_text().splitlines()
    assert rows[0] == "epoch,rate,loss,validation_correct,seconds"
    assert len(rows) == 1 + Recipe().epochs
    assert str(Recipe()) == pv.zoo.card("resnet_20").recipe


def test_twins_have_the_same_layers_in_the_same_order_and_as_many_parameters(models):
    names = [layer.name for layer in pv.network(models["torch"]).layers]
    assert len(names) == 1 + 18 + 2 + 1
    for model in models.values():
        assert [layer.name for layer in pv.network(model).layers] == names
        card = pv.scorecard(model, (X, np.zeros(len(X), int)))
        assert card.parameters == PARAMETERS
        # 3 x 3 kernels at 32, 16 and 8 pixels a side, two shortcuts, and the dense layer.
        stages = 9 * (3 * 16 + 6 * 16 * 16) * 1024 + 9 * (16 * 32 + 5 * 32 * 32) * 256
        stages += 9 * (32 * 64 + 5 * 64 * 64) * 64
        assert card.macs == stages + 16 * 32 * 256 + 32 * 64 * 64 + 640


@pytest.mark.parametrize(
    ("granularity", "scope"),
    [("weight", "global"), ("weight", "layer"), ("filter", "global"), ("channel", "global")],
)
def test_twins_lose_the_same_bit_for_bit(models, granularity, scope):
    masks = [
        pv.prune(model, 0.5, granularity=granularity, scope=scope, example=X[:1]) for model in models.values()
    ]
    assert masks[0] == masks[1] == masks[2]


def test_filters_of_a_stage_are_tied_and_those_inside_a_block_are_not(models):
    for model in models.values():
        mask = pv.prune(model, 0.5, granularity="filter", scope="layer", example=X[:1])
        for stage in STAGES:
            assert all(np.array_equal(mask[name], mask[stage[0]]) for name in stage)
        inner = [f"block{i}.conv1" for i in range(1, 10)]
        assert set(mask) == {*inner, *(name for stage in STAGES for name in stage)}
        first = [*inner, *(stage[0] for stage in STAGES)]
        groups = [int(mask.units.groups[mask.units.of[name][0]]) for name in first]
        assert len(set(groups)) == 9 + 3
        assert mask.total == 3 * (16 + 32 + 64) + 16 + 32 + 64


@pytest.mark.parametrize("home", ["torch", "keras", "tf_keras"])
@pytest.mark.parametrize("share", [0.3, 0.5, 0.7])
def test_removal_passes_its_proof(models, home, share):
    model = models[home]
    mask = pv.prune(model, share, granularity="filter", scope="layer", example=X[:1])
    small = pv.remove(model, mask, X[:2])
    assert pv.check_removed(model, mask, small, X) <= 1e-5
    sizes = {layer.name: len(layer.weight) for layer in pv.network(small).layers}
    assert all(sizes[name] == kept.sum() for name, kept in mask.items())


def test_a_block_is_a_module_of_its_own(models):
    model = models["torch"]
    assert [name for name, _ in model.block4.named_children()] == [
        "conv1", "bn1", "relu1", "conv2", "bn2", "shortcut", "shortcut_bn", "relu2",
    ]  # fmt: skip
    block, x = model.block4, torch.rand(1, 16, 4, 4)
    inner = block.bn2(block.conv2(block.relu1(block.bn1(block.conv1(x)))))
    assert torch.equal(block(x), torch.relu(inner + block.shortcut_bn(block.shortcut(x))))
    assert torch.equal(model.block2(x), torch.relu(model.block2.bn2(model.block2.conv2(
        model.block2.relu1(model.block2.bn1(model.block2.conv1(x))))) + x))  # fmt: skip


@pytest.fixture
def few(monkeypatch):
    """A handful of images instead of CIFAR-10."""
    rng = np.random.default_rng(0)
    split = (rng.integers(0, 256, (32, 32, 32, 3), dtype=np.uint8), rng.integers(0, 10, 32))
    data = datasets.Dataset("cifar10", split, split, split, tuple("abcdefghij"))
    monkeypatch.setattr(datasets, "cifar10", lambda: data)
    return data


RECIPE = Recipe(epochs=3, cooldown=1, batch=16)


def test_a_training_that_was_ended_goes_on_as_if_nothing_had_happened(few, tmp_path, monkeypatch):
    whole = train(RECIPE, few, tmp_path / "whole.pt")
    epoch, calls = Training.epoch, []

    def ended(self):
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        epoch(self)

    monkeypatch.setattr(Training, "epoch", ended)
    with pytest.raises(KeyboardInterrupt):
        train(RECIPE, few, tmp_path / "ended.pt")
    again = train(RECIPE, few, tmp_path / "ended.pt")
    assert len(calls) == 4
    for key, tensor in whole.model.state_dict().items():
        assert torch.equal(again.model.state_dict()[key], tensor), key
    without_time = [{k: v for k, v in row.items() if k != "seconds"} for row in whole.log]
    assert [{k: v for k, v in row.items() if k != "seconds"} for row in again.log] == without_time


def test_a_plan_may_change_only_for_what_is_still_to_come(few, tmp_path):
    path = tmp_path / "state.pt"
    run = train(replace(RECIPE, epochs=2), few, path)
    assert len(run.log) == 2
    with pytest.raises(ValueError, match="the checkpoint has 2 epochs of another recipe"):
        train(RECIPE, few, path)  # its rate has fallen already
    torch.save({**run.state, "log": run.log[:1]}, path)
    assert len(train(RECIPE, few, path).log) == 3
    with pytest.raises(ValueError, match="the checkpoint has 3 epochs of another recipe"):
        train(replace(RECIPE, rate=0.3), few, path)


def test_the_rate_rises_stays_and_falls_to_zero():
    recipe = Recipe(epochs=20, cooldown=10, rate=0.1)
    assert [round(recipe.rate_after(done), 4) for done in (0, 1, 2, 10, 15, 19, 20)] == [
        0.005, 0.055, 0.1, 0.1, 0.05, 0.01, 0,
    ]  # fmt: skip


def test_images_are_crops_of_the_padded_ones_half_of_them_turned_round(few):
    run = Training(RECIPE, few)
    batch = torch.arange(32)
    images = (run._images(batch, torch.Generator().manual_seed(0)) * 255).round().to(torch.uint8)
    assert images.shape == (32, 3, 32, 32)
    turned = 0
    for image, padded in zip(images.permute(0, 2, 3, 1), run.x, strict=True):
        crops = padded.unfold(0, 32, 1).unfold(1, 32, 1).permute(0, 1, 3, 4, 2)
        plain = (crops == image).all(-1).all(-1).all(-1).any()
        mirrored = (crops == image.flip(1)).all(-1).all(-1).all(-1).any()
        assert plain or mirrored
        turned += int(mirrored)
    assert 6 < turned < 26


def test_the_script_writes_what_the_zoo_can_load(few, tmp_path, monkeypatch):
    arguments = ["--epochs", "1", "--cooldown", "1", "--batch", "16", "--out", str(tmp_path)]
    monkeypatch.setattr("sys.argv", ["resnet", *arguments, "--checkpoint", str(tmp_path / "state.pt")])
    resnet.main()
    arrays = load_file(tmp_path / "resnet_20.safetensors")
    assert {array.dtype for array in arrays.values()} == {np.dtype("float32")}
    state = torch.load(tmp_path / "state.pt", weights_only=True)["model"]
    assert all(np.array_equal(array, state[key]) for key, array in arrays.items())
    model = importlib.import_module("pruneviz.zoo.torch").build("resnet_20", arrays)
    right = correct(model, few.test)
    monkeypatch.setattr("pruneviz.zoo.modelcards._CARDS", tmp_path)
    card = pv.zoo.card("resnet_20")
    assert (card.test_correct, card.test_images, card.parameters) == (right, 32, PARAMETERS)
    assert "first 32 training images" in str(card)
    table = (tmp_path / "resnet_20.csv").read_text().splitlines()
    assert table[0] == "epoch,rate,loss,validation_correct,seconds"
    assert len(table) == 2
