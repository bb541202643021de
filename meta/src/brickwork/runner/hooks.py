"""Hooks: the registry and the base class that downstream hooks use."""

from typing import Any

from brickwork_registry import Registry

from brickwork.utils.misc import is_method_overridden

__all__ = ["HOOKS", "Hook"]

HOOKS: Registry[Any] = Registry("hook", scope="mmcv")

# a general method → the methods that call it
_GENERAL_METHODS = {
    "before_epoch": ("before_train_epoch", "before_val_epoch"),
    "after_epoch": ("after_train_epoch", "after_val_epoch"),
    "before_iter": ("before_train_iter", "before_val_iter"),
    "after_iter": ("after_train_iter", "after_val_iter"),
}


class Hook:
    """A base class of hooks: a runner calls its methods at points of a training run.

    The runners of an installed mmcv 1.x call it.
    """

    stages = (
        "before_run",
        "before_train_epoch",
        "before_train_iter",
        "after_train_iter",
        "after_train_epoch",
        "before_val_epoch",
        "before_val_iter",
        "after_val_iter",
        "after_val_epoch",
        "after_run",
    )

    def before_run(self, runner: Any) -> None:
        """Run before training."""

    def after_run(self, runner: Any) -> None:
        """Run after training."""

    def before_epoch(self, runner: Any) -> None:
        """Run before each epoch."""

    def after_epoch(self, runner: Any) -> None:
        """Run after each epoch."""

    def before_iter(self, runner: Any) -> None:
        """Run before each iteration."""

    def after_iter(self, runner: Any) -> None:
        """Run after each iteration."""

    def before_train_epoch(self, runner: Any) -> None:
        """Run before each training epoch; calls `before_epoch`."""
        self.before_epoch(runner)

    def after_train_epoch(self, runner: Any) -> None:
        """Run after each training epoch; calls `after_epoch`."""
        self.after_epoch(runner)

    def before_val_epoch(self, runner: Any) -> None:
        """Run before each validation epoch; calls `before_epoch`."""
        self.before_epoch(runner)

    def after_val_epoch(self, runner: Any) -> None:
        """Run after each validation epoch; calls `after_epoch`."""
        self.after_epoch(runner)

    def before_train_iter(self, runner: Any) -> None:
        """Run before each training iteration; calls `before_iter`."""
        self.before_iter(runner)

    def after_train_iter(self, runner: Any) -> None:
        """Run after each training iteration; calls `after_iter`."""
        self.after_iter(runner)

    def before_val_iter(self, runner: Any) -> None:
        """Run before each validation iteration; calls `before_iter`."""
        self.before_iter(runner)

    def after_val_iter(self, runner: Any) -> None:
        """Run after each validation iteration; calls `after_iter`."""
        self.after_iter(runner)

    def every_n_epochs(self, runner: Any, n: int) -> bool:
        """Return whether this epoch is an n-th one; False if `n` is not positive."""
        return n > 0 and (runner.epoch + 1) % n == 0

    def every_n_inner_iters(self, runner: Any, n: int) -> bool:
        """Return whether this iteration is an n-th one of its epoch."""
        return n > 0 and (runner.inner_iter + 1) % n == 0

    def every_n_iters(self, runner: Any, n: int) -> bool:
        """Return whether this iteration is an n-th one."""
        return n > 0 and (runner.iter + 1) % n == 0

    def end_of_epoch(self, runner: Any) -> bool:
        """Return whether this iteration is the last one of its epoch."""
        return bool(runner.inner_iter + 1 == len(runner.data_loader))

    def is_last_epoch(self, runner: Any) -> bool:
        """Return whether this epoch is the last one."""
        return bool(runner.epoch + 1 == runner._max_epochs)

    def is_last_iter(self, runner: Any) -> bool:
        """Return whether this iteration is the last one."""
        return bool(runner.iter + 1 == runner._max_iters)

    def get_triggered_stages(self) -> list[str]:
        """Return the stages at which this hook does something, in their order."""
        triggered = {stage for stage in self.stages if is_method_overridden(stage, Hook, self)}
        for method, stages in _GENERAL_METHODS.items():
            if is_method_overridden(method, Hook, self):
                triggered.update(stages)
        return [stage for stage in Hook.stages if stage in triggered]
