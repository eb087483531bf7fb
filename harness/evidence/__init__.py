"""The run directory, written in three phases, and what reads it again.

    plan.json, experiment.yaml        phase 0: before anything is touched
    events.jsonl, ledger/, chaos/     while it runs, append only
    readback/, observation.json       after the load has stopped
    seal.json                         phase 1: digests of all of the above
    verdict.json                      phase 2: the judgement alone, a function of phase 1
    report.html report.json junit.xml summary.md   rendered from the above

Lives here: layout, writers, readers, the seal. May not live here: judgement, rendering.
"""
