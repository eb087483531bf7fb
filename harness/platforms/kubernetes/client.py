"""The one place that makes a client of a cluster's API, and that knows what its failures mean.

Every call is bounded. What comes back is the API's JSON; objects.py makes small values of it.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import urllib3
from kubernetes import client, config
from kubernetes.client.exceptions import ApiException
from kubernetes.config.config_exception import ConfigException

from harness.errors import PlatformError
from harness.platforms.kubernetes.where import IN_CLUSTER, Where

MANAGER = "peakdrill"
JSON, MERGE = "application/json", "application/merge-patch+json"
APPLY = "application/apply-patch+yaml"
_CONNECT_S, _ANSWER_S = 3.0, 15.0
_FORBIDDEN = re.compile(
    r'cannot (?P<verb>\S+) resource "(?P<resource>[^"]+)" in API group "(?P<group>[^"]*)"'
    r'(?: in the namespace "(?P<namespace>[^"]+)"| (?P<everywhere>at the cluster scope))?'
)


class NotThere(PlatformError):
    """The API has no such object."""


class Silent(PlatformError):
    """The API gave no answer in time, or none of its own: nothing is known."""


class Cluster:
    """A cluster as its API has it."""

    def __init__(self, configuration: client.Configuration, where: Where) -> None:
        self.configuration, self.where = configuration, where
        self._api = client.ApiClient(configuration)

    def get(self, path: str, *, within_s: float = _ANSWER_S, **query: Any) -> Any:
        return self.call("GET", path, query=query, within_s=within_s)

    def text(
        self, path: str, query: Mapping[str, str] | None = None, *, within_s: float = _ANSWER_S
    ) -> str:
        """What is no JSON: logs, and what is answered through a proxy."""
        return str(self.call("GET", path, query=query, within_s=within_s, kind="str"))

    def find(self, path: str, **query: Any) -> Any:
        """None where there is no such object."""
        try:
            return self.get(path, **query)
        except NotThere:
            return None

    def call(
        self,
        method: str,
        path: str,
        *,
        body: object = None,
        query: Mapping[str, str] | None = None,
        content: str = JSON,
        within_s: float = _ANSWER_S,
        kind: str = "object",
    ) -> Any:
        """One request. Raises NotThere, Silent, PlatformError."""
        headers = {"Accept": "*/*" if kind == "str" else JSON, "Content-Type": content}
        try:
            return self._api.call_api(
                path, method, query_params=list((query or {}).items()), header_params=headers,
                body=body, response_type=kind, auth_settings=["BearerToken"],
                _return_http_data_only=True, _request_timeout=(min(_CONNECT_S, within_s), within_s),
            )  # fmt: skip
        except ApiException as error:
            raise explained(error, f"{method} {path}", self.where) from error
        except urllib3.exceptions.HTTPError as error:
            raise _silent(self.where, error) from error

    @cached_property
    def version(self) -> str:
        """The server's own, such as v1.29.3."""
        return str(self.get("/version")["gitVersion"])

    def serves(self, group: str, version: str) -> bool:
        """Whether the API has this version of a group."""
        return self.find(f"/apis/{group}/{version}") is not None

    def may(self, verb: str, resource: str, namespace: str = "", *, group: str = "") -> bool:
        """Whether the API would let us; nothing is done."""
        name, _, part = resource.partition("/")
        attributes = {"verb": verb, "resource": name, "subresource": part, "group": group}
        review = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": {**attributes, "namespace": namespace}},
        }
        path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
        return bool(self.call("POST", path, body=review)["status"].get("allowed"))

    def apply(self, path: str, document: Mapping[str, object]) -> Any:
        """Server-side: made, or changed to what is asked; the fields of others stay theirs."""
        return self.call(
            "PATCH", path, body=dict(document), content=APPLY,
            query={"fieldManager": MANAGER, "force": "true"},
        )  # fmt: skip

    def patch(self, path: str, change: Mapping[str, object]) -> Any:
        """A merge: what is named changes, null takes away."""
        query = {"fieldManager": MANAGER}
        return self.call("PATCH", path, body=dict(change), content=MERGE, query=query)

    def delete(self, path: str, **query: str) -> None:
        """Harmless when it is gone."""
        try:
            self.call("DELETE", path, query=query)
        except NotThere:
            return


