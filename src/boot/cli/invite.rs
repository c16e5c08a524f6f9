//! `tollgate invite create`: a link by which people may sign up where that needs an invitation.

use super::{Exit, Invocation, with_ctx};
use crate::accounts::{Caller, server::create_invite};
use clap::Subcommand;
use serde_json::json;
use time::Duration;

#[derive(Subcommand)]
pub(super) enum InviteCommand {
    /// Make a link to sign up with
    Create {
        /// How many people it lets in
        #[arg(long, default_value_t = 1)]
        uses: u32,
        /// How many days it lives
        #[arg(long, default_value_t = 7)]
        days: i64,
    },
}

impl InviteCommand {
    pub(super) async fn run(self, invocation: &Invocation) -> Exit {
        let Self::Create { uses, days } = self;
        with_ctx(&invocation.config, "invite", async |ctx| {
            let link = create_invite(ctx, &Caller::cli(), uses, Duration::days(days.clamp(0, 1000))).await?;
            invocation.answer(&json!({ "link": link, "uses": uses }), &link);
            Ok(Exit::Done)
        })
        .await
    }
}
