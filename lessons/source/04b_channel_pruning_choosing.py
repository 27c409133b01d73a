# %% [markdown]
# # 04b · Channel pruning: choosing
#
# Which channels can a network spare? So far you asked the filters that make them: how large are they, how loud?
# Ask the layer that *reads* them instead: what could it put together from the others?

# %% tags=["fold", "pytorch"]
import copy
from itertools import combinations

import numpy as np

import pruneviz as pv

pv.teaching.start("pytorch")
FRAMEWORK = "torch"

import torch
from matplotlib.figure import Figure
from torch.nn import functional as F

from pruneviz.plots import style


def tensor(pixels):
    """Turn images into what PyTorch takes."""
    return torch.tensor(pixels.transpose(0, 3, 1, 2) / np.float32(255))


# %% tags=["fold", "tensorflow"]
from itertools import combinations

import numpy as np

import pruneviz as pv

pv.teaching.start("tensorflow")
FRAMEWORK = "keras"

import keras
import tensorflow as tf
from matplotlib.figure import Figure

from pruneviz.plots import style

# %% tags=["fold"]
mnist = pv.datasets.mnist()
validation, test = mnist.validation, mnist.test
shown = mnist.train[0][:200]  # for looking
seen = mnist.train[0][:2_000]  # for choosing and refitting; their labels are never used
few = tuple(array[:1_000] for array in validation)
by_images = {"granularity": "channel", "scope": "layer", "data": (seen, mnist.train[1][:2_000])}

lenet = pv.zoo.lenet_5(FRAMEWORK)
dense = pv.scorecard(lenet, validation, name="dense")
print(f"LeNet-5: {dense.correct:,} of {dense.n:,} digits right, {dense.macs:,} MACs an image")

# %% [markdown]
# **Predict.** Half of the channels of every layer go. The criterion *reconstruction* asks the reader; *magnitude* is the
# L1 norm. How many of 1,000 digits more does the first leave right?
#
# **Touch.** The chain of layers, from image to answer. Point at a channel, and everything that goes with it lights up.
# Then change between the two criteria, at 50% and elsewhere.

# %%
view = pv.explore(
    lenet,
    few,
    granularity="channel",
    criterion="reconstruction",
    scope="layer",
    scored_on=by_images["data"],
    show=["slider", "selectors", "chain", "scores", "scorecard"],
    predict=False,
    followed=["conv2", 3],
    title="LeNet-5 · channels",
)
view

# %% tags=["drive"]
view.sparsity = 0.5
counts, kept = {}, {}
for criterion in ("magnitude", "reconstruction"):
    view.criterion = criterion
    await view.measured()
    counts[criterion], kept[criterion] = view.card.correct, view.result()
print(view.sentence())

# %% tags=["answer"]
guess = ...  # how many of 1,000 digits more?
for criterion, count in counts.items():
    print(f"{criterion:15} {count:5,} of 1,000 right")
one, two = kept.values()
print(f"judged differently: {sum((one[name] != two[name]).sum() for name in one)} of {one.total}")
pv.teaching.compare(guess, counts["reconstruction"] - counts["magnitude"], "digits more")

# %% [markdown]
# ## What you will learn
#
# ![The map of the course; lit are channel, magnitude, random, what the next layer needs, a trained scale, its layer, at once.](../map/04b.svg)
#
# - To see a layer's output as a sum of parts, one for each channel, and to choose by it (LASSO).
# - To refit the layer that reads what is left, by least squares, and to compare rules with the same refitting.
# - To train a network towards channels that can go (slimming), and to read its BatchNorm scales with care.
#
# **Before you start.** You have done lesson 03: filter, channel, feature map, BatchNorm. Lesson 04a is not needed.

# %% [markdown] tags=["pytorch"]
# **Time.** 45 minutes, and 25 for the exercises.
#
# This is the PyTorch track; here is the [TensorFlow track](../tensorflow/04b_channel_pruning_choosing.ipynb).

# %% [markdown] tags=["tensorflow"]
# **Time.** 45 minutes, and 25 for the exercises.
#
# This is the TensorFlow track; here is the [PyTorch track](../pytorch/04b_channel_pruning_choosing.ipynb).

# %% [markdown]
# ## Ask the reader
#
# `conv1` makes six feature maps; after pooling, `conv2` reads them. For each channel it has kernels of its own, and it
# adds up what they see. So its output is a sum of six parts. Cut a channel, and its part is gone from the sum.


# %% tags=["pytorch"]
with torch.no_grad():
    read = lenet[:3](tensor(shown))  # conv1, ReLU, pooling
    weight = lenet.conv2.weight
    made = [F.conv2d(read[:, i : i + 1], weight[:, i : i + 1]) for i in range(6)]
    whole = F.conv2d(read, weight).double().numpy().ravel()
parts = torch.stack(made, dim=-1).double().numpy().reshape(-1, 6)
print("numbers that conv2 gives:", f"{len(whole):,}")
print("the six parts add up to them:", np.allclose(parts.sum(axis=1), whole, atol=1e-4))

