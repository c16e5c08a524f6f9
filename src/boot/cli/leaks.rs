//! `tollgate leaks …`: whose signatures reports of leaked keys may carry, and what becomes of the leaked keys of a workspace. A running server
//! hears of it at once.

use super::{
    Exit, Invocation,
    group::Whom,
    key::text_of,
    missing::{OrNo, Thing},
    with_ctx,
};
use crate::{
    accounts::Caller,
    error::AppError,
    keys::server::leaks::{leak_choice_of, list_signers, save_leak_choice_of, set_signers},
    plans::server as plans,
    platform::Ctx,
    ui::number::count,
};
use clap::Subcommand;
use serde_json::json;
use std::path::PathBuf;

#[derive(Subcommand)]
pub(super) enum LeaksCommand {
    /// The public keys that check reports; without any, nobody may report
    #[command(subcommand)]
    Keys(KeysCommand),
    /// Show or choose what becomes of the leaked keys of a workspace, besides a mail to its owner
    Choice {
        #[command(flatten)]
        whom: Whom,
        /// Disable them at once
        #[arg(long)]
        disable: bool,
        /// Let them go on; somebody decides
        #[arg(long, conflicts_with = "disable")]
        keep: bool,
    },
}

#[derive(Subcommand)]
pub(super) enum KeysCommand {
    /// Take the keys of a file, in place of those before: {"public_keys": [{"key_identifier", "key", "is_current"}]}
    ///
    /// GitHub's: curl -sf https://api.github.com/meta/public_keys/secret_scanning | tollgate leaks keys set -
    Set {
        /// A file, or - for standard input
        file: PathBuf,
    },
    /// List their identifiers
    List,
    /// Take all of them away: nobody may report any more
    Clear,
}

impl LeaksCommand {
    pub(super) async fn run(self, invocation: &Invocation) -> Exit {
        with_ctx(&invocation.config, "leaks", async |ctx| {
            let caller = Caller::cli();
            let command = match self {
                Self::Keys(command) => command,
                Self::Choice { whom, disable, keep } => return choice(ctx, invocation, &whom, (disable || keep).then_some(disable)).await,
            };
            let document = match command {
                KeysCommand::List => {
                    let signers = list_signers(ctx, &caller).await?;
                    let lines: Vec<String> = signers.iter().map(|(id, is_current)| format!("{id}{}", if *is_current { "  current" } else { "" })).collect();
                    let found: Vec<_> = signers.iter().map(|(id, is_current)| json!({ "key_identifier": id, "is_current": is_current })).collect();
                    let nobody = "No public keys: nobody may report leaked keys.".to_owned();
                    invocation.answer(&found, &if lines.is_empty() { nobody } else { lines.join("\n") });
                    return Ok(Exit::Done);
                }
                KeysCommand::Set { file } => text_of(&file)?,
                KeysCommand::Clear => String::new(),
            };
            if invocation.dry_run {
                invocation.answer(&json!({ "would_set": !document.is_empty() }), "Would set who may report leaked keys.");
                return Ok(Exit::Done);
            }
            let keys = set_signers(ctx, &caller, &document).await?;
            let words = match keys {
                0 => "Nobody may report leaked keys any more.".to_owned(),
                n => format!("{} set. Reports go to {}.", count(n as u64, "public key is", "public keys are"), ctx.config.link("/api/v1/leaked-keys")),
            };
            invocation.answer(&json!({ "keys": keys }), &words);
            Ok(Exit::Done)
        })
        .await
    }
}

/// Shows what is chosen, or chooses it.
async fn choice(ctx: &Ctx, invocation: &Invocation, whom: &Whom, wanted: Option<bool>) -> Result<Exit, AppError> {
    let cli = Caller::cli();
    let workspace = whom.workspace(ctx).await?;
    let hold = plans::workspace_hold(ctx, &cli, workspace).await.or_no(Thing::Workspace, workspace)?;
    if let Some(disables) = wanted.filter(|_| !invocation.dry_run) {
        save_leak_choice_of(ctx, &cli, workspace, disables).await?;
    }
    let disables = match wanted {
        Some(disables) => disables,
        None => leak_choice_of(ctx, &cli, workspace).await?,
    };
    let (are, goes) = if wanted.is_some() && invocation.dry_run { ("would be", "would go on") } else { ("are", "go on") };
    let words = if disables { format!("Leaked keys of {} {are} disabled at once.", hold.name) } else { format!("Leaked keys of {} {goes}.", hold.name) };
    invocation.answer(&json!({ "workspace": workspace, "disables": disables }), &words);
    Ok(Exit::Done)
}
