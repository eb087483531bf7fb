-- Journal entries: what is invoiced is owed, and every posted entry balances.

-- lines: [{product_id, quantity, price_unit, name, sale_line_id}] of an invoice,
-- entries: [{account_id, name, debit, credit}] of a plain journal entry.
-- A journal entry's number: up to 18 a draft has one already.
CREATE OR REPLACE FUNCTION shop_move_name(kind text, day date) RETURNS text LANGUAGE sql AS $$
    SELECT CASE WHEN kind = 'entry' THEN 'MISC/' ELSE 'INV/' END || to_char(day, 'YYYY') || '/'
           || lpad(nextval('shop_invoice_name')::text, 5, '0');
$$;

CREATE OR REPLACE FUNCTION shop_move_create(vals jsonb, lines jsonb, entries jsonb, dialect int,
                                            uid int) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
    move int; kind text := coalesce(vals->>'move_type', 'entry'); total numeric;
    partner int := (vals->>'partner_id')::int; sign int; lacking int;
BEGIN
    IF partner IS NOT NULL THEN
        PERFORM 1 FROM res_partner WHERE id = partner;
        IF NOT FOUND THEN PERFORM shop_missing('res.partner', partner, uid); END IF;
    END IF;
    SELECT (x->>'product_id')::int INTO lacking FROM jsonb_array_elements(lines) x
    WHERE x->>'product_id' IS NOT NULL AND NOT EXISTS (
        SELECT 1 FROM product_product WHERE id = (x->>'product_id')::int) LIMIT 1;
    IF FOUND THEN PERFORM shop_missing('product.product', lacking, uid); END IF;
    sign := CASE WHEN kind IN ('out_refund', 'in_invoice', 'in_receipt') THEN -1 ELSE 1 END;
    INSERT INTO account_move (name, ref, move_type, state, partner_id, journal_id, date,
                              invoice_date, invoice_origin, create_uid, write_uid)
    VALUES (coalesce(vals->>'name', CASE WHEN dialect < 19 THEN shop_move_name(kind, current_date) END),
            vals->>'ref', kind, 'draft', partner,
            coalesce((vals->>'journal_id')::int, CASE WHEN kind = 'entry' THEN 2 ELSE 1 END),
            coalesce((vals->>'date')::date, (vals->>'invoice_date')::date, current_date),
            (vals->>'invoice_date')::date, vals->>'invoice_origin', uid, uid) RETURNING id INTO move;
    INSERT INTO account_move_line (move_id, account_id, partner_id, product_id, sale_line_id, name,
                                   quantity, price_unit, price_subtotal, price_total, debit, credit,
                                   balance, create_uid, write_uid)
    SELECT move, 26, partner, l.product, l.sale_line, l.label, l.qty, l.price, l.subtotal,
           l.subtotal, greatest(-sign * l.subtotal, 0), greatest(sign * l.subtotal, 0),
           -sign * l.subtotal, uid, uid
    FROM (SELECT n, pp.id AS product, (x->>'sale_line_id')::int AS sale_line,
                 coalesce(x->>'name', '[' || coalesce(pp.default_code, '') || '] ' || pt.name) AS label,
                 q.qty, q.price, round(q.qty * q.price, 2) AS subtotal
          FROM jsonb_array_elements(lines) WITH ORDINALITY AS e (x, n)
          LEFT JOIN product_product pp ON pp.id = (x->>'product_id')::int
          LEFT JOIN product_template pt ON pt.id = pp.product_tmpl_id,
          LATERAL (SELECT coalesce((x->>'quantity')::numeric, 1) AS qty,
                          coalesce((x->>'price_unit')::numeric, pt.list_price, 0) AS price) q) l
    ORDER BY l.n;
    SELECT coalesce(sum(price_subtotal), 0) INTO total FROM account_move_line WHERE move_id = move;
    IF jsonb_array_length(lines) > 0 THEN
        INSERT INTO account_move_line (move_id, account_id, partner_id, name, display_type, debit,
                                       credit, balance, amount_residual, create_uid, write_uid)
        VALUES (move, 5, partner, vals->>'ref', 'payment_term', greatest(sign * total, 0),
                greatest(-sign * total, 0), sign * total, sign * total, uid, uid);
    END IF;
    INSERT INTO account_move_line (move_id, account_id, partner_id, name, debit, credit, balance,
                                   create_uid, write_uid)
    SELECT move, (x->>'account_id')::int, (x->>'partner_id')::int, x->>'name',
           coalesce((x->>'debit')::numeric, 0), coalesce((x->>'credit')::numeric, 0),
           coalesce((x->>'debit')::numeric, 0) - coalesce((x->>'credit')::numeric, 0), uid, uid
    FROM jsonb_array_elements(entries) WITH ORDINALITY AS e (x, n) ORDER BY n;
    PERFORM 1 FROM account_move_line WHERE move_id = move HAVING sum(balance) <> 0;
    IF FOUND THEN PERFORM shop_refuse('OD001', 'The entry is not balanced.'); END IF;
    UPDATE account_move SET amount_untaxed = total, amount_total = total, amount_residual = total
    WHERE id = move AND total <> 0;
    RETURN move;
