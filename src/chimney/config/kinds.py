"""What a setting may be: the checks and the types that the table of settings is made of."""

import re
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationInfo

from chimney.core.egress import network
from chimney.core.freshness import ADJUSTABLE
from chimney.core.message import FIELDS, unknown_fields
from chimney.web.serve import split_address

_REPO = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,38})/[A-Za-z0-9._-]{1,100}")
_TARGET = re.compile(r"[a-z][a-z0-9]{0,31}(\+https?)?://\S+", re.IGNORECASE)
_NEXT_TARGET = re.compile(r",\s*(?=[A-Za-z][A-Za-z0-9]{0,31}(?:\+https?)?://)")
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}")


def _split(value: object) -> object:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


def _repo(value: str) -> str:
    if not _REPO.fullmatch(value) or value.endswith(("/.", "/..")):
        raise ValueError(f"{value!r} should be owner/name, for example octocat/hello-world")
    return value


def _listen(value: str) -> str:
    split_address(value)
    return value


def _url(value: str) -> str:
    if not re.fullmatch(r"https?://[^\s/@?#]+(/[^\s?#]*)?", value):
        shown = "what is given" if "@" in value else repr(value)  # there may be a password before the @
        raise ValueError(f"{shown} should be a URL such as https://example.org, without user, query or fragment")
    return value.rstrip("/")


def _dragonfly(value: SecretStr) -> SecretStr:
    if not re.fullmatch(
        r"rediss?://([^\s/@?#]*@)?([A-Za-z0-9.-]+|\[[0-9a-fA-F:]+\])(:[0-9]{1,5})?(/[0-9]{0,4})?",
        value.get_secret_value(),
    ):
        raise ValueError("should be redis://[user:password@]host[:port][/number], or rediss:// for TLS")
    return value


def _pairs(value: object) -> object:
    """`runs=30,issues=120` as a mapping; chimney.toml may say it as a table."""
    if not isinstance(value, str):
        return value
    pairs = [part.partition("=") for part in value.split(",") if part.strip()]
    return {name.strip(): number.strip() for name, _, number in pairs}


def _kinds(value: dict[str, float]) -> dict[str, float]:
    unknown = sorted(value.keys() - ADJUSTABLE)
    if unknown:
        raise ValueError(f"{unknown[0]!r} is no kind of path; there are {', '.join(sorted(ADJUSTABLE))}")
    return value


def _addresses(value: dict[str, str]) -> dict[str, str]:
    for slot, address in value.items():
        if slot not in ("blue", "green"):
            raise ValueError(f"{slot!r} is no slot; there are blue and green")
        _, port = split_address(address)
        if not port or "/" in address:
            raise ValueError(f"{slot}: {address!r} should be the host and port on which the slot listens")
    if len(set(value.values())) < len(value):
        raise ValueError("blue and green should not have the same address")
    return value


def _no_slash(value: list[str]) -> list[str]:
    return [_url(one) for one in value]


def _all(value: object) -> object:
    """`all` is no bound."""
    return float("inf") if isinstance(value, str) and value.strip().lower() == "all" else value


def _header(value: SecretStr) -> SecretStr:
    if not re.fullmatch(r"[!-~]+", value.get_secret_value()):
        raise ValueError("should be one line of printable ASCII without spaces, as it goes into a header")
    return value


def _caddy_admin(value: str) -> str:
    if value.startswith("unix/"):
        if not re.fullmatch(r"unix//[^\s|]+", value):
            raise ValueError("should name the socket as unix//run/caddy/admin.sock")
        return value
    address = value if value.startswith(("http://", "https://")) else f"http://{value}"
    return _url(address)


def _pem(value: SecretStr) -> SecretStr:
    if not re.match(r"-----BEGIN (RSA )?PRIVATE KEY-----\s", value.get_secret_value()):
        raise ValueError("should be a private key in PEM, as GitHub gives it for download")
    return value


def _all_three(value: int | None, info: ValidationInfo) -> int | None:
    given = [info.data.get("github_app_id"), info.data.get("github_app_key"), value]
    if any(one is not None for one in given) and None in given:
        raise ValueError("a GitHub App needs its id, its key and its installation: give all three")
    return value


def _targets(value: object) -> object:
    """Addresses with commas between them; a comma within one stays. chimney.toml may say a list of them, or tables."""
    if isinstance(value, str):
        value = [part.strip() for part in _NEXT_TARGET.split(value) if part.strip()]
    return [{"url": one} if isinstance(one, str) else one for one in value] if isinstance(value, list) else value


