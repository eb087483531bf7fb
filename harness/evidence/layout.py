"""Names inside a run directory: the one place that knows them."""

PLAN = "plan.json"
EXPERIMENT = "experiment.yaml"
EVENTS = "events.jsonl"
LEDGER = "ledger"  # ledger/worker-0.slots ...
LOAD = "load"  # load/plan.json (the generator's order), load/*.log
CHAOS = "chaos"  # chaos/journal.json, chaos/chaos.log
READBACK = "readback"  # readback/first.npy, first.json; second, and restored, likewise
RECOVERY = "recovery"
STEPS = "recovery/steps.jsonl"  # one StepRecord a line
PROOFS = "recovery/proofs.jsonl"  # one Proof a line
ATTACK = "attack"
USES = "attack/uses.jsonl"  # one Use a line, by the attacker itself
OBSERVATION = "observation.json"
SEAL = "seal.json"
VERDICT = "verdict.json"
REPORT_HTML = "report.html"
REPORT_JSON = "report.json"
JUNIT = "junit.xml"
SUMMARY = "summary.md"
