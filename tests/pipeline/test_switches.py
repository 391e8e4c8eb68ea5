"""Each switch in the table of manifests: turned on it fails at its line, turned off it passes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from policy_guard.documents.containers.manifests.keys import GRANTING
from policy_guard.documents.containers.manifests.switches import Switch, switches
from policy_guard.documents.containers.unresolved import without_style
from tests.support.examples import nightly
from tests.support.repository import Scratch

GROUPS = {
    "Cluster": "kops.k8s.io/v1alpha2",
    "InstanceGroup": "kops.k8s.io/v1alpha2",
    "AWSIAMConfiguration": "bootstrap.aws.infrastructure.cluster.x-k8s.io/v1beta1",
    "AWSManagedControlPlane": "controlplane.cluster.x-k8s.io/v1beta2",
    "AWSCluster": "infrastructure.cluster.x-k8s.io/v1beta2",
    "ClusterConfig": "eksctl.io/v1alpha5",
    "Method": "apigateway.aws.upbound.io/v1beta1",
    "Route": "apigatewayv2.aws.upbound.io/v1beta1",
}
TRUTHS = {"true": True, "false": False}
ABSENT = object()


def _rows() -> list[tuple[str, Switch]]:
    return [(kind, switch) for kind, rows in switches().items() for switch in rows if switch.path]


def _values(switch: Switch) -> tuple[Any, Any]:
    """What stands there without access by the switch, and with it."""
    value = TRUTHS.get(switch.values[0], switch.values[0])
    if switch.mode == "when":
        return ABSENT, value
    if switch.mode in ("unless", "default"):
        return value if switch.mode == "unless" else "a", ABSENT
    return ABSENT, {"a": "b"} if switch.mode == "there" else "b"


def _inside(path: tuple[str, ...], value: Any) -> Any:
    step, *steps = path
    if step == "[]":
        item = _inside(tuple(steps), value) if steps else value
        return [{"name": "n", **item} if isinstance(item, dict) else item]
    inner = _inside(tuple(steps), value) if steps else value
    return {} if inner in (ABSENT, [ABSENT]) else {step: inner}


def _manifest(kind: str, switch: Switch, value: Any) -> str:
    head = {"apiVersion": GROUPS[kind], "kind": kind, "metadata": {"name": "m"}}
    return json.dumps({**head, **_inside(switch.path, value)}, indent=1)


def _findings(place: Path, old: int, new: int, noise: str = "", part: slice = slice(None)) -> tuple[int, set[str]]:
    scratch = Scratch(place)
    for number, side in enumerate((old, new)):
        for row, (kind, switch) in list(enumerate(_rows()))[part]:
            scratch.write(f"{row}.yaml", _manifest(kind, switch, _values(switch)[side]) + noise * number)
        scratch.commit()
    answer = scratch.guard("check", "--base", "HEAD~1", "--format", "json")
    return answer.code, {finding["path"] for finding in json.loads(answer.out)["findings"]}


def test_a_switch_that_is_turned_on_fails(tmp_path: Path) -> None:
    code, paths = _findings(tmp_path, 0, 1)
    assert code == 1
    missed = [_rows()[row] for row in range(len(_rows())) if f"{row}.yaml" not in paths]
    assert missed == []


@pytest.mark.parametrize("part", [0, *map(nightly, range(1, 5))])
def test_a_switch_that_is_turned_off_or_stays_passes(part: int, tmp_path: Path) -> None:
    rows = slice(part, None, 5)
    _, paths = _findings(tmp_path / "off", 1, 0, part=rows)
    alarms = [_rows()[row] for row in range(len(_rows())) if f"{row}.yaml" in paths]
    assert [each for each in alarms if not _gives_either_way(*each)] == []
    assert _findings(tmp_path / "on", 1, 1, "\n# a comment\n", rows) == (0, set())
    assert _findings(tmp_path / "kept", 0, 0, "\n# a comment\n", rows) == (0, set())


def _gives_either_way(kind: str, switch: Switch) -> bool:
    """Tell whether there is access with the key and without it: by this switch, another, or the rules of keys."""
    is_twice = sum(other.path == switch.path for other in switches()[kind]) > 1
    return is_twice or switch.mode in ("given", "default") or without_style(switch.path[-1]) in GRANTING
