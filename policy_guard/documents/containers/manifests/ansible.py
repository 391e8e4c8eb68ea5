"""What stands around a task of Ansible and decides about it, and what plays hand on to tasks and roles.

Source: Ansible, "Playbook Keywords", "Using variables" and "Special tags: always and never"; the pages of set_fact,
add_host and set_stats.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from policy_guard.documents.containers.cloudformation.calls import canonical
from policy_guard.documents.containers.manifests.keys import AWS_MODULE, CALLING, SHORT_MODULES
from policy_guard.documents.containers.manifests.resources import Resource, resource_of
from policy_guard.documents.containers.opaque import digest
from policy_guard.documents.source import Array, Entry, Node, Object, Scalar, scalars
from policy_guard.regex import regex

_TASKS = ("tasks", "pre_tasks", "post_tasks", "handlers", "block", "rescue", "always")
_DECIDING = (
    *("hosts", "when", "check_mode", "delegate_to", "connection", "remote_user", "become", "become_user"),
    *("become_method", "environment", "module_defaults", "tags"),
)
_SILENT = {"check_mode": ("false", "no"), "become": ("false", "no")}
_ACCOUNT = regex(r"(?i)aws|ec2|boto|profile|config|credential|token|home")
"""Names of the environment that say for whom the tools of AWS act."""

_FACTS = ("set_fact", "add_host", "set_stats", "data")
_CALLS = ("include_role", "import_role", "include_tasks", "import_tasks", "import_playbook", "include", "role")
_ROLE_KEYWORDS = ("role", "name", "when", "tags", "become", "become_user", "vars", "delegate_to", "environment")
_HANDED_TO = regex(r"vars|apply|loop|with_\w+")
_STACK = regex(r"template(?:_url)?|role_arn")
_PARAMETERS = ("template_parameters", "parameters", "parameter_overrides")
_SPEAKING = regex(
    r"(?i)polic|role|principal|arn|boundar|permission|grant|access|admin|\bacl\b|iam|trust|account|profile"
)
"""What values have to speak of that are handed to tasks in other files, to give access there."""

_PARTS_OF_TASK = (
    *("name", "register", "tags", "changed_when", "failed_when", "no_log", "retries", "delay", "until", "notify"),
    *("ignore_errors", "when", "vars", "args"),
)
_ASKING = regex(r"\w*_(?:info|facts)|sts_\w+")
"""Modules of AWS that find what is there, and whose results are used elsewhere."""

_EXPRESSION = regex(r"when|until|loop|with_\w+|changed_when|failed_when|that")
_NAME = regex(r"[A-Za-z_]\w*")


class Playbook:
    """The documents of a file that are lists of plays or tasks, and which names their tasks of AWS use."""

    def __init__(self, documents: Sequence[Node]) -> None:
        lists = [document for document in documents if isinstance(document, Array)]
        self._around: dict[int, str] = {}
        self._plays: set[int] = set()
        notified_names = {scalar.text for each in lists for scalar in _under(each, "notify")}
        for each in lists:
            self._plays.update(id(item) for item in each.items if isinstance(item, Object) and item.get("hosts"))
            self._go_through(each, notified_names)
        self._used = _used_names(lists) if lists else set()

    def around(self, task: Object) -> tuple[str, ...]:
        """Return what decides about a task: whether it runs, on what, and for whom."""
        text = self._around.get(id(task))
        return (text,) if text else ()

    def is_labelled(self, node: Object) -> bool:
        """Tell whether the name of a mapping is for people alone, as that of a play, a block or a task is."""
        return id(node) in self._around

    def handed_on(self, node: Object, key: str, mappings: Sequence[Object], resource: Resource | None) -> set[int]:
        """The values of a mapping under `key` that are used elsewhere, by their identity."""
        return {id(entry.value) for entry in self._entries_handed_on(node, key, mappings, resource)}

    def _entries_handed_on(
        self, node: Object, key: str, mappings: Sequence[Object], resource: Resource | None
    ) -> Iterator[Entry]:
        if not self._around:
            return
        if _plain(key) in _FACTS and resource is None:
            yield from (entry for entry in node.entries if entry.key.text in self._used or _speaks(entry))
        if (
            key == "roles"
            and (node.get("role") or node.get("name"))
            and any(id(mapping) in self._plays for mapping in mappings)
        ):
            parameters = [entry for entry in node.entries if entry.key.text not in _ROLE_KEYWORDS]
            yield from parameters if any(map(_speaks, node.entries)) else ()
        if resource is not None and resource.kind.startswith("cloudformation"):
            yield from (e for e in node.entries if _STACK.fullmatch(e.key.text) or (key in _PARAMETERS and _speaks(e)))
        is_play, is_call = id(node) in self._plays, any(_plain(entry.key.text) in _CALLS for entry in node.entries)
        speaks = is_call and any(map(_speaks, node.entries))
        for entry in node.entries:
            name = _plain(entry.key.text)
            is_fact = (name in _FACTS and isinstance(entry.value, Scalar)) or _calls_facts(entry)
            is_file = name == "include_vars" or (is_play and name in ("vars_files", "vars_prompt"))
            if (is_fact and self._may_be_used(entry)) or is_file or (speaks and _HANDED_TO.fullmatch(name)):
                yield entry
        if self._registers(node) and (resource is None or _ASKING.fullmatch(resource.kind)):
            yield from (entry for entry in node.entries if entry.key.text not in _PARTS_OF_TASK)

    def _may_be_used(self, entry: Entry) -> bool:
        names = (name for scalar in scalars(entry.value) for name in _NAME.findall(scalar.text))
        return _speaks(entry) or any(name in self._used for name in names)

    def _registers(self, node: Object) -> bool:
        name = node.get("register")
        return isinstance(name, Scalar) and name.text in self._used

    def _go_through(self, tasks: Array, notified_names: set[str]) -> None:
        """Remembers what stands around each mapping of plays, blocks and tasks."""
        stack: list[tuple[Node, str, str]] = [(item, "", "") for item in tasks.items]
        while stack:
            node, outer_text, section = stack.pop()
            if not isinstance(node, Object):
                continue
            texts = list(_deciding_texts(node))
            if section in ("handlers", "rescue"):
                texts.append(f"{section} {bool(notified_names & set(_names_of(node)))}")
            text = digest((outer_text, *texts)) if texts else outer_text
            self._around[id(node)] = text
            for key, value in node.entries:
                if key.text in _TASKS and isinstance(value, Array):
                    stack += ((item, text, key.text) for item in value.items)


def _deciding_texts(node: Object) -> Iterator[str]:
    for key, value in node.entries:
        if key.text not in _DECIDING or (isinstance(value, Scalar) and value.text in _SILENT.get(key.text, ())):
            continue
        if key.text == "tags":
            yield from ("never" for scalar in scalars(value) if "never" in scalar.text)
        elif key.text == "environment":
            yield from _texts_of(value, lambda name: bool(_ACCOUNT.search(name)))
        elif key.text == "module_defaults":
            yield from _texts_of(value, lambda name: name.startswith("group/") or _is_of_aws(name))
        else:
            yield f"{key.text}={canonical(value)}"
    for key, value in node.entries:
        if key.text in _TASKS and isinstance(value, Array):
            yield from (canonical(item) for item in value.items if _ends_play(item))


def _ends_play(task: Node) -> bool:
    """Tell whether a task may end the play, so that those below it do not run."""
    entries = task.entries if isinstance(task, Object) else ()
    return any(_plain(key.text) == "meta" and "end_" in canonical(value) for key, value in entries)


def _texts_of(value: Node, counts: Callable[[str], bool]) -> Iterator[str]:
    """The entries of a mapping whose names count, or all of what is no mapping."""
    if not isinstance(value, Object):
        yield canonical(value)
        return
    yield from sorted(f"{key.text}={canonical(entry)}" for key, entry in value.entries if counts(key.text))


def _is_of_aws(module: str) -> bool:
    return bool(AWS_MODULE.fullmatch(module)) or module in SHORT_MODULES


def _used_names(lists: Iterable[Node]) -> set[str]:
    """The names that tasks of AWS use, if these speak of access, and those that decide what such names stand for."""
    definitions: dict[str, list[Node]] = {}
    pending: list[Node] = []
    for node in _objects(lists):
        if resource_of(node, "") is not None and any(map(_speaks, node.entries)):
            pending.append(node)
        pending += (value for key, value in node.entries if key.text in ("environment", "module_defaults"))
        for name, definition in _definitions(node):
            definitions.setdefault(name, []).append(definition)
    used: set[str] = set()
    while pending:
        for name in _names_in(pending.pop()):
            if name not in used:
                used.add(name)
                pending += definitions.get(name, [])
    return used


def _definitions(node: Object) -> Iterator[tuple[str, Node]]:
    """The names that a mapping defines: by a result that is kept, as facts, and as variables."""
    registered = node.get("register")
    if isinstance(registered, Scalar):
        yield registered.text, node
    for key, value in node.entries:
        if (_plain(key.text) in _FACTS or key.text == "vars") and isinstance(value, Object):
            yield from ((name.text, definition) for name, definition in value.entries)


def _names_in(node: Node) -> Iterator[str]:
    """The names in the marks and the expressions of a node."""
    for scalar in scalars(node):
        if "{{" in scalar.text or "{%" in scalar.text:
            yield from _NAME.findall(scalar.text)
    for entry in node.entries if isinstance(node, Object) else ():
        if _EXPRESSION.fullmatch(entry.key.text):
            for scalar in scalars(entry.value):
                yield from _NAME.findall(scalar.text)


def _objects(nodes: Iterable[Node]) -> Iterator[Object]:
    stack = list(nodes)
    while stack:
        node = stack.pop()
        if isinstance(node, Array):
            stack += node.items
        elif isinstance(node, Object):
            yield node
            stack += (entry.value for entry in node.entries)


def _under(document: Node, name: str) -> Iterator[Scalar]:
    """The texts under each key of a name."""
    for node in _objects((document,)):
        value = node.get(name)
        yield from scalars(value) if value is not None else ()


def _names_of(handler: Object) -> Iterator[str]:
    for key in ("name", "listen"):
        value = handler.get(key)
        yield from (scalar.text for scalar in scalars(value)) if value is not None else ()


def _speaks(entry: Entry) -> bool:
    is_call = _plain(entry.key.text) in _CALLS
    return bool(not is_call and _SPEAKING.search(entry.key.text)) or any(
        _SPEAKING.search(s.text) for s in scalars(entry.value)
    )


def _plain(key: str) -> str:
    """The name of a module of Ansible itself without its collection."""
    return key.removeprefix("ansible.builtin.").removeprefix("ansible.legacy.")


def _calls_facts(entry: Entry) -> bool:
    """Tell whether facts are set by a module that is called by name."""
    module = entry.value.get("module") if isinstance(entry.value, Object) else entry.value
    if entry.key.text not in CALLING or not isinstance(module, Scalar):
        return False
    return _plain(module.text.strip().partition(" ")[0]) in _FACTS
