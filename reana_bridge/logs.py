"""Structured log lines on standard error: JSON for machines, text on a terminal.

The delivery's and the run's id stand on each line that is about one (bound as context by the steps).
"""

import logging
import sys
from typing import Literal

import structlog


def configure(form: Literal["json", "text", "auto"], *, level: int = logging.INFO) -> None:
    """Let every logger of this process write so.

    Args:
        form: `json`, `text`, or `auto` (text on a terminal).
        level: Lines below it are dropped.
    """
    text = form == "text" or (form == "auto" and sys.stderr.isatty())
    renderer = structlog.dev.ConsoleRenderer() if text else structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *([] if text else [structlog.processors.format_exc_info]),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(name)s: %(message)s")
