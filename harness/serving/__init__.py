"""The live page and the archive behind it, served to a browser: `peakdrill serve`.

What may look lives in `access`, what the running drill tells in `live` and `events`, what is over
in `archive`; `app` puts them together. What may not live here: how a page looks (reports), how a
drill is aborted (harness.watching.abort), and anything that a drill waits for.
"""
