# %% [markdown]
# # 03 · Filter pruning
#
# A convolution uses each of its few weights a hundred times or more. This is where LeNet-5 does most of its
# multiplications. What you cut here is a whole **filter**, with all its weights. Can you tell which ones a
# network can spare, by looking at them or by a rule? And does the network get faster?

# %% tags=["pytorch", "fold"]
import copy

import numpy as np
import torch
from matplotlib.figure import Figure
from torch.nn import functional as F

import pruneviz as pv
from pruneviz.plots import style

pv.teaching.start("pytorch")
FRAMEWORK = "torch"
mnist = pv.datasets.mnist()
validation, test = mnist.validation, mnist.test
images, labels = validation
scored_on = mnist.train[0][:10_000], mnist.train[1][:10_000]

model = pv.zoo.lenet_5(FRAMEWORK)
dense = pv.scorecard(model, validation, name="dense")
print(f"{dense.parameters:,} parameters, {dense.correct:,} of {dense.n:,} validation images right")

# %% tags=["tensorflow", "fold"]
import pruneviz as pv

pv.teaching.start("tensorflow")

import keras
import numpy as np
import tensorflow as tf
from matplotlib.figure import Figure

from pruneviz.plots import style

FRAMEWORK = "keras"
tf.get_logger().setLevel("ERROR")  # TensorFlow warns when many models are run in turn
mnist = pv.datasets.mnist()
validation, test = mnist.validation, mnist.test
images, labels = validation
scored_on = mnist.train[0][:10_000], mnist.train[1][:10_000]

model = pv.zoo.lenet_5(FRAMEWORK)
dense = pv.scorecard(model, validation, name="dense")
print(f"{dense.parameters:,} parameters, {dense.correct:,} of {dense.n:,} validation images right")

# %% [markdown]
# **Predict.** This is LeNet-5. Its two convolutions have 6 and 16 filters. Those with the smallest weights go
# first, the same share of both. At which share do fewer than 96% of the digits come out right? Set your mark in
# the view, and the curve appears.
#
# **Touch.** Drag the slider. Click a filter to cut it, or to bring it back. Find three of `conv1` that cost
# little together.

# %%
view = pv.explore(
    model,
    validation,
    granularity="filter",
    scored_on=scored_on,
    scope="layer",
    target=0.96,
    show=["slider", "filters", "accuracy", "scorecard"],
    title="LeNet-5 · filters",
)
view

# %% tags=["drive"]
# The view, moved from code.
view.sparsity = 0.0
view.by_hand = {"conv1": {"cut": [0, 5]}}
await view.measured()
print(f"without filters 0 and 5 of conv1: {view.card.correct:,} right")
view.by_hand, view.sparsity = {}, 0.5
await view.measured()
half = view.result()
print(view.sentence())

# %% tags=["answer"]
guess = view.mark  # your guess in the view
fell = min(share for share, right in view.curve if right < 0.96 * view.n)
pv.teaching.compare(guess, fell, "of the filters", share=True)

curve = {share: [right / view.n] for share, right in sorted(view.curve)}
ax = pv.plot_tradeoff(curve, reference=dense, title="LeNet-5: the smallest filters first")
ax.axvline(fell, color=style.PRUNED_EDGE, label="below 96%")
if guess is not None:
    ax.axvline(guess, color=style.KEPT, linestyle=":", label="your guess")
pv.teaching.show(ax)

# %% [markdown]
# ## What you will learn
#
# ![The map of the course; lit are filter, magnitude, gradient, random, activity, its layer, at once.](../map/03.svg)
#
# - To tell **kernel**, **filter**, **channel** and **feature map** apart, and to count what a convolution costs.
# - To test a ranking of filters, and the reason that is given for it: both are hypotheses.
# - What a filter still sends when its weights are zero, and what BatchNorm has to do with it.
# - To take filters out, to prove that nothing else changed, and to say how much faster the rest is.
#
# **Before you start.** You have done lesson 01a: mask, magnitude, lost and won. Lesson 02b helps: what it does with
# neurons you do here with filters.
#
# **Time.** 35 minutes, and 25 for the exercises.

# %% [markdown] tags=["pytorch"]
# This is the PyTorch track. The same lesson for Keras is [on the other
# track](../tensorflow/03_filter_pruning.ipynb); the [first lesson](../00_start_here.ipynb) explains the words.

# %% [markdown] tags=["tensorflow"]
# This is the TensorFlow track, written with Keras 3. The same lesson for PyTorch is [on the other
# track](../pytorch/03_filter_pruning.ipynb); the [first lesson](../00_start_here.ipynb) explains the words.

# %% [markdown]
# ## Kernel, filter, channel, feature map
#
# Four parts of one picture. Here is `conv2`.

# %% tags=["fold"]
from matplotlib.patches import Rectangle

figure = Figure(figsize=(8, 3.6), layout="constrained")
ax = figure.subplots()
ax.set(xlim=(0, 100), ylim=(0, 45), aspect="equal")
ax.axis("off")


def pile(left, bottom, size, count, last=None):
    """Draw a pile of squares; the last one can have a colour of its own."""
    for step in reversed(range(count)):
        colour = last if last and step == 0 else style.PAPER
        place = left + 1.1 * step, bottom + 1.1 * step
        look = {"facecolor": colour, "edgecolor": style.INK, "linewidth": 0.9}
        ax.add_patch(Rectangle(place, size, size, **look))


def say(x, y, text, **options):
    """Write below or above a pile."""
    ax.text(x, y, text, ha="center", fontsize=style.SMALL, color=style.INK, **options)


pale = "#9db8d9"
pile(4, 14, 14, 6)
say(14, 36, "6 channels come in\n14 × 14 each", va="bottom")
for row, bottom in enumerate((29.5, 17, 2)):
    pile(42, bottom, 4.5, 6, pale if row == 0 else None)
say(47, 13.8, "…", va="center")
say(48, 41.5, "16 filters, each of 6 kernels", va="bottom")
say(31.5, 30.6, "one kernel\n5 × 5", va="center")
thin = {"arrowstyle": "-", "color": style.INK, "linewidth": 0.8}
ax.annotate("", (41.5, 31.6), (36, 31), arrowprops=thin)
pile(70, 8, 10, 16, pale)
say(84, 36, "16 feature maps go out\n10 × 10 each", va="bottom")
arrow = {"arrowstyle": "->", "color": style.INK, "linewidth": 1}
ax.annotate("", (40, 22), (26, 22), arrowprops=arrow)
ax.annotate("", (68.5, 13), (52.5, 31), arrowprops={**arrow, "color": style.KEPT})
say(64.5, 26, "filter 0 makes\nfeature map 0", va="bottom")
pv.teaching.show(
    figure,
    alt="Six channels of 14 by 14 numbers go into conv2. It has 16 filters; each is a pile of six "
    "kernels of 5 by 5 weights, one kernel for each channel. Each filter makes one feature map of "
    "10 by 10 numbers, so 16 feature maps go out. They are the channels of the next layer.",
)

