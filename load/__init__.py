"""Who is hurt: retail workloads as Locust users, peak shapes, the Odoo client.

Runs in processes of its own and is imported by nobody. Imports of the harness: the ledger's
writer, core.operation and core.schedule, nothing else.
"""
