//! The embedded Postgres: found, made, started and stopped by the binary itself when there is no `DATABASE_URL`.
