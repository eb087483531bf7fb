"""What stands in: a small application that speaks Odoo's protocol, and its integration partners.

Runs in processes of its own and is imported by nobody; imports nothing of the harness.
"""
