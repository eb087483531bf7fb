"""The cluster's keeper of undos as a process of this machine, with its service account's rights."""

import sys
from pathlib import Path

from harness.platforms.reference.inside import undoer
from harness.platforms.reference.inside.account import Account
from harness.platforms.reference.inside.settings import Settings

namespace, server, folder = sys.argv[1:4]
settings = Settings({"PEAKDRILL_NAMESPACE": namespace, "PEAKDRILL_NAME": "undoer-here"})
sys.exit(undoer.main(settings, Account(server, Path(folder))))
