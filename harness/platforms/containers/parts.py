"""How each container is started: image, role, what it is told, its volume and its doors.

A part that crashes is started again by Docker, as Kubernetes would; one that was killed is not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from harness.inputs.containers_file import (
    REFERENCE_IMAGE,
    ApplicationRun,
    ContainersOptions,
    DatabaseRun,
    PartRun,
)
from harness.platforms.containers import daemon, names, own_ingress, secret_files
from harness.platforms.containers.state import State
from harness.platforms.embedded.layout import Layout
from harness.platforms.reference.site import INGRESS, KEEPER, MEMBERS, PARTNERS, QUEUE, STORE

_LOOPBACK = "127.0.0.1"
_PROGRAM: tuple[str, ...] = ("python3", "-m", "harness.platforms.reference.inside")
USER = "1000:1000"
_SHARED_MEMORY = "256m"  # a parallel query's; Docker's own 64 MB end it
_LOGS = {"max-size": "20m", "max-file": "2"}
FILESTORE = "filestore"
_ROLES = {
    **dict.fromkeys(MEMBERS, "database"),
    **dict.fromkeys(names.REPLICAS, "application"),
    QUEUE: "cache",
}
_ADDRESSES = {
    "DATABASE": ",".join(f"{member}:5432" for member in MEMBERS),
    "QUEUE": f"{QUEUE}:6379",
    "STORE": f"{STORE}:8333",
    "PARTNERS": f"{PARTNERS}:8090",
    "CONSENSUS": f"{names.CONSENSUS}:2379",
    "ROUTES": "file",
}


@dataclass(frozen=True, slots=True)
class Part:
    """One container, before it is started."""

    name: str
    role: str
    image: str
    entrypoint: tuple[str, ...]  # (): the image's own
    command: tuple[str, ...]
    environment: Mapping[str, str]
    doors: Mapping[int, int]  # port inside -> on 127.0.0.1
    volumes: Mapping[str, str]  # volume -> folder inside
    secrets: Path
    is_ours: bool  # it runs the reference roles, as their user and with no privilege
    user: str = ""  # of one that is not ours; "": the image's own
    begins_again: bool = True  # where it ends with an error


def part_of(layout: Layout, state: State, name: str) -> Part:
    """As the platform's options have it."""
    options = state.options
    role = _ROLES.get(name, name)
    asked = _asked(options, role)
    entrypoint, command, ours = _started(options, role)
    return Part(
        name=name,
        role=role,
        image=getattr(options.images, role),
        entrypoint=entrypoint,
        command=command,
        environment=_environment(state, name, role),
        doors=_doors(state).get(name, {}),
        volumes=_volumes(state, name, role),
        secrets=secret_files.folder(layout, secret_files.seen_by(options, role)),
        is_ours=ours,
        user=asked.user if asked else "",
    )


def install_of(layout: Layout, state: State) -> Part | None:
    """What prepares the application's database once, before a replica starts; None: nothing."""
    words = state.options.application.install
    if not words:
        return None
    replica = part_of(layout, state, names.REPLICAS[0])
    return replace(
        replica,
        name=names.INSTALL,
        entrypoint=words[:1],
        command=words[1:],
        volumes={at: folder for at, folder in replica.volumes.items() if folder != "/data"},
        begins_again=False,
        doors={},
    )


def _volumes(state: State, name: str, role: str) -> dict[str, str]:
    """One of its own, and the documents' where they are made and kept."""
    options = state.options
    mine = names.volume(state.platform_id, name, state.environment)
    documents = names.volume(state.platform_id, FILESTORE, state.environment)
    if role == "application":
        return {mine: "/data", documents: options.application.filestore}
    if role == "keeper":
        return {mine: "/data", documents: "/filestore"}
    asked = _asked(options, role)
    if isinstance(asked, DatabaseRun | PartRun) and not asked.is_role:
        return {mine: asked.data}
    return {mine: "/data"}


