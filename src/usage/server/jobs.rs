//! Work on usage that nobody waits for.

use super::{
    partitions::make_partitions,
    retention::{add_up_rare_of_secrets, forget_old_rows, forget_old_usage, forget_rare_addresses, quarters_over},
    rollups::roll_up,
};
use crate::platform::{
    Ctx,
    jobs::{Job, JobError},
};
use serde::{Deserialize, Serialize};

/// Every six hours: the partitions of the days to come are there before their first row.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct MakePartitions {}

impl Job for MakePartitions {
    const KIND: &'static str = "usage.make_partitions";

    async fn run(self, ctx: &Ctx) -> Result<(), JobError> {
        make_partitions(ctx).await?;
        Ok(())
    }
}

/// Every five minutes: hours and days know of the quarters of an hour that are over.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct RollUp {}

impl Job for RollUp {
    const KIND: &'static str = "usage.roll_up";

    async fn run(self, ctx: &Ctx) -> Result<(), JobError> {
        roll_up(ctx).await?;
        Ok(())
    }
}

/// Nightly: counts, samples and batch ids that are old enough go.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct ForgetOldUsage {}

impl Job for ForgetOldUsage {
    const KIND: &'static str = "usage.forget_old";

    async fn run(self, ctx: &Ctx) -> Result<(), JobError> {
        // A bounded number of rows at a time: no statement runs long.
        let mut is_more = forget_old_usage(ctx).await?;
        while is_more {
            is_more = forget_old_rows(ctx).await?;
        }
        Ok(())
    }
}

/// Hourly: of each key, and of each of several secrets, the busiest addresses of a quarter of an hour stay.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct ForgetRareAddresses {}

impl Job for ForgetRareAddresses {
    const KIND: &'static str = "usage.forget_rare_addresses";

    async fn run(self, ctx: &Ctx) -> Result<(), JobError> {
        // One quarter after the other: no statement ranks the addresses of hours.
        for quarter in quarters_over(ctx) {
            while forget_rare_addresses(ctx, quarter).await? {}
            while add_up_rare_of_secrets(ctx, quarter).await? {}
        }
        Ok(())
    }
}
