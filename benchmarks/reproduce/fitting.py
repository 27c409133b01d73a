"""The one training loop of the experiments in PyTorch, on a GPU if there is one."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    import pruneviz as pv

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")
_WARM = 3  # steps that CUDA wants to see before one is recorded
_AT_ONCE = 1000  # images in a batch that is only counted
_OPTIMIZERS = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW, "sgd": torch.optim.SGD}

Pair = tuple[Tensor, Tensor]


@dataclass(frozen=True)
class Recipe:
    """How to train: what an optimizer takes, and in which order the images come."""

    epochs: int
    batch: int
    rate: float
    seed: int
    optimizer: str = "adam"
    decay: float = 0.0
    cosine: bool = False  # whether the rate falls from epoch to epoch, to zero after the last
    bfloat16: bool = False

    def rate_in(self, epoch: int) -> float:
        """Give the learning rate of an epoch, counted from 0."""
        return self.rate * (1 + math.cos(math.pi * epoch / self.epochs)) / 2 if self.cosine else self.rate

    def at(self, rate: float | None = None, epochs: int | None = None, **changes: Any) -> Recipe:  # noqa: ANN401
        """Give the same recipe at another rate, for other epochs, or otherwise changed."""
        return replace(self, rate=rate or self.rate, epochs=epochs or self.epochs, **changes)

    def options(self, rate: Tensor) -> dict[str, Any]:
        """Give what the optimizer's constructor takes."""
        if self.optimizer == "sgd":
            special: dict[str, Any] = {"momentum": 0.9, "nesterov": True}
        else:
            special = {
                "capturable": DEVICE.type == "cuda",
                "eps": 1e-7 if self.optimizer == "adamw" else 1e-8,
            }
        return {"lr": rate, "weight_decay": self.decay, "fused": True, **special}


def split(data: pv.datasets.Split, mean: float = 0.0, deviation: float = 1.0) -> Pair:
    """Bring images to the device: (n, channels, height, width), [0, 1] shifted and scaled, and labels."""
    x, y = data
    pixels = torch.tensor(x.transpose(0, 3, 1, 2), device=DEVICE).float() / 255
    return (pixels - mean) / deviation, torch.tensor(y, device=DEVICE).long()


def fit(
    model: nn.Module,
    data: Pair,
    recipe: Recipe,
    *,
    masks: Mapping[str, Tensor] | None = None,
    loss: Callable[[Tensor, Tensor], Tensor] = nn.functional.cross_entropy,
    augment: Callable[[Tensor, torch.Generator], Tensor] | None = None,
    before_step: Callable[[int], None] | None = None,
    watch: Callable[[], Any] | None = None,
    checkpoint: Path | None = None,
) -> list[Any]:
    """Train in place, and give what `watch` saw after each epoch.

    Parameters
    ----------
    model, data
        On `DEVICE`.
    recipe
        How; its seed and the epoch alone decide the order of the images, so that two arms see the same.
    masks
        Parameter's name -> 1 where a weight lives, 0 where it stays zero; taken as they are at each step.
    loss
        Of answers and labels.
    augment
        Changes all images before each epoch.
    before_step
        Called with the number of each step, from 0 on.
    watch
        Called after each epoch, with the model in eval mode.
    checkpoint
        A file that holds the state after each epoch, to go on from.
    """
    rate = torch.tensor(recipe.rate, device=DEVICE)
    optimizer = _OPTIMIZERS[recipe.optimizer](model.parameters(), **recipe.options(rate))
    seen = _resumed(model, optimizer, checkpoint)
    optimizer.param_groups[0]["lr"] = rate  # a checkpoint brings a rate of its own
    x, y = data
    step = _Step(model, optimizer, recipe, loss, masks or {})
    for epoch in range(len(seen), recipe.epochs):
        rate.fill_(recipe.rate_in(epoch))
        draw = torch.Generator().manual_seed(1000 * recipe.seed + epoch)
        order = torch.randperm(len(x), generator=draw).to(DEVICE)
        images = augment(x, draw) if augment else x
        model.train()
        for number, batch in enumerate(order.split(recipe.batch), epoch * math.ceil(len(x) / recipe.batch)):
            if before_step:
                before_step(number)
            step(images[batch], y[batch])
        model.eval()
        seen.append(watch() if watch else None)
        if checkpoint:
            _keep(
                {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "seen": seen}, checkpoint
            )
    return seen


