//! Start-up: the only place that knows every feature. `router` is the order of everything a request passes, on one page.

pub mod answers;
pub mod cli;
pub mod context;
pub mod demo;
pub mod files;
pub mod forms;
pub mod front;
pub mod listen;
pub mod locked;
pub mod metrics;
pub mod once;
pub mod openapi;
pub mod ready;
pub mod resume;
pub mod room;
pub mod router;
pub mod server;
pub mod state;
pub mod theme;
pub mod uploads;
pub mod worker;
