"""Mutation testing of harness/core: is every decision of the judge held by a test?

operators   what is changed, one place at a time: comparisons, arithmetic, constants, conditions,
            booleans, returned values, calls for their effect
reach       a pytest plugin: which test runs which line of the core
trial       one mutant, in a child of its own, against the tests that reach its line
tally       the score, by module and as a whole
run         `make mutation`
equivalent  mutants that no test can kill, each with its reason
"""
