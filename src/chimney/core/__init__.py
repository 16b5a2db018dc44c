"""Rules: pure functions over values, with now as an argument."""
