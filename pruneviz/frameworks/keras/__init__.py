"""Keras 3 and tf_keras, both on TensorFlow: views of weights, outputs, gradients and copies."""

from __future__ import annotations

from pruneviz.frameworks.keras.adapter import KerasAdapter as Adapter

__all__ = ["Adapter"]
