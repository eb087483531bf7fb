"""Read by the interpreter of an experiment's child: there, platforms are looked up as files."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

import file_platform

sys.modules["harness.platforms.find"] = file_platform
