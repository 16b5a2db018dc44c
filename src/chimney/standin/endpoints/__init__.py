"""What each path of the REST API answers: one module per noun, functions from an `Ask` to an `Answer`."""
