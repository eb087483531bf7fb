-- Point of sale: a till sends what it sold, perhaps again and again; a uuid becomes one order.

CREATE OR REPLACE FUNCTION shop_pos_goods(order_ int, moved bool, uid int) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    l record; picking int; label text;
BEGIN
    IF NOT moved THEN RETURN; END IF;  -- up to 14 goods move when the session is closed
    label := 'WH/POS/' || lpad(nextval('shop_pos_name')::text, 5, '0');
    INSERT INTO stock_picking (name, state, origin, pos_order_id, picking_type_id, date_done,
                               create_uid, write_uid)
    SELECT label, 'done', name, id, 3, now() at time zone 'UTC', uid, uid
    FROM pos_order WHERE id = order_ RETURNING id INTO picking;
    INSERT INTO stock_move (reference, name, picking_id, product_id, product_uom_qty, quantity,
                            picked, state, create_uid, write_uid)
    SELECT label, name, picking, product_id, qty, qty, true, 'done', uid, uid
    FROM pos_order_line WHERE order_id = order_ ORDER BY id;
    INSERT INTO stock_move_line (move_id, picking_id, product_id, quantity, picked, state,
                                 create_uid, write_uid)
    SELECT id, picking, product_id, quantity, true, 'done', uid, uid
    FROM stock_move WHERE picking_id = picking ORDER BY id;
    FOR l IN SELECT product_id, sum(qty) AS qty FROM pos_order_line WHERE order_id = order_
             GROUP BY product_id ORDER BY product_id
    LOOP
        UPDATE stock_quant SET quantity = quantity - l.qty, write_date = now() at time zone 'UTC'
        WHERE product_id = l.product_id AND location_id = 1
          AND quantity - reserved_quantity >= l.qty;
        IF NOT FOUND THEN
            PERFORM shop_refuse('OD001', 'There is not enough stock of product ' || l.product_id);
        END IF;
    END LOOP;
END $$;

-- One order of a till: its id, and whether it is new.
CREATE OR REPLACE FUNCTION shop_pos_one(sent jsonb, dialect int, uid int, OUT order_ int,
                                        OUT fresh bool)
LANGUAGE plpgsql AS $$
DECLARE
    till record; key text := sent->>'uuid'; session int := (sent->>'session_id')::int; number int;
BEGIN
    SELECT s.id, s.config_id, c.name INTO till FROM pos_session s
    JOIN pos_config c ON c.id = s.config_id WHERE s.id = session;
    IF NOT FOUND THEN PERFORM shop_missing('pos.session', session, uid); END IF;
    number := coalesce((sent->>'sequence_number')::int, 1);
    INSERT INTO pos_order (name, uuid, pos_reference, access_token, session_id, config_id,
                           partner_id, user_id, date_order, state, sequence_number, amount_tax,
                           amount_total, amount_paid, amount_return, create_uid, write_uid)
    VALUES (CASE WHEN dialect >= 19 THEN till.name || ' - ' || right(key, 12)
                 ELSE till.name || '/' || lpad(number::text, 4, '0') END,
            key, coalesce(sent->>'pos_reference', sent->>'name', key), sent->>'access_token',
            session, till.config_id, (sent->>'partner_id')::int, (sent->>'user_id')::int,
            coalesce((sent->>'date_order')::timestamp, now() at time zone 'UTC'),
            coalesce(sent->>'state', 'paid'), number, (sent->>'amount_tax')::numeric,
            (sent->>'amount_total')::numeric, (sent->>'amount_paid')::numeric,
            (sent->>'amount_return')::numeric, uid, uid)
    ON CONFLICT (uuid) DO NOTHING RETURNING id INTO order_;
    fresh := order_ IS NOT NULL;
    IF NOT fresh THEN
        SELECT id INTO order_ FROM pos_order WHERE uuid = key;
        RETURN;
    END IF;
    INSERT INTO pos_order_line (order_id, name, uuid, product_id, qty, price_unit, discount,
                                price_subtotal, price_subtotal_incl, full_product_name,
                                create_uid, write_uid)
    SELECT order_, 'Line ' || n, x->>'uuid', (x->>'product_id')::int,
           coalesce((x->>'qty')::numeric, 1), (x->>'price_unit')::numeric,
           coalesce((x->>'discount')::numeric, 0), (x->>'price_subtotal')::numeric,
           coalesce((x->>'price_subtotal_incl')::numeric, (x->>'price_subtotal')::numeric),
           x->>'full_product_name', uid, uid
    FROM jsonb_array_elements(sent->'lines') WITH ORDINALITY AS e (x, n);
    INSERT INTO pos_payment (pos_order_id, session_id, payment_method_id, name, uuid, amount,
                             create_uid, write_uid)
    SELECT order_, session, (x->>'payment_method_id')::int, x->>'name', x->>'uuid',
           (x->>'amount')::numeric, uid, uid
    FROM jsonb_array_elements(sent->'payments') AS e (x);
    PERFORM shop_pos_goods(order_, dialect >= 17, uid);
END $$;

CREATE OR REPLACE FUNCTION shop_pos_sync(orders jsonb, dialect int, uid int)
RETURNS TABLE (order_ int, fresh bool) LANGUAGE plpgsql AS $$
DECLARE
    one jsonb;
BEGIN
    FOR one IN SELECT x FROM jsonb_array_elements(orders) AS e (x) LOOP
        SELECT s.order_, s.fresh INTO order_, fresh FROM shop_pos_one(one, dialect, uid) s;
        RETURN NEXT;
    END LOOP;
END $$;
