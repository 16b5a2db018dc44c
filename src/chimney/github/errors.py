"""What can go wrong with GitHub.

GitHubError
├── UnreachableError     no answer: DNS, connection, TLS, time-out, or an answer that broke off
├── RateLimitedError     403 or 429 that asks us to wait
├── BudgetError          not asked: what is left of the quota is kept for what needs it more
├── UnauthorizedError    401: the token is wrong, expired or revoked
└── UnexpectedError      any other answer that is no use (5xx, a foreign redirect, a body too large)
"""


class GitHubError(Exception):
    """`code` starts what /healthz says; `permanent` means that asking again will not help."""

    code = "error"
    permanent = False

    def said(self) -> str:
        return f"{self.code}: {self}"


class UnreachableError(GitHubError):
    """GitHub did not answer."""

    code = "unreachable"


class RateLimitedError(GitHubError):
    """GitHub asks us to wait until `retry_at` (Unix seconds); `primary` tells the quota from the secondary limits."""

    code = "rate_limited"

    def __init__(self, message: str, *, retry_at: float, primary: bool) -> None:
        super().__init__(message)
        self.retry_at = retry_at
        self.primary = primary


class BudgetError(GitHubError):
    """GitHub was not asked, to make the quota last. No trouble of GitHub's: `problem` stays as it is."""

    code = "budget"


class UnauthorizedError(GitHubError):
    """The token was refused."""

    code = "unauthorized"
    permanent = True


class UnexpectedError(GitHubError):
    """An answer that cannot be used; `status` is GitHub's."""

    code = "unexpected"

    def __init__(self, message: str, *, status: int) -> None:
        super().__init__(message)
        self.status = status
