"""The same stored evidence, judged and rendered by every supported Python that is here.

python -m tests.repeatability.compare --cache DIR     a table; 1 where two Pythons differ
python -m tests.repeatability.digests                 what one of them gives, as JSON
"""