END $$;

CREATE OR REPLACE FUNCTION shop_move_post(moves int[], dialect int, uid int) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    m record; move int; day date;
BEGIN
    FOREACH move IN ARRAY moves LOOP
        SELECT * INTO m FROM account_move WHERE id = move FOR UPDATE;
        IF NOT FOUND THEN PERFORM shop_missing('account.move', move, uid); END IF;
        IF m.state = 'posted' AND dialect < 15 THEN CONTINUE; END IF;
        IF m.state <> 'draft' THEN
            PERFORM shop_refuse('OD001',
                format('The entry %s (id %s) must be in draft.', m.name, m.id));
        END IF;
        PERFORM 1 FROM account_move_line WHERE move_id = move;
        IF NOT FOUND THEN
            PERFORM shop_refuse('OD001', 'Even magicians can''t post nothing!');
        END IF;
        day := coalesce(m.invoice_date, current_date);
        UPDATE account_move SET state = 'posted', invoice_date = day, date = day, write_uid = uid,
               name = coalesce(nullif(m.name, '/'), shop_move_name(m.move_type, day)),
               write_date = now() at time zone 'UTC' WHERE id = move;
        UPDATE account_move_line SET parent_state = 'posted', date = day WHERE move_id = move;
    END LOOP;
END $$;

-- Pay posted invoices in full.
CREATE OR REPLACE FUNCTION shop_move_pay(moves int[], uid int) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
    m record; entry int; payment int;
BEGIN
    FOR m IN SELECT * FROM account_move WHERE id = ANY (moves) AND state = 'posted'
             AND amount_residual > 0 ORDER BY id FOR UPDATE
    LOOP
        INSERT INTO account_move (name, ref, move_type, state, partner_id, journal_id, create_uid,
                                  write_uid)
        VALUES ('PBNK1/' || m.name, m.name, 'entry', 'posted', m.partner_id, 3, uid, uid)
        RETURNING id INTO entry;
        INSERT INTO account_move_line (move_id, account_id, partner_id, name, debit, credit,
                                       balance, parent_state, create_uid, write_uid)
        VALUES (entry, 48, m.partner_id, m.name, m.amount_residual, 0, m.amount_residual,
                'posted', uid, uid),
               (entry, 5, m.partner_id, m.name, 0, m.amount_residual, -m.amount_residual,
                'posted', uid, uid);
        INSERT INTO account_payment (name, partner_id, amount, memo, move_id, create_uid, write_uid)
        VALUES ('PBNK1/' || m.name, m.partner_id, m.amount_residual, m.name, entry, uid, uid)
        RETURNING id INTO payment;
        UPDATE account_move SET amount_residual = 0, payment_state = 'paid' WHERE id = m.id;
        UPDATE account_move_line SET amount_residual = 0 WHERE move_id = m.id;
    END LOOP;
    RETURN payment;
END $$;

-- Invoice what an order has to invoice, by its products' policy. NULL: nothing.
CREATE OR REPLACE FUNCTION shop_order_invoice(order_ int, dialect int, uid int) RETURNS int
LANGUAGE plpgsql AS $$
DECLARE
    o record; lines jsonb; move int;
BEGIN
    SELECT * INTO o FROM sale_order WHERE id = order_ FOR UPDATE;
    IF NOT FOUND THEN PERFORM shop_missing('sale.order', order_, uid); END IF;
    SELECT jsonb_agg(jsonb_build_object('product_id', l.product_id, 'sale_line_id', l.id,
                                        'quantity', l.due, 'price_unit', l.price_unit) ORDER BY l.id)
    INTO lines
    FROM (SELECT sl.id, sl.product_id, sl.price_unit,
                 CASE pt.invoice_policy WHEN 'delivery' THEN sl.qty_delivered
                      ELSE sl.product_uom_qty END - sl.qty_invoiced AS due
          FROM sale_order_line sl JOIN product_product pp ON pp.id = sl.product_id
          JOIN product_template pt ON pt.id = pp.product_tmpl_id
          WHERE sl.order_id = order_ AND sl.state = 'sale') l
    WHERE l.due > 0;
    IF lines IS NULL THEN RETURN NULL; END IF;
    move := shop_move_create(jsonb_build_object('move_type', 'out_invoice', 'partner_id',
        o.partner_id, 'ref', o.client_order_ref, 'invoice_origin', o.name), lines, '[]', dialect, uid);
    UPDATE sale_order_line l SET qty_invoiced = l.qty_invoiced + m.quantity
    FROM account_move_line m WHERE m.move_id = move AND m.sale_line_id = l.id;
    RETURN move;
END $$;
