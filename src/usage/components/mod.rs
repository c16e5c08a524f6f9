//! Static widgets that more than one page shows: the chart of a report, and what is left of limits.

mod limits;
mod series;

pub use limits::{LimitCard, LimitList};
pub use series::{series, zoom};
