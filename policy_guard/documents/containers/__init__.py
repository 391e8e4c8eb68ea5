"""Readers of policy documents where they live."""
