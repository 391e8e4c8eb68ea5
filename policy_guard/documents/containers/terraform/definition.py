"""One thing that a folder defines, with all the texts that say it: those of override files are merged into it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from policy_guard.documents.hcl.syntax import Argument, Block, Body, Expression, OtherFile, Template, Text
from policy_guard.documents.source import Source, Span, Spot
from policy_guard.records import NamedTuple

_OF_POLICIES = re.compile(r"polic|statement|principal|actions", re.IGNORECASE)
_LIFECYCLE = "lifecycle"


class Definition(NamedTuple):
    """A block or value with the file that it stands in; `others` are what other files add to it."""

    block: Block | None
    value: Expression | None
    source: Source
    span: Span
    others: tuple[Spot, ...] = ()

    @property
    def spots(self) -> tuple[Spot, ...]:
        """Return where it is written."""
        return Spot(self.source, self.span), *self.others

    @property
    def text(self) -> str:
        """Return what is written there; it is asked for once for each policy that it may decide."""
        if not self.others:
            return self.source.text[slice(*self.span)]
        return "\n".join(source.text[slice(*span)] for source, span in self.spots)

    @property
    def deciding_text(self) -> str:
        """Return what is written there, but for the descriptions of variables and outputs."""
        if self.block is None or self.block.type not in ("variable", "output") or self.body.blocks:
            return self.text
        arguments = (self.written(each) for each in self.body.arguments.values() if each.name != "description")
        return "\n".join(arguments)

    @property
    def body(self) -> Body:
        return self.block.body if self.block else Body({}, (), self.span)

    def written(self, node: Argument | Expression) -> str:
        """The text of one of the arguments or of its value, as written."""
        value = node.value if isinstance(node, Argument) else node
        if isinstance(value, OtherFile):
            prefix = f"{node.name} = " if isinstance(node, Argument) else ""
            return f"{prefix}{value.source.text[slice(*value.value.span)]}"
        return self.source.text[slice(*node.span)]


def plain_text(value: Expression | None) -> str:
    """The text of a string without interpolation; empty for anything else."""
    if isinstance(value, OtherFile):
        return plain_text(value.value)
    if not isinstance(value, Template) or not all(isinstance(part, Text) for part in value.parts):
        return ""
    return "".join(part.value for part in value.parts if isinstance(part, Text))


def merged(base: Definition, override: Definition) -> Definition:
    """The definition that an override file makes of another.

    Arguments are replaced one by one, nested blocks all of a type, and `lifecycle` by its arguments.
    Its places are in the override file if that speaks of policies, and others stand for their block there.
    """
    if base.block is None or override.block is None:
        return override
    others = (*override.others, *base.others)
    if _OF_POLICIES.search(override.source.text[override.block.head.end : override.span.end]):
        main, others = override, (Spot(base.source, base.span), *others)
        base_body, override_body = _moved(base, main), override.body
    else:
        main, others = base, (*others, Spot(override.source, override.span))
        base_body, override_body = base.body, _moved(override, main)
    assert main.block is not None
    body = replace(
        main.block.body,
        arguments={**base_body.arguments, **override_body.arguments},
        blocks=tuple(_blocks(base_body, override_body)),
    )
    return main._replace(block=replace(main.block, body=body), others=others)


def _blocks(base: Body, override: Body) -> Iterable[Block]:
    """The nested blocks of both, without those of the base that have a type which is overridden."""
    types = {_type_of(block) for block in override.blocks} - {_LIFECYCLE}
    lifecycle = [block for body in (base, override) for block in body.of_type(_LIFECYCLE)]
    for body in (base, override):
        for block in body.blocks:
            if block.type != _LIFECYCLE and (body is override or _type_of(block) not in types):
                yield block
    if lifecycle:
        arguments = {name: argument for block in lifecycle for name, argument in block.body.arguments.items()}
        yield replace(lifecycle[-1], body=replace(lifecycle[-1].body, arguments=arguments))


def _type_of(block: Block) -> str:
    """The type of a block, or of those that a `dynamic` block makes."""
    return block.labels[0] if block.type == "dynamic" and block.labels else block.type


def _moved(definition: Definition, main: Definition) -> Body:
    """Return what a definition says, at the place that it has in the file of another."""
    span = Span(main.span.start, main.span.start + 1)
    return _body_at(definition.body, definition.source, span)


def _body_at(body: Body, source: Source, span: Span) -> Body:
    arguments = {
        name: Argument(name, _value_at(argument.value, source, span), span) for name, argument in body.arguments.items()
    }
    blocks = (replace(b, body=_body_at(b.body, source, span), span=span, head=span) for b in body.blocks)
    return Body(arguments, tuple(blocks), span)


def _value_at(value: Expression, source: Source, span: Span) -> Expression:
    return replace(value, span=span) if isinstance(value, OtherFile) else OtherFile(value, source, span)
