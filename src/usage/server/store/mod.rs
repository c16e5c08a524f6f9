//! The SQL of usage: `writing` adds counts, `reading` sums them between edges, `pace` lists what was used when, `parts` is about addresses and
//! permissions, `secrets` about secrets, `refusals` and `passed` list samples, `choices` keys to choose from, `units` sums cost, `pruning` and
//! `partitions` forget.

/// Adds rows that come as columns: `sql` unnests the named ones, in their order.
macro_rules! add_columns {
    ($conn:ident, $rows:ident, [$($column:ident),+], $sql:expr) => {
        sqlx::query!($sql, $(&$rows.$column),+).execute($conn).await.map(drop)
    };
}

pub mod choices;
pub mod estimate;
pub mod exporting;
pub mod latency;
pub mod oversight;
pub mod pace;
pub mod partitions;
pub mod parts;
pub mod passed;
pub mod pruning;
pub mod reading;
pub mod refusals;
pub mod secrets;
pub mod units;
pub mod writing;
