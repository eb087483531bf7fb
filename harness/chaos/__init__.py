"""The only code that an experiment names: actions, probes and controls for the Chaos Toolkit.

Only this package imports chaoslib. Actions find the platform by PEAKDRILL_PLATFORM (a platform's
directory) or, run by hand, the one that is up; they write marks to PEAKDRILL_RUN when it is set.
"""
