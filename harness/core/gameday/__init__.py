"""A game day as values and laws: its plan, what was recorded, and what follows from it, pure.

`plan.py` and `rules.py` say who may do what; `records.py` holds the facts of the day; `state.py`,
`findings.py` and `view.py` are computed from them alone. May not live here: signing, folders and
drills (harness/gameday), and the clock, which is passed in.
"""
