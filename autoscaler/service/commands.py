"""The commands and their options. Each imports what it needs when it is called, so that help is quick."""

from enum import StrEnum
from typing import Annotated

import typer

app = typer.Typer(
    name="autoscaler",
    help="Scale Fly Machines by their own load, region by region.",
    epilog="Begin with: autoscaler check --online, then autoscaler plan, then autoscaler run.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    add_completion=False,
    pretty_exceptions_enable=False,
)

NoHold = Annotated[
    bool,
    typer.Option(
        "--no-hold", help="Go in although this process has not watched the load for a whole window yet."
    ),
]


class State(StrEnum):
    """States in which the emulator's Machines can begin."""

    CREATED = "created"
    STARTED = "started"
    STOPPED = "stopped"
    SUSPENDED = "suspended"


@app.command()
def run() -> int:
    """Run the daemon: decide and act at every interval, until SIGTERM or Ctrl-C.

    The first tick comes at once. Trouble with the platform or with metrics is logged, counted and waited
    out; it never ends the process.

    Example: AUTOSCALER_DRY_RUN=true autoscaler run
    """
    from autoscaler.service import running

    return running.run()


@app.command()
def plan(
    *,
    json: Annotated[bool, typer.Option("--json", help="Print the documented JSON.")] = False,
    no_hold: NoHold = False,
    exit_code: Annotated[bool, typer.Option("--exit-code", help="Exit with 4 if there are actions.")] = False,
) -> int:
    """Show what one tick would do, and why. Changes nothing.

    Exit code 0, 1 if a tick failed, 2 if a metric has several series for one region, or 3 if the platform
    did not answer for a pool.

    Example: autoscaler plan --json | jq '.pools[].actions'
    """
    from autoscaler.service import one_shot

    return one_shot.plan(as_json=json, hold=not no_hold, exit_code=exit_code)


@app.command()
def apply(*, no_hold: NoHold = False) -> int:
    """Run one tick, acting, and show what it did.

    Exit code 0, 1 if an action failed, or 3 if the platform did not answer for a pool.

    Example: autoscaler plan && autoscaler apply
    """
    from autoscaler.service import one_shot

    return one_shot.apply(hold=not no_hold)


@app.command()
def check(
    *,
    online: Annotated[
        bool, typer.Option("--online", help="Also ask the platform and the metric source.")
    ] = False,
) -> int:
    """Check the configuration: every mistake at once, each with what would be right.

    With --online also both tokens, every query and how it splits, regions, groups, and whether somebody
    else scales the same Machines. Exit code 0, or 2 if anything is wrong.

    Example: AUTOSCALER_CONFIG=autoscaler.toml autoscaler check --online
    """
    from autoscaler.service import checking

    return checking.check(online=online)


@app.command()
def emulate(
    *,
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes a free one.")
    ] = 4280,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    app_name: Annotated[str, typer.Option("--app", help="Name of the app.")] = "demo",
    group: Annotated[str, typer.Option(help="Process group of its Machines; may be empty.")] = "app",
    regions: Annotated[str, typer.Option(help="Where the Machines are, dealt in turn.")] = "ord,ams,fra",
    machines: Annotated[int, typer.Option(min=0, max=10_000, help="How many there are in all.")] = 3,
    state: Annotated[State, typer.Option(help="State they begin in.")] = State.STOPPED,
    latency: Annotated[float, typer.Option(min=0, help="Seconds a request takes.")] = 0.0,
    seed: Annotated[int, typer.Option(help="The same seed and requests give the same run.")] = 0,
    no_limits: Annotated[
        bool, typer.Option("--no-limits", help="Switch the platform's rate limits off.")
    ] = False,
    org: Annotated[str, typer.Option(help="Name of the organization, in the metrics' path.")] = "personal",
) -> int:
    """Serve a Fly on this machine: a Machines API under /v1 and metrics under /prometheus/ORG.

    Loads are set and faults injected under /_emulator/. What is printed sets up a shell to try a
    configuration against it.

    Example: autoscaler emulate --app shop --regions ord,ams --machines 6
    """
    from autoscaler.service import emulating

    config = emulating.configured(
        app=app_name,
        group=group,
        regions=regions,
        machines=machines,
        state=state.value,
        latency_s=latency,
        seed=seed,
        rate_limits=not no_limits,
        org=org,
    )
    return emulating.emulate(config, host=host, port=port)


@app.command()
def demo(
    *,
    seconds: Annotated[
        float | None, typer.Option("--for", min=1, help="Seconds to run; without it until Ctrl-C.")
    ] = None,
) -> int:
    """Watch the real daemon follow a day of load over three regions, against an emulated Fly.

    Nothing is needed but this machine, and free ports are found. Exit code 0, or 1 if the daemon saw nothing.

    Example: autoscaler demo --for 30
    """
    import asyncio

    from rich.console import Console

    from autoscaler.service.demo.run import run_demo

    return asyncio.run(run_demo(seconds, Console()))


@app.command()
def version() -> int:
    """Print the version."""
    from autoscaler import __version__
    from autoscaler.service.messages import result

    result(__version__)
    return 0
