"""Reports on tables of numbers."""
