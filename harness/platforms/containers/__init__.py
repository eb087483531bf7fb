"""The reference stack, or a release candidate's own images, in containers of this machine's Docker.

    daemon, commands     the one place that makes a Docker client; a command inside a container
    images, parts        which image each part is, and how it is started
    names, state         labels and names that say whose a container is; what is kept of a platform
    up, clearing         the order in which all comes up; removal, also of what a crash left
    site                 what the reference stack's capabilities ask of the place they are in
    nodes, isolation     a node lost, frozen, cut off, and back
    rooms, in_common     a second environment on a network of its own; what it shares with the first
    whole, platform      what the drill sees

Nothing without our label is ever touched. May not live here: a fault, a judgement, what is asked
of the stack itself (harness.platforms.reference).
"""
