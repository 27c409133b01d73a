# %% [markdown]
# # 00 · Start here
#
# A model predicts the price of a flat: it multiplies five facts by five **weights** and adds up. It is right about every
# flat. **You must cut one of the five weights. Which one goes first?**
#
# To cut a weight is to set it to zero, so that whatever it multiplied no longer counts. That is pruning, and this course
# lets you do it with your own hands.

# %% tags=["fold"]
import textwrap

import numpy as np
from matplotlib.figure import Figure

import pruneviz as pv
from pruneviz.lessons.checks import lesson_00 as check

names = ["area", "floor", "rooms", "balcony", "garden"]
flats = np.array(
    [
        # m2, floor, rooms, balcony, garden
        [50.0, 3, 2, 1, 0],
        [80.0, 1, 3, 0, 1],
        [100.0, 4, 3, 0, 0],
        [150.0, 2, 5, 1, 1],
    ]
)
weights = np.array([0.02, 0.05, 0.1, -0.3, 0.5])
prices = np.array([1.05, 2.45, 2.5, 3.8])  # hundreds of thousands of euros
BLUE, GREY, INK = "#0b3c6f", "#8c9bad", "#22272e"

# %% [markdown]
# **Touch.** Click the title, then press Shift + Enter four times. The lines are the weights, the thicker the larger. Click
# one to cut it, again to put it back. By keyboard: Tab goes into the drawing, arrow keys from weight to weight, Enter cuts.

# %%
view = pv.TinyNetwork.linear(weights, names, flats, prices, output="price", noun="flat")
view

# %% tags=["drive"]
view.cut = ["garden"]
print(textwrap.fill(view.sentence(), 96))
view.cut = []

# %% [markdown]
# ## What you will learn
#
# - To say how wrong a model is, in one number.
# - To measure how important a weight is: cut it, and see how the loss changes.
# - Why the smallest weight can be the most important one, and why two cuts do not add up.
# - To prune in four steps: score, rank, remove, stop or continue.
#
# **Before you start.** You can read a little Python, and you know that `X @ w` multiplies and adds up. You need no
# framework and no network connection.
#
# **Time.** 30 minutes, and 20 for the exercises.

# %% [markdown]
# ## How a lesson works
#
# Every experiment in this course has the same four parts. **Predict**: write your guess into the cell, in place of the
# dots; a wrong guess teaches more than none. **Touch**: change something yourself. **Measure**: run the cell, and it
# puts your guess beside the count. **Explain**: say why; then read what we say, and what would have shown us wrong.
#
# Answers are folded until you run their cell (GitHub shows them all the same). Run the cells from the top to the bottom.
# After a restart of the kernel: *Run › Run All Above Selected Cell*. Below figures you find "This figure in words".
#
# Why prune at all? A smaller model fits into a phone; it has less to multiply; and what can go without harm tells you
# something about the network. Zeros alone bring neither of the first two: a zero takes as many bytes as any other number.
# Later lessons measure what it takes. The [glossary](GLOSSARY.md) explains the words.

# %% [markdown]
# ## One number for how wrong a model is
#
# It is called the **loss**. Zero is perfect, more is worse. For a model that predicts numbers, take each error, square
# it, and average: the *mean squared error*, MSE.


# %%
def loss(weights):
    """Mean squared error of the predicted prices."""
    return np.mean((flats @ weights - prices) ** 2)


print("predicted prices", (flats @ weights).round(2), "loss", round(loss(weights), 4))

trial = weights.copy()
trial[names.index("garden")] = 0
print("without garden  ", (flats @ trial).round(2), "loss", round(loss(trial), 4))

# %% [markdown]
# ### Exercise 1 · Rank by the loss
#
# `loss` is a function that takes weights and returns a number. Return the positions of the weights, the least harmful
# cut first. Leave the weights as they were.


# %% tags=["exercise"]
def rank_by_loss(loss, weights):
    """Sort positions by the change of the loss when that weight alone is cut."""
    # solution:
    losses = []
    for i in range(len(weights)):
        trial = weights.copy()
        trial[i] = 0
        losses.append(loss(trial))
    return np.argsort(losses)
    # end of solution


# %% tags=["check"]
check.order_of_importance(rank_by_loss)

# %% [markdown]
# ## Which weight matters?
#
# **Predict.** One of the five is cut, and the loss rises the *most*. Which?

