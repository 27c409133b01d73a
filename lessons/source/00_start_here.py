# %% [markdown]
# # 00 · Start here
#
# You have a network that works. You would like it smaller. So you cut some of it away and see whether it
# still works. That is pruning, and this course lets you do it with your own hands.
#
# In this first lesson you cut weights from models so small that you can check every number yourself.

# %% [markdown]
# ## What you will learn
#
# - To say how wrong a model is, in one number, and to compute that number by hand.
# - To measure how important a weight is: cut it, and see how the loss changes.
# - Why the smallest weight can be the most important one, and why two cuts do not add up.
# - To prune in four steps: score, rank, remove, stop or continue.
#
# **Before you start.** You can read a little Python, and you know that `X @ w` multiplies and adds up. You
# need no framework and no network connection.
#
# **Time.** 35 minutes, and 15 for the exercises.

# %% [markdown]
# ## How a lesson works
#
# Put the cursor into a grey cell and press Shift + Enter: the cell runs, and the cursor moves on. Run the
# cells from the top to the bottom. You can change any of them and run it again; nothing breaks.
#
# Every experiment in this course has the same four parts.
#
# | part | what you do |
# |---|---|
# | **Predict** | Guess first, and write the guess down. A wrong guess teaches more than no guess. |
# | **Touch** | Change something yourself. |
# | **Measure** | Let a cell count what happened. |
# | **Explain** | Say why. Then read what we say. |
#
# Below some figures you find "This figure in words". Open it if you do not see the figure, or want its
# numbers. Some drawings are live: you can click in them. Until their cell has run, you see a still picture.

# %% [markdown]
# ## What pruning is
#
# A trained network is a long list of numbers, its **weights**. Pruning removes some of them and keeps the
# rest. To remove a weight means to set it to zero, so that whatever it multiplied no longer counts.
#
# Why would anybody do that? There are three honest reasons.
#
# - **Size.** A smaller model fits into a phone, a hearing aid, a web page.
# - **Work.** A model with fewer weights has less to multiply.
# - **Understanding.** What you can cut without harm was not needed. That tells you something about the
#   network.
#
# Zeros alone bring neither the first nor the second: a zero takes as many bytes in a file as any other
# number, and a computer multiplies by zero as willingly as by five. Later lessons measure what it takes to
# gain from them.
#
# First you need a way to tell whether a cut did harm.

# %% [markdown]
# ## One number for how wrong a model is
#
# That number is called the **loss**. Zero is perfect, more is worse. Two kinds are enough for this course.
#
# **When a model predicts a number**, take each error, square it, and average the squares. That is the *mean
# squared error*, MSE.

# %%
import numpy as np

truth = np.array([3.0, -0.5, 2.0, 7.0])
prediction = np.array([2.5, 0.0, 2.0, 8.0])

errors = prediction - truth
squares = errors**2

print("errors ", errors)
print("squares", squares)
print(f"mean squared error, MSE             {squares.mean():.3f}")
print(f"its root, RMSE                      {np.sqrt(squares.mean()):.3f}")
print(f"standard deviation of the errors    {errors.std():.3f}")

# %% [markdown]
# These are three different numbers. MSE is in squared units. RMSE brings it back to the units of what you
# predict. The standard deviation first subtracts the mean error, so it does not notice when every prediction
# is too high by the same amount.
#
# > **Put right.** The article *How to do pruning so you don't cry later* uses these four predictions, and
# > calls the result a standard deviation in one sentence and a root mean squared error in another. It is
# > neither. It is the MSE, 0.375.
#
# **When a model picks a class**, it gives each class a probability. Look only at the probability of the
# *right* class, and take minus its logarithm. A sure and right answer costs nothing. The surer a wrong answer
# is, the more it costs. The average over all examples is the *mean cross-entropy*.

# %%
for probability in (1.0, 0.9, 0.6, 0.1, 0.01):
    cost = 0 - np.log(probability)  # a plain minus would print -0.000 for the first
    print(f"right class has probability {probability:<4}   costs {cost:.3f}")

one_image = np.array([0.6])
same_image_twice = np.array([0.6, 0.6])
print()
print(f"one image:         sum {-np.log(one_image).sum():.3f}, mean {-np.log(one_image).mean():.3f}")
print(
    f"the image twice:   sum {-np.log(same_image_twice).sum():.3f}, "
    f"mean {-np.log(same_image_twice).mean():.3f}"
)

