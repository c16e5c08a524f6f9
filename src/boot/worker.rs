//! All jobs and all schedules, on one page, and the process that only works on them.

use crate::{
    accounts,
    activity::server::audit::{AnchorAudit, Sealer, VerifyAudit},
    admin, blocks, exports, keys, notices,
    platform::{
        Ctx,
        jobs::{self, CleanUp, Registry, Runner, RunnerHandle, Schedules},
    },
    usage::server::{ForgetOldUsage, ForgetRareAddresses, MakePartitions, RollUp, make_partitions},
};
use std::time::Duration;

/// Every kind of job this version can run.
pub fn registry() -> Registry {
    let registry = Registry::new()
        .register::<CleanUp>()
        .register::<AnchorAudit>()
        .register::<VerifyAudit>()
        .register::<ForgetOldUsage>()
        .register::<ForgetRareAddresses>()
        .register::<MakePartitions>()
        .register::<RollUp>();
    let registry = keys::server::jobs::register(accounts::server::jobs::register(registry));
    let registry = blocks::server::jobs::register(registry);
    let registry = admin::server::register_jobs(registry);
    exports::server::jobs::register(notices::server::jobs::register(registry))
}

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3_600);

/// What happens by the clock.
pub fn schedules() -> Schedules {
    Schedules::new()
        .nightly("platform.clean_up", &CleanUp::default())
        .every("activity.anchor_audit", MINUTE, &AnchorAudit::default())
        .nightly("activity.verify_audit", &VerifyAudit::default())
        .every("accounts.end_bans", MINUTE, &accounts::server::EndBans::default())
        .nightly("accounts.forget_expired", &accounts::server::jobs::ForgetExpired::default())
        .nightly("accounts.normalize_addresses", &accounts::server::NormalizeAddresses::default())
        .every("accounts.erase_departed", HOUR, &accounts::server::leaving::jobs::EraseDeparted::default())
        .nightly("keys.forget_lists", &keys::server::jobs::ForgetLists::default())
        .nightly("keys.forget_secrets", &keys::server::jobs::ForgetSecrets::default())
        .nightly("blocks.forget_old", &blocks::server::jobs::ForgetOldBlocks::default())
        .every("blocks.tell_operators", MINUTE, &blocks::server::jobs::TellOperators::default())
        .nightly("usage.forget_old", &ForgetOldUsage::default())
        .every("usage.forget_rare_addresses", HOUR, &ForgetRareAddresses::default())
        .every("usage.roll_up", 5 * MINUTE, &RollUp::default())
        .every("usage.make_partitions", 6 * HOUR, &MakePartitions::default())
        .nightly("accounts.reseal_seeds", &accounts::server::ResealSeeds::default())
        .nightly("keys.reseal_secrets", &keys::server::ResealSecrets::default())
        .every("exports.forget", HOUR, &exports::server::jobs::ForgetExports::default())
        .every("keys.forget_leases", MINUTE, &keys::server::jobs::ForgetLeases::default())
        .every("keys.forget_nonces", 10 * MINUTE, &keys::server::jobs::ForgetNonces::default())
        .every("keys.note_expiries", MINUTE, &keys::server::jobs::NoteExpiries::default())
        .every("notices.look_at_usage", MINUTE, &notices::server::jobs::LookAtUsage::default())
        .every("notices.look_at_expiry", HOUR, &notices::server::jobs::LookAtExpiry::default())
}

/// The partitions of usage are there before the first call. Without them nothing is lost (`usage::server::make_partitions`), so a database
/// that is busy does not stop a start.
pub async fn prepare_partitions(ctx: &Ctx) {
    if let Err(error) = make_partitions(ctx).await {
        tracing::warn!("the partitions of usage could not be made ahead, a job will try again: {error}");
    }
}

/// After a rotation of the master key the first start with the new one seals anew what is under the old one.
pub async fn enqueue_resealing(ctx: &Ctx) -> sqlx::Result<()> {
    if !ctx.vault.has_previous() {
        return Ok(());
    }
    let mut tx = ctx.db.begin().await?;
    jobs::enqueue(ctx, &mut tx, &accounts::server::ResealSeeds::default()).await?;
    jobs::enqueue(ctx, &mut tx, &keys::server::ResealSecrets::default()).await?;
    tx.commit().await
}

/// What works beside the answers: jobs, and the sealing of the audit log.
pub struct Working {
    runner: RunnerHandle,
    sealer: Sealer,
}

impl Working {
    /// Lets running jobs finish, then seals what they wrote.
    pub async fn stop(self) {
        self.runner.stop().await;
        self.sealer.stop().await;
    }
}

/// Starts working in this process: inside `serve` by default, or in `tollgate worker`.
pub fn start(ctx: &Ctx) -> Working {
    let runner = Runner::start(ctx.clone(), registry(), schedules(), ctx.config.jobs.parallel);
    Working { runner, sealer: Sealer::start(ctx.clone()) }
}
