//! Which keys `tollgate key list` and `tollgate key bulk` are about.

use super::{
    missing::{OrNo, Thing},
    plan::workspace_of,
};
use crate::{
    accounts::Caller,
    error::AppError,
    keys::{model::KeyQuery, server as keys},
    platform::Ctx,
};
use clap::Args;

/// All that each of these lets through.
#[derive(Args)]
pub(super) struct Filter {
    /// Only those of this account
    #[arg(long, value_name = "EMAIL")]
    account: Option<String>,
    /// Only those whose owner's name or email contains this
    #[arg(long, value_name = "TEXT")]
    owner: Option<String>,
    /// Only those whose name or external id contains this, or that start so
    #[arg(long, value_name = "TEXT")]
    search: Option<String>,
    /// Only those for this API
    #[arg(long, value_name = "SLUG")]
    api: Option<String>,
    /// Only those that stand so: idle, expiring, disabled, expired …
    #[arg(long, value_name = "WORD")]
    status: Option<String>,
    /// Only those that want a look: idle-30, idle-90, unused, endless, broad, leaked
    #[arg(long, value_name = "WORD")]
    review: Option<String>,
    /// Only those with this tag
    #[arg(long, value_name = "TAG")]
    tagged: Option<String>,
    /// Only those that this one uses
    #[arg(long, value_name = "ID")]
    external_id: Option<String>,
}

impl Filter {
    /// Whether it leaves any out.
    pub(super) fn says_anything(&self) -> bool {
        let Self { account, owner, search, api, status, review, tagged, external_id } = self;
        // A variable that was empty by mistake names nothing.
        [account, owner, search, api, status, review, tagged, external_id].into_iter().flatten().any(|part| !part.trim().is_empty())
    }

    /// What is named and not there is said, not taken for a list without keys.
    pub(super) async fn query(self, ctx: &Ctx) -> Result<KeyQuery, AppError> {
        let Self { account, owner, search, api, status, review, tagged, external_id } = self;
        if let Some(slug) = &api {
            keys::api_by_slug(ctx, &Caller::cli(), slug).await.or_no(Thing::Api, slug)?;
        }
        let workspace = match account {
            Some(email) => Some(workspace_of(ctx, &email).await?),
            None => None,
        };
        Ok(KeyQuery { q: search, api, status, review, tag: tagged, external_id, owner, workspace, everywhere: workspace.is_none(), ..KeyQuery::default() })
    }
}
