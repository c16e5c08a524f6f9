//! The SQL of usage: `writing` adds counts, `reading` sums them between edges, `pace` lists what was used when, `refusals` lists samples, `pruning`
//! forgets.

pub mod addresses;
pub mod estimate;
pub mod exporting;
pub mod latency;
pub mod oversight;
pub mod pace;
pub mod pruning;
pub mod reading;
pub mod refusals;
pub mod writing;