# %% tags=["answer"]
guess = ...  # "area", "floor", "rooms", "balcony" or "garden"
change = {}
for i, name in enumerate(names):
    trial = weights.copy()
    trial[i] = 0
    change[name] = loss(trial) - loss(weights)

by_size = sorted(names, key=lambda name: abs(weights[names.index(name)]))
rows = [[name, weights[names.index(name)], f"{change[name]:.4f}"] for name in by_size]
pv.teaching.table(["cut", "weight", "the loss rises by"], rows)
pv.teaching.compare(guess, max(change, key=change.get))

# %% tags=["fold", "answer"]
largest_first = by_size[::-1]
sizes = [abs(weights[names.index(name)]) for name in largest_first]
rises = [change[name] for name in largest_first]

figure = Figure(figsize=(8, 2.9), layout="constrained")
for ax, values, title in zip(
    figure.subplots(1, 2, sharey=True),
    (sizes, rises),
    ("Size of the weight", "Rise of the loss when it is cut"),
    strict=True,
):
    bars = ax.barh(largest_first, values, color=[GREY, GREY, GREY, GREY, BLUE], height=0.62)
    ax.bar_label(bars, [f"{value:.4g}" for value in values], padding=4, color=INK)
    ax.set_title(title, loc="left", fontsize=11, fontweight="bold", color=INK)
    ax.set_xlim(0, 1.18 * max(values))
    ax.spines[["top", "right", "bottom"]].set_visible(False)
    ax.set_xticks([])
    ax.tick_params(axis="y", length=0)
pv.teaching.show(
    figure,
    alt="Two bar charts of the five weights. By size, area is the smallest, with 0.02, and garden "
    f"the largest, with 0.5. By the rise of the loss, area costs {max(rises):.2f}, and the others "
    f"{sorted(rises)[-2]:.3f} at most.",
)

# %% [markdown]
# > The **importance** of a weight is the change of the loss when that weight is cut.
#
# Everything else that people rank by is a **score**, a *guess* at this number; the size of a weight, its *magnitude*,
# above all. Guesses are needed: a network with a million weights has a million cuts to try.
#
# The smallest weight matters most here. Its 0.02 multiplies numbers near 100; the garden's 0.5 multiplies 0 or 1. Is that
# the reason? Change one thing: measure the area in hundreds of square metres, so that 80 becomes 0.8. The weight must
# become 2, and every price stays.

# %%
in_hundreds = flats / [100, 1, 1, 1, 1]
rescaled = weights * [100, 1, 1, 1, 1]
print("the prices differ by", np.abs(flats @ weights - in_hundreds @ rescaled).max().round(12))
for title, values in (("area in square metres", weights), ("area in hundreds", rescaled)):
    order = [names[i] for i in np.argsort(np.abs(values))]
    print(f"{title:22} smallest first: {', '.join(order)}")

# %% [markdown]
# **Explain.** The model computes the same, and area went from the first weight to be cut to the last. So size depends on
# the unit of what it multiplies, and importance does not. A weight is only half of the story. The other half is what it
# is multiplied by. Inside a network nobody chose the units; lesson 01b plays the same trick on a real one.
#
# **What would have shown us wrong?** The same order by size in both units.

# %% [markdown]
# ## Two cuts at once
#
# **Predict.** Cutting the balcony costs 0.0450 and cutting the garden 0.1250. What do they cost together?

# %% tags=["answer"]
guess = ...  # the loss without balcony and garden
together = {}
for pair in (("balcony", "garden"), ("area", "floor")):
    trial = weights.copy()
    trial[[names.index(name) for name in pair]] = 0
    together[pair] = loss(trial)
    total = sum(change[name] for name in pair)
    print(
        f"{' and '.join(pair):18} single costs add up to {total:.4f}; together {together[pair]:.4f}"
    )
pv.teaching.compare(guess, round(together["balcony", "garden"], 4), "together")

# %% [markdown]
# **Explain.** The last flat has both. Without the garden its price is too low, without the balcony too high, and the two
# errors partly cancel. Area and floor are worse together than their sum: there, every error points the same way. So
# importance holds for *one* cut, from the model as it is *now*. In the drawing above, tick "Show what each next cut would
# do to the loss", and cut the balcony: the other numbers change.
#
# **What would have shown us wrong?** Costs that add up.

# %% [markdown]
# ### Exercise 2 · Rooms and garden
#
# Cut rooms and garden together, positions 2 and 4 of `weights`. What is the loss of the flats? Guess first: alone they
# cost 0.1175 and 0.1250.

