"""A GitHub look-alike with a repository that lives."""
