"""Where a module multiplies matrices."""

from __future__ import annotations

import contextlib
import functools
import re
from collections import Counter
from typing import TYPE_CHECKING, Any

import torch
from torch.overrides import TorchFunctionMode  # a dispatch mode would load torch.compile, and its compiler

from pruneviz.frameworks.torch.layouts import is_prunable

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import nn

_PRODUCTS = re.compile("^(bi)?linear|conv|matmul|(mm|mv)_?$|dot|inner|einsum|attention|lstm|gru|rnn")


class _Products(TorchFunctionMode):
    """Counts the functions called that multiply matrices, by the module that calls them."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.found: Counter[str] = Counter()
        self.inside = [name]

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.found[self.inside[-1]] += bool(_PRODUCTS.search(getattr(func, "__name__", "")))
        return func(*args, **(kwargs or {}))

    def leave(self, module: nn.Module, *_: object) -> None:
        self.found[self.inside.pop()] -= is_prunable(module)


def products(model: nn.Module, run: Callable[[], object]) -> Counter[str]:
    """Count the products of matrices in each module; in a prunable one, those beside its own.

    A scripted module, into which nothing sees, counts as one.
    """
    whole, scripted = type(model).__name__, torch.jit.ScriptModule
    mode = _Products(whole)
    with contextlib.ExitStack() as watching:
        for path, module in model.named_modules():
            if isinstance(module, scripted):
                mode.found[whole if isinstance(model, scripted) else path] += 1
            else:
                enter = functools.partial(lambda name, *_: mode.inside.append(name), path or whole)
                watching.enter_context(module.register_forward_pre_hook(enter))
                watching.enter_context(module.register_forward_hook(mode.leave))
        watching.enter_context(mode)
        run()
    return mode.found
