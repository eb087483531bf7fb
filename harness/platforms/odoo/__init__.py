"""An Odoo of the retailer's own: asked, read and traded with, never started and never ended.

It is described by a platform.yaml, and broken only by the shell commands that stand in it. What
may not live here: any other way to change it.
"""
