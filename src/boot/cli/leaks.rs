//! `tollgate leaks keys …`: whose signatures reports of leaked keys may carry. A running server hears of it at once.

use super::{Exit, Invocation, key::text_of, with_ctx};
use crate::{
    accounts::Caller,
    keys::server::leaks::{list_signers, set_signers},
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
        let Self::Keys(command) = self;
        with_ctx(&invocation.config, "leaks", async |ctx| {
            let caller = Caller::cli();
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
