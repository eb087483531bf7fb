"""Models as data: fields, domains, reading, writing, grouping. Knows no model by name."""
