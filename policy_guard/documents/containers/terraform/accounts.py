"""The account and the region that Terraform works in: other ones make the access of all resources anew elsewhere.

Source: AWS provider, "Authentication and Configuration".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from policy_guard.documents.containers.choices import Atom, Impossible, Need
from policy_guard.documents.containers.opaque import Opaque
from policy_guard.documents.containers.other_access import access_words, action_of
from policy_guard.documents.containers.plain import PolicyDocument
from policy_guard.documents.containers.terraform.deciding import deciding_texts
from policy_guard.documents.containers.terraform.definition import Definition, plain_text
from policy_guard.documents.containers.terraform.documents import Unit
from policy_guard.documents.containers.terraform.elsewhere import policy_with
from policy_guard.documents.containers.terraform.evaluate import Evaluator
from policy_guard.documents.containers.terraform.scope import Scope
from policy_guard.documents.containers.terraform.values import is_known, label_of, name_of, unknown
from policy_guard.documents.hcl.syntax import Argument
from policy_guard.documents.source import Entry, Object, Scalar, Source, Span
from policy_guard.records import NamedTuple

_ARGUMENTS = ("profile", "access_key", "shared_config_files", "shared_credentials_files", "shared_credentials_file")
_ROLES = ("assume_role", "assume_role_with_web_identity")
_ROLE = "role_arn"
_REGION = "region"
_MOST_CHOICES = 8
_Key = tuple[str, str]


class _Setting(NamedTuple):
    """A setting of a provider: `name` is equal for equal values alone, `label` is for people."""

    name: str
    label: str
    span: Span
    is_known: bool


class _Provider(NamedTuple):
    """What of a provider decides where it works; without a block nothing, and the environment does."""

    source: Source
    span: Span
    settings: Mapping[str, _Setting]


def moved_accounts(old: Scope, new: Scope) -> Iterator[tuple[Unit, Unit]]:
    """The providers that work in another account or region now, each with what stands for that before and after."""
    old_providers, new_providers = dict(_providers(old)), dict(_providers(new))
    for key in {**old_providers, **new_providers}:
        is_default = not key[1]
        if not is_default and not (key in old_providers and key in new_providers):
            # Whatever names this provider names another one now, or did before.
            continue
        before, after = (side.get(key, _without_block(new)) for side in (old_providers, new_providers))
        names = {**before.settings, **after.settings}
        changed_names = [name for name in names if _differs(name, before.settings.get(name), after.settings.get(name))]
        if changed_names:
            yield _unit(key, before, changed_names, after), _unit(key, after, changed_names, after)


def _providers(scope: Scope) -> Iterator[tuple[_Key, _Provider]]:
    """The providers of a root and its modules, by the module and the alias."""
    for address, definition in scope.folder.definitions.items():
        block = definition.block
        if block is not None and block.type == "provider" and block.labels == ("aws",):
            key = scope.name, plain_text(definition.body.value("alias"))
            yield key, _Provider(definition.source, block.head, dict(_settings(scope, definition)))
        elif address.startswith("module.") and (module := scope.module_scope(address.removeprefix("module."))):
            yield from _providers(module)


def _without_block(scope: Scope) -> _Provider:
    source = next((each.source for each in scope.folder.definitions.values()), Source(scope.folder.path, ""))
    return _Provider(source, Span(0, 0), {})


def _settings(scope: Scope, definition: Definition) -> Iterator[tuple[str, _Setting]]:
    for name in (*_ARGUMENTS, _REGION):
        if (argument := definition.body.arguments.get(name)) is not None:
            yield name, _setting(scope, definition, argument)
    for number, block in enumerate(definition.body.blocks):
        argument = block.body.arguments.get(_ROLE)
        if block.type in _ROLES and argument is not None:
            yield f"{block.type} {number}", _setting(scope, definition, argument)
        elif block.type == "dynamic" and block.labels and block.labels[0] in _ROLES:
            text = definition.source.text[slice(*block.span)]
            yield f"{block.labels[0]} {number}", _Setting(text, block.labels[0], block.head, is_known=False)
    for name in _ROLES:
        # Terraform in JSON, and blocks that are written as an argument.
        if (argument := definition.body.arguments.get(name)) is not None:
            yield name, _setting(scope, definition, argument)


def _setting(scope: Scope, definition: Definition, argument: Argument) -> _Setting:
    """Work out an argument, with the values that variables have in the repository."""
    truths: dict[Atom, bool] = {}
    for _ in range(_MOST_CHOICES):
        try:
            value = Evaluator(scope, definition.source, truths).value(argument.value)
            return _Setting(name_of(value), label_of(value), argument.value.span, is_known(value))
        except Need as need:
            truths[need.atom] = True
        except (Opaque, Impossible):
            break
    texts, _ = deciding_texts(scope, argument)
    return _Setting(repr(sorted(texts)), argument.name, argument.value.span, is_known=False)


def _differs(name: str, before: _Setting | None, after: _Setting | None) -> bool:
    """Tell whether a setting is another one; of a region nobody can tell where it is not written in the files."""
    if name != _REGION:
        return (before.name if before else "") != (after.name if after else "")
    return before is not None and after is not None and before.is_known and after.is_known and before.name != after.name


def _unit(key: _Key, provider: _Provider, changed_names: list[str], place: _Provider) -> Unit:
    """Return what stands for all access in an account: it is known by the settings that lead there."""
    settings = {name: provider.settings[name] for name in changed_names if name in provider.settings}
    spans = [place.settings[name].span for name in changed_names if name in place.settings]
    span = spans[0] if spans and provider is place else provider.span
    address = f"{key[0]}provider.aws{'.' if key[1] else ''}{key[1]}"
    deciding = sorted((name, setting.name) for name, setting in settings.items())
    words = access_words(address, (setting.label for setting in settings.values()))
    texts = {
        "Effect": Scalar("Allow", span),
        "Action": Scalar(action_of("account"), span, parts=(action_of("account"),)),
        "Resource": unknown(words, span, address, deciding, is_list=False),
    }
    statement = Object(tuple(Entry(Scalar(name, span), text) for name, text in texts.items()), span)
    policy = PolicyDocument(address, policy_with((statement,), span), provider.source, "", kind="identity")
    return Unit(address, "", provider.source, policy)
