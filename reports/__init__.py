"""What we show: renderers of a judged run. Pure functions from values to text.

Escaping is theirs. May not live here: judgement, I/O beyond reading templates.
"""
