"""The criterion "reconstruction" (LASSO) and pv.reconstruct (least squares), against independent ways."""

import numpy as np
import pytest
from architectures import Plan, build, images
from sklearn.linear_model import Lasso
from twins import keras, same, tf_keras, torch, weights_of

import pruneviz as pv
from pruneviz import frameworks
from pruneviz.engine.model import Seen
from pruneviz.methods import lasso

CHAIN = Plan((("conv", 6), ("act", 0), ("conv", 5), ("act", 0)), dense=(7,))


def inputs_of(module, forward, x):
    """Catch what a PyTorch layer reads."""
    caught = []
    handle = module.register_forward_pre_hook(lambda _, args: caught.append(args[0].detach()))
    forward(x)
    handle.remove()
    return caught[0]


def test_the_score_is_the_penalty_at_which_scikit_learns_lasso_lets_a_channel_in():
    """By coordinate descent on the parts themselves, not on their inner products."""
    model, x = build(CHAIN, "torch"), images(CHAIN, "torch")
    scores = pv.importance(
        model, granularity="channel", criterion="reconstruction", data=(x, np.zeros(len(x), int))
    )
    conv = dict(model.named_modules())["s2"]
    read = inputs_of(conv, model, torch.tensor(x.transpose(0, 3, 1, 2)))
    parts = []
    for i in range(read.shape[1]):
        alone = torch.zeros_like(read)
        alone[:, i] = read[:, i]
        part = torch.nn.functional.conv2d(alone, conv.weight, None, conv.stride, conv.padding)
        parts.append(part.detach().numpy().astype(np.float64).ravel())
    parts = np.array(parts).T
    whole = parts.sum(axis=1)
    alphas = scores["s0"]
    assert np.count_nonzero(alphas) >= 3
    for alpha in np.unique(alphas[alphas > 0]):
        for share, inside in ((0.999, alphas >= alpha), (1.001, alphas > alpha)):
            penalty = share * alpha * (whole @ whole) / len(whole)
            found = Lasso(alpha=penalty, fit_intercept=False, tol=1e-10, max_iter=100_000).fit(parts, whole)
            assert np.array_equal(np.abs(found.coef_) > 1e-9, inside), (alpha, share)


def test_entries_of_parts_at_right_angles_are_their_shares():
    """Then the LASSO shrinks each for itself: part i enters at |<part i, sum>| = its own square."""
    np.testing.assert_allclose(lasso.entries(np.diag([1.0, 4, 0, 5])), [0.1, 0.4, 0, 0.5])
    assert not lasso.entries(np.zeros((3, 3))).any()
    assert lasso.entries(np.zeros((0, 0))).shape == (0,)


def test_a_double_is_left_out():
    """Of two channels that do the same, one is enough; magnitude cannot see that."""
    parts = np.random.default_rng(0).normal(size=(200, 3))
    parts = np.column_stack([parts, 0.9 * parts[:, 0]])
    found = lasso.entries(parts.T @ parts)
    assert found[3] == 0
    assert (found[:3] > 0).all()


@pytest.mark.parametrize("name", ["lenet_300_100", "lenet_5_bn"])
def test_twins_choose_the_same_and_refit_alike(name):
    x, y = (array[:300] for array in pv.datasets.mnist().train)
    shown = pv.datasets.mnist().validation[0][:200]
    masks, logits = [], []
    for framework in ("torch", "keras", "tf_keras"):
        model = getattr(pv.zoo, name)(framework)
        options = {"granularity": "channel", "criterion": "reconstruction", "scope": "layer"}
        masks.append(pv.prune(model, 0.5, data=(x, y), **options))
        before = weights_of(model)
        logits.append(frameworks.adapter(pv.reconstruct(model, masks[0], x)).predict(shown))
        assert same(before, weights_of(model))
    total = sum(kept.size for kept in masks[0].values())
    for other in masks[1:]:
        assert sum(np.count_nonzero(kept != masks[0][n]) for n, kept in other.items()) <= 1e-4 * total
    for other in logits[1:]:
        np.testing.assert_allclose(other, logits[0], atol=1e-4 * np.abs(logits[0]).max())


