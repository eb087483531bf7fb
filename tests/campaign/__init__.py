"""The crash campaign: whatever dies, and whenever, nothing stays broken, nothing is forgotten, no pass.

strikes      who is killed, when, in which scenario: drawn by a seed, pure
striking     one drill, one SIGKILL, and what is left of it, held against three claims
crash        `make campaign`: many of them, resumable, with a tally
"""
