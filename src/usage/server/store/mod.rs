//! The SQL of usage: `writing` adds counts, `reading` sums them between edges, `pace` lists what was used when, `refusals` lists samples, `pruning`
//! and `partitions` forget.

pub mod addresses;
pub mod estimate;
pub mod exporting;
pub mod latency;
pub mod oversight;
pub mod pace;
pub mod partitions;
pub mod pruning;
pub mod reading;
pub mod refusals;
pub mod writing;