def start(state: State, part: Part, labels: Mapping[str, str]) -> None:
    """Volumes, then the container, running. Raises PlatformError."""
    from testcontainers.core.container import DockerContainer
    from testcontainers.core.network import Network

    found = daemon.client()
    told = {**labels, names.PART: part.name}
    with daemon.asking(f"starting {part.name}"):
        for volume in part.volumes:
            found.volumes.create(volume, labels=told)  # harmless where it is there
        network = Network()
        network.name = names.network(state.platform_id, state.environment)
        container = (
            DockerContainer(part.image)
            .with_name(names.container(state.platform_id, part.name, state.environment))
            .with_envs(**part.environment)
            .with_network(network)
            .with_network_aliases(part.name)
            .with_volume_mapping(part.secrets, "/secrets", "ro")
        )
        for volume, folder in part.volumes.items():
            container.with_volume_mapping(volume, folder, "rw")
        for inside, outside in part.doors.items():
            # the address as well: only this machine may knock
            container.ports[f"{inside}/tcp"] = (_LOOPBACK, outside)  # type: ignore[assignment]
        if part.is_ours:
            container.with_tmpfs_mount("/tmp", "size=64m")  # noqa: S108  its own, and in memory
        if part.command and not part.entrypoint:
            container.with_command(list(part.command))
        container.with_kwargs(**_as_docker_has_it(part, told)).start()


def _as_docker_has_it(part: Part, labels: Mapping[str, str]) -> dict[str, Any]:
    from docker.types import LogConfig

    wanted: dict[str, Any] = {
        "labels": dict(labels),
        "hostname": part.name,
        "restart_policy": {"Name": "on-failure" if part.begins_again else "no"},
        "security_opt": ["no-new-privileges"],
        "shm_size": _SHARED_MEMORY,
        "log_config": LogConfig(type="json-file", config=_LOGS),
        "detach": True,
    }
    if part.entrypoint:
        wanted["entrypoint"] = [*part.entrypoint, *part.command]
    if part.is_ours:
        wanted |= {"user": USER, "cap_drop": ["ALL"]}
    elif part.user:
        wanted["user"] = part.user
    return wanted


def _asked(options: ContainersOptions, role: str) -> ApplicationRun | DatabaseRun | PartRun | None:
    """What its file says of how a part is started."""
    if role == "application":
        return options.application
    if role == "database":
        return options.database
    return {"cache": options.cache, INGRESS: options.ingress}.get(role)


def _started(
    options: ContainersOptions, role: str
) -> tuple[tuple[str, ...], tuple[str, ...], bool]:
    """The reference role; of what is not ours a command that is given, or the image's own."""
    asked = _asked(options, role)
    if asked is None or asked.is_role:
        ours = role != "application" or options.images.application == REFERENCE_IMAGE
        return _PROGRAM, (role,), ours
    if role == INGRESS and not asked.command:
        return (), own_ingress.COMMAND, False
    return asked.command[:1], asked.command[1:], False


def _environment(state: State, name: str, role: str) -> dict[str, str]:
    asked, application = state.asked, state.options.application
    told = {
        "NAME": name,
        "ADDRESS": name,
        **_ADDRESSES,
        "REPLICAS": ",".join(f"{replica}:{application.port}" for replica in names.REPLICAS),
        "HEALTH": application.health,
        "DIALECT": str(asked.dialect),
        "SYNCHRONOUS": "true" if asked.synchronous else "false",
        "LEADER_TTL_S": str(asked.leader_ttl_s),
    }
    if state.environment:  # a clean room's: what its databases begin with is a restore
        told["AWAIT_RESTORE"] = "true"
    ours = {f"PEAKDRILL_{key}": value for key, value in told.items()}
    also = _asked(state.options, role)
    return {**(dict(also.environment) if also else {}), **ours}


def _doors(state: State) -> dict[str, dict[int, int]]:
    """Each where it has a number on this machine."""
    ports, application = state.ports, state.options.application
    beside = {QUEUE: {6379: ports.queue}, names.REPLICAS[0]: {application.port: ports.application}}
    return {
        **{name: doors for name, doors in beside.items() if all(doors.values())},
        MEMBERS[0]: {5432: ports.pg_0, 8008: ports.patroni_0},
        MEMBERS[1]: {5432: ports.pg_1, 8008: ports.patroni_1},
        INGRESS: {8080: ports.ingress, 6380: ports.queue_door, 8081: ports.ingress_api},
        STORE: {8333: ports.store},
        PARTNERS: {8090: ports.partners},
        KEEPER: {},
    }