def _target(value: SecretStr) -> SecretStr:
    """What the scheme stands for is Apprise's to know, which is asked when the table starts."""
    if not _TARGET.fullmatch(value.get_secret_value()):
        raise ValueError("should be an address such as slack://…, mailto://… or webhook+https://…, as Apprise has them")
    return value


def _template(value: str) -> str:
    unknown = unknown_fields(value)
    if unknown:
        raise ValueError(f"{{{unknown[0]}}} is no field; there are {', '.join(FIELDS)}")
    return value


def _network(value: str) -> str:
    network(value)
    return value


def _needs_alertmanager(value: bool, info: ValidationInfo) -> bool:
    if value and not info.data.get("alertmanager_url"):
        raise ValueError("needs the address of the Alertmanager: give alertmanager_url too")
    return value


def _secret_url(value: SecretStr) -> SecretStr:
    if not re.fullmatch(r"https?://[^\s/@]+(/\S*)?", value.get_secret_value()):
        raise ValueError("should be a URL such as https://example.org/ping/…")
    return value


_ANYBODY = re.compile(
    r"https://(accounts\.google\.com|login\.microsoftonline\.com/(common|organizations|consumers)\b.*|gitlab\.com"
    r"|appleid\.apple\.com|www\.facebook\.com|login\.yahoo\.com)"
)


def _oidc_id(value: str | None, info: ValidationInfo) -> str | None:
    if (value is None) is not (info.data.get("oidc_issuer") is None):
        raise ValueError("signing in by OIDC needs the issuer and the client id: give both")
    return value


def _oidc_allow(value: list[str], info: ValidationInfo) -> list[str]:
    for one in value:
        if not re.fullmatch(r"\*|group:[^\s,]+|[^\s@,]*@[^\s@,]+", one):
            raise ValueError(f"{one!r} should be ann@example.org, @example.org, group:name or *")
    if not value and _ANYBODY.fullmatch(info.data.get("oidc_issuer") or ""):
        raise ValueError("with this issuer anybody in the world could sign in: say who may, or * if you mean it")
    return value


def _github_allow(value: list[str]) -> list[str]:
    for one in value:
        if not re.fullmatch(r"user:[A-Za-z0-9_-]{1,60}|[A-Za-z0-9_-]{1,60}(/[A-Za-z0-9_.-]{1,100})?", one):
            raise ValueError(f"{one!r} should be an organisation, organisation/team, or user:login")
    return value


Commas = BeforeValidator(_split)
OidcClientId = Annotated[str | None, AfterValidator(_oidc_id)]
OidcAllow = Annotated[list[str], Commas, AfterValidator(_oidc_allow)]
GitHubAllow = Annotated[list[str], Commas, AfterValidator(_github_allow)]
HeaderSecret = Annotated[SecretStr, AfterValidator(_header)]
AppInstallation = Annotated[Annotated[int, Field(ge=1)] | None, AfterValidator(_all_three)]
AppKey = Annotated[SecretStr, AfterValidator(_pem)]
Repo = Annotated[str, AfterValidator(_repo)]
Listen = Annotated[str, AfterValidator(_listen)]
Url = Annotated[str, AfterValidator(_url)]
Secrets = Annotated[list[SecretStr], Commas]
DragonflyUrl = Annotated[SecretStr, AfterValidator(_dragonfly)]
Slots = Annotated[dict[str, str], BeforeValidator(_pairs), AfterValidator(_addresses)]
Urls = Annotated[list[str], Commas, AfterValidator(_no_slash)]
Share = Annotated[float, BeforeValidator(_all), Field(ge=0)]
Lifetime = Annotated[float, Field(ge=0, le=86_400)]
Lifetimes = Annotated[dict[str, Lifetime], BeforeValidator(_pairs), AfterValidator(_kinds)]
Windows = Annotated[list[Annotated[float, Field(ge=1, le=86_400)]], Commas]
CaddyAdmin = Annotated[str, AfterValidator(_caddy_admin)]
Targets = BeforeValidator(_targets)
TargetUrl = Annotated[SecretStr, AfterValidator(_target)]
Template = Annotated[str, Field(max_length=2000), AfterValidator(_template)]
Networks = Annotated[list[Annotated[str, AfterValidator(_network)]], Commas]
SecretUrl = Annotated[SecretStr, AfterValidator(_secret_url)]
AlertmanagerSend = Annotated[bool, AfterValidator(_needs_alertmanager)]
