//! Accounts that another system knew, with the hashes of their passwords: nobody has to choose a new one. A hash is tried as it is at the
//! first sign-in, and replaced by one of ours then (`passwords`, `sign_in`). A known address stays as it is, so a list may be sent twice.

mod list;

use super::{
    sign_up::DEVELOPER,
    store::{
        accounts,
        imports::{self, Imported},
    },
};
use crate::{
    accounts::model::Caller,
    activity::server::{Change, record},
    error::AppError,
    platform::{Ctx, salted_hash},
    values::{AccountId, permission_names as may},
};
use list::{Line, Listed};
use serde::Serialize;
use sqlx::PgConnection;
use std::collections::{BTreeSet, HashMap};

/// Accounts of one list.
const MOST: usize = 100_000;
/// Accounts of one transaction.
const CHUNK: usize = 100;
/// Every sign-in tries a hash of each kind that there is.
const MOST_KINDS: usize = 4;

/// What became of a line, or would.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ImportedAs {
    Created,
    /// The address has an account, which stays as it is.
    Known,
    Wrong,
}

impl ImportedAs {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Known => "known",
            Self::Wrong => "wrong",
        }
    }
}

/// A line of the list, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ImportedLine {
    pub line: usize,
    pub email: String,
    pub outcome: ImportedAs,
    /// Which field is wrong.
    pub field: Option<&'static str>,
    pub detail: String,
}

/// Makes an account of each line that is good and new, a hundred in a transaction; a wrong one holds up no other. `dry_run`: only says what
/// would become of them.
pub async fn import_accounts(ctx: &Ctx, caller: &Caller, text: &str, dry_run: bool) -> Result<Vec<ImportedLine>, AppError> {
    caller.require(&may::ACCOUNTS_MANAGE)?;
    let lines = list::text(text)?;
    if !(1..=MOST).contains(&lines.len()) {
        return Err(AppError::invalid("list", "A list has 1 to 100,000 accounts."));
    }
    let kinds = kinds(ctx, &lines).await?;
    if !dry_run {
        let mut tx = ctx.db.begin().await?;
        for kind in &kinds {
            imports::insert_kind(&mut tx, kind, ctx.clock.now()).await?;
        }
        tx.commit().await?;
    }
    let (mut report, mut seen) = (Vec::with_capacity(lines.len()), HashMap::new());
    for chunk in lines.chunks(CHUNK) {
        let mut tx = ctx.db.begin().await?;
        for line in chunk {
            let (outcome, field, detail) = match &line.account {
                Err(wrong) => (ImportedAs::Wrong, Some(wrong.field), wrong.message.clone()),
                Ok(account) => {
                    let earlier = seen.insert(account.email.key(), line.number);
                    let (outcome, detail) = match earlier {
                        Some(first) => (ImportedAs::Known, format!("The same address as in line {first}.")),
                        None => import(ctx, &mut tx, caller, account, dry_run).await?,
                    };
                    (outcome, None, detail)
                }
            };
            report.push(ImportedLine { line: line.number, email: line.email.clone(), outcome, field, detail });
        }
        // Of a dry run nothing was written.
        tx.commit().await?;
    }
    Ok(report)
}

/// The kinds of the hashes of a list. Refused where too many would have to be tried at every sign-in.
async fn kinds(ctx: &Ctx, lines: &[Line]) -> Result<BTreeSet<String>, AppError> {
    let hashes = lines.iter().filter_map(|line| line.account.as_ref().ok()).filter_map(|account| account.password_hash.as_deref());
    let new: BTreeSet<String> = hashes.map(salted_hash::kind).collect();
    let mut all: BTreeSet<String> = imports::list_kinds(&ctx.db).await?.into_iter().collect();
    all.extend(new.iter().cloned());
    if new.is_empty() || all.len() <= MOST_KINDS {
        return Ok(new);
    }
    let named = all.into_iter().collect::<Vec<_>>().join(", ");
    let words = format!(
        "With those imported before there would be more than {MOST_KINDS} kinds of hashes ({named}), and each would be tried at every sign-in. Leave the hashes of the rare ones empty: their owners set a password by mail."
    );
    Err(AppError::invalid("list", words))
}

/// What becomes of an account of the list, with what is to be said of it.
async fn import(ctx: &Ctx, conn: &mut PgConnection, caller: &Caller, new: &Listed, dry_run: bool) -> Result<(ImportedAs, String), AppError> {
    let known = (ImportedAs::Known, "This address has an account already, which stays as it is.".to_owned());
    let (id, now, email_key): (AccountId, _, _) = (ctx.new_id(), ctx.clock.now(), new.email.key());
    if dry_run {
        let is_known = accounts::find_by_email(conn, &email_key).await?.is_some();
        return Ok(if is_known { known } else { (ImportedAs::Created, about(new)) });
    }
    let row = Imported {
        id,
        email: new.email.as_str(),
        email_key: &email_key,
        name: &new.name,
        language: ctx.config.mail.language,
        password_hash: new.password_hash.as_deref(),
        is_verified: new.is_verified,
        // Who has yet to prove the address has as long for it as anybody who signs up today.
        created_at: new.created_at.filter(|at| new.is_verified && *at <= now).unwrap_or(now),
    };
    if !imports::insert_imported(conn, row, now).await? {
        return Ok(known);
    }
    let workspace = accounts::insert_personal_workspace(conn, ctx.new_id(), id, &new.name, now).await?;
    accounts::insert_roles(conn, id, &[DEVELOPER], now).await?;
    let change = Change {
        kind: "account.created",
        workspace: Some(workspace),
        actor: caller.actor(),
        actor_name: &caller.name,
        subject: Some(id.uuid()),
        data: serde_json::json!({ "imported": true }),
        ..Change::default()
    };
    record(ctx, conn, change).await?;
    Ok((ImportedAs::Created, about(new)))
}

fn about(account: &Listed) -> String {
    let mut said = Vec::new();
    if account.password_hash.is_none() {
        said.push("No password: its owner sets one by mail.".to_owned());
    }
    if !account.is_verified {
        said.push("The address is yet to be proven.".to_owned());
    }
    if !account.left_out.is_empty() {
        said.push(format!("Not imported: {}.", account.left_out.join(", ")));
    }
    said.join(" ")
}
