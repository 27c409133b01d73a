import importlib
import importlib.util
import subprocess
import sys

import numpy as np
import pytest
from safetensors.numpy import load_file

from pruneviz import datasets, zoo
from pruneviz.zoo.architectures import ARCHITECTURES

NAMES = [name for name in ARCHITECTURES if name != "resnet_20"]  # which has tests of its own
SHAPES = {
    "lenet_300_100": {"fc1": (300, 784), "fc2": (100, 300), "fc3": (10, 100)},
    "lenet_5": {
        "conv1": (6, 1, 5, 5),
        "conv2": (16, 6, 5, 5),
        "fc1": (120, 400),
        "fc2": (84, 120),
        "fc3": (10, 84),
    },
    "mnist_cnn": {"conv1": (32, 1, 3, 3), "conv2": (64, 32, 3, 3), "fc1": (1024, 3136), "fc2": (10, 1024)},
    "tiny_cnn": {"conv1": (12, 1, 3, 3), "fc1": (10, 2028)},
}
SHAPES["lenet_5_bn"] = SHAPES["lenet_5"]
PARAMETERS = {
    "lenet_300_100": 266_610,
    "lenet_5": 61_706,
    "lenet_5_bn": 61_728,
    "mnist_cnn": 3_241_354,
    "tiny_cnn": 20_410,
}
LEAST = {"lenet_300_100": 98.2, "lenet_5": 99.1, "lenet_5_bn": 99.1, "mnist_cnn": 99.2, "tiny_cnn": 98.2}


def build(name, framework, **options):
    return getattr(zoo, name)(framework, **options)


def images_for(framework, x):
    x = x / np.float32(255)
    return x.transpose(0, 3, 1, 2) if framework == "torch" else x


def outputs(model, framework, x):
    if framework == "torch":
        torch = importlib.import_module("torch")
        with torch.inference_mode():
            batches = torch.tensor(images_for(framework, x)).split(1000)
            return np.concatenate([model(batch).numpy() for batch in batches])
    return model.predict(images_for(framework, x), batch_size=1000, verbose=0)


@pytest.fixture(scope="module", params=NAMES)
def triplet(request):
    """A network's name and what its three versions say about the 10,000 test images."""
    x, _ = datasets.mnist().test
    logits = {
        framework: outputs(build(request.param, framework), framework, x)
        for framework in ("torch", "keras", "tf_keras")
    }
    return request.param, logits


def test_twins_give_the_same_outputs(triplet):
    _, logits = triplet
    for framework in ("keras", "tf_keras"):
        np.testing.assert_allclose(logits[framework], logits["torch"], rtol=1e-5, atol=1e-4)


def test_twins_are_as_accurate_as_the_card_says(triplet):
    name, logits = triplet
    _, y = datasets.mnist().test
    card = zoo.card(name)
    assert card.test_images == len(y)
    for framework, values in logits.items():
        correct = int((values.argmax(1) == y).sum())
        assert abs(correct - card.test_correct) <= 1, framework


@pytest.mark.parametrize("name", NAMES)
def test_the_card_tells_what_one_must_know(name):
    card = zoo.card(name)
    assert card.name == name
    assert 100 * card.test_correct / card.test_images >= LEAST[name]
    assert card.parameters == PARAMETERS[name]
    for text in (str(card), card._repr_markdown_()):
        assert f"{card.test_correct:,} of 10,000 correct" in text
        assert f"{card.validation_correct:,} of 5,000 correct" in text
        assert "95% interval" in text
        assert "first 55,000 training images" in text
        assert f"seed {card.seed}" in text


def test_the_interval_is_wilsons():
    """Newcombe (1998), Table I, method 3: 81 of 263."""
    text = importlib.import_module("pruneviz.zoo.modelcards")._share(81, 263)
    assert text == "81 of 263 correct, 30.80% (95% interval 25.53–36.62%)"


@pytest.mark.parametrize("name", NAMES)
def test_weights_have_the_names_and_shapes_of_the_course(name):
    stored = load_file(zoo._WEIGHTS / f"{name}.safetensors")
    shapes = {key.removesuffix(".weight"): a.shape for key, a in stored.items() if a.ndim > 1}
    assert shapes == SHAPES[name]
    assert {a.dtype for a in stored.values()} == {np.dtype("float16" if name == "mnist_cnn" else "float32")}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("framework", ["torch", "keras", "tf_keras"])