# %% tags=["exercise"]
# solution: loss_of_both = ...
trial = weights.copy()
trial[[2, 4]] = 0
loss_of_both = loss(trial)
# end of solution

# %% tags=["check"]
check.cut_together(loss_of_both)

# %% [markdown]
# ## A network with nine weights
#
# A plant on a window sill gets some sun and some water, each between −2 (far too little) and 2 (far too much). It thrives
# where the sun is about right and the soil is not too dry. A small network has learned that from 300 plants: two inputs,
# three hidden **neurons**, one output. A neuron adds up its weighted inputs and a constant, its *bias*, and passes on the
# result if it is positive, otherwise 0. There are nine weights, w0 to w8. Biases are few, and are not pruned.
#
# You choose cuts by 500 other plants, because a model must be measured on what it has not learned from. Another 500 stay
# out of sight until the end. The folded cell trains the network in plain NumPy.

# %% tags=["fold"]
rng = np.random.default_rng(0)


def plants(number):
    """Sun and water of some plants, and whether they thrive (1) or not (0)."""
    sun_water = rng.uniform(-2, 2, (number, 2))
    thrives = (np.abs(sun_water[:, 0]) < 1.1) & (sun_water[:, 1] > -0.6)
    return sun_water, thrives.astype(float)


train_x, train_y = plants(300)
x, y = plants(500)
new_x, new_y = plants(500)
FIRST, LAST = slice(0, 6), slice(6, 9)  # w0 to w5 go into hidden neurons, w6 to w8 come out of them


def output(weights, biases, x):
    """Return the output (above 0: thrives) and the hidden neurons."""
    hidden = np.maximum(x @ weights[FIRST].reshape(3, 2).T + biases[:3], 0)
    return hidden @ weights[LAST] + biases[3], hidden


net = np.random.default_rng(5).normal(size=9)
biases = np.zeros(4)
for _ in range(4_000):
    z, hidden = output(net, biases, train_x)
    error = (1 / (1 + np.exp(-z)) - train_y) / len(train_y)
    back = np.outer(error, net[LAST]) * (hidden > 0)
    net -= 0.5 * np.concatenate([(back.T @ train_x).ravel(), hidden.T @ error])
    biases -= 0.5 * np.append(back.sum(0), error.sum())


def right(weights, x=x, y=y):
    """Count the plants, of those it has not seen, that the network gets right."""
    return int(np.sum((output(weights, biases, x)[0] > 0) == y))


# %% [markdown]
# **Touch.** Dots are plants that thrive, crosses are plants that do not, and the network says "thrives" in the shaded
# region. Cut a thin line and two thick ones. A click on a round neuron cuts everything that goes in and out. A click on a
# plant shows what the network computes for it.

# %%
layers = net[FIRST].reshape(3, 2), biases[:3], net[LAST], biases[3]
labels = {"names": ["sun", "water"], "output": "thrives", "noun": "plant"}
wired = pv.TinyNetwork.two_layers(*layers, x, y, **labels)
wired

# %% tags=["drive"]
for name in ("w2", "w3"):
    wired.cut = [name]
    print(textwrap.fill(wired.sentence(), 96))
wired.cut = []

# %% [markdown]
# ## The recipe: score, rank, remove, stop or continue
#
# Every pruning method in this course is these four steps. What differs is how each step is done.
#
# **1. Score.** Give every weight a number: high means keep. Nine cuts are quick to try, so it is the importance itself.
# The model picks a class, and for that the usual loss is the **mean cross-entropy**: take the probability that it gives
# to the right class, and minus its logarithm; a sure and right answer costs nothing, a sure and wrong one a lot. Average
# over the examples, so that batches of any length compare.
#
# **2. Rank.** Sort by score, lowest first.


# %%
def cross_entropy(weights):
    """Mean cross-entropy on the 500 plants; logaddexp stays finite where sure and wrong."""
    z, _ = output(weights, biases, x)
    return np.mean(np.logaddexp(0, z) - y * z)


def score(weights):
    """Change of the loss when each weight is cut, one at a time."""
    trials = np.where(np.eye(len(weights), dtype=bool), 0, weights)
    return np.array([cross_entropy(trial) for trial in trials]) - cross_entropy(weights)


scores = score(net)
ranking = np.argsort(scores, kind="stable")  # stable: of equal ones, the first goes first
rows = [[f"w{i}", f"{abs(net[i]):.2f}", f"{scores[i]:+.3f}"] for i in ranking]
pv.teaching.table(["to go, in this order", "size", "the loss changes by"], rows)

