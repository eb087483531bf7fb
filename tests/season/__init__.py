"""A season of real drills: conducted by `make season`, kept without its bulk as test data."""
