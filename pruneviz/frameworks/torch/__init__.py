"""PyTorch: views of a module's weights, its outputs, gradients and copies."""

from __future__ import annotations

from pruneviz.frameworks.torch.adapter import TorchAdapter as Adapter

__all__ = ["Adapter"]
