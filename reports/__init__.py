"""What we show: renderers of a run, and of what many runs come to. Pure, from values to text.

    words.py view.py        how a figure is worded, and the figures that the renderers share
    recovery_view.py money_view.py   what a recovery by runbook left to show; what was at risk
    templating.py           the one environment of every page
    html.py pictures.py chart.py   the report that a person reads; templates/ draws the pictures
    json_*.py junit.py      for programs and CI servers
    markdown.py terminal.py        for CI pages and the shell
    gate_*.py readiness_*.py history_text.py   the answers over many runs, each as its commands need
    gameday_report.py       the post-exercise report of a game day
    bundle_page.py live_page.py   the first page of an auditor's bundle; the pages of `serve`
    write.py                puts the files beside the evidence: the only one that writes
    schema/                 the published JSON Schemas

Escaping is theirs: whatever came from outside (names, notes, reasons) is text and stays text.
May not live here: judgement, I/O beyond reading templates and `write.py`.
"""
