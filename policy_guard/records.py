"""Named tuples like those of `typing`, made in a fraction of the time: some eighty are on the way of every commit.

`typing` reads the annotation of each field, and `collections` compiles a constructor for each class. Here annotations
are left alone, and a constructor is compiled once something is constructed. A commit that touches no policy takes a
fifth less time (`tests/benchmarks/startup.py`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import NamedTuple as NamedTuple
else:
    try:
        from _collections import _tuplegetter as _field
    except ImportError:  # another Python than CPython
        from operator import itemgetter

        def _field(place: int, doc: str | None) -> property:
            return property(itemgetter(place), doc=doc)

    class _Record(tuple):
        """What all named tuples have in common."""

        __slots__ = ()
        _fields = ()

        @classmethod
        def _make(cls, values: object) -> _Record:
            record = tuple.__new__(cls, values)
            if len(record) != len(cls._fields):
                raise TypeError(f"expected {len(cls._fields)} values, got {len(record)}")
            return record

        def _replace(self, /, **changes: object) -> _Record:
            record = self._make(map(changes.pop, self._fields, self))
            if changes:
                raise ValueError(f"{type(self).__name__} has no {', '.join(changes)}")
            return record

        __replace__ = _replace

        def _asdict(self) -> dict[str, object]:
            return dict(zip(self._fields, self, strict=True))

        def __repr__(self) -> str:
            values = ", ".join(f"{name}={value!r}" for name, value in zip(self._fields, self, strict=True))
            return f"{type(self).__name__}({values})"

        def __getnewargs__(self) -> tuple[object, ...]:
            return tuple(self)

    class _Maker(type):
        """Makes the classes of named tuples from their bodies."""

        def __new__(cls, name: str, bases: tuple[type, ...], body: dict[str, object]) -> type:
            if not bases:
                return type.__new__(cls, name, bases, body)
            fields = tuple(body.get("__annotations__", ()))
            defaults = {field: body.pop(field) for field in fields if field in body}
            getters = {field: _field(place, None) for place, field in enumerate(fields)}
            body |= {
                **getters,
                "__slots__": (),
                "_fields": fields,
                "_field_defaults": defaults,
                "__match_args__": fields,
            }

            def construct(cls: type, *arguments: object, **named: object) -> object:
                record.__new__ = staticmethod(_constructor(fields, tuple(defaults.values())))
                return record.__new__(cls, *arguments, **named)

            record = type(name, (_Record,), {**body, "__new__": construct})
            return record

    def _constructor(fields: tuple[str, ...], defaults: tuple[object, ...]) -> object:
        """Return a function with the fields as its parameters, compiled as in `collections`, which is the fastest."""
        source = f"lambda _cls, {', '.join(fields)}: _new(_cls, ({''.join(f'{field}, ' for field in fields)}))"
        construct = eval(source, {"_new": tuple.__new__, "__builtins__": {}})  # noqa: S307 - names from our own classes
        construct.__defaults__ = defaults
        return construct

    class NamedTuple(metaclass=_Maker):
        """The base of the classes."""
