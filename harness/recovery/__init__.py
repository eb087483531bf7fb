"""Runbooks as code: automatic (watch only), and those that repair.

May not live here: judgement.
"""
