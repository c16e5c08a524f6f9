//! The HTTP layers, in the order in which `boot::router` stacks them: request id and log (outermost), panics, time-out, body limit,
//! headers, CSRF. `reply` is what a server function may say besides its answer, `file` how a browser is given a file.

pub mod csrf;
pub mod file;
pub mod headers;
pub mod json;
pub mod reply;
pub mod request;
pub mod uploads;

pub use request::RequestInfo;