# %% [markdown]
# > **Put right.** The same article adds the costs up. With one image you cannot tell. With two, its loss
# > would be 1.022, although the model is no worse. Take the mean, 0.511, and you can compare batches of any
# > length.
#
# So much for the ruler. Now to something you can cut.

# %% [markdown]
# ## Four flats and five weights
#
# A model predicts the price of a flat, in hundreds of thousands of euros. It multiplies five facts by five
# weights and adds up. Balconies count against a flat here: they all look onto a motorway.

# %%
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
prices = np.array([1.05, 2.45, 2.5, 3.8])


def loss(weights):
    """Mean squared error of the predicted prices."""
    return np.mean((flats @ weights - prices) ** 2)


for name, weight in zip(names, weights, strict=True):
    print(f"{name:8} {weight:5}")
print("predicted prices", (flats @ weights).round(2))
print(f"loss {loss(weights):.4f}")

# %% [markdown]
# The model is perfect: every price is right, and the loss is 0.
#
# **Predict.** You must cut one of the five weights. Which one would you take? And which one would you never
# touch? Write both down.
#
# **Touch.** Run the next cell. It draws the model; the lines are its weights, the thicker the larger. Click a
# weight to cut it, and again to put it back. With the keyboard, Tab goes into the drawing, the arrow keys go
# from weight to weight, and Enter cuts. Undo takes one step back.

# %%
import pruneviz as pv

view = pv.TinyNetwork.linear(weights, names, flats, prices, output="price", noun="flat")
view

# %% [markdown]
# To cut a weight is to set it to zero, and code can do that too. Run this, and look at the drawing again: the
# garden is cut there as well.

# %%
view.cut = ["garden"]
print(view.sentence())

trial = weights.copy()
trial[names.index("garden")] = 0
print(f"by hand: the prices are {(flats @ trial).round(2)}, the loss is {loss(trial):.4f}")

# %% [markdown]
# **Measure.** Here they all are, one at a time. Each is put back before the next one goes.

# %%
change = {}
for i, name in enumerate(names):
    trial = weights.copy()
    trial[i] = 0
    change[name] = loss(trial) - loss(weights)

print("cut        weight    the loss rises by")
for i in np.argsort(np.abs(weights)):
    print(f"{names[i]:8} {weights[i]:8}   {change[names[i]]:12.4f}")

# %% jupyter={"source_hidden": true}
from matplotlib.figure import Figure

BLUE, GREY, INK = "#0b3c6f", "#8c9bad", "#22272e"

by_size = [names[i] for i in np.argsort(-np.abs(weights))]
sizes = [abs(weights[names.index(name)]) for name in by_size]
rises = [change[name] for name in by_size]

figure = Figure(figsize=(8, 2.9), layout="constrained")
left, right = figure.subplots(1, 2, sharey=True)
for ax, values, title in (
    (left, sizes, "Size of the weight"),
    (right, rises, "Rise of the loss when it is cut"),
):
    bars = ax.barh(by_size, values, color=[GREY, GREY, GREY, GREY, BLUE], height=0.62)
    ax.bar_label(bars, [f"{value:.4g}" for value in values], padding=4, color=INK)
    ax.set_title(title, loc="left", fontsize=11, fontweight="bold", color=INK)
    ax.set_xlim(0, 1.18 * max(values))
    ax.spines[["top", "right", "bottom"]].set_visible(False)
    ax.set_xticks([])
    ax.tick_params(axis="y", length=0)
pv.teaching.show(
    figure,
    alt="Two bar charts of the five weights. By size, area is the smallest of all, with 0.02, and garden the "
    "largest, with 0.5. By the rise of the loss it is the other way round: area costs 4.14, all others "
    "less than 0.13.",
)

# %% [markdown]
# **Explain.** The smallest weight matters most. Its 0.02 multiplies numbers near 100; the garden's 0.5
# multiplies 0 or 1. A weight is only half of the story. The other half is what it is multiplied by.
#
# That gives us the definition which this course uses.
#
# > The **importance** of a weight is the change of the loss when that weight is cut.
#
# Everything else that people rank by, the size of a weight above all, is a *guess* at this number. Guesses
# are needed: a network with a million weights has a million cuts to try. But a guess can be wrong, and you
# have just seen one that is.

