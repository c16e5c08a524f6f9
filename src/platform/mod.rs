//! What operations stand on: configuration, database, clock, randomness, sessions, HTTP layers, mail, jobs, logs.
//! It knows no feature. Server only.

pub mod aside;
pub mod breath;
pub mod clock;
pub mod config;
pub mod crypto;
pub mod csv;
pub mod ctx;
pub mod db;
pub mod descriptors;
pub mod early;
pub mod fetch;
pub mod http;
mod ids;
pub mod jobs;
pub mod key_ring;
pub mod local_time;
pub mod loose;
pub mod mail;
pub mod mapped;
pub mod maps;
pub mod memory;
pub mod networks;
pub mod once;
pub mod places;
pub mod postgres;
pub mod salted_hash;
pub mod session;
pub mod signature;
pub mod telemetry;
mod vault;

pub use ctx::Ctx;
pub use local_time::LocalTime;
