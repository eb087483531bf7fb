-- The records that every shop starts with. Ids are stable; running it again changes nothing.
CREATE OR REPLACE FUNCTION shop_seed() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    seeded text;
BEGIN
    INSERT INTO res_company (id, name) VALUES (1, 'My Company') ON CONFLICT DO NOTHING;
    INSERT INTO res_currency (id, name) VALUES (1, 'USD') ON CONFLICT DO NOTHING;
    INSERT INTO res_country (id, name, code) VALUES (1, 'United States', 'US') ON CONFLICT DO NOTHING;
    INSERT INTO res_partner (id, name, ref, email) VALUES
        (1, 'My Company', NULL, NULL), (2, 'OdooBot', NULL, 'odoobot@example.com'),
        (3, 'Administrator', NULL, 'admin@example.com'), (4, 'PD Canary', 'PD-CANARY', NULL)
    ON CONFLICT DO NOTHING;
    INSERT INTO res_partner (id, name, ref, email, customer_rank)
    SELECT 100 + n, 'PD Customer ' || n, 'PD-CUST-' || lpad(n::text, 3, '0'),
           'customer' || n || '@example.invalid', 1
    FROM generate_series(1, 50) n ON CONFLICT DO NOTHING;
    INSERT INTO product_category (id, name) VALUES (1, 'All'), (2, 'Goods') ON CONFLICT DO NOTHING;
    INSERT INTO product_pricelist (id, name) VALUES (1, 'Default') ON CONFLICT DO NOTHING;
    INSERT INTO uom_uom (id, name) VALUES (1, 'Units') ON CONFLICT DO NOTHING;
    INSERT INTO product_template (id, name, default_code, list_price)
    SELECT n, 'PD Product ' || n, 'PD-' || lpad(n::text, 4, '0'), 10 + (n % 50)
    FROM generate_series(1, 200) n
    UNION ALL SELECT 201, 'PD Canary', 'PD-CANARY', 1 ON CONFLICT DO NOTHING;
    INSERT INTO product_product (id, product_tmpl_id, default_code)
    SELECT id, id, default_code FROM product_template WHERE id <= 201 ON CONFLICT DO NOTHING;
    INSERT INTO stock_location (id, name, complete_name, usage) VALUES
        (1, 'Stock', 'WH/Stock', 'internal'), (2, 'Customers', 'Customers', 'customer'),
        (3, 'Inventory adjustment', 'Virtual Locations/Inventory adjustment', 'inventory')
    ON CONFLICT DO NOTHING;
    INSERT INTO stock_warehouse (id, name, code) VALUES (1, 'My Company', 'WH') ON CONFLICT DO NOTHING;
    INSERT INTO stock_picking_type (id, name, code) VALUES (1, 'Receipts', 'incoming'),
        (2, 'Delivery Orders', 'outgoing'), (3, 'PoS Orders', 'outgoing') ON CONFLICT DO NOTHING;
    INSERT INTO stock_quant (id, product_id, location_id, quantity)
    SELECT id, id, 1, 1000000 FROM product_product WHERE id <= 201 ON CONFLICT DO NOTHING;
    INSERT INTO account_account (id, name, code, account_type) VALUES
        (1, 'Current Assets', '101000', 'asset_current'),
        (2, 'Bank', '101401', 'asset_cash'),
        (5, 'Account Receivable', '121000', 'asset_receivable'),
        (26, 'Product Sales', '400000', 'income'),
        (48, 'Outstanding Receipts', '101403', 'asset_current') ON CONFLICT DO NOTHING;
    INSERT INTO account_journal (id, name, code, type) VALUES (1, 'Customer Invoices', 'INV', 'sale'),
        (2, 'Miscellaneous Operations', 'MISC', 'general'), (3, 'Bank', 'BNK1', 'bank'),
        (4, 'PD Canary', 'PDCAN', 'sale') ON CONFLICT DO NOTHING;
    INSERT INTO pos_payment_method (id, name) VALUES (1, 'Cash'), (2, 'Card') ON CONFLICT DO NOTHING;
    INSERT INTO pos_config (id, name, payment_method_id)
    VALUES (1, 'PD Shop', 1), (2, 'PD Canary', 1) ON CONFLICT DO NOTHING;
    INSERT INTO pos_session (id, name, config_id, state)
    VALUES (1, 'PD Shop/00001', 1, 'opened'), (2, 'PD Canary/00001', 2, 'opened')
    ON CONFLICT DO NOTHING;
    FOREACH seeded IN ARRAY ARRAY['res_company', 'res_currency', 'res_country', 'res_partner',
        'res_users', 'product_category', 'uom_uom', 'product_template', 'product_product',
        'stock_location', 'stock_warehouse', 'stock_picking_type', 'stock_quant',
        'account_account', 'account_journal', 'pos_payment_method', 'pos_config', 'pos_session']
    LOOP
        EXECUTE format('SELECT setval(%L, greatest((SELECT max(id) FROM %I), '
                       '(SELECT last_value FROM %I), 1))', seeded || '_id_seq', seeded,
                       seeded || '_id_seq');
    END LOOP;
END $$;
