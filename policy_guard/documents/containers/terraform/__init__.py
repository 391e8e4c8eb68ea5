"""Terraform and OpenTofu: the policies in a folder, read from git alone.

`folder` finds what is defined, `evaluate` works out values as texts with holes, `rendered` makes policies of
`aws_iam_policy_document`, `uses` knows the arguments that take policies, and `units` what may differ between two sides.
"""