# %% [markdown]
# w4 and w8 cost the same, 0.955, and w8 is a good deal larger. Look at the drawing: w4 is the only thick wire into its
# neuron, and w8 the only wire out of it. A wire is cut wherever you cut it.
#
# **3. Remove.** Set the first one to zero. To remember what is gone, keep a **mask**: one True (kept) or False (pruned)
# for each weight.
#
# **4. Stop or continue.** You need a rule, and you need it *before* you look. Ours: stop as soon as the next cut would
# leave fewer than 475 of the 500 plants right. Each round scores again, because after a cut the old scores are out of
# date.
#
# **Predict.** How many of the nine weights will go?

# %% tags=["answer"]
guess = ...  # how many of the nine weights go?
mask = np.ones(9, dtype=bool)
while mask.any():
    changes = np.where(mask, score(net * mask), np.inf)
    trial = mask.copy()
    trial[np.argmin(changes)] = False
    if right(net * trial) < 475:
        print(f"stop: without w{np.argmin(changes)}, only {right(net * trial)} would be right")
        break
    mask = trial
    print(f"w{np.argmin(changes)} goes, {mask.sum()} are left, {right(net * mask)} plants right")
pv.teaching.compare(guess, int(np.sum(~mask)), "went")

for what, kept in (("nine", net), (f"{mask.sum()}", net * mask)):
    print(f"of {len(new_y)} new plants, right with {what} weights: {right(kept, new_x, new_y)}")

# %% tags=["answer"]
# The drawing again, with the weights that are left.
pruned = pv.TinyNetwork.two_layers(*layers, x, y, **labels)
pruned.cut = [f"w{i}" for i in np.flatnonzero(~mask)]
pruned

# %% tags=["drive"]
three = pruned.cut
pruned.cut = [*three, "w1"]
print(textwrap.fill(pruned.sentence(), 96))
pruned.cut = three

# %% [markdown]
# **Explain.** There is a cliff, and the recipe stopped in front of it. Each hidden neuron has one input left, so each
# draws one straight border: too little sun, too much sun, too little water. That is the rule by which the plants were
# made. Put w5 back with a click, and one border tilts. Do not expect such a gift from a real network: nobody made its
# data with a ruler.
#
# **What would have shown us wrong?** Fewer new plants right with six weights than with nine: the 500 that chose the cuts
# may flatter the result, and the last two lines are the ones that count.

# %% [markdown]
# ### Exercise 3 · Four weights
#
# An open one. Keep only four of the nine weights, and at least 425 of the 500 plants right. Which four? Try in the
# drawing, or by code. Give their numbers, such as `[0, 1, 2, 3]`.

# %% tags=["exercise"]
# solution: four = ...
four = [1, 4, 6, 8]
# end of solution

# %% tags=["check"]
check.four_weights(four, right=right, weights=net)

# %% [markdown]
# ## Three pictures of pruning
#
# | picture | what goes | what it gets right | where it stops |
# |---|---|---|---|
# | **The brain** | While a child grows up, many contacts between its nerve cells disappear. | A network can start with more connections than it keeps, and keeps what is used. | A brain grows new ones too. Our networks only lose. |
# | **A block tower** | You pull blocks out of a wooden tower until it falls. | Each of two blocks can be safe alone, and both together bring it down. | You see a tower lean. A network does not warn you: measure after every cut. |
# | **A decision tree** | Branches that decide little are cut off. | It is real pruning, with a score, a rank and a stop. | A branch goes with everything below it; a weight goes alone. |
#
# The third is not a picture. A tree asks one question at a time, here about the pixels of small digits, until it reaches a
# *leaf* and answers. *Cost-complexity pruning* gives every leaf a price, and cuts a branch when its leaves improve the
# answers by less than they cost. The folded cell does it.

# %% tags=["fold"]
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.tree import DecisionTreeClassifier

pixels, digits = load_digits(return_X_y=True)


def grow(price, seed):
    """Return a tree, and the share of other digits that it gets right."""
    a, b, of_a, of_b = train_test_split(pixels, digits, random_state=seed)
    tree = DecisionTreeClassifier(ccp_alpha=price, random_state=seed).fit(a, of_a)
    return tree, tree.score(b, of_b)


