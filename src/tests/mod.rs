//! The integration tests, against real Postgres and real HTTP.
