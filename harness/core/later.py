"""Fields that came later: canonical JSON leaves them out where they say nothing."""

from __future__ import annotations

from types import MappingProxyType

LATER = MappingProxyType({"later": True})
"""Metadata of a field that stored evidence may not have yet; its bytes stay what they were."""
