"""The attacker: a process of its own that holds leaked credentials and keeps using them.

    python -m harness.attack ORDER.json

It asks what a thief would ask: does this still let me in? Each class of credential has a thread
and a fixed grid of its own, and every try leaves one line in the run (`attack/uses.jsonl`), with
both ends on the run's clock. It waits for a line on its standard input before the first try, and
ends with that input, at its limit of time, or at its limit of tries, whichever comes first.

May live here: how a credential is used, and how the answer is told apart (accepted, denied, or
nobody could be asked). May not: what leaks, what is revoked, any judgement, and any secret outside
the files of mode 0600 that hold them. Standard library and psycopg alone: it is a stranger.
"""
