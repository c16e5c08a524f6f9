//! What the queue and the clock do for exports.

use super::writing::{forget_exports, prepare_export};
use crate::{
    platform::{
        Ctx,
        jobs::{Job, JobError, Registry},
    },
    values::ExportId,
};
use serde::{Deserialize, Serialize};

/// Writes a file.
#[derive(Debug, Serialize, Deserialize)]
pub struct PrepareExport {
    pub export: ExportId,
}

impl Job for PrepareExport {
    const KIND: &'static str = "exports.prepare";

    async fn run(self, ctx: &Ctx) -> Result<(), JobError> {
        Ok(prepare_export(ctx, self.export).await?)
    }
}

/// Each hour: files that are over go.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct ForgetExports {}

impl Job for ForgetExports {
    const KIND: &'static str = "exports.forget";

    async fn run(self, ctx: &Ctx) -> Result<(), JobError> {
        while forget_exports(ctx).await? {}
        Ok(())
    }
}

/// The jobs of exports, for the registry of the process.
#[must_use]
pub fn register(registry: Registry) -> Registry {
    registry.register::<PrepareExport>().register::<ForgetExports>()
}
