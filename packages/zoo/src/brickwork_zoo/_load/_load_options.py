"""The options that `load_checkpoint`, `load_model` and `Pretrained` share."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any, Literal, TypeAlias, TypedDict

from brickwork_zoo._find._file_hash import Sha256

from ._adapters import Adapter

OnMismatch: TypeAlias = Literal["error", "skip"]
"""Handling of tensors whose shapes differ: ``"skip"`` keeps the model's, ``"error"`` raises."""

Logger: TypeAlias = logging.Logger | str | None
"""A logger, the name of one, ``"silent"``, or None for the logger ``brickwork_zoo``."""


class PretrainedOptions(TypedDict, total=False):
    """Options of every function that loads a file into a model.

    Attributes:
        entry: Key of the state dict in the checkpoint, for example ``"model_ema"``; needed if
            there are several state dicts and none has the key ``state_dict``.
        on_mismatch: ``"skip"`` or ``"error"`` for tensors whose shapes differ.
        adapters: Functions that make tensors fit, see :func:`load_state_dict`.
        allow_empty: Do not raise if no tensor at all matches.
        weights_only: False runs the code in the file: only for files that you trust as you would a
            program.
        sha256: Expected SHA-256 of the file, or its first 8 or more digits; False skips the check
            of a download, with a warning. See :func:`download`.
        mmap: True maps the file, so that pages are read on first use; the file must not be modified
            while the model or checkpoint is in use. False reads it. None maps only files of the
            zoo's cache, which are replaced but never modified.
    """

    entry: str | None
    on_mismatch: OnMismatch
    adapters: Sequence[Adapter]
    allow_empty: bool
    weights_only: bool
    sha256: Sha256
    mmap: bool | None


class LoadOptions(PretrainedOptions, total=False):
    """Options of :func:`load_checkpoint` and :func:`load_model`: the `PretrainedOptions`, and more.

    Attributes:
        prefix: Load only the keys with this prefix, and remove it, before ``revise_keys`` applies.
    """

    prefix: str | None


_READING = ("weights_only", "sha256", "mmap")
_SELECTING = ("prefix", "entry")


def split_options(
    function: str, options: PretrainedOptions
) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """Return the options for reading a file, for selecting the state dict, and for the model.

    Raises:
        TypeError: If ``function`` does not have one of the options.
    """
    known = LoadOptions.__annotations__
    for name in options:
        if name not in known:
            close = get_close_matches(name, known, n=1)
            hint = f"; did you mean {close[0]!r}?" if close else ""
            raise TypeError(f"{function}() got an unexpected keyword argument {name!r}{hint}")
    reading = {name: value for name, value in options.items() if name in _READING}
    selecting = {name: value for name, value in options.items() if name in _SELECTING}
    loading = {n: v for n, v in options.items() if n not in (*_READING, *_SELECTING)}
    return reading, selecting, loading
