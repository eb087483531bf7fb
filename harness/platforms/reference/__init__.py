"""The reference stack seen from outside: its capabilities, written once over a `Site`.

    site         where it runs: pods of a cluster, or containers of this machine
    ports        where its doors are on this machine
    database     who leads, planned changes, damage done and found; member_agent: asked by an exec
    backups      taken, looked into, measured, restored in place
    ingress      the doors, closed and opened, and observed from outside
    filestore    the documents, read and mended where they are mounted
    components   who is told of a new secret, and asked whether he was;  secrets: the rotation
    audit        what the parts wrote down, read where it is kept
    endpoints    where to look;  whole: is all of it well
    clean_room   a second environment that shares nothing, made by a platform's `rooms`; looking
    lease        an undo that outlives the harness

`inside/` is what runs within the image. May not live here: a client of Kubernetes or of Docker
(a `Site` hides it), a fault, a judgement.
"""