def test_least_squares_agree_with_numpy_on_all_places(framework):
    """One layer: its new weights are those that lstsq finds for what it reads and what it gave."""
    model, x = build(CHAIN, framework), images(CHAIN, framework)
    kept = np.array([True, False, True, True, False, True])
    ones = {name: np.ones(n, bool) for name, n in (("s2", 5), ("d0", 7))}
    mask = pv.Mask({"s0": kept, **ones}, "channel")
    fitted = pv.network(pv.reconstruct(model, mask, x))
    before = pv.network(model)
    reading = {"s2": lasso.readers(Seen(model, x), dict.fromkeys(before, kept))["s2"]}
    whole, left = (
        np.concatenate([table for _, table in lasso.tables(frameworks.adapter(m), reading, x)])
        for m in (model, pv.apply(model, mask, x))
    )
    weight = before["s2"].weight.astype(np.float64).reshape(5, -1)
    stays = np.repeat(kept, weight.shape[1] // 6)
    known = np.column_stack([left[:, stays], np.ones(len(left))])
    wanted = whole @ weight.T + before["s2"].bias
    best, *_ = np.linalg.lstsq(known, wanted, rcond=None)
    ours = np.vstack([fitted["s2"].weight.reshape(5, -1)[:, stays].T, fitted["s2"].bias])
    error, least = (np.square(known @ w - wanted).sum() for w in (ours, best))
    assert error <= 1.001 * least + 1e-6
    masked = np.vstack([weight[:, stays].T, before["s2"].bias])
    assert error < 0.9 * np.square(known @ masked - wanted).sum()
    assert not fitted["s0"].weight[~kept].any()
    np.testing.assert_array_equal(fitted["s0"].weight[kept], before["s0"].weight[kept])


def test_patches_are_what_the_kernel_sees(framework):
    """Times the weight they give the layer's output, whatever its stride, padding and dilation."""
    x = np.random.default_rng(0).random((3, 9, 8, 2), np.float32)
    for stride, padding, dilation in ((1, 1, 1), (2, 0, 1), (1, 0, 2)):
        if framework == "torch":
            layer = torch.nn.Conv2d(2, 4, 3, stride, padding, dilation)
            model = torch.nn.Sequential(layer)
            given = x.transpose(0, 3, 1, 2)
            output = model(torch.tensor(given)).detach().numpy().transpose(0, 2, 3, 1)
        else:
            home = {"keras": keras, "tf_keras": tf_keras}[framework]
            same_size = "same" if padding else "valid"
            layer = home.layers.Conv2D(4, 3, stride, same_size, dilation_rate=dilation)
            model, given = home.Sequential([home.Input((9, 8, 2)), layer]), x
            output = model(x).numpy()
        (only,) = pv.network(model).layers
        patches = frameworks.adapter(model).patches(only.name, np.ascontiguousarray(given))
        made = patches @ only.weight.reshape(4, -1).T + only.bias
        np.testing.assert_allclose(made.reshape(output.shape), output, rtol=1e-4, atol=1e-5)


def test_a_reconstructed_network_is_removed_like_any_other(framework):
    x = pv.datasets.mnist().train[0][:256]
    model = pv.zoo.lenet_5_bn(framework)
    mask = pv.prune(model, 0.5, granularity="channel", scope="layer", example=x)
    fitted = pv.reconstruct(model, mask, x)
    assert pv.apply(fitted, mask, x) is not fitted
    assert same(weights_of(pv.apply(fitted, mask, x)), weights_of(fitted))
    small = pv.remove(fitted, mask, x[:8])
    assert pv.check_removed(fitted, mask, small, x) <= 1e-5
    shown = tuple(array[:1000] for array in pv.datasets.mnist().validation)
    masked, better = (pv.scorecard(m, shown).accuracy for m in (pv.apply(model, mask, x), small))
    assert better > masked + 0.02


def test_what_cannot_be_followed_is_refused():
    x = np.random.default_rng(0).random((4, 8, 8, 3), np.float32)
    grouped = torch.nn.Sequential(
        torch.nn.Conv2d(3, 4, 3), torch.nn.ReLU(), torch.nn.Conv2d(4, 4, 3, groups=2), torch.nn.ReLU(),
        torch.nn.Flatten(), torch.nn.Linear(64, 2),
    )  # fmt: skip
    data = (x, np.zeros(4, int))
    with pytest.raises(ValueError, match="layer '2' is neither dense nor a plain convolution"):
        pv.importance(grouped, granularity="channel", criterion="reconstruction", data=data)
    mask = pv.prune(grouped, 0.5, granularity="channel", scope="layer", example=x)
    with pytest.raises(ValueError, match="layer '2' is neither dense nor a plain convolution"):
        pv.reconstruct(grouped, mask, x)
    separable = keras.Sequential(
        [keras.Input((8, 8, 3)), keras.layers.Conv2D(4, 3), keras.layers.SeparableConv2D(4, 3, name="sep"),
         keras.layers.Flatten(), keras.layers.Dense(2)]
    )  # fmt: skip
    with pytest.raises(ValueError, match=r"layer 'sep.depthwise' is neither dense"):
        pv.importance(separable, granularity="channel", criterion="reconstruction", data=data)
    model = build(CHAIN, "torch")
    with pytest.raises(ValueError, match="reconstruction"):
        pv.importance(
            model, granularity="channel", criterion="reconstruction", example=images(CHAIN, "torch")
        )
    with pytest.raises(ValueError, match="'reconstruction' is not one of"):
        pv.importance(model, granularity="filter", criterion="reconstruction", example=images(CHAIN, "torch"))
    with pytest.raises(ValueError, match="a mask of weights takes no unit out"):
        pv.reconstruct(model, pv.prune(model, 0.5), images(CHAIN, "torch"))
