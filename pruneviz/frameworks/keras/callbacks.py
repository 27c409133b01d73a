"""A callback for fit that says when a step is done."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


def callback(home: Any, model: Any, call: Callable[[], None]) -> Any:
    """Make a callback of keras or tf_keras that calls after every training step of this model."""

    class AfterStep(home.callbacks.Callback):
        def on_train_begin(self, logs: object = None) -> None:  # noqa: ARG002
            if self.model is not model:
                raise ValueError("this callback prunes another model than the one that is being trained")
            if int(getattr(model, "steps_per_execution", None) or 1) != 1:
                raise ValueError("compile with steps_per_execution=1: zeros are restored after every step")

        def on_train_batch_end(self, batch: int, logs: object = None) -> None:  # noqa: ARG002
            call()

    return AfterStep()
