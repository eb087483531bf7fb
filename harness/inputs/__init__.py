"""Files that people write, turned into core values.

Lives here: YAML with line numbers, the models of targets.yaml and platform.yaml, the loading of
scenarios by path. Every mistake is a BadInput that names file, line, key and what is allowed.
May not live here: defaults that decide a verdict without being declared, or anything that runs.
"""
