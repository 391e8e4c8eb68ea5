"""What an attribute of a resource, data source or remote module comes to: unknown, and known by what decides it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from policy_guard.documents.containers.choices import Impossible, Need
from policy_guard.documents.containers.opaque import Opaque
from policy_guard.documents.containers.terraform.definition import Definition
from policy_guard.documents.containers.terraform.evaluate import Evaluator
from policy_guard.documents.containers.terraform.instances import names_of_object
from policy_guard.documents.containers.terraform.scope import Scope
from policy_guard.documents.containers.terraform.values import is_null, label_of, name_of, single, unknown
from policy_guard.documents.hcl.syntax import Attribute, Index
from policy_guard.documents.source import Node, Scalar, Span

_OF_ACCOUNT = ("data.aws_caller_identity.", "data.aws_partition.", "data.aws_region.")
_TEXT_ATTRIBUTES = ("arn", "id", "name", "url", "bucket", "account_id", "partition", "region", "unique_id")
# What an ARN, an id or a name of a resource may be made of, and which attributes are such; all else is decided by all
# arguments, since a resource may give back what it is given (`terraform_data.output`, `aws_ssm_parameter.value`).
_IDENTIFYING = re.compile(
    r"(?:.*_)?(?:name|names|prefix|identifier|bucket|alias|domain|repository|cluster|family|url|path|region)"
    r"|(?!.*kms_key_id).*_id|provider|count|for_each|account|partition|type"
)
_MADE_OF_NAMES = re.compile(
    r"(?:.*_)?(?:arn|id|name|account|partition|region)|bucket|url|arn_without_revision|.*_(?:arn|id|name)s?"
)
# AWS provider, aws_iam_role and its kin, "Attribute Reference": their `id` is their name.
# What such an attribute is, if the argument of that name is written.
_NAMED_BY = {
    **{(f"aws_iam_{noun}", "name"): "name" for noun in ("role", "user", "group")},
    **{("aws_s3_bucket", attribute): "bucket" for attribute in ("id", "bucket")},
}
_CALLED_BY_NAME = ("aws_iam_role.", "aws_iam_user.", "aws_iam_group.", "aws_iam_instance_profile.")


def attribute(evaluator: Evaluator, head: str, steps: Sequence[Attribute | Index], span: Span) -> Node:
    """The attribute that `steps` lead to behind an address, which its definition decides."""
    definition = evaluator.scope.folder.definitions.get(head)
    path = [_step(evaluator, step) for step in steps]
    if head.startswith(_CALLED_BY_NAME) and path and path[-1][1] == "id":
        path[-1] = (".name", "name")
    last = steps[-1] if steps else None
    is_list = not (isinstance(last, Attribute) and last.name in _TEXT_ATTRIBUTES)
    names = [name for _, name in path]
    if definition and len(path) == 1 and _is_of_account(evaluator.scope, head, definition):
        noun = path[0][1]
        if head.startswith("data.aws_region.") and noun in ("id", "region"):
            # AWS provider, "Version 6 Upgrade Guide": `region` is the new name of `name`.
            noun = "name"
        return unknown(f"{head.rpartition('.')[0]}.current.{noun}", span, is_list=is_list)
    address = f"{evaluator.scope.name}{head}"
    words = f"{evaluator.scope.former_addresses.get(address, address)}{''.join(word for word, _ in path)}"
    attributes = [name for step, name in zip(steps, names, strict=True) if isinstance(step, Attribute)]
    deciding_values = _identity(evaluator, head, definition, next(iter(attributes), "")) if definition else []
    value = unknown(words, span, names, deciding_values, is_list=is_list)
    argument = _NAMED_BY.get((head.partition(".")[0], names[-1] if names else ""))
    keys = [evaluator.value(step.key) for step in steps if isinstance(step, Index)]
    if definition and argument and len(steps) == len(keys) + 1 <= 2:
        inner = evaluator.in_scope(evaluator.scope, definition.source, head)
        _note_name(inner, definition, argument, keys[0] if keys else None, value)
    return value


def _note_name(evaluator: Evaluator, definition: Definition, argument: str, key: Node | None, value: Node) -> None:
    """Notes what the name is written as that a value refers to, if it is known which object is meant."""
    expression = definition.body.value(argument)
    if expression is None:
        return
    try:
        names = names_of_object(evaluator, definition, key)
        name = single(evaluator.with_names(names).value(expression)) if names is not None else None
    except (Need, Opaque, Impossible):
        return
    if name is not None and not is_null(name) and label_of(name):
        evaluator.scope.note_name(value, name)


def _is_of_account(scope: Scope, head: str, definition: Definition) -> bool:
    """Tell whether a data source is one value wherever it stands, since all work with one provider."""
    if not head.startswith(_OF_ACCOUNT) or definition.body.arguments or definition.body.blocks:
        return False
    while scope.parent is not None and scope.call is not None:
        blocks = (each.block for each in scope.folder.definitions.values())
        if scope.call.body.value("providers") is not None or any(b and b.type == "provider" for b in blocks):
            return False
        scope = scope.parent
    return True


def _step(evaluator: Evaluator, step: Attribute | Index) -> tuple[str, str]:
    """A step as people read it, and what tells it from others."""
    if isinstance(step, Attribute):
        return f".{step.name}", step.name
    key = evaluator.value(step.key)
    return ("", "") if name_of(key) == name_of(Scalar("0", key.span)) else (f"[{label_of(key)}]", name_of(key))


def _identity(evaluator: Evaluator, head: str, definition: Definition, name: str) -> list[object]:
    """What decides an attribute: what names a resource of AWS for its ARN or name, else all of its block."""
    evaluator.refuse_circle(head, definition.span)
    inner = evaluator.in_scope(evaluator.scope, definition.source, head)
    uses_all_arguments = not (head.startswith("aws_") and _MADE_OF_NAMES.fullmatch(name))
    key = (head, uses_all_arguments)
    return evaluator.remembered(key, lambda: _deciding_values(inner, definition, uses_all_arguments))


def _deciding_values(evaluator: Evaluator, definition: Definition, uses_all_arguments: bool) -> list[object]:
    values: list[object] = []
    for name, argument in sorted(definition.body.arguments.items()):
        if name != "depends_on" and (uses_all_arguments or _IDENTIFYING.fullmatch(name)):
            values.append((name, evaluator.part_structure((argument.value,))))
    if uses_all_arguments:
        values += [(block.type, evaluator.block(block)) for block in definition.body.blocks]
    return values