# %% tags=["tensorflow"]
probe = keras.Model(lenet.inputs[0], lenet.get_layer("pool1").output)
read = probe(shown / np.float32(255))
kernel = lenet.get_layer("conv2").kernel
made = [tf.nn.conv2d(read[..., i : i + 1], kernel[:, :, i : i + 1], 1, "VALID") for i in range(6)]
whole = tf.nn.conv2d(read, kernel, 1, "VALID").numpy().astype(np.float64).ravel()
parts = tf.stack(made, axis=-1).numpy().astype(np.float64).reshape(-1, 6)
print("numbers that conv2 gives:", f"{len(whole):,}")
print("the six parts add up to them:", np.allclose(parts.sum(axis=1), whole, atol=1e-4))

# %% [markdown]
# ### Exercise 1 · What a cut takes from the sum
#
# `parts` holds one column for each channel; their sum is the layer's output. `kept` is a list of channels. Return the
# share of the output that is lost if only these stay: the sum of squares of what is missing, divided by that of the
# whole. Put your answer in place of the dots, run the cell, then the check below it. The solution is folded away.

# %%
from pruneviz.lessons.checks import lesson_04b as check


# %% tags=["exercise"]
def lost(parts, kept):
    """Return the lost share of the output: 0 with all channels, 1 with none."""
    # solution:
    whole = parts.sum(axis=1)
    missing = whole - parts[:, kept].sum(axis=1)
    return np.square(missing).sum() / np.square(whole).sum()
    # end of solution


# %% tags=["check"]
check.lost_share(lost)

# %% [markdown]
# ### All twenty choices
#
# Three of the six shall stay. There are 20 ways to choose them, so no rule has to be believed: try all.
#
# **Predict.** Keep the three with the largest L1 norm of their filters. In how many of the other 19 ways are more digits
# right?


# %% tags=["answer"]
guess = ...  # how many of the other 19 ways leave more digits right?
gram = parts.T @ parts  # the parts' inner products


def lost_share(kept):
    """Return how much of conv2's output goes if only these channels stay."""
    cut = [number for number in range(6) if number not in kept]
    return gram[np.ix_(cut, cut)].sum() / gram.sum()


def keeping(kept):
    """Make the mask that keeps these channels of conv1, and everything behind."""
    return pv.Mask({"conv1": np.isin(np.arange(6), kept)}, "channel")


def right(network):
    """Count right validation images."""
    return pv.scorecard(network, validation).correct


options = {"example": shown[:1], "criterion": "magnitude"}
at_producer = pv.importance(lenet, granularity="filter", **options)["conv1"]
at_reader = pv.importance(lenet, granularity="channel", **options)["conv1"]
in_sum = whole @ parts / np.square(whole).sum()  # each part's share of the sum's square
triples = [list(three) for three in combinations(range(6), 3)]
left = [right(pv.apply(lenet, keeping(three), shown[:1])) for three in triples]
gone = [lost_share(three) for three in triples]
choices = {
    "L1 of the filters": sorted(map(int, np.argsort(at_producer)[3:])),
    "L1 of what reads them": sorted(map(int, np.argsort(at_reader)[3:])),
    "share of the sum": sorted(map(int, np.argsort(in_sum)[3:])),
}
figure = Figure(figsize=(7.5, 3.4), layout="constrained")
ax = figure.subplots()
dots = {"s": 28, "facecolor": style.PAPER, "edgecolor": style.QUIET, "zorder": 3}
ax.scatter(gone, left, label=f"the {len(triples)} choices", **dots)
for (name, three), (colour, mark, _) in zip(choices.items(), style.SERIES[1:], strict=False):
    place = triples.index(three)
    ax.scatter(gone[place], left[place], s=70, marker=mark, color=colour, label=name, zorder=4)
    print(f"{name:22} keeps {three}: {gone[place]:.0%} of the output lost, {left[place]:,} right")
ax.set(xlabel="share of conv2's output that is lost", ylabel="right of 5,000")
ax.xaxis.set_major_formatter(style.PERCENT_TICKS)
ax.grid(color=style.GRID)
ax.legend(loc="center left", bbox_to_anchor=(1, 0.5), frameon=False)
pv.teaching.show(
    figure,
    alt=f"{len(triples)} dots: for each choice of three channels, the share of conv2's output "
    "that is lost, and how many digits are still right. The choice by share of the sum loses "
    "least.",
)
best = int(np.argmax(left))
print(f"least lost: {triples[int(np.argmin(gone))]}; most right: {triples[best]}, {left[best]:,}")
by_l1 = left[triples.index(choices["L1 of the filters"])]
pv.teaching.compare(guess, sum(count > by_l1 for count in left), f"of {len(triples) - 1} ways")

# %% [markdown]
# Where do the norms choose otherwise? Print, for each channel, the norms and what arrives.

# %%
maps = np.asarray(read) if FRAMEWORK == "keras" else read.numpy().transpose(0, 2, 3, 1)
pv.teaching.table(
    ["channel", "L1, filter", "L1, reader", "mean of its map", "map not zero", "share of the sum"],
    [
        [
            str(number),
            f"{at_producer[number]:.2f}",
            f"{at_reader[number]:.2f}",
            f"{maps[..., number].mean():.3f}",
            f"{(maps[..., number] > 0).mean():.0%}",
            f"{in_sum[number]:.1%}",
        ]
        for number in np.argsort(-in_sum)
    ],
)

