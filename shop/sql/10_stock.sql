-- Reservation, delivery and cancellation. Quants are locked in the order of their products, so
-- that two transactions never wait for each other; the check on stock_quant is the last word.

CREATE OR REPLACE FUNCTION shop_refuse(state text, message text) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION USING ERRCODE = state, MESSAGE = message;
END $$;

CREATE OR REPLACE FUNCTION shop_missing(model text, record int, uid int) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION USING ERRCODE = 'OD003', MESSAGE = format(
        E'Record does not exist or has been deleted.\n(Record: %s(%s,), User: %s)',
        model, record, uid);
END $$;

-- The state of a transfer follows from its moves: ready as soon as anything is reserved.
CREATE OR REPLACE FUNCTION shop_picking_state(picking int) RETURNS void
LANGUAGE sql AS $$
    UPDATE stock_picking p SET state = s.state, write_date = now() at time zone 'UTC'
    FROM (SELECT CASE
            WHEN bool_and(m.state = 'cancel') THEN 'cancel'
            WHEN bool_and(m.state IN ('done', 'cancel')) THEN 'done'
            WHEN bool_or(m.state IN ('assigned', 'partially_available')) THEN 'assigned'
            ELSE 'confirmed' END AS state
          FROM stock_move m WHERE m.picking_id = picking) s
    WHERE p.id = picking AND s.state IS NOT NULL AND p.state IS DISTINCT FROM s.state;
$$;

-- Reserve what is free for every move of a transfer that still lacks something.
CREATE OR REPLACE FUNCTION shop_picking_assign(picking int, uid int) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    m record; q record; take numeric; held numeric; ready text;
BEGIN
    PERFORM 1 FROM stock_picking WHERE id = picking FOR UPDATE;
    IF NOT FOUND THEN PERFORM shop_missing('stock.picking', picking, uid); END IF;
    FOR m IN SELECT id, product_id, product_uom_qty AS demand, quantity AS reserved,
                    location_id, location_dest_id
             FROM stock_move
             WHERE picking_id = picking AND state IN ('confirmed', 'partially_available', 'waiting')
             ORDER BY product_id, id
    LOOP
        SELECT id, quantity - reserved_quantity AS free INTO q FROM stock_quant
        WHERE product_id = m.product_id AND location_id = m.location_id FOR UPDATE;
        take := least(m.demand - m.reserved, coalesce(q.free, 0));
        CONTINUE WHEN take <= 0;
        UPDATE stock_quant SET reserved_quantity = reserved_quantity + take,
               write_date = now() at time zone 'UTC' WHERE id = q.id;
        held := m.reserved + take;
        ready := CASE WHEN held >= m.demand THEN 'assigned' ELSE 'partially_available' END;
        UPDATE stock_move SET quantity = held, state = ready WHERE id = m.id;
        UPDATE stock_move_line SET quantity = quantity + take, state = ready WHERE move_id = m.id;
        IF NOT FOUND THEN
            INSERT INTO stock_move_line (move_id, picking_id, product_id, quantity, state,
                                         location_id, location_dest_id, create_uid, write_uid)
            VALUES (m.id, picking, m.product_id, take, ready,
                    m.location_id, m.location_dest_id, uid, uid);
        END IF;
    END LOOP;
    PERFORM shop_picking_state(picking);
END $$;

-- Give back what a transfer holds, and forget its lines.
CREATE OR REPLACE FUNCTION shop_picking_unreserve(picking int, then_state text, uid int)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    m record;
BEGIN
    PERFORM 1 FROM stock_picking WHERE id = picking FOR UPDATE;
    IF NOT FOUND THEN PERFORM shop_missing('stock.picking', picking, uid); END IF;
    FOR m IN SELECT id, product_id, location_id, quantity FROM stock_move
             WHERE picking_id = picking AND state NOT IN ('done', 'cancel')
             ORDER BY product_id, id
    LOOP
        UPDATE stock_quant SET reserved_quantity = reserved_quantity - m.quantity
        WHERE product_id = m.product_id AND location_id = m.location_id AND m.quantity > 0;
        DELETE FROM stock_move_line WHERE move_id = m.id;
        UPDATE stock_move SET quantity = 0, picked = false, state = then_state,
               write_date = now() at time zone 'UTC' WHERE id = m.id;
    END LOOP;
    PERFORM shop_picking_state(picking);
END $$;

CREATE OR REPLACE FUNCTION shop_picking_cancel(picking int, uid int) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM stock_move WHERE picking_id = picking AND state = 'done';
    IF FOUND THEN
        PERFORM shop_refuse('OD001', 'You cannot cancel a stock move that has been set to '
            || '''Done''. Create a return in order to reverse the moves which took place.');
    END IF;
    PERFORM shop_picking_unreserve(picking, 'cancel', uid);
END $$;

-- Somebody counted or scanned: a line's quantity changes, and with it what is reserved.
CREATE OR REPLACE FUNCTION shop_move_set(moves int[], quantity_ numeric, picked_ bool, uid int)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    m record; lines int;
BEGIN
    FOR m IN SELECT id, picking_id, product_id, location_id, location_dest_id, quantity, state
             FROM stock_move WHERE id = ANY (moves) ORDER BY product_id, id FOR UPDATE
    LOOP
        IF quantity_ IS NOT NULL AND m.state NOT IN ('done', 'cancel') THEN
            UPDATE stock_quant SET reserved_quantity = reserved_quantity + quantity_ - m.quantity
            WHERE product_id = m.product_id AND location_id = m.location_id;
            UPDATE stock_move_line SET quantity = quantity_ WHERE move_id = m.id;
            GET DIAGNOSTICS lines = ROW_COUNT;
            IF lines = 0 AND quantity_ > 0 THEN
                INSERT INTO stock_move_line (move_id, picking_id, product_id, quantity, state,
                                             location_id, location_dest_id, create_uid, write_uid)
                VALUES (m.id, m.picking_id, m.product_id, quantity_, 'assigned',
                        m.location_id, m.location_dest_id, uid, uid);
            END IF;
        END IF;
        UPDATE stock_move SET quantity = coalesce(quantity_, quantity),
               picked = coalesce(picked_, picked), write_uid = uid,
               write_date = now() at time zone 'UTC' WHERE id = m.id;
        UPDATE stock_move_line SET picked = coalesce(picked_, picked) WHERE move_id = m.id;
    END LOOP;
END $$;
