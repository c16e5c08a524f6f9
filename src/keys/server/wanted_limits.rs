//! What the limits of one holder (a key, a workspace, an API, a plan, a group) are to become.

use super::rules::{self, Zones};
use crate::{
    error::AppError,
    keys::model::{KeyLimit, LimitChange},
    platform::Ctx,
};

/// Checked before the transaction begins, as zones are asked for on a connection of their own. What a changed limit may be beside the others
/// is known under the lock only, so that of two changes at a time neither is lost.
#[derive(Debug)]
pub enum WantedLimits {
    AsTheyAre,
    These(Vec<KeyLimit>),
    /// The others stay.
    One(LimitChange, Zones),
}

impl WantedLimits {
    /// All of them, or one in place of that.
    pub async fn check(ctx: &Ctx, all: Option<Vec<KeyLimit>>, one: Option<LimitChange>) -> Result<Self, AppError> {
        if let Some(change) = one {
            let zones = rules::zones(ctx, rules::zones_of(&change.now)).await?;
            return Ok(Self::One(change, zones));
        }
        let Some(mut limits) = all else { return Ok(Self::AsTheyAre) };
        rules::limits(ctx, &limits).await?;
        limits.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(Self::These(limits))
    }

    /// Those that there are then, by name; none: nothing changes.
    pub fn after(self, before: &[KeyLimit]) -> Result<Option<Vec<KeyLimit>>, AppError> {
        let after = match self {
            Self::AsTheyAre => return Ok(None),
            Self::These(limits) => limits,
            Self::One(change, zones) => rules::limits_after(before, &change, zones)?,
        };
        Ok(Some(after).filter(|after| after != before))
    }
}