# %% [markdown]
# **Explain.** The weights that read channel 1 are the largest of all, and its map is the darkest: large weights meet
# little, and little is what it adds. Channel 4 has a larger norm than channel 2, and half its share. A norm has seen no
# image. But look at the dots again: among choices that lose about half of the output, some leave twice as many digits
# right as others. What is counted here is *one layer's output*, not digits.
#
# **What would have shown us wrong?** Shares in the order of the norms.

# %% [markdown]
# ## The LASSO
#
# Twenty choices can be tried; of 64 channels there are too many. He, Zhang and Sun (2017) give each part a factor
# $\beta_i$ and let the **LASSO** choose the factors:
#
# $$\min_\beta \; \tfrac12 \left\| Y - \sum_i \beta_i X_i W_i \right\|^2 + \lambda \sum_i |\beta_i|$$
#
# $Y$ is the output, $X_i W_i$ the part of channel $i$, and each factor costs $\lambda$ times its size, also the first step
# away from zero: what helps little stays at exactly zero. Lower $\lambda$, and the parts enter one after the other. This
# order is a ranking.
#
# **Predict.** Add a seventh part that repeats channel 5, only weaker: 0.8 times. What factor does it get in the end?

# %% tags=["answer"]
guess = ...  # the factor of the copy, from 0 to 1
from sklearn.linear_model import lars_path

seven = np.column_stack([parts, 0.8 * parts[:, 5]])
_, _, factors = lars_path(seven, seven.sum(axis=1), method="lasso")
sizes = np.abs(seven).sum(axis=0)
rank = int(np.sum(sizes > sizes[6]))
copy_ends, twin_ends = factors[6, -1], factors[5, -1]
print(f"by the size of its part the copy is number {rank + 1} of seven")
print(f"at the end of the path: factor of channel 5 {twin_ends:.2f}, of the copy {copy_ends:.2f}")

prices, _, factors = lars_path(parts, whole, method="lasso")
prices = prices * len(whole) / np.square(whole).sum()  # as a share of what there is to explain
enters = np.array([prices[max(np.argmax(row != 0) - 1, 0)] for row in factors])
lasso_order = [int(number) for number in np.argsort(enters)]
figure = Figure(figsize=(7.5, 3), layout="constrained")
ax = figure.subplots()
looks = zip(factors, style.SERIES, strict=False)
for number, (row, (colour, mark, line)) in enumerate(looks):
    words = {"color": colour, "marker": mark, "linestyle": line, "markersize": 5}
    ax.plot(prices, row, label=f"channel {number}", **words)
ax.set(xlabel="price λ, as a share of the output's square", ylabel="factor β")
ax.invert_xaxis()
ax.grid(color=style.GRID)
ax.legend(loc="upper left", ncols=2, frameon=False, fontsize=style.SMALL)
pv.teaching.show(
    figure,
    alt="The factors of the six channels against the price. All begin at zero where the price is "
    "high; one after the other leaves zero as the price falls; without a price all are one.",
)
print("the six enter in this order:", *lasso_order[::-1])
pv.teaching.compare(guess, float(abs(copy_ends)), "is the copy's factor")

# %% [markdown]
# **Explain.** The copy never enters: whatever it could add, channel 5 adds already, with a larger factor. A ranking by the
# size of the part keeps both as soon as it keeps four.
#
# **What would have shown us wrong?** A copy with a factor of its own.

# %% [markdown]
# ## Refit, by hand
#
# Choosing is half of the method. The other half: the layer that reads what is left is fitted anew by least squares, so
# that it comes as near as it can to what it gave before. That takes images, but no labels and no gradients. All that
# `conv2` sees of the kept channels is unfolded into rows, one for each position; the weights that are left are the unknowns.
#
# **Predict.** Three channels are kept by the LASSO. How many of 5,000 digits are right after the refit?

# %% tags=["pytorch"]
three = sorted(lasso_order[3:])
with torch.no_grad():
    received = lenet[:3](tensor(seen))
    columns = F.unfold(received[:, three], 5).transpose(1, 2).reshape(-1, 3 * 25)
    target = F.conv2d(received, lenet.conv2.weight).flatten(2).transpose(1, 2).reshape(-1, 16)
    solution = torch.linalg.lstsq(columns, target).solution  # (75, 16)
    by_hand = copy.deepcopy(lenet)
    by_hand.conv2.weight.zero_()
    by_hand.conv2.weight[:, three] = solution.T.reshape(16, 3, 5, 5)

# %% tags=["tensorflow"]
three = sorted(lasso_order[3:])
received = probe.predict(seen / np.float32(255), verbose=0)
ones = [1, 1, 1, 1]
columns = tf.image.extract_patches(received[..., three], [1, 5, 5, 1], ones, ones, "VALID")
target = tf.reshape(tf.nn.conv2d(received, kernel, 1, "VALID"), (-1, 16))
solution, *_ = np.linalg.lstsq(tf.reshape(columns, (-1, 5 * 5 * 3)), target, rcond=None)
by_hand = keras.models.clone_model(lenet)
by_hand.set_weights(lenet.get_weights())
weights, bias = by_hand.get_layer("conv2").get_weights()
weights[...] = 0
weights[:, :, three] = solution.reshape(5, 5, 3, 16)
by_hand.get_layer("conv2").set_weights([weights, bias])

