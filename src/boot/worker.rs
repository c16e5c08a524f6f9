//! All jobs and all schedules, on one page, and the process that only works on them.

use crate::{
    accounts, keys,
    platform::{
        Ctx,
        jobs::{CleanUp, Registry, Runner, RunnerHandle, Schedules},
    },
    usage::server::ForgetOldUsage,
};

/// Every kind of job this version can run.
pub fn registry() -> Registry {
    let registry = Registry::new().register::<CleanUp>().register::<ForgetOldUsage>();
    keys::server::jobs::register(accounts::server::jobs::register(registry))
}

/// What happens by the clock.
pub fn schedules() -> Schedules {
    Schedules::new()
        .nightly("platform.clean_up", &CleanUp::default())
        .nightly("accounts.forget_expired", &accounts::server::jobs::ForgetExpired::default())
        .nightly("usage.forget_old", &ForgetOldUsage::default())
}

/// Starts working on jobs in this process: inside `serve` by default, or in `tollgate worker`.
pub fn start(ctx: &Ctx) -> RunnerHandle {
    Runner::start(ctx.clone(), registry(), schedules(), ctx.config.jobs.parallel)
}