# %% [markdown]
# ### The same model in another unit
#
# **Predict.** Measure the area in hundreds of square metres: 0.5, 0.8, 1, 1.5. To keep the prices, the weight
# becomes 2. Does the model change? Does the order of the weights by size?

# %%
in_hundreds = flats / [100, 1, 1, 1, 1]
weights_for_hundreds = weights * [100, 1, 1, 1, 1]

same = np.allclose(flats @ weights, in_hundreds @ weights_for_hundreds)
print("areas", in_hundreds[:, 0])
print("same predictions:", same)
for title, values in (
    ("area in square metres", weights),
    ("area in hundreds of them", weights_for_hundreds),
):
    order = [names[i] for i in np.argsort(np.abs(values))]
    print(f"{title:24} smallest first: {', '.join(order)}")

# %% [markdown]
# **Explain.** The model computes the same function. Yet area went from the first weight to be cut to the
# last. Size depends on units; importance does not. Inside a network nobody chose the units: each layer has
# its own, and training happened to pick them. Lesson 01a plays the same trick on a real network.

# %% [markdown]
# ### Two cuts at once
#
# **Predict.** Cutting the balcony costs 0.045 and cutting the garden 0.125, so cutting both costs …?

# %%
for first, second in (("balcony", "garden"), ("area", "floor")):
    trial = weights.copy()
    trial[[names.index(first), names.index(second)]] = 0
    print(f"{first} {change[first]:.4f} and {second} {change[second]:.4f} ", end="")
    print(f"add up to {change[first] + change[second]:.4f}; cut together: {loss(trial):.4f}")

# %% [markdown]
# **Explain.** Together they cost 0.0950, less than the sum of 0.1700. The last flat has both: without the
# garden its price is too low, without the balcony too high, and the two errors partly cancel. Area and floor
# are worse together than their sum: there, every error points the same way.
#
# So importance holds for *one* cut, from the model as it is *now*. After a cut, the other numbers are out of
# date. You can watch that in the drawing above: press Reset, tick "Show what each next cut would do to the
# loss", and cut the balcony.

# %% [markdown]
# ## A network with nine weights
#
# A plant on a window sill gets some sun and some water, each between −2 (far too little) and 2 (far too
# much). It thrives where the sun is about right and the soil is not too dry. Here are 300 plants to learn
# from and 500 others to choose cuts with, because a model must be measured on what it has not learned from.
# Another 500 stay out of sight until the end.

# %%
rng = np.random.default_rng(0)


def plants(number):
    """Sun and water of some plants, and whether they thrive (1) or not (0)."""
    sun_water = rng.uniform(-2, 2, (number, 2))
    thrives = (np.abs(sun_water[:, 0]) < 1.1) & (sun_water[:, 1] > -0.6)
    return sun_water, thrives.astype(float)


train_x, train_y = plants(300)
x, y = plants(500)
new_x, new_y = plants(500)
print(f"{int(train_y.sum())} of {len(train_y)} and {int(y.sum())} of {len(y)} plants thrive")

# %% [markdown]
# The network has two inputs, three hidden neurons and one output: 2 × 3 + 3 × 1 = 9 weights. A hidden neuron
# adds up its two weighted inputs and a constant, its *bias*, and passes on the result if it is positive,
# otherwise 0. Biases are few, here four, and are not pruned.
#
# The next cell trains it in plain NumPy. You need not follow the gradient. It says in which direction each
# weight should move to lower the loss; 4,000 small steps later, the network is good.

# %%
FIRST, LAST = slice(0, 6), slice(6, 9)  # w0 to w5 go into hidden neurons, w6 to w8 come out of them


def output(weights, biases, x):
    """Return the output (above 0: thrives) and the hidden neurons."""
    hidden = np.maximum(x @ weights[FIRST].reshape(3, 2).T + biases[:3], 0)
    return hidden @ weights[LAST] + biases[3], hidden


def cross_entropy(weights, biases, x, y):
    """Mean cross-entropy; logaddexp keeps it finite when the network is sure and wrong."""
    z, _ = output(weights, biases, x)
    return np.mean(np.logaddexp(0, z) - y * z)


start = np.random.default_rng(5)
net = start.normal(size=9)
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


print("weights", net.round(2))
print(f"loss {cross_entropy(net, biases, x, y):.3f}, {right(net)} of {len(y)} plants right")

