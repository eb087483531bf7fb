"""Who is hurt: retail workloads as Locust users, the Odoo client, the queue client.

Runs in processes of its own and is imported by nobody. Imports of the harness: the ledger's
writer, core.operation, core.operations and core.schedule, nothing else.

What the ledger says of an arrival, so that a judge can put it together again:
- the calls of one arrival have the same `record` (the first call's seq) and the same
  `intended_ns`, the instant at which the schedule had it due; the last one carries FINAL;
- READ, REPORT and RESYNC stand beside the schedule: their `intended_ns` is their `sent_ns`;
  a READ's and a RESYNC's `record` is the record that they are about;
- a TOUCH inside a chain is a helper call of it; with CANARY it is the whole arrival.
"""
