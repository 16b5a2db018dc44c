"""Conditional requests from our own clients: RFC 9110 §13."""


def opaque(tag: str) -> str:
    """An entity tag without its weakness mark: GitHub sends the same value weak on a 200 and strong on a 304."""
    return tag.strip().removeprefix("W/")


def matches(if_none_match: str, etag: str) -> bool:
    """Whether `If-None-Match` names the tag, by weak comparison."""
    if if_none_match.strip() == "*":
        return True
    return opaque(etag) in {opaque(part) for part in if_none_match.split(",")}