# %% tags=["answer"]
guess = ...  # how many of the 5,000 digits after the refit?
masked = pv.apply(lenet, keeping(three), shown[:1])
rows, wanted = np.asarray(columns).reshape(-1, 75), np.asarray(target)
error = np.square(rows @ np.asarray(solution) - wanted).sum()
print(f"lost of the output: masked {lost_share(three):.1%}, ", end="")
print(f"refitted {error / np.square(wanted).sum():.1%}")
counted = right(by_hand)
print(f"right of 5,000: masked {right(masked):,}, refitted by hand {counted:,}, ", end="")
print(f"by pv.reconstruct {right(pv.reconstruct(lenet, keeping(three), seen)):,}")
pv.teaching.compare(guess, counted, "digits right")

# %% [markdown]
# **Explain.** `conv2` has 5 × 5 weights for each channel and filter, and puts together from three channels most of what all
# six gave. `pv.reconstruct` does the same, for the bias too, and for one reader after the other.
#
# **What would have shown us wrong?** As much of the output lost after the refit as before.

# %% [markdown]
# ## A fair comparison
#
# So is LASSO the better rule? "LASSO and refitting" against "magnitude" changes two things at once. He and others knew
# that, and refitted for every rule that they compared. Do the same: half of the channels of *every* layer, by three
# rules, each masked, and each refitted. About 20 s.
#
# **Predict.** Channels chosen at random and refitted, against the LASSO's choice without refitting: how many of 5,000 digits
# more?

# %% tags=["answer"]
guess = ...  # how many digits more has random, refitted?
rows, halves = [], {}
for criterion in ("magnitude", "reconstruction", "random"):
    halves[criterion] = mask = pv.prune(lenet, 0.5, criterion=criterion, **by_images)
    rows.append([criterion, right(pv.apply(lenet, mask)), right(pv.reconstruct(lenet, mask, seen))])
pv.teaching.table(["chosen by", "masked", "refitted"], rows)
pv.teaching.compare(guess, rows[2][2] - rows[1][1], "digits more")

# %% [markdown]
# One network and one share prove little. The stored study has three networks from three seeds, three shares, and goes on:
# an epoch of fine-tuning with labels.
#
# **Predict.** 70% cut and refitted: how many of 5,000 digits does the LASSO keep more than random, in the middle?

# %% tags=["answer"]
guess = ...  # how many digits more, LASSO against random, at 70% and refitted?
stored = pv.teaching.results("channels")
RULES = {"magnitude": "L1", "reconstruction": "LASSO", "random": "random"}


