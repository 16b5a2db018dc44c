"""The role beside the deployed service."""
