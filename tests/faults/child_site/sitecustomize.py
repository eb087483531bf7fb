"""Read by the interpreter of an experiment's child: there, platforms are looked up as files.

STAND_IN_PLATFORM names another module that looks them up, where it is not file_platform.
"""

import importlib
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

sys.modules["harness.platforms.find"] = importlib.import_module(
    os.environ.get("STAND_IN_PLATFORM", "file_platform")
)
