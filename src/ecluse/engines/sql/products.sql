-- Guarantee tables.

-- name: add_product
-- Keep a version, and put it in force.
INSERT INTO product (insurer, product, version, loaded_ts_us, body)
VALUES (:insurer, :product, :version, :loaded_ts_us, :body)
ON CONFLICT (insurer, product, version) DO UPDATE SET loaded_ts_us = excluded.loaded_ts_us

-- name: serve_insurer
-- The insurer is served from now on.
INSERT INTO insurer (amc) VALUES (:insurer) ON CONFLICT DO NOTHING

-- name: product_in_force
-- The version in force, and since when (µs).
SELECT version, loaded_ts_us FROM product WHERE insurer = :insurer AND product = :product ORDER BY loaded_ts_us DESC LIMIT 1

-- name: product_body
-- One version.
SELECT body FROM product WHERE insurer = :insurer AND product = :product AND version = :version

-- name: products_of
-- The products of an insurer.
SELECT DISTINCT product FROM product WHERE insurer = :insurer ORDER BY product
