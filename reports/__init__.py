"""What we show: renderers of a judged run. Pure functions from values to text.

    words.py view.py        how a figure is worded, and the figures that the renderers share
    recovery_view.py        what a recovery by runbook left to show
    html.py pictures.py chart.py   the report that a person reads; templates/ draws the pictures
    json_report.py json_recovery.py json_values.py junit.py   for programs and CI servers
    markdown.py terminal.py        for CI pages and the shell
    gameday_report.py       the post-exercise report of a game day
    write.py                puts the files beside the evidence: the only one that writes
    schema/                 the published JSON Schemas

Escaping is theirs: whatever came from outside (names, notes, reasons) is text and stays text.
May not live here: judgement, I/O beyond reading templates and `write.py`.
"""
