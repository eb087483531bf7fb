"""A game day as it happens: its records, its approvals, the drills one after another, its end.

    records.py     the day's folder: signed records that are only ever added
    approvals.py   envelopes that people sign, and what becomes of them
    answers.py     questions, "I told them", notes: what people say
    windows.py     when nothing may start
    findings.py    what is left to do, over all days
    stage.py       the platform of the day: brought up, looked at, measured, ended
    orders.py      from a planned scenario to an order, and from a run to what the day keeps
    scene.py       what conducting a day needs
    conduct.py     go/no-go, then one step after another, until the day is over
    ending.py      the red button of a day; closing it: reports, manifest, signature

Lives here: effects. May not live here: a rule. What may happen, and what follows from what has
happened, is decided in harness/core/gameday, where there is no clock and no disk.
"""
