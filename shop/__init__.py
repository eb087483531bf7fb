"""What stands in: a small application that speaks Odoo's protocol, and its integration partners.

Runs in processes of its own and is imported by nobody; imports nothing of the harness.
    config, serve, install, partners   what is started
    database/                          connections, errors of the driver, schema, seed
    orm/                               models as data; domains, reading, writing, grouping
    models/                            which models and fields there are; no behaviour
    business/                          what the methods do
    web/                               HTTP: JSON-RPC, JSON-2, sessions, pages
    sql/                               the hot paths as PL/pgSQL, one round trip a call
    queue/                             marketplace consumer, outbox to the partners
"""

RELEASE = 2  # of the schema: database/migrations.py says what each release added
