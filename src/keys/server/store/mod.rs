//! The SQL of keys, by table. Every query of a key takes the workspace that the caller may reach; none means every workspace, which
//! only `Reach` hands out (R63).

pub mod apis;
pub mod batches;
pub mod bundles;
pub mod calls;
pub mod changes;
pub mod credits;
pub mod expiries;
pub mod grants;
pub mod holds;
pub mod imports;
pub mod keys;
pub mod leaks;
pub mod limits;
pub mod listing;
pub mod paging;
pub mod resealing;
pub mod routes;
pub mod secrets;
pub mod signings;
