"""Is the platform ready for the season? A matrix of scenarios by workloads, pure.

`matrix.py` puts it together out of cells; `standing.py` is what one run says of one cell,
`trend.py` how recovery times went, `coverage.py` the map of what no drill covers. May not live
here: an average over runs or cells (a proven loss is never averaged away), files, the clock.
"""
