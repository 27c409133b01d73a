# %% [markdown]
# # 05 · Iterative pruning
#
# 98% of the weights are to go, and there is time for a little training. When should they go? All at once?
# As many each time? Most of them first, or most of them last?

# %% tags=["fold", "pytorch"]
import copy

import numpy as np

import pruneviz as pv

pv.teaching.start("pytorch")
FRAMEWORK = "torch"

import torch
from matplotlib.figure import Figure
from torch.nn import functional as F

from pruneviz.plots import style

mnist = pv.datasets.mnist()
validation, test = mnist.validation, mnist.test
lenet = pv.zoo.lenet_300_100(FRAMEWORK)
images = torch.tensor(mnist.train[0].transpose(0, 3, 1, 2) / np.float32(255))
labels = torch.tensor(mnist.train[1])
BATCH = 512
STEPS = -(-len(labels) // BATCH)  # in an epoch; rounded up, for the last batch is a small one


def train(student, epochs, rate=8e-3, seed=0):
    """Fine-tune in place: Adam, and a rate that falls to zero along a cosine."""
    order = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.Adam(student.parameters(), rate, fused=True)
    falling = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs * STEPS)
    student.train()
    for _ in range(epochs):
        for batch in torch.randperm(len(images), generator=order).split(BATCH):
            loss = F.cross_entropy(student(images[batch]), labels[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            falling.step()
    return student.eval()


def copied(network):
    """Copy a network."""
    return copy.deepcopy(network)


def pruned(network, schedule, epochs=3, seed=0, **words):
    """Copy a network, and train it while its weights leave on schedule; give it and its mask."""
    student = copied(network)
    with pv.prune_while_training(student, schedule, **words) as pruning:
        train(student, epochs, seed=seed)
    return student, pruning.mask


# %% tags=["fold", "tensorflow"]
import numpy as np

import pruneviz as pv

pv.teaching.start("tensorflow")
FRAMEWORK = "keras"

import keras
import tensorflow as tf
from matplotlib.figure import Figure

from pruneviz.plots import style

mnist = pv.datasets.mnist()
validation, test = mnist.validation, mnist.test
lenet = pv.zoo.lenet_300_100(FRAMEWORK)
images, labels = map(tf.constant, mnist.train)
BATCH = 512
STEPS = -(-len(labels) // BATCH)  # in an epoch; rounded up, for the last batch is a small one
loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def pick(rows):
    """Take a batch: pixels in [0, 1], and labels."""
    return tf.cast(tf.gather(images, rows), tf.float32) / 255, tf.gather(labels, rows)


def pictures(seed):
    """Give all training images in batches, in an order that the seed decides."""
    return tf.data.Dataset.range(len(labels)).shuffle(len(labels), seed=seed).batch(BATCH).map(pick)


def train(student, epochs, rate=8e-3, seed=0, callbacks=None):
    """Fine-tune in place: Adam, and a rate that falls to zero along a cosine."""
    keras.utils.set_random_seed(seed % 2**32)
    falling = keras.optimizers.schedules.CosineDecay(rate, epochs * STEPS)
    student.compile(keras.optimizers.Adam(falling), loss)
    student.fit(pictures(seed), epochs=epochs, shuffle=False, verbose=0, callbacks=callbacks)
    return student


def copied(network):
    """Copy a network."""
    twin = keras.models.clone_model(network)
    twin.set_weights(network.get_weights())
    return twin


def pruned(network, schedule, epochs=3, seed=0, **words):
    """Copy a network, and train it while its weights leave on schedule; give it and its mask."""
    student = copied(network)
    with pv.prune_while_training(student, schedule, **words) as pruning:
        train(student, epochs, seed=seed, callbacks=[pruning.callback])
    return student, pruning.mask


# %% tags=["fold"]
def an_epoch(thin, _mask=None, _seed=None):
    """Train a pruned network for one epoch: a round of the next view."""
    train(thin, 1)


def right(network):
    """Count right validation images."""
    return pv.scorecard(network, validation).correct


def thousands(count):
    """Round: at 98% another computer may get a hundred digits more or fewer right."""
    return round(count / 1000, 1)


dense = right(lenet)
total = sum(layer.weight.size for layer in pv.network(lenet).layers)
print(f"LeNet-300-100: {total:,} weights, {dense:,} of {len(validation[1]):,} digits right")

# %% [markdown]
# **Touch.** Three rounds: a third of the cut, then an epoch of training. Press *Run* (about 10 s). Then drag the
# handles so that more goes early, and run again: the runs are drawn over each other.
#
# **Predict.** How many thousand of the 5,000 does the straight line keep right?

# %%
view = pv.ScheduleExplorer(
    lenet,
    an_epoch,
    validation,
    rounds=3,
    final=0.98,
    kind="linear",
    end=3,
    title="LeNet-300-100 · schedule",
)
view

# %% tags=["drive", "trains"]
for kind, begin, end in (("linear", 0, 3), ("polynomial", 0, 2), ("one_shot", 1, 1)):
    view.kind = kind
    view.begin, view.end = begin, end
    view.run()
print(f"each run leaves {view.plan()[-1]['left']:,} weights")
view.kind, view.begin, view.end = "linear", 0, 3

# %% tags=["answer", "trains"]
guess = ...  # how many thousand of the 5 thousand digits stay right on the straight line?
header = ["thousand digits right", *(f"round {number}" for number in (1, 2, 3))]
rows = [[run["name"], *(thousands(done["correct"]) for done in run["rounds"])] for run in view.runs]
pv.teaching.table(header, rows)
found = thousands(view.runs[0]["rounds"][-1]["correct"])
pv.teaching.compare(guess, found, "thousand digits right")

# %% [markdown]
# **Explain.** All three keep equally many weights, trained as long. The curve is far ahead. It takes most
# early, and its last cut a round earlier: two differences. The straight line, little by little as it is, ends a thousand digits or more behind.
#
# **What would have shown us wrong?** Three runs within a few dozen digits of each other.

# %% [markdown]
# ## What you will learn
#
# ![The map of the course; lit are weight, magnitude, the network, at once, in rounds, while it trains.](../map/05.svg)
#
# - To read and to write a schedule, and to see why two formulas with the same letters draw opposite curves.
# - To compare one-shot and gradual pruning at equal training, and to tell the schedule from the learning rate.
# - To prune while you train, in your own loop and with your framework's tool, and to stop.
# - To say what a winning ticket shows, and what pruning does to the time of training.
#
# **Before you start.** You have done lessons 01a to 01c: mask, magnitude, scope, fine-tuning.

# %% [markdown] tags=["pytorch"]
# **Time.** 45 minutes, and 25 for the exercises.
#
# This is the PyTorch track; here is the [TensorFlow track](../tensorflow/05_iterative_pruning.ipynb).

# %% [markdown] tags=["tensorflow"]
# **Time.** 45 minutes, and 25 for the exercises.
#
# This is the TensorFlow track; here is the [PyTorch track](../pytorch/05_iterative_pruning.ipynb).

# %% [markdown]
# ## Four schedules, one budget
#
# A *step* is one batch of images and the change of the weights that follows; an *epoch* shows every training image once.
# A plan that says how sparse the network is at which step is a **schedule**.
#
# **Gradual** pruning does not wait for a round to end: of three epochs, cut nine times in each of the first two. Its
# rival is **one-shot**: cut in the first step, then fine-tune. All else is the same: network, images, their order, and
# one learning rate that falls along a cosine.
#
# Draw a schedule of your own. How sparse at the start, and after each half of an epoch?

# %%
my_ramp = [0.0, 0.25, 0.5, 0.75, 0.98]  # change it; no number below the one before

TARGET = 0.98
RAMP = {"begin": 0, "end": 2 * STEPS, "frequency": STEPS // 9}
plans = {
    "one-shot": pv.schedules.one_shot(TARGET),
    "yours": pv.schedules.custom(lambda way: np.interp(4 * way, range(5), my_ramp), **RAMP),
    "slow, then fast": pv.schedules.custom(lambda way: TARGET * way**3, **RAMP),
    "fast, then slow": pv.schedules.polynomial(0, TARGET, power=3, **RAMP),
}
ax = pv.plot_schedule(plans, steps=3 * STEPS, title="Four ways to lose 98% of the weights")
ax.set_xticks(range(0, 3 * STEPS + 1, STEPS))  # a tick an epoch
stands = "; ".join(f"{name}: {plans[name](STEPS):.0%}" for name in list(plans)[1:])
pv.teaching.show(
    ax,
    alt=f"Sparsity over three epochs. One-shot is at {TARGET:.0%} from the first step on. The "
    f"others rise in small steps over two epochs. After the first epoch, {stands}.",
)

# %% [markdown]
# The last two mirror each other.
#
# **Predict.** *Slow, then fast*: how many thousand of the 5,000 does it keep right?
#
# **Measure.** Four networks, three epochs each: about 20 s.

# %% tags=["answer", "trains"]
guess = ...  # how many thousand of the 5 thousand digits does "slow, then fast" keep right?
students, rows = {}, []
for name, plan in plans.items():
    students[name], _ = pruned(lenet, plan)
    cuts = [step for step in range(1, 3 * STEPS + 1) if plan.prunes_at(step)]
    gone = np.diff([0, *(round(total * plan(step)) for step in cuts)])
    rows.append([name, len(cuts), gone[0], gone[-1], thousands(right(students[name]))])
pv.teaching.table(["schedule", "cuts", "in the first", "in the last", "thousand right"], rows)
found = thousands(right(students["slow, then fast"]))
pv.teaching.compare(guess, found, "thousand digits right")

# %% [markdown]
# **Explain.** Only *when* the weights leave differs, so that is what made the difference. *Fast, then slow* makes its
# largest cut first, and trains after ever smaller ones; *slow, then fast* makes its largest cut last.
#
# **What would have shown us wrong?** *Slow, then fast* level with its mirror image.

# %% [markdown]
# ## Two formulas with the same letters
#
# *Fast, then slow* is the schedule of Zhu and Gupta (2017), from sparsity $S_0$ at step $t_0$ to $S_e$ at $t_e$, with
# $\alpha = 3$:
#
# $$S = S_e + (S_0 - S_e)\left(1 - \frac{t - t_0}{t_e - t_0}\right)^{\alpha}$$
#
# In words: of the way that is still to go take the third power, and that much of the distance is still missing.
#
# ### Exercise 1 · The cubic schedule
#
# Write it: the sparsity at a step. Before `begin` it is `initial`, after `end` it stays at `final`. Put your answer in
# place of the dots, run the cell, then the check below it. The solution is folded away.

# %%
from pruneviz.lessons.checks import lesson_05 as check


# %% tags=["exercise"]
def sparsity(step, initial, final, begin, end):
    """Return how sparse the network is to be at a step."""
    # solution:
    progress = min(max((step - begin) / (end - begin), 0), 1)
    return final + (initial - final) * (1 - progress) ** 3
    # end of solution


# %% tags=["check"]
check.cubic_schedule(sparsity)

# %% [markdown]
# ### Another formula, in print
#
# You may read that TensorFlow's tool computes this one:
#
# $$S = (S_e - S_0)\left(\frac{t - t_0}{t_e - t_0}\right)^{\alpha}$$
#
# No $S_e$ is added, the difference has the other sign, and the power belongs to the part of the way that is *done*.
#
# **Predict.** If $S_0$ is 0.5 and $S_e$ is 0.8, where does the second one end?


# %% tags=["answer"]
guess = ...  # the sparsity at the last step, from 0 to 1


def printed(step, initial, final, begin, end, power=3):
    """Compute the formula that the article prints."""
    progress = min(max((step - begin) / (end - begin), 0), 1)
    return (final - initial) * progress**power


figure = Figure(figsize=(8, 2.9), layout="constrained")
ways = np.linspace(0, 1, 101)
ends = ((0, 0.75), (0.5, 0.8))
for ax, (initial, final) in zip(figure.subplots(1, 2, sharey=True), ends, strict=True):
    right_one = pv.schedules.polynomial(initial, final, 0, 1)
    drawn = {
        "Zhu and Gupta": [right_one(way) for way in ways],
        "as printed": [printed(way, initial, final, 0, 1) for way in ways],
    }
    for (name, curve), (colour, _, line) in zip(drawn.items(), style.SERIES, strict=False):
        ax.plot(ways, curve, color=colour, linestyle=line, label=name)
        print(f"from {initial:g} to {final:g}, {name}: {curve[0]:.2f} to {curve[-1]:.2f}")
    ax.set(title=f"from {initial:g} to {final:g}", xlabel="part of the way", ylim=(-0.03, 0.85))
    ax.grid(color=style.GRID)
figure.axes[0].set_ylabel("sparsity")
figure.axes[1].legend(loc="center", frameon=False)
pv.teaching.show(
    figure,
    alt="Two panels, each with the schedule of Zhu and Gupta and the printed formula. From 0 to "
    "0.75 both have the same ends and bend opposite ways; from 0.5 to 0.8 the printed one begins "
    f"at 0 and ends at {printed(1, 0.5, 0.8, 0, 1):.1f}.",
)
pv.teaching.compare(guess, printed(1, 0.5, 0.8, 0, 1), "at the last step", share=True)

# %% [markdown]
# **Explain.** If $S_0$ is 0, only its bend is wrong: it is *slow, then fast*. With any other $S_0$ its ends are too.
#
# **What would have shown us wrong?** A tool that computes the second one.

# %% [markdown] tags=["pytorch"]
# The other track asks the tool; `pv.schedules.polynomial` equals it at every step.

# %% [markdown] tags=["tensorflow"]
# So ask it.

# %% tags=["tensorflow"]
import tensorflow_model_optimization as tfmot
import tf_keras

tf.get_logger().setLevel("ERROR")  # it warns when many models are trained in turn, as here
sparse = tfmot.sparsity.keras

theirs = sparse.PolynomialDecay(0.5, 0.8, begin_step=2000, end_step=4000)
ours = pv.schedules.polynomial(0.5, 0.8, begin=2000, end=4000, frequency=100)
for step in (1999, 2000, 2050, 3000, 4000, 4100):
    prunes, share = theirs(step)
    print(f"step {step:,}: tfmot prunes {bool(prunes)!s:5} at {share:.3f}; ", end="")
    other = printed(step, 0.5, 0.8, 2000, 4000)
    print(f"Zhu and Gupta {ours(step):.3f}, as printed {other:.3f}")
answers = [theirs(step) for step in range(1950, 4101, 25)]
pruning_steps = [bool(prunes) for prunes, _ in answers]
same = pruning_steps == [ours.prunes_at(step) for step in range(1950, 4101, 25)]
print("pruneviz prunes at the same steps:", same)

# %% [markdown] tags=["tensorflow"]
# It is the formula of Zhu and Gupta. `frequency` is 100 here: it prunes at every hundredth step.

# %% [markdown]
# ### Steps that never come
#
# A formula can be right and its steps wrong. Put the steps that two articles choose beside the length of their
# training.

# %%
articles = {  # initial, final, begin, end, training samples, batch, epochs
    "Pruning model with Tensorflow API": (0.0, 0.75, 1000, 5000, 8_000, 1024, 200),
    "Optimizing Deep Learning Models": (0.5, 0.8, 2000, 4000, 60_000, 32, 20),
}
for name, (initial, final, begin, end, samples, batch, epochs) in articles.items():
    per_epoch = -(-samples // batch)
    ramp = pv.schedules.polynomial(initial, final, begin, end, frequency=100)
    reached = ramp(min(per_epoch * epochs, end))
    first, stop = begin / per_epoch, end / per_epoch
    print(f"{name}: {per_epoch:,} steps an epoch, {per_epoch * epochs:,} in all")
    print(f"   the ramp takes steps {begin:,} to {end:,}: epochs {first:.1f} to {stop:.1f}")
    print(f"   the first cut takes {ramp(begin):.1%}; reached {reached:.1%}, promised {final:.0%}")

# %% [markdown]
# The first training is over long before its ramp: it stops at 28.9%, and nothing warns. The second cuts half of the
# weights in a single step. So count: steps an epoch, steps in all, then choose begin and end.
#
# ### Exercise 2 · Repair the steps
#
# The first article trains with 8,000 samples in batches of 1,024, for 200 epochs, and wants 75%. It prunes at
# `begin_step`, and then at every hundredth step until `end_step`. Choose both so that 75% are reached, and at least a
# tenth of the training is left to mend.

# %% tags=["exercise"]
# solution: begin_step, end_step = ..., ...
begin_step, end_step = 200, 1200
# end of solution

# %% tags=["check"]
check.repaired_steps(begin_step, end_step)

# %% [markdown]
# ## More than luck?
#
# The stored study has three networks from three seeds, six epochs each; a straight line; and *in rounds*: six times
# prune and train an epoch, the learning rate begun anew.
#
# **Predict.** At 80%, how many of 10,000 test images lie between the best and the worst way?

# %% tags=["answer"]
guess = ...  # how many of the 10,000 images between the best and the worst way, at 80%?
stored = pv.teaching.results("iterative")
table = stored["correct"][FRAMEWORK]["lenet_300_100"]
NAMES = {
    "cubic": "fast, then slow",
    "one_shot": "one-shot",
    "linear": "a straight line",
    "rounds": "in rounds",
    "article": "slow, then fast",
}
shares = sorted(table["cubic"])
figure = Figure(figsize=(7.5, 3.6), layout="constrained")
ax = figure.subplots()
looks = zip(NAMES.items(), style.SERIES, strict=False)
for k, ((way, name), (colour, mark, line)) in enumerate(looks):
    wrong = stored["images"] - np.array([sorted(table[way][share]) for share in shares])
    middle, place = wrong[:, 1], np.arange(len(shares)) + 0.06 * (k - 2)
    spread = np.abs(wrong[:, [2, 0]].T - middle)
    dots = {"color": colour, "marker": mark, "linestyle": line, "markersize": 5, "capsize": 3}
    ax.errorbar(place, middle, spread, label=name, **dots)
ax.set(yscale="log", xlabel="weights pruned", ylabel=f"wrong of {stored['images']:,}")
ax.set_xticks(range(len(shares)), [f"{float(share):.0%}" for share in shares])
ax.set_yticks([200, 500, 1000, 2000, 5000], ["200", "500", "1,000", "2,000", "5,000"])
ax.minorticks_off()
ax.grid(color=style.GRID)
ax.legend(loc="upper left", frameon=False)
pv.teaching.show(
    figure,
    alt="Errors on a logarithmic scale against the share of weights pruned, five ways, median and "
    "range of three networks. At 80 per cent all lie together; at 98 per cent fast, then slow has "
    "far fewer errors than the others.",
)
median = {way: np.median(table[way]["0.8"]) for way in NAMES}
pv.teaching.compare(guess, int(max(median.values()) - min(median.values())), "images apart")

# %% [markdown]
# **Explain.** The deeper the cut, the more depends on when. From 95% on, the worst network pruned *fast, then slow* beats
# the best of any other way. *In rounds* is iterative too, and nowhere ahead of it.
#
# **What would have shown us wrong?** Ranges that overlap at 98%.

# %% [markdown]
# ## The schedule, or the learning rate?
#
# When *slow, then fast* makes its largest cuts, the falling learning rate is down to a quarter; *in rounds* drives it up
# again after each cut. Change one thing at a time: hold the rate constant, at the mean of the falling one; and make
# the cuts of *in rounds* under one falling rate.
#
# **Predict.** 98%, six cuts, an epoch after each. *In rounds* has about four images in five right. With one falling
# rate instead, how many of 10,000?

# %% tags=["answer"]
guess = ...  # how many of the 10,000 images, for six cuts under one falling rate?
ARMS = {
    "cubic": ("fast, then slow", "falls once"),
    "cubic, constant": ("fast, then slow", "constant"),
    "one_shot": ("one-shot", "falls once"),
    "one_shot, constant": ("one-shot", "constant"),
    "article": ("slow, then fast", "falls once"),
    "article, constant": ("slow, then fast", "constant"),
    "epochs": ("six equal cuts", "falls once"),
    "rounds": ("six equal cuts (in rounds)", "falls anew after each cut"),
}
rows = []
for arm, words in ARMS.items():
    rows.append([*words, *sorted(table[arm]["0.98"])])
print(f"98% pruned: right of {stored['images']:,} test images, three networks, worst to best")
pv.teaching.table(["schedule", "learning rate", "worst", "middle", "best"], rows)
ramp, epochs = stored["epochs_of_the_ramp"], stored["epochs"]
rate = (1 + np.cos(np.pi * ramp / epochs)) / 2  # a cosine's, as a share of the largest
print(f"the ramp ends after {ramp} of {epochs} epochs; a rate that falls is at {rate:.0%} there")
pv.teaching.compare(guess, sorted(table["epochs"]["0.98"])[1], "images right")

# %% [markdown]
# **Explain.** Read it in pairs. *Slow, then fast* gains thousands of images when the rate does not fall: much of what it
# lost, it lost to that. Six equal cuts are a ruin under one falling rate. (Rounds also have new optimizers: this pair
# differs in two things.) The others change little, and *fast, then slow* is ahead under either plan. *Slow, then
# fast*, which cuts late, needed a rate that was still high.
#
# **What would have shown us wrong?** *Fast, then slow* losing its lead at a constant rate.

# %% [markdown]
# ## In your own training loop

# %% [markdown] tags=["pytorch"]
# `torch.nn.utils.prune` has no schedule. You need none: gradual pruning is the lines at the end of this loop.
# Rank all weights, take the smallest, and zero them again after every step, for the optimizer moves them. About 5 s.


# %% tags=["pytorch", "trains"]
def cubic(step, final=TARGET, end=2 * STEPS):
    """Return the sparsity after a step: Zhu and Gupta, from 0."""
    return final - final * max(1 - step / end, 0) ** 3


student, step = copied(lenet).train(), 0
optimizer = torch.optim.Adam(student.parameters(), 8e-3, fused=True)
falling = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 3 * STEPS)
order = torch.Generator().manual_seed(0)
weights = [layer.weight for layer in student if isinstance(layer, torch.nn.Linear)]
keep = [torch.ones_like(weight) for weight in weights]
for _ in range(3):
    for batch in torch.randperm(len(images), generator=order).split(BATCH):
        optimizer.zero_grad()
        F.cross_entropy(student(images[batch]), labels[batch]).backward()
        optimizer.step()
        falling.step()
        # Here begins the pruning.
        step += 1
        with torch.no_grad():
            for weight, kept in zip(weights, keep, strict=True):
                weight.mul_(kept)
            if step % 12 == 0:
                sizes = torch.cat([weight.abs().flatten() for weight in weights])
                limit = sizes.kthvalue(round(cubic(step) * len(sizes))).values
                keep = [weight.abs() > limit for weight in weights]
                for weight, kept in zip(weights, keep, strict=True):
                    weight.mul_(kept)

# %% [markdown] tags=["pytorch"]
# `pv.prune_while_training` does the same around any loop. It counts the step that follows the cut, hence the 1.

# %% tags=["pytorch", "trains"]
shifted = pv.schedules.polynomial(0, TARGET, begin=1, end=2 * STEPS + 1, frequency=12)
theirs, mask = pruned(lenet, shifted)
hand = {name: kept.numpy() for name, kept in zip(mask, keep, strict=True)}
by_hand, by_pruneviz = right(student.eval()), right(theirs)
print(f"thousand digits right: by hand {thousands(by_hand)}, by pruneviz {thousands(by_pruneviz)}")
agree = sum(np.sum(hand[name] == mask[name]) for name in mask) / mask.total
print(f"the masks agree in {agree:.0%} of the weights")

# %% [markdown] tags=["tensorflow"]
# This is tfmot, whole. It takes models of `tf_keras`, the old Keras; the callback keeps count of steps. About 10 s.

# %% tags=["tensorflow", "trains"]
decay = sparse.PolynomialDecay(0.0, TARGET, begin_step=0, end_step=2 * STEPS, frequency=STEPS // 9)
old = pv.zoo.lenet_300_100("tf_keras")
wrapped = sparse.prune_low_magnitude(old, pruning_schedule=decay)
falling = tf_keras.optimizers.schedules.CosineDecay(8e-3, 3 * STEPS)
from_logits = tf_keras.losses.SparseCategoricalCrossentropy(from_logits=True)
wrapped.compile(tf_keras.optimizers.Adam(falling), from_logits)
counting = sparse.UpdatePruningStep()
wrapped.fit(pictures(0), epochs=3, shuffle=False, verbose=0, callbacks=[counting])
stripped = sparse.strip_pruning(wrapped)

# %% [markdown] tags=["tensorflow"]
# For Keras 3 there is the callback of pruneviz. tfmot prunes each layer by itself: so does `scope="layer"`.

# %% tags=["tensorflow", "trains"]
by_layer, _ = pruned(lenet, plans["fast, then slow"], scope="layer")
for name, network in {
    "tfmot, each layer": stripped,
    "pruneviz, each layer": by_layer,
    "pruneviz, all layers together": students["fast, then slow"],
}.items():
    card = pv.scorecard(network, validation)
    print(f"{name:30} {card.sparsity:.1%} zero, {thousands(card.correct)} thousand right")

# %% [markdown] tags=["tensorflow"]
# tfmot ranks all weights anew at each cut; pruneviz never takes a pruned weight back. Whether that is the
# reason, no row says.

# %% [markdown]
# ### When to stop
#
# You need not know the last sparsity in advance. `pv.iterate` gives one round after the other, and stops at what you
# name: here a file of 100 kB, or too low an accuracy.

# %% tags=["trains"]
halving = pv.schedules.exponential(0, 1 - 0.5**8, begin=0, end=8)  # half of what is left, each
limits = {"compact_bytes": 100_000, "accuracy": 0.95}
for done in pv.iterate(lenet, halving, an_epoch, validation, stop=limits):
    size = f"about {done.card.compact_bytes / 1000:.0f} kB"
    print(f"{done.number}: {done.mask.sparsity:.1%} pruned, {done.card.correct:,} right, {size}")

# %% [markdown]
# ## Where does a round start?
#
# After the cut, a round trains. From which weights?
#
# - **Continue** with those that are left: fine-tuning, what you did so far.
# - **Rewind** them to the values they had before, or early in, training.
# - **Re-initialise** them at random, and train afresh.
#
# To compare starts, the mask has to be the same. So take a network through three rounds of rewinding, down to 5% of
# its weights, and *pin* the mask. Train it from each start, and as a control a random mask that keeps as many of each
# layer. About 20 s.
#
# **Predict.** One epoch, the pinned mask: how many digits more do its first weights get right than other random weights?


# %% tags=["fold", "pytorch"]
def fresh(seed):
    """Give the network new random weights."""
    torch.manual_seed(seed)
    return pv.zoo.lenet_300_100("torch", pretrained=False)


# %% tags=["fold", "tensorflow"]
def fresh(seed):
    """Give the network new random weights."""
    keras.utils.set_random_seed(seed % 2**32)
    return pv.zoo.lenet_300_100("keras", pretrained=False)


# %% tags=["answer", "trains"]
guess = ...  # how many digits more do the first weights get right than other random weights?
first = fresh(1)
trained = train(copied(first), 2)
thinning = pv.schedules.exponential(0, 0.95, begin=0, end=3)
*_, last = pv.iterate(trained, thinning, an_epoch, validation, start=first)
pinned = last.mask
draw = np.random.default_rng(0)
shuffled = {name: draw.permutation(k.ravel()).reshape(k.shape) for name, k in pinned.items()}


def masked(network, mask, epochs=1):
    """Mask a network, train it, and count right digits."""
    thin = pv.apply(network, mask)
    with pv.keep_pruned(thin, mask):
        train(thin, epochs)
    return right(thin)


others = fresh(2)
found = {
    "continue: weights of two epochs": masked(trained, pinned),
    "rewind: its first weights": masked(first, pinned),
    "re-initialise: other random weights": masked(others, pinned),
    "control: its first weights, a random mask": masked(first, pv.Mask(shuffled)),
    "rewind, three epochs": masked(first, pinned, 3),
    "re-initialise, three epochs": masked(others, pinned, 3),
    "control: not pruned, two epochs and one more": right(train(copied(trained), 1)),
}
pv.teaching.table([f"{1 - thinning.final:.0%} of the weights", "digits right"], found.items())
_, rewound, other, *_ = found.values()
pv.teaching.compare(guess, rewound - other, "digits more")

# %% [markdown]
# **Explain.** The first three rows have the same mask, so only the weights differ. The first weights come close to the
# trained ones, though they had seen no image before; other random weights stay more than a hundred digits behind. Mask
# and first weights belong together. Given three epochs, the gap shrinks.
#
# **What would have shown us wrong?** Other random weights level with the first ones, under the same mask.

# %% [markdown]
# ### The lottery ticket
#
# Frankle and Carbin (2019) rewound this network in rounds of 20%, and it trained as well as the dense one: a **winning
# ticket**. The stored study, made with PyTorch, has fifteen rounds of three epochs, and both controls.
#
# **Predict.** At 3.5% of the weights, how many of 10,000 does the ticket get right more than the same mask with
# other weights?

# %% tags=["answer"]
guess = ...  # how many of 10,000 more than the same mask with other weights, at 3.5%?
lottery = pv.teaching.results("lottery")
arms = {"ticket": "winning ticket", "other_weights": "other weights", "random_mask": "random mask"}
seeds = list(lottery["correct"].values())
n, left = lottery["images"], lottery["left"]
median = {arm: np.median([seed[arm] for seed in seeds], axis=0) for arm in arms}
lines = {
    name: {1 - part: np.array([seed[arm][k] for seed in seeds]) / n for k, part in enumerate(left)}
    for arm, name in arms.items()
}
title = f"LeNet-300-100, rewound and trained again; {len(seeds)} seeds"
ax = pv.plot_tradeoff(lines, reference=median["ticket"][0] / n, title=title)
ax.set_ylim(0.9, 0.985)
pv.teaching.show(ax)
best = int(np.argmax(median["ticket"]))
last = max(k for k in range(len(left)) if median["ticket"][k] >= median["ticket"][0])
print(f"the best ticket has {left[best]:.1%} of its weights; Frankle and Carbin: {0.211:.1%}")
print(f"the last that equals the dense one {left[last]:.1%}; Frankle and Carbin: {0.036:.1%}")
print(f"three rounds of 20% leave {left[3]:.1%} of the weights, {len(left) - 1} {left[-1]:.1%}")
ends = ", ".join(f"{name} {median[arm][-1]:,.0f}" for arm, name in arms.items())
print(f"at {left[-1]:.1%}: {ends}")
pv.teaching.compare(guess, int(median["ticket"][-1] - median["other_weights"][-1]), "images more")

# %% [markdown]
# **Explain.** At first the ticket gets better than the dense network *at this budget*; after fifteen rounds it is about as
# good. Both controls fall from the start, the random mask fastest: a mask is worth something by itself, and more with
# its first weights. But you know it only after fifteen trainings, so it saves none; and large networks have to be
# rewound to *early in training* (Frankle and others, 2020).
#
# **What would have shown us wrong?** Either control level with the ticket.

# %% [markdown]
# ## Is training faster?
#
# You may read that pruning makes training faster, as fewer parameters are updated.
#
# **Predict.** Nine weights of ten are pruned: what share of the dense network's time does an epoch take?

# %% tags=["fold", "pytorch"]
timed = pv.teaching.results("epoch_time")["seconds"]["torch"]["lenet_300_100"]
kinds = {
    "dense": ("dense", "dense"),
    "90% pruned, kept by pruneviz": ("keep_pruned", "dense"),
    "90% pruned, by torch.nn.utils.prune": ("tool", "dense"),
    "on a schedule, by pruneviz": ("gradual", "dense"),
    "half of its units removed": ("removed", "dense"),
}

# %% tags=["fold", "tensorflow"]
timed = pv.teaching.results("epoch_time")["seconds"]["tensorflow"]["lenet_300_100"]
kinds = {
    "dense": ("dense", "dense"),
    "90% pruned, kept by pruneviz": ("keep_pruned", "dense"),
    "on a schedule, by pruneviz": ("gradual", "dense"),
    "on a schedule, by tfmot (tf_keras)": ("tool", "dense, tf_keras"),
    "half of its units removed": ("removed", "dense"),
}

# %% tags=["answer"]
guess = ...  # a share of the dense network's time: 0.5 is half, 1 as long
spans = {name: np.divide(timed[what], timed[base][1]) for name, (what, base) in kinds.items()}
figure = Figure(figsize=(7.5, 2.6), layout="constrained")
ax = figure.subplots()
for place, (name, (low, middle, high)) in enumerate(spans.items()):
    ax.barh(place, middle, color=style.KEPT)
    ax.plot([low, high], [place, place], color=style.PRUNED_EDGE, linewidth=3)
    print(f"{name:36} {middle:.0%}, from {low:.0%} to {high:.0%}")
ax.set_yticks(range(len(spans)), spans)
ax.invert_yaxis()
ax.set(xlabel="processor time: median of nine rounds (bar), lowest to highest (line)")
ax.xaxis.set_major_formatter(style.PERCENT_TICKS)
pv.teaching.show(
    figure,
    alt="Bars of training time as a share of the dense network's. Pruned weights save nothing, a "
    "schedule costs something on top, and a network of which half of the units were removed is "
    "clearly faster.",
)
_, pruned_time, _ = spans["90% pruned, kept by pruneviz"]
pv.teaching.compare(guess, pruned_time, "of the dense time", share=True)

# %% [markdown]
# **Explain.** Zeros shorten nothing: no pruned network's bar is clearly below the dense one, and the lines are the noise
# of a busy machine's clock. Only the last row is faster.
#
# **What would have shown us wrong?** A pruned network's bar well below the dense one.

# %% [markdown]
# ## The report
#
# Now the test images, once. The control is the dense network, fine-tuned for the same three epochs.

# %% tags=["trains"]
reported = {
    "dense": lenet,
    "dense, three more epochs": train(copied(lenet), 3),
    "98% pruned in three epochs": students["fast, then slow"],
}
for name, network in reported.items():
    card = pv.scorecard(network, test)
    low, high = card.interval
    about = f"{thousands(card.correct)} thousand of {card.n:,} test images"
    print(f"{name:28} {about}, ± {50 * (high - low):.1f} points")

# %% [markdown]
# ### Exercise 3 · Beat the cubic
#
# Two epochs, 98% pruned, three seeds. Find a schedule whose *worst* run has more digits right than the *best* of the
# cubic one below. Anything that says how sparse the network is at which step will do: its ends, its
# power, how often it cuts, a curve of your own. Twelve epochs in all, about 20 s.


# %% tags=["trains"]
def race(schedule, seed):
    """Train for two epochs while weights leave on schedule; note what came out."""
    student, mask = pruned(lenet, schedule, epochs=2, seed=seed)
    return {"seed": seed, "epochs": 2, "sparsity": mask.sparsity, "correct": right(student)}


to_beat = pv.schedules.polynomial(0, 0.98, power=3, begin=0, end=144, frequency=12)
theirs = [race(to_beat, seed) for seed in range(3)]
print("the cubic, thousand right:", *(thousands(run["correct"]) for run in theirs))

# %% tags=["exercise"]
# solution: yours = ...  # [race(your_schedule, seed) for seed in range(3)]
finer = pv.schedules.polynomial(0, 0.98, power=5, begin=0, end=180, frequency=2)
yours = [race(finer, seed) for seed in range(3)]
# end of solution

# %% tags=["check"]
check.beats_the_cubic(yours, cubic=theirs)

# %% [markdown]
# You have chosen by the same 5,000 digits that you count: a schedule that wins here has won here. For the report, count
# the test images once.

# %% [markdown]
# ## Now yours
#
# The schedule above in your framework's own words, for a classifier of your own. Two thirds of the training are the
# ramp; at every step the smallest of what is left go, over all layers together. The page [Your own
# network](../YOUR_OWN_NETWORK.md) goes the whole way, from looking to saving, and ends with a checklist.

# %% tags=["pytorch", "yours", "trains"]
model = pv.zoo.lenet_300_100("torch")  # put your model and data here
x, y = images[:5000], labels[:5000]

import copy
import torch

FINAL, EPOCHS, SIZE = 0.9, 3, 100
net = copy.deepcopy(model).train()
kinds = (torch.nn.Linear, torch.nn.Conv1d, torch.nn.Conv2d, torch.nn.Conv3d)
weights = [layer.weight for layer in net.modules() if isinstance(layer, kinds)]
keep = [torch.ones_like(weight) for weight in weights]
optimizer = torch.optim.Adam(net.parameters(), 1e-3)
batches = [rows for _ in range(EPOCHS) for rows in torch.randperm(len(x)).split(SIZE)]
for step, rows in enumerate(batches, 1):
    optimizer.zero_grad()
    torch.nn.functional.cross_entropy(net(x[rows]), y[rows]).backward()
    optimizer.step()
    with torch.no_grad():
        share = FINAL - FINAL * max(1 - 1.5 * step / len(batches), 0) ** 3
        sizes = torch.cat([(w * k).abs().flatten() for w, k in zip(weights, keep, strict=True)])
        limit = sizes.kthvalue(max(round(share * len(sizes)), 1)).values
        for w, k in zip(weights, keep, strict=True):
            k.mul_(w.abs() > limit)
            w.mul_(k)
correct = (net.eval()(x).argmax(1) == y).float().mean()
zeros = sum(int((w == 0).sum()) for w in weights) / len(sizes)
print(f"{zeros:.1%} of the weights are zero, {correct:.1%} of these images right")

# %% tags=["tensorflow", "yours", "trains"]
model = pv.zoo.lenet_300_100("keras")  # put your model and data here
x, y = mnist.train[0][:5000] / np.float32(255), mnist.train[1][:5000]

import keras
import numpy as np

FINAL, EPOCHS, SIZE = 0.9, 3, 100
net = keras.models.clone_model(model)
net.set_weights(model.get_weights())
layers = [layer for layer in net.layers if hasattr(layer, "kernel")]


class Gradual(keras.callbacks.Callback):
    keep, step, ramp = [1] * len(layers), 0, 2 / 3 * EPOCHS * -(-len(x) // SIZE)

    def on_train_batch_end(self, *_, **__):
        self.step += 1
        share = FINAL - FINAL * max(1 - self.step / self.ramp, 0) ** 3
        kernels = [keras.ops.convert_to_numpy(layer.kernel) for layer in layers]
        sizes = [np.abs(k * kept) for k, kept in zip(kernels, self.keep, strict=True)]
        limit = np.quantile(np.concatenate([size.ravel() for size in sizes]), share)
        self.keep = [size > limit for size in sizes]
        for layer, kernel, kept in zip(layers, kernels, self.keep, strict=True):
            layer.kernel.assign(kernel * kept)


cost = keras.losses.SparseCategoricalCrossentropy(from_logits=True)  # False after a softmax
net.compile(keras.optimizers.Adam(1e-3), cost, metrics=["accuracy"])
net.fit(x, y, SIZE, EPOCHS, verbose=0, callbacks=[Gradual()])
zero = np.mean(np.concatenate([np.ravel(layer.kernel) for layer in layers]) == 0)
accuracy = net.evaluate(x, y, verbose=0)[1]
print(f"{zero:.1%} of the weights are zero, {accuracy:.1%} of these images right")

# %% [markdown]
# ## Quiz
#
# Open the option that you would choose. It says whether it is right, and why.

# %% [markdown] tags=["quiz"]
# Each round prunes 20% of the weights that are left. After three rounds there remain
# - [ ] 40%.
#   why: That takes 20% of the *original* each time. The second round has only 80% to take from.
# - [x] 51.2%.
#   why: 0.8 · 0.8 · 0.8. Shares of what is left multiply; after fifteen rounds 3.5% remain.
# - [ ] 0.8%.
#   why: That would be keeping 20% in each round, 0.2 · 0.2 · 0.2.

# %% [markdown] tags=["quiz"]
# When does the cubic schedule of Zhu and Gupta take the most weights?
# - [x] Early, when there are most to spare.
#   why: And ever fewer later, so that the last cuts are small and have training after them.
# - [ ] Late, when the network has learned to do without.
#   why: That is the formula that one of the articles prints. Of the five ways in the figure it did worst at 90% and above.
# - [ ] Evenly, as many at each cut.
#   why: That is a straight line, power 1.

# %% [markdown] tags=["quiz"]
# A rewound network with a tenth of its weights trains to the accuracy of the dense one. What has been shown?
# - [ ] That any network with a tenth of the weights would do.
#   why: That needs a control: a random mask, trained alike. Where it was tried, it did worse.
# - [ ] That rewinding is better than going on with the trained weights.
#   why: Nothing was compared with that. Continuing is another arm, and it has to be run.
# - [x] That this mask with these first weights can be trained well.
#   why: No more and no less. To learn whether mask or weights did it, pin the mask and train it with other weights.

# %% [markdown] tags=["quiz"]
# You iterate in ten rounds, and the last network is better than one that was cut once and trained for an epoch. So
# - [ ] iterating is better than one-shot.
#   why: It had ten epochs against one. Perhaps the ten epochs did it.
# - [x] nothing, until the one-shot network has had ten epochs too, with as good a learning rate.
#   why: Equal training and several seeds. And the rate has to suit the cuts: here the same six cuts under another rate
#     had thousands of images fewer right.
# - [ ] ten rounds are enough.
#   why: Enough for what? Without a control and a limit there is no enough.

# %% [markdown] tags=["pytorch"]
# ## The question people really ask
#
# *Pruning costs accuracy, so I have to fine-tune. Is it better to train while pruning, or to train after it?*
# ([VainF/Torch-Pruning, thread 213](https://github.com/VainF/Torch-Pruning/issues/213))
#
# It depends on how much goes, and on how much training you can afford.
#
# - For a cut that hurts little, cut once, and fine-tune.
# - For a deep cut, take most weights early and the last ones in small cuts, and leave a third of the training for the
#   end.
# - Whatever you choose: a control with the same epochs, and a learning rate that is not zero where you still cut.

# %% [markdown] tags=["tensorflow"]
# ## The question people really ask
#
# *My network is pruned with small batches, and not at all with large ones. Why?* ([tensorflow/model-optimization,
# thread 973](https://github.com/tensorflow/model-optimization/issues/973))
#
# Because the schedule counts steps, and a larger batch makes fewer steps an epoch (the cell of *Steps that never come*
# counts them). tfmot prunes at `begin_step` and then at every hundredth step. A training that is shorter ends before
# its first cut, without a word.
#
# - Work out the steps: images divided by batch size, rounded up, times epochs.
# - Let the ramp end well before the last step, and `end_step − begin_step` be a multiple of `frequency`.
# - Count the zeros afterwards. It takes one line.

# %% [markdown]
# ## Recap
#
# - A schedule says how sparse at which step. Zhu and Gupta's takes most weights early; the formula in print takes them
#   late. Count your steps: where the training ends, the ramp ends.
# - At equal training, *fast, then slow* beat the single cut where much was cut, under either plan of the rate.
# - Gradual pruning is a few lines in your own loop, or a callback; limits on size and accuracy say when to stop.
# - A winning ticket shows that a mask with its first weights can be trained, and needs two controls to show more.
#   Zeros do not make training faster; removed units do.

# %% [markdown]
# ## Further reading
#
# - M. Zhu and S. Gupta. To prune, or not to prune: exploring the efficacy of pruning for model compression.
#   [arXiv:1710.01878](https://arxiv.org/abs/1710.01878), 2017. The cubic schedule.
# - S. Han, J. Pool, J. Tran and W. J. Dally. Learning both Weights and Connections for Efficient Neural Networks.
#   *Advances in Neural Information Processing Systems* 28, 2015. Prune, train, repeat.
# - J. Frankle and M. Carbin. The Lottery Ticket Hypothesis: Finding Sparse, Trainable Neural Networks. *International
#   Conference on Learning Representations*, 2019. [arXiv:1803.03635](https://arxiv.org/abs/1803.03635).
# - A. Renda, J. Frankle and M. Carbin. Comparing Rewinding and Fine-tuning in Neural Network Pruning. *International
#   Conference on Learning Representations*, 2020. [arXiv:2003.02389](https://arxiv.org/abs/2003.02389). What to start a
#   round from; rewinding the learning rate alone does as well.
# - Z. Liu, M. Sun, T. Zhou, G. Huang and T. Darrell. Rethinking the Value of Network Pruning. *International Conference
#   on Learning Representations*, 2019. [arXiv:1810.05270](https://arxiv.org/abs/1810.05270). Training afresh, for as
#   long, against fine-tuning: as good for whole channels; for single weights level on CIFAR, behind on ImageNet.
# - J. Frankle, G. K. Dziugaite, D. M. Roy and M. Carbin. Linear Mode Connectivity and the Lottery Ticket Hypothesis.
#   *International Conference on Machine Learning*, 2020. [arXiv:1912.05671](https://arxiv.org/abs/1912.05671).
# - What you may read: the second formula and the steps of the first row are of Tram Ho, *Pruning model with Tensorflow
#   API*, Viblo; the second row's steps and the faster training of Jan Marcel Kezmann, *Optimizing Deep Learning Models
#   with Pruning: A Practical Guide*.

# %% [markdown] tags=["pytorch"]
# - PyTorch. *Pruning Tutorial*,
#   [docs.pytorch.org](https://docs.pytorch.org/tutorials/intermediate/pruning_tutorial.html). The tool without a
#   schedule: called again, it takes a share of what is left.

# %% [markdown] tags=["tensorflow"]
# - TensorFlow Model Optimization. *Pruning comprehensive guide*,
#   [tensorflow.org](https://www.tensorflow.org/model_optimization/guide/pruning/comprehensive_guide).
