"""Integration by queue: orders come in from the marketplace, calls go out to the partners.

Everything is delivered at least once and takes effect exactly once: by an inbox row in the
order's own transaction, by an outbox row in the same, and by the partners' idempotency keys.
"""