class _Step:
    """One step of training; on a GPU it is recorded once, and then replayed."""

    def __init__(
        self,
        model: nn.Module,
        optimizer: torch.optim.Optimizer,
        recipe: Recipe,
        loss: Callable[[Tensor, Tensor], Tensor],
        masks: Mapping[str, Tensor],
    ) -> None:
        self.model, self.optimizer, self.recipe, self.loss = model, optimizer, recipe, loss
        self.masked = [(model.get_parameter(name), mask) for name, mask in masks.items()]
        self.done, self.stream = 0, torch.cuda.Stream() if DEVICE.type == "cuda" else None
        self.recorded: torch.cuda.CUDAGraph | None = None
        self.x = self.y = torch.empty(0)

    def __call__(self, x: Tensor, y: Tensor) -> None:
        if self.stream is None or len(x) < self.recipe.batch:
            self._train(x, y)
        elif self.recorded is None and self.done < _WARM:
            self.stream.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(self.stream):
                self._train(x, y)
            torch.cuda.current_stream().wait_stream(self.stream)
            self.done += 1
        else:
            self._replay(x, y)

    def _replay(self, x: Tensor, y: Tensor) -> None:
        if self.recorded is None:
            self.x, self.y = x.clone(), y.clone()
            self.optimizer.zero_grad()
            self.recorded = torch.cuda.CUDAGraph()
            with torch.cuda.graph(self.recorded):
                self._train(self.x, self.y)
        self.x.copy_(x)
        self.y.copy_(y)
        self.recorded.replay()

    def _train(self, x: Tensor, y: Tensor) -> None:
        self.optimizer.zero_grad()
        with torch.autocast(DEVICE.type, torch.bfloat16, enabled=self.recipe.bfloat16, cache_enabled=False):
            loss = self.loss(self.model(x), y)
        torch.autograd.backward(loss)
        self.optimizer.step()
        with torch.no_grad():
            for weight, mask in self.masked:
                weight.mul_(mask).add_(0.0)  # no negative zeros


def as_tensors(mask: pv.Mask) -> dict[str, Tensor]:
    """Bring a mask of weights to the device, as `fit` takes it."""
    return {f"{name}.weight": torch.tensor(kept, device=DEVICE).float() for name, kept in mask.items()}


def right(model: nn.Module, sets: Sequence[Pair]) -> list[int]:
    """Count the right answers on each set, in float32."""
    with torch.inference_mode():
        return [
            int(sum((model(part).argmax(1) == labels).sum() for part, labels in batches))
            for batches in (zip(x.split(_AT_ONCE), y.split(_AT_ONCE), strict=True) for x, y in sets)
        ]


def _resumed(model: nn.Module, optimizer: torch.optim.Optimizer, checkpoint: Path | None) -> list[Any]:
    if checkpoint is None or not checkpoint.exists():
        return []
    state = torch.load(checkpoint, weights_only=True, map_location=DEVICE)
    model.load_state_dict(state["model"])
    optimizer.load_state_dict(state["optimizer"])
    seen: list[Any] = state["seen"]
    return seen


def _keep(state: dict[str, Any], checkpoint: Path) -> None:
    checkpoint.parent.mkdir(parents=True, exist_ok=True)
    unfinished = checkpoint.with_suffix(".new")
    torch.save(state, unfinished)
    unfinished.replace(checkpoint)
