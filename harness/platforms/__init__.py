"""What is drilled: each platform answers to small capability protocols.

Lives here: `capabilities.py` (the protocols), `find.py` (a platform by name), and one package a
platform. May not live here: judgement, timing of a drill, anything that knows a scenario.
"""
