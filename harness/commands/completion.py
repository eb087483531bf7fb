"""`peakdrill completion`: the script that a shell reads."""

from __future__ import annotations

import click

from harness.errors import UsageError

_HOW = {
    "bash": 'eval "$(peakdrill completion bash)" in ~/.bashrc',
    "zsh": 'eval "$(peakdrill completion zsh)" in ~/.zshrc, after compinit',
    "fish": "peakdrill completion fish > ~/.config/fish/completions/peakdrill.fish",
}


@click.command(epilog="To use it: " + "; ".join(_HOW.values()))
@click.argument("shell", type=click.Choice(list(_HOW)))
@click.pass_context
def completion(ctx: click.Context, *, shell: str) -> int:
    """Print the completion script of a shell."""
    from click.shell_completion import get_completion_class

    script = get_completion_class(shell)
    if script is None:  # a click that does not know the shell
        raise UsageError(f"there is no completion for {shell}")
    root = ctx.find_root().command
    click.echo(script(root, {}, "peakdrill", "_PEAKDRILL_COMPLETE").source())
    return 0
