"""What the methods do. A module a part of the business; transport and SQL text live elsewhere."""
