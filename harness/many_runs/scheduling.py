"""A command that comes again, as systemd units or a Kubernetes CronJob. Text only: nothing is
installed, and every word of the command is quoted as its reader unquotes it."""  # noqa: D209

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import yaml

from harness.core.cron import Cron
from harness.errors import UsageError
from harness.inputs.words import shown

_UNDO_S = 600  # what a drill that is told to stop may take to undo its fault
_NAME_MAX = 52  # of a CronJob: eleven letters of a Job's name are Kubernetes' own
_USER = 1000  # the image's own


@dataclass(frozen=True, slots=True)
class Repeated:
    """What is repeated, and how often."""

    name: str
    title: str
    words: tuple[str, ...]  # the command after `peakdrill`
    when: Cron
    files: dict[str, str] = field(default_factory=dict)  # name -> text, that it reads


def systemd_units(repeated: Repeated, *, program: Sequence[str], folder: str) -> dict[str, str]:
    """A service and its timer, by the names of their files."""
    name = unit_name(repeated.name)
    command = " ".join(quoted(word) for word in (*program, *repeated.words))
    calendars = "\n".join(f"OnCalendar={line}" for line in repeated.when.calendars())
    title = _specified(_plain(repeated.title))
    service = f"""\
[Unit]
Description={title}
After=network-online.target
Wants=network-online.target

[Service]
Type=oneshot
WorkingDirectory={_specified(_plain(folder))}
ExecStart={command}
KillMode=mixed
TimeoutStopSec={_UNDO_S}
"""
    timer = f"""\
[Unit]
Description={title}, every time

[Timer]
{calendars}
Persistent=false
Unit={name}.service

[Install]
WantedBy=timers.target
"""
    return {f"{name}.service": service, f"{name}.timer": timer}


def quoted(word: str) -> str:
    r"""One word of ExecStart: in quotes, without specifiers and variables.

    >>> print(quoted('50% of "$HOME"'))
    "50%% of \"$$HOME\""
    """
    escaped = _plain(word).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{_specified(escaped).replace("$", "$$")}"'


def unit_name(name: str) -> str:
    """A name that systemd, Kubernetes and a file system all take."""
    slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "drill"
    full = f"peakdrill-{slug}"
    if len(full) <= _NAME_MAX:
        return full
    digest = hashlib.sha256(name.encode()).hexdigest()[:8]
    return f"{full[: _NAME_MAX - 9].rstrip('-')}-{digest}"


def cron_job(repeated: Repeated, *, image: str, claim: str, account: str = "") -> str:
    """A CronJob, and the ConfigMap of the files that it reads.

    `account`: the service account that it speaks to the cluster as. Without one it has no token.
    """
    name = unit_name(repeated.name)
    config = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "labels": _labels()},
        "data": dict(repeated.files),
    }
    job = {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": {
            "name": name,
            "labels": _labels(),
            "annotations": {"peakdrill/title": _plain(repeated.title)},
        },
        "spec": {
            "schedule": repeated.when.text,
            "timeZone": "Etc/UTC",
            "concurrencyPolicy": "Forbid",  # two drills would measure each other
            "startingDeadlineSeconds": 600,
            "jobTemplate": {
                "spec": {"backoffLimit": 0, "template": _pod(repeated, name, image, claim, account)}
            },
        },
    }
    documents = [config, job] if repeated.files else [job]
    return yaml.safe_dump_all(documents, sort_keys=False, default_flow_style=False, width=100)


def _pod(repeated: Repeated, name: str, image: str, claim: str, account: str) -> dict[str, object]:
    mounts = [{"name": "runs", "mountPath": "/var/lib/peakdrill"}]
    volumes: list[dict[str, object]] = [
        {"name": "runs", "persistentVolumeClaim": {"claimName": claim}}
    ]
    mounts += [
        {"name": "plan", "mountPath": f"/etc/peakdrill/{file}", "subPath": file}
        for file in repeated.files
    ]
    if repeated.files:
        volumes.append({"name": "plan", "configMap": {"name": name}})
    container = {
        "name": "peakdrill",
        "image": image,
        "command": ["peakdrill"],
        "args": [_unexpanded(word) for word in repeated.words],
        "workingDir": "/etc/peakdrill" if repeated.files else "/var/lib/peakdrill",
        "env": [{"name": "PEAKDRILL_HOME", "value": "/var/lib/peakdrill/home"}, *_in_pod(account)],
        "volumeMounts": mounts,
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
        },
    }
    return {
        "metadata": {"labels": _labels()},
        "spec": {
            "restartPolicy": "Never",  # a drill that failed is looked at, not tried again
            "terminationGracePeriodSeconds": _UNDO_S,
            **({"serviceAccountName": account} if account else {}),
            "automountServiceAccountToken": bool(account),
            "securityContext": {"runAsNonRoot": True, "runAsUser": _USER, "fsGroup": _USER},
            "containers": [container],
            "volumes": volumes,
        },
    }


def _in_pod(account: str) -> list[dict[str, str]]:
    """The Chaos Toolkit's own client has to be told where it is."""
    return [{"name": "CHAOSTOOLKIT_IN_POD", "value": "true"}] if account else []


def _labels() -> dict[str, str]:
    return {"app.kubernetes.io/name": "peakdrill"}


def _unexpanded(word: str) -> str:
    """Kubernetes expands $(NAME) in arguments; `$$` stands for one dollar where it would.

    >>> _unexpanded("$(HOME) costs $5")
    '$$(HOME) costs $5'
    """
    return _plain(word).replace("$(", "$$(")


def _specified(text: str) -> str:
    return text.replace("%", "%%")


def _plain(text: str) -> str:
    """No control character: a new line would begin another directive. Raises UsageError."""
    if not text.isprintable():
        raise UsageError(f"{shown(text)} holds a control character", next_step="leave it out")
    return text


def listing(units: dict[str, str]) -> str:
    """Units one after another, each under its file's name."""
    return "\n".join(f"# {name}\n{text}" for name, text in units.items())


def as_json(units: dict[str, str]) -> str:
    return json.dumps(units, indent=2, sort_keys=True)
