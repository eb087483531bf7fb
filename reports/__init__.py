"""What we show: renderers of a judged run. Pure functions from values to text.

    words.py view.py        how a figure is worded, and the figures that the renderers share
    html.py pictures.py chart.py   the report that a person reads; templates/ draws the pictures
    json_report.py junit.py markdown.py terminal.py   for programs, CI servers and the shell
    write.py                puts the files beside the evidence: the only one that writes
    schema/                 the published JSON Schemas

Escaping is theirs: whatever came from outside (names, notes, reasons) is text and stays text.
May not live here: judgement, I/O beyond reading templates and `write.py`.
"""
