"""A GitHub App and its installation: who it is is verified, its tokens end."""

import hashlib
from datetime import UTC, datetime

from chimney.standin.answers import Answer, done, problem

TOKEN_SECONDS = 3600.0


class Apps:
    """One app. `key` is its public key, PEM; None: there is no app, and any token will do as before."""

    def __init__(self, *, app_id: str | None, key: str | None, token_seconds: float = TOKEN_SECONDS) -> None:
        self._app_id = app_id
        self._key = key
        self._seconds = token_seconds
        self._ends: dict[bytes, float] = {}
        self.issued = 0

    def answer(self, path: str, authorization: bytes | None, *, now: float) -> Answer | None:
        """To `POST /app/installations/{id}/access_tokens`; None when the path is another one."""
        parts = path.split("/")
        if self._key is None or parts[:3] != ["", "app", "installations"] or parts[4:] != ["access_tokens"]:
            return None
        if not self._is_ours((authorization or b"").rpartition(b" ")[2].decode("latin-1"), now=now):
            return problem(401, "A JSON web token could not be decoded")
        self.issued += 1
        token = "ghs_" + hashlib.sha256(f"{parts[3]} {self.issued}".encode()).hexdigest()[:36]
        self._ends[token.encode()] = now + self._seconds
        ends = datetime.fromtimestamp(now + self._seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return done(201, {"token": token, "expires_at": ends, "permissions": {}, "repository_selection": "all"})

    def _is_ours(self, signed: str, *, now: float) -> bool:
        import jwt  # noqa: PLC0415 — 12 MB that only an app needs

        try:
            claims = jwt.decode(
                signed, self._key or "", algorithms=["RS256"], options={"verify_exp": False, "verify_iat": False}
            )
        except jwt.PyJWTError:
            return False
        soon = now < claims.get("exp", 0) <= now + 600
        return bool(claims.get("iss") == self._app_id and soon and claims.get("iat", now + 1) <= now)

    def accepts(self, authorization: bytes | None, *, now: float) -> bool:
        """Whether a request with this may be answered."""
        if self._key is None or authorization is None:
            return True
        return now < self._ends.get(authorization.rpartition(b" ")[2], 0.0)