# %% [markdown]
# In the drawing, thick lines are large weights, named w0 to w8. Beside it is the plane of sun and water. Dots
# are plants that thrive, crosses are plants that do not, and the network says "thrives" in the shaded region.
#
# **Predict.** Before you click: which weight can go? Which one takes the whole picture with it?
#
# **Touch.** Cut a thin one and two thick ones. A click on a round neuron cuts everything that goes in and
# out. A click on a plant shows what the network computes for it.

# %%
layers = net[FIRST].reshape(3, 2), biases[:3], net[LAST], biases[3]
wired = pv.TinyNetwork.two_layers(*layers, x, y, names=["sun", "water"], output="thrives", noun="plant")
wired

# %%
# The same from code. The drawing follows.
for name in ("w2", "w3"):
    wired.cut = [name]
    print(wired.sentence())

# %% [markdown]
# ## The recipe: score, rank, remove, stop or continue
#
# Every pruning method in this course is these four steps. What differs is how each step is done.
#
# **1. Score.** Give every weight a number: high means keep. Here it is the importance itself, because nine
# cuts are quick to try.


# %%
def score(weights):
    """Change of the loss when each weight is cut, one at a time."""
    base = cross_entropy(weights, biases, x, y)
    changes = []
    for i in range(len(weights)):
        trial = weights.copy()
        trial[i] = 0
        changes.append(cross_entropy(trial, biases, x, y) - base)
    return np.array(changes)


scores = score(net)
for i, value in enumerate(scores):
    print(f"w{i}   size {abs(net[i]):.2f}   the loss changes by {value:+.3f}")

# %% [markdown]
# Three weights cost nothing. Without them, the loss on these 500 plants is even a little lower. Keep that in
# mind; we come back to it.
#
# Now look at the others. The largest of all is w8, 6.75; w4 is a good deal smaller, 5.05. They cost the same,
# 0.955. The drawing says why: w4 is the only thick wire into its neuron, and w8 the only wire out of it. A
# wire is cut wherever you cut it.
#
# **2. Rank.** Sort by score, lowest first.

# %%
ranking = np.argsort(scores, kind="stable")  # stable: of equal ones, the first goes first
print("to go, in this order:", ", ".join(f"w{i}" for i in ranking))

# %% [markdown]
# **3. Remove.** Set the first one to zero. To remember what is gone, keep a **mask**: one True (kept) or
# False (pruned) for each weight.

# %%
mask = np.ones(9, dtype=bool)
mask[ranking[0]] = False
print("mask", mask.astype(int))
print(f"loss {cross_entropy(net * mask, biases, x, y):.3f}, {right(net * mask)} of {len(y)} right")

# %% [markdown]
# **4. Stop or continue.** You need a rule, and you need it *before* you look. Ours: stop as soon as the next
# cut would leave fewer than 475 of the 500 plants right. Each round scores again, because after a cut the old
# scores are out of date.
#
# **Predict.** How many of the nine weights will go?

# %%
LIMIT = 475

mask = np.ones(9, dtype=bool)
print("weights left   cut   right")
while mask.any():
    changes = np.where(mask, score(net * mask), np.inf)
    trial = mask.copy()
    trial[np.argmin(changes)] = False
    if right(net * trial) < LIMIT:
        print(f"stop: without w{np.argmin(changes)}, only {right(net * trial)} would be right")
        break
    mask = trial
    print(f"{mask.sum():6}          w{np.argmin(changes)}   {right(net * mask):5}")

# %%
# The drawing again, with the six weights that are left.
wired.cut = [f"w{i}" for i in np.flatnonzero(~mask)]
wired

# %% [markdown]
# **Measure.** Three of nine weights went, and all 500 plants are right. One cut more, and it would be 429.
# There is a cliff, and the recipe stopped in front of it.
#
# But these 500 chose the cuts, so they flatter the result. Now for the plants that nobody has looked at.

# %%
print(f"of {len(new_y)} new plants, right with nine weights: {right(net, new_x, new_y)}")
print(f"of {len(new_y)} new plants, right with {mask.sum()} weights:   {right(net * mask, new_x, new_y)}")

# %% [markdown]
# **Explain.** Look at the last drawing. Each hidden neuron has one input left, so each draws one
# straight border: too little sun, too much sun, too little water. That is the rule by which we made the
# plants, and it needs these six weights. The other three had tilted the borders a little to suit the 300
# plants for training: put w5 back with a click, and one of them tilts. That is why the network became better
# without them. Do not expect such a gift from a real network: nobody made its data with a ruler.
#
# Here, size would have been a good guess. Both inputs have the same unit.

