-- Quotations and orders: one call, one statement, one transaction.

CREATE OR REPLACE FUNCTION shop_order_total(order_ int) RETURNS void LANGUAGE sql AS $$
    UPDATE sale_order SET amount_untaxed = s.total, amount_total = s.total,
           write_date = now() at time zone 'UTC'
    FROM (SELECT coalesce(sum(price_subtotal), 0) AS total FROM sale_order_line
          WHERE order_id = order_) s
    WHERE id = order_;
$$;

-- Add lines [{product_id, product_uom_qty, price_unit, discount, name}] to an order.
CREATE OR REPLACE FUNCTION shop_order_lines(order_ int, lines jsonb, uid int) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    wanted int := jsonb_array_length(lines); made int; lacking int;
BEGIN
    INSERT INTO sale_order_line (order_id, name, product_id, product_uom_qty, price_unit, discount,
                                 price_subtotal, price_total, state, sequence, create_uid, write_uid)
    SELECT order_, coalesce(raw.x->>'name', '[' || coalesce(pp.default_code, '') || '] ' || pt.name),
           pp.id, l.qty, l.price, l.discount, s.subtotal, s.subtotal,
           (SELECT state FROM sale_order WHERE id = order_),
           coalesce((raw.x->>'sequence')::int, 10), uid, uid
    FROM jsonb_array_elements(lines) WITH ORDINALITY AS raw (x, n)
    JOIN product_product pp ON pp.id = (raw.x->>'product_id')::int
    JOIN product_template pt ON pt.id = pp.product_tmpl_id,
    LATERAL (SELECT coalesce((raw.x->>'product_uom_qty')::numeric, 1) AS qty,
                    coalesce((raw.x->>'price_unit')::numeric, pt.list_price) AS price,
                    coalesce((raw.x->>'discount')::numeric, 0) AS discount) l,
    LATERAL (SELECT round(l.qty * l.price * (1 - l.discount / 100), 2) AS subtotal) s
    ORDER BY raw.n;
    GET DIAGNOSTICS made = ROW_COUNT;
    IF made < wanted THEN
        SELECT (x->>'product_id')::int INTO lacking FROM jsonb_array_elements(lines) x
        WHERE NOT EXISTS (SELECT 1 FROM product_product WHERE id = (x->>'product_id')::int) LIMIT 1;
        IF lacking IS NULL THEN
            PERFORM shop_refuse('OD002', 'Missing required fields on accountable sale order line.');
        END IF;
        PERFORM shop_missing('product.product', lacking, uid);
    END IF;
END $$;

CREATE OR REPLACE FUNCTION shop_order_create(vals jsonb, lines jsonb, uid int) RETURNS int
LANGUAGE plpgsql AS $$
DECLARE
    order_ int; partner int := (vals->>'partner_id')::int;
BEGIN
    IF partner IS NULL THEN
        PERFORM shop_refuse('OD002', 'The operation cannot be completed: Missing required value '
            || 'for the field ''Customer'' (partner_id).');
    END IF;
    PERFORM 1 FROM res_partner WHERE id = partner;
    IF NOT FOUND THEN PERFORM shop_missing('res.partner', partner, uid); END IF;
    INSERT INTO sale_order (name, partner_id, client_order_ref, origin, note, date_order, user_id,
                            state, amount_untaxed, amount_total, create_uid, write_uid)
    SELECT coalesce(vals->>'name', 'S' || lpad(nextval('shop_sale_name')::text, 5, '0')), partner,
           vals->>'client_order_ref', vals->>'origin', vals->>'note',
           coalesce((vals->>'date_order')::timestamp, now() at time zone 'UTC'),
           coalesce((vals->>'user_id')::int, uid), coalesce(vals->>'state', 'draft'),
           s.total, s.total, uid, uid
    FROM (SELECT coalesce(sum(round(coalesce((x->>'product_uom_qty')::numeric, 1)
                 * coalesce((x->>'price_unit')::numeric, (SELECT pt.list_price
                       FROM product_template pt JOIN product_product pp
                       ON pp.product_tmpl_id = pt.id WHERE pp.id = (x->>'product_id')::int))
                 * (1 - coalesce((x->>'discount')::numeric, 0) / 100), 2)), 0) AS total
          FROM jsonb_array_elements(lines) x) s
    RETURNING id INTO order_;
    IF jsonb_array_length(lines) > 0 THEN PERFORM shop_order_lines(order_, lines, uid); END IF;
    RETURN order_;
