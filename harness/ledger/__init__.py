"""The acknowledged-write ledger: slot files, their writer and their reader.

Lives here: `slots.py` (the format), `writer.py` (for load workers), `reader.py`.
May not live here: judgement, and anything that knows Locust.
"""
