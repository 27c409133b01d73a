"""The adapter for torch.nn.Module."""

from __future__ import annotations

import contextlib
import functools
import random
from typing import TYPE_CHECKING, Any

import numpy as np
import safetensors.torch
import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.optim.optimizer import Optimizer, register_optimizer_step_post_hook

from pruneviz.core.arrays import Images, each
from pruneviz.core.layers import Layer
from pruneviz.frameworks import BATCH, PRECISIONS, QUICK, held, in_columns, probable, single, taking
from pruneviz.frameworks.torch import graph as graphs
from pruneviz.frameworks.torch import layouts
from pruneviz.frameworks.torch.layouts import copied, is_norm, is_prunable, outputs_first, to_numpy
from pruneviz.frameworks.torch.parameters import channelwise, stored
from pruneviz.frameworks.torch.products import products
from pruneviz.frameworks.torch.rebuild import rebuilt
from pruneviz.frameworks.torch.tracing import Inputs, Trace, refuse_other_number, traced
from pruneviz.progress import steps

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable, Iterator, Mapping

    from pruneviz.core.arrays import Array, BoolArray, Checked
    from pruneviz.core.graph import Graph
    from pruneviz.core.plan import Plan
    from pruneviz.frameworks import Watcher


class TorchAdapter:
    """A torch.nn.Module seen by the rest of pruneviz."""

    name = "torch"
    slow_to_call = False

    def __init__(self, model: nn.Module) -> None:
        self.model = model
        self.threads = torch.get_num_threads()
        self.modules = dict(layouts.prunable(model))
        self._traces: dict[tuple[torch.Size, ...], Trace] = {}

    def layers(self) -> list[Layer]:
        modules = self.modules.items()
        weights = {name: outputs_first(module, to_numpy(module.weight)) for name, module in modules}
        biases = {name: to_numpy(module.bias) for name, module in modules if module.bias is not None}
        return [Layer(n, layouts.kind_of(module), weights[n], biases.get(n)) for n, module in modules]

    def predict(self, x: Images, batch: int = QUICK) -> Array:
        with _evaluating(self.model), torch.no_grad():
            return to_numpy(torch.cat([self._run(part) for part in self._batches(x, batch)]))

    def outputs(self, x: Images) -> list[Array]:
        # A GPU's convolutions round to ten bits (TF32), which is more than two equal models may differ.
        with _evaluating(self.model), torch.no_grad(), torch.backends.cudnn.flags(True, allow_tf32=False):
            batches = [[*layouts.tensors_in(self._given(part))] for part in self._batches(x)]
        columns = zip(*batches, strict=True)
        return [np.concatenate([np.atleast_1d(to_numpy(part)) for part in parts]) for parts in columns]

    def _given(self, batch: Inputs) -> Any:
        with taking(self.model, batch):
            return self.model(*batch)

    def _run(self, batch: Inputs) -> torch.Tensor:
        return single(self._given(batch), torch.Tensor, len(batch[0]))  # type: ignore[no-any-return]

    def forward(self, x: Images) -> Callable[[], object]:
        twin = copied(self.model).eval()
        batch = [torch.cat(parts) for parts in zip(*self._batches(x), strict=True)]
        with torch.inference_mode(), taking(self.model, batch):
            one = isinstance(twin(*[part[:1] for part in batch]), torch.Tensor)  # to list it takes its time
        ends = (lambda made: [made]) if one else layouts.tensors_in
        return torch.inference_mode()(lambda: [end.cpu() for end in ends(twin(*batch))])  # a GPU is done then

    def gradients(self, data: Checked, loss: Callable[..., torch.Tensor] | None) -> dict[str, Array]:
        x, y = data
        twin = TorchAdapter(copied(self.model).eval())
        weights = [module.weight.requires_grad_(True) for module in twin.modules.values()]
        totals: dict[str, Array] = {}
        criterion = loss or functools.partial(self._cross_entropy, x)
        for start, batch in enumerate(twin._batches(x)):
            some = y[start * BATCH : start * BATCH + BATCH]
            labels = torch.from_numpy(some.astype(np.int64 if some.dtype.kind in "iu" else some.dtype))
            value = criterion(twin._run(batch), labels.to(batch[0].device))
            reached = getattr(value, "requires_grad", False)
            slopes = torch.autograd.grad(value, weights, allow_unused=True) if reached else ()
            for name, slope in zip(self.modules, slopes, strict=reached):
                if slope is not None:
                    part = to_numpy(slope).astype(np.float64) * (len(labels) / len(x))
                    totals[name] = totals.get(name, 0) + part
        return {name: outputs_first(self.modules[name], total) for name, total in totals.items()}

    def watch(self, x: Images, see: Watcher) -> Array:
        def watch(name: str, kind: str) -> Callable[..., Any]:
            def hook(module: Any, args: tuple[Any, ...], named: dict[str, Any], made: torch.Tensor) -> Any:
                read = next(iter((*args, *named.values())))
                moves = read if kind == "transposed" else made
                times = moves.numel() // moves.shape[-1 if kind == "dense" else 1]
                end = see(name, times, lambda: layouts.patches(module, _mean_square(read)).mean(axis=0))
                return None if end is None else torch.full_like(made, end)

            return hook

        names = {id(module.weight): name for name, module in self.modules.items()}
        with contextlib.ExitStack() as hooks:
            for module in filter(is_prunable, self.model.modules()):
                hook = watch(names[id(module.weight)], layouts.kind_of(module))
                hooks.enter_context(module.register_forward_hook(hook, with_kwargs=True))
            return self.predict(x)

    def products(self, x: Images) -> Counter[str]:
        return products(self.model, lambda: self.predict(x[:1]))

    def parameters(self) -> dict[str, Array]:
        return {n: self._canonical(n, to_numpy(t)) for n, t in self._stored().items() if t.requires_grad}

    def buffers(self) -> dict[str, Array]:
        return {n: self._canonical(n, to_numpy(t)) for n, t in self._stored().items() if not t.requires_grad}

    def arrays(self) -> dict[str, Array]:
        return {**self.parameters(), **self.buffers()}

    def serialised(self) -> bytes:
        kept, own = self._stored(), {n: torch.from_numpy(a.copy(order="C")) for n, a in self.arrays().items()}
        return safetensors.torch.save({name: tensor.to(kept[name].dtype) for name, tensor in own.items()})

    def precision(self) -> str:
        found = {str(parameter.dtype).removeprefix("torch.") for parameter in self.model.parameters()}
        return next((name for name in PRECISIONS if name in found), "float32")

    def copy_with(self, arrays: Mapping[str, Array]) -> nn.Module:
        twin = copied(self.model)
        TorchAdapter(twin).write(arrays)
        return twin

    def write(self, arrays: Mapping[str, Array]) -> None:
        kept = self._stored()
        with torch.no_grad():
            for name, array in arrays.items():
                new = torch.from_numpy(np.array(self._canonical(name, array)))
                kept[name].copy_(new.to(kept[name].dtype))

    @contextlib.contextmanager
    def keep_pruned(self, pruned: Mapping[str, BoolArray], optimizer: object) -> Iterator[None]:
        restore_zeros = self.zeroing(pruned)
        with contextlib.ExitStack() as stack:
            stack.callback(restore_zeros)
            stack.enter_context(self.after_steps(restore_zeros, optimizer))
            yield

    def zeroing(self, pruned: Mapping[str, BoolArray]) -> Callable[[], None]:
        paths = {id(tensor): path for path, tensor in stored(self.model).items()}
        named = self._stored()
        zeros = []
        for name, where in pruned.items():
            layer, _, attribute = paths[id(named[name])].rpartition(".")
            here = torch.from_numpy(self._canonical(name, where).copy()).to(named[name].device)
            zeros.append((self.model.get_submodule(layer), attribute, here))

        def zero() -> None:
            with torch.no_grad():
                for module, attribute, where in zeros:
                    # Looked up anew: load_state_dict(assign=True) puts other tensors there.
                    weight = getattr(module, attribute)
                    weight.masked_fill_(where.to(weight.device), 0)

        return zero

    @contextlib.contextmanager
    def after_steps(self, call: Callable[[], None], optimizer: object) -> Iterator[None]:
        def trains(watched: Optimizer) -> bool:
            ours = {id(parameter) for parameter in self.model.parameters()}
            return any(id(p) in ours for group in watched.param_groups for p in group["params"])

        def stepped(watched: Optimizer, *_: object) -> None:
            if trains(watched):
                call()

        if optimizer is None:
            handle = register_optimizer_step_post_hook(stepped)
        elif isinstance(optimizer, Optimizer):
            if not trains(optimizer):
                raise ValueError("optimizer trains no parameter of this model: make it of thin.parameters()")
            handle = optimizer.register_step_post_hook(stepped)
        else:
            raise TypeError(f"optimizer is a {type(optimizer).__qualname__}, not a torch.optim.Optimizer")
        try:
            yield
        finally:
            handle.remove()

    def seed(self, seed: int) -> None:
        random.seed(seed)
        np.random.seed(seed)  # noqa: NPY002  (the generator that a training loop may draw from)
        torch.manual_seed(seed)

    def norms(self) -> dict[str, dict[str, str]]:
        parts = {"scale": "weight", "shift": "bias", "mean": "running_mean"}
        named = self.model.named_modules()
        found = {name: held(name, module, parts) for name, module in named if is_norm(module)}
        return found | {name: {"alone": name} for name in channelwise(self.model)}

    def wiring(self) -> object:
        return graphs.wiring(self.model)

    def graph(self, example: Images | None) -> Graph:
        batch = self._two(example)
        return graphs.export(self.model, self._trace(batch), batch)

    def activations(
        self, x: Images, nodes: set[str], edit: Callable[[str, Array], Array] | None = None
    ) -> Iterator[dict[str, Array]]:
        return graphs.activations(self._trace(self._two(x)), self._batches(x, QUICK), nodes, edit)

    def patches(self, name: str, array: Array) -> Array:
        return layouts.patches(self.modules[name], array)

    def rebuilt(self, plan: Plan, example: Images | None) -> nn.Module:
        return rebuilt(self.model, plan, self._two(example))

    def recalibrated(self, x: Images) -> nn.Module:
        twin = copied(self.model)
        norms = [m for m in twin.modules() if isinstance(m, _BatchNorm) and m.running_mean is not None]
        momenta = [norm.momentum for norm in norms]
        with _evaluating(twin), torch.no_grad():
            for norm in norms:
                norm.train()
            seen = 0
            for batch in self._batches(x, BATCH - (len(x) % BATCH == 1)):  # one image alone has no variance
                seen += len(batch[0])
                for norm in norms:
                    norm.momentum = len(batch[0]) / seen
                with taking(twin, batch):
                    twin(*batch)
        for norm, momentum in zip(norms, momenta, strict=True):
            norm.momentum = momentum
        return twin

    def _cross_entropy(self, x: Images, output: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Take what the model gives for what it looks like: probabilities, or logits.

        One output is for two classes. Log-probabilities are logits whose softmax is themselves.
        """
        output = in_columns(output)
        known = probable(self, (x, to_numpy(labels)), to_numpy(output))
        if output.shape[1] == 1:
            loss = nn.functional.binary_cross_entropy_with_logits
            inside = output.clamp(1e-7, 1 - 1e-7).logit() if known else output
            return loss(inside[:, 0], labels.to(output.dtype))
        if known:
            return nn.functional.nll_loss(output.clamp_min(1e-12).log(), labels)
        return nn.functional.cross_entropy(output, labels)

    def _stored(self) -> dict[str, torch.Tensor]:
        """Name every stored tensor, each once: one that other modules share goes by its prunable layer."""
        weights = {id(module.weight): f"{name}.weight" for name, module in self.modules.items()}
        alone = f"{layouts.name_of('', self.model)}." if is_prunable(self.model) else ""
        first: dict[int, tuple[str, torch.Tensor]] = {}
        for name, tensor in stored(self.model).items():
            first.setdefault(id(tensor), (weights.get(id(tensor), alone + name), tensor))
        return dict(first.values())

    def _canonical(self, name: str, array: Array) -> Array:
        """Turn a kernel named "layer.weight" round; its own inverse."""
        module = self.modules.get(name.removesuffix(".weight")) if name.endswith(".weight") else None
        return array if module is None else outputs_first(module, array)

    def _trace(self, batch: Inputs) -> Trace:
        """Trace once for images of one shape; what was written into the model since is brought over."""
        shape = tuple(part.shape for part in batch)
        if shape not in self._traces:
            self._traces[shape] = traced(self.model, batch)
        twin = self._traces[shape].module
        ours, theirs = ([*m.parameters(), *m.buffers()] for m in (self.model, twin))
        with torch.no_grad():
            for new, old in zip(ours, theirs, strict=True):
                old.copy_(new)
        return self._traces[shape]

    def _two(self, example: Images | None) -> Inputs:
        """Make a batch of the first image and itself, whose number no other size is likely to be."""
        if example is None:
            raise ValueError("PyTorch models do not know their input's shape: pass example, such as x[:1]")
        (batch,) = self._batches(example[np.zeros(2, int)])
        return batch

    def _batches(self, x: Images, size: int = BATCH) -> Iterator[Inputs]:
        if not isinstance(self.model, torch.jit.ScriptModule):  # whose signature Python does not know
            refuse_other_number(self.model, len(each(x)))
        embeds = any(isinstance(module, (nn.Embedding, nn.EmbeddingBag)) for module in self.model.modules())
        for start in steps("running the model", "batch", range(0, len(x), size)):
            yield tuple(self._tensor(part, embeds=embeds) for part in each(x[start : start + size]))

    def _tensor(self, array: Array, *, embeds: bool) -> torch.Tensor:
        """Make what a module takes of images, or of whole numbers that an Embedding reads."""
        like = next((p for p in self.model.parameters() if p.is_floating_point()), torch.empty(0))
        batch = torch.from_numpy(array.copy())  # PyTorch warns about arrays that it may not write to
        if array.dtype.kind in "iu" and (array.dtype != np.uint8 or array.ndim < 3) and embeds:
            return batch.long().to(like.device)
        if array.dtype.kind in "iu" and array.dtype != np.uint8:
            raise TypeError(f"x is {array.dtype}, which no Embedding reads: pass uint8 images, or floats")
        turned = batch.permute(0, 3, 1, 2) if batch.ndim == 4 else batch
        # contiguous() would leave one channel with strides that count as channels_last, and some devices have
        # no float64.
        made = torch.empty(turned.shape, dtype=like.dtype).copy_(turned).to(like.device)
        return made.div_(255) if array.dtype == np.uint8 else made


def _mean_square(read: torch.Tensor) -> Array:
    norms = torch.linalg.vector_norm(read.detach().cpu(), dim=0, keepdim=True, dtype=torch.float64)
    return to_numpy(norms.square() / len(read))


@contextlib.contextmanager
def _evaluating(model: nn.Module) -> Iterator[None]:
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        yield
    finally:
        for module, mode in modes:
            module.training = mode
