"""Mutants that no test can kill, each with its reason: what they change cannot be seen.

By module, then by the mutant's key, as the tally prints it.
"""

from __future__ import annotations

EQUIVALENT: dict[str, dict[str, str]] = {}
