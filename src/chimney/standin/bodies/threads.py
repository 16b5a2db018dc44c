"""Issues and pull requests."""

from chimney.standin.bodies.base import (
    Body,
    View,
    label_body,
    milestone_body,
    node_id,
    user_body,
    user_or_none,
)
from chimney.standin.bodies.code import files_of
from chimney.standin.clock import stamp, stamp_or_none
from chimney.standin.model import Issue, Pull
from chimney.standin.repository import MAIN


def issue_body(view: View, thread: Issue) -> Body:
    """Also a pull request as the issue that it is numbered as: then it has the key `pull_request`."""
    url = f"{view.api}/issues/{thread.number}"
    kind = "pull" if isinstance(thread, Pull) else "issues"
    body: Body = {
        "url": url,
        "repository_url": view.api,
        "labels_url": f"{url}/labels{{/name}}",
        "comments_url": f"{url}/comments",
        "events_url": f"{url}/events",
        "html_url": f"{view.html}/{kind}/{thread.number}",
        "id": thread.id,
        "node_id": node_id("PR" if isinstance(thread, Pull) else "I", thread.id),
        "number": thread.number,
        "title": thread.title,
        "user": user_body(thread.user, view.base),
        **_labels_to_milestone(view, thread),
        "locked": False,
        "comments": thread.comments,
        "created_at": stamp(thread.created_at),
        "updated_at": stamp(thread.updated_at),
        "closed_at": stamp_or_none(thread.closed_at),
        "author_association": "MEMBER",
        "active_lock_reason": None,
    }
    if isinstance(thread, Pull):
        body["draft"] = thread.draft
        body["pull_request"] = {
            "url": f"{view.api}/pulls/{thread.number}",
            "html_url": f"{view.html}/pull/{thread.number}",
            "diff_url": f"{view.html}/pull/{thread.number}.diff",
            "patch_url": f"{view.html}/pull/{thread.number}.patch",
            "merged_at": stamp_or_none(thread.merged_at),
        }
    return body | {
        "body": thread.body or None,
        "closed_by": user_or_none(thread.closed_by, view.base),
        "reactions": _reactions(url),
        "timeline_url": f"{url}/timeline",
        "performed_via_github_app": None,
        "state_reason": "completed" if thread.state == "closed" else None,
    }


def _labels_to_milestone(view: View, thread: Issue) -> Body:
    assignees = [user_body(user, view.base) for user in thread.assignees]
    return {
        "labels": [label_body(view, label) for label in thread.labels],
        "state": thread.state,
        "assignee": assignees[0] if assignees else None,
        "assignees": assignees,
        "milestone": milestone_body(view, thread.milestone) if thread.milestone else None,
    }


def _reactions(url: str) -> Body:
    kinds = ("+1", "-1", "laugh", "hooray", "confused", "heart", "rocket", "eyes")
    return {"url": f"{url}/reactions", "total_count": 0, **dict.fromkeys(kinds, 0)}


def pull_body(view: View, pull: Pull) -> Body:
    """As in a list; `pull_detail` adds what only the single one has."""
    url, page = f"{view.api}/pulls/{pull.number}", f"{view.html}/pull/{pull.number}"
    issue = f"{view.api}/issues/{pull.number}"
    links = {
        "self": url, "html": page, "issue": issue, "comments": f"{issue}/comments",
        "review_comments": f"{url}/comments", "review_comment": f"{view.api}/pulls/comments{{/number}}",
        "commits": f"{url}/commits", "statuses": f"{view.api}/statuses/{pull.head_sha}",
    }  # fmt: skip
    return {
        "url": url,
        "id": pull.id,
        "node_id": node_id("PR", pull.id),
        "html_url": page,
        "diff_url": f"{page}.diff",
        "patch_url": f"{page}.patch",
        "issue_url": issue,
        "number": pull.number,
        "state": pull.state,
        "locked": False,
        "title": pull.title,
        "user": user_body(pull.user, view.base),
        "body": pull.body or None,
        "created_at": stamp(pull.created_at),
        "updated_at": stamp(pull.updated_at),
        "closed_at": stamp_or_none(pull.closed_at),
        "merged_at": stamp_or_none(pull.merged_at),
        "merge_commit_sha": pull.merge_sha,
        **_labels_to_milestone(view, pull),
        "requested_reviewers": [],
        "requested_teams": [],
        "draft": pull.draft,
        "commits_url": f"{url}/commits",
        "review_comments_url": f"{url}/comments",
        "review_comment_url": links["review_comment"],
        "comments_url": links["comments"],
        "statuses_url": links["statuses"],
        "head": _end(view, pull.head_ref, pull.head_sha),
        "base": _end(view, MAIN, pull.base_sha),
        "_links": {name: {"href": href} for name, href in links.items()},
        "author_association": "MEMBER",
        "auto_merge": None,
        "active_lock_reason": None,
    }


def _end(view: View, ref: str, sha: str) -> Body:
    owner = view.repo.owner
    return {
        "label": f"{owner.login}:{ref}",
        "ref": ref,
        "sha": sha,
        "user": user_body(owner, view.base),
        "repo": view.full,
    }


def pull_detail(view: View, pull: Pull) -> Body:
    files = [file for sha in pull.commits for file in files_of(sha)]
    return pull_body(view, pull) | {
        "merged": pull.merged_at is not None,
        "mergeable": None if pull.state == "closed" else True,
        "rebaseable": None if pull.state == "closed" else True,
        "mergeable_state": "unknown" if pull.state == "closed" else "clean",
        "merged_by": user_or_none(pull.merged_by, view.base),
        "comments": pull.comments,
        "review_comments": 0,
        "maintainer_can_modify": False,
        "commits": len(pull.commits),
        "additions": sum(file.additions for file in files),
        "deletions": sum(file.deletions for file in files),
        "changed_files": len({file.path for file in files}),
    }
