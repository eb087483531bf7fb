"""`make bench`: what the instrument costs, as ratios side by side in one run. Never a timed test.

Each row of the issue's table has a module that measures it and says what it saw; `rows` holds what
they share. Figures come in interleaved pairs, ours and the other's in turn, so that whatever else
the machine does falls on both alike; each is a median with its quartiles.
"""
