# %% [markdown]
# # 02a · Neuron pruning: choosing
#
# Take a hundred neurons of a network. Silence any one of them, and not one of 5,000 answers changes. Can all
# hundred go? This lesson asks neurons one by one, then together, and finds out why the answers differ.

# %% [markdown] tags=["pytorch"]
# This is the PyTorch track; the same lesson for Keras is [on the other
# track](../tensorflow/02a_neuron_pruning_choosing.ipynb). The [first lesson](../00_start_here.ipynb) explains
# the words.

# %% [markdown] tags=["tensorflow"]
# This is the TensorFlow track, written with Keras 3; the same lesson for PyTorch is [on the other
# track](../pytorch/02a_neuron_pruning_choosing.ipynb). The [first lesson](../00_start_here.ipynb) explains
# the words.

# %% tags=["pytorch", "fold"]
import pruneviz as pv

pv.teaching.start("pytorch")

# %% tags=["tensorflow", "fold"]
import pruneviz as pv

pv.teaching.start("tensorflow")

# %% tags=["pytorch", "fold"]
import numpy as np
import torch
from matplotlib.figure import Figure
from torch.nn import functional as F

from pruneviz.lessons.checks import lesson_02a as check
from pruneviz.plots import style

mnist = pv.datasets.mnist()
validation, test = mnist.validation, mnist.test
images, labels = validation
scored_on = mnist.train[0][:10_000], mnist.train[1][:10_000]

lenet = pv.zoo.lenet_300_100("torch")
dense = pv.scorecard(lenet, validation, name="dense")
print(pv.network(lenet))
print(f"{dense.correct:,} of {dense.n:,} validation images right")

# %% tags=["tensorflow", "fold"]
import keras
import numpy as np
import tensorflow as tf
from matplotlib.figure import Figure

from pruneviz.lessons.checks import lesson_02a as check
from pruneviz.plots import style

mnist = pv.datasets.mnist()
validation, test = mnist.validation, mnist.test
images, labels = validation
scored_on = mnist.train[0][:10_000], mnist.train[1][:10_000]

lenet = pv.zoo.lenet_300_100("keras")
dense = pv.scorecard(lenet, validation, name="dense")
print(pv.network(lenet))
print(f"{dense.correct:,} of {dense.n:,} validation images right")

# %% [markdown]
# **Touch.** Each dot is a neuron; the fuller its colour, the more active it is. Point at one to see its
# weights as a picture. Click to silence it, click again to let it go on. The slider silences many: those with
# the smallest weights first.

# %%
view = pv.explore(
    lenet,
    validation,
    granularity="neuron",
    show=["slider", "network", "accuracy"],
    predict=False,
    title="LeNet-300-100 · neurons",
)
await view.measured()
view

# %% tags=["drive"]
for share in (0.25, 0.5):
    view.sparsity = share
    await view.measured()
    print(view.sentence())

view.sparsity = 0
view.by_hand = {"fc1": {"cut": [7]}}
await view.measured()
print(view.sentence())
view.by_hand, view.sparsity = {}, 0.5

# %% [markdown]
# ## What you will learn
#
# ![The map of the course; lit are neuron, loss, magnitude, gradient, random, activity, its layer, one by one, at once.](../map/02a.svg)
#
# - To tell structured from unstructured pruning, and the pattern of a cut from its criterion.
# - To measure how active neurons are, and what a cut of the seldom active ones really breaks.
# - To explain why neurons that are harmless one by one are harmful together.
# - To choose many neurons from one measurement of each.
#
# **Before you start.** You have done lesson 01a: mask, magnitude, lost and won. How the neurons that you
# choose here leave the arrays is lesson 02b.
#
# **Time.** 40 minutes, and 25 for the exercises.

# %% [markdown]
# ## Pattern and criterion
#
# In lesson 01 zeros could stand anywhere. That is **unstructured** pruning. In **structured** pruning whole
# units go: a neuron here, a filter in lesson 03, a channel in lesson 04. A neuron takes all its weights
# with it, and all weights that read it. Below each network stand its matrices, a row for each neuron.

# %%
from itertools import pairwise

toy = [5, 4, 4, 3]
draw = np.random.default_rng(4)
scattered = [draw.random((out, into)) > 0.4 for into, out in pairwise(toy)]
whole = [np.array([True, False, True, True]), np.array([False, True, True, True]), np.ones(3, bool)]
masks = {"unstructured": scattered, "structured": whole}
pv.teaching.show(pv.plot_network(toy, masks=masks, view="both"))

# %% [markdown]
# *Where* zeros may stand is the pattern. *Which* go first is the **criterion**, and either pattern takes
# any. You may read that unstructured pruning removes weights "randomly" [1]. Its zeros only look scattered:
# in lesson 01a magnitude chose each. Random is a criterion too, the control, and it works for rows just as
# well.
#
# From here on what counts as one is a neuron: 300 in `fc1`, 100 in `fc2`. The ten of `fc3` are the answers,
# and stay. This lesson looks at `fc1`.

# %% [markdown]
# ## How active is a neuron?
#
# A neuron of `fc1` multiplies each of 784 pixels by a weight, adds them up, and adds a bias. A ReLU
# follows: a negative sum becomes zero. If the sum is positive the neuron *fires*, and passes on its
# *activation*.

# %% [markdown] tags=["pytorch"]
# PyTorch lets you listen in with a *hook*, a function that is called each time a layer has computed. Take
# it off again, or every copy of the model carries it along. The second half of the network is a slice of
# the first.


