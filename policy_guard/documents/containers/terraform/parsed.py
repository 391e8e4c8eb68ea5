"""What texts in HCL say, read once for all folders that hold them, on both sides of a comparison."""

from __future__ import annotations

from policy_guard.documents.hcl.bodies import read_file, read_template
from policy_guard.documents.hcl.syntax import Body, Template


class Parsed:
    """The trees of texts, by the texts themselves, and the references in nodes of these trees."""

    def __init__(self) -> None:
        self._bodies: dict[str, Body] = {}
        self._templates: dict[str, Template] = {}
        self.references: dict[int, tuple[object, tuple[tuple[str, ...], ...]]] = {}
        """What nodes refer to, each node kept by its identity."""

    def body(self, text: str) -> Body:
        """Return the tree of a text. Raises `Unreadable`."""
        if text not in self._bodies:
            self._bodies[text] = read_file(text)
        return self._bodies[text]

    def template(self, text: str) -> Template:
        """Return the tree of a template file. Raises `Unreadable`."""
        if text not in self._templates:
            self._templates[text] = read_template(text)
        return self._templates[text]
