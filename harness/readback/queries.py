"""The read-back's SQL: one set for the shop and for a real Odoo, by Odoo's own names.

A store's query yields integer columns only, so that `PACKED` makes fixed words of them:
worker, seq, id, stage, digest (signed 64 bit), parts, expected. The digest is that of
`core.operation.order_content`, computed where the data lies. May not live here: judgement.
"""

from __future__ import annotations

from psycopg import sql

_SHOP_MOVES_AT_ONCE = 17
_DISPLAY_TYPES_SINCE = 16

ORDERS = """
WITH o AS (
    SELECT id, client_order_ref AS key, state, partner_id, amount_total FROM sale_order
    WHERE client_order_ref LIKE {prefix} AND client_order_ref ~ {pattern} AND {ids}
), l AS (
    SELECT o.id, count(*) AS lines, coalesce(sum(price_total), 0) AS total,
           string_agg(format('%s:%s:%s', product_id, trim_scale(product_uom_qty::numeric),
                             trim_scale(price_unit::numeric * 100)), '|'
                      ORDER BY product_id, product_uom_qty, price_unit) AS content
    FROM o JOIN sale_order_line line ON line.order_id = o.id GROUP BY o.id
), p AS (
    SELECT o.id, bool_and(picking.state = 'done') AS done,
           bool_and(picking.state IN ('assigned', 'done')) AS reserved
    FROM o JOIN stock_picking picking ON picking.sale_id = o.id
    WHERE picking.state <> 'cancel' GROUP BY o.id
), m AS (
    SELECT o.id, count(DISTINCT move.sale_line_id) AS moves,
           bool_and(move.state NOT IN ('assigned', 'done')
                    OR coalesce(ml.quantity, 0) = move.product_uom_qty) AS reserved_whole
    FROM o JOIN stock_picking picking ON picking.sale_id = o.id
    JOIN stock_move move ON move.picking_id = picking.id AND move.state <> 'cancel'
    LEFT JOIN LATERAL (
        SELECT sum({line_quantity}) AS quantity FROM stock_move_line line
        WHERE line.move_id = move.id
    ) ml ON true
    GROUP BY o.id
)
SELECT split_part(o.key, '-', 3)::int, split_part(o.key, '-', 4)::bigint, o.id,
       CASE WHEN o.state = 'cancel' THEN 9
            WHEN o.state IN ('sale', 'done') THEN
                CASE WHEN p.done THEN 4 WHEN p.reserved THEN 3 ELSE 2 END
            ELSE 1 END,
       ('x' || left(md5(concat_ws('|', o.partner_id::text, l.content)), 16))::bit(64)::bigint,
       (coalesce(l.lines, 0) > 0)::int * 1
         + (coalesce(m.moves, 0) = coalesce(l.lines, 0))::int * 2
         + coalesce(m.reserved_whole, false)::int * 4
         + coalesce(abs(o.amount_total - coalesce(l.total, 0))
                    < 0.005 + {rounding} * coalesce(l.lines, 0), false)::int * 8,
       CASE WHEN o.state IN ('sale', 'done') THEN 15 ELSE 9 END
FROM o LEFT JOIN l USING (id) LEFT JOIN p USING (id) LEFT JOIN m USING (id)
"""

POINT_OF_SALE = """
WITH o AS (
    SELECT id, pos_reference AS key, state, partner_id, amount_total FROM pos_order
    WHERE pos_reference LIKE {prefix} AND pos_reference ~ {pattern} AND {ids}
), l AS (
    SELECT o.id, sum(qty) AS sold,
           string_agg(format('%s:%s:%s', product_id, trim_scale(qty::numeric),
                             trim_scale(price_unit::numeric * 100)), '|'
                      ORDER BY product_id, qty, price_unit) AS content
    FROM o JOIN pos_order_line line ON line.order_id = o.id GROUP BY o.id
), pay AS (
    SELECT o.id, sum(payment.amount) AS paid
    FROM o JOIN pos_payment payment ON payment.pos_order_id = o.id GROUP BY o.id
), goods AS (
    SELECT o.id, sum(ml.quantity) AS moved
    FROM o JOIN stock_picking picking ON picking.pos_order_id = o.id
    LEFT JOIN stock_move move ON move.picking_id = picking.id AND move.state = 'done'
    LEFT JOIN LATERAL (
        SELECT sum({line_quantity}) AS quantity FROM stock_move_line line
        WHERE line.move_id = move.id
    ) ml ON true
    GROUP BY o.id
)
SELECT split_part(o.key, '-', 3)::int, split_part(o.key, '-', 4)::bigint, o.id,
       CASE WHEN o.state IN ('paid', 'done', 'invoiced') THEN 1 WHEN o.state = 'cancel' THEN 9
            ELSE 0 END,
       ('x' || left(md5(concat_ws('|', coalesce(o.partner_id, 0)::text, l.content)), 16))
           ::bit(64)::bigint,
       (l.content IS NOT NULL)::int * 1
         + coalesce(goods.moved = l.sold, false)::int * 2
         + coalesce(abs(coalesce(pay.paid, 0) - o.amount_total) < 0.005, false)::int * 8,
       9 + ({moves_at_once} OR goods.id IS NOT NULL)::int * 2
FROM o LEFT JOIN l USING (id) LEFT JOIN pay USING (id) LEFT JOIN goods USING (id)
"""

