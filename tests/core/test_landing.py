import pytest
from hypothesis import given
from hypothesis import strategies as st

from chimney.core.landing import landing


@pytest.mark.parametrize(
    "path", ["/", "/logs", "/logs?level=error&from=2026-01-31T12:00:00Z", "/deployments/d-1#changes", "/traces/a%20b"]
)
def test_a_path_of_the_page_is_kept(path: str) -> None:
    assert landing(path) == path


@pytest.mark.parametrize(
    "wanted",
    [
        None,
        "",
        "logs",
        "//evil.test",
        "///evil.test",
        "/\\evil.test",
        "\\\\evil.test",
        "/%09/evil.test",
        "/\t/evil.test",
        "/%2f/evil.test",
        "/%2fevil.test",
        "/%5cevil.test",
        "/%255cevil.test",
        "/%252f%252fevil.test",
        "https:evil.test",
        "https://evil.test",
        "HTTPS://evil.test",
        "javascript:alert(1)",
        "/..//evil.test",
        "/logs/..//evil.test",
        "/%2e%2e//evil.test",
        "/./x",
        "/logs/..",
        "/logs//x",
        " /logs",
        "/logs\r\nset-cookie: x=y",
        "/logs%0d%0aset-cookie:x",
        "/\u2025/evil.test",
        "/" + "x" * 2000,
        "/api/session/github",
        "/api",
        "/tv/token",
    ],
)
def test_whatever_may_be_another_host_or_no_page_lands_at_home(wanted: str | None) -> None:
    """faults.md G: open-redirect forms of `next`."""
    assert landing(wanted) == "/"


@given(st.text(alphabet="/\\.%25fc09ax:@?#\t\n\u2025e", max_size=12))
def test_no_text_makes_another_host(wanted: str) -> None:
    where = landing(wanted)
    assert where[0] == "/"
    assert where[1:2] not in ("/", "\\")
    assert "\\" not in where
    assert where.isprintable()
