//! Sessions: tower-sessions over our own `sessions` table, which keeps a hash of the id and both expiries.
