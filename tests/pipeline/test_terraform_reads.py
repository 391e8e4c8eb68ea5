"""Texts of Terraform that may read a changed file, by templates that fill in others."""

from __future__ import annotations

import pytest

from policy_guard.pipeline.pairing.terraform_reads import Readers


@pytest.mark.parametrize(("last", "reads"), [('${templatefile("0.tftpl", {})}', False), ('${file("x.txt")}', True)])
def test_each_template_is_looked_at_once_in_a_circle_and_in_a_long_row(last: str, reads: bool) -> None:
    texts = {f"{number}.tftpl": f'${{templatefile("{number + 1}.tftpl", {{}})}}' for number in range(300)}
    texts |= {"300.tftpl": last, "x.txt": ""}
    looks: list[str] = []

    def text_of(path: str) -> str:
        looks.append(path)
        return texts[path]

    readers = Readers({"x.txt"}, texts, text_of)
    assert all(readers.has(f'templatefile("{number}.tftpl", {{}})', "app") is reads for number in range(0, 300, 50))
    assert len(looks) <= 4 * len(texts)


def test_too_many_templates_that_may_be_meant_count_as_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("policy_guard.pipeline.pairing.terraform_reads._MOST_LOOKS", 1000)
    texts = {f"{number}.tftpl": "" for number in range(300)}
    readers = Readers({"x.txt"}, texts, texts.__getitem__)
    assert [readers.has(f'templatefile("{number}.tftpl", {{}})', "app") for number in range(4)] == [*[False] * 3, True]
