"""Who is hurt: retail workloads as Locust users, the Odoo client, the queue client.

Runs in processes of its own and is imported by nobody. Imports of the harness: the ledger's
writer, core.operation, core.operations and core.schedule, nothing else.

What the ledger says of an arrival, so that a judge can put it together again:
- the calls of one arrival have the same `record` (the first call's seq) and the same
  `intended_ns`, the instant at which the schedule had it due; the last one carries FINAL;
- a READ is an arrival of its own, about somebody else's `record`; so is a REPORT, about none;
- a TOUCH inside a chain is a helper call of it; with CANARY it is the whole arrival;
- a RESYNC stands beside the schedule: its `intended_ns` is its `sent_ns`, and its `record` is
  that of the sale that the till still holds.

The money behind an order (`value_cents`) is the sum of its lines, quantity times agreed price;
they are drawn so that it is about the revenue that the plan declares. Where none is declared,
and for canaries, it is 0. The digest is that of `order_content(partner, lines)` for sale orders,
point-of-sale orders and invoices alike.
"""