END $$;

-- Confirm: the order, its transfer, its moves and reservations, and the payment that is owed.
CREATE OR REPLACE FUNCTION shop_order_confirm(orders int[], dialect int, uid int) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    o record; picking int; picking_name text; order_ int;
BEGIN
    FOREACH order_ IN ARRAY orders LOOP
        SELECT * INTO o FROM sale_order WHERE id = order_ FOR UPDATE;
        IF NOT FOUND THEN PERFORM shop_missing('sale.order', order_, uid); END IF;
        IF o.state NOT IN ('draft', 'sent') THEN
            CONTINUE WHEN dialect < 17 AND o.state = 'sale';
            PERFORM shop_refuse('OD001',
                'Some orders are not in a state requiring confirmation.');
        END IF;
        UPDATE sale_order SET state = 'sale', date_order = now() at time zone 'UTC',
               write_uid = uid, write_date = now() at time zone 'UTC' WHERE id = order_;
        UPDATE sale_order_line SET state = 'sale' WHERE order_id = order_;
        IF FOUND THEN
            picking_name := 'WH/OUT/' || lpad(nextval('shop_out_name')::text, 5, '0');
            INSERT INTO stock_picking (name, state, origin, sale_id, partner_id, create_uid, write_uid)
            VALUES (picking_name, 'confirmed', o.name
                    || CASE WHEN dialect BETWEEN 17 AND 18 AND o.client_order_ref IS NOT NULL
                            THEN ' - ' || o.client_order_ref ELSE '' END,
                    order_, o.partner_id, uid, uid) RETURNING id INTO picking;
            INSERT INTO stock_move (reference, name, picking_id, sale_line_id, product_id,
                                    product_uom_qty, state, origin, create_uid, write_uid)
            SELECT picking_name, name, picking, id, product_id, product_uom_qty, 'confirmed',
                   o.name, uid, uid
            FROM sale_order_line WHERE order_id = order_ AND product_id IS NOT NULL ORDER BY id;
            PERFORM shop_picking_assign(picking, uid);
        END IF;
        INSERT INTO shop_outbox (partner, key, payload)
        VALUES ('payment', coalesce(o.client_order_ref, o.name),
                jsonb_build_object('amount', o.amount_total, 'order_id', order_));
    END LOOP;
END $$;

CREATE OR REPLACE FUNCTION shop_order_cancel(orders int[], uid int) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    order_ int; picking int;
BEGIN
    FOREACH order_ IN ARRAY orders LOOP
        UPDATE sale_order SET state = 'cancel', write_uid = uid,
               write_date = now() at time zone 'UTC' WHERE id = order_;
        IF NOT FOUND THEN PERFORM shop_missing('sale.order', order_, uid); END IF;
        UPDATE sale_order_line SET state = 'cancel' WHERE order_id = order_;
        FOR picking IN SELECT id FROM stock_picking
                       WHERE sale_id = order_ AND state NOT IN ('done', 'cancel') ORDER BY id
        LOOP PERFORM shop_picking_cancel(picking, uid); END LOOP;
    END LOOP;
END $$;

-- From the marketplace: one message, one confirmed order, however often it is delivered.
CREATE OR REPLACE FUNCTION shop_market_order(message text, vals jsonb, lines jsonb, dialect int,
                                             uid int) RETURNS int
LANGUAGE plpgsql AS $$
DECLARE
    order_ int; ref text := vals->>'client_order_ref';
BEGIN
    INSERT INTO shop_inbox (key, message_id, order_id) VALUES (ref, message, 0)
    ON CONFLICT (key) DO NOTHING;
    IF NOT FOUND THEN RETURN NULL; END IF;
    order_ := shop_order_create(vals, lines, uid);
    UPDATE shop_inbox SET order_id = order_ WHERE key = ref;
    PERFORM shop_order_confirm(ARRAY[order_], dialect, uid);
    INSERT INTO shop_outbox (partner, key, payload)
    VALUES ('marketplace', ref, jsonb_build_object('order_id', order_));
    RETURN order_;
END $$;
