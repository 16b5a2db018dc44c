"""All commands, and what each takes."""

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from chimney import __version__
from chimney.cli.say import fail, say

app = typer.Typer(
    name="chimney",
    help="A single pane of glass for small teams that deploy a web service from GitHub.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
deploy_app = typer.Typer(no_args_is_help=True, help="Tell an origin about deployments.")
app.add_typer(deploy_app, name="deploy")

Config = Annotated[
    Path | None,
    typer.Option(
        "--config", envvar="CHIMNEY_CONFIG", metavar="FILE", help="Read settings from here instead of chimney.toml."
    ),
]
Listen = Annotated[str | None, typer.Option(metavar="HOST:PORT", help="Address to listen on.")]
DataDir = Annotated[Path | None, typer.Option(metavar="FOLDER", help="Folder to keep things in.")]
Repo = Annotated[str | None, typer.Option(metavar="OWNER/NAME", help="The main repository.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="On stderr show only warnings and worse.")]
TableUrl = Annotated[
    str, typer.Option("--table", envvar="CHIMNEY_TABLE_URL", metavar="URL", help="Address of the table.")
]
Token = Annotated[
    str | None,
    typer.Option(envvar="CHIMNEY_TABLE_TOKEN", help="API token; on the table's own machine its cli.token is read."),
]
LOCAL_TABLE = "http://127.0.0.1:8700"


@app.callback(invoke_without_command=True)
def version(show: Annotated[bool, typer.Option("--version", help="Show the version and exit.")] = False) -> None:
    if show:
        say(__version__)
        raise typer.Exit


@app.command()
def up(
    config: Config = None,
    repo: Repo = None,
    speed: Annotated[float, typer.Option(help="How fast the demonstration lives.")] = 1.0,
) -> None:
    """Origin and table in one go; with neither repository nor token also a GitHub look-alike, as a demonstration."""
    from chimney.cli import up as command  # noqa: PLC0415

    command.run(config, repo=repo, speed=speed)


@app.command()
def origin(
    config: Config = None,
    listen: Listen = None,
    data_dir: DataDir = None,
    repo: Repo = None,
    slot: Annotated[str | None, typer.Option(help="The slot this process runs in: blue or green.")] = None,
    quiet: Quiet = False,
) -> None:
    """The role beside the deployed service, in the foreground."""
    from chimney.cli import roles  # noqa: PLC0415

    roles.origin(config, quiet=quiet, listen=listen, data_dir=data_dir, repo=repo, slot=slot)


@app.command()
def table(
    config: Config = None,
    listen: Listen = None,
    data_dir: DataDir = None,
    quiet: Quiet = False,
    doctor: Annotated[bool, typer.Option("--doctor", help="Examine and repair what is kept, and exit.")] = False,
    backup: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Copy what is kept to a new folder, and exit; it may run.")
    ] = None,
    restore: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Put a backup in the place of what is kept, and exit.")
    ] = None,
) -> None:
    """The pane of glass, in the foreground."""
    from chimney.cli import keeping, roles  # noqa: PLC0415

    if doctor:
        keeping.doctor(config, data_dir)
    if backup:
        keeping.backup(config, data_dir, backup)
        return
    if restore:
        keeping.put_back(config, data_dir, restore)
        return
    roles.table(config, quiet=quiet, listen=listen, data_dir=data_dir)


@app.command()
def standin(
    listen: Annotated[str, typer.Option(metavar="HOST:PORT", help="Address to listen on.")] = "127.0.0.1:8790",
    repo: Annotated[str, typer.Option(metavar="OWNER/NAME", help="The repository that lives in it.")] = "acme/rocket",
    webhook: Annotated[str | None, typer.Option(metavar="URL", help="Where to send webhooks.")] = None,
    secret: Annotated[str | None, typer.Option(help="Secret that the webhooks are signed with.")] = None,
    speed: Annotated[float, typer.Option(min=0, help="How fast its clock runs; 0 stops it.")] = 1.0,
    seed: Annotated[int, typer.Option(help="The same seed lives the same life.")] = 1,
    deploy_report: Annotated[str | None, typer.Option(metavar="URL", help="Where its CI reports deployments.")] = None,
    deploy_token: Annotated[str | None, typer.Option(help="Bearer token for those reports.")] = None,
    visit: Annotated[str | None, typer.Option(metavar="URL", help="An origin that its users visit.")] = None,
    quiet: Quiet = False,
) -> None:
    """A GitHub look-alike with a repository that lives, for demonstrations, tests and benchmarks."""
    from chimney.cli import roles  # noqa: PLC0415

    roles.standin(
        listen,
        quiet=quiet,
        repo=repo,
        webhook=webhook,
        secret=secret,
        speed=speed,
        seed=seed,
        deploy_report=deploy_report,
        visit=visit,
        deploy_token=deploy_token,
    )


@deploy_app.command()
def report(
    phase: Annotated[str, typer.Option(help="started, succeeded, failed or rolled_back.")],
    revision: Annotated[
        str | None, typer.Option(envvar="GITHUB_SHA", help="What is deployed; without it the checked-out commit.")
    ] = None,
    url: Annotated[
        str, typer.Option("--origin", envvar="CHIMNEY_URL", metavar="URL", help="Address of the origin.")
    ] = "http://127.0.0.1:8080",
    token: Annotated[
        str | None, typer.Option(envvar="CHIMNEY_DEPLOY_TOKEN", help="Token with the scope deploy.")
    ] = None,
    environment: Annotated[str | None, typer.Option(help="Where to; without it the origin's own.")] = None,
    slot: Annotated[str | None, typer.Option(help="blue or green.")] = None,
    pr_number: Annotated[int | None, typer.Option(help="Number of the pull request.")] = None,
    pr_title: Annotated[str | None, typer.Option(help="Title of the pull request.")] = None,
    message: Annotated[str | None, typer.Option(help="Commit message or note.")] = None,
    reason: Annotated[str | None, typer.Option(help="Why it was taken back, with rolled_back.")] = None,
    environment_url: Annotated[str | None, typer.Option(help="Public address of what was deployed.")] = None,
    repo: Annotated[
        str | None, typer.Option(metavar="OWNER/NAME", help="Refused by an origin that is about another.")
    ] = None,
    actor: Annotated[str | None, typer.Option(envvar="GITHUB_ACTOR", help="Who deploys.")] = None,
    run_url: Annotated[str | None, typer.Option(help="Address of the CI run.")] = None,
    duration_seconds: Annotated[float | None, typer.Option(help="How long it took.")] = None,
    report_id: Annotated[str | None, typer.Option("--id", help="The same id is recorded once.")] = None,
) -> None:
    """Tell an origin about a deployment: from CI, a Kamal hook, a shell."""
    from chimney.cli import report as command  # noqa: PLC0415

    fields = {
        "phase": phase,
        "revision": revision or command.checked_out(),
        "environment": environment,
        "slot": slot,
        "pr_number": pr_number,
        "pr_title": pr_title,
        "message": message,
        "reason": reason,
        "environment_url": environment_url,
        "repo": repo,
        "actor": actor,
        "run_url": run_url or command.run_url(),
        "duration_seconds": duration_seconds,
        "id": report_id,
    }
    command.send(url, token, {name: value for name, value in fields.items() if value is not None})


@app.command()
def tail(
    table_url: TableUrl = LOCAL_TABLE,
    token: Token = None,
    level: Annotated[str | None, typer.Option(help="At least this severe: debug, info, warning, error.")] = None,
    grep: Annotated[str | None, typer.Option(help="Only records that hold this text.")] = None,
    source: Annotated[str | None, typer.Option(help="Only records of this origin.")] = None,
) -> None:
    """The live log of all origins, in a terminal."""
    from chimney.cli import watch  # noqa: PLC0415

    watch.tail(table_url, token, {"level": level, "grep": grep, "source": source})


@app.command()
def status(table_url: TableUrl = LOCAL_TABLE, token: Token = None) -> None:
    """Current findings and origins. Exits 1 when a critical finding is current."""
    from chimney.cli import watch  # noqa: PLC0415

    watch.status(table_url, token)


@app.command("check-config")
def check_config(config: Config = None) -> None:
    """Every fault of the configuration at once, each with where it was said. Exits 2 when there is one."""
    from chimney.cli import roles  # noqa: PLC0415

    roles.check_config(config)


@app.command()
def openapi(role: Annotated[str, typer.Argument(help="origin or table", metavar="origin|table")]) -> None:
    """The OpenAPI 3.1 document of a role."""
    from chimney.cli import roles  # noqa: PLC0415

    if role not in ("origin", "table"):
        fail(f"there is no OpenAPI document of {role!r}: ask for origin or table")
    document: dict[str, Any] = roles.openapi(role)
    say(json.dumps(document, indent=2, ensure_ascii=False))


def main() -> None:
    try:
        app()
    except BrokenPipeError:
        sys.stderr.close()
        raise SystemExit(0) from None
