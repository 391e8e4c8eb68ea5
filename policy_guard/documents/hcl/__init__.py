"""HCL, the language of Terraform and OpenTofu, as trees with places. It knows no Terraform and no IAM.

`syntax` has the nodes, `cursor` the place in a text, `templates` strings and heredocs, `expressions` all that has a
value, and `bodies` arguments and blocks. Source: hashicorp/hcl, hclsyntax/spec.md.
"""
