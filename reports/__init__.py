"""What we show: renderers of a judged run. Pure functions from values to text; escaping is theirs."""
