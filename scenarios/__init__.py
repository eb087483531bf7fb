"""What we claim: one module per scenario, loaded by path."""
