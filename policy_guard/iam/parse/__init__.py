"""A document as written becomes the typed policy that it means, or the list of what is wrong with it."""

from __future__ import annotations

from dataclasses import replace

from policy_guard.documents.containers import VERSIONS
from policy_guard.documents.containers.plain import PolicyDocument
from policy_guard.documents.containers.recognition import MEANT
from policy_guard.documents.printable import quoted
from policy_guard.documents.source import Array, Hole, Node, Object, Scalar, Span, Unreadable, scalars
from policy_guard.iam.parse.reader import Reader
from policy_guard.iam.parse.statement import is_short, parse_statement
from policy_guard.iam.policy import WITHOUT_PRINCIPAL, Element, Kind, Policy, Statement, Value
from policy_guard.regex import regex
from policy_guard.solver.strings.pattern import STAR, Pattern, holes, with_variables

_TOP = ("Version", "Id", "Statement")
_OF_IAM = ("identity", "trust", "boundary", "session")
_SID = regex(r"[A-Za-z0-9]*")


def parse(document: PolicyDocument, kind: Kind | None = None, placeholders: tuple[str, ...] = ()) -> Policy:
    """The policy that a document means. Its kind comes from its place or shape where None is given.

    `placeholders` are regular expressions for texts that a template fills in, besides those that are known here.

    Raises `Unreadable` with every problem found. Source: IAM User Guide, reference_policies_grammar.
    """
    reader = Reader(document.source, placeholders)
    node = document.node
    reader.problems += document.problems
    _refuse_disputed(reader, node)
    version, statements = _version_and_statements(reader, node)
    names_resources = any(statement.resource for statement in statements)
    shape, statements = _shape(reader, statements, kind or document.kind)
    _check_sids(reader, shape, node)
    if reader.problems:
        raise Unreadable(*reader.problems)
    return Policy(
        kind=shape,
        version=version,
        statements=statements,
        source=document.source,
        span=node.span,
        label=document.label,
        doubts=tuple(reader.doubts),
        holder=document.holder,
        owner=document.owner,
        names_resources=names_resources,
    )


def _refuse_disputed(reader: Reader, node: Node) -> None:
    """Notes a problem for each scalar from which readers take different values; every reader knows a Version."""
    version = node.get("Version") if isinstance(node, Object) else None
    disputed = {scalar.span: scalar for scalar in scalars(node) if scalar.disputed}
    for scalar in disputed.values():
        if scalar is not version or scalar.text not in VERSIONS:
            reader.problem(f"{quoted(scalar.text)} {scalar.disputed}", scalar.span)


def _version_and_statements(reader: Reader, node: Node) -> tuple[str, tuple[Statement, ...]]:
    if not isinstance(node, Object):
        reader.problem("a policy is a mapping with Version and Statement", node.span, "JSON_SYNTAX_ERROR")
        return VERSIONS[0], ()
    entries = reader.entries(node, _TOP, "a policy")
    version = _version(reader, entries.get("Version"))
    if "Statement" not in entries and not any(problem.message.endswith(MEANT) for problem in reader.problems):
        reader.problem('the policy has no "Statement"', Span(node.span.start, node.span.start + 1), "MISSING_STATEMENT")
    if "Statement" not in entries:
        return version, ()
    return version, tuple(
        parse_statement(reader, index, item, version)
        for index, item in enumerate(_statements(reader, entries["Statement"]))
    )


def _version(reader: Reader, node: Node | None) -> str:
    if node is None:
        return "2008-10-17"
    text = node.text if isinstance(node, Scalar) and node.tag is None else ""
    if text not in VERSIONS:
        description = f'"Version" is {quoted(text)}' if text else '"Version" is no text'
        reader.problem(f'{description}; write "2012-10-17" or "2008-10-17"', node.span, "INVALID_VERSION")
        return VERSIONS[0]
    return text


def _statements(reader: Reader, node: Node) -> tuple[Node, ...]:
    if isinstance(node, Object):
        return (node,)
    if isinstance(node, Array) and node.items and node.tag is None:
        return node.items
    if isinstance(node, Array) and node.tag is None:
        reader.problem('"Statement" is empty; write at least one statement', node.span, "MISSING_STATEMENT")
        return ()
    reader.problem('"Statement" is one statement or a list with at least one', node.span, "DATA_TYPE_MISMATCH")
    return ()


def _shape(reader: Reader, statements: tuple[Statement, ...], kind: Kind | None) -> tuple[Kind, tuple[Statement, ...]]:
    """The kind, and the statements after a look at whether each has the elements that it asks for."""
    has_principals = any(statement.principals for statement in statements)
    kind = kind or _kind(statements, has_principals)
    if kind == "resource" and not any(statement.resource for statement in statements):
        statements = tuple(map(_with_own_resource, statements))
    for statement in statements:
        _check_elements(reader, statement, kind)
    return kind, statements