# %% [markdown]
# ## Three pictures of pruning
#
# You will meet these comparisons. Each is right about one thing.
#
# | picture | what goes | what it gets right | where it stops |
# |---|---|---|---|
# | **The brain** | While a child grows up, many of the contacts between its nerve cells, the synapses, disappear. | A network can start with more connections than it keeps. | A brain grows new ones too, and does not sort them by size. Our networks only lose. |
# | **A block tower** | You pull blocks out of a wooden tower, one each turn, until it falls. | Each of two blocks can be safe alone, and both together bring it down. | You see a tower lean. A network does not warn you: measure after every cut. |
# | **A decision tree** | Branches that decide little are cut off. | It is real pruning, with a score, a rank and a stop. People did it before they pruned networks. | A branch goes with everything below it; a weight goes alone. |

# %% [markdown]
# ### Optional: prune a real tree
#
# A decision tree asks one question at a time, here about the pixels of small handwritten digits, until it
# reaches a *leaf* and answers. *Cost-complexity pruning* gives every leaf a price, and cuts a branch when its
# leaves improve the answers by less than they cost. You choose the price. Each row is the mean over 20 random
# splits into training and other digits.

# %%
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.tree import DecisionTreeClassifier

pixels, digits = load_digits(return_X_y=True)


def grow(price, seed):
    """Return a tree, and the share of other digits that it gets right."""
    a, b, of_a, of_b = train_test_split(pixels, digits, random_state=seed)
    tree = DecisionTreeClassifier(ccp_alpha=price, random_state=seed).fit(a, of_a)
    return tree, tree.score(b, of_b)


print("price of a leaf   leaves   right")
for price in (0, 0.001, 0.002, 0.005, 0.02):
    trees, shares = zip(*(grow(price, seed) for seed in range(20)), strict=True)
    leaves = np.mean([tree.get_n_leaves() for tree in trees])
    print(f"{price:15}   {leaves:6.0f}   {100 * np.mean(shares):.1f}%")


# %% jupyter={"source_hidden": true}
def draw_tree(ax, tree):
    """Draw the outline of a tree: every leaf gets the same width."""
    next_leaf = iter(range(tree.node_count))

    def place(node, depth):
        if tree.children_left[node] == -1:
            return next(next_leaf)
        ends = [place(child, depth + 1) for child in (tree.children_left[node], tree.children_right[node])]
        middle = sum(ends) / 2
        for end in ends:
            ax.plot([middle, end, end], [-depth, -depth, -depth - 1], color=BLUE, lw=0.8)
        return middle

    place(0, 0)
    ax.axis("off")


full, _ = grow(0, 0)
cut_back, _ = grow(0.001, 0)
figure = Figure(figsize=(8, 2.6), layout="constrained")
pair = zip(figure.subplots(1, 2, sharey=True), (full, cut_back), ("Full", "Pruned"), strict=True)
for ax, tree, name in pair:
    draw_tree(ax, tree.tree_)
    title = f"{name}: {tree.get_n_leaves()} leaves"
    ax.set_title(title, loc="left", fontsize=11, fontweight="bold", color=INK)
pv.teaching.show(
    figure,
    alt=f"Outlines of two decision trees. The full one has {full.get_n_leaves()} leaves; the pruned one has "
    f"{cut_back.get_n_leaves()}, and some of its branches end earlier.",
)

# %% [markdown]
# How many pairs of leaves hang from one question, and how many of these pairs did pruning merge? The next
# cell walks through both trees side by side.

# %%
LEAF = -1


def pairs(full, cut_back, a=0, b=0):
    """Count the pairs of leaves below a question, and those that the pruned tree still has."""
    ends = full.children_left[a], full.children_right[a]
    if ends[0] == LEAF:
        return np.array([0, 0])
    still = b is not None and cut_back.children_left[b] != LEAF
    if all(full.children_left[end] == LEAF for end in ends):
        return np.array([1, int(still)])
    below = (cut_back.children_left[b], cut_back.children_right[b]) if still else (None, None)
    return sum(pairs(full, cut_back, *both) for both in zip(ends, below, strict=True))


