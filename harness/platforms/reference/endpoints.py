"""Where to look on a reference stack: its doors on this machine. Holds no secret."""

from __future__ import annotations

from harness.platforms.capabilities import Endpoints
from harness.platforms.embedded import ingress, postgres, s3
from harness.platforms.embedded.credentials import ADMIN_LOGIN, READER, files_of
from harness.platforms.embedded.layout import Layout, Options
from harness.platforms.reference.ports import Ports
from harness.platforms.reference.site import MEMBERS


def endpoints(layout: Layout, ports: Ports, options: Options) -> Endpoints:
    """Replicas are reached through the ingress alone, documents through the platform."""
    named, files = ports.named(), files_of(layout)
    databases = [ports.pg(member) for member in MEMBERS]
    return Endpoints(
        application_url=ingress.url(named),
        application_replicas=(),
        database=postgres.DATABASE,
        login=ADMIN_LOGIN,
        password_file=files.admin_password,
        dsn=postgres.dsn(databases, files.reader_pass, user=READER),
        kind="shop",
        version=options.dialect,
        queue_url=ingress.queue_url(named),
        queue_password_file=files.valkey_password,
        filestore=None,
        s3_url=s3.url(named),
        s3_credentials_file=files.aws_credentials,
        s3_bucket=s3.BUCKET,
        partners_url=f"http://127.0.0.1:{ports.partners}",
        queue_inside_url=f"redis://127.0.0.1:{ports.queue}/0" if ports.queue else "",
    )