def show_ways(result, ways, alt):
    """Draw errors by share, a panel for each treatment: the middle, and worst to best."""
    figure = Figure(figsize=(9.5, 3.1), layout="constrained")
    for ax, way in zip(figure.subplots(1, len(ways), sharey=True), ways, strict=True):
        looks = zip(result[way].items(), style.SERIES, strict=False)
        for k, ((criterion, counts), (colour, mark, line)) in enumerate(looks):
            wrong = stored["images"] - np.sort(np.array(counts), axis=0)
            middle, place = wrong[len(wrong) // 2], np.arange(3) + 0.08 * (k - 1)
            spread = np.abs(wrong[[-1, 0]] - middle)
            words = {"color": colour, "marker": mark, "linestyle": line, "capsize": 3}
            ax.errorbar(place, middle, spread, label=RULES[criterion], markersize=5, **words)
        ax.set(yscale="log", title=way)
        ax.set_xticks(range(3), [f"{share:.0%}" for share in stored["shares"]])
        ax.set_yticks([50, 100, 200, 500, 1000, 2000, 4000])
        ax.yaxis.set_major_formatter(style.GROUPED_TICKS)
        ax.minorticks_off()
        ax.grid(color=style.GRID)
    figure.axes[0].set_ylabel(f"wrong of {stored['images']:,}")
    figure.axes[0].legend(loc="lower right", frameon=False)
    figure.supxlabel("channels of every layer cut", fontsize=style.FONT)
    pv.teaching.show(figure, alt=alt)


ways = ("masked", "refitted", "masked, then an epoch", "refitted, then an epoch")
show_ways(
    stored["lenet_5"],
    ways,
    "Errors on a logarithmic scale against the share of channels cut, four treatments, three "
    "rules. Masked, all rules have hundreds to thousands of errors; refitted, an order of "
    "magnitude fewer, and the rules lie close together up to half.",
)
middle = {rule: sorted(row[2] for row in stored["lenet_5"]["refitted"][rule])[1] for rule in RULES}
rows = [
    [
        f"{way}, {RULES[rule]}",
        *(" ".join(map("{:,}".format, at)) for at in zip(*counts, strict=True)),
    ]
    for way in ways[:2]
    for rule, counts in stored["lenet_5"][way].items()
]
header = ["right: three networks", *(f"{share:.0%} cut" for share in stored["shares"])]
pv.teaching.table(header, rows)
print("70% cut, refitted:", ", ".join(f"{RULES[rule]} {count:,}" for rule, count in middle.items()))
pv.teaching.compare(guess, middle["reconstruction"] - middle["random"], "digits more")

# %% [markdown]
# **Explain.** *Masked*, the LASSO is ahead of L1 in every network, if with ranges that overlap. *Refitted*, random channels
# beat the LASSO's best choice without refitting, at all three shares. At 50% the rules lie within dozens of digits, the
# LASSO first in all three networks; at 70% the LASSO's worst network is above the best of the others. So most of what is
# called the success of the method is its second step, which works for all three rules.
#
# **What would have shown us wrong?** Random channels, refitted, below the LASSO's, masked.
#
# The method was made for deep networks. ResNet-20 on CIFAR-10, from the same file, nothing trained; between the two
# treatments stands **recalibrated**: BatchNorm's statistics estimated anew.
#
# **Predict.** Half of the channels, refitted: how many of 5,000 photographs are right? Guessing gets 500.

# %% tags=["answer"]
guess = ...  # how many of the 5,000 photographs, half cut and refitted?
show_ways(
    stored["resnet_20"],
    ("masked", "recalibrated", "refitted"),
    "ResNet-20: errors against the share of channels cut, three treatments, L1 and LASSO. "
    "Refitting has fewest errors, and there the two rules are level.",
)
half = {rule: row[0][1] for rule, row in stored["resnet_20"]["refitted"].items()}
print("half cut, refitted:", ", ".join(f"{RULES[rule]} {count:,}" for rule, count in half.items()))
pv.teaching.compare(guess, half["reconstruction"], "photographs right")

# %% [markdown]
# **Explain.** With refitting the two rules are level: each is ahead somewhere, by fewer than a hundred images, and one
# network cannot settle that. And four in ten answers are wrong: a deep network cut so deep has to be fine-tuned.
#
# **What would have shown us wrong?** One rule ahead by hundreds after refitting.
#
# ### Exercise 2 · Seventy per cent, no labels
#
# Of the 226 units of this network at most 67 may stay; spread them over the layers as you like, by any rule.
# `pv.reconstruct` refits them with 2,000 images, and no label. Reach 4,900 of 5,000 right.

# %%
print({name: len(kept) for name, kept in halves["magnitude"].items()})
print("at most 67 units, at least 4,900 right")


# %% tags=["exercise"]
# solution: mine = ...  # a mask: pv.prune(lenet, scope={"conv1": ...}, criterion=..., **by_images)
own_shares = {"conv1": 0.16, "conv2": 0.19, "fc1": 0.75, "fc2": 0.77}
words = {**by_images, "scope": own_shares}
mine = pv.prune(lenet, criterion="reconstruction", **words)
# end of solution

# %% tags=["check"]
check.few_and_right(mine, refitted=lambda mask: right(pv.reconstruct(lenet, mask, seen)))

# %% [markdown]
# ## Ask the training
#
# Every rule so far looks at a network that was trained without a thought of pruning. *Network slimming* (Liu and others,
# 2017) begins earlier. BatchNorm ends with a scale for each channel, $z_c = \gamma_c \hat x_c + \beta_c$, and slimming
# adds the LASSO's price to the loss while it trains: $\lambda \sum_c |\gamma_c|$. A scale that does not earn its
# price ends at zero. Then the channels with the smallest scales are cut: criterion `"bn_scale"`.
#
# To save time, start from the trained `lenet_5_bn`, and fine-tune with a high learning rate: two short epochs with the
# price, and two without, as a control. About 20 s.

# %% tags=["fold", "pytorch"]
pictures, answers = tensor(mnist.train[0][:25_000]), torch.tensor(mnist.train[1][:25_000])


def fine_tuned(price, epochs=2, rate=0.1):
    """Fine-tune lenet_5_bn, with a price on the scales of BatchNorm."""
    torch.manual_seed(0)
    network = pv.zoo.lenet_5_bn(FRAMEWORK).train()
    scales = [network.bn1.weight, network.bn2.weight]
    batches = [rows for _ in range(epochs) for rows in torch.randperm(len(pictures)).split(256)]
    optimizer = torch.optim.SGD(network.parameters(), lr=rate, momentum=0.9)
    falling = torch.optim.lr_scheduler.LinearLR(optimizer, 1, 0, total_iters=len(batches))
    for rows in batches:
        loss = F.cross_entropy(network(pictures[rows]), answers[rows])
        loss = loss + price * sum(scale.abs().sum() for scale in scales)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        falling.step()
    return network.eval()


def scales_of(network):
    """The scales of both BatchNorms, by size."""
    return [np.abs(norm.weight.detach().numpy()) for norm in (network.bn1, network.bn2)]


# %% tags=["fold", "tensorflow"]
pictures, answers = tf.constant(mnist.train[0][:25_000]), tf.constant(mnist.train[1][:25_000])


def pick(rows):
    """Take a batch: pixels in [0, 1], and labels."""
    return tf.cast(tf.gather(pictures, rows), tf.float32) / 255, tf.gather(answers, rows)


batches = tf.data.Dataset.range(len(answers)).shuffle(len(answers), seed=0).batch(256).map(pick)


def fine_tuned(price, epochs=2, rate=0.1):
    """Fine-tune lenet_5_bn, with a price on the scales of BatchNorm."""
    keras.utils.set_random_seed(0)

    def priced(layer):
        config = layer.get_config()
        if isinstance(layer, keras.layers.BatchNormalization):
            config["gamma_regularizer"] = keras.regularizers.L1(price)
        return type(layer).from_config(config)

    trained = pv.zoo.lenet_5_bn(FRAMEWORK)
    network = keras.models.clone_model(trained, clone_function=priced)
    network.set_weights(trained.get_weights())
    falling = keras.optimizers.schedules.PolynomialDecay(rate, epochs * len(batches), 0.0)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile(keras.optimizers.SGD(falling, momentum=0.9), loss=loss)
    network.fit(batches, epochs=epochs, shuffle=False, verbose=0)
    return network


def scales_of(network):
    """The scales of both BatchNorms, by size."""
    return [np.abs(network.get_layer(name).gamma.numpy()) for name in ("bn1", "bn2")]


# %% tags=["trains"]
plain = fine_tuned(price=0.0)

# %% tags=["trains"]
slim = fine_tuned(price=0.05)

# %% [markdown]
# **Predict.** How many of the 22 scales of the network with the price are below 0.02?

# %% tags=["answer", "trains"]
guess = ...  # how many of 22 scales?
both = {"no price": plain, "price 0.05": slim}
figure = Figure(figsize=(8, 2.8), layout="constrained")
largest = max(scale.max() for network in both.values() for scale in scales_of(network))
axes = figure.subplots(1, 2, sharex=True, sharey=True)
for ax, (title, network) in zip(axes, both.items(), strict=True):
    bins = np.arange(0, largest + 0.05, 0.05)  # no scale lies outside
    look = {"color": [style.GRID, style.SERIES[2][0]], "edgecolor": style.INK, "linewidth": 0.6}
    ax.hist(scales_of(network), bins=bins, stacked=True, **look)
    ax.set(title=title, xlabel="scale |γ|")
    every = np.concatenate(scales_of(network))
    print(f"{title:11} scales from {every.min():.1f} to {every.max():.1f}, ", end="")
    print(f"{(every < 0.02).sum()} below 0.02; {pv.scorecard(network, validation).correct:,} right")
axes[0].set_ylabel("channels")
axes[1].legend(["bn1, 6 channels", "bn2, 16 channels"], loc="upper right", frameon=False)
pv.teaching.show(
    figure,
    alt=f"Two histograms of the {len(every)} scales. Without a price they stand close together "
    "near one. With a price they are spread out, most of them small, and some are at zero.",
)
pv.teaching.compare(guess, int((np.concatenate(scales_of(slim)) < 0.02).sum()), "scales below 0.02")

# %% [markdown]
# **Measure.** The price spread the scales, and it was paid before any cut, in errors.
#
# **Predict.** Now cut 20% of the filters, smallest scales first. How many thousand of the 5,000 does the network *without* a
# price keep right?

# %% tags=["answer", "trains"]
guess = ...  # how many thousand of the 5 thousand digits, no price, 20% cut?
shares = (0, 0.1, 0.2, 0.3, 0.4, 0.5)
figure = Figure(figsize=(6.5, 3), layout="constrained")
ax = figure.subplots()
words = {"granularity": "filter", "criterion": "bn_scale", "keep_at_least": 1, "progress": False}
counts = {}
for (title, network), (colour, mark, line) in zip(both.items(), style.SERIES, strict=False):
    counts[title] = [card.correct for card in pv.sweep(network, validation, shares, **words)]
    ax.plot(shares, counts[title], color=colour, marker=mark, linestyle=line, label=title)
    at_20, before = counts[title][2] / 1000, counts[title][0] / 1000
    print(f"{title:11} 20% cut: {at_20:.1f} thousand right, {before:.1f} before")
ax.set(xlabel="filters cut, smallest scales first", ylabel="right of 5,000", ylim=(0, 5_200))
ax.xaxis.set_major_formatter(style.PERCENT_TICKS)
ax.grid(color=style.GRID)
ax.legend(loc="lower left", frameon=False)
pv.teaching.show(
    figure,
    alt="Right answers against the share of filters cut, smallest scales first, nothing trained "
    "afterwards. The network that was trained with a price holds longer.",
)
pv.teaching.compare(guess, round(counts["no price"][2] / 1000, 1), "thousand digits right")

# %% [markdown]
# **Explain.** The two networks differ in the price alone, so it is the price that makes the first cuts cheaper. But small is
# not zero: cut on, and the cut runs through channels that work. Look at the histogram first. And one training is one
# training: the upper line holds further on one track of this lesson than on the other.
#
# **What would have shown us wrong?** Both lines falling alike at 20%.
#
# Small compared with what? Divide all of `bn1`'s scales and shifts by ten and multiply the weights of `conv2` by ten: the
# network computes what it did.

# %% tags=["pytorch"]
twin = pv.zoo.lenet_5_bn(FRAMEWORK)
before = pv.scorecard(twin, validation)
with torch.no_grad():
    twin.bn1.weight /= 10
    twin.bn1.bias /= 10
    twin.conv2.weight *= 10

# %% tags=["tensorflow"]
twin = pv.zoo.lenet_5_bn(FRAMEWORK)
before = pv.scorecard(twin, validation)
norm, reader = twin.get_layer("bn1"), twin.get_layer("conv2")
for array, factor in ((norm.gamma, 0.1), (norm.beta, 0.1), (reader.kernel, 10)):
    array.assign(factor * array)

# %%
one, two = scales_of(twin)
print("answers changed:", pv.scorecard(twin, validation).versus(before).changed)
print(f"bn1's largest scale {one.max():.2f}, bn2's smallest {two.min():.2f}")

# %% [markdown]
# Every channel of `conv1` now has a smaller scale than any of `conv2`. So compare scales within a layer.
# (`scope="global"` divides by the layer's mean first, for this reason.)
#
# ### Exercise 3 · What is it worth?
#
# An open one. Half of the filters are to go, smallest scales first, with no training afterwards; BatchNorm is
# recalibrated (lesson 04a), which needs no label. `halved` does both, and counts. Which price is worth it? Too low a price
# leaves no gap to cut in; too high a price is paid before the cut. Make `mine`, a dict with a `price`, and `epochs` (at
# most four) and `rate` if you like: the check trains by it, in ten seconds or so. At least 4,700 of 5,000 digits have to
# be right.


# %%
def halved(network):
    """Cut half of the filters by their scales, recalibrate, and count right digits."""
    cut = {"granularity": "filter", "criterion": "bn_scale", "keep_at_least": 1}
    mask = pv.prune(network, 0.5, example=shown[:1], **cut)
    return right(pv.recalibrate(pv.apply(network, mask, shown[:1]), seen))


# %% tags=["exercise"]
# solution: mine = ...  # a dict such as {"price": 0.05, "epochs": 2, "rate": 0.1}, with other values
mine = {"price": 0.1, "epochs": 3}
# end of solution

# %% tags=["check"]
check.worth_its_price(mine, at_least=4_700, fine_tuned=fine_tuned, right=right, halved=halved)

# %% [markdown]
# ## The report
#
# Now the test images, once. Nothing was trained, so the control is the dense network, and the same refit of random channels.

# %%
reported = {
    "dense": lenet,
    "half of the channels, LASSO, refitted": pv.reconstruct(lenet, halves["reconstruction"], seen),
    "half of the channels, random, refitted": pv.reconstruct(lenet, halves["random"], seen),
}
for name, network in reported.items():
    card = pv.scorecard(network, test)
    low, high = card.interval
    print(f"{name:38} {card.correct:5,} of {card.n:,}, 95% interval {low:.1%} to {high:.1%}")

# %% [markdown]
# ## Now yours
#
# Half of the channels that your network's last convolution reads: ranked by their share of its sum, the rest refitted by
# least squares. No label is used, but for counting. Lesson 03 shows how to take the filters out that made them.

# %% tags=["pytorch", "yours"]
model = pv.zoo.lenet_5("torch")  # put your model and data here
x, y = tensor(seen), torch.tensor(mnist.train[1][:2_000])

import copy
import torch

SHARE = 0.5
thin = copy.deepcopy(model).eval()
reader = [layer for layer in thin.modules() if isinstance(layer, torch.nn.Conv2d)][-1]
rows, n, area = [], reader.in_channels, reader.weight[0, 0].numel()
window = {"stride": reader.stride, "padding": reader.padding, "dilation": reader.dilation}
unfold = torch.nn.Unfold(reader.kernel_size, **window)
hook = reader.register_forward_pre_hook(lambda _, given: rows.append(unfold(given[0])))
with torch.no_grad():
    before = (thin(x).argmax(1) == y).float().mean()
    hook.remove()
    columns = rows[0].transpose(1, 2).reshape(-1, n, area)
    weights = reader.weight.reshape(-1, n, area)
    parts = torch.einsum("rna,ona->nro", columns, weights)
    order = (parts * parts.sum(0)).sum((1, 2)).argsort(descending=True)
    keep = order[: n - round(SHARE * n)]
    kept = columns[:, keep].flatten(1)
    solution = torch.linalg.lstsq(kept, parts.sum(0)).solution.T.reshape(-1, len(keep), area)
    weights = torch.zeros_like(weights).index_copy(1, keep, solution)
    reader.weight.copy_(weights.reshape(reader.weight.shape))
    after = (thin(x).argmax(1) == y).float().mean()
print(f"{n - len(keep)} of {n} channels cut: {before:.1%} right before, {after:.1%} refitted")

# %% tags=["tensorflow", "yours"]
model = pv.zoo.lenet_5("keras")  # put your model and data here
x, y = seen / np.float32(255), mnist.train[1][:2_000]

import keras
import numpy as np

SHARE = 0.5
thin = keras.models.clone_model(model)
thin.set_weights(model.get_weights())
reader = [layer for layer in thin.layers if isinstance(layer, keras.layers.Conv2D)][-1]
before = np.mean(model.predict(x, verbose=0).argmax(1) == y)
received = keras.Model(thin.inputs, reader.input).predict(x, verbose=0)
height, width, n, out = reader.kernel.shape
window = (height, width), reader.strides, reader.dilation_rate, reader.padding
columns = np.reshape(keras.ops.image.extract_patches(received, *window), (-1, height * width, n))
weights = reader.kernel.numpy().reshape(-1, n, out)
parts = np.einsum("ran,ano->nro", columns, weights)
order = np.argsort(-(parts * parts.sum(0)).sum((1, 2)))
keep = order[: n - round(SHARE * n)]
kept = columns[:, :, keep].reshape(len(columns), -1)
solution, *_ = np.linalg.lstsq(kept, parts.sum(0), rcond=None)
weights = np.zeros_like(weights)
weights[:, keep] = solution.reshape(-1, len(keep), out)
reader.kernel.assign(weights.reshape(reader.kernel.shape))
after = np.mean(thin.predict(x, verbose=0).argmax(1) == y)
print(f"{n - len(keep)} of {n} channels cut: {before:.1%} right before, {after:.1%} refitted")

# %% [markdown]
# ## Quiz
#
# Open the option that you would choose. It says whether it is right, and why.

# %% [markdown] tags=["quiz"]
# LASSO and least squares, as used here, make something small. What?
# - [x] The change of the next layer's output.
#   why: The next layer is asked what it can do without, and is then fitted to give what it gave before. No label is
#   looked at.
# - [ ] The number of errors.
#   why: That is the goal, but the method never sees a label. A small change of one layer's output usually means few
#   new errors; the 20 dots show how far that holds.
# - [ ] The norm of the filters that are cut.
#   why: That is magnitude. A small filter may be one that the next layer relies on.

# %% [markdown] tags=["quiz"]
# A table compares "LASSO, refitted" with "magnitude, masked", and LASSO wins by far. What has been shown?
# - [ ] LASSO chooses better channels.
#   why: Two things differ. Perhaps the refitting did it all.
# - [x] That the pair of choosing and refitting is better; not which of the two it was.
#   why: Give magnitude the same refitting, and compare again. In this lesson that changed the picture.
# - [ ] Nothing: one network is never enough.
#   why: More networks are better, but they would not separate the two steps either.

# %% [markdown] tags=["quiz"]
# All scales of a BatchNorm are a hundredth; another BatchNorm of the network has scales near 1. Should the first one's
# channels go?
# - [ ] Yes, they are a hundred times less important.
#   why: The layer behind them may have weights a hundred times as large, or a BatchNorm that divides by their
#   spread. Then nothing is small in the end.
# - [x] That cannot be said. Compare scales within a layer.
#   why: What one layer makes small the next can make large again. Within a layer all channels meet the same reader.
# - [ ] No: BatchNorm's scales say nothing at all.
#   why: Trained with a price on them, the small ones of a layer are those that earn little. Without a price they say
#   less.

# %% [markdown]
# ## The question people really ask
#
# *"I trained with the penalty and pruned half of the channels by their scales. The accuracy fell to almost nothing.
# I plotted the scales, and they are not sparse at all. Is that normal?"* ([Eric-mingjie/rethinking-network-pruning,
# thread 17](https://github.com/Eric-mingjie/rethinking-network-pruning/issues/17))
#
# It is common. A penalty makes scales small; only a price that is high enough, for long enough, makes some of them
# zero.
#
# - Plot the scales first, as you did here. If there is no gap between small and large ones, a cut at half goes
#   through channels that work.
# - Raise the price, train longer, or cut less. Keep an eye on the accuracy before the cut: the price is paid there.
# - Compare within layers, recalibrate BatchNorm, and fine-tune after the cut. The authors did the last as well.

# %% [markdown]
# ## Recap
#
# - The next layer's output is a sum of parts, one for each channel. The LASSO finds which parts can make up for the
#   others.
# - Least squares refit the layer that reads them, without a label. Give every rule the same second step, and try several
#   networks, before you call one rule better.
# - A price on BatchNorm's scales makes training itself choose. Small is not zero, and small compared with another
#   layer says nothing.

# %% [markdown]
# ## Further reading
#
# - Y. He, X. Zhang and J. Sun. Channel Pruning for Accelerating Very Deep Neural Networks. *IEEE International
#   Conference on Computer Vision*, 2017. [arXiv:1707.06168](https://arxiv.org/abs/1707.06168). LASSO, then least
#   squares.
# - R. Tibshirani. Regression Shrinkage and Selection via the Lasso. *Journal of the Royal Statistical Society,
#   Series B*, 58(1), 1996.
# - Z. Liu, J. Li, Z. Shen, G. Huang, S. Yan and C. Zhang. Learning Efficient Convolutional Networks through Network
#   Slimming. *IEEE International Conference on Computer Vision*, 2017.
#   [arXiv:1708.06519](https://arxiv.org/abs/1708.06519).
# - C. Louizos, M. Welling and D. P. Kingma. Learning Sparse Neural Networks through L0 Regularization.
#   *International Conference on Learning Representations*, 2018.
#   [arXiv:1712.01312](https://arxiv.org/abs/1712.01312). Masks that are learned.
# - Z. Liu, M. Sun, T. Zhou, G. Huang and T. Darrell. Rethinking the Value of Network Pruning. *International
#   Conference on Learning Representations*, 2019. [arXiv:1810.05270](https://arxiv.org/abs/1810.05270). What
#   fine-tuning makes of the choice.
