"""The reference stack seen from outside: its capabilities, written once over a `Site`.

    site         where it runs: pods of a cluster, or containers of this machine
    ports        where its doors are on this machine
    members      the two database members, and the nodes that they are on
    database     who leads, planned changes, damage done and found
    ingress      the doors, closed and opened, and observed from outside
    filestore    the documents, read and mended where they are mounted
    secrets      which credentials can leak, and their rotation; audit: what was written down
    endpoints    where to look;  whole: is all of it well

`inside/` is what runs within the image. May not live here: a client of Kubernetes or of Docker
(a `Site` hides it), a fault, a judgement.
"""
