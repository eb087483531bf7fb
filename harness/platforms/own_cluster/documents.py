"""The filestore in an application's pod, read by an exec: a shell, find and tar are enough."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from harness.errors import PlatformError
from harness.inputs.own_cluster_file import PodFolder
from harness.platforms.documents import is_name
from harness.platforms.kubernetes import execution
from harness.platforms.own_cluster.pods import APPLICATION, OwnPods
from harness.platforms.reference.inside.documents import unpack

_LIST = 'cd "$1" && find . -type f'
_READ = (
    'cd "$1" && while IFS= read -r name; do [ -f "$name" ] && echo "$name"; done | tar -cf - -T -'
)
_AT_ONCE = 500
_WITHIN_S = 120.0
_TOLD = 300


@dataclass(frozen=True, slots=True)
class PodDocuments:
    """Only read: nobody here writes into somebody's filestore."""

    pods: OwnPods
    folder: PodFolder

    def names(self) -> frozenset[str]:
        told = self._run(_LIST).decode("utf-8", errors="replace").splitlines()
        named = (line.removeprefix("./") for line in told)
        return frozenset(name for name in named if is_name(name))

    def contents(self, names: Iterable[str]) -> Iterator[bytes | None]:
        wanted = list(names)
        for begin in range(0, len(wanted), _AT_ONCE):
            some = wanted[begin : begin + _AT_ONCE]
            yield from self._read(some)

    def write(self, contents: Mapping[str, bytes]) -> None:
        raise PlatformError(f"{len(contents)} documents would be written into somebody's filestore")

    def mirrored(self, store_fname: str) -> bytes | None:
        raise self._no_mirror(store_fname)

    def mirrored_names(self) -> frozenset[str]:
        raise self._no_mirror("all")

    def mirror_is_complete(self) -> bool:
        raise self._no_mirror("all")

    def _read(self, names: list[str]) -> Iterator[bytes | None]:
        sound = sorted({name for name in names if is_name(name)})
        packed = self._run(_READ, "".join(f"{name}\n" for name in sound).encode()) if sound else b""
        try:
            found = dict(unpack(io.BytesIO(packed))) if packed else {}
        except tarfile.TarError as error:
            raise PlatformError(f"what tar in the pod wrote is no tar: {error}") from error
        return (found.get(name) for name in names)

    def _run(self, script: str, stdin: bytes = b"") -> bytes:
        ready = self.pods.ready(APPLICATION) or self.pods.some(APPLICATION)
        place = ready[0].place(self.pods.options.namespace, self.folder.container)
        words = ("sh", "-c", script, "sh", self.folder.path)
        ran = execution.run(self.pods.cluster, place, words, stdin=stdin, within_s=_WITHIN_S)
        if ran.code != 0:
            said = ran.stderr.decode(errors="replace").strip()[-_TOLD:]
            raise PlatformError(
                f"documents cannot be read in {place}, {self.folder.path}: exit code {ran.code}: "
                f"{said}",
                next_step="documents: pod: in platform.yaml; its image needs sh, find and tar",
            )
        return ran.stdout

    def _no_mirror(self, what: str) -> PlatformError:
        return PlatformError(f"nobody said where copies of the documents are ({what})")
