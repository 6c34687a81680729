"""Tables of numbers, by column."""
