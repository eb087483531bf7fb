"""What is done about many drills at once, with its effects: runs that a gate lacks are made,
readiness of this moment is put together, a command that comes again is written down.

May live here: files, the history and `session.execute`, brought to a pure decision of the core
(its rooms gate and readiness). May not: the decision itself, statistics, or a text for people
(reports).
"""
