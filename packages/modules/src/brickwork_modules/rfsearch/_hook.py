"""The search for dilations during training."""

from __future__ import annotations

import copy
import json
import logging
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from brickwork_registry.errors import ArgumentValueError
from torch import nn

from ._operators import BaseConvRFSearchOp, Conv2dRFSearchOp
from ._rates import same_padding

logger = logging.getLogger(__name__)

# Mode → whether dilations are set from the structure, whether convolutions are then wrapped.
_MODES = {
    "search": (True, True),
    "fixed_single_branch": (True, False),
    "fixed_multi_branch": (True, True),
}
_SEARCHED: dict[str, tuple[type[nn.Module], type[BaseConvRFSearchOp]]] = {
    "Conv2d": (nn.Conv2d, Conv2dRFSearchOp)
}


class RFSearchHook:
    """Search of the dilation of each convolution during training.

    It works with any training loop: call `init_model` before training, then in the loop
    `after_train_epoch` or `after_train_iter` with an object that has ``model`` and ``work_dir``,
    or `step` with these two.

    Every ``search_interval`` steps, the mean of the rates, weighted by the trained weights of the
    branches, becomes the dilation of the convolution, and the search continues around it. The
    structure is written to ``work_dir`` each time.

    Args:
        mode: ``'search'``; ``'fixed_single_branch'``, to set the dilations of a structure;
            ``'fixed_multi_branch'``, to set them and train with branches around them.
        config: ``{'search': {...}}`` with ``step``, ``max_step``, ``search_interval``,
            ``exp_rate``, ``init_alphas``, ``mmin``, ``mmax``, ``num_branches`` and
            ``skip_layer`` (parts of names of modules to skip, or None). Not modified;
            ``hook.config`` is a copy that holds the state.
        rfstructure_file: JSON file of a search with the structure to start from.
        by_epoch: Whether a step is an epoch instead of an iteration.
        verbose: Whether to log the steps.

    Raises:
        ValueError: If `mode` is unknown.
        KeyError: If `config` has no ``search`` settings.

    Reference:
        Gao et al., "RF-Next: Efficient Receptive Field Search for Convolutional Neural
        Networks", TPAMI 2022, https://arxiv.org/abs/2206.06637
    """

    def __init__(
        self,
        mode: str = "search",
        config: Mapping[str, Any] | None = None,
        rfstructure_file: str | None = None,
        by_epoch: bool = True,
        verbose: bool = True,
    ) -> None:
        if mode not in _MODES:
            raise ArgumentValueError(
                f"mode must be one of {', '.join(map(repr, _MODES))}, got {mode!r}"
            )
        if not config or "num_branches" not in config.get("search", {}):
            raise KeyError(f"config must have the key 'search' with 'num_branches', got {config!r}")
        self.mode = mode
        self.config: dict[str, Any] = copy.deepcopy(dict(config))
        self.config["structure"] = {}
        if rfstructure_file is not None:
            saved = json.loads(Path(rfstructure_file).read_text(encoding="utf-8"))
            self.config["structure"] = saved["structure"]
        self.num_branches: int = self.config["search"]["num_branches"]
        self.by_epoch = by_epoch
        self.verbose = verbose

    def init_model(self, model: nn.Module) -> None:
        """Prepare a model: set known dilations and wrap the convolutions to search.

        Args:
            model: The model, changed in place. Create the optimizer afterwards, because branches
                have weights.

        Raises:
            KeyError: If the structure has no dilation for a convolution.
        """
        self._log("preparing the model for the mode %r", self.mode)
        sets, wraps = _MODES[self.mode]
        if sets and (self.config["structure"] or self.mode != "search"):
            self.set_model(model)
        if wraps:
            self.wrap_model(model)

    def after_train_epoch(self, runner: Any) -> None:
        """Do a step of the search if steps are epochs.

        Args:
            runner: Object with ``model`` and ``work_dir``.
        """
        if self.by_epoch and self.mode == "search":
            self.step(runner.model, runner.work_dir)

    def after_train_iter(self, runner: Any) -> None:
        """Do a step of the search if steps are iterations.

        Args:
            runner: Object with ``model`` and ``work_dir``.
        """
        if not self.by_epoch and self.mode == "search":
            self.step(runner.model, runner.work_dir)

    def step(self, model: nn.Module, work_dir: str | Path) -> None:
        """Count a step; at the end of an interval, update the dilations and save the structure.

        Args:
            model: Model prepared by `init_model`; it may be wrapped for data parallelism.
            work_dir: Folder for ``local_search_config_step<N>.json``.
        """
        search = self.config["search"]
        search["step"] += 1
        if search["step"] % search["search_interval"] or search["step"] >= search["max_step"]:
            return
        self.estimate_and_expand(model)
        for name, module in model.named_modules():
            if isinstance(module, BaseConvRFSearchOp):
                self.config["structure"][_structure_key(name)] = list(module.op_layer.dilation)
        folder = Path(work_dir)
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / f"local_search_config_step{search['step']}.json"
        file.write_text(json.dumps(self.config), encoding="utf-8")

    def estimate_and_expand(self, model: nn.Module) -> None:
        """Set the dilation of each searched convolution and continue around it.

        Args:
            model: The model.
        """
        for module in model.modules():
            if isinstance(module, BaseConvRFSearchOp):
                module.estimate_rates()
                module.expand_rates()

    def wrap_model(self, model: nn.Module, search_op: str = "Conv2d", prefix: str = "") -> None:
        """Replace the convolutions of a model by searched ones.

        Args:
            model: The model, changed in place.
            search_op: Type of the convolutions: ``'Conv2d'``.
            prefix: Name of `model` within the whole model.
        """
        _, operator = _SEARCHED[search_op]
        for parent, name, key, conv in list(self._convolutions(model, search_op, prefix)):
            wrapped = operator(conv, self.config["search"], self.verbose)  # type: ignore[call-arg]
            setattr(parent, name, wrapped.train(conv.training))
            self._log("searching %s", key)

    def set_model(
        self,
        model: nn.Module,
        search_op: str = "Conv2d",
        init_rates: int | None = None,
        prefix: str = "",
    ) -> None:
        """Set the dilations of the convolutions of a model from the structure.

        Args:
            model: The model, changed in place.
            search_op: Type of the convolutions: ``'Conv2d'``.
            init_rates: Ignored; it exists for the order of arguments.
            prefix: Name of `model` within the whole model.

        Raises:
            KeyError: If the structure has no dilation for a convolution.
        """
        structure = {_structure_key(name): rate for name, rate in self.config["structure"].items()}
        for _, _, key, conv in self._convolutions(model, search_op, prefix):
            if key not in structure:
                raise KeyError(
                    f"the structure has no dilation for {key!r}, only for "
                    f"{', '.join(structure) or 'no layer'}; add it, or add part of its name to "
                    "skip_layer"
                )
            rate = structure[key]
            rate = (rate, rate) if isinstance(rate, int) else tuple(rate)
            conv.dilation = rate
            conv.padding = tuple(map(same_padding, conv.kernel_size, conv.stride, rate))
            self._log("set the dilation of %s to %s", key, rate)

    def _convolutions(
        self, model: nn.Module, search_op: str, prefix: str
    ) -> Iterator[tuple[nn.Module, str, str, Any]]:
        """Yield parent, name, key in the structure, and convolution for each one to search."""
        searched, _ = _SEARCHED[search_op]
        skipped = self.config["search"].get("skip_layer") or ()
        for name, module in model.named_children():
            key = _structure_key(f"{prefix}.{name}" if prefix else name)
            if any(part in key for part in skipped):
                continue
            if isinstance(module, searched):
                kernel: tuple[int, ...] = module.kernel_size  # type: ignore[assignment]
                if any(size > 1 and size % 2 for size in kernel):
                    yield model, name, key, module
            elif not isinstance(module, BaseConvRFSearchOp):
                yield from self._convolutions(module, search_op, key)

    def _log(self, text: str, *args: object) -> None:
        if self.verbose:
            logger.info(text, *args)


def _structure_key(name: str) -> str:
    """Return the name of a module in structure files, below ``module`` as in parallel wrappers."""
    return name if f"{name}.".startswith("module.") else f"module.{name}"
