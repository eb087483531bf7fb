"""The commands of `peakdrill`, one file a group; each returns its exit code.

Lives here: options, words, calls into harness and reports (the command line is where they meet).
Heavy imports stand inside functions. May not live here: measuring, judging, error handling.
"""