before, after = pairs(full.tree_, cut_back.tree_)
print(f"pairs of leaves: {before}; merged: {before - after}; left as they were: {after}")

# %% [markdown]
# > **Put right.** Tram Ho's article has leaves that hang from one question merged, as if that always
# > happened. Here some pairs went and some stayed. A pair goes only where that costs little. It is your own
# > rule: score, rank, remove, and stop when it hurts.

# %% [markdown]
# ## Words
#
# | word | meaning |
# |---|---|
# | **weight** | a number that multiplies an input; with the biases, the *parameters* of a model |
# | **neuron** | adds up weighted inputs and a bias, and passes on the result |
# | **layer** | neurons that work side by side |
# | **loss** | how wrong a model is, in one number |
# | **accuracy** | the share of right answers |
# | **importance, score** | how much a weight matters: its change of the loss, or a guess at it |
# | **criterion** | the way to guess: by size (*magnitude*), by slope, by activity … |
# | **mask** | True for each weight that is kept, False for each that is pruned |
# | **sparsity** | the share that is pruned: three of nine weights is one third |
# | **threshold** | the score below which everything goes |
# | **dense** | not pruned; every weight is there |
# | **fine-tuning** | training on after a cut, so that the rest can make up for it |
# | **training, validation, test** | examples to learn from, to choose with, and to report with |
#
# Some words are pictures, and English uses them without saying so:
#
# | picture | what is meant |
# |---|---|
# | a **dead** neuron | one whose output is always 0 |
# | the **knee** of a curve | the place where it bends: from here on, every cut costs much more |
# | **collapse** | the accuracy falls to that of guessing |
# | **one-shot** | everything is cut at once, with no training in between |
# | from **scratch** | starting with random weights |
# | a winning **ticket** | a small part of a network that would have trained well alone, as in a lottery |
# | a **trap** | something that looks right, raises no error, and does something else |

# %% [markdown]
# ## Exercises
#
# Write your answer in place of the dots, run the cell, then run the check below it. The check tells you what
# is right or wrong, as often as you like. The solution is folded below it.
#
# ### Exercise 1 · Two losses
#
# Write both losses as functions. The second gets one row of class probabilities for each image, and the
# number of the right class for each. It must not become infinite when a probability is 0; `np.clip(p, 1e-12,
# 1)` helps.

# %%
from pruneviz.lessons.checks import lesson_00 as check


# %% tags=["exercise"]
def mean_squared_error(truth, prediction):
    """Average the squared errors."""
    # solution:
    return np.mean((prediction - truth) ** 2)
    # end of solution


def mean_cross_entropy(probabilities, labels):
    """Average minus the logarithm of the probability of the right class."""
    # solution:
    of_the_right_class = probabilities[np.arange(len(labels)), labels]
    return -np.mean(np.log(np.clip(of_the_right_class, 1e-12, 1)))
    # end of solution


# %% tags=["check"]
check.losses(mean_squared_error, mean_cross_entropy)

# %% [markdown]
# ### Exercise 2 · Rank by importance
#
# `loss` is a function that takes weights and returns a number. Return the positions of the weights, least
# important first. Leave the weights as they were.


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
# ### Exercise 3 · Rooms and garden
#
# Cut rooms and garden together, positions 2 and 4 of `weights`. What is the loss of the flats? Guess first:
# alone they cost 0.1175 and 0.1250.

# %% tags=["exercise"]
# solution: loss_of_both = ...
trial = weights.copy()
trial[[2, 4]] = 0
loss_of_both = loss(trial)
# end of solution

# %% tags=["check"]
check.cut_together(loss_of_both)

# %% [markdown]
# ## Quiz
#
# Open the option that you would choose. It says whether it is right, and why.

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

# %% [markdown] tags=["quiz"]
# You copy every image of a batch, so that each is there twice. Which number stays?
# - [x] The mean cross-entropy.
#   why: Copying doubles the sum and the number of examples, so their quotient stays.
# - [ ] The sum of the cross-entropies.
#   why: It doubles, as with the image at the start of this lesson. The model is no worse.
# - [ ] Both.
#   why: The sum is the mean times the number of images, and that number has doubled.

