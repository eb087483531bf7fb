-- The end of a transfer: goods leave, the order's lines are delivered, the carrier is owed a call.

-- What pressing "Validate" would do: 'done', 'nothing', 'immediate' or 'backorder'.
CREATE OR REPLACE FUNCTION shop_picking_question(picking int, dialect int) RETURNS text
LANGUAGE sql STABLE AS $$
    SELECT CASE
        WHEN bool_and(m.state IN ('done', 'cancel')) THEN 'nothing'
        WHEN dialect < 17 AND NOT bool_or(m.picked) THEN 'immediate'
        WHEN sum(CASE WHEN m.picked OR NOT p.any_picked THEN m.quantity ELSE 0 END)
             < sum(m.product_uom_qty) THEN 'backorder'
        ELSE 'done' END
    FROM stock_move m,
         (SELECT bool_or(picked) AS any_picked FROM stock_move WHERE picking_id = picking) p
    WHERE m.picking_id = picking AND m.state <> 'cancel';
$$;

-- What was not delivered becomes a transfer of its own.
CREATE OR REPLACE FUNCTION shop_picking_backorder(picking int, uid int) RETURNS int
LANGUAGE plpgsql AS $$
DECLARE
    rest int;
BEGIN
    PERFORM 1 FROM stock_move WHERE picking_id = picking AND state NOT IN ('done', 'cancel')
        AND product_uom_qty > quantity;
    IF NOT FOUND THEN RETURN NULL; END IF;
    INSERT INTO stock_picking (name, state, origin, sale_id, partner_id, picking_type_id,
                               location_id, location_dest_id, backorder_id, create_uid, write_uid)
    SELECT 'WH/OUT/' || lpad(nextval('shop_out_name')::text, 5, '0'), 'confirmed', origin, sale_id,
           partner_id, picking_type_id, location_id, location_dest_id, id, uid, uid
    FROM stock_picking WHERE id = picking RETURNING id INTO rest;
    INSERT INTO stock_move (reference, name, picking_id, sale_line_id, product_id, product_uom_qty,
                            state, origin, location_id, location_dest_id, create_uid, write_uid)
    SELECT p.name, m.name, rest, m.sale_line_id, m.product_id, m.product_uom_qty - m.quantity,
           'confirmed', m.origin, m.location_id, m.location_dest_id, uid, uid
    FROM stock_move m, stock_picking p
    WHERE m.picking_id = picking AND p.id = rest AND m.state NOT IN ('done', 'cancel')
      AND m.product_uom_qty > m.quantity ORDER BY m.id;
    UPDATE stock_move SET product_uom_qty = quantity
    WHERE picking_id = picking AND state NOT IN ('done', 'cancel')
      AND product_uom_qty > quantity AND quantity > 0;
    RETURN rest;
END $$;

CREATE OR REPLACE FUNCTION shop_picking_done(picking int, backorder bool, dialect int,
                                             uid int) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    m record; p record; rest int; any_picked bool;
BEGIN
    SELECT * INTO p FROM stock_picking WHERE id = picking FOR UPDATE;
    IF NOT FOUND THEN PERFORM shop_missing('stock.picking', picking, uid); END IF;
    IF p.state IN ('done', 'cancel') THEN RETURN; END IF;
    SELECT bool_or(picked) INTO any_picked FROM stock_move WHERE picking_id = picking;
    IF any_picked THEN  -- what is not picked stays here
        FOR m IN SELECT id FROM stock_move WHERE picking_id = picking AND NOT picked
                 AND quantity > 0 AND state NOT IN ('done', 'cancel')
        LOOP PERFORM shop_move_set(ARRAY[m.id], 0, NULL, uid); END LOOP;
    END IF;
    IF backorder THEN rest := shop_picking_backorder(picking, uid); END IF;
    FOR m IN SELECT id, product_id, location_id, quantity, sale_line_id FROM stock_move
             WHERE picking_id = picking AND state NOT IN ('done', 'cancel')
             ORDER BY product_id, id
    LOOP
        IF m.quantity <= 0 THEN
            UPDATE stock_move SET state = 'cancel' WHERE id = m.id;
            CONTINUE;
        END IF;
        UPDATE stock_quant SET quantity = quantity - m.quantity,
               reserved_quantity = reserved_quantity - m.quantity,
               write_date = now() at time zone 'UTC'
        WHERE product_id = m.product_id AND location_id = m.location_id;
        UPDATE stock_move SET state = 'done', picked = true, write_uid = uid,
               date = now() at time zone 'UTC', write_date = now() at time zone 'UTC'
        WHERE id = m.id;
        UPDATE stock_move_line SET state = 'done', picked = true, date = now() at time zone 'UTC'
        WHERE move_id = m.id;
        UPDATE sale_order_line SET qty_delivered = qty_delivered + m.quantity
        WHERE id = m.sale_line_id;
    END LOOP;
    UPDATE stock_picking SET state = 'done', date_done = now() at time zone 'UTC',
           write_uid = uid, write_date = now() at time zone 'UTC' WHERE id = picking;
    IF p.sale_id IS NOT NULL THEN
        INSERT INTO shop_outbox (partner, key, payload)
        SELECT 'carrier', coalesce(o.client_order_ref, o.name)
                   || CASE WHEN p.backorder_id IS NULL THEN '' ELSE '/' || p.name END,
               jsonb_build_object('picking', p.name, 'order_id', o.id)
        FROM sale_order o WHERE o.id = p.sale_id;
    END IF;
    IF rest IS NOT NULL AND dialect >= 17 THEN PERFORM shop_picking_assign(rest, uid); END IF;
END $$;

-- Validate several transfers; the answer is the first question that a person must decide.
CREATE OR REPLACE FUNCTION shop_picking_validate(pickings int[], dialect int, uid int)
RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    picking int; question text;
BEGIN
    FOREACH picking IN ARRAY pickings LOOP
        PERFORM 1 FROM stock_picking WHERE id = picking FOR UPDATE;
        IF NOT FOUND THEN PERFORM shop_missing('stock.picking', picking, uid); END IF;
        question := shop_picking_question(picking, dialect);
        IF coalesce(question, 'nothing') = 'nothing' AND dialect < 19 THEN
            PERFORM shop_refuse('OD001', 'You cannot validate a transfer if no quantities are '
                || 'reserved nor done. To force the transfer, switch in edit mode and encode the '
                || 'done quantities.');
        END IF;
        IF question IN ('immediate', 'backorder') THEN RETURN question; END IF;
    END LOOP;
    FOREACH picking IN ARRAY pickings LOOP
        PERFORM shop_picking_done(picking, false, dialect, uid);
    END LOOP;
    RETURN 'done';
END $$;