INVOICES = """
WITH o AS (
    SELECT id, ref AS key, state, partner_id FROM account_move
    WHERE ref LIKE {prefix} AND ref ~ {pattern} AND move_type = 'out_invoice' AND {ids}
), l AS (
    SELECT o.id,
           string_agg(format('%s:%s:%s', product_id, trim_scale(quantity::numeric),
                             trim_scale(price_unit::numeric * 100)), '|'
                      ORDER BY product_id, quantity, price_unit)
             FILTER (WHERE product_id IS NOT NULL
                     AND coalesce(display_type, 'product') = 'product'
                     AND {invoiced}) AS content,
           abs(sum(debit) - sum(credit)) < 0.005 AS balanced
    FROM o JOIN account_move_line line ON line.move_id = o.id GROUP BY o.id
)
SELECT split_part(o.key, '-', 3)::int, split_part(o.key, '-', 4)::bigint, o.id,
       CASE o.state WHEN 'draft' THEN 1 WHEN 'posted' THEN 2 ELSE 9 END,
       ('x' || left(md5(concat_ws('|', o.partner_id::text, l.content)), 16))::bit(64)::bigint,
       (l.content IS NOT NULL)::int * 1 + coalesce(l.balanced, false)::int * 8,
       9
FROM o LEFT JOIN l USING (id)
"""

# A message a row costs more than the row: all go into one, as many as `store_rows` asks for.
PACKED = """
SELECT count(*),
       string_agg(int4send(worker::int) || int4send(seq::int) || int8send(id::bigint)
                  || int2send(stage::int2) || int8send(digest::bigint)
                  || int2send(parts::int2) || int2send(expected::int2), ''::bytea)
FROM ({rows}) found (worker, seq, id, stage, digest, parts, expected)
"""

ATTACHMENTS = """
SELECT a.res_id, a.store_fname, a.checksum
FROM ir_attachment a JOIN sale_order o ON o.id = a.res_id
WHERE a.res_model = 'sale.order' AND a.name LIKE {prefix} AND o.client_order_ref LIKE {prefix}
"""

FOREIGN_ENTRIES = """
SELECT count(*) FROM account_move WHERE ref LIKE {prefix} AND NOT ref ~ {pattern}
"""

# Stock, whoever moved it: what the quants say is reserved is what the move lines hold there. In a
# real Odoo that of the goods that this run ordered: what else lies there is not ours to judge.
STOCK_DISAGREES = """
WITH held AS (
    SELECT line.product_id, line.location_id, sum({line_quantity}) AS quantity
    FROM stock_move_line line JOIN stock_move move ON move.id = line.move_id
    WHERE move.state IN ('assigned', 'partially_available') GROUP BY 1, 2
), quant AS (
    SELECT q.product_id, q.location_id, coalesce(sum(q.reserved_quantity), 0) AS reserved,
           coalesce(min(q.quantity), 0) AS least
    FROM stock_quant q JOIN stock_location loc ON loc.id = q.location_id
    WHERE loc.usage = 'internal' GROUP BY 1, 2
)
SELECT product_id, quant.reserved, coalesce(held.quantity, 0), quant.least
FROM quant LEFT JOIN held USING (product_id, location_id)
WHERE (abs(quant.reserved - coalesce(held.quantity, 0)) > 0.0005 OR quant.least < 0)
  AND ({every_product} OR product_id IN (
        SELECT line.product_id FROM sale_order_line line
        JOIN sale_order o ON o.id = line.order_id WHERE o.client_order_ref LIKE {prefix}))
ORDER BY product_id LIMIT 20
"""


def for_run(
    query: str, run_id: str, *, kind: str, version: int, ids: range | None = None
) -> sql.Composed:
    """`query` bound to one run's keys and to the column names of Odoo's `version`.

    Where there are `ids`, of the records with these alone.

    A key that `key_of` would not have written, with a leading zero or beyond what the ledger can
    number, matches no pattern: it is foreign.
    """
    return sql.SQL(query).format(
        prefix=sql.Literal(f"pd-{run_id}-%"),
        pattern=sql.Literal(pattern_of(run_id)),
        ids=sql.SQL("id >= {} AND id < {}").format(ids.start, ids.stop) if ids else sql.SQL("true"),
        line_quantity=_line_quantity(kind, version),
        every_product=sql.Literal(kind == "shop"),
        invoiced=_invoiced(kind, version),
        # a real Odoo may round taxes per order: a cent a line is no damage there
        rounding=sql.Literal(0 if kind == "shop" else 0.01),
        # a real Odoo moves a till's goods at once or when its session is closed, as it is set up
        moves_at_once=sql.Literal(kind == "shop" and version >= _SHOP_MOVES_AT_ONCE),
    )


def pattern_of(run_id: str) -> str:
    """A regular expression for exactly the keys that a worker of this run may write."""
    return f"^pd-{run_id}-(0|[1-9][0-9]{{0,3}})-(0|[1-9][0-9]{{0,8}})$"


def _invoiced(kind: str, version: int) -> sql.SQL:
    """Lines that stand on the invoice; up to 15, a column of their own leaves out the others."""
    if kind == "shop" or version >= _DISPLAY_TYPES_SINCE:
        return sql.SQL("true")
    return sql.SQL("NOT coalesce(line.exclude_from_invoice_tab, false)")


def _line_quantity(kind: str, version: int) -> sql.SQL:
    """What a move line holds or has moved. The shop has one set of tables for every dialect."""
    if kind == "shop" or version >= 17:
        return sql.SQL("line.quantity")
    done = "CASE WHEN line.state = 'done' THEN line.qty_done "
    if version == 16:
        return sql.SQL(done + "ELSE line.reserved_uom_qty END")
    return sql.SQL(done + "ELSE line.product_uom_qty END")
