//! What the limits of one holder (a key, a workspace, an API, a plan, a group) are to become.

use super::rules::{self, Zones};
use crate::{
    error::{AppError, Fields},
    keys::model::{KeyLimit, LimitChange, Over},
    platform::Ctx,
};
use time::OffsetDateTime;

/// Checked before the transaction begins, as zones are asked for on a connection of their own. What a changed limit may be beside the others
/// is known under the lock only, so that of two changes at a time neither is lost.
#[derive(Debug)]
pub enum WantedLimits {
    AsTheyAre,
    /// With those among them, by their place in what was sent, whose action beyond them has ended already.
    These(Vec<KeyLimit>, Vec<(usize, KeyLimit)>),
    /// The others stay. With the time of the change.
    One(LimitChange, Zones, OffsetDateTime),
}

impl WantedLimits {
    /// All of them, or one in place of that.
    pub async fn check(ctx: &Ctx, all: Option<Vec<KeyLimit>>, one: Option<LimitChange>) -> Result<Self, AppError> {
        let now = ctx.clock.now();
        if let Some(change) = one {
            let zones = rules::zones(ctx, rules::zones_of(&change.now)).await?;
            return Ok(Self::One(change, zones, now));
        }
        let Some(mut limits) = all else { return Ok(Self::AsTheyAre) };
        rules::limits(ctx, &limits).await?;
        let ended = limits.iter().enumerate().filter(|(_, limit)| limit.over.has_ended(now)).map(|(i, limit)| (i, limit.clone())).collect();
        limits.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(Self::These(limits, ended))
    }

    /// Those that there are then, by name; none: nothing changes. An end that has passed may stay, and can't be set.
    pub fn after(self, before: &[KeyLimit]) -> Result<Option<Vec<KeyLimit>>, AppError> {
        let was_so = |limit: &KeyLimit| before.iter().any(|known| known.name == limit.name && known.over == limit.over);
        let after = match self {
            Self::AsTheyAre => return Ok(None),
            Self::These(limits, ended) => {
                let mut fields = Fields::default();
                let new = ended.iter().filter(|(_, limit)| !was_so(limit));
                new.for_each(|(i, _)| fields.add(&format!("limits.{i}.over.until"), Over::ENDED));
                fields.done()?;
                limits
            }
            Self::One(change, zones, now) => {
                let before_it = change.was.as_ref().and_then(|was| before.iter().find(|known| known.name == *was));
                let is_new = |limit: &KeyLimit| !was_so(limit) && before_it.is_none_or(|known| known.over != limit.over);
                if change.now.as_ref().is_some_and(|limit| limit.over.has_ended(now) && is_new(limit)) {
                    return Err(AppError::invalid("over_until", Over::ENDED));
                }
                rules::limits_after(before, &change, zones)?
            }
        };
        Ok(Some(after).filter(|after| after != before))
    }
}