def connect(context: str = "", kubeconfig: str = "") -> Cluster:
    """A client of a context, the current one by default; in a pod of its service account.

    Nothing is asked yet. Raises PlatformError where no kubeconfig names it.
    """
    configuration = client.Configuration()
    file = kubeconfig or os.environ.get("KUBECONFIG", "")
    try:
        if not file and _is_inside():
            if context not in ("", IN_CLUSTER):
                raise PlatformError(
                    f"there is no context {context} in a pod without a kubeconfig",
                    next_step="leave context: out of platform.yaml; the service account counts",
                )
            config.load_incluster_config(client_configuration=configuration)
            where = Where(IN_CLUSTER, str(configuration.host), "")
        else:
            name = context or _current(file)
            config.load_kube_config(
                config_file=file or None, context=name, client_configuration=configuration
            )
            where = Where(name, str(configuration.host), _absolute(file))
    except (ConfigException, OSError) as error:
        raise PlatformError(
            f"no cluster can be found: {error}",
            next_step="set KUBECONFIG, or name one of `kubectl config get-contexts` as context:",
        ) from error
    # one try: whoever asks again knows why, and a watch on a dying node counts in seconds
    configuration.retries = urllib3.Retry(total=1, connect=1, read=0, redirect=0, status=0)
    return Cluster(configuration, where)


def explained(error: ApiException, what: str, where: Where) -> PlatformError:
    """What the API's refusal means, and what to do about it."""
    told = _message(error)
    if error.status == 403:
        return PlatformError(
            f"the cluster does not allow it: {_missing_right(told)} ({where})",
            next_step="grant it by a Role and a RoleBinding; `peakdrill platform check` lists "
            "every right that is needed",
        )
    if error.status == 401:
        return PlatformError(
            f"the cluster does not know who asks ({where})",
            next_step="renew the credentials of this context in the kubeconfig",
        )
    if error.status == 404:
        return NotThere(f"the cluster has none such: {told} ({where})")
    if not error.status or error.status >= 500:
        return Silent(f"the cluster did not carry out {what}: {told} ({where})")
    return PlatformError(f"the cluster refused {what}: HTTP {error.status} {told} ({where})")


def _missing_right(told: str) -> str:
    found = _FORBIDDEN.search(told)
    if found is None:
        return told
    resource = f"{found['resource']}.{found['group']}" if found["group"] else found["resource"]
    place = f"in namespace {found['namespace']}" if found["namespace"] else "cluster-wide"
    return f"the right to {found['verb']} {resource} {place} is missing"


def _message(error: ApiException) -> str:
    """The API's own sentence, where it wrote one."""
    try:
        told = json.loads(error.body or "")["message"]
    except (ValueError, KeyError, TypeError):
        told = error.body or error.reason or "no answer"
    return " ".join(str(told).split())[:400]


def _silent(where: Where, error: Exception) -> Silent:
    why = type(error).__name__
    if isinstance(error, urllib3.exceptions.MaxRetryError) and error.reason is not None:
        why = type(error.reason).__name__
    return Silent(
        f"the cluster does not answer ({where}): {why}",
        next_step=f"is it up? `kubectl --context {where.context} get nodes` should list its nodes",
    )


def _current(file: str) -> str:
    _, current = config.list_kube_config_contexts(config_file=file or None)
    return str(current["name"])


def _absolute(file: str) -> str:
    """As KUBECONFIG has them, several with colons between them; for another working folder."""
    default = os.path.expanduser("~/.kube/config")  # noqa: PTH111  as the client spells it
    return os.pathsep.join(str(Path(p).absolute()) for p in (file or default).split(os.pathsep))


def _is_inside() -> bool:
    """A pod, and no kubeconfig where one lies by default."""
    default = Path(_absolute(""))
    return "KUBERNETES_SERVICE_HOST" in os.environ and not default.exists()
