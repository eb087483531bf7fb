"""The shop itself: a user calls a model's method, in one transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shop.audit import AuditLog
from shop.business import documents, generic, invoices, orders, stock, tills
from shop.business.methods import Environment, Method, User, find_method
from shop.business.users import Users
from shop.config import ConfigFile
from shop.database.pool import Pool
from shop.database.session import Session, run
from shop.errors import AccessError, BadCall, UnknownMethod, UnknownModel
from shop.filestore import Filestore
from shop.models import registry

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from shop.config import Config
    from shop.orm.fields import Model

PROBES = 2
PUBLISHED = (documents, generic, invoices, orders, stock, tills)  # imported for their methods


class Shop:
    """One replica's business: everything but HTTP."""

    def __init__(self, config: Config, pool_size: int = 10) -> None:
        self.config = config
        self._file = ConfigFile(config.path, config.dialect)
        self.dialect = config.dialect
        self.registry = registry(config.dialect)
        self.audit = AuditLog(config.audit_log, config.name)
        self.pool = Pool(config.dsn, pool_size, self.refresh)
        # a busy shop is not an unreachable database
        self._probe = Pool(config.dsn, PROBES, self.refresh)
        self.users = Users(self.pool, self.audit)
        self.filestore = Filestore(config.filestore)

    async def call(
        self,
        user: User,
        model_name: str,
        method_name: str,
        arguments: Sequence[object],
        named: Mapping[str, object],
    ) -> object:
        """What execute_kw does. The answer is committed when this returns."""
        model, method = self.resolve(model_name, method_name)
        named = dict(named)
        context = named.pop("context", None) or {}
        assert isinstance(context, dict)
        try:
            bound = method.signature.bind(*arguments, **named)
        except TypeError as error:
            raise BadCall(f"{model_name}.{method_name}() {error}") from error
        allow(user, model, method)

        async def work(session: Session) -> object:
            environment = Environment(self.registry, model, session, user, context, self.filestore)
            return await method.call(environment, *bound.args, **bound.kwargs)

        return await run(self.pool, work, atomic=method.atomic)

    def resolve(self, model_name: str, method_name: str) -> tuple[Model, Method]:
        model = self.registry.get(model_name)
        if model is None:
            raise UnknownModel(model_name)
        if method_name.startswith("_"):
            raise AccessError(
                f"Private methods (such as '{model_name}.{method_name}') cannot be called remotely."
            )
        method = find_method(model_name, method_name, self.dialect)
        if method is None:
            raise UnknownMethod(f"The method '{model_name}.{method_name}' does not exist")
        return model, method

    def refresh(self) -> bool:
        """Take the secrets of a replaced configuration file; whether there was one.

        What was checked against the old ones is forgotten, connections made with them are not
        used again. The queue's are the background work's.
        """
        newer = self._file.newer()
        if newer is None:
            return False
        for pool in (self.pool, self._probe):
            pool.turn_to(newer.dsn)
        self.config = newer
        self.users.forget()
        return True

    async def is_reachable(self) -> bool:
        """Whether a writable database answers just now."""

        async def work(session: Session) -> object:
            return await session.value("SELECT NOT pg_is_in_recovery()")

        try:
            return bool(await run(self._probe, work, atomic=False))
        except Exception:  # noqa: BLE001  whatever it was, the database does not serve
            return False

    async def close(self) -> None:
        await self.pool.close()
        await self._probe.close()


def allow(user: User, model: Model, method: Method) -> None:
    """Access rights, as coarse as a stand-in needs them."""
    verb = "modify" if method.name == "write" else method.name
    if not user.may(model.needs) or (method.writes and not user.may(model.needs_to_write)):
        raise AccessError(
            f"You are not allowed to {verb if method.writes else 'access'}"
            f" '{model.description}' ({model.name}) records."
        )
