"""May this release go live? The gate's decision over its runs, pure.

`decision.py` puts it together: cells (how many drills miss: `miss_rate.py`, `sequential.py`) and
comparisons with a baseline (`against.py`, `noninferiority.py`), over the runs that `comparable.py`
lets speak; `next_drill.py` says which is lacking. May not live here: the making of runs
(harness/many_runs), what one run is judged by (`measured_findings.py`, `proof_findings.py` of the
core).
"""
