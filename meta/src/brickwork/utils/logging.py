"""Loggers that write on rank 0 only."""

import logging
from pathlib import Path

from torch import distributed as dist

__all__ = ["get_logger", "logger_initialized", "print_log"]

logger_initialized: dict[str, bool] = {}
"""Names of the loggers configured by `get_logger`."""


def get_logger(
    name: str,
    log_file: str | Path | None = None,
    log_level: int | str = logging.INFO,
    file_mode: str = "w",
) -> logging.Logger:
    """Return a logger that writes to the console, and on rank 0 to a file.

    Args:
        name: Name of the logger. It and its children are configured once.
        log_file: Path of the file, or None.
        log_level: Level on rank 0; other ranks log errors only.
        file_mode: Mode in which the file is opened.
    """
    logger = logging.getLogger(name)
    if any(name == parent or name.startswith(f"{parent}.") for parent in logger_initialized):
        return logger
    # DDP gives the root logger a handler without a level, which would repeat other ranks' messages
    for handler in logging.root.handlers:
        if type(handler) is logging.StreamHandler:
            handler.setLevel(logging.ERROR)
    rank = dist.get_rank() if dist.is_available() and dist.is_initialized() else 0
    handlers: list[logging.Handler] = [logging.StreamHandler()]
    if rank == 0 and log_file is not None:
        handlers.append(logging.FileHandler(log_file, file_mode))
    for handler in handlers:
        handler.setFormatter(
            logging.Formatter("%(asctime)s - %(name)s - %(levelname)s - %(message)s")
        )
        handler.setLevel(log_level)
        logger.addHandler(handler)
    logger.setLevel(log_level if rank == 0 else logging.ERROR)
    logger_initialized[name] = True
    return logger


def print_log(
    msg: object, logger: logging.Logger | str | None = None, level: int = logging.INFO
) -> None:
    """Print or log a message.

    Args:
        msg: The message.
        logger: A logger or its name. None prints; `"silent"` discards the message.
        level: Level of the log record.

    Raises:
        TypeError: If `logger` is none of these.
    """
    if logger is None:
        print(msg)  # noqa: T201  # requested by None
    elif isinstance(logger, logging.Logger):
        logger.log(level, msg)
    elif not isinstance(logger, str):
        raise TypeError(f"logger must be a Logger, a name, 'silent' or None, got {logger!r}")
    elif logger != "silent":
        get_logger(logger).log(level, msg)
