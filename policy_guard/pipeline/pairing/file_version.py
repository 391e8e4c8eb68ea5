"""One version of a file: its bytes become the policies in them, or the reasons why not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeAlias

from policy_guard.documents.containers.serverless_framework.files import is_serverless_name
from policy_guard.documents.containers.value_files import is_value_file
from policy_guard.documents.format import (
    MAX_BYTES,
    decode,
    in_json,
    in_utf_8,
    is_short_text,
    may_attach,
    may_grant,
    salvage,
    salvage_all,
    sniff,
)
from policy_guard.documents.formats import plain_name
from policy_guard.documents.formats.snapshots import SUFFIXES as SNAPSHOTS
from policy_guard.documents.formats.snapshots import hides_text
from policy_guard.documents.source import Node, Object, Problem, Scalar, Source, Span, Unreadable
from policy_guard.records import NamedTuple
from policy_guard.regex import regex

if TYPE_CHECKING:
    from policy_guard.documents.containers.cloudformation.template import Template
    from policy_guard.documents.containers.limits import Limits
    from policy_guard.documents.containers.plain import Reading
    from policy_guard.documents.containers.revision_files import RevisionFiles
    from policy_guard.documents.containers.unresolved import Unresolved
    from policy_guard.iam.policy import Kind, Policy, PolicyId


KindOf: TypeAlias = "Callable[[str], Kind | None]"
"""The kind that the settings give to the policy at a label, if any."""
LFS = regex(rb"\s*version (?:https://git-lfs\.github\.com/spec|https://hawser\.github\.com/spec|http://git-media\.io)/")
"""Source: git-lfs, docs/spec.md and lfs/pointer.go, which also takes blanks before it and the two older names."""
_OF_FILE, _OF_SCRIPT = 0.25, 0.9
_OTHER_TEMPLATES = (".tf", ".sh", ".bash", ".ps1", ".py", ".rb", ".js", ".ts", ".go", ".md", ".txt", ".html", ".rst")


class FileVersion(NamedTuple):
    """What one version of a file holds: policies by label, what is wrong with it, and how many lie deeper.

    `candidates` are labels of what may become a policy.

    `examined` is False where the file was passed over as no policy at all, and `passed_over` says why if it may be one
    all the same. `unread` are the texts of the policies that
    cannot be read, as far as there are texts. `template` is there if the file is one, of which policies are read when
    it is `completed`. A `manifest` may lose its last policy and is looked at all the same; `limits` are what it keeps
    out without a policy. The policies in `bare` are statements without a policy around them, those
    in `by_name` are roles and managed policies that settings name. Each of the `snapshots` in a file is a version of
    its own, by its name. `addresses` are those of the policies that the problems are about.
    """

    source: Source
    policies: dict[str, Policy]
    problems: tuple[Problem, ...] = ()
    embedded: int = 0
    examined: bool = True
    passed_over: str = ""
    candidates: frozenset[str] = frozenset()
    unresolved: tuple[Unresolved, ...] = ()
    unread: tuple[str, ...] = ()
    template: Template | None = None
    manifest: bool = False
    bare: frozenset[str] = frozenset()
    by_name: frozenset[str] = frozenset()
    snapshots: Mapping[str, FileVersion] | None = None
    limits: Limits | None = None
    addresses: Mapping[Problem, str] = MappingProxyType({})

    def completed(self, placeholders: tuple[str, ...], grants: bool = False) -> FileVersion:
        """This version with all policies of its template, and with `grants` what grants access without a document."""
        if self.snapshots is not None:
            return self._with_snapshots(placeholders, grants)
        if self.template is None:
            return self
        from policy_guard.pipeline.pairing.templates import all_of

        parsed = all_of(self.template, placeholders, grants)
        problems = (*self.template.repeated, *parsed.every_problem)
        counts = Counter(policy.label for policy in parsed.policies.values())
        policies = {_unique_label(key, policy, counts): policy for key, policy in parsed.policies.items()}
        return self._replace(
            policies=policies,
            problems=problems,
            examined=bool(policies or problems),
            addresses=parsed.address_by_problem,
        )

    def holds_policy(self, placeholders: tuple[str, ...]) -> bool:
        """Tell whether this version, once it is completed, has any policy, or anything that cannot be read."""
        if self.template is None or self.snapshots is not None:
            version = self.completed(placeholders, grants=True)
            return bool(version.policies or version.problems)
        from policy_guard.pipeline.pairing.templates import holds_policy

        return bool(self.template.repeated) or holds_policy(self.template)

    def _with_snapshots(self, placeholders: tuple[str, ...], grants: bool) -> FileVersion:
        """This version with the policies of all its snapshots."""
        versions = {name: each.completed(placeholders, grants) for name, each in (self.snapshots or {}).items()}
        policies = {
            f"{name}: {label}": in_snapshot(policy, name)
            for name, version in versions.items()
            for label, policy in version.policies.items()
        }
        problems = (*self.problems, *(problem for version in versions.values() for problem in version.problems))
        addresses = {
            problem: f"{name}: {label}"
            for name, version in versions.items()
            for problem, label in version.addresses.items()
        }
        return self._replace(
            policies=policies, problems=problems, examined=bool(policies or problems), addresses=addresses
        )

    @property
    def documents(self) -> frozenset[str]:
        """The labels of what is more than a name of a role or of a managed policy."""
        return frozenset(self.policies.keys() - self.by_name)

    @property
    def problems_by_policy(self) -> tuple[tuple[str, tuple[Problem, ...]], ...]:
        """What is wrong, by the address of the policy that it is about, which is empty where nobody knows."""
        by_address: dict[str, list[Problem]] = {}
        for problem in self.problems:
            by_address.setdefault(self.addresses.get(problem, ""), []).append(problem)
        return tuple((address, tuple(problems)) for address, problems in by_address.items())

    def with_lost_limits(self, old: FileVersion) -> FileVersion:
        """This version with policies that stand for what the old one kept out, and this one does not."""
        if self.limits is None or old.limits is None or self.problems or not old.limits.by_label:
            return self
        from policy_guard.documents.containers.manifests.limits import lost
        from policy_guard.documents.containers.plain import PolicyDocument
        from policy_guard.documents.containers.recognition import policy_of
        from policy_guard.iam.parse import parse

        policies = dict(self.policies)
        for each in lost(old.limits, self.limits):
            if not _is_told(each.label, each.holder, self.policies):
                node = policy_of((each.statement,), each.statement.span)
                policies[each.label] = parse(PolicyDocument(each.label, node, self.source, kind="identity"))
        return self._replace(policies=policies, examined=self.examined or bool(policies))

    def with_unresolved(self, old: FileVersion | None = None) -> FileVersion:
        """This version with what is wrong with what is filled in later, beside the policies that there are and were."""
        if not self.unresolved:
            return self
        labels = {*self.policies, *(old.policies if old else ())}
        from policy_guard.documents.containers.unresolved import problems

        late_problems = tuple(problems(self.unresolved, labels))
        if not late_problems:
            return self
        return self._replace(problems=(*self.problems, *late_problems), examined=True)


def _is_told(label: str, holder: str, policies: Mapping[str, Policy]) -> bool:
    """Tell whether policies tell it already: one at the same place, or one that allows something and has the limit."""
    from policy_guard.documents.containers.limits import SWITCH

    return label in policies or any(
        name.startswith(f"{holder}.")
        and not name.endswith(SWITCH)
        and any(each.effect == "Allow" for each in policy.statements)
        for name, policy in policies.items()
    )


def _unique_label(key: PolicyId, policy: Policy, counts: Mapping[str, int]) -> str:
    """The label of a policy; that of several at one place tells whose it is."""
    from policy_guard.pipeline.pairing.templates import with_holder

    return policy.label if counts[policy.label] == 1 else with_holder(policy.label, key.holder)


def in_snapshot(policy: Policy, name: str) -> Policy:
    """The policy under the name of its snapshot, apart from those of the same name in other snapshots."""
    holder = f"{name}: {policy.holder}" if policy.holder else ""
    members = tuple(f"{name}: {member}" for member in policy.members)
    return policy._replace(label=f"{name}: {policy.label}", holder=holder, members=members)


def version_of(
    data: bytes, path: str, revision: str, configured: bool, kind: Kind | None, placeholders: tuple[str, ...] = ()
) -> FileVersion:
    """Return what a file's bytes hold: with `configured` a policy for certain; `placeholders` are the settings'."""
    return glance_of(data, path, revision, configured, kind, placeholders).completed(placeholders)


def glance_of(
    data: bytes,
    path: str,
    revision: str,
    configured: bool,
    kind: Kind | KindOf | None,
    placeholders: tuple[str, ...] = (),
    closely: bool = False,
    siblings: RevisionFiles | None = None,
) -> FileVersion:
    """Return what the bytes of a file hold, as in `version_of`; the policies of a template are not read yet.

    With `closely`, bytes are read that do not look like a policy, since they may be a template without one. Other files
    that it reads are found among its `siblings`.
    """
    if LFS.match(data) and not sniff(data):
        return _pointer_version(data, path, revision, configured)
    by_content = not configured and plain_name(path)
    is_named = is_serverless_name(path) or is_value_file(path)
    if not (configured or closely or sniff(data) or is_named or hides_text(path, data)):
        return FileVersion(Source(path, "", revision), {}, examined=False)
    if by_content and not in_json(data) and not is_short_text(data):
        return _version_of_long_file(data, path, revision)
    from policy_guard.documents.formats import read
    from policy_guard.pipeline.pairing.shapes import is_api, is_serverless, is_template, marked_reading, reading_of

    try:
        source = decode(path, data, revision)
        documents = read(source)
        if path.lower().endswith(SNAPSHOTS):
            return _snapshot_version(source, documents)
        if any(is_serverless(document, path) for document in documents):
            return _serverless_version(source, documents, siblings)
        if any(map(is_template, documents)):
            return _template_version(source, documents, siblings)
        is_manifest, reading = reading_of(source, documents, siblings)
    except Unreadable as error:
        source = salvage(path, data, revision)
        if (templated := marked_reading(source, data)) is not None:
            return _parsed_version(source, templated, kind, configured, placeholders)._replace(manifest=True)
        blamed = configured or _seems_policy(data, path, revision, by_content)
        return _unread_version(data, source, error.problems if blamed else (), blamed)
    if by_content and not (reading.policies or any(map(is_api, documents))) and not in_json(data):
        return _version_without_policy(data, source, reading.deeper)
    return _parsed_version(source, reading, kind, configured, placeholders)._replace(manifest=is_manifest)


def _unread_version(data: bytes, source: Source, problems: tuple[Problem, ...], examined: bool) -> FileVersion:
    """A version that cannot be read; `examined` if it is one of policies."""
    unread = (source.text,) if len(data) <= MAX_BYTES else ()
    return FileVersion(source=source, policies={}, problems=problems, examined=examined, unread=unread)


def _pointer_version(data: bytes, path: str, revision: str, configured: bool) -> FileVersion:
    problem = Problem("an LFS pointer stands here, and the policy is elsewhere; keep it in git", Span(0, 0))
    passed_over = "" if configured else "is an LFS pointer; the file behind it is not in git"
    return FileVersion(
        source=salvage(path, data, revision),
        policies={},
        problems=(problem,) if configured else (),
        examined=configured,
        passed_over=passed_over,
    )


def _serverless_version(source: Source, documents: Sequence[Node], siblings: RevisionFiles | None) -> FileVersion:
    from policy_guard.documents.containers.cloudformation.exports import with_exports
    from policy_guard.documents.containers.cloudformation.nested import with_nested
    from policy_guard.documents.containers.revision_files import NO_FILES
    from policy_guard.documents.containers.serverless_framework.template import template_of
    from policy_guard.pipeline.pairing.shapes import is_for_others

    (document, *other_documents) = documents
    if is_for_others(source, documents):
        words = (
            "the file reads as one of the Serverless Framework and as a template or manifest; give each its own file"
        )
        return FileVersion(source=source, policies={}, problems=(Problem(words, Span(0, 1)),), unread=(source.text,))
    assert isinstance(document, Object)
    if other_documents:
        words = "the Serverless Framework reads one document, and several stand here; give each its own file"
        return FileVersion(source=source, policies={}, problems=(Problem(words, Span(0, 1)),))
    try:
        files = siblings or NO_FILES
        template = with_nested(template_of(source, document, files), files)
        return FileVersion(source=source, policies={}, template=with_exports(template, files))
    except Unreadable as error:
        return FileVersion(source=source, policies={}, problems=error.problems, unread=(source.text,))


def _template_version(source: Source, documents: Sequence[Node], siblings: RevisionFiles | None) -> FileVersion:
    from policy_guard.documents.containers.cloudformation.exports import with_exports
    from policy_guard.documents.containers.cloudformation.nested import with_nested
    from policy_guard.documents.containers.cloudformation.template import read_template

    (document, *other_documents) = documents
    if other_documents or not isinstance(document, Object):
        words = (
            "a template stands beside other documents, and parsers disagree on which one counts; give it its own file"
        )
        return FileVersion(source=source, policies={}, problems=(Problem(words, Span(0, 1)),))
    template = read_template(source, document)
    if siblings:
        template = with_exports(with_nested(template, siblings), siblings)
    return FileVersion(source=source, policies={}, template=template)


def _snapshot_version(source: Source, documents: Sequence[Node]) -> FileVersion:
    """The version of a file of snapshots, in which each template is one of its own."""
    from policy_guard.documents.containers.cloudformation.template import read_template
    from policy_guard.documents.containers.snapshots import snapshot_templates

    versions = {
        name: FileVersion(source=source, policies={}, template=read_template(source, root)._replace(filled=True))
        for document in documents
        for name, root in snapshot_templates(source, document)
    }
    return FileVersion(source=source, policies={}, examined=bool(versions), snapshots=versions)


def _seems_policy(data: bytes, path: str, revision: str, by_content: bool) -> bool:
    """Tell whether what cannot be read seems a policy: by its words, or by most of it if no name tells."""
    from policy_guard.documents.containers.plain import holds_one_apart
    from policy_guard.documents.containers.recognition import looks_like_policy_text
    from policy_guard.pipeline.pairing.disguise import shows_policy

    source = salvage_all(path, data, revision)
    if path.lower().endswith(SNAPSHOTS) and (b"AWS::" in data or hides_text(path, data)):
        return True
    if is_serverless_name(path) or may_grant(data) or may_attach(data):
        return True
    if not by_content or in_json(data):
        return looks_like_policy_text(source.text)
    return shows_policy(data, _least_share(data, path)) or holds_one_apart(source)


def _least_share(data: bytes, path: str) -> float:
    """Return how much of such a file has to be a policy's: a script may hold one, and a policy's template nothing else.

    With another suffix before that of the template, as in `main.tf.tpl`, it is a template of something else; with an
    underscore before its name, it is a part that other templates include.
    """
    name = path.lower().rpartition("/")[2]
    inner = name.rpartition(".")[0].rpartition(".")[2]
    if data.startswith(b"#!") or name.startswith("_") or f".{inner}" in _OTHER_TEMPLATES:
        return _OF_SCRIPT
    return 0.0 if "." in name.lstrip(".") else _OF_FILE


def _version_without_policy(data: bytes, source: Source, embedded: int) -> FileVersion:
    """A file without a policy's name that is YAML for a reader: a template before JSON makes one text of all of it."""
    path, revision = source.path, source.revision
    if not _seems_policy(data, path, revision, True) or (embedded and not _is_one_text(source)):
        return FileVersion(Source(path, "", revision), {}, examined=False)
    words = "the file reads as a policy, but is not valid JSON or YAML; remove what stands around it, or exclude it"
    return FileVersion(source=salvage(path, data, revision), policies={}, problems=(Problem(words, Span(0, 1)),))


