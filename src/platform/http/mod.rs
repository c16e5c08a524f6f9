//! The HTTP layers, in the order in which `boot::router` stacks them: request id and log (outermost), panics, time-out, body limit,
//! headers, CSRF. `answer` is the body of what goes out, `csp_reports` where browsers tell what a policy stopped, `reply` what a server
//! function may say besides its answer, `file` how a browser is given a file, `json` (with `strict` and `misread`) and `pages` what REST routes read and
//! what lists answer, `late` whose time-out it was, `spread` on which nodes a change holds, `pace` how many requests a minute.

pub mod answer;
pub mod csp_reports;
pub mod csrf;
pub mod file;
pub mod headers;
pub mod json;
pub mod late;
mod misread;
pub mod pace;
pub mod pages;
pub mod reply;
pub mod request;
pub mod spread;
pub mod strict;
pub mod uploads;

pub use request::RequestInfo;
