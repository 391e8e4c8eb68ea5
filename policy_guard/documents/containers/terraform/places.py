"""Places in Terraform that hold policies, or give them on to modules elsewhere."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property

from policy_guard.documents.containers import Kind
from policy_guard.documents.containers.choices import (
    Impossible,
    Need,
    Truths,
    outcomes,
)
from policy_guard.documents.containers.opaque import Opaque
from policy_guard.documents.containers.terraform.commands import COMMAND, may_call, speaks_of_aws
from policy_guard.documents.containers.terraform.deciding import AFTER, Decision, deciding_texts, references
from policy_guard.documents.containers.terraform.definition import Definition, plain_text
from policy_guard.documents.containers.terraform.evaluate import Evaluator
from policy_guard.documents.containers.terraform.folder import FilePattern
from policy_guard.documents.containers.terraform.grants import GRANTING, OF_RESOURCES
from policy_guard.documents.containers.terraform.handed_on import HANDED_ON, may_hand_on
from policy_guard.documents.containers.terraform.lasting import ACTING, LASTING, places
from policy_guard.documents.containers.terraform.modules import module_scopes
from policy_guard.documents.containers.terraform.scope import Scope
from policy_guard.documents.containers.terraform.uses import (
    inner_paths,
    is_of_aws,
    kind_of,
    takes_boundary,
    takes_name,
    takes_policy,
)
from policy_guard.documents.containers.terraform.values import name_of
from policy_guard.documents.hcl.syntax import (
    Argument,
    Attribute,
    Block,
    Call,
    Conditional,
    Expression,
    Index,
    List,
    Literal,
    Mapping,
    Template,
    Text,
    Variable,
)
from policy_guard.documents.source import Node
from policy_guard.records import NamedTuple

_LIKE_POLICY = re.compile(r"\b(?:Statement|statements?|actions|\w*polic(?:y|ies)\w*)\b")
# Of the arguments of modules elsewhere, those that may say who gets what.
_OF_ACCESS = re.compile(
    r"polic|statement|action|arn|principal|role|permission|trusted|admin|iam|assume|grant|public|account"
    r"|subject|oidc|repositories|federat|members|\busers|_users|access_entr|identities|boundary"
    r"|owner|saml|provider_url|trigger|authorization|aws_auth|\bacl\b|_mfa|(?:^|_)allow",
    re.IGNORECASE,
)
_SPEAKS_OF_ACCESS = re.compile(r"arn:aws[^\"]*:iam:|principal|permission", re.IGNORECASE)
# Arguments of which it is looked whether a policy is written in them, though none is known to be taken there.
_MAY_HOLD = re.compile(
    r"Statement|polic|document|json|body|content|manifest|definition|template|input|value|config", re.IGNORECASE
)
_MAY_BE_GIVEN = re.compile(r"\b(?:aws_iam_policy_document|local|module|var|each|count)\.|:policy/")
# Functions that write other values in another way.
_OF_STRUCTURE = ("jsonencode", "yamlencode")
_WRITING = (*_OF_STRUCTURE, "base64encode", "base64gzip")
_ARN = re.compile(r":iam::[^:]*:policy/")
_NAMING = ("id", "version")
_OF_TARGETS, _POLICY_ID = "aws_organizations_policy_attachment", "policy_id"
CEILING = "permissions_boundary"
GRANT = "grant"
"""The name under which a resource that grants access without a document has a policy."""
MADE = "made"
"""The name under which a module elsewhere that is given nothing of access has one."""
_TOLD = (GRANT, ACTING, LASTING, HANDED_ON, COMMAND, MADE)
_RUNNING = ("data", "ephemeral", "check", "removed", "action")
_DOCUMENT = "data.aws_iam_policy_document."
_INLINE = "inline_policy"


@dataclass(frozen=True)
class Use:
    """A place that holds a policy.

    With `opens` it is a block of public access, or a boundary, that leaves all open in cases where it is not there.
    With `by_name` the policy is named there, and stands elsewhere. `fresh` are the addresses of what is new. What
    `is_settled` is decided by the same on both sides of a comparison. With `values` these decide it and these files,
    and not all that its definition depends on.
    """

    address: str
    scope: Scope
    definition: Definition
    value: Expression | None
    kind: Kind | None
    values: Decision | None = None
    opens: bool = False
    by_name: bool = False
    fresh: frozenset[str] = frozenset()
    is_settled: bool = False

    @cached_property
    def _decision(self) -> Decision:
        if self.values is not None:
            return self.values
        texts, reads = deciding_texts(self.scope, self.definition.block)
        return texts | {(self.scope.name, "", self.definition.text)}, reads

    @property
    def deciding(self) -> frozenset[tuple[str, str, str]]:
        """Return the texts of all that may decide it."""
        return self._decision[0]

    @property
    def reads(self) -> frozenset[FilePattern]:
        """Return the files that may decide it, too."""
        return self._decision[1]


def type_of(use: Use) -> str:
    """Return the type of the resource at a place."""
    return use.address.removeprefix(use.scope.name).partition(".")[0]


def told_at(use: Use) -> str:
    """Return the name of a place at which something is told that no document tells; nothing for any other place."""
    name = use.address.rpartition(".")[2]
    return name if use.value is None and name in _TOLD else ""


def uses(scope: Scope, settled: Container[str] = ()) -> Iterator[Use]:
    """All places in a scope and in the modules that it calls.

    Of what stands at `settled` addresses, which is the same on the other side of a comparison, only what is known to
    take policies: another policy of the same principal may lead to it.
    """
    read: set[str] = set()
    for address, definition in scope.folder.definitions.items():
        if definition.block is not None and definition.block.type == "resource":
            is_settled = f"{scope.name}{address}" in settled
            for use in _of_resource(scope, address, definition, is_settled):
                if not is_by_name(use) and not is_settled:
                    read |= {name for where, name, _ in deciding_texts(scope, use.value)[0] if where == scope.name}
                yield replace(use, is_settled=True) if is_settled else use
        elif definition.block is not None:
            yield from _of_other_block(scope, address, definition, definition.block)
    for address, definition in scope.folder.definitions.items():
        is_settled = f"{scope.name}{address}" in settled
        if address.startswith(_DOCUMENT) and address not in read and not is_settled:
            yield _use(scope, address, definition, None, None)
        elif address.startswith("module."):
            yield from _of_module(scope, address, definition, settled)


def _of_other_block(scope: Scope, address: str, definition: Definition, block: Block) -> Iterator[Use]:
    """The commands of a block that is no resource, and the policies that a root gives to whoever reads its outputs."""
    if block.type in _RUNNING and not is_of_aws("".join(block.labels[:1])):
        named = next(references(block), ()) if block.type == "removed" else ()
        yield from _of_commands(scope, ".".join((address.partition("@")[0].rstrip("."), *named)), definition)
    elif block.type == "output" and scope.parent is None and (value := block.body.value("value")) is not None:
        for number, leaf in enumerate(_leaves(value)):
            if _is_policy(definition.written(leaf)):
                yield _use(scope, f"{address}.value({number})", definition, leaf, None)


def documents(scope: Scope) -> Iterator[Use]:
    """All documents in a scope and in the modules that it calls, also those that are used."""
    for address, definition in scope.folder.definitions.items():
        if address.startswith(_DOCUMENT):
            yield _use(scope, address, definition, None, None)
        elif address.startswith("module."):
            for inner in module_scopes(scope, address.removeprefix("module.")) or ():
                yield from documents(inner)


def is_document(use: Use) -> bool:
    """Tell whether a document is judged by itself, since nothing uses it."""
    return use.address.removeprefix(use.scope.name).startswith(_DOCUMENT)


def _of_module(scope: Scope, address: str, definition: Definition, settled: Container[str]) -> Iterator[Use]:
    label = address.removeprefix("module.")
    if (scopes := module_scopes(scope, label)) is not None:
        yield from (use for module_scope in scopes for use in uses(module_scope, settled))
    elif scope.path_of(label):
        use = _use(scope, address, definition, None, None)
        # Beyond what is looked into nobody knows what changed: it is never what it was.
        beyond = {("", "", f"{id(scope.root())}")} if scope.is_at_limit() else set()
        yield replace(use, values=(use.deciding | beyond, use.reads))
    elif f"{scope.name}{address}" not in settled:
        yield from _of_remote(scope, address, definition)


def is_by_name(use: Use) -> bool:
    """Tell whether the policy is named there, and stands elsewhere."""
    return use.by_name or is_of_target(use)


def is_of_target(use: Use) -> bool:
    """Tell whether the policy of an organization is attached there."""
    return use.address.removeprefix(use.scope.name).startswith(_OF_TARGETS) and use.address.endswith(f".{_POLICY_ID}")


def policy_use(scope: Scope, address: str) -> Use | None:
    """The place at which a managed policy is written."""
    definition, type_ = scope.folder.definitions[address], address.partition(".")[0]
    name = "content" if type_ == "aws_organizations_policy" else "policy"
    value = definition.body.value(name)
    return _use(scope, f"{address}.{name}", definition, value, kind_of(type_, name)) if value is not None else None


def speaks_of_access(text: str) -> bool:
    """Tell whether a name says that it is about access."""
    return bool(_OF_ACCESS.search(text))


def _of_remote(scope: Scope, address: str, definition: Definition) -> Iterator[Use]:
    """Return what a module elsewhere is given that may grant something, by what it comes to, or else what it makes.

    Another source or version of the module may make other policies.
    """
    arguments = {
        name: _argument_value(scope, definition, argument) for name, argument in definition.body.arguments.items()
    }
    words = {name: f"{name} {definition.written(definition.body.arguments[name])}" for name in arguments}
    policies = any(_LIKE_POLICY.search(f"{words[name]} {text}") for name, (text, _) in arguments.items())
    source = definition.body.value("source")
    # OpenTofu lets a variable say where a module lies: what it holds may then be anything.
    is_elsewhere = source is not None and not plain_text(source)
    versions = ("source", "version", *(("providers",) if policies or is_elsewhere else ()))
    relevant_names = {
        name
        for name, (text, _) in arguments.items()
        if name not in versions
        and (speaks_of_access(words[name]) or _SPEAKS_OF_ACCESS.search(text) or _is_policy(text))
    }
    is_told = not (relevant_names or policies or is_elsewhere)
    relevant_names |= {*versions} & arguments.keys()
    relevant_names |= {"count", "for_each"} & arguments.keys()
    yield Use(
        address=f"{scope.name}{address}{f'.{MADE}' if is_told else ''}",
        scope=scope,
        definition=definition,
        value=None,
        kind="identity" if is_told else None,
        values=(
            frozenset((scope.name, name, arguments[name][0]) for name in relevant_names),
            frozenset().union(*(arguments[name][1] for name in relevant_names)),
        ),
    )


def _argument_value(scope: Scope, definition: Definition, argument: Argument) -> tuple[str, frozenset[FilePattern]]:
    """Return what an argument comes to, or where nobody knows all that decides it, and which files may."""
    evaluator = Evaluator(scope, definition.source, {})
    try:
        return name_of(evaluator.with_names(evaluator.numbered(definition.body)).value(argument.value)), frozenset()
    except (Need, Opaque, Impossible):
        texts, reads = deciding_texts(scope, argument, excluded_prefix="aws_")
        argument_text = definition.written(argument)
        return "\n".join([argument_text, *(text for _, _, text in sorted(texts))]), reads


def _is_policy(text: str) -> bool:
    return "Statement" in text and "Effect" in text


def _of_resource(scope: Scope, address: str, definition: Definition, is_settled: bool) -> Iterator[Use]:
    """The policies in a resource; of one that is settled only where they are known to be taken."""
    type_ = address.partition(".")[0]
    if type_ in GRANTING:
        kind: Kind = "resource" if type_ in OF_RESOURCES else "identity"
        yield _use(scope, f"{address}.{GRANT}", definition, None, kind)
    names = (HANDED_ON,) if may_hand_on(type_) else places(type_, definition.body)
    yield from (_use(scope, f"{address}.{name}", definition, None, "identity") for name in names)
    yield from _of_commands(scope, address, definition) if not is_settled else ()
    for argument in definition.body.arguments.values():
        listed = _of_argument(scope, address, definition, argument)
        if listed is not None:
            yield from listed
        elif not is_settled and argument.name != AFTER:
            yield from _unlisted_uses(scope, f"{address}.{argument.name}", definition, argument)
    for number, block in enumerate(definition.body.blocks):
        yield from _of_block(scope, address, definition, block, number, is_settled)


def _of_commands(scope: Scope, address: str, definition: Definition) -> Iterator[Use]:
    """What the commands of a resource or of a data source change."""
    use = _use(scope, f"{address}.{COMMAND}", definition, None, "identity")
    if may_call(type_of(use), definition.body):
        yield from (use,) if use.reads or any(speaks_of_aws(text) for _, _, text in use.deciding) else ()


def _of_argument(scope: Scope, address: str, definition: Definition, argument: Argument) -> Iterator[Use] | None:
    """The policies in an argument of a resource that stands in no block; None if it is not known to take any."""
    type_, name, value, at = address.partition(".")[0], argument.name, argument.value, f"{address}.{argument.name}"
    is_ceiling = name == CEILING and takes_boundary(type_, name)
    if takes_policy(type_, name):
        return iter((_use(scope, at, definition, value, kind_of(type_, name)),))
    if is_ceiling or takes_name(type_, name) or (type_, name) == (_OF_TARGETS, _POLICY_ID):
        return iter((replace(_use(scope, at, definition, value, "identity"), by_name=not is_ceiling),))
    paths = [path for path in inner_paths(type_) if path.startswith(f"{name}.")]
    return _of_paths(scope, address, definition, value, paths) if paths else None


def _of_paths(
    scope: Scope, address: str, definition: Definition, value: Expression, paths: Iterable[str]
) -> Iterator[Use]:
    """The policies at these paths in an argument that holds lists and mappings."""
    type_ = address.partition(".")[0]
    for path in paths:
        for number, part in enumerate(_inner_values(value, tuple(path.split(".")[1:]))):
            use = _use(scope, f"{address}.{path}[{number}]", definition, part, kind_of(type_, path))
            yield replace(use, by_name=part is not None and takes_name(type_, path))


def _inner_values(value: Expression, path: tuple[str, ...]) -> Iterator[Expression | None]:
    """The values to which a path leads through lists and mappings; None for one that cannot be told from the text."""
    if not path:
        yield value
    elif isinstance(value, List):
        for item in value.items:
            yield from _inner_values(item, path)
    elif isinstance(value, Mapping):
        for key, inner in value.items:
            if (name := _key_text(key)) is None:
                yield None
            elif name == path[0]:
                yield from _inner_values(inner, path[1:])
    elif not isinstance(value, Literal):
        yield None


def _key_text(key: Expression) -> str | None:
    """The key of a mapping that is written as a text; None for any other."""
    if isinstance(key, Template) and all(isinstance(part, Text) for part in key.parts):
        return "".join(part.value for part in key.parts if isinstance(part, Text))
    return None


def _of_block(
    scope: Scope, address: str, definition: Definition, block: Block, number: int, is_settled: bool
) -> Iterator[Use]:
    """The policies in a block of a resource; in one that is repeated, nobody knows what stands for its items."""
    type_ = address.partition(".")[0]
    if block.type == "dynamic" and not is_of_aws(type_) and block.labels and block.labels[0].endswith("policy"):
        yield _use(scope, f"{address}.dynamic[{number}]", definition, None, None)
        return
    for at, part in enumerate(_parts(block)):
        value = None if part.is_repeated else part.argument.value
        place = f"{address}.{block.type}[{number}].{part.argument.name}[{at}]"
        if takes_policy(type_, part.path):
            is_inline = part.path == f"{_INLINE}.policy" and not part.is_repeated
            place = f"{address}.{_INLINE}[{number}]" if is_inline else place
            yield _use(scope, place, definition, value, kind_of(type_, part.path))
        elif takes_name(type_, part.path):
            yield replace(_use(scope, place, definition, value, "identity"), by_name=value is not None)
        elif not is_settled:
            unlisted = _unlisted_uses(scope, place, definition, part.argument)
            yield from (replace(use, value=value) for use in unlisted)


class _Part(NamedTuple):
    """An argument of a block with its path in the resource; `is_repeated` if a dynamic block makes it."""

    path: str
    argument: Argument
    is_repeated: bool


def _parts(block: Block, above: str = "", is_repeated: bool = False) -> Iterator[_Part]:
    """The arguments in a block and in those below it; what makes a dynamic block stands beside its content."""
    is_dynamic = block.type == "dynamic" and bool(block.labels)
    path, is_repeated = f"{above}{block.labels[0] if is_dynamic else block.type}.", is_repeated or is_dynamic
    bodies = [inner.body for inner in block.body.of_type("content")] if is_dynamic else [block.body]
    if is_dynamic:
        yield from (_Part(f"{path}dynamic.{name}", each, True) for name, each in block.body.arguments.items())
    for body in bodies:
        yield from (_Part(f"{path}{name}", each, is_repeated) for name, each in body.arguments.items())
        for inner in body.blocks:
            yield from _parts(inner, path, is_repeated)


def _unlisted_uses(scope: Scope, address: str, definition: Definition, argument: Argument) -> Iterator[Use]:
    """The policies in an argument that is not known to take any, if some are written there or in what decides it."""
    for number, leaf in enumerate(_leaves(argument.value)):
        text = definition.written(leaf)
        if _names_resource(leaf):
            continue
        place = address if leaf is argument.value else f"{address}({number})"
        if _MAY_HOLD.search(f"{argument.name} {text}") and (_is_policy(text) or _is_decided_by_policy(scope, leaf)):
            yield _use(scope, place, definition, leaf, None)
        elif _MAY_BE_GIVEN.search(text):
            yield from _given_policies(scope, place, definition, leaf)


def _is_null(value: Expression) -> bool:
    return isinstance(value, Literal) and value.kind == "null"


def _names_resource(value: Expression) -> bool:
    """Tell whether a value is the id or version of a resource of AWS, which is no policy and names none of IAM."""
    if isinstance(value, Conditional):
        sides = [side for side in (value.if_true, value.if_false) if not _is_null(side)]
        return bool(sides) and all(map(_names_resource, sides))
    if not isinstance(value, Attribute) or value.name not in _NAMING:
        return False
    inner = value.value.value if isinstance(value.value, Index) else value.value
    head = inner.value if isinstance(inner, Attribute) else None
    return isinstance(head, Variable) and head.name.startswith("aws_") and not head.name.startswith("aws_iam_")


def _leaves(value: Expression) -> Iterator[Expression]:
    """The values in lists and mappings, but a mapping that is a policy as a whole."""
    inner: Iterable[Expression] = ()
    if isinstance(value, List):
        inner = value.items
    elif isinstance(value, Mapping) and all(_key_text(key) not in (None, "Statement") for key, _ in value.items):
        inner = (each for _, each in value.items)
    elif isinstance(value, Call) and value.name in _WRITING and _may_be_opened(value):
        inner = value.arguments
    else:
        yield value
    for each in inner:
        yield from _leaves(each)


def _may_be_opened(call: Call) -> bool:
    """Tell whether each value in what a call writes may be looked at alone: it is no policy as a whole."""
    return call.name not in _OF_STRUCTURE or all(next(_leaves(each), None) is not each for each in call.arguments)


def _is_decided_by_policy(scope: Scope, value: Expression) -> bool:
    return any(_is_policy(text) for _, _, text in deciding_texts(scope, value, excluded_prefix="aws_")[0])


def _given_policies(scope: Scope, address: str, definition: Definition, value: Expression) -> Iterator[Use]:
    """The policy that a value comes to, and the ARN of one that is handed to another provider than AWS.

    A value that cannot be worked out may be one.
    """

    def run(truths: Truths) -> Node:
        evaluator = Evaluator(scope, definition.source, truths)
        return evaluator.with_names(evaluator.numbered(definition.body)).value(value)

    try:
        all_outcomes = outcomes(run, {}, value.span)
    except Opaque:
        yield _use(scope, address, definition, value, None)
        return
    texts = sorted({name_of(outcome.value) for outcome in all_outcomes if outcome.value is not None})
    is_policy = any(map(_is_policy, texts))
    if is_policy or (_is_handed_on(address.partition(".")[0]) and any(map(_ARN.search, texts))):
        use = _use(scope, address, definition, value if is_policy else None, None)
        yield (
            use if is_policy else replace(use, values=(frozenset((scope.name, "", text) for text in texts), use.reads))
        )


def _is_handed_on(type_: str) -> bool:
    """Tell whether what a resource is given goes to something else than the provider of AWS: its arguments say less."""
    return not is_of_aws(type_) or type_ == "aws_cloudcontrolapi_resource"


def _use(scope: Scope, address: str, definition: Definition, value: Expression | None, kind: Kind | None) -> Use:
    return Use(address=f"{scope.name}{address}", scope=scope, definition=definition, value=value, kind=kind)