# %% [markdown]
# - A **kernel** is a small square of weights. It slides over one channel.
# - A **filter** is a pile of kernels, one for each channel that comes in. It adds up what they see.
# - A **feature map** is what one filter makes of an image.
# - A **channel** is a feature map seen by the next layer.
#
# So to cut filter 3 is to cut map 3 *and* channel 3: the filter, its bias, and the kernel that each filter of
# the next layer had for it. You may read that filter, feature map and channel pruning are three techniques. They
# remove the same thing; what differs is where you look to choose.

# %% [markdown] tags=["pytorch"]
# > **Card: indices of a convolution.** PyTorch stores its weights as (filters, channels, rows, columns):
# > `weight[3]` is filter 3. Keras has the same numbers as (rows, columns, channels, filters).

# %% [markdown] tags=["tensorflow"]
# > **Card: indices of a convolution.** Keras stores its weights as (rows, columns, channels, filters), and calls
# > all of them the *kernel*; in this lesson a kernel is one square. `kernel[..., 3]` is filter 3. PyTorch has the same
# > numbers as (filters, channels, rows, columns).

# %% [markdown]
# > **Card: MACs.** A **multiply–accumulate** is one multiplication, added to a sum. A weight of a dense layer is
# > used once for each image; a weight of a convolution once for each position of the feature map.
#
# **Predict.** The two convolutions have 4% of the weights. What share of the MACs do they do? The map of `conv1`
# has 28 × 28 positions, that of `conv2` 10 × 10.

# %% tags=["answer"]
guess = ...  # a share from 0 to 1
positions = {"conv1": 28 * 28, "conv2": 10 * 10, "fc1": 1, "fc2": 1, "fc3": 1}
weights = {layer.name: layer.weight.size for layer in pv.network(model).layers}
macs = {name: weights[name] * positions[name] for name in positions}
work = (macs["conv1"] + macs["conv2"]) / sum(macs.values())
pv.teaching.compare(guess, work, "of the MACs", share=True)
total = sum(weights.values()), sum(macs.values()), dense.macs
print("{:,} weights, {:,} MACs; the scorecard counts {:,}".format(*total))

figure = Figure(figsize=(8, 2.4), layout="constrained")
for ax, (what, counts) in zip(
    figure.subplots(1, 2, sharey=True), {"weights": weights, "MACs": macs}.items(), strict=True
):
    bars = ax.barh(list(counts), list(counts.values()), color=style.KEPT)
    shares = [style.percent(count / sum(counts.values()), 0) for count in counts.values()]
    ax.bar_label(bars, shares, padding=3, fontsize=style.SMALL)
    ax.set(xlim=(0, 1.15 * max(counts.values())), xticks=[])
    ax.spines[["top", "right", "bottom"]].set_visible(False)
    style.title(ax, what)
ax.invert_yaxis()
weight, mac = ({k: n / sum(c.values()) for k, n in c.items()} for c in (weights, macs))
pv.teaching.show(
    figure,
    alt="Two bar charts of LeNet-5's five layers. Of the weights fc1 has most, "
    f"{weight['fc1']:.0%}, and the two convolutions {weight['conv1'] + weight['conv2']:.0%}. "
    f"Of the MACs conv2 does {mac['conv2']:.0%}, conv1 {mac['conv1']:.0%}, and fc1 only "
    f"{mac['fc1']:.0%}.",
)

# %% [markdown]
# Most weights are in `fc1`. If you want a network that computes less, cut filters.

# %% [markdown]
# ## Which filter would you cut?
#
# The six filters of `conv1`, each a single kernel, and their maps of one image.

# %%
pv.teaching.show(pv.plot_filters(model, "conv1"))
pv.teaching.show(pv.plot_feature_maps(model, images[0], "conv1"))

# %% [markdown] tags=["pytorch"]
# The rule that most tools use is the **L1 norm**: the magnitudes of a filter's weights, added up (Li and others,
# 2017). PyTorch's own `ln_structured` cuts whole filters (`dim=0`) by it.

# %% tags=["pytorch"]
from torch.nn.utils import prune

twin = copy.deepcopy(model)
prune.ln_structured(twin.conv1, "weight", amount=1, n=1, dim=0)
first = int((twin.conv1.weight == 0).all(dim=(1, 2, 3)).nonzero())

# %% [markdown] tags=["tensorflow"]
# The rule that most tools use is the **L1 norm**: the magnitudes of a filter's weights, added up (Li and others,
# 2017). Neither Keras nor tfmot ranks filters, but it takes one line: add up along all axes but the last.

# %% tags=["tensorflow"]
first = int(np.abs(model.get_layer("conv1").kernel).sum(axis=(0, 1, 2)).argmin())

# %%
l1 = pv.importance(model, granularity="filter", example=images[:1])["conv1"]
print("L1 norms:", *(f"{value:.2f}" for value in l1))
print(f"L1 would cut filter {first} first.")

# %% [markdown]
# ### Exercise 1 · L1 scores
#
# Write the rule yourself: one number for each filter. `weight` is a NumPy array in the layout of your framework.

# %% tags=["fold"]
from pruneviz.lessons.checks import lesson_03 as check


# %% tags=["pytorch", "exercise"]
def l1_scores(weight):
    """Return the L1 norm of each filter; weight is (filters, channels, rows, columns)."""
    # solution:
    return np.abs(weight).sum(axis=(1, 2, 3))
    # end of solution


# %% tags=["pytorch", "check"]
check.filter_scores(l1_scores, track="pytorch")


# %% tags=["tensorflow", "exercise"]
def l1_scores(weight):
    """Return the L1 norm of each filter; weight is (rows, columns, channels, filters)."""
    # solution:
    return np.abs(weight).sum(axis=(0, 1, 2))
    # end of solution


# %% tags=["tensorflow", "check"]
check.filter_scores(l1_scores, track="tensorflow")

# %% [markdown]
# ## A ranking is a hypothesis
#
# **Measure.** Silence each filter alone, with its bias, and count what is lost: an **ablation**.
#
# **Predict.** Go by the pictures and put the six in your own order. And filter 2, which L1 would cut first: how
# many of the 4,970 right answers does it cost?


