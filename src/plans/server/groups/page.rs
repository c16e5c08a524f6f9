//! What `/admin/groups` shows.

use super::{describing, members};
use crate::{
    accounts::Caller,
    error::AppError,
    keys::server::list_needing_grant,
    plans::{
        model::{ChosenGroup, GroupPage, Trial},
        server::{list_plans, try_group},
    },
    platform::Ctx,
    values::WorkspaceId,
};

/// Members beside the list.
const MOST: usize = 50;

/// Every group, and the chosen one with its members behind `after`; with a `trial`, who of them would have been limited.
pub async fn group_page(ctx: &Ctx, caller: &Caller, chosen: Option<&str>, after: Option<&str>, trial: Option<&Trial>) -> Result<GroupPage, AppError> {
    let groups = describing::list_groups(ctx, caller).await?;
    let after = after.and_then(|id| id.parse::<WorkspaceId>().ok());
    let chosen = match chosen {
        Some(slug) => {
            let group = groups.iter().find(|g| g.slug.as_str() == slug).cloned().ok_or(AppError::NotFound)?;
            let members = members::list_members(ctx, caller, slug, after, MOST).await?;
            let run = match trial {
                Some(trial) => Some(try_group(ctx, caller, slug, trial).await?),
                None => None,
            };
            Some(ChosenGroup { group, members, is_further: after.is_some(), run })
        }
        None => None,
    };
    Ok(GroupPage { groups, chosen, plans: list_plans(ctx, caller).await?, needing: list_needing_grant(ctx).await? })
}
