"""Folders for tests that private servers, which run as users of their own, can reach."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

RUN_FOLDER = "RYADOM_TEST_RUN"
"""Names, for every process of one test run, the folder that they share."""


@contextmanager
def new_folder(prefix: str = "data-") -> Iterator[Path]:
    """Make a short-named folder that other users may pass through; removed at the end."""
    folder = Path(tempfile.mkdtemp(prefix=prefix, dir=os.environ.get(RUN_FOLDER)))
    folder.chmod(0o711)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
