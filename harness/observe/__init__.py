"""What other systems say of a drill, and what a drill tells them.

    alerts.py, alert_watch.py    in: the platform's own alerts, for time to detect and guard rails
    spans.py, metrics.py         the run as phases and as figures; pure, nothing is sent
    otlp.py, textfile.py, annotations.py      out: a collector, a Prometheus text file, Grafana
    destinations.py, export.py   where to, and the one call that sends it all
    wire.py                      HTTP with a deadline, a size limit and secrets by file

Everything here is off unless somebody asked for it, and nothing that goes wrong here changes a
verdict: it is told. May not live here: judgement, and an import of opentelemetry that is not lazy.
"""