# %% tags=["fold"]
def lost_alone(network, layer):
    """Silence each filter of a layer alone: how many right answers does that cost?"""
    before = pv.scorecard(network, validation).correct
    count = len(pv.network(network)[layer].weight)
    masks = [pv.Mask({layer: np.arange(count) != number}, "filter") for number in range(count)]
    thin = [pv.apply(network, mask, images[:1]) for mask in masks]
    return np.array([before - pv.scorecard(network, validation).correct for network in thin])


def ranks(values):
    """Rank numbers; equal ones share the mean of their ranks."""
    values = np.asarray(values)
    return (values[:, None] > values).sum(axis=1) + (values[:, None] == values).sum(axis=1) / 2


def agreement(first, second):
    """Spearman's rank correlation."""
    return float(np.corrcoef(ranks(first), ranks(second))[0, 1])


# %% tags=["answer"]
guess = ...  # right answers that filter 2 costs
my_order = [0, 1, 2, 3, 4, 5]  # change it: the one that you would cut first comes first
lost = lost_alone(model, "conv1")
pv.teaching.compare(guess, lost[2], "answers lost")

rows = [[f"filter {i}", f"{l1[i]:.2f}", lost[i]] for i in np.argsort(l1)]
pv.teaching.table(["", "L1 norm", "lost"], rows)
print(f"agreement with the ablation: L1 {agreement(l1, lost):+.1f}, ", end="")
print(f"your order {agreement(np.argsort(my_order), lost):+.1f}")

# %% [markdown]
# > **Card: rank correlation.** Spearman's coefficient is 1 if two orders are equal, −1 if one is the other
# > backwards, and near 0 if they have nothing to do with each other.
#
# +0.6 sounds good. How often does an order do as well that knows nothing?

# %%
from itertools import permutations

luck = np.array([agreement(order, range(6)) for order in permutations(range(6))])
print(f"of all {len(luck)} orders of six, {np.mean(luck > 0.59):.0%} agree as well or better")

# %% [markdown]
# So one layer of one network shows little. Here are three networks from different seeds, and three sisters:
# `lenet_5_bn`, with BatchNorm behind each convolution. Seven criteria are compared with the ablation.
#
# | criterion | score of a filter |
# |---|---|
# | `magnitude`, `l2` | L1 norm, L2 norm |
# | `fpgm` | distance to the layer's other filters (He and others, 2019) |
# | `taylor` | gradient times weight, added up (Molchanov and others, 2019) |
# | `gradient` | magnitudes of the gradient |
# | `activation`, `apoz` | mean of its map; how often it is not zero (Hu and others, 2016) |
#
# **Predict.** Where does L1 stand in `conv1` of the three sisters: what is the mean of the three correlations?

# %% tags=["fold"]
plain, sisters = pv.teaching.results("unit_criteria"), pv.teaching.results("sisters")
plain = plain["networks"]["lenet_5"]["agreement"]
with_norm = sisters["agreement"]
criteria = ("magnitude", "l2", "fpgm", "taylor", "gradient", "activation", "apoz", "random")
rng = np.random.default_rng(0)
MOST = 0.95  # of random orders
BANDS = {
    layer: np.quantile(
        [agreement(rng.permutation(n), range(n)) for _ in range(4_000)],
        ((1 - MOST) / 2, (1 + MOST) / 2),
    )
    for layer, n in (("conv1", 6), ("conv2", 16))
}


def draw_agreement(rows):
    """Draw correlations: criterion -> mark -> one for each seed and layer."""
    figure = Figure(figsize=(8, 0.6 + 0.36 * len(rows)), layout="constrained")
    for ax, layer in zip(figure.subplots(1, 2, sharey=True), BANDS, strict=True):
        ax.axvspan(*BANDS[layer], color=style.GRID, label=f"{MOST:.0%} of random orders")
        ax.axvline(0, color=style.QUIET, linewidth=0.8)
        for height, stored in enumerate(rows.values()):
            for shift, (label, colour, mark) in zip((-0.16, 0.16), MARKS, strict=True):
                values = [seed[layer] for seed in stored.get(label, ())]
                if values:
                    at = [height + shift] * len(values)
                    ax.plot(values, at, mark, color=colour, markersize=5, label=label)
        ax.set(xlim=(-1.05, 1.05), ylim=(len(rows) - 0.5, -0.5))
        ax.set_yticks(range(len(rows)), list(rows))
        ax.set_xlabel("rank correlation with the ablation", fontsize=style.SMALL)
        ax.spines[["top", "right", "left"]].set_visible(False)
        style.title(ax, f"{layer}, {6 if layer == 'conv1' else 16} filters")
    known = dict(zip(*reversed(ax.get_legend_handles_labels()), strict=True))
    figure.legend(known.values(), known, loc="outside lower center", ncols=3, frameon=False)
    return figure


MARKS = (("LeNet-5", style.KEPT, "o"), ("with BatchNorm", style.CUT, "s"))

# %% tags=["answer"]
guess = ...  # from -1 to 1
values = [seed["conv1"] for seed in with_norm["magnitude"]]
pv.teaching.compare(guess, round(float(np.mean(values)), 2), "is the mean correlation of L1")
rows = {name: {"LeNet-5": plain[name], "with BatchNorm": with_norm[name]} for name in criteria}
pv.teaching.show(
    draw_agreement(rows),
    alt="Rank correlations of eight criteria with the ablation, three seeds of LeNet-5 and three "
    f"of its sister, and where {MOST:.0%} of random orders fall. In conv1, where that band reaches "
    "from -0.8 to 0.8, nearly all dots lie inside. In conv2 it reaches to 0.5, and about a third "
    "lie beyond: two of L1 in LeNet-5, one in the sisters, and three of activation there.",
)

# %% [markdown]
# **Explain.** In LeNet-5 all six dots of L1 stand at zero or to the right, two of them beyond what random orders
# reach. In the sisters they stand on both sides, one of six beyond. No criterion is beyond throughout: whoever tries
# one network sees a winner, whoever tries six sees that it changes. A ranking is a *hypothesis*.
#
# **What would have shown us wrong?** A criterion whose dots all stand to the right of the band.

# %% [markdown]
# ## A reason on trial
#
# You may read that L1 *cannot* work where BatchNorm follows, and why.
#
# > **Card: BatchNorm's two modes.** In training it subtracts each channel's mean over the batch and divides by its
# > standard deviation; then it multiplies by a learned *scale* and adds a learned *shift*. In use it does the same
# > with averages that it collected while training: its **running statistics**, which no gradient has ever touched.
#
# What is divided by its own deviation has lost its magnitude.
#
# **Predict.** Take the filter of the sister's `conv1` with the smallest norm, multiply its weights by ten, and
# let BatchNorm estimate its statistics anew (`pv.recalibrate`). How many of the 5,000 digits will be right?


