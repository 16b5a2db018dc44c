"""Settings: where they come from, and what is said when they cannot be used."""

import re
from pathlib import Path

import pytest
from pydantic import SecretStr

from chimney.config import OriginSettings, SettingsError, TableSettings, check, load
from chimney.config.load import known_variables


@pytest.fixture
def toml(tmp_path: Path) -> Path:
    return tmp_path / "chimney.toml"


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No chimney.toml of this folder is read by accident."""
    folder = tmp_path / "empty"
    folder.mkdir()
    monkeypatch.chdir(folder)


def origin(toml: Path | None = None, flags: dict[str, object] | None = None, /, **environ: str) -> OriginSettings:
    return load(OriginSettings, file=toml, environ=environ, flags=flags)


def faults(toml: Path | None = None, /, **environ: str) -> list[str]:
    with pytest.raises(SettingsError) as refused:
        origin(toml, **environ)
    return refused.value.faults


def table_faults(toml: Path | None = None, /, **environ: str) -> list[str]:
    with pytest.raises(SettingsError) as refused:
        load(TableSettings, file=toml, environ=environ)
    return refused.value.faults


def plain(secrets: list[SecretStr]) -> list[str]:
    return [secret.get_secret_value() for secret in secrets]


def test_without_any_settings_the_defaults_of_the_contract_hold() -> None:
    settings = origin()
    assert settings.listen == "127.0.0.1:8080"
    assert settings.github_api_url == "https://api.github.com"
    assert (settings.data_dir, settings.environment, settings.allow_contents) == (Path(".chimney"), "production", False)
    table = load(TableSettings, file=None, environ={})
    assert (table.listen, table.data_dir) == ("127.0.0.1:8700", Path(".table"))
    assert (table.retention_days, table.retention_bytes) == (14, 5 * 1024**3)


def test_the_environment_is_stronger_than_the_file_and_a_flag_than_both(toml: Path) -> None:
    toml.write_text('[origin]\nlisten = "127.0.0.1:1"\nrepo = "of/file"\nenvironment = "file"\n')
    settings = origin(toml, {"listen": "127.0.0.1:3"}, CHIMNEY_LISTEN="127.0.0.1:2", CHIMNEY_REPO="of/environment")
    assert (settings.listen, settings.repo, settings.environment) == ("127.0.0.1:3", "of/environment", "file")


def test_a_flag_that_was_not_given_changes_nothing() -> None:
    assert origin(None, {"listen": None}, CHIMNEY_LISTEN="127.0.0.1:2").listen == "127.0.0.1:2"


def test_an_empty_variable_is_one_that_is_not_set(toml: Path) -> None:
    toml.write_text('[origin]\nrepo = "of/file"\n')
    assert origin(toml, CHIMNEY_REPO="").repo == "of/file"


def test_lists_are_comma_separated_in_the_environment_and_lists_in_the_file(toml: Path) -> None:
    toml.write_text('[origin]\nrepos = ["a/b", "c/d"]\nread_token = ["x"]\n')
    settings = origin(toml)
    assert (settings.repos, plain(settings.read_token)) == (["a/b", "c/d"], ["x"])
    assert plain(origin(CHIMNEY_READ_TOKEN=" one, two ,,").read_token) == ["one", "two"]


def test_every_secret_may_be_in_a_file(tmp_path: Path, toml: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("one,two\n")
    assert plain(origin(CHIMNEY_READ_TOKEN_FILE=str(secret)).read_token) == ["one", "two"]
    toml.write_text(f'[origin]\noperate_token_file = "{secret}"\n')
    assert plain(origin(toml).operate_token) == ["one", "two"]
    secret.write_text("hunter2\n")
    table = load(TableSettings, file=None, environ={"CHIMNEY_TABLE_PASSWORD_FILE": str(secret)})
    assert table.password is not None
    assert table.password.get_secret_value() == "hunter2"


def test_githubs_own_variable_is_read_too_and_ours_is_stronger() -> None:
    for environ, token in (
        ({"GITHUB_TOKEN": "a"}, "a"),
        ({"GITHUB_TOKEN": "a", "CHIMNEY_GITHUB_TOKEN": "b"}, "b"),
    ):
        settings = load(OriginSettings, file=None, environ=environ)
        assert settings.github_token is not None
        assert settings.github_token.get_secret_value() == token


def test_an_unknown_variable_is_an_error_that_names_the_nearest() -> None:
    assert faults(CHIMNEY_LISTN="x") == ["CHIMNEY_LISTN: unknown setting; did you mean CHIMNEY_LISTEN?"]
    assert faults(CHIMNEY_42="x")[0].startswith("CHIMNEY_42: unknown setting")


def test_an_unknown_key_or_section_of_the_file_is_an_error_that_names_the_nearest(toml: Path) -> None:
    toml.write_text('[origin]\nlisen = "x"\n[orgin]\n')
    assert faults(toml) == [
        f"{toml}: orgin: unknown section; did you mean origin?",
        f"{toml}: origin.lisen: unknown setting; did you mean listen?",
    ]


def test_an_unknown_key_of_a_followed_origin_is_an_error_that_names_the_nearest(toml: Path) -> None:
    toml.write_text('[[table.origins]]\nname = "blue"\nurl = "http://127.0.0.1:1"\nread_tokn = "x"\n')
    assert table_faults(toml) == [f"{toml}: table.origins/0/read_tokn: unknown setting; did you mean read_token?"]


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({"CHIMNEY_REPO": "rocket"}, "CHIMNEY_REPO: 'rocket' should be owner/name"),
        ({"CHIMNEY_REPO": "acme/rocket/x"}, "CHIMNEY_REPO: 'acme/rocket/x' should be owner/name"),
        ({"CHIMNEY_REPO": "acme/.."}, "CHIMNEY_REPO: 'acme/..' should be owner/name"),
        ({"CHIMNEY_REPOS": "a/b,c"}, "CHIMNEY_REPOS/1: 'c' should be owner/name"),
        ({"CHIMNEY_LISTEN": "8080"}, "CHIMNEY_LISTEN: '8080' should be host:port"),
        ({"CHIMNEY_LISTEN": "127.0.0.1:99999"}, "CHIMNEY_LISTEN: '127.0.0.1:99999' should be host:port"),
        ({"CHIMNEY_LISTEN": "127.0.0.1:²"}, "CHIMNEY_LISTEN: "),
        ({"CHIMNEY_GITHUB_API_URL": "ftp://x"}, "CHIMNEY_GITHUB_API_URL: 'ftp://x' should be a URL"),
        ({"CHIMNEY_SLOT": "red"}, "CHIMNEY_SLOT: "),
        ({"CHIMNEY_ENVIRONMENT": "with space"}, "CHIMNEY_ENVIRONMENT: "),
        ({"CHIMNEY_ALLOW_CONTENTS": "perhaps"}, "CHIMNEY_ALLOW_CONTENTS: "),
        ({"CHIMNEY_REVISION": "main"}, "CHIMNEY_REVISION: "),
        ({"CHIMNEY_LOG_LEVEL": "loud"}, "CHIMNEY_LOG_LEVEL: "),
        ({"CHIMNEY_SITE_DIR": "/does/not/exist"}, "CHIMNEY_SITE_DIR: "),
        ({"CHIMNEY_GITHUB_TOKEN": "tökén"}, "CHIMNEY_GITHUB_TOKEN: "),
        ({"GITHUB_TOKEN": "two\nlines"}, "GITHUB_TOKEN: "),
    ],
)
def test_a_wrong_value_is_one_sentence_addressed_by_where_it_was_said(environ: dict[str, str], said: str) -> None:
    told = faults(**environ)
    assert len(told) == 1
    assert told[0].startswith(said)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("[origin\n", "is not TOML"),
        ("origin = 3\n", "origin: should be a section"),
        ("[origin]\nrepo = 3\n", "origin.repo: "),
        ('[origin]\nrepos = ["a/b", 7]\n', "origin.repos/1: "),
        ('[origin]\nbug_label = ""\n', "origin.bug_label: "),
        ('[origin]\nread_token_file = "/does/not/exist"\n', "origin.read_token_file: cannot read /does/not/exist"),
    ],
)
def test_a_fault_in_the_file_is_one_sentence_addressed_by_file_and_key(toml: Path, content: str, said: str) -> None:
    toml.write_text(content)
    told = faults(toml)
    assert len(told) == 1
    assert told[0].startswith(f"{toml}: {said}")


def test_a_file_that_is_not_text_or_not_there_is_said_so(tmp_path: Path, toml: Path) -> None:
    toml.write_bytes(b"\xff\xfe")
    assert "is not TOML" in faults(toml)[0]
    assert faults(tmp_path / "missing.toml") == [
        f"{tmp_path / 'missing.toml'}: cannot be read: no such file or directory"
    ]


@pytest.mark.parametrize("variable", ["CHIMNEY_READ_TOKEN_FILE", "CHIMNEY_GITHUB_TOKEN_FILE"])
def test_a_token_file_that_is_missing_or_empty_is_one_clear_sentence(tmp_path: Path, variable: str) -> None:
    missing, empty = tmp_path / "missing", tmp_path / "none"
    empty.write_text("\n")
    assert faults(**{variable: str(missing)}) == [f"{variable}: cannot read {missing}: no such file or directory"]
    assert faults(**{variable: str(empty)}) == [f"{variable}: {empty} is empty"]


def test_all_faults_are_told_at_once(toml: Path) -> None:
    toml.write_text('[origin]\nslot = "red"\nnonsense = 1\n')
    told = faults(toml, CHIMNEY_REPO="rocket", CHIMNEY_LISTN="x", CHIMNEY_READ_TOKEN_FILE="/does/not/exist")
    places = [re.split(r": ", fault.removeprefix(f"{toml}: "))[0] for fault in told]
    assert sorted(places) == sorted(
        ["origin.slot", "origin.nonsense", "CHIMNEY_REPO", "CHIMNEY_LISTN", "CHIMNEY_READ_TOKEN_FILE"]
    )


def test_a_secret_is_never_repeated_in_a_fault() -> None:
    told = "\n".join(
        faults(
            CHIMNEY_GITHUB_TOKEN="ghp_söcret",
            CHIMNEY_GITHUB_API_URL="https://user:hunter2@ghe.example.org",
        )
    )
    assert "söcret" not in told
    assert "hunter2" not in told
    assert "hunter2" not in repr(origin(CHIMNEY_READ_TOKEN="hunter2"))


def test_origins_are_pairs_in_the_environment_and_get_their_tokens_by_name() -> None:
    environ = {
        "CHIMNEY_TABLE_ORIGINS": "web-1=http://127.0.0.1:1/, green=http://127.0.0.1:2",
        "CHIMNEY_TABLE_ORIGIN_WEB_1_READ_TOKEN": "r",
        "CHIMNEY_TABLE_ORIGIN_GREEN_OPERATE_TOKEN": "o",
    }
    blue, green = load(TableSettings, file=None, environ=environ).origins
    assert (blue.name, blue.url, blue.read_token) == ("web-1", "http://127.0.0.1:1", SecretStr("r"))
    assert (green.read_token, green.operate_token) == (None, SecretStr("o"))


def test_origins_of_the_file_may_have_their_tokens_in_files(tmp_path: Path, toml: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("r\n")
    toml.write_text(f'[[table.origins]]\nname = "blue"\nurl = "http://127.0.0.1:1"\nread_token_file = "{secret}"\n')
    assert load(TableSettings, file=toml, environ={}).origins[0].read_token == SecretStr("r")


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({"CHIMNEY_TABLE_ORIGINS": "blue"}, "CHIMNEY_TABLE_ORIGINS: 'blue' should be name=url"),
        ({"CHIMNEY_TABLE_ORIGINS": "blue=x"}, "CHIMNEY_TABLE_ORIGINS/0/url: 'x' should be a URL"),
        ({"CHIMNEY_TABLE_ORIGINS": "b=http://a,b=http://c"}, "table.origins: the name 'b' is given twice"),
        ({"CHIMNEY_TABLE_ORIGIN_RED_READ_TOKEN": "x"}, "CHIMNEY_TABLE_ORIGIN_RED_READ_TOKEN: no origin is called RED"),
        ({"CHIMNEY_TABLE_RETENTION_DAYS": "0"}, "CHIMNEY_TABLE_RETENTION_DAYS: "),
    ],
)
def test_a_wrong_origin_is_addressed_too(environ: dict[str, str], said: str) -> None:
    told = table_faults(**environ)
    assert len(told) == 1
    assert told[0].startswith(said)


def test_check_tells_the_faults_of_both_roles_and_nothing_twice(toml: Path) -> None:
    toml.write_text('[origin]\nslot = "red"\n[table]\nlisten = "x"\n')
    told = check(file=toml, environ={"CHIMNEY_LISTN": "x"})
    assert [fault.removeprefix(f"{toml}: ").partition(":")[0] for fault in told] == [
        "origin.slot", "table.listen", "CHIMNEY_LISTN",
    ]  # fmt: skip
    assert check(file=None, environ={}) == []


def test_every_setting_has_a_variable_and_every_secret_a_file() -> None:
    known = known_variables()
    assert {"CHIMNEY_LISTEN", "CHIMNEY_TABLE_LISTEN", "CHIMNEY_READ_TOKEN_FILE", "CHIMNEY_TABLE_PASSWORD_FILE"} <= known
    assert "CHIMNEY_LISTEN_FILE" not in known


@pytest.mark.parametrize(
    "url",
    [
        "redis://127.0.0.1:6379", "redis://dragonfly", "rediss://user:pass@cache.example.org:6380/2", "redis://:p%40ss@h/0",
        "redis://[::1]:6379",
    ],
)  # fmt: skip
def test_the_address_of_dragonfly_may_hold_a_password_and_come_from_a_file(tmp_path: Path, url: str) -> None:
    file = tmp_path / "url"
    file.write_text(url + "\n")
    said, read = origin(CHIMNEY_DRAGONFLY_URL=url), origin(CHIMNEY_DRAGONFLY_URL_FILE=str(file))
    assert said.dragonfly_url is not None
    assert said.dragonfly_url.get_secret_value() == url
    assert read.dragonfly_url == said.dragonfly_url
    assert "pass" not in repr(said)


@pytest.mark.parametrize(
    "url",
    [
        "dragonfly:6379", "http://h", "redis://", "redis://h:port", "redis://h/0?socket_timeout=99", "redis://h/zero",
        "redis://a b", "redis://u:secret-pass@h/x", "unix:///run/redis.sock", "redis://h\n",
    ],
)  # fmt: skip
def test_an_address_of_dragonfly_that_cannot_be_one_is_refused_without_being_shown(url: str) -> None:
    (fault,) = faults(CHIMNEY_DRAGONFLY_URL=url)
    assert fault.startswith("CHIMNEY_DRAGONFLY_URL: should be redis://")
    assert "secret-pass" not in fault


def test_lifetimes_are_pairs_or_a_table(toml: Path) -> None:
    toml.write_text("[origin.lifetimes]\nruns = 5\ndefault = 0.5\n")
    assert origin(toml).lifetimes == {"runs": 5.0, "default": 0.5}
    assert origin(CHIMNEY_LIFETIMES="runs=30, closed_pulls = 600,").lifetimes == {"runs": 30.0, "closed_pulls": 600.0}
    assert origin().lifetimes is None


@pytest.mark.parametrize(
    ("said", "fault"),
    [
        ("runs", "CHIMNEY_LIFETIMES/runs: Input should be a valid number"),
        ("runs=soon", "CHIMNEY_LIFETIMES/runs: Input should be a valid number"),
        ("runs=-1", "CHIMNEY_LIFETIMES/runs: Input should be greater than or equal to 0"),
        ("runs=90000", "CHIMNEY_LIFETIMES/runs: Input should be less than or equal to 86400"),
        ("runs=nan", "CHIMNEY_LIFETIMES/runs: Input should be less than or equal to 86400"),
        ("rnus=3", "CHIMNEY_LIFETIMES: 'rnus' is no kind of path; there are branches, closed_pulls"),
        ("rate_limit=3", "CHIMNEY_LIFETIMES: 'rate_limit' is no kind of path"),
    ],
)
def test_a_wrong_lifetime_is_named(said: str, fault: str) -> None:
    (told,) = faults(CHIMNEY_LIFETIMES=said)
    assert told.startswith(fault)


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({"OIDC_ISSUER": "https://id.example.org"}, "oidc_client_id: "),
        ({"OIDC_CLIENT_ID": "table"}, "oidc_client_id: "),
        ({"OIDC_ISSUER": "https://accounts.google.com", "OIDC_CLIENT_ID": "t"}, "oidc_allow: "),
        ({"OIDC_ALLOW": "example.org"}, "OIDC_ALLOW: "),
        ({"GITHUB_ALLOW": "acme/a/b"}, "GITHUB_ALLOW: "),
    ],
)
def test_a_sign_in_that_would_let_the_wrong_ones_in_is_a_fault(environ: dict[str, str], said: str) -> None:
    (fault,) = table_faults(None, **{f"CHIMNEY_TABLE_{name}": value for name, value in environ.items()})
    assert said.lower() in fault.lower()
