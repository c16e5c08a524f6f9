//! Work on keys that nobody waits for.

use super::{importing::forget_lists, rotating::end_replaced, signing::forget_nonces};
use crate::{
    platform::{
        Ctx,
        jobs::{Job, JobError, Registry},
    },
    values::{KeyId, SecretId},
};
use serde::{Deserialize, Serialize};

/// A call passed with the newest secret of a key: the old ones that were to live until then end.
#[derive(Debug, Serialize, Deserialize)]
pub struct EndReplaced {
    pub key: KeyId,
    pub by: SecretId,
}

impl Job for EndReplaced {
    const KIND: &'static str = "keys.end_replaced";

    async fn run(self, ctx: &Ctx) -> Result<(), JobError> {
        Ok(end_replaced(ctx, self.key, self.by).await?)
    }
}

/// Nightly: lists that were pasted for an import and are a day old.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct ForgetLists {}

impl Job for ForgetLists {
    const KIND: &'static str = "keys.forget_lists";

    async fn run(self, ctx: &Ctx) -> Result<(), JobError> {
        let gone = forget_lists(ctx).await?;
        tracing::info!(gone, "forgot lists of keys that waited to be imported");
        Ok(())
    }
}

/// Every few minutes: nonces of signatures that count no more.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct ForgetNonces {}

impl Job for ForgetNonces {
    const KIND: &'static str = "keys.forget_nonces";

    async fn run(self, ctx: &Ctx) -> Result<(), JobError> {
        forget_nonces(ctx).await?;
        Ok(())
    }
}

/// The jobs of keys, for the registry of the process.
#[must_use]
pub fn register(registry: Registry) -> Registry {
    registry.register::<EndReplaced>().register::<ForgetLists>().register::<ForgetNonces>()
}
