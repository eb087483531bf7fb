"""Survivors: what the stores hold after the fault, read back by key.

May not live here: judgement. A read-back only looks.
"""
