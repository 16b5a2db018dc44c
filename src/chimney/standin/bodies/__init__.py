"""How GitHub writes each thing down: one module per noun, dictionaries in GitHub's key order."""
