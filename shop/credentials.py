"""Passwords and API keys: how they are kept, and how they are compared."""

from __future__ import annotations

import hashlib
import hmac
import secrets

ROUNDS = 1000  # a stand-in's secrets live for one drill; a login must not cost a core


def hash_secret(secret: str) -> str:
    salt = secrets.token_hex(8)
    return f"$pbkdf2-sha512${ROUNDS}${salt}${_digest(secret, salt)}"


def verify_secret(secret: str, stored: str) -> bool:
    parts = stored.split("$")
    if len(parts) != 5:
        return False
    return hmac.compare_digest(_digest(secret, parts[3]), parts[4])


def key_index(key: str) -> str:
    """What finds an API key's row without telling the key."""
    return hashlib.sha256(key.encode()).hexdigest()[:8]


def _digest(secret: str, salt: str) -> str:
    return hashlib.pbkdf2_hmac("sha512", secret.encode(), salt.encode(), ROUNDS).hex()
