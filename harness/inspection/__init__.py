"""Looking at what a recovery left behind, once the load has stopped: one module a topic.

May not live here: repair, and judgement.
"""
