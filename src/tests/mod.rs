//! The integration tests: real Postgres (a database per test), real HTTP, a frozen clock.

mod http;
mod support;
