"""What we claim: one module per scenario, a frozen Scenario with its claim in the docstring.

A module says what is claimed (Claim), how it is tried (Method) and why anybody should care
(Why), and assigns a harness.Scenario to `scenario`. `peakdrill new NAME` writes the first
draft, `peakdrill run NAME` runs it, `peakdrill list` shows them all. Modules are loaded by
path and never imported from here: a ./scenarios folder of your own comes before this one.
May not live here: code that does anything. The experiment breaks, the harness measures.
"""