def test_layers_have_the_names_and_sizes_of_the_table(name, framework):
    model = build(name, framework)
    expected = [spec.name for spec in ARCHITECTURES[name]]
    if framework == "torch":
        assert [child for child, _ in model.named_children()] == expected
        assert sum(parameter.numel() for parameter in model.parameters()) == PARAMETERS[name]
        assert not model.training
    else:
        assert [layer.name for layer in model.layers if layer.name != "permute"] == expected
        assert sum(int(np.prod(v.shape)) for v in model.trainable_variables) == PARAMETERS[name]
        assert model.name == name


@pytest.mark.parametrize("framework", ["keras", "tf_keras"])
def test_batch_normalisation_has_the_same_settings_in_all(framework):
    ours = build("lenet_5_bn", "torch").bn1
    twin = build("lenet_5_bn", framework).get_layer("bn1")
    assert twin.epsilon == ours.eps == 1e-5
    assert twin.momentum == 1 - ours.momentum


def test_untrained_networks_follow_the_seed_of_pytorch():
    torch = importlib.import_module("torch")

    def first_weight(seed):
        torch.manual_seed(seed)
        return build("tiny_cnn", "torch", pretrained=False).conv1.weight.detach().numpy()

    np.testing.assert_array_equal(first_weight(1), first_weight(1))
    assert not np.array_equal(first_weight(1), first_weight(2))


@pytest.mark.parametrize("framework", ["keras", "tf_keras"])
def test_untrained_networks_follow_the_seed_of_keras(framework):
    keras = importlib.import_module(framework)

    def first_weight(seed):
        keras.utils.set_random_seed(seed)
        return build("tiny_cnn", framework, pretrained=False).get_layer("conv1").get_weights()[0]

    np.testing.assert_array_equal(first_weight(1), first_weight(1))
    assert not np.array_equal(first_weight(1), first_weight(2))


def test_every_network_is_a_new_one():
    first, second = build("tiny_cnn", "torch"), build("tiny_cnn", "torch")
    first.conv1.weight.data.zero_()
    assert second.conv1.weight.detach().abs().sum() > 0


def test_an_unknown_framework_is_refused():
    with pytest.raises(ValueError, match=r'framework is .jax.: choose "torch", "keras" or "tf_keras"'):
        zoo.lenet_5("jax")


def test_an_unknown_card_is_refused():
    with pytest.raises(ValueError, match="no model card for 'vgg': choose one of lenet_300_100, lenet_5"):
        zoo.card("vgg")


@pytest.mark.parametrize(("framework", "extra"), [("torch", "torch"), ("keras", "tensorflow")])
def test_a_missing_framework_names_the_extra(monkeypatch, framework, extra):
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    monkeypatch.delitem(sys.modules, framework, raising=False)
    with pytest.raises(
        ImportError, match=rf'{framework} is not installed: pip install "pruneviz\[{extra}\]"'
    ):
        zoo._build("lenet_5", framework, pretrained=True)


def test_mixing_frameworks_the_wrong_way_round_is_refused(monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorflow", np)
    monkeypatch.delitem(sys.modules, "torch._dynamo", raising=False)
    with pytest.raises(ImportError, match=r"start the program with `import torch._dynamo`"):
        zoo.lenet_5("torch")


def test_importing_the_zoo_loads_no_framework():
    script = (
        "import sys, pruneviz.zoo; print([m for m in ('torch', 'tensorflow', 'keras') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_training_script_stores_what_the_zoo_can_load(tmp_path, monkeypatch):
    train = importlib.import_module("benchmarks.training.mnist")
    small = datasets.Dataset(
        "mnist", *((x[:600], y[:600]) for x, y in (datasets.mnist().train,) * 3), datasets.mnist().class_names
    )
    monkeypatch.setattr(datasets, "mnist", lambda: small)
    monkeypatch.setitem(train.RECIPES, "tiny_cnn", train.Recipe(epochs=1, rate=1e-2, shift=1))
    monkeypatch.setattr(sys, "argv", ["train", "tiny_cnn", "--seeds", "0", "1", "--out", str(tmp_path)])
    train.main()
    first, second = (load_file(tmp_path / f"tiny_cnn_{seed}.safetensors") for seed in (0, 1))
    train.main()
    again = load_file(tmp_path / "tiny_cnn_0.safetensors")
    packaged = load_file(zoo._WEIGHTS / "tiny_cnn.safetensors")
    assert {key: a.shape for key, a in first.items()} == {key: a.shape for key, a in packaged.items()}
    for key, array in first.items():
        np.testing.assert_array_equal(array, again[key])
        assert not np.array_equal(array, second[key])