def _check_elements(reader: Reader, statement: Statement, kind: Kind) -> None:
    """Reports the elements that a statement of the kind lacks, or does not take."""
    if kind in WITHOUT_PRINCIPAL and statement.principals:
        reader.problem(
            f"a policy of the kind {kind} has no Principal or NotPrincipal",
            statement.principals.span,
            "SCP_SYNTAX_ERROR_PRINCIPAL" if kind == "scp" else "UNSUPPORTED_PRINCIPAL",
        )
    elif kind not in WITHOUT_PRINCIPAL and not statement.principals:
        reader.problem('the statement has no "Principal"', _head(statement.span), "MISSING_PRINCIPAL")
    if kind == "trust" and statement.resource:
        words = "a trust policy has no Resource or NotResource"
        reader.problem(words, statement.resource.span, "ROLE_TRUST_POLICY_SYNTAX_ERROR_RESOURCE")
    elif kind != "trust" and not statement.resource:
        reader.problem('the statement has no "Resource"', _head(statement.span), "MISSING_RESOURCE")
    if kind == "trust" and (star := _bare_star(statement)):
        words = '"Principal": "*" is not supported in a trust policy; name who may assume the role, or write'
        reader.problem(
            f'{words} {{"AWS": "*"}} for everyone', star, "ROLE_TRUST_POLICY_UNSUPPORTED_WILDCARD_IN_PRINCIPAL"
        )
    if statement.principals and statement.principals.negated and (statement.effect == "Allow" or kind == "trust"):
        reader.problem(
            '"NotPrincipal" is for Deny in resource policies; name the principals',
            statement.principals.span,
            "ROLE_TRUST_POLICY_SYNTAX_ERROR_NOTPRINCIPAL" if kind == "trust" else "ALLOW_WITH_NOT_PRINCIPAL",
        )
    for value in statement.resource.values if statement.resource and kind != "resource" else ():
        if is_short(value):
            words = f"{quoted(value.text)} is for the resource policy of an API; write its ARN"
            reader.problem(words, value.span, "INVALID_ARN_PREFIX")


def _bare_star(statement: Statement) -> Span | None:
    """Return where a statement about roles alone says "Principal": "*".

    AWS rejects that in trust policies (access-analyzer-reference-policy-checks, "Role trust policy unsupported wildcard
    in principal"). Resource policies without Resource, such as those of ECR, have the same shape and take it.
    """
    entries = statement.principals.entries if statement.principals and _is_of_sts(statement) else ()
    return next((entry.value.span for entry in entries if entry.type == "*"), None)


def _kind(statements: tuple[Statement, ...], has_principals: bool) -> Kind:
    if not has_principals:
        return "identity"
    return (
        "resource"
        if any(statement.resource for statement in statements) or not all(map(_is_of_sts, statements))
        else "trust"
    )


def _is_of_sts(statement: Statement) -> bool:
    """Tell whether all actions are of STS: a policy of such statements, without Resource, is a trust policy.

    The repository policies of ECR have no Resource either (Amazon ECR User Guide, repository-policies).
    """
    actions = statement.action
    return not actions.negated and all(value.text.strip().lower().startswith("sts:") for value in actions.values)


def _with_own_resource(statement: Statement) -> Statement:
    """The statement of a policy that speaks only of the resource that has it: whichever that is."""
    wildcard = Value("*", Pattern((STAR,)), statement.action.span)
    return replace(statement, resource=Element(False, (wildcard,), statement.action.span))


def _check_sids(reader: Reader, kind: Kind, node: Node) -> None:
    """IAM takes letters and digits, and no Sid twice (IAM User Guide, reference_policies_elements_sid)."""
    if kind not in _OF_IAM or not isinstance(node, Object):
        return
    sids: set[str] = set()
    statements = node.get("Statement")
    for item in statements.items if isinstance(statements, Array) else (statements,):
        sid = item.get("Sid") if isinstance(item, Object) else None
        if not isinstance(item, Object) or not isinstance(sid, Scalar) or sid.tag is not None or _has_holes(sid):
            continue
        if not _SID.fullmatch(sid.text):
            reader.problem(
                f'"Sid" is {quoted(sid.text)}; IAM takes only letters and digits', sid.span, "UNSUPPORTED_SID"
            )
        elif sid.text and sid.text in sids and not item.guards:
            reader.problem(
                f'"Sid" {quoted(sid.text)} is written twice; IAM takes each only once', sid.span, "UNIQUE_SIDS_REQUIRED"
            )
        sids.add(sid.text)


def _has_holes(sid: Scalar) -> bool:
    if sid.parts is not None:
        return any(isinstance(part, Hole) for part in sid.parts)
    return holes(with_variables(sid.text))


def _head(span: Span) -> Span:
    return Span(span.start, span.start + 1)
