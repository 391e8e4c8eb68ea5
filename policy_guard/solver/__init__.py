"""Whether a formula over sets of strings can be true. It knows no IAM, and it is the only importer of z3."""