# %% tags=["pytorch", "fold"]
def louder(network, number):
    """Copy a network; multiply the weights of one filter of conv1 by ten."""
    twin = copy.deepcopy(network)
    twin.conv1.weight.data[number] *= 10
    return twin


# %% tags=["tensorflow", "fold"]
def louder(network, number):
    """Copy a network; multiply the weights of one filter of conv1 by ten."""
    twin = keras.models.clone_model(network)
    twin.set_weights(network.get_weights())
    factors = np.where(np.arange(6) == number, 10, 1).astype(np.float32)
    kernel = twin.get_layer("conv1").kernel
    kernel.assign(kernel * factors)
    return twin


# %% tags=["answer"]
guess = ...  # digits right
sister = pv.zoo.lenet_5_bn(FRAMEWORK)
unlabelled = mnist.train[0][:1_000]  # images without their labels
norms = pv.importance(sister, granularity="filter", example=images[:1])["conv1"]
smallest = int(norms.argmin())
networks = {
    "the sister": sister,
    "the sister, statistics anew": pv.recalibrate(sister, unlabelled),
    "one filter times ten": louder(sister, smallest),
    "times ten, statistics anew": pv.recalibrate(louder(sister, smallest), unlabelled),
}
cards = {name: pv.scorecard(network, validation) for name, network in networks.items()}
pv.teaching.compare(guess, cards["times ten, statistics anew"].correct, "digits right")
low, high = norms.min(), norms.max()
print(f"L1 norm of filter {smallest}: {low:.1f}, then {10 * low:.1f}; the others reach {high:.1f}")
for name, card in cards.items():
    print(f"{name:28} {card.correct:6,} right")

# %% [markdown]
# **Explain.** The last network gets as many right as the second, and L1 now protects the filter that it used to cut
# first. So where BatchNorm follows, a norm *can* be anything. Is that why L1 does badly *after training*? Then it
# should improve once BatchNorm is counted in: norm times |scale|, divided by the deviation. Call that `folded`.
#
# **What would have shown us wrong?** Fewer right answers in the last row than in the second.
#
# **Predict.** In how many of the six cases (three sisters, two layers) does `folded` agree better with the
# ablation than L1 does?

# %% tags=["answer"]
guess = ...  # 0 to 6
pairs = zip(with_norm["folded"], with_norm["magnitude"], strict=True)
better = sum(new[layer] > old[layer] for new, old in pairs for layer in BANDS)
pv.teaching.compare(guess, better, "of 6 cases")
rows = {name: {"with BatchNorm": with_norm[name]} for name in ("magnitude", "folded", "activation")}
pv.teaching.show(
    draw_agreement(rows),
    alt="The same for L1, folded and activation in the sisters. Folded lies inside the band in "
    "all six cases, three times to the right of L1 and three times to the left.",
)

# %% [markdown]
# **Explain.** Three of six is what a coin gives. A norm can be anything, and still that need not be why L1 does badly
# here. A reason is a hypothesis as well: ask what it predicts, and try that.
#
# **What would have shown us wrong?** `folded` ahead of L1 in five or six cases.

# %% [markdown]
# ### Exercise 2 · Three of sixteen
#
# Choose three filters of LeNet-5's `conv2` that can go together. There are hundreds of ways, and the check tries them all:
# yours has to be among the best 28. Any method is allowed. `right_without([2, 7])` counts the right answers without
# filters 2 and 7; it starts from the feature maps, so it is fast.

# %% tags=["pytorch", "fold"]
with torch.no_grad():
    pixels = torch.tensor(images.transpose(0, 3, 1, 2) / np.float32(255))
    pooled = model[:6](pixels).numpy().reshape(len(images), 16, 25)

# %% tags=["tensorflow", "fold"]
probe = keras.Model(model.inputs, model.get_layer("permute").output)
pooled = probe.predict(images / np.float32(255), batch_size=500, verbose=0)
pooled = pooled.reshape(len(images), 16, 25)

# %% tags=["fold"]
fc1, fc2, fc3 = (pv.network(model)[name] for name in ("fc1", "fc2", "fc3"))
columns = fc1.weight.reshape(len(fc1.weight), 16, 25)
arriving = [pooled[:, number] @ columns[:, number].T for number in range(16)]
everything = sum(arriving) + fc1.bias


def right_without(filters):
    """Count right validation images when these filters of conv2 are silent."""
    hidden = np.maximum(everything - sum(arriving[number] for number in filters), 0)
    hidden = np.maximum(hidden @ fc2.weight.T + fc2.bias, 0)
    return int(np.sum((hidden @ fc3.weight.T + fc3.bias).argmax(axis=1) == labels))


print(f"nothing cut: {right_without([]):,}, without 2 and 7: {right_without([2, 7]):,}")

# %% tags=["exercise"]
# solution: three = ...
# Greedy: cut the least harmful one, measure the rest again, and so on.
three = []
for _ in range(3):
    others = [number for number in range(16) if number not in three]
    three.append(max(others, key=lambda number: right_without([*three, number])))
# end of solution

# %% tags=["check"]
check.three_filters(three, right_without=right_without)

# %% [markdown]
# ## One-shot, and after fine-tuning
#
# Here all goes in one cut: *one-shot*. Then what is left is **fine-tuned**: trained for a while longer.
#
# **Predict.** Half of the filters of each layer went by L1, and 3,208 digits were still right. They are removed,
# and one epoch follows. How many are right then? (About 20 s; the dense network gets the same epoch.)

# %% tags=["pytorch", "fold"]
x = torch.tensor(mnist.train[0].transpose(0, 3, 1, 2).copy())
y = torch.tensor(mnist.train[1])


