//! Keys: APIs, keys and their secrets, limits, and the gate that verifies a secret without database work.
//!
//! A key is the identity of a program; its secrets come and go (rotation), of each only a hash is stored. An API says what prefix its
//! keys have and which permissions it knows. What the gate needs of both it holds in memory (`server::gate`).

pub mod api;
pub mod components;
pub mod model;
pub mod pages;
pub mod server;
