"""Ask of Tram Ho's regression what its schedule reaches, what is acceptable, and which weights go.

A network of 1024-1024-1 units learns make_regression's 1,000 inputs, of which 500 mean something, for 200
epochs, and is then pruned by tensorflow-model-optimization's rule for 200 more. The rule is rebuilt here, so
that every arm can have its control: dense with as many epochs, a schedule that ends in time, weight decay, no
network at all. The article looks at 2,000 validation rows; here the first 1,000 choose and the others report.
"""

from __future__ import annotations

import copy
import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from sklearn.datasets import make_regression
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.model_selection import train_test_split
from torch import nn

from .fitting import DEVICE, Pair, Recipe, fit
from .rule import Rule

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor

INPUTS, USEFUL = 1000, 500
LEVELS = (0.25, 0.5, 0.75, 0.9)
ARTICLE: dict[str, Any] = {
    "who": "Tram Ho, Pruning model with Tensorflow API",
    "promised_sparsity": 0.75,
    "validation_loss": "still acceptable",
}
SETTINGS: dict[str, Any] = {
    "epochs": 200,
    "more_epochs": 200,
    "batch": 1024,
    "rate": 1e-3,
    "rates": [1e-3, 2.5e-4],
    "decay": 3.0,
    "frequency": 100,
    "sparsity": 0.75,
    "schedules": {"as printed": [1000, 5000], "repaired": [200, 1000]},
}
SEEDS = (0, 1, 2)
CASES = ("",)


def run(_: str, seed: int, settings: dict[str, Any], _folder: Path) -> dict[str, Any]:
    """Give mean squared errors of training, choosing and reporting rows, and where the useless inputs are."""
    rows, useful = data()
    study = _Study([tuple(torch.tensor(a, device=DEVICE).float() for a in part) for part in rows], useful)
    torch.manual_seed(seed)
    model = network()
    study.note("before training", model)
    first = Recipe(settings["epochs"], settings["batch"], settings["rate"], seed)
    dense = study.train("dense", model, first)
    study.train("weight decay", model, replace(first, optimizer="adamw", decay=settings["decay"]))
    for rate in settings["rates"]:
        more = replace(first, epochs=settings["more_epochs"], rate=rate)
        study.train(f"dense, more, {rate:g}", dense, more)
        for name, steps in settings["schedules"].items():
            study.prune(
                f"{name}, {rate:g}", dense, more, (0.0, settings["sparsity"], *steps, settings["frequency"])
            )
    return {"without_a_network": without_a_network(rows), **study.found}


def data() -> tuple[list[tuple[np.ndarray, np.ndarray]], np.ndarray]:
    """Make the article's rows: training, choosing, reporting; and which inputs are of use."""
    x, y, coefficients = make_regression(
        10_000, INPUTS, n_informative=USEFUL, noise=3, coef=True, random_state=0
    )
    x, y = x / abs(x).max(axis=0), y / abs(y).max()
    x_train, x_rest, y_train, y_rest = train_test_split(x, y, test_size=0.2, random_state=42)
    half = len(x_rest) // 2
    parts = [(x_train, y_train), (x_rest[:half], y_rest[:half]), (x_rest[half:], y_rest[half:])]
    return parts, coefficients != 0


def network() -> nn.Sequential:
    """Build the article's network, with Keras' first weights."""
    model = nn.Sequential(
        nn.Linear(INPUTS, 1024), nn.ReLU(), nn.Linear(1024, 1024), nn.ReLU(), nn.Linear(1024, 1)
    )
    nn.init.trunc_normal_(model[0].weight, std=math.sqrt(2 / INPUTS))
    for layer in (model[2], model[4]):
        nn.init.xavier_uniform_(layer.weight)
    for layer in model[::2]:
        nn.init.zeros_(layer.bias)
    return model.to(DEVICE)


class _Study:
    """Networks trained, and what is found of each."""

    def __init__(self, parts: list[Pair], useful: np.ndarray) -> None:
        self.parts, self.useful = parts, useful
        self.found: dict[str, dict[str, Any]] = {"errors": {}, "sparsity": {}, "inputs": {}}

    def train(self, name: str, start: nn.Module, recipe: Recipe) -> nn.Module:
        """Train a copy on, and note what comes out."""
        arm = copy.deepcopy(start)
        fit(arm, self.parts[0], recipe, loss=squared)
        self.note(name, arm)
        return arm

    def prune(self, name: str, start: nn.Module, recipe: Recipe, schedule: tuple[Any, ...]) -> None:
        """Train a copy on by the rule, and note what comes out."""
        arm = copy.deepcopy(start)
        rule = Rule(arm, *schedule)
        fit(arm, self.parts[0], recipe, loss=squared, masks=rule.masks, before_step=rule.step)
        in_training = rule.sparsity
        rule.step(recipe.epochs * math.ceil(len(self.parts[0][0]) / recipe.batch))
        self.found["sparsity"][name] = [round(share, 4) for share in (in_training, rule.sparsity)]
        self.note(name, arm)

    def note(self, name: str, model: nn.Module) -> None:
        """Note errors, and which inputs a score finds useless."""
        with torch.no_grad():
            errors = [float(squared(model(x), y)) for x, y in self.parts]
        self.found["errors"][name] = [float(f"{error:.3g}") for error in errors]
        self.found["inputs"][name] = inputs(model, self.parts[0], self.useful)


def squared(answers: Tensor, y: Tensor) -> Tensor:
    """Give the mean squared error."""
    return nn.functional.mse_loss(answers.squeeze(1), y)


def inputs(model: nn.Module, train: Pair, useful: np.ndarray) -> dict[str, Any]:
    """Say what the scores of first-layer weights and of inputs tell of use.

    The share pruned of the weights of useless and of useful inputs, in per cent, where the layer loses 25,
    50, 75 or 90% by |w| or by |w|·rms(x); and how many useless inputs are among the 500 with the lowest L1
    norm of their weights, and among the 500 to which the answer reacts least (the mean of |∂answer/∂input|).
    """
    x = train[0].clone().requires_grad_()
    (slopes,) = torch.autograd.grad(model(x).sum(), x)
    weight, rms = model[0].weight.detach().abs(), train[0].square().mean(0).sqrt()
    slope = slopes.abs().mean(0).cpu().numpy()
    by = {"magnitude": weight.cpu().numpy(), "times_input": (weight * rms).cpu().numpy()}
    return {
        "pruned_percent": {
            name: [_shares(scores, level, useful) for level in LEVELS] for name, scores in by.items()
        },
        "useless_among_500": {
            "weights": _useless(by["magnitude"].sum(0), useful),
            "slopes": _useless(slope, useful),
        },
    }


def _shares(scores: np.ndarray, level: float, useful: np.ndarray) -> list[float]:
    gone = scores <= np.quantile(scores, level)
    return [round(100 * float(gone[:, which].mean()), 1) for which in (~useful, useful)]


def _useless(scores: np.ndarray, useful: np.ndarray) -> int:
    return int((~useful[np.argsort(scores)[: INPUTS - USEFUL]]).sum())


def without_a_network(rows: list[tuple[np.ndarray, np.ndarray]]) -> dict[str, list[float]]:
    """Give the errors of what needs no network: predicting the mean, and linear regressions."""
    x, y = rows[0]
    linear = {"linear regression": LinearRegression().fit(x, y), "ridge": Ridge(1e-3).fit(x, y)}
    answers = {"the mean": lambda _: y.mean(), **{name: model.predict for name, model in linear.items()}}
    return {
        name: [float(f"{np.mean((answer(x) - y) ** 2):.3g}") for x, y in rows]
        for name, answer in answers.items()
    }