def draw_tree(ax, tree):
    """Draw the outline of a tree: every leaf gets the same width."""
    next_leaf = iter(range(tree.node_count))

    def place(node, depth):
        if tree.children_left[node] == -1:
            return next(next_leaf)
        children = (tree.children_left[node], tree.children_right[node])
        ends = [place(child, depth + 1) for child in children]
        middle = sum(ends) / 2
        for end in ends:
            ax.plot([middle, end, end], [-depth, -depth, -depth - 1], color=BLUE, lw=0.8)
        return middle

    place(0, 0)
    ax.axis("off")


figure = Figure(figsize=(8, 2.4), layout="constrained")
outlines = []
for ax, price in zip(figure.subplots(1, 3, sharey=True), (0, 0.001, 0.005), strict=True):
    trees, shares = zip(*(grow(price, seed) for seed in range(10)), strict=True)
    leaves = np.mean([tree.get_n_leaves() for tree in trees])
    draw_tree(ax, trees[0].tree_)
    title = f"{leaves:.0f} leaves, {np.mean(shares):.1%} right"
    ax.set_title(title, loc="left", fontsize=10, fontweight="bold", color=INK)
    outlines.append(f"{title} at a price of {price}")
pv.teaching.show(
    figure,
    alt=f"Outlines of three decision trees, each smaller than the one before. Means of ten: "
    f"{'; '.join(outlines)}.",
)

# %% [markdown]
# ## Quiz

# %% [markdown] tags=["quiz"]
# What is the importance of a weight?
# - [ ] Its size.
#   why: Size is a guess at importance. For the flats, the guess puts the weight that matters most in the last
#   place.
# - [x] The change of the loss when it is cut.
#   why: That is the definition. Everything else that weights are ranked by tries to guess this number.
# - [ ] The slope of the loss at this weight.
#   why: A slope tells what a tiny step does. A cut is not a tiny step: it goes all the way to zero.
# - [ ] How often it changes while the network is trained.
#   why: A weight can change much and matter little, or settle early and carry everything. Activity is not
#   effect.

# %% [markdown] tags=["quiz"]
# Two cuts cost nothing, each on its own. What do they cost together?
# - [ ] Nothing.
#   why: Costs do not add up. One weight can stand in for the other, until both are gone.
# - [ ] More than nothing, in any case.
#   why: It may still be nothing, and two errors can even cancel, as with balcony and garden.
# - [x] You cannot know without measuring.
#   why: Importance holds for one cut from the model as it is now. After the first cut, measure again.

# %% [markdown] tags=["quiz"]
# You multiply an input by 10 and divide its weight by 10. What happens?
# - [ ] The model gets worse, because a weight that was divided by 10 is weaker.
#   why: A small weight is not a weak one. It multiplies a larger input now, and the product is the same.
# - [x] It computes the same, but the weight may change its place when you rank by size.
#   why: Predictions and importance stay. Size depends on the unit of the input.
# - [ ] It computes the same, and the weight keeps its place when you rank by size.
#   why: A ranking compares this weight with the others, and only this one became ten times smaller.

# %% [markdown]
# ## The question people really ask
#
# *My accuracy fell a lot after pruning, even though I cut only a little. Did I miss something?*
# ([VainF/Torch-Pruning, thread 347](https://github.com/VainF/Torch-Pruning/issues/347))
#
# Perhaps not. The network there is a ResNet with batch normalisation. In such networks the first suspects are BatchNorm's
# statistics, which nobody has estimated anew: lesson 04a. Two more you have met here: a score that guesses wrong, and many
# cuts at once, each judged as if it were the only one. Afterwards a network is usually **fine-tuned**, that is, trained
# further with its zeros held; lesson 01c does that. Accuracy straight after a large cut is not yet a verdict.

# %% [markdown]
# ## Recap
#
# - The loss says in one number how wrong a model is: mean squared error for numbers, mean cross-entropy for classes.
# - Importance is the change of the loss when a weight is cut. Everything else is a guess at it.
# - The smallest of five weights mattered most, and two cuts together cost more or less than their sum.
# - Score, rank, remove, stop or continue; and decide when to stop before you look.