# %% tags=["pytorch"]
def listen(x):
    """Give what the neurons of fc1 pass on: (images, neurons)."""
    parts = []
    hook = lenet.relu1.register_forward_hook(lambda *given: parts.append(given[-1]))
    with torch.no_grad():
        for part in torch.from_numpy(x.transpose(0, 3, 1, 2).copy()).split(5_000):
            lenet(part / 255)
    hook.remove()
    return torch.cat(parts).numpy()


def finish(hidden, shift=0):
    """Go on from there to the outputs; the shift is added to the sums of fc2."""
    with torch.no_grad():
        sums = lenet.fc2(torch.from_numpy(hidden)) + torch.as_tensor(shift)
        return lenet[4:](sums).numpy()


# %% [markdown] tags=["tensorflow"]
# In Keras you make a second model that shares the layers of the first, and ends where you want to listen.
# What comes after is a loop over the layers that are left.

# %% tags=["tensorflow"]
listener = keras.Model(lenet.inputs, lenet.get_layer("relu1").output)


def listen(x):
    """Give what the neurons of fc1 pass on: (images, neurons)."""
    batches = np.array_split(x, -(-len(x) // 5_000))
    return np.concatenate([listener.predict_on_batch(b / np.float32(255)) for b in batches])


@tf.function
def rest(hidden, shift):
    """Go through fc2, relu2 and fc3."""
    outputs = lenet.get_layer("fc2")(hidden) + shift
    for layer in lenet.layers[4:]:
        outputs = layer(outputs)
    return outputs


def finish(hidden, shift=0):
    """Go on from there to the outputs; the shift is added to the sums of fc2."""
    return rest(tf.constant(hidden), tf.zeros(100) + shift).numpy()


# %%
sent = listen(scored_on[0])
density = (sent > 0).mean(axis=0)
print(f"on {len(sent):,} training images, of {density.size} neurons of fc1")
print(f"never fire: {np.sum(density == 0)}")
print(f"half of them fire on at least {np.median(density):.1%} of the images")

ax = pv.plot_neuron_activity(lenet, images, layer="fc1")
pv.teaching.show(ax)

# %% [markdown]
# > **Card: density.** The share of images on which a neuron fires. The rest, to one, is its average
# > percentage of zeros, APoZ (Hu and others, 2016). *Mean activity* is the average of its activation, zeros
# > included. A neuron that never fires is called *dead*.
#
# **Predict.** Cut the dead neurons, and no answer changes: what they send is zero as it is. Now leave them,
# and cut the ten that do fire, but most seldom. How many of the 5,000 answers change?

# %% tags=["answer"]
guess = ...  # how many of the 5,000 answers change?
hidden = listen(images)
outputs = finish(hidden)
answers = outputs.argmax(axis=1)


def answers_without(gone, shift=0):
    """Silence the neurons of fc1 that are marked, and answer."""
    return finish(np.where(gone, 0, hidden), shift).argmax(axis=1)


order = np.argsort(density, kind="stable")
seldom = np.isin(np.arange(300), order[density[order] > 0][:10])
print(f"without the dead: {np.sum(answers_without(density == 0) != answers)} answers change")
print(f"the ten most seldom fire on {density[seldom].max():.0%} of the images or less")
pv.teaching.compare(guess, int(np.sum(answers_without(seldom) != answers)), "answers changed")

# %% [markdown]
# Seldom is not never. And never means *on these images*: light the pixels with a positive weight, leave the
# others black, and each of the dead would fire.

# %%
fc1, fc2 = pv.network(lenet)["fc1"], pv.network(lenet)["fc2"]
most = fc1.bias + np.maximum(fc1.weight, 0).sum(axis=1)
print("dead neurons of fc1:     ", *np.flatnonzero(density == 0))
print("most they could sum up to:", *most[density == 0].round(1))
print(f"dead on all 55,000 images: {np.sum((listen(mnist.train[0]) > 0).sum(axis=0) == 0)}")

# %% [markdown]
# ## Ask each neuron
#
# Silence one neuron, note how the ten outputs change for each image, and put it back. That takes 300
# measurements, about 5 s.
#
# **Predict.** One of the 300 changes the most answers. How many of the 5,000?

# %% tags=["answer"]
guess = ...  # how many answers does the most important neuron change?


def single_changes(hidden):
    """Silence each neuron alone: how the outputs change, (neurons, images, 10)."""
    before, found = finish(hidden), []
    for neuron in range(300):
        one = hidden.copy()
        one[:, neuron] = 0
        found.append(finish(one) - before)
    return np.stack(found)


change = single_changes(hidden)
alone = (outputs + change).argmax(axis=2)  # the answers when one is silent: (neurons, images)
changed = (alone != answers).sum(axis=1)
was_right = answers == labels
print(f"half of the neurons change {np.median(changed):.0f} answer or none")
pv.teaching.compare(guess, int(changed.max()), "answers changed by one neuron")

# %% tags=["fold", "answer"]
figure = Figure(figsize=(8, 3.3), layout="constrained")
ax = figure.subplots()
ax.scatter(density, changed, s=16, color=style.KEPT, alpha=0.6, linewidths=0)
ax.xaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
ax.set(xlabel="share of images on which the neuron fires", ylabel="answers it changes")
ax.spines[["top", "right"]].set_visible(False)
style.title(ax, "How often a neuron fires does not tell how often it is missed")
first, second = np.argsort(-changed, kind="stable")[:2]
pv.teaching.show(
    figure,
    alt="The 300 neurons of fc1: the answers that change when one is silent, against the share of "
    "images on which it fires. Most lie near zero, whatever their share. The two that change the "
    f"most, {changed[first]} and {changed[second]} answers, fire on {density[first]:.0%} and on "
    f"{density[second]:.0%} of the images.",
)

# %% [markdown]
# ### Exercise 1 · A quiet specialist
#
# Find a neuron that is quieter than most, and that *one* digit needs. `activity` is its mean activity, and
# `lost[neuron, digit]` counts the right answers that are lost when it alone is silent. Its activity is to
# be below the median; at least five answers are to be lost, and more than half of them of one digit.

# %% tags=["exercise"]
activity = sent.mean(axis=0)
lost = np.stack([np.bincount(labels[was_right & (row != labels)], minlength=10) for row in alone])

# solution: specialist = ...
total, most_of_all = lost.sum(axis=1), lost.max(axis=1)
found = (activity < np.median(activity)) & (total >= 5) & (most_of_all > total / 2)
specialist = int(np.flatnonzero(found)[0])
# end of solution

# %% tags=["check"]
check.quiet_specialist(specialist, activity=activity, lost=lost)

# %% [markdown]
# ## Quiet is not useless
#
# In a large network nobody measures each neuron. A score is cheaper. Half of `fc1` is to go; the lowest
# scores go first:
#
# | score | a neuron is cut early if |
# |---|---|
# | density | it seldom fires |
# | mean activity | it sends little on average |
# | L1 norm | its weights are small |
# | taylor | activation times gradient, summed over the images, is small |
# | taylor, image by image | the same, but the absolute value is taken for each image (Molchanov, 2017) |
# | random | the control: ten draws |

# %% tags=["pytorch"]
leaf = torch.tensor(sent, requires_grad=True)
loss = F.cross_entropy(lenet[3:](leaf), torch.tensor(scored_on[1]), reduction="sum")
(gradient,) = torch.autograd.grad(loss, leaf)
terms = (leaf * gradient).detach().numpy()

# %% tags=["tensorflow"]
leaf = tf.constant(sent)
with tf.GradientTape() as tape:
    tape.watch(leaf)
    cross_entropy = keras.losses.SparseCategoricalCrossentropy(from_logits=True, reduction="sum")
    loss = cross_entropy(scored_on[1], rest(leaf, tf.zeros(100)))
terms = (leaf * tape.gradient(loss, leaf)).numpy()

# %%
scores = {
    "density": density,
    "mean activity": sent.mean(axis=0),
    "L1 norm": np.abs(fc1.weight).sum(axis=1),
    "taylor": np.abs(terms.sum(axis=0)),
    "taylor, image by image": np.abs(terms).sum(axis=0),
}
draws = [np.random.default_rng(n).random(300) for n in range(10)]


def lowest(score, count=150):
    """Mark the neurons with the lowest scores."""
    return np.isin(np.arange(300), np.argsort(score, kind="stable")[:count])


# %% [markdown]
# **Predict.** The 150 that fire most seldom go. How many of the 5,000 digits stay right? The random draws
# keep between 4,357 and 4,815.

# %% tags=["answer"]
guess = ...  # how many stay right when density chooses?
right = {name: int(np.sum(answers_without(lowest(s)) == labels)) for name, s in scores.items()}
random = sorted(int(np.sum(answers_without(lowest(s)) == labels)) for s in draws)
rows = [*right.items(), ("random, worst of ten", random[0]), ("random, best of ten", random[-1])]
pv.teaching.table(["half of fc1 cut by", "right"], sorted(rows, key=lambda row: -row[1]))
pv.teaching.compare(guess, right["density"], "digits right when density chooses")

# %% [markdown]
# **Measure.** Density is worse than all ten draws. And the same `taylor` terms are the best score or the
# third, by where the absolute value stands.
#
# **Touch.** Half of `fc1` is cut. Change the criterion to `apoz`, which is density, and look at the table of
# answers: which digit does it cost? Then try `activation`, the mean activity, and `magnitude`, the L1 norm.

# %% tags=["answer"]
half = pv.explore(
    lenet,
    validation,
    granularity="neuron",
    exclude=["fc2"],
    scored_on=scored_on,
    show=["slider", "selectors", "accuracy", "confusion"],
    predict=False,
    sparsity=0.5,
    title="LeNet-300-100 · half of fc1",
)
await half.measured()
half

# %% tags=["drive"]
for criterion in ("magnitude", "activation", "apoz"):
    half.criterion = criterion
    await half.measured()
    print(half.sentence())
    hit = half.card.predictions == labels
    read = [hit[labels == digit].mean() for digit in range(10)]
    print(f"    worst digit: {np.argmin(read)}, {min(read):.0%} of its images are right")
half.criterion = "magnitude"

# %% [markdown]
# ## Leave the average behind
#
# Of the ones, 7% are left. An explanation is at hand. Seldom neurons are specialists, exercise 1 found one,
# and those of the one are gone. Before you believe it, test it.
#
# A cut neuron sends zero. Let it send something else: its average, the same for every image. What `fc2`
# receives is then constant times weight, and that can be added to its bias. But a constant says nothing
# about an image. If the ones need what their specialists *say*, no constant will bring them back.
#
# **Predict.** Density has cut 150 neurons. Each leaves its average behind. What share of the ones is right?


# %% tags=["fold"]
def draw_digits(without, with_average, guess):
    """Draw the share of each digit that is right, with and without the averages."""
    figure = Figure(figsize=(8, 3.3), layout="constrained")
    ax = figure.subplots()
    kinds = (
        (-0.2, "nothing left behind", without, style.SERIES[1][0]),
        (0.2, "its average", with_average, style.KEPT),
    )
    for offset, name, read, colour in kinds:
        shares = [np.mean(read[labels == digit] == digit) for digit in range(10)]
        ax.bar(np.arange(10) + offset, shares, 0.38, color=colour, label=name)
    whole = [np.mean(answers[labels == digit] == digit) for digit in range(10)]
    ax.plot(range(10), whole, "_", markersize=26, color="#333333", label="no neuron cut")
    if guess is not ...:
        ax.plot(1, guess, "D", markersize=8, color="#333333", fillstyle="none", label="your guess")
    ax.set(xlabel="digit", ylabel="share that is right", xticks=range(10), ylim=(0, 1.05))
    ax.yaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
    ax.spines[["top", "right"]].set_visible(False)
    ax.legend(frameon=False, ncols=4, loc="lower center", bbox_to_anchor=(0.5, 1))
    pv.teaching.show(
        figure,
        alt="The share of each digit that is right after density has cut half of fc1. With nothing "
        "left behind, almost no one and little more than half of the fives and sevens are right. "
        "With the averages left behind all ten digits are between 78 and 97%.",
    )


# %% tags=["answer"]
guess = ...  # what share of the ones? 0.5 is half
usual = sent.mean(axis=0)


def moved(gone):
    """Sum up what the marked neurons send to fc2 on average."""
    return fc2.weight[:, gone] @ usual[gone]


gone = lowest(density)
cut, mended = answers_without(gone), answers_without(gone, moved(gone))
draw_digits(cut, mended, guess)
ones = labels == 1
print(f"of the ones with nothing left behind: {np.mean(cut[ones] == 1):.1%}")
pv.teaching.compare(guess, float(np.mean(mended[ones] == 1)), "of the ones right", share=True)

# %% [markdown]
# **Measure.** All digits, and the other scores treated alike:


# %% tags=["answer"]
def both_ways(score):
    """Count right answers with nothing left behind, and with the average."""
    gone = lowest(score)
    return [int(np.sum(answers_without(gone, s) == labels)) for s in (0, moved(gone))]


rows = [(name, *both_ways(scores[name])) for name in ("density", "mean activity", "L1 norm")]
random = np.array([both_ways(score) for score in draws])
rows += [("random, worst of ten", *random.min(axis=0))]
rows += [("random, best of ten", *random.max(axis=0))]
pv.teaching.table(["half of fc1 cut by", "nothing left behind", "its average"], rows)
broken, back = dense.correct - rows[0][1], rows[0][2] - rows[0][1]
print(f"density lost {broken:,} answers; the averages brought {back:,} back")

# %% [markdown]
# **Explain.** A constant brought back 935 of the 1,306 answers that were lost, and nearly all ones. So
# these did not need what the seldom neurons *say*. They needed the sums of `fc2` at their usual height.
# Treated alike, density is one among the random draws. What is still missing, up to what the L1
# norm keeps, the average does not replace.
#
# **What would have shown us wrong?** Ones that stay lost with the averages in place.

# %% [markdown]
# ### Is the shift to blame, then?
#
# Do the reverse. Cut nothing, and take from the sums of `fc2` what the 150 send on average.
#
# **Predict.** All neurons are there, and the sums are shifted as the cut shifts them. How many are right?

# %% tags=["answer"]
guess = ...  # how many of the 5,000 digits stay right?
nobody = np.zeros(300, bool)
arms = {"no neuron cut": (nobody, 0, -moved(gone)), "150 cut by density": (gone, moved(gone), 0)}
rows = [
    (name, *(int(np.sum(answers_without(who, s) == labels)) for s in shifts))
    for name, (who, *shifts) in arms.items()
]
pv.teaching.table(["right, of 5,000", "sums as usual", "sums shifted"], rows)
(_, shift), (missing, both) = (np.subtract(rows[0][1], row[1:]) for row in rows)
print(f"lost: {shift} by the shift, {missing} by the missing neurons, {both:,} by both")
pv.teaching.compare(guess, rows[0][2], "digits right with the shift alone")

# %% [markdown]
# **Explain.** The shift alone costs 73 answers, the missing neurons alone 371. Both at once cost 1,306.
# Neither is *the* cause: a whole network shrugs off a shift that half of it does not survive. Two small
# harms made a large one. Keep that in mind.
#
# **What would have shown us wrong?** A shift that alone costs nearly as much as it gave back, 935.
#
# You may read that leaving the average behind always beats removal [2]. It cost the random draws
# answers here. Three networks, from `benchmarks/choosing_neurons.py`, cut by density, and ten random draws
# in each:

# %%
study = pv.teaching.results("choosing_neurons")
rows, helped = [], []
for seed, found in study["seeds"].items():
    arms, ones = found["left_behind"]["density"], study["ones"]
    chances = [found["left_behind"][f"random {n}"] for n in range(10)]
    draws_alike = [one["average"][0] for one in chances]
    helped.append(sum(one["average"][0] > one["nothing"][0] for one in chances))
    shares = [f"{arms[arm][1] / ones:.0%}" for arm in ("nothing", "average")]
    counts = [arms[arm][0] for arm in ("nothing", "average", "shift alone")]
    chance = f"{min(draws_alike):,} to {max(draws_alike):,}"
    rows.append((seed, *counts, chance, " to ".join(shares)))
header = ["network", "nothing", "average", "shift alone", "random, average", "ones, by the average"]
pv.teaching.table(header, rows)
print("random draws that the average helped, of ten:", ", ".join(map(str, helped)))

tuned = pv.teaching.results("unit_criteria")["networks"]["lenet_300_100"]
at = pv.teaching.results("unit_criteria")["sparsities"].index(0.5)
print("\nhalf of both layers cut, then one epoch of fine-tuning:")
for name, criterion in {"L1 norm": "magnitude", "random": "random", "density": "apoz"}.items():
    counts = sorted(row[at] for row in tuned["fine_tuned"]["layer"][criterion])
    print(f"  {name}, {counts[0]:,} to {counts[-1]:,}")
counts = sorted(tuned["dense_fine_tuned"])
print(f"  the control, no neuron cut, {counts[0]:,} to {counts[-1]:,}")

# %% [markdown]
# In each, hundreds of the lost answers come back, and density lands inside the range of the random
# draws. That the *ones* come back is this network's story: in the two others they do in part. The
# average helped none of the ten random draws here, and a few of them there; no cell shows why. After an epoch of fine-tuning, with the dense network as the control, density is still last.

# %% [markdown]
# ### Exercise 2 · Leave it behind
#
# Write what a cut needs. You get what the neurons of a layer send (images, neurons), which of them go
# (bools), and the weights and biases of the next layer, as your framework stores them. Return the biases
# with which the next layer receives, on average, what it received before.


# %% tags=["pytorch", "exercise"]
def new_bias(sent, gone, next_weight, next_bias):
    """Add to the biases what the neurons that go used to send on average."""
    # solution:
    return next_bias + next_weight[:, gone] @ sent[:, gone].mean(axis=0)
    # end of solution


# %% tags=["tensorflow", "exercise"]
def new_bias(sent, gone, next_weight, next_bias):
    """Add to the biases what the neurons that go used to send on average."""
    # solution:
    return next_bias + sent[:, gone].mean(axis=0) @ next_weight[gone]
    # end of solution


# %% tags=["pytorch", "check"]
check.average_left_behind(new_bias, framework="torch")

# %% tags=["tensorflow", "check"]
check.average_left_behind(new_bias, framework="keras")

# %% [markdown]
# ## Harmless one by one
#
# Line the neurons up, those that change the fewest answers first. Each of the first hundred changes none,
# each of the first 200 two at most. Some of these changes lose a right answer and some win one, so that the
# 200 single losses add up to about 0.
#
# **Predict.** The first 200 fall silent together. How many of the right answers are lost?

# %% tags=["fold"]
harmless = np.argsort(changed, kind="stable")
single_loss = was_right.sum() - (alone == labels).sum(axis=1)


def most_harmless(count):
    """Mark the first neurons."""
    return np.isin(np.arange(300), harmless[:count])


def lost_with(answered):
    """Count the right answers that are lost, less those that are won."""
    return int(was_right.sum() - (answered == labels).sum())


def added_up(count):
    """Answer by the single changes of the outputs, added up."""
    return (outputs + change[harmless[:count]].sum(axis=0)).argmax(axis=1)


def draw_together(guess, *, by_outputs=False):
    """Draw the answers lost together, and what single measurements promise."""
    counts = range(0, 251, 10)
    lines = {
        "lost together": [lost_with(answers_without(most_harmless(count))) for count in counts],
        "single losses, added up": [single_loss[harmless[:count]].sum() for count in counts],
    }
    if by_outputs:
        lines["outputs, added up"] = [lost_with(added_up(count)) for count in counts]
    figure = Figure(figsize=(8, 3.3), layout="constrained")
    ax = figure.subplots()
    for (name, height), (colour, marker, dash) in zip(lines.items(), style.SERIES, strict=False):
        look = {"color": colour, "linestyle": dash, "marker": marker, "markersize": 4}
        ax.plot(counts, height, label=name, **look)
    if guess is not ...:
        ax.plot(200, guess, "D", markersize=8, color="#333", fillstyle="none", label="your guess")
    ax.set(xlabel="neurons of fc1 silenced, the most harmless first", ylabel="right answers lost")
    ax.spines[["top", "right"]].set_visible(False)
    ax.legend(frameon=False)
    style.title(ax, "Harmless one by one, harmful together")
    words = (
        "Right answers lost against the number of neurons silenced together, the most harmless "
        "first. The single losses, added up, stay at zero. The real loss leaves zero near 100 "
        "neurons, and rises ever more steeply to hundreds."
    )
    if by_outputs:
        words += " The outputs, added up, promise a curve that lies on the real one or just above."
    pv.teaching.show(figure, alt=words)


print(f"answers that one of the first 100 changes, at most: {changed[harmless[99]]}")
about = abs(round(int(single_loss[harmless[:200]].sum()), -1))
print(f"one of the first 200: {changed[harmless[199]]}; their losses add up to about {about}")

# %% tags=["answer"]
guess = ...  # how many right answers are lost?
draw_together(guess)
now = answers_without(most_harmless(200))
early = answers_without(most_harmless(100))
print(f"answers that change: {np.sum(early != answers)} without the first 100,", end=" ")
print(f"{np.sum(now != answers)} without the first 200")
pv.teaching.compare(guess, lost_with(now), "right answers lost without the first 200")

# %% [markdown]
# A first explanation, and you may read it often: neurons *stand in for each other*. Silence one, and others
# still carry what it said. If so, 200 together must move the ten outputs by far more than their 200 single
# moves added up. You have kept those moves, in `change`.
#
# **Predict.** Add the 200 single moves up, output by output, and read the answers off the sums. How many
# right ones are lost then?

# %% tags=["answer"]
guess = ...  # how many right answers are lost, by the added-up outputs?
draw_together(guess, by_outputs=True)
runner_up, leader = np.sort(outputs, axis=1)[:, -2:].T
print(f"the lead of the largest output, median: {np.median(leader - runner_up):.1f}")
print(f"one of the 200 moves an output by, mean: {np.abs(change[harmless[:200]]).mean():.2f}")
together = finish(np.where(most_harmless(200), 0, hidden)) - outputs
summed = change[harmless[:200]].sum(axis=0)
print(f"all 200 move an output by, mean: {np.abs(together).mean():.1f} together", end=", ")
print(f"{np.abs(summed).mean():.1f} by adding up")
study = pv.teaching.results("choosing_neurons")
for seed, found in study["seeds"].items():
    row = found["together"][-1]
    print(f"network {seed}, 200 gone: {row['lost, added up']} lost by adding up,", end=" ")
    print(f"{row['lost']} together")
pv.teaching.compare(guess, lost_with(added_up(200)), "right answers lost, by adding up")

# %% [markdown]
# **Explain.** The outputs *do* add up: to 5.0, and together they move by 4.9. The single moves promise at
# least as many lost answers as there are, in all three networks. So these neurons do not cover for each
# other. What does not add up is the count. An answer changes when another output overtakes the leader, and
# the lead is long. One of these neurons is hardly ever enough to use it up. Two hundred are, and a count of
# answers sees little until then.
#
# **What would have shown us wrong?** Added-up outputs that promise few lost answers.

# %% [markdown]
# ## Choose by the sum
#
# A ranking asks each neuron: *what if only you go?* A **greedy** choice removes one, scores the others
# again, removes the next. It is said to help where neurons stand in for each other. Here they do not. Does
# it help, and by what?
#
# Its score is the loss on 300 training images when a neuron is silent. Two hundred steps take 40,100
# measurements. Try something cheaper: measure each neuron *once*, keep how it moves the outputs, and let
# each step add to the moves made so far.

# %%
truth = scored_on[1]


def mean_loss(outputs):
    """Average the loss over the first training images; any axes may stand before (images, 10)."""
    count = outputs.shape[-2]
    of_truth = outputs[..., np.arange(count), truth[:count]]
    return np.mean(np.logaddexp.reduce(outputs, axis=-1) - of_truth, axis=-1)


few = sent[:300]
moves, sums = single_changes(few), finish(few)
once = np.argsort(mean_loss(sums + moves), kind="stable")
added, left = [], list(range(300))
while len(added) < 240:
    least = left.pop(int(np.argmin(mean_loss(sums + moves[left]))))
    sums = sums + moves[least]
    added.append(least)

# %% [markdown]
# The same ranking from 5,000 images, about 10 s:

# %%
many = sent[:5_000]
before, losses = finish(many), []
for neuron in range(300):
    one = many.copy()
    one[:, neuron] = 0
    losses.append(mean_loss(finish(one)))
once_of_many = np.argsort(losses, kind="stable")

# %% [markdown]
# **Predict.** 200 are gone. The ranking of 300 images keeps 4,601. How many does the choice by the sum keep?

# %% tags=["fold"]
ways = {
    "by the sum": added,
    "ranked once, 300 images": once,
    "ranked once, 5,000 images": once_of_many,
    "L1 norm": np.argsort(scores["L1 norm"], kind="stable"),
}


def right_without(ranked, count):
    """Count right answers without the first neurons of a list."""
    return int(np.sum(answers_without(np.isin(np.arange(300), ranked[:count])) == labels))


def draw_ways(guess):
    """Draw how many stay right along each list."""
    counts = range(0, 241, 20)
    figure = Figure(figsize=(8, 3.5), layout="constrained")
    ax = figure.subplots()
    for (name, ranked), (colour, marker, dash) in zip(ways.items(), style.SERIES, strict=False):
        height = [right_without(ranked, count) for count in counts]
        look = {"color": colour, "linestyle": dash, "marker": marker, "markersize": 4}
        ax.plot(counts, height, label=name, **look)
    if guess is not ...:
        ax.plot(200, guess, "D", markersize=8, color="#333", fillstyle="none", label="your guess")
    ax.set(xlabel="neurons of fc1 gone", ylabel="right, of 5,000")
    ax.spines[["top", "right"]].set_visible(False)
    ax.legend(frameon=False)
    style.title(ax, "One score, used once or by the sum")
    pv.teaching.show(
        figure,
        alt="Right answers against the number of neurons gone, for four ways to choose. All "
        "start at the same height. From about 100 neurons on the choice by the sum is "
        "highest. The ranking of 300 images falls first; that of 5,000 images and the L1 norm "
        "lie between, close to each other.",
    )


# %% tags=["answer"]
guess = ...  # how many of the 5,000 stay right?
draw_ways(guess)
at = 50, 100, 150, 200
rows = [(name, *(right_without(ranked, n) for n in at)) for name, ranked in ways.items()]
pv.teaching.table(["right without", "50", "100", "150", "200"], rows)
pv.teaching.compare(guess, rows[0][-1], "digits right, chosen by the sum")

# %% tags=["answer"]
names = {
    "greedy": f"greedy, {sum(300 - step for step in range(200)):,} measurements",
    "greedy, added up": "by the sum, 300 measurements",
    **{way: way for way in list(ways)[1:]},
}
chosen = [found["one_after_the_other"] for found in study["seeds"].values()]
rows = [(name, *(found[way][-1] for found in chosen)) for way, name in names.items()]
pv.teaching.table(["200 gone, three networks", "seed 0", "seed 1", "seed 2"], rows)

# %% [markdown]
# **Explain.** Greedy, which measures again at each step, and the choice by the sum, which never does, end
# within a few answers of each other. So what greedy gains is not in the measuring. Both judge the *sum* of
# the moves, and a ranking judges each move alone.
#
# With 200 gone, the ranking by the loss on 300 images loses to the L1 norm, which looks at none, in two
# networks of three. From 5,000 images the same ranking is ahead of it in all three: a loss on 300 images is
# a noisy score.
#
# **What would have shown us wrong?** A choice by the sum that ends near the ranking instead of near greedy.

# %% [markdown]
# ### Exercise 3 · Greedy
#
# Choose `count` of the `neurons`, greedily. `harm(removed)` tells how much the network suffers when all
# neurons in the list `removed` are gone. Return the list of those you chose, in the order in which they
# went. The check tries it on small invented networks, in which some neurons do stand in for others.


# %% tags=["exercise"]
def greedily(harm, neurons, count):
    """Remove the least harmful neuron, score the others again, and so on."""
    # solution:
    removed, left = [], list(neurons)
    for _ in range(count):
        harms = [harm([*removed, neuron]) for neuron in left]
        removed.append(left.pop(int(np.argmin(harms))))
    return removed
    # end of solution


# %% tags=["check"]
check.greedy_choice(greedily)

# %% [markdown]
# ### Exercise 4 · 200 neurons, no labels
#
# An open one. Choose 200 of the 300 neurons, without a label and without a gradient. You get what they send
# on 10,000 training images (images, neurons), and the weights with which `fc2` reads them (out, in). Return
# their numbers. Your target: 4,800 of the 5,000 right. The L1 norm keeps 4,712. Lesson 01b has a hint: what
# is a weight without the thing that it multiplies?


# %% tags=["exercise"]
def choose(sent, into):
    """Return 200 neurons that can go."""
    # solution:
    # what it sends, times how closely it is heard
    score = sent.mean(axis=0) * np.abs(into).sum(axis=0)
    return np.argsort(score, kind="stable")[:200]
    # end of solution


# %% tags=["check"]
keeps = lambda gone: right_without(gone, 200)  # noqa: E731
check.no_labels(choose, sent=sent, into=fc2.weight, right=keeps, target=4_800)

# %% [markdown]
# ## The report
#
# All of this was chosen on training and validation images. Half of `fc1`, chosen by the sum, is reported
# once, on the test images, beside the ten random draws. Nothing was fine-tuned.

# %%
on_test = listen(test[0])


def report(gone):
    """Count right answers on the test images."""
    return int(np.sum(finish(np.where(gone, 0, on_test)).argmax(axis=1) == test[1]))


count, n = report(np.isin(np.arange(300), added[:150])), len(test[1])
low, high = pv.wilson(count, n)
print(f"dense: {report(nobody):,} of {n:,}")
print(f"half of fc1 gone, by the sum: {count:,}, {count / n:.1%}", end="; ")
print(f"95% interval {low:.1%} to {high:.1%}")
control = sorted(report(lowest(score)) for score in draws)
print(f"half of fc1 gone, by chance: {control[0]:,} to {control[-1]:,}, ten draws")

# %% [markdown]
# ## Now yours
#
# Put your own network of dense layers, your inputs and your labels into the first paragraph. The script
# silences half of the first hidden layer, by what each neuron sends times how closely it is heard, and
# leaves the averages behind.

# %% tags=["pytorch", "yours"]
model = pv.zoo.lenet_300_100("torch")  # put your model and data here
x = torch.tensor(images.transpose(0, 3, 1, 2) / np.float32(255))
y = torch.tensor(labels).long()

import copy
import torch

silent = copy.deepcopy(model)
first, following = [m for m in silent.modules() if isinstance(m, torch.nn.Linear)][:2]
inputs = []
hook = following.register_forward_pre_hook(lambda _, given: inputs.append(given[0]))
with torch.no_grad():
    before = (silent(x).argmax(1) == y).sum().item()
    hook.remove()
    average, weight = inputs[0].mean(0), following.weight
    score = inputs[0].abs().mean(0) * weight.abs().sum(0)
    gone = score.argsort()[: len(score) // 2]
    following.bias += weight[:, gone] @ average[gone]
    weight[:, gone] = 0
    first.weight[gone], first.bias[gone] = 0, 0
    after = (silent(x).argmax(1) == y).sum().item()
print(f"{len(gone)} of {len(score)} neurons silent: {before:,}, then {after:,} of {len(y):,} right")

# %% tags=["tensorflow", "yours"]
model = pv.zoo.lenet_300_100("keras")  # put your model and data here
x, y = images / np.float32(255), labels

import keras
import numpy as np

silent = keras.models.clone_model(model)
silent.set_weights(model.get_weights())
first, following = [layer for layer in silent.layers if isinstance(layer, keras.layers.Dense)][:2]
listener = keras.Model(silent.inputs, following.input)
sends = listener.predict(x, verbose=0)
before = (model.predict(x, verbose=0).argmax(1) == y).sum()
weight, bias = following.get_weights()
average, score = sends.mean(0), np.abs(sends).mean(0) * np.abs(weight).sum(1)
gone = score.argsort()[: len(score) // 2]
bias += average[gone] @ weight[gone]
weight[gone] = 0
following.set_weights([weight, bias])
own_weight, own_bias = first.get_weights()
own_weight[:, gone], own_bias[gone] = 0, 0
first.set_weights([own_weight, own_bias])
after = (silent.predict(x, verbose=0).argmax(1) == y).sum()
print(f"{len(gone)} of {len(score)} neurons silent: {before:,}, then {after:,} of {len(y):,} right")

# %% [markdown]
# ## Quiz
#
# Open the option that you would choose. It says whether it is right, and why.

# %% [markdown] tags=["quiz"]
# A neuron fires on 1% of the images. What do you do with it?
# - [ ] Remove it: what is so rare cannot matter.
#   why: Rare is how often, not how much. Cutting by density did worse than every random draw here.
# - [ ] Remove it: it is dead.
#   why: Dead is a neuron that never fires. This one does, on one image of a hundred.
# - [x] Silence it and measure what that costs, and which class pays.
#   why: Activity is only a guess at importance. One measurement settles it for this neuron, as long as the
#     others stay.

# %% [markdown] tags=["quiz"]
# With its average left behind, the cut by density lost 371 answers instead of 1,306. So most of the lost answers
# - [ ] needed what the seldom neurons say about an image.
#   why: An average is the same for every image. It says nothing about any of them, and yet most came back.
# - [x] needed the sums of the next layer at their usual height, once half of the neurons were gone.
#   why: That is what the constant restores. In the whole network the same shift cost only 73.
# - [ ] were lost by chance.
#   why: Cut and average give the same counts each time, and three networks agree.

# %% [markdown] tags=["quiz"]
# Each of 200 neurons changes two answers at most; together they lose 152 right ones. Why, here?
# - [ ] Because each stands in for others that are gone.
#   why: Then the outputs would move by far more than the single moves added up. They did not.
# - [x] Because small moves of the outputs add up, and an answer changes only when the lead is used up.
#   why: The added-up outputs promised at least as many lost answers as there were.
# - [ ] Because 200 is half of the network.
#   why: It is half of the 400 hidden neurons. The single moves of the outputs foretold the count; a share does
#     not.

# %% [markdown] tags=["quiz"]
# "Unstructured" tells you
# - [x] that zeros may stand anywhere.
#   why: It names the pattern, and nothing else. Which zeros, the criterion says.
# - [ ] that the weights were chosen at random.
#   why: Random is a criterion, one of many, and it can choose whole neurons too.
# - [ ] that the smallest weights were cut.
#   why: That is magnitude, a criterion. A pattern does not say which go first.

# %% [markdown]
# ## The question people really ask
#
# *How do I get rid of the zeros? I want the pruned filters gone, not masked.* ([pytorch/pytorch, thread
# 58846](https://github.com/pytorch/pytorch/issues/58846))
#
# Silencing chooses; it makes nothing smaller. In this lesson all arrays kept their shapes. Only a
# structured cut can be packed: a neuron is a whole row, and a row can be taken out. Lesson 02b does it, and
# proves that nothing else has changed.

# %% [markdown]
# ## Recap
#
# In this lesson you have
#
# - told structured from unstructured, and the pattern from the criterion; random is one of the criteria;
# - measured how often neurons fire, and found that most of what the cut by density broke was mended by one
#   constant a neuron;
# - seen that single moves of the outputs add up, and that counts of answers do not show it until it is late;
# - chosen 200 neurons from one measurement of each, as well as greedy did with 40,100.
#
# Next: lesson 02b takes them out.

# %% [markdown]
# ## Further reading
#
# - [1] Unstructured pruning as "randomly" removing weights: Jan Marcel Kezmann, *Optimizing Deep Learning
#   Models with Pruning: A Practical Guide*. It also presents the removal of neurons of low activity as
#   simple and intuitive.
# - [2] U. Evci, N. Le Roux, P. Castro and L. Bottou. Mean Replacement Pruning. [Submission to the
#   International Conference on Learning Representations](https://openreview.net/forum?id=BJxRVnC5Fm), 2019.
#   The average left behind, in the next layer's bias.
# - H. Hu, R. Peng, Y.-W. Tai and C.-K. Tang. Network Trimming: A Data-Driven Neuron Pruning Approach towards
#   Efficient Deep Architectures. arXiv:1607.03250, 2016. Neurons whose activations are mostly zero.
# - P. Molchanov, S. Tyree, T. Karras, T. Aila and J. Kautz. Pruning Convolutional Neural Networks for
#   Resource Efficient Inference. *International Conference on Learning Representations*, 2017. Activation
#   times gradient, image by image; and greedy removal.
# - M. C. Mozer and P. Smolensky. Skeletonization: A Technique for Trimming the Fat from a Network via
#   Relevance Assessment. *Advances in Neural Information Processing Systems* 1, 1989. What happens to the
#   loss when a unit is taken away: the first of its kind.
# - A. S. Morcos, D. G. T. Barrett, N. C. Rabinowitz and M. Botvinick. On the importance of single directions
#   for generalization. *International Conference on Learning Representations*, 2018. Silencing neurons one
#   by one and together; how selective a neuron is says little about its importance.
