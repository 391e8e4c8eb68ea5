"""What changes what git prints, and how policy-guard's own calls are kept from it."""

from __future__ import annotations

import os
from collections.abc import Mapping

# Whatever changes what the commands below print, by git 2.39's pages git-config(1), git(1), gitmodules(5),
# gitattributes(5), git-update-index(1) and git-replace(1). `tests/pipeline/test_repository.py` sets each of them.
#
# Named here, because a command would obey it:
#   core.quotePath               quotes paths where -z is not used
#   core.fsmonitor               names a program that says which files changed
#   diff.relative                leaves out what lies outside of the folder at hand
#   diff.renameLimit             ends the search for renames early
#   diff.ignoreSubmodules, submodule.NAME.ignore, `ignore` in .gitmodules
#                                leave out submodules: --ignore-submodules
#   attr.tree                    takes attributes from another tree, since git 2.43
#   index.sparse                 lists a folder in place of its files
#   fetch.recurseSubmodules, `fetchRecurseSubmodules` in .gitmodules
#                                fetch from places that the author names: --no-recurse-submodules
#   refs/replace/*               put one object in the place of another: GIT_NO_REPLACE_OBJECTS
#   info/grafts                  gives commits other parents: GIT_GRAFT_FILE
#   assume-unchanged, skip-worktree, info/sparse-checkout, sparse.expectFilesOutsideOfPatterns
#                                leave out files of the working tree: `ls-files -v` names them
#   GIT_EXTERNAL_DIFF, GIT_DIFF_OPTS, GIT_*_PATHSPECS, GIT_ATTR_SOURCE
#                                taken out of the environment
# Obeyed by porcelain only, or given by an option of ours that wins:
#   color.*, core.abbrev, core.pager, diff.external, diff.DRIVER.*, diff.noprefix, diff.mnemonicPrefix, diff.orderFile,
#   diff.renames, diff.submodule, log.*, status.*, submodule.recurse, the attributes diff and merge
# Left as they are, because they describe the machine's disk, and not what was committed:
#   core.autocrlf, core.checkStat, core.eol, core.excludesFile, core.fileMode, core.ignoreCase, core.precomposeUnicode,
#   core.symlinks, core.trustctime, .gitignore, info/exclude
# Attributes by which git writes other bytes than it keeps are a matter of `attributes.py`.
FIXED = (
    "core.quotePath=false",
    "core.fsmonitor=false",
    "diff.relative=false",
    "diff.renameLimit=1000",
    "index.sparse=false",
    "attr.tree=",
)
_DROPPED = (
    "GIT_ATTR_SOURCE",
    "GIT_DIFF_OPTS",
    "GIT_EXTERNAL_DIFF",
    *(f"GIT_{mode}_PATHSPECS" for mode in ("GLOB", "ICASE", "LITERAL", "NOGLOB")),
)
_NOWHERE = f"{os.devnull}/none"


def environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Returns the environment that git runs in."""
    return {
        **{name: value for name, value in environ.items() if name not in _DROPPED},
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_GRAFT_FILE": _NOWHERE,
        "GIT_TERMINAL_PROMPT": "0",
        "LC_ALL": "C",
    }
