"""TensorFlow start-up without the messages that it prints on every start."""

from __future__ import annotations

import contextlib
import logging
import os
import re
import sys
import tempfile
from collections.abc import Iterator

from absl import logging as absl_logging

import tfgan_app
from tfgan_app.caches import give_matplotlib_a_home

# Printed while TensorFlow loads on a machine without a GPU, at any log level.
_CHATTER = re.compile(
    r"absl::InitializeLog|oneDNN custom operations|Could not find cuda drivers|failed call to cuInit"
    r"|This TensorFlow binary is optimized|To enable the following instructions|^\s*$"
)


def load_tensorflow(*, show_chatter: bool) -> None:
    """Imports TensorFlow and lists the devices, so that later imports are silent.

    Args:
        show_chatter: Whether to show everything that TensorFlow prints on stderr.
    """
    if show_chatter and tfgan_app.LOG_LEVEL_IS_OURS:
        os.environ["TF_CPP_MIN_LOG_LEVEL"] = "0"
    give_matplotlib_a_home()
    set_up_logging(show_chatter=show_chatter)
    with contextlib.nullcontext() if show_chatter else chatter_hidden():
        import tensorflow as tf

        # Listing devices makes the CUDA runtime print its messages.
        tf.config.list_physical_devices()


def set_up_logging(*, show_chatter: bool) -> None:
    """Keeps developers' log messages of libraries off stderr, unless they are requested."""
    absl_logging.set_verbosity(absl_logging.INFO if show_chatter else absl_logging.WARNING)
    if not show_chatter:  # absl shows all loggers; tifffile warns of tags as common as a no-data value of -9999.
        logging.getLogger("tifffile").setLevel(logging.CRITICAL)


@contextlib.contextmanager
def chatter_hidden() -> Iterator[None]:
    """Captures what native code writes to stderr, then prints all of it except known noise."""
    sys.stderr.flush()
    try:
        stderr_copy = os.dup(2)
    except OSError:  # stderr is closed: there is nothing to filter
        yield
        return
    with tempfile.TemporaryFile() as held_back:
        os.dup2(held_back.fileno(), 2)
        try:
            yield
        finally:
            sys.stderr.flush()
            os.dup2(stderr_copy, 2)
            os.close(stderr_copy)
            held_back.seek(0)
            for line in held_back.read().decode(errors="replace").splitlines():
                if not _CHATTER.search(line):
                    print(line, file=sys.stderr)