def _is_one_text(source: Source) -> bool:
    from policy_guard.documents.formats import read

    return all(isinstance(document, Scalar) for document in read(source))


def _version_of_long_file(data: bytes, path: str, revision: str) -> FileVersion:
    """A file without a policy's name that is too long to be read, or in another encoding, and may be one."""
    if b"\0" in data and in_utf_8(data):
        return FileVersion(Source(path, "", revision), {}, examined=False)
    from policy_guard.pipeline.pairing.disguise import shows_policy

    if not shows_policy(data[:MAX_BYTES], max(_OF_FILE, _least_share(data, path))):
        return FileVersion(Source(path, "", revision), {}, examined=False)
    words = "the file reads as a policy, and is too long or not in UTF-8; save it as UTF-8, and give it a suffix"
    return FileVersion(source=salvage(path, data, revision), policies={}, problems=(Problem(words, Span(0, 0)),))


def _parsed_version(
    source: Source, reading: Reading, kind: Kind | KindOf | None, configured: bool, placeholders: tuple[str, ...]
) -> FileVersion:
    from policy_guard.iam.parse import parse

    policies: dict[str, Policy] = {}
    problems: list[Problem] = []
    addresses: dict[Problem, str] = {}
    unread: list[str] = []
    for document in reading.policies:
        try:
            policies[document.label] = parse(document, kind(document.label) if callable(kind) else kind, placeholders)
        except Unreadable as error:
            problems += error.problems
            addresses |= dict.fromkeys(error.problems, document.label)
            unread.append(source.text[slice(*document.node.span)])
    if configured and not reading.policies:
        from policy_guard.documents.containers.recognition import misspelt_statement

        none = Problem("a policy is expected in this file, and it contains none", Span(0, min(1, len(source.text))))
        problems.append(misspelt_statement(source) or none)
    examined = bool(reading.policies or configured)
    return FileVersion(
        source=source,
        policies=policies,
        problems=tuple(dict.fromkeys(problems)),
        embedded=reading.deeper,
        examined=examined,
        candidates=reading.other_labels,
        unresolved=reading.unresolved,
        unread=tuple(unread),
        bare=frozenset(document.label for document in reading.policies if document.bare),
        by_name=frozenset(document.label for document in reading.policies if document.by_name),
        limits=reading.limits,
        addresses=addresses,
    )
