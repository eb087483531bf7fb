"""The first page of an auditor's bundle: what holds, which clauses it speaks for, run by run."""

from __future__ import annotations

from harness.evidence.export import Index
from harness.evidence.findings import State
from reports.templating import page_environment

_VERDICT_OF = {
    State.INTACT: "met",
    State.INCOMPLETE: "inconclusive",
    State.UNSIGNED: "inconclusive",
    State.DAMAGED: "missed",
}


def render_bundle(index: Index) -> str:
    """One self-contained page; no script, nothing fetched."""
    return page_environment().get_template("bundle.html.j2").render(
        index=index, headline=headline(index), state=index.worst, colour=_VERDICT_OF[index.worst],
        by_key=sorted({(run.key_id, run.self_signed) for run in index.runs if run.key_id}),
    )  # fmt: skip


def headline(index: Index) -> str:
    """One sentence: does the evidence of the period hold, and what does it show?"""
    shown = [control for control in index.controls if control.status == "shown"]
    clauses = f"{len(shown)} of {len(index.controls)} things that the clauses ask for are shown"
    if shown and all(control.limits for control in shown if control.runs):
        clauses += ", each only within the limits that stand beside it"
    own = sum(1 for run in index.runs if run.self_signed)
    if own:
        clauses += f"; {own} runs are self-signed, by keys that nobody vouched for"
    period = f"{len(index.runs)} runs from {index.period.first} to {index.period.last}"
    if index.worst is State.INTACT:
        return f"{period}, all as they were signed; {clauses}"
    counts = [
        f"{number} {state.value}"
        for state in (State.DAMAGED, State.UNSIGNED, State.INCOMPLETE)
        if (number := sum(1 for run in index.runs if run.state is state))
    ]
    lost = [f"{len(index.gone)} gone"] if index.gone else []
    odd = [f"{len(index.unreadable)} unreadable"] if index.unreadable else []
    chain = ["the chain does not hold"] if index.chain_problems else []
    return f"{period}: {', '.join([*counts, *lost, *odd, *chain])}; {clauses}"
