"""Commits, files, branches, tags, comparisons, releases."""

from functools import lru_cache
from hashlib import sha1
from random import Random
from typing import NamedTuple

from chimney.standin.bodies.base import Body, View, node_id, user_body
from chimney.standin.clock import stamp
from chimney.standin.model import Commit, Release
from chimney.standin.vocabulary import FILES

MAX_COMPARED = 250  # GitHub's, without paging


class File(NamedTuple):
    path: str
    additions: int
    deletions: int


@lru_cache(maxsize=1024)
def files_of(sha: str) -> tuple[File, ...]:
    """What a commit touches follows from its sha, so that nothing need be kept."""
    random = Random(sha)
    paths = random.sample(FILES, random.randint(1, 4))
    return tuple(File(path, random.randint(1, 60), random.randint(0, 25)) for path in sorted(paths))


def commit_body(view: View, commit: Commit) -> Body:
    """As in a list; `commit_detail` adds the files."""
    url = f"{view.api}/commits/{commit.sha}"
    signature = {"name": commit.author.name, "email": commit.author.email, "date": stamp(commit.at)}
    tree = tree_of(commit.sha)
    return {
        "sha": commit.sha,
        "node_id": node_id("C", int(commit.sha[:12], 16)),
        "commit": {
            "author": signature,
            "committer": signature,
            "message": commit.message,
            "tree": {"sha": tree, "url": f"{view.api}/git/trees/{tree}"},
            "url": f"{view.api}/git/commits/{commit.sha}",
            "comment_count": 0,
            "verification": {
                "verified": False, "reason": "unsigned", "signature": None, "payload": None, "verified_at": None,
            },
        },
        "url": url,
        "html_url": f"{view.html}/commit/{commit.sha}",
        "comments_url": f"{url}/comments",
        "author": user_body(commit.author, view.base),
        "committer": user_body(commit.author, view.base),
        "parents": [
            {"sha": sha, "url": f"{view.api}/commits/{sha}", "html_url": f"{view.html}/commit/{sha}"}
            for sha in commit.parents
        ],
    }  # fmt: skip


def tree_of(sha: str) -> str:
    return sha1(sha.encode(), usedforsecurity=False).hexdigest()


def file_bodies(view: View, shas: list[str]) -> list[Body]:
    """The files that these commits touch together, as GitHub's diff lists them."""
    summed: dict[str, File] = {}
    for sha in shas:
        for file in files_of(sha):
            known = summed.get(file.path, File(file.path, 0, 0))
            summed[file.path] = File(file.path, known.additions + file.additions, known.deletions + file.deletions)
    return [_file_body(view, summed[path], shas[-1]) for path in sorted(summed)]


def _file_body(view: View, file: File, sha: str) -> Body:
    return {
        "sha": tree_of(sha + file.path),
        "filename": file.path,
        "status": "modified",
        "additions": file.additions,
        "deletions": file.deletions,
        "changes": file.additions + file.deletions,
        "blob_url": f"{view.html}/blob/{sha}/{file.path}",
        "raw_url": f"{view.html}/raw/{sha}/{file.path}",
        "contents_url": f"{view.api}/contents/{file.path}?ref={sha}",
        "patch": f"@@ -1,{file.deletions + 1} +1,{file.additions + 1} @@\n context\n-before\n+after",
    }


def commit_detail(view: View, commit: Commit) -> Body:
    files = files_of(commit.sha)
    additions, deletions = sum(one.additions for one in files), sum(one.deletions for one in files)
    return commit_body(view, commit) | {
        "stats": {"total": additions + deletions, "additions": additions, "deletions": deletions},
        "files": file_bodies(view, [commit.sha]),
    }


def branch_body(view: View, name: str, sha: str) -> Body:
    return {
        "name": name,
        "commit": {"sha": sha, "url": f"{view.api}/commits/{sha}"},
        "protected": name == "main",
        "protection": {
            "enabled": name == "main",
            "required_status_checks": {"enforcement_level": "off", "contexts": [], "checks": []},
        },
        "protection_url": f"{view.api}/branches/{name}/protection",
    }


def tag_body(view: View, name: str, sha: str) -> Body:
    return {
        "name": name,
        "zipball_url": f"{view.api}/zipball/refs/tags/{name}",
        "tarball_url": f"{view.api}/tarball/refs/tags/{name}",
        "commit": {"sha": sha, "url": f"{view.api}/commits/{sha}"},
        "node_id": node_id("REF", int(sha[:12], 16)),
    }


def compare_body(view: View, base: Commit, head: Commit, *, page: slice | None) -> Body:
    """Without a `page`, the last 250 commits, oldest first."""
    behind_chain = list(view.repo.ancestry(base.sha))
    in_base = {commit.sha: index for index, commit in enumerate(behind_chain)}
    ahead: list[Commit] = []
    merge_base = behind_chain[-1]
    for commit in view.repo.ancestry(head.sha):
        if commit.sha in in_base:
            merge_base = commit
            break
        ahead.append(commit)
    behind = in_base[merge_base.sha]
    status = {(True, True): "diverged", (True, False): "ahead", (False, True): "behind"}
    shown = ahead[::-1][page] if page else ahead[:MAX_COMPARED][::-1]
    url = f"{view.api}/compare/{base.sha}...{head.sha}"
    return {
        "url": url,
        "html_url": f"{view.html}/compare/{base.sha}...{head.sha}",
        "permalink_url": f"{view.html}/compare/{base.sha[:12]}...{head.sha[:12]}",
        "diff_url": f"{view.html}/compare/{base.sha}...{head.sha}.diff",
        "patch_url": f"{view.html}/compare/{base.sha}...{head.sha}.patch",
        "base_commit": commit_body(view, base),
        "merge_base_commit": commit_body(view, merge_base),
        "status": status.get((bool(ahead), bool(behind)), "identical"),
        "ahead_by": len(ahead),
        "behind_by": behind,
        "total_commits": len(ahead),
        "commits": [commit_body(view, commit) for commit in shown],
        "files": file_bodies(view, [commit.sha for commit in reversed(ahead)])[:300] if ahead else [],
    }


def release_body(view: View, release: Release) -> Body:
    url = f"{view.api}/releases/{release.id}"
    return {
        "url": url,
        "assets_url": f"{url}/assets",
        "upload_url": f"{url}/assets{{?name,label}}",
        "html_url": f"{view.html}/releases/tag/{release.tag}",
        "id": release.id,
        "author": user_body(release.author, view.base),
        "node_id": node_id("RE", release.id),
        "tag_name": release.tag,
        "target_commitish": "main",
        "name": release.name,
        "draft": False,
        "immutable": False,
        "prerelease": release.prerelease,
        "created_at": stamp(release.created_at),
        "updated_at": stamp(release.published_at),
        "published_at": stamp(release.published_at),
        "assets": [],
        "tarball_url": f"{view.api}/tarball/{release.tag}",
        "zipball_url": f"{view.api}/zipball/{release.tag}",
        "body": release.body,
    }
