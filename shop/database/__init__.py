"""PostgreSQL: connections that come back by themselves, the driver's errors, schema and seed.

No model's behaviour lives here.
"""
