"""What runs inside the image: `python3 -m harness.platforms.reference.inside ROLE`.

A container is one role. It is told where the others are by environment variables, which hold no
secret, and reads its secrets from a folder of files; what it keeps lies below /data. Nothing here
runs as root, and nothing but ports, folders and a signal reaches it.

    __main__, settings     which role, and what it is told
    running                a program, watched over by the process that has number 1
    database, agent        PostgreSQL under Patroni; what an exec asks of it
    application, partners  the shop's replicas and what stands in for its partners
    ingress, routing       Traefik, its routes, and where they are read;  account: the cluster's API
    store, cache, keeper, consensus

May not live here: a client library of Kubernetes or Docker, anything that looks from outside,
a fault's decision, a judgement.
"""
