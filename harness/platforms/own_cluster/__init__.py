"""A stack of somebody's own in a cluster: taken up for a drill, never brought and never ended.

    state.py      what is kept of it for as long as a drill has it
    pods.py       its pods by the owner's labels; a selector that matches nothing is an error
    leaders.py    who leads: Patroni's label, CloudNativePG's, or the databases' own word
    database.py   the capability database, as far as it goes: who leads, who streams
    faults.py     faults.cluster by the owner's names
    nodes.py      where they are, and what is missing there
    documents.py  the filestore in a pod, by an exec
    door.py       what customers come in by: closed, and seen to be closed
    backups.py    listed by the cluster's objects or the owner's command
    credentials.py  a secret renewed, and its readers rolled out
    whole.py      is it whole?
    checks.py     what `platform check` looks at, without harm
    platform.py   all of it as a drill sees it

How the application is asked and read back is harness.platforms.odoo's; how the cluster is spoken
to is harness.platforms.kubernetes'. May not live here: anything that makes or ends a stack.
"""
