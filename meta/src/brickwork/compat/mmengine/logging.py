"""What model code uses of `mmengine.logging`, where no mmengine is installed."""

import logging
from typing import Any, ClassVar

from brickwork.utils.logging import get_logger
from brickwork.utils.logging import print_log as _print_log

__all__ = ["MMLogger", "print_log"]


class MMLogger(logging.Logger):
    """Loggers by name, of which the one made last is the current one."""

    _instance_dict: ClassVar[dict[str, logging.Logger]] = {}

    @classmethod
    def get_instance(
        cls,
        name: str,
        logger_name: str = "mmengine",
        log_file: str | None = None,
        log_level: int | str = "INFO",
        file_mode: str = "w",
        **options: Any,
    ) -> logging.Logger:
        """Return the logger of a name, set up as `brickwork.utils.get_logger` does.

        Args:
            name: The name.
            logger_name: The name that messages show; the same as `name` here.
            log_file: A file that rank 0 writes, too.
            log_level: The level on rank 0.
            file_mode: How the file is opened.
            **options: Those of mmengine that have no meaning here.

        Returns:
            The logger.
        """
        if name not in cls._instance_dict:
            cls._instance_dict[name] = get_logger(name, log_file, log_level, file_mode)
        return cls._instance_dict[name]

    @classmethod
    def check_instance_created(cls, name: str) -> bool:
        """Tell whether there is a logger of a name."""
        return name in cls._instance_dict

    @classmethod
    def get_current_instance(cls) -> logging.Logger:
        """Return the logger made last, or one named `mmengine`."""
        return next(reversed(cls._instance_dict.values()), None) or cls.get_instance("mmengine")


def print_log(
    msg: object, logger: logging.Logger | str | None = None, level: int = logging.INFO
) -> None:
    """Print or log a message.

    Args:
        msg: The message.
        logger: As in `brickwork.utils.print_log`, and `"current"` for the logger made last.
        level: The level it is logged at.
    """
    if logger == "current":
        logger = MMLogger.get_current_instance()
    _print_log(msg, logger, level)
