"""CloudFormation templates: the policies in them, read from the file alone.

`template` finds the sections, `evaluate` works out what functions come to, as texts with holes, and `choices` what that
depends on. `documents` reads the policies of resources, `principals` those of roles, users and groups with what
`attachments` says they have attached, `grants` and `known_by_text` what else grants access without a document.
`compare` tells which resources a change is about, and `units` puts all together.
"""