# %% [markdown]
# ## The question people really ask
#
# *My accuracy fell a lot after pruning, even though I cut only a little. Did I miss something?*
# ([VainF/Torch-Pruning, thread 347](https://github.com/VainF/Torch-Pruning/issues/347))
#
# Perhaps not. You have seen three common reasons on this page.
#
# - The score was a guess, and it guessed wrong. A small weight can matter most.
# - Many cuts were made at once, each judged as if it were the only one.
# - Nobody looked in between. Cut less, measure on examples that the model has not learned from, and only then
#   cut more.
#
# Afterwards the network is usually trained on for a while; 01c does that. Accuracy straight after a large cut
# is not yet a verdict.

# %% [markdown]
# ## Recap
#
# - The loss says in one number how wrong a model is: mean squared error for numbers, mean cross-entropy for
#   classes.
# - Importance is the change of the loss when a weight is cut. Everything else is a guess at it.
# - The smallest of five weights mattered most, and two cuts together cost more or less than their sum.
# - Score, rank, remove, stop or continue; and decide when to stop before you look.

# %% [markdown]
# ## Where to go next
#
# Choose one track and stay with it. Both say the same, and use the same networks with the same trained
# weights. Take the framework that you use. If you use neither, take PyTorch: its own pruning tools can do a
# little more.
#
# | lesson | what you do | PyTorch | TensorFlow |
# |---|---|---|---|
# | 01a · Weight pruning: thresholds | cut weights from a network that reads digits, until it fails | [open](pytorch/01a_weight_pruning_thresholds.ipynb) | [open](tensorflow/01a_weight_pruning_thresholds.ipynb) |
# | 01c · Weight pruning: what to cut, with what | other scores than size, the framework's own tools, files, fine-tuning | [open](pytorch/01c_weight_pruning_tools.ipynb) | [open](tensorflow/01c_weight_pruning_tools.ipynb) |
# | 02a · Neuron pruning: choosing | silence neurons one by one and together, and find out which can go | [open](pytorch/02a_neuron_pruning_choosing.ipynb) | [open](tensorflow/02a_neuron_pruning_choosing.ipynb) |
# | 02b · Neuron pruning: removing | take whole neurons out, and prove that nothing else has changed | [open](pytorch/02b_neuron_pruning_removing.ipynb) | [open](tensorflow/02b_neuron_pruning_removing.ipynb) |
# | 03 · Filter pruning | test rankings of filters, meet BatchNorm's trap, and take the time | [open](pytorch/03_filter_pruning.ipynb) | [open](tensorflow/03_filter_pruning.ipynb) |
# | 04a · Channel pruning: coupled layers | follow a channel through a residual network, and ask why such a network collapses | [open](pytorch/04a_channel_pruning_coupled.ipynb) | [open](tensorflow/04a_channel_pruning_coupled.ipynb) |
# | 04b · Channel pruning: choosing | ask the next layer, the training and the image which channels can go | [open](pytorch/04b_channel_pruning_choosing.ipynb) | [open](tensorflow/04b_channel_pruning_choosing.ipynb) |
# | 05 · Iterative pruning | draw how fast weights leave, train it, and find out when patience does not pay | [open](pytorch/05_iterative_pruning.ipynb) | [open](tensorflow/05_iterative_pruning.ipynb) |

# %% [markdown]
# ## Further reading
#
# - Y. LeCun, J. S. Denker and S. A. Solla. Optimal Brain Damage. *Advances in Neural Information Processing
#   Systems* 2, 1990. Importance as the change of the loss, and a good guess at it.
# - S. Han, J. Pool, J. Tran and W. J. Dally. Learning both Weights and Connections for Efficient Neural
#   Networks. *Advances in Neural Information Processing Systems* 28, 2015. Cutting by size, and training on.
# - D. Blalock, J. J. Gonzalez Ortiz, J. Frankle and J. Guttag. What is the State of Neural Network Pruning?
#   *Proceedings of Machine Learning and Systems* 2, 2020. How to measure so that others can compare.
# - L. Breiman, J. H. Friedman, R. A. Olshen and C. J. Stone. *Classification and Regression Trees*.
#   Wadsworth, 1984. Cost-complexity pruning.
# - P. R. Huttenlocher and A. S. Dabholkar. Regional differences in synaptogenesis in human cerebral cortex.
#   *Journal of Comparative Neurology* 387, 1997. Synapses, counted.
# - The articles that this course puts right where it must: *How to do pruning so you don't cry later*; Tram
#   Ho, *Pruning model with Tensorflow API*, Viblo.