# %% [markdown]
# ## Where to go next
#
# Whatever is called pruning answers four questions. The small numbers are lessons; lit is what you did in this one.
#
# ![The map of the course; lit are weight, loss, the network, one by one.](map/00.svg)
#
# What lies beyond it stands [in the glossary](GLOSSARY.md#beyond-this-course). [Your own
# network](YOUR_OWN_NETWORK.md) is a page to keep.
#
# Choose one track: both use the same trained networks. If you use neither, take PyTorch.
#
# | lesson | what you do | PyTorch | TensorFlow |
# |---|---|---|---|
# | 01a · Weight pruning: thresholds | cut weights until a network fails | [open](pytorch/01a_weight_pruning_thresholds.ipynb) | [open](tensorflow/01a_weight_pruning_thresholds.ipynb) |
# | 01b · Weight pruning: scope | compare weights fairly, and with what they multiply | [open](pytorch/01b_weight_pruning_scope.ipynb) | [open](tensorflow/01b_weight_pruning_scope.ipynb) |
# | 01c · Weight pruning: what to cut, with what | other scores, your framework's tools, files, fine-tuning | [open](pytorch/01c_weight_pruning_tools.ipynb) | [open](tensorflow/01c_weight_pruning_tools.ipynb) |
# | 02a · Neuron pruning: choosing | silence neurons, one by one and together | [open](pytorch/02a_neuron_pruning_choosing.ipynb) | [open](tensorflow/02a_neuron_pruning_choosing.ipynb) |
# | 02b · Neuron pruning: removing | take neurons out, and prove that nothing changed | [open](pytorch/02b_neuron_pruning_removing.ipynb) | [open](tensorflow/02b_neuron_pruning_removing.ipynb) |
# | 03 · Filter pruning | test rankings, meet BatchNorm's trap, take the time | [open](pytorch/03_filter_pruning.ipynb) | [open](tensorflow/03_filter_pruning.ipynb) |
# | 04a · Channel pruning: coupled layers | follow a channel through a residual network that collapses | [open](pytorch/04a_channel_pruning_coupled.ipynb) | [open](tensorflow/04a_channel_pruning_coupled.ipynb) |
# | 04b · Channel pruning: choosing | ask layer, training and image which channels can go | [open](pytorch/04b_channel_pruning_choosing.ipynb) | [open](tensorflow/04b_channel_pruning_choosing.ipynb) |
# | 05 · Iterative pruning | draw how fast weights leave, and train it | [open](pytorch/05_iterative_pruning.ipynb) | [open](tensorflow/05_iterative_pruning.ipynb) |
# | 06a · What pruning buys: bytes and time | write zeros, skip them, and see where milliseconds go | [open](pytorch/06a_bytes_and_time.ipynb) | [open](tensorflow/06a_bytes_and_time.ipynb) |
# | 06b · What pruning buys: which to choose | choose: weights, neurons, a runtime or int8 | [open](pytorch/06b_what_to_choose.ipynb) | [open](tensorflow/06b_what_to_choose.ipynb) |
# | 07a · Don't cry later: what accuracy hides | spoil digits, doubt, and meet clothes | [open](pytorch/07a_what_accuracy_hides.ipynb) | [open](tensorflow/07a_what_accuracy_hides.ipynb) |
# | 07b · After pruning | keep three classes, meet a budget | [open](pytorch/07b_after_pruning.ipynb) | [open](tensorflow/07b_after_pruning.ipynb) |
# | 08 · Case studies | give five articles their control | [open](pytorch/08_case_studies.ipynb) | [open](tensorflow/08_case_studies.ipynb) |

# %% [markdown]
# ## Further reading
#
# - Y. LeCun, J. S. Denker and S. A. Solla. Optimal Brain Damage. *Advances in Neural Information Processing
#   Systems* 2, 1990. Importance as the change of the loss, and a good guess at it.
# - D. Blalock, J. J. Gonzalez Ortiz, J. Frankle and J. Guttag. What is the State of Neural Network Pruning?
#   *Proceedings of Machine Learning and Systems* 2, 2020. How to measure so that others can compare.
# - L. Breiman, J. H. Friedman, R. A. Olshen and C. J. Stone. *Classification and Regression Trees*.
#   Wadsworth, 1984. Cost-complexity pruning. You may read that leaves which hang from one question are merged; they
#   are, but only where that costs little.
# - P. R. Huttenlocher and A. S. Dabholkar. Regional differences in synaptogenesis in human cerebral cortex.
#   *Journal of Comparative Neurology* 387, 1997. Synapses, counted.
# - You may read, in *How to do pruning so you don't cry later*, of an MSE that is called a standard deviation, and of a
#   cross-entropy that is summed. But a standard deviation subtracts the mean error, and a sum grows with the batch.
