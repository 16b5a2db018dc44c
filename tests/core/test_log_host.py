"""From which hosts a job's log is fetched. faults.md C: SSRF by redirect."""

import pytest

from chimney.core.log_host import may_fetch

GITHUB, STANDIN = "https://api.github.com", "http://127.0.0.1:8790"


@pytest.mark.parametrize(
    ("location", "api_url", "may"),
    [
        ("https://productionresultssa0.blob.core.windows.net/x?sig=1", GITHUB, True),
        ("https://pipelines.actions.githubusercontent.com/x", GITHUB, True),
        ("http://127.0.0.1:8790/_logs/jobs/1?se=1", STANDIN, True),
        ("http://productionresultssa0.blob.core.windows.net/x", GITHUB, False),
        ("https://blob.core.windows.net.evil.test/x", GITHUB, False),
        ("https://evilblob.core.windows.net@evil.test/x", GITHUB, False),
        ("https://user@a.blob.core.windows.net/x", GITHUB, False),
        ("https://a.blob.core.windows.net:8443/x", GITHUB, False),
        ("https://169.254.169.254/latest", GITHUB, False),
        ("http://127.0.0.1:2019/config", STANDIN, False),
        ("http://127.0.0.1:2019/config", GITHUB, False),
        ("file:///etc/passwd", GITHUB, False),
        ("/relative", GITHUB, False),
        ("https://[broken/x", GITHUB, False),
        ("", GITHUB, False),
    ],
)
def test_a_log_comes_from_githubs_own_storage_only(location: str, api_url: str, may: bool) -> None:
    assert may_fetch(location, api_url=api_url) is may
