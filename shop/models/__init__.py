"""Which models and fields the shop has, with Odoo 19's tables and columns. No behaviour."""

from __future__ import annotations

from functools import cache

from shop.models.account import ACCOUNT
from shop.models.base import BASE
from shop.models.pos import POS
from shop.models.product import PRODUCT
from shop.models.sale import SALE
from shop.models.stock import STOCK
from shop.orm.fields import Registry, build_registry

MODELS = (*BASE, *PRODUCT, *SALE, *STOCK, *ACCOUNT, *POS)


@cache
def registry(dialect: int) -> Registry:
    return build_registry(dialect, MODELS)