def fine_tuned(student, rate=2e-3):
    """Train a network for one epoch, the learning rate falling to zero."""
    torch.manual_seed(0)
    batches = torch.randperm(len(x)).split(512)
    optimizer = torch.optim.Adam(student.parameters(), lr=rate, fused=True)
    falling = torch.optim.lr_scheduler.LinearLR(optimizer, 1, 0, total_iters=len(batches))
    student.train()
    for batch in batches:
        loss = F.cross_entropy(student(x[batch] / 255), y[batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        falling.step()
    return student.eval()


# %% tags=["tensorflow", "fold"]
x, y = map(tf.constant, mnist.train)


def pick(rows):
    """Take a batch: pixels in [0, 1], and labels."""
    return tf.cast(tf.gather(x, rows), tf.float32) / 255, tf.gather(y, rows)


batches = tf.data.Dataset.range(len(y)).shuffle(len(y), seed=0).batch(512).map(pick)


def fine_tuned(student, rate=2e-3):
    """Train a network for one epoch, the learning rate falling to zero."""
    keras.utils.set_random_seed(0)
    falling = keras.optimizers.schedules.PolynomialDecay(rate, len(batches), 0.0)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    student.compile(keras.optimizers.Adam(falling), loss=loss)
    student.fit(batches, epochs=1, shuffle=False, verbose=0)
    return student


# %% tags=["answer", "trains"]
guess = ...  # digits right
student = fine_tuned(pv.remove(model, half, images[:8]))
control = fine_tuned(pv.remove(model, pv.Mask({}, "filter"), images[:8]))
later = pv.scorecard(student, validation)
pv.teaching.compare(guess, later.correct, "digits right")
longer = pv.scorecard(control, validation)
print(f"nothing cut: {dense.correct:,}, after the same epoch {longer.correct:,}")

# %% [markdown]
# Did L1 earn that? Stored: eight criteria, three networks.

# %% tags=["fold"]
stored = pv.teaching.results("unit_criteria")
column = stored["sparsities"].index
stored = stored["networks"]["lenet_5"]
usual = sorted(stored["dense_fine_tuned"])[1]
one_shot, tuned = stored["one_shot"]["layer"], stored["fine_tuned"]["layer"]
panels = {
    "50% cut": (one_shot, 0.5),
    "50%, one epoch": (tuned, 0.5),
    "90%, one epoch": (tuned, 0.9),
}

figure = Figure(figsize=(8, 3.2), layout="constrained")
axes = figure.subplots(1, 3, sharey=True)
for ax, (title, (rows, share)) in zip(axes, panels.items(), strict=True):
    for height, counts in enumerate(rows.values()):
        low, middle, high = sorted(row[column(share)] for row in counts)
        ax.plot([low, high], [height, height], color=style.FIRES, linewidth=3)
        ax.plot(middle, height, "o", color=style.KEPT)
    if title == "50%, one epoch":
        ax.axvline(usual, color=style.INK, linestyle=":", label="nothing cut, one epoch")
        figure.legend(loc="outside lower center", frameon=False, fontsize=style.SMALL)
    ax.set_yticks(range(len(rows)), list(rows))
    ax.tick_params(labelsize=style.SMALL)
    ax.grid(axis="x", color=style.GRID)
    ax.spines[["top", "right"]].set_visible(False)
    style.title(ax, title)
ax.invert_yaxis()
ends = [row[column(0.5)] for counts in tuned.values() for row in counts]
pv.teaching.show(
    figure,
    alt="Right answers of 5,000 for eight criteria: median and range of three networks. At 50 per "
    "cent, one-shot, all ranges are hundreds to thousands wide and overlap with that of random. "
    f"After one epoch all lie between {min(ends):,} and {max(ends):,}, below the {usual:,} of the "
    "dense network. "
    "At 90 per cent after one epoch Taylor is highest, and random above L1.",
)

rows = []
for name in ("magnitude", "taylor", "activation", "random"):
    cells = [sorted(row[column(s)] for row in table[name]) for table, s in panels.values()]
    rows.append([name, *(f"{mid:,} ({low:,}-{high:,})" for low, mid, high in cells)])
pv.teaching.table(["right of 5,000: median (range)", *panels], rows)

# %% [markdown]
# **Explain.** At 50%, one epoch shrinks the differences from thousands of digits to dozens, and L1 keeps a small lead over
# random in all three networks; at 90% hundreds stay, and the median of random is above that of L1. Mittal and
# others (2018) found random hard to beat in far larger networks. The dense network, with the same epoch, stays best.
#
# **What would have shown us wrong?** After the epoch, ranges as far apart as before it.

# %% [markdown]
# ## Zero weights, and still talking
#
# Set the weights of a sister's filter to zero, and nothing else. Its map is zero everywhere; BatchNorm subtracts the
# running mean all the same, divides, scales, and adds its shift. Three networks to measure: weights only;
# BatchNorm's scale, shift and mean zeroed too, as `pv.apply` does it; and that one **recalibrated**, its statistics
# re-estimated from a thousand images without labels.
#
# **Predict.** A quarter of the filters goes, by L1. How many digits are right in the third?


# %% tags=["pytorch", "fold"]
def weights_only(network, mask):
    """Zero the weights of filters, and nothing else of them."""
    twin = copy.deepcopy(network)
    for name, kept in mask.items():
        twin.get_submodule(name).weight.data[torch.tensor(~kept)] = 0
    return twin


def maps_of(network, image):
    """What comes out of conv1, its BatchNorm and the ReLU: (filters, rows, columns)."""
    pixels = torch.tensor(image.transpose(2, 0, 1)[None] / np.float32(255))
    with torch.no_grad():
        return network[:3](pixels)[0].numpy()


# %% tags=["tensorflow", "fold"]
def weights_only(network, mask):
    """Zero the weights of filters, and nothing else of them."""
    twin = keras.models.clone_model(network)
    twin.set_weights(network.get_weights())
    for name, kept in mask.items():
        kernel = twin.get_layer(name).kernel
        kernel.assign(kernel * kept.astype(np.float32))
    return twin


def maps_of(network, image):
    """What comes out of conv1, its BatchNorm and the ReLU: (filters, rows, columns)."""
    probe = keras.Model(network.inputs, network.get_layer("relu1").output)
    return probe.predict_on_batch(image[None] / np.float32(255))[0].transpose(2, 0, 1)


# %% tags=["answer"]
guess = ...  # digits right


def quarter(**options):
    """Cut a quarter of the sister's filters."""
    options = {"granularity": "filter", "scope": "layer", **options}
    return pv.prune(sister, 0.25, example=images[:1], **options)


def three_ways(mask):
    """Count right answers: weights only, all of the filter zeroed, recalibrated."""
    zeroed = pv.apply(sister, mask)
    networks = weights_only(sister, mask), zeroed, pv.recalibrate(zeroed, unlabelled)
    return [pv.scorecard(network, validation).correct for network in networks]


by_l1 = quarter()
rows = {"L1": by_l1} | {f"random {s}": quarter(criterion="random", seed=s) for s in range(3)}
rows["taylor"] = quarter(criterion="taylor", data=scored_on)
counts = {name: three_ways(mask) for name, mask in rows.items()}
pv.teaching.compare(guess, counts["L1"][2], "digits right")
header = ["a quarter cut by", "weights only", "zeroed", "recalibrated"]
pv.teaching.table(header, [[name, *row] for name, row in counts.items()])
for number in np.flatnonzero(~by_l1["conv1"]):
    sent = maps_of(weights_only(sister, by_l1), images[0])[number]
    print(f"without weights, filter {number} of conv1 sends {sent.min():.2f} to {sent.max():.2f}")

# %% [markdown]
# **Explain.** A filter without weights need not fall silent: filter 0 does, filter 5 sends a constant to the next
# layer. With everything zeroed the filter can go. Re-estimation changes no weight, yet in most rows it brings back
# answers: these were lost to stale statistics, not to missing filters. Measure both.
#
# **What would have shown us wrong?** Both filters silent; columns two and three alike.

# %% [markdown]
# ## Take them out
#
# A masked filter is multiplied like any other. Now filters go for good.

# %% [markdown] tags=["pytorch"]
# The tool for it is Torch-Pruning: it finds for each filter what else has to go. `pv.remove` does the same.

# %% tags=["pytorch"]
import torch_pruning as tp

peer = copy.deepcopy(model)
graph = tp.DependencyGraph().build_dependency(peer, torch.zeros(1, 1, 28, 28))
for name, kept in half.items():
    gone = np.flatnonzero(~kept).tolist()
    layer = peer.get_submodule(name)
    graph.get_pruning_group(layer, tp.prune_conv_out_channels, idxs=gone).prune()

small = pv.remove(model, half, images[:8])
batch = torch.tensor(images[:500].transpose(0, 3, 1, 2) / np.float32(255))
with torch.no_grad():
    print("the same outputs:", torch.allclose(peer(batch), small(batch), rtol=1e-5, atol=1e-5))
for name in ("conv1", "conv2", "fc1"):
    before, after = (tuple(net.get_submodule(name).weight.shape) for net in (model, small))
    print(f"{name:6} {before!s:15} -> {after}")

# %% [markdown] tags=["tensorflow"]
# Keras and tfmot have no tool for it: build the smaller network, and copy what is kept. This network permutes before
# it flattens, so in `fc1` each map owns 25 inputs in a row. `pv.remove` does the same.

# %% tags=["tensorflow"]
by_hand = keras.Sequential([keras.Input((28, 28, 1))])
for layer in model.layers:
    config = layer.get_config()
    if layer.name in half:
        config["filters"] = int(half[layer.name].sum())
    by_hand.add(type(layer).from_config(config))

one, two = half["conv1"], half["conv2"]
kernel, bias = model.get_layer("conv1").get_weights()
by_hand.get_layer("conv1").set_weights([kernel[..., one], bias[one]])
kernel, bias = model.get_layer("conv2").get_weights()
by_hand.get_layer("conv2").set_weights([kernel[:, :, one][..., two], bias[two]])
kernel, bias = model.get_layer("fc1").get_weights()
by_hand.get_layer("fc1").set_weights([kernel[np.repeat(two, 25)], bias])
for name in ("fc2", "fc3"):
    by_hand.get_layer(name).set_weights(model.get_layer(name).get_weights())

small = pv.remove(model, half, images[:8])
batch = images[:500] / np.float32(255)
outputs = [net.predict_on_batch(batch) for net in (by_hand, small)]
print("the same outputs:", np.allclose(*outputs, rtol=1e-5, atol=1e-5))
for name in ("conv1", "conv2", "fc1"):
    before, after = (net.get_layer(name).get_weights()[0].shape for net in (model, small))
    print(f"{name:6} {before!s:15} -> {after}")

# %% [markdown]
# Half of `conv2` took 200 inputs of `fc1` along, 25 for each map. Is it the masked network?

# %%
networks = {"dense": model, "masked": pv.apply(model, half), "removed": small}
cards = {name: pv.scorecard(network, validation) for name, network in networks.items()}
differ = int((cards["masked"].predictions != cards["removed"].predictions).sum())
exact = pv.check_removed(model, half, small, images) < 1e-5
print(f"{differ} answers differ; outputs within 0.00001 of the largest: {exact}")
for name, card in cards.items():
    print(f"{name:8} {card.parameters:,} parameters, {card.macs:,} MACs, {card.raw_bytes:,} bytes")

# %% [markdown]
# ### Exercise 3 · What is left to compute
#
# Another cut: three of the six filters of `conv1` go, and nothing else. How many MACs do `conv1`, `conv2` and the
# three dense layers together need now? Give a dict: `{"conv1": …, "conv2": …, "dense": …}`.

# %% tags=["exercise"]
# solution: macs_now = ...
macs_now = {
    "conv1": 3 * 1 * 25 * 28 * 28,
    "conv2": 16 * 3 * 25 * 10 * 10,
    "dense": 400 * 120 + 120 * 84 + 84 * 10,
}
# end of solution

# %% tags=["check"]
check.macs_after(macs_now)

# %% [markdown]
# ## Is it faster?
#
# **Predict.** With half of its filters gone, the MACs promise 2.7 times. How many times faster is LeNet-5 for a single
# image? And the masked one?

# %% tags=["fold"]
take_times = False  # make it True to see the times of your machine, with lowest and highest
if take_times:
    for name, times in pv.latency(networks, images, (1, 64)).items():
        print(f"{name:8} {times[1]:.3f} ms for one image, {times[64]:.3f} ms for 64")

# %% tags=["answer"]
guess = ...  # times faster, for one image; 1 means no change
rows = []
for name in ("lenet_5", "mnist_cnn"):
    timed = pv.teaching.results("removal")[FRAMEWORK][name]
    fewer = timed["macs"]["dense"] / timed["macs"]["removed"]
    for size in ("1", "64"):
        gains = [timed["gain"][what][size] for what in ("again", "masked", "removed")]
        cells = [f"{middle:.1f}x ({low:.1f}-{high:.1f})" for low, middle, high in gains]
        rows.append([name, size, f"{fewer:.1f}x", *cells])
    if name == "lenet_5":
        pv.teaching.compare(guess, timed["gain"]["removed"]["1"][1], "times, removed, one image")
pv.teaching.table(["network", "images", "fewer MACs", "a copy", "masked", "removed"], rows)

# %% [markdown]
# Stored: one machine, one thread, processor time, nine rounds (lowest to highest in brackets). The copy is the dense
# network again: its column is noise of the clock.

# %% [markdown] tags=["pytorch"]
# With 64 images the masked networks are a little faster than their copies. Do they skip zeros? The same networks again,
# with mean pooling for max pooling: the zeros stay.

# %% tags=["pytorch"]
for name, row in pv.teaching.results("where_time_goes")["pooling"].items():
    for kind in ("max", "mean"):
        low, middle, high = row[kind]["64"]
        print(f"{name}, masked, {kind} pooling: {middle:.2f}x ({low:.2f}-{high:.2f})")

# %% [markdown] tags=["pytorch"]
# **Explain.** No: with mean pooling the gain is gone. It is max pooling that is faster on maps of zeros. (1.11 here,
# 1.2 above: two runs can differ by more than their ranges say.) The removed network gains less than promised. MACs count
# multiplications and nothing else: neither calls, nor ReLU and pooling, nor moving numbers about. Compare networks by
# the clock of the machine that will run them, and name it.
#
# **What would have shown us wrong?** A masked network faster with mean pooling too.

# %% [markdown] tags=["tensorflow"]
# **Explain.** The masked network gains nothing that stands out from that noise. The removed one gains
# less than promised. MACs count multiplications and nothing else: neither calls, nor ReLU and pooling, nor moving
# numbers about. Compare networks by the clock of the machine that will run them, and say which it was.
#
# **What would have shown us wrong?** A range of the masked network wholly above that of the copy.

# %% [markdown]
# ## The report
#
# You chose by validation images throughout. Now the test images, once, with the control.

# %% tags=["trains"]
finals = {"dense": model, "dense, one epoch": control, "half removed, one epoch": student}
for name, network in finals.items():
    card = pv.scorecard(network, test)
    low, high = card.interval
    print(f"{name:24} {card.accuracy:.1%} of {card.n:,} right (95%: {low:.1%} to {high:.1%})")

# %% [markdown]
# ## Now yours
#
# Half of the filters of every convolution go by L1, for real, and what is left is fine-tuned, beside a control. Any
# chain of convolutions, with or without BatchNorm, and dense layers will do. Put yours into the first paragraph.

# %% tags=["pytorch", "yours", "trains"]
model, y = sister, torch.tensor(mnist.train[1][:5_000])  # put your model and data here
x = torch.tensor(mnist.train[0][:5_000]).movedim(3, 1) / 255
import copy
import torch
from torch import nn

small, control = copy.deepcopy(model), copy.deepcopy(model)
layers = [m for m in small.modules() if isinstance(m, nn.Conv2d | nn.BatchNorm2d | nn.Linear)]
for place, conv in enumerate(layers):
    if isinstance(conv, nn.Conv2d):
        size, n = conv.weight.data.abs().sum((1, 2, 3)), conv.out_channels
        keep = size.topk(n // 2).indices.sort().values
        for layer in layers[place:]:  # the filter, its BatchNorm, and what reads its map
            if layer is not conv and not isinstance(layer, nn.BatchNorm2d):
                layer.weight.data = layer.weight.data.unflatten(1, (n, -1))[:, keep].flatten(1, 2)
                break
            for array in (*layer.parameters(), *layer.buffers()):
                array.data = array.data[keep] if array.ndim else array.data
for net in (small, control):
    optimizer = torch.optim.Adam(net.train().parameters(), 2e-3)
    for rows in torch.randperm(len(x)).split(100):
        optimizer.zero_grad()
        nn.functional.cross_entropy(net(x[rows]), y[rows]).backward()
        optimizer.step()
right = [f"{(net.eval()(x).argmax(1) == y).float().mean():.1%}" for net in (control, small)]
print(f"after one epoch: {right[0]} right with all its filters, {right[1]} with half of them")

# %% [markdown] tags=["tensorflow"]
# (The zoo's networks permute before they flatten. A plain Keras network does not, so here is one.)

# %% tags=["tensorflow", "fold", "trains"]
keras.utils.set_random_seed(0)
first = keras.layers.Conv2D(12, 5), keras.layers.BatchNormalization(), keras.layers.ReLU()
second = keras.layers.Conv2D(16, 5, activation="relu"), keras.layers.MaxPooling2D()
end = keras.layers.Flatten(), keras.layers.Dense(10)
pool = keras.layers.MaxPooling2D()
own = keras.Sequential([keras.Input((28, 28, 1)), *first, pool, *second, *end])
own.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
few = mnist.train[0][:5_000] / np.float32(255), mnist.train[1][:5_000]
history = own.fit(*few, batch_size=100, epochs=2, verbose=0)

# %% tags=["tensorflow", "yours", "trains"]
model, (x, y) = own, few  # put your model and data here
import keras

keep, width, layers = slice(None), 0, []
for layer in model.layers:
    mine, config = layer.get_weights(), layer.get_config()
    if isinstance(layer, keras.layers.BatchNormalization):
        mine = [array[keep] for array in mine]
    elif mine:
        norms = abs(mine[0]).reshape(-1, mine[0].shape[-1]).sum(0)
        if width:  # it reads maps: a kernel for each, or a row for each position behind flatten
            parts = mine[0].reshape(*mine[0].shape[:-2], -1, width, len(norms))[..., keep, :]
            mine[0] = parts.reshape(*mine[0].shape[:-2], -1, len(norms))
        keep, width = slice(None), 0
        if "filters" in config:
            width, config["filters"] = len(norms), len(norms) - len(norms) // 2
            keep = sorted(norms.argsort()[width // 2 :])
            mine = [array[..., keep] for array in mine]
    layers.append((type(layer).from_config(config), mine))
small = keras.Sequential([keras.Input(x.shape[1:]), *(layer for layer, _ in layers)])
small.set_weights([array for _, mine in layers for array in mine])
(control := keras.models.clone_model(model)).set_weights(model.get_weights())
for name, net in {"all its": control, "half of its": small}.items():
    net.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    net.fit(x, y, batch_size=100, verbose=0)
    print(name, f"filters: {(net.predict(x, verbose=0).argmax(1) == y).mean():.1%} right")

# %% [markdown]
# ## Quiz
#
# Open the option that you would choose. It says whether it is right, and why.

# %% [markdown] tags=["quiz"]
# You remove one filter. What else goes?
# - [ ] Only its kernels. The other layers do not know of it.
#   why: They do. BatchNorm holds numbers for its map, and the next layer reads it.
# - [x] Its bias, its entries in BatchNorm, and the kernels of the next layer that read its map.
#   why: Filter, map and channel are one thing seen from three places. After a flatten layer it is a block of
#   inputs instead of a kernel.
# - [ ] One feature map for each image, but no weights.
#   why: A map is not stored; it is computed from weights, and these go.

# %% [markdown] tags=["quiz"]
# After removal the MACs are halved, but the time falls by much less. What do you know?
# - [ ] The MACs were counted wrongly.
#   why: Perhaps, but nothing says so. Time is not made of MACs alone.
# - [ ] The zeros are still multiplied.
#   why: So it would be in a masked network. After removal there are no zeros to multiply.
# - [x] That time is not made of MACs alone: measure on the machine and batch that matter.
#   why: Calls, ReLU, pooling and moving numbers about are in no count of MACs. Which of them it was, you would
#   have to measure too.

# %% [markdown] tags=["quiz"]
# LeNet-5's convolutions have 4% of the weights and do 85.9% of the MACs. You want fewer MACs. What do you cut?
# - [x] Filters of the convolutions.
#   why: Each weight there is used at every position of a map, so each one cut saves a hundred MACs or more.
# - [ ] Neurons of `fc1`, which has most of the weights.
#   why: That makes the file smaller. Each weight of a dense layer is used once for each image.
# - [ ] The smallest weights of all layers.
#   why: Single zeros are multiplied like any other number. The count of executed MACs stays as it is.

# %% [markdown] tags=["quiz"]
# On your network, the order by L1 agrees with the ablation of one layer's six filters at +0.6. What have you learned?
# - [ ] L1 finds the least important filters.
#   why: One order in eight that knows nothing does as well. Among this lesson's own dots, most lie inside the band.
# - [ ] L1 works because small filters are quiet.
#   why: That is a reason, and it is not what you measured. A reason has to predict something, and be tried.
# - [x] Little yet. Repeat it with other seeds, and with layers of more filters.
#   why: A ranking is a hypothesis about what a cut does. Six filters of one network cannot tell it from luck.

# %% [markdown] tags=["pytorch"]
# ## The question people really ask
#
# *"I pruned my network, and it is no faster. Why?"* ([pytorch/pytorch, thread
# 36214](https://github.com/pytorch/pytorch/issues/36214))
#
# Masks leave the shapes as they were, and the machine multiplies zeros as it does other numbers. To get time for it:
#
# - cut units, not weights, and *remove* them, with Torch-Pruning or `pv.remove`;
# - count MACs before and after; if they are the same, nothing was removed;
# - then take the time, on the machine and with the batch size that matter. Expect less than the MACs promise.

# %% [markdown] tags=["tensorflow"]
# ## The question people really ask
#
# *"I pruned my network with tfmot, and it is no faster. Why?"* ([tensorflow/model-optimization, thread
# 173](https://github.com/tensorflow/model-optimization/issues/173))
#
# Zeros leave the shapes as they were, and the machine multiplies zeros as it does other numbers. To get time for it:
#
# - cut units, not weights, and *remove* them, by hand or with `pv.remove`;
# - count MACs before and after; if they are the same, nothing was removed;
# - then take the time, on the machine and with the batch size that matter. Expect less than the MACs promise.

# %% [markdown]
# ## Recap
#
# - A filter is a pile of kernels; it makes one feature map, which is one channel of the next layer. A weight of a
#   convolution is used at every position of the map, so few weights do most of the work.
# - A ranking is a hypothesis, and so is the reason given for it. L1 agreed with the ablation beyond luck in two of six
#   cases, in their sisters in one of six; counting BatchNorm in did not mend it.
# - A filter without weights can still send a constant, through its bias or its BatchNorm. Zero these too,
#   recalibrate, and measure both.
# - Removal takes filter, bias, BatchNorm entries and the next layer's kernels, and computes the same. Masks save
#   little time or none; removal saves less than the MACs promise.

# %% [markdown]
# ## Further reading
#
# - H. Li, A. Kadav, I. Durdanovic, H. Samet and H. P. Graf. Pruning Filters for Efficient ConvNets. *International
#   Conference on Learning Representations*, 2017. [arXiv:1608.08710](https://arxiv.org/abs/1608.08710). L1, layer
#   by layer.
# - Y. He, P. Liu, Z. Wang, Z. Hu and Y. Yang. Filter Pruning via Geometric Median for Deep Convolutional Neural
#   Networks Acceleration. *IEEE/CVF Conference on Computer Vision and Pattern Recognition*, 2019.
#   [arXiv:1811.00250](https://arxiv.org/abs/1811.00250). FPGM: cut what others can replace.
# - P. Molchanov, S. Tyree, T. Karras, T. Aila and J. Kautz. Pruning Convolutional Neural Networks for Resource
#   Efficient Inference. *International Conference on Learning Representations*, 2017.
#   [arXiv:1611.06440](https://arxiv.org/abs/1611.06440). Taylor, compared with an ablation of every map.
# - P. Molchanov, A. Mallya, S. Tyree, I. Frosio and J. Kautz. Importance Estimation for Neural Network Pruning.
#   *IEEE/CVF Conference on Computer Vision and Pattern Recognition*, 2019.
#   [arXiv:1906.10771](https://arxiv.org/abs/1906.10771). How well estimates agree with what a cut really does.
# - H. Hu, R. Peng, Y.-W. Tai and C.-K. Tang. Network Trimming: A Data-Driven Neuron Pruning Approach towards
#   Efficient Deep Architectures. [arXiv:1607.03250](https://arxiv.org/abs/1607.03250), 2016. APoZ.
# - S. Ioffe and C. Szegedy. Batch Normalization: Accelerating Deep Network Training by Reducing Internal Covariate
#   Shift. *International Conference on Machine Learning*, 2015.
#   [arXiv:1502.03167](https://arxiv.org/abs/1502.03167).
# - D. Mittal, S. Bhardwaj, M. M. Khapra and B. Ravindran. Recovering from Random Pruning: On the Plasticity of Deep
#   Convolutional Neural Networks. *IEEE Winter Conference on Applications of Computer Vision*, 2018.
#   [arXiv:1801.10447](https://arxiv.org/abs/1801.10447). After fine-tuning, random keeps up with the rules.
# - That filters, feature maps and channels are three techniques: Jan Marcel Kezmann, *Optimizing Deep Learning Models
#   with Pruning: A Practical Guide*.

# %% [markdown] tags=["pytorch"]
# - G. Fang, X. Ma, M. Song, M. B. Mi and X. Wang. DepGraph: Towards Any Structural Pruning. *IEEE/CVF Conference on
#   Computer Vision and Pattern Recognition*, 2023. [arXiv:2301.12900](https://arxiv.org/abs/2301.12900).
#   Torch-Pruning.

# %% [markdown] tags=["tensorflow"]
# - TensorFlow Model Optimization. *Pruning comprehensive guide*,
#   [tensorflow.org](https://www.tensorflow.org/model_optimization/guide/pruning/comprehensive_guide).
