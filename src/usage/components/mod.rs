//! Static widgets that more than one page shows: the chart of a report and its filters, tables that take it apart, what is left of
//! limits, samples of calls in a list and one of them opened.

mod breakdown;
mod by_address;
mod by_permission;
mod chain;
mod export_menu;
mod filters;
mod latency;
mod limit_aside;
mod limits;
mod numbers;
mod own_time;
mod passed;
mod refusal;
mod refusals;
mod series;

pub use breakdown::{ByKey, ByOutcome, ByRoute};
pub use by_address::ByAddress;
pub use by_permission::ByPermission;
pub use chain::Chain;
pub use export_menu::{ExportFile, ExportMenu};
pub use filters::{FindKey, UsageFilters, UsageTabs, files};
pub use latency::Latency;
pub use limit_aside::LimitAside;
pub use limits::{LimitCard, LimitList};
pub use own_time::wrong_time;
pub use passed::PassedPanel;
pub use refusal::RefusalPanel;
pub use refusals::{Place, RefusalFilters, RefusalRows};
pub use series::{ERRORS, USAGE, series, wider, zoom};
