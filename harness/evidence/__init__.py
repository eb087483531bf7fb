"""The run directory, written in three phases, and what reads it again.

    plan.json, experiment.yaml        phase 0: before anything is touched
    events.jsonl, ledger/, chaos/     while it runs, append only
    readback/, observation.json       after the load has stopped
    seal.json                         phase 1: digests of all of the above
    verdict.json                      phase 2: the judgement alone, a function of phase 1
    evidence/run.dsse.json            signed: every file above; chained in ../chain.jsonl
    report.html report.json junit.xml summary.md   rendered from the above
    evidence/reports.dsse.json        signed: the reports, which may be rendered again

Lives here: layout, writers, readers, the seal, signatures and their verification, the auditor's
bundle. May not live here: judgement, rendering.
"""
