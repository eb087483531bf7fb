"""The command line: `peakdrill`. One place maps what happened to an exit code.

    0 met    1 missed    2 usage or refused    3 inconclusive    4 invalid    5 error of ours

Commands live in harness/commands and are imported when they are called, so that --version and
--help stay quick. May not live here: anything that a command does.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module

import click

from harness import __version__
from harness.errors import PeakdrillError

USAGE, INTERRUPTED, OURS = 2, 4, 5

_HOME = {
    "run": "run:run",
    "plan": "run:plan",
    "check": "runs:check",
    "report": "runs:report",
    "verify": "evidence:verify",
    "evidence": "evidence:evidence",
    "selftest": "selftest:selftest",
    "observe": "observe:observe",
    "history": "history:history",
    "gate": "gate:gate",
    "readiness": "readiness:readiness",
    "gameday": "gameday:gameday",
    "schedule": "schedule:schedule",
    "abort": "abort:abort",
    "serve": "serve:serve",
    "undo": "platforms:undo",
    "platform": "platforms:platform",
    "doctor": "doctor:doctor",
    "list": "listing:list_",
    "new": "new:new",
    "completion": "completion:completion",
}


@dataclass
class State:
    """What holds for the whole call."""

    debug: bool = False


class ReaderGone(Exception):
    """Whoever read our output went away; click would turn this into exit 1, which is `missed`."""


class _Commands(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(_HOME)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in _HOME:
            return None
        module, _, attribute = _HOME[cmd_name].partition(":")
        command = getattr(import_module(f"harness.commands.{module}"), attribute)
        assert isinstance(command, click.Command)
        return command

    def invoke(self, ctx: click.Context) -> object:
        try:
            result: object = super().invoke(ctx)
            sys.stdout.flush()
        except BrokenPipeError as error:
            raise ReaderGone from error
        return result


def _debug(ctx: click.Context, _: click.Parameter, value: bool) -> None:
    ctx.ensure_object(State).debug = value


@click.group(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: 0 met, 1 missed, 2 usage or refused, 3 inconclusive, 4 invalid, "
    "5 error of ours.",
)
@click.version_option(__version__, prog_name="peakdrill", message="%(prog)s %(version)s")
@click.option(
    "--debug",
    is_flag=True,
    envvar="PEAKDRILL_DEBUG",
    expose_value=False,
    callback=_debug,
    help="Show the traceback of an error.",
)
def commands() -> None:
    """Break a retail platform on purpose while it trades at its peak, watch it come back, and say
    whether its RTO and RPO were met."""  # noqa: D209


def main(arguments: Sequence[str] | None = None) -> None:
    """Entry point."""
    sys.exit(exit_code(arguments))


def exit_code(arguments: Sequence[str] | None = None) -> int:
    """Run a command line and say how it ended. Messages go to stderr, one for each error."""
    state = State()
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        result = commands.main(given, prog_name="peakdrill", standalone_mode=False, obj=state)
    except PeakdrillError as error:
        return _failed(error, state, str(error), error.exit_code)
    except click.ClickException as error:
        error.show()
        return USAGE
    except (click.Abort, KeyboardInterrupt) as error:
        next_step = "`peakdrill undo` mends what a run may have left broken"
        return _failed(error, state, f"interrupted\n  next: {next_step}", INTERRUPTED)
    except ReaderGone:
        _abandon_stdout()
        return OURS
    except OSError as error:
        if error.errno not in {errno.ENOSPC, errno.EDQUOT}:
            return _ours(error, state)
        _abandon_stdout()
        told = f"the disk is full: {error.filename or 'the output'} cannot be written"
        return _failed(error, state, f"{told}\n  next: free some space, then try again", USAGE)
    except Exception as error:  # noqa: BLE001 (the last one; nothing may leave without a message)
        return _ours(error, state)
    return result if isinstance(result, int) else 0


def _abandon_stdout() -> None:
    """What is still buffered cannot be written; the interpreter would try, and change our code."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (OSError, ValueError):  # no such descriptor: then nothing is tried either
        return


def _failed(error: BaseException, state: State, told: str, code: int) -> int:
    if state.debug:
        import traceback

        traceback.print_exception(error)
    click.echo(f"peakdrill: {told}", err=True)
    return code


def _ours(error: Exception, state: State) -> int:
    """A mistake of peakdrill: a short message, and the traceback where it can be sent from."""
    from harness.commands.crash import save_traceback

    told = f"this is an error of peakdrill, not of your platform: {type(error).__name__}: {error}"
    where = "" if state.debug else save_traceback(error)
    next_step = f"\n  next: report it with {where}" if where else ""
    return _failed(error, state, told + next_step, OURS)


if __name__ == "__main__":
    main()
