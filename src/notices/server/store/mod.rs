//! The SQL of notices: `settings` and what was told, `limits`, `shared` and `expiry` find what is to be told and mark it, `looks` when to look, `alerts` keeps rules.

pub mod alerts;
pub mod credits;
pub mod ended;
pub mod expiry;
pub mod limits;
pub mod looks;
pub mod settings;
pub mod shared;
