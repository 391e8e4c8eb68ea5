"""What functions of Terraform come to that read files of the repository: their texts, templates, presence and names.

Source: Terraform's documentation, language/functions, "Filesystem Functions".
"""

from __future__ import annotations

from posixpath import normpath

from policy_guard.documents.containers.opaque import Opaque
from policy_guard.documents.containers.terraform.evaluate import Evaluator
from policy_guard.documents.containers.terraform.file_patterns import IN_REPOSITORY, pattern_of, patterns_of
from policy_guard.documents.containers.terraform.values import (
    is_known,
    label_of,
    name_of,
    pairs_of,
    parts,
    single,
    text_in,
    unknown,
)
from policy_guard.documents.globs import matches_path, not_a_pattern
from policy_guard.documents.hcl.syntax import Call, Expression
from policy_guard.documents.source import (
    Array,
    Node,
    Origin,
    Scalar,
    Source,
    Span,
    Stretch,
    Unreadable,
)

_TEMPLATE = "template"


def file_value(evaluator: Evaluator, node: Call) -> Node:
    """Return what a function that reads files comes to, or any other that is not worked out."""
    if node.name in ("file", "templatefile") and node.arguments:
        path = _path_value(evaluator, node)
        if not is_known(path) or _is_elsewhere(evaluator, node.arguments[0]):
            return _unknown_file(evaluator, node, path)
    if node.name == "file" and len(node.arguments) == 1:
        source = _file(evaluator, node)
        origin = Origin(source, Span(0, len(source.text)), exact=True)
        return text_in((Stretch(source.text, node.span, False, (origin,)),), node.span)
    if node.name == "templatefile" and len(node.arguments) == 2:
        return _template_file(evaluator, node)
    if node.name == "fileexists" and len(node.arguments) == 1:
        return _file_exists(evaluator, node)
    if node.name == "fileset" and len(node.arguments) == 2:
        return _file_set(evaluator, node)
    if node.name.startswith("file") and node.arguments:
        return _unknown_file(evaluator, node, _path_value(evaluator, node))
    if node.name.startswith(("file", "template")):
        raise Opaque(f"{node.name} is not worked out here; use file or templatefile", node.span)
    return evaluator.opaque(node)


def _path_value(evaluator: Evaluator, node: Call) -> Node:
    return single(evaluator.value(node.arguments[0]))


def _unknown_file(evaluator: Evaluator, node: Call, path: Node) -> Node:
    """A value made of a file that is not read here: any file whose path has the known parts of its own may be it."""
    scope = evaluator.scope
    contents = [scope.folder.contents_of(each) for each in sorted(patterns_of(scope, node.name, parts(path)))]
    arguments = [name_of(evaluator.value(argument)) for argument in node.arguments[1:]]
    return unknown(f"{node.name}({label_of(path)})", node.span, name_of(path), contents, arguments, is_list=False)


def _file_exists(evaluator: Evaluator, node: Call) -> Node:
    """Tell whether a file is there; one that the repository does not have may be made before Terraform runs."""
    path = path_of(evaluator, node.arguments[0])
    if path is not None and evaluator.scope.folder.read(path) is not None:
        return Scalar("true", node.span, "boolean")
    value = _path_value(evaluator, node)
    pattern = pattern_of(evaluator.scope, node.name, parts(value))
    contents = "" if is_known(value) else evaluator.scope.folder.contents_of(pattern)
    return unknown(f"fileexists({label_of(value)})", node.span, name_of(value), contents, is_list=False)


def path_of(evaluator: Evaluator, argument: Expression) -> str | None:
    """The path from the top of the repository that an argument says; None if it is not known, or leads elsewhere."""
    path = single(evaluator.value(argument))
    path_text = path.text if isinstance(path, Scalar) and is_known(path) else ""
    if path_text and not path_text.startswith("/"):
        path_text = f"{IN_REPOSITORY}{evaluator.scope.root().folder.path or '.'}/{path_text}"
    return normpath(path_text[2:]) if path_text.startswith(IN_REPOSITORY) else None


def _is_elsewhere(evaluator: Evaluator, argument: Expression) -> bool:
    """Tell whether a path leads to no file of the repository from where Terraform seems to run, as it may not."""
    path = path_of(evaluator, argument)
    return path is not None and evaluator.scope.folder.read(path) is None and path not in evaluator.scope.folder.paths()


def _file_set(evaluator: Evaluator, node: Call) -> Node:
    """The files of a folder that a pattern names, in order."""
    folder, pattern = path_of(evaluator, node.arguments[0]), single(evaluator.value(node.arguments[1]))
    text = pattern.text if isinstance(pattern, Scalar) and is_known(pattern) else ""
    if folder is None or not text or not_a_pattern(text):
        raise Opaque("nobody can tell from the repository which files these are; write them out", node.span)
    prefix = "" if folder == "." else f"{folder}/"
    paths = (path[len(prefix) :] for path in evaluator.scope.folder.paths() if path.startswith(prefix))
    matching_paths = sorted(path for path in paths if matches_path(text, path))
    return Array(tuple(Scalar(path, node.span, parts=(path,)) for path in matching_paths), node.span)


def _file(evaluator: Evaluator, node: Call) -> Source:
    path = path_of(evaluator, node.arguments[0])
    source = evaluator.scope.folder.read(path) if path is not None else None
    if source is None:
        raise Opaque("this file cannot be read from the repository; write its path from path.module", node.span)
    return source


def _template_file(evaluator: Evaluator, node: Call) -> Node:
    source = _file(evaluator, node)
    if (_TEMPLATE, source.path) in evaluator.active:
        evaluator.scope.memory.forgo()
        raise Opaque("this template is made of itself, which Terraform refuses", node.span)
    pairs = pairs_of(evaluator.value(node.arguments[1]))
    try:
        template = evaluator.scope.folder.parsed.template(source.text)
    except Unreadable as error:
        raise Opaque(f"the template cannot be read: {error.problems[0].message}", node.span) from None
    if pairs is None:
        raise Opaque("the values for the template are not known", node.span)
    names = {key.text: value for key, value in pairs if isinstance(key, Scalar)}
    active = (*evaluator.active, (_TEMPLATE, source.path))
    inner = Evaluator(evaluator.scope, source, evaluator.truths, names, evaluator.steps, active)
    stretches: list[Stretch] = []
    for part in template.parts:
        try:
            stretches += (each._replace(span=node.span, exact=False) for each in inner.stretches(part))
        except Opaque as error:
            raise Opaque(error.problem.message, node.span) from None
    return text_in(stretches, node.span)
