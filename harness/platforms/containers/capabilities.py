"""What a platform of containers has, by the images that it is made of.

Everything where all of them run the reference roles. An image that knows nothing of peakdrill has
no part that could be asked: what needs one is lacking by name, and what asks for it is skipped.
"""

from __future__ import annotations

from harness.inputs.containers_file import ODOO, ContainersOptions
from harness.platforms.isolation import DISCONNECT, PAUSE

_ALL = (
    "nodes", "database", "database.standby", "database.damage", "ingress", "application",
    "filestore", "cache", "integrations", "backups", "secrets", "audit", "clean-room",
    PAUSE, DISCONNECT,
)  # fmt: skip
# rotation, audit log, queue and partners are the stand-in's; so is what a restore settles with them
_NEED_THE_SHOP = frozenset({"cache", "integrations", "backups", "secrets", "audit", "clean-room"})
_NEED_OUR_DATABASE = frozenset({"database.damage", "backups", "secrets", "audit", "clean-room"})
_NEED_EVERY_ROLE = _NEED_OUR_DATABASE - {"database.damage"}  # an exec asks each of them


def lacking(options: ContainersOptions) -> frozenset[str]:
    """Of those that a platform of reference images has."""
    gone: frozenset[str] = frozenset()
    if options.application.kind == ODOO:
        gone |= _NEED_THE_SHOP
    if not options.database.is_role:
        gone |= _NEED_OUR_DATABASE
    if not (options.cache.is_role and options.ingress.is_role):
        gone |= _NEED_EVERY_ROLE
    return gone


def had(options: ContainersOptions) -> tuple[str, ...]:
    gone = lacking(options)
    return tuple(name for name in _ALL if name not in gone)
