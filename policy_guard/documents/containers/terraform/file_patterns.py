"""Which files of the repository a path may lead to of which only parts are known.

Source: Terraform's documentation, language/functions, "Filesystem Functions".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from posixpath import normpath

from policy_guard.documents.containers.terraform.folder import ANY_FILE, FilePattern
from policy_guard.documents.containers.terraform.scope import Scope
from policy_guard.documents.format import in_json
from policy_guard.documents.globs import holds_in_order
from policy_guard.documents.hcl.syntax import Attribute, Call, Expression, Interpolation, Template, Text, Variable
from policy_guard.documents.source import Hole
from policy_guard.regex import regex

IN_REPOSITORY = "//"
"""What a path from the top of the repository begins with; others lead from the root module, where Terraform runs."""
_TEMPLATE = "templatefile"
_OF_CONTENTS = ("file", "filebase64", _TEMPLATE)
_MOST_STEPS = 8
_HOLE = Hole("")
# A file for people, the code of Terraform, and a workflow of GitHub are written in a language in which no policy is.
_OF_OTHER_LANGUAGES = regex(
    r"(?:\.md|\.tf|\.tofu|\.tfvars|\.hcl|\.tf\.json|\.tofu\.json)\Z|(?:\A|/)\.github/workflows/[^/]*\.ya?ml\Z"
)
_STATEMENTS = regex(r"^[ \t]{0,99}(?:- )?[\"']?Statement[\"']?[ \t]{0,9}:", re.MULTILINE)
_TEXT_STARTS = ('"', "'", "$", "%")


def is_of_another_language(path: str) -> bool:
    """Tell whether a file seems to be written in a language in which there are no policies."""
    return _OF_OTHER_LANGUAGES.search(path) is not None


def is_policy_all_the_same(text: str) -> bool:
    """Tell whether a file may be a policy or a value in spite of its name: JSON, a template, or a policy in YAML."""
    start = text.lstrip()
    return in_json(start[:2_000].encode()) or start.startswith(_TEXT_STARTS) or bool(_STATEMENTS.search(text))


def pattern_of(scope: Scope, function: str, path: Sequence[str | Hole]) -> FilePattern:
    """Return what the files have in common that a function may read by a path.

    Where nothing is known of their names, a function that gives their contents is taken to read no code.
    """
    words = _words_of(scope, path)
    paths = scope.folder.paths()
    if len(words) == 1 and words[0] not in paths:
        words = ("", words[0].rpartition("/")[2])
    elif not any(holds_in_order(each, words) for each in paths):
        words = ("", *words[1:])
    return FilePattern(words, is_policy=function in _OF_CONTENTS and not words[-1])


def patterns_of(scope: Scope, function: str, path: Sequence[str | Hole]) -> frozenset[FilePattern]:
    """Return what the files have in common that a function may read by a path, or by way of a template there."""
    pattern = pattern_of(scope, function, path)
    if function != _TEMPLATE or not any(pattern.words):
        return frozenset({pattern})
    # A value in the path may lead out of the folder that is written.
    end = ("", pattern.words[-1].rpartition("/")[2])
    paths = (each for each in scope.folder.paths() if holds_in_order(each, end))
    templates = (scope.folder.read(each) for each in paths)
    reads_more = any(template is not None and "file" in template.text for template in templates)
    return frozenset({pattern, *([FilePattern(("",), is_policy=True)] if reads_more else [])})


def patterns_of_call(scope: Scope, call: Call) -> frozenset[FilePattern]:
    """Return what the files have in common that a call of a function may read, by what is written."""
    if not call.arguments or call.name == "fileset":
        return frozenset({ANY_FILE})
    return patterns_of(scope, call.name, _joined(_written_parts(scope, call.arguments[0], _MOST_STEPS)))


def _joined(parts: Iterator[str | Hole]) -> list[str | Hole]:
    """The parts of a text, with those that are known beside one another as one."""
    texts: list[str | Hole] = []
    for part in parts:
        if texts and isinstance(part, str) and isinstance(texts[-1], str):
            texts[-1] += part
        else:
            texts.append(part)
    return texts


def _written_parts(scope: Scope, node: Expression, steps: int) -> Iterator[str | Hole]:
    """What a path is by what is written in it, in locals, and by callers; a hole for all else."""
    if isinstance(node, Template):
        for part in node.parts:
            if isinstance(part, Text):
                yield part.value
            elif isinstance(part, Interpolation):
                yield from _written_parts(scope, part.value, steps)
            else:
                yield _HOLE
    elif isinstance(node, Attribute) and isinstance(node.value, Variable):
        yield from _referred_parts(scope, node.value.name, node.name, steps - 1)
    else:
        yield _HOLE


def _referred_parts(scope: Scope, kind: str, name: str, steps: int) -> Iterator[str | Hole]:
    """What a reference in a path comes to, as far as it is written."""
    if kind == "path" and name in ("module", "root", "cwd"):
        folder = scope.folder if name == "module" else scope.root().folder
        yield f"{IN_REPOSITORY}{folder.path or '.'}"
        return
    value, where = None, scope
    if kind == "local" and (definition := scope.folder.definitions.get(f"local.{name}")):
        value = definition.value
    elif kind == "var" and scope.parent is not None and scope.call is not None:
        value, where = scope.call.body.value(name), scope.parent
    if value is None or steps < 0:
        yield _HOLE
    else:
        yield from _written_parts(where, value, steps)


def _words_of(scope: Scope, path: Sequence[str | Hole]) -> tuple[str, ...]:
    """Return what the path of a file in the repository holds one after the other, beginning with its folder."""
    words = [""]
    for part in path:
        words[-1:] = [words[-1] + part] if isinstance(part, str) else [words[-1], ""]
    first, later = words[0], [word.lstrip("/") for word in words[1:]]
    if any(step in word for word in later for step in ("..", "./", "//")):
        return ("", later[-1].rpartition("/")[2])
    if first.startswith(IN_REPOSITORY):
        first = first.removeprefix(IN_REPOSITORY)
    elif first and not first.startswith(("/", "~")):
        first = f"{scope.root().folder.path}/{first}"
    else:
        return ("", *later) if later else ("", first.rpartition("/")[2])
    folder, _, start = first.rpartition("/")
    if start in (".", ".."):
        return ("", *later) if later else ("", "")
    return (f"{normpath(f'/{folder}')}/{start}".lstrip("/"), *later)
