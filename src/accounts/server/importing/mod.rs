//! Accounts that another system knew, with the hashes of their passwords: nobody has to choose a new one. A hash is tried as it is at the
//! first sign-in, and replaced by one of ours then (`passwords`, `sign_in`). A known address stays as it is, so a list may be sent twice.

mod list;
mod waiting;

pub use waiting::{keep_account_list, preview_account_list, run_account_list};

use super::{
    factors::require_admin_proof,
    sign_up::DEVELOPER,
    store::{
        accounts,
        imports::{self, Imported},
    },
};
use crate::{
    accounts::model::{Caller, ImportedAs, ImportedLine, Via},
    activity::server::{Change, record},
    error::AppError,
    platform::{Ctx, salted_hash},
    values::{AccountId, permission_names as may},
};
use list::{Line, Listed};
use serde_json::Value;
use sqlx::PgConnection;
use std::collections::{BTreeSet, HashMap, HashSet};

/// Accounts of one list.
const MOST: usize = 100_000;
/// Accounts of one transaction.
const CHUNK: usize = 100;
/// Every sign-in tries a hash of each kind that there is.
const MOST_KINDS: usize = 4;

const KNOWN: &str = "This address has an account already, which stays as it is.";
const LATER: &str = "There was no time left for it: send the same list again.";

/// Makes an account of each line that is good and new, a hundred in a transaction; a wrong one holds up no other. `dry_run`: only says what
/// would become of them.
pub async fn import_accounts(ctx: &Ctx, caller: &Caller, text: &str, dry_run: bool) -> Result<Vec<ImportedLine>, AppError> {
    caller.require(&may::ACCOUNTS_MANAGE)?;
    import_lines(ctx, caller, &list::text(text)?, dry_run).await
}

/// The same for JSON objects.
pub async fn import_account_objects(ctx: &Ctx, caller: &Caller, accounts: Vec<Value>, dry_run: bool) -> Result<Vec<ImportedLine>, AppError> {
    caller.require(&may::ACCOUNTS_MANAGE)?;
    import_lines(ctx, caller, &list::objects(Value::Array(accounts))?, dry_run).await
}

async fn import_lines(ctx: &Ctx, caller: &Caller, lines: &[Line], dry_run: bool) -> Result<Vec<ImportedLine>, AppError> {
    if !(1..=MOST).contains(&lines.len()) {
        return Err(AppError::invalid("list", "A list has 1 to 100,000 accounts."));
    }
    if !dry_run {
        require_admin_proof(ctx, caller).await?;
    }
    let kinds = kinds(ctx, lines).await?;
    if dry_run {
        return dry(ctx, lines).await;
    }
    let mut tx = ctx.db.begin().await?;
    for kind in &kinds {
        imports::insert_kind(&mut tx, kind, ctx.clock.now()).await?;
    }
    tx.commit().await?;
    let begun = ctx.clock.now();
    let patience = (caller.via != Via::Cli).then_some(ctx.config.server.request_timeout / 2);
    let (mut report, mut seen) = (Vec::with_capacity(lines.len()), HashMap::new());
    for chunk in lines.chunks(CHUNK) {
        // What is done is committed; whoever waits for the answer gets one.
        let is_late = patience.is_some_and(|most| ctx.clock.now() - begun > most);
        let mut tx = ctx.db.begin().await?;
        for line in chunk {
            let said = match checked(line, &mut seen) {
                Err(said) => said,
                Ok(_) if is_late => reported(line, ImportedAs::Later, LATER.to_owned()),
                Ok(account) => {
                    let (outcome, detail) = import(ctx, &mut tx, caller, account).await?;
                    reported(line, outcome, detail)
                }
            };
            report.push(said);
        }
        tx.commit().await?;
    }
    Ok(report)
}

/// What would become of each line; nothing is written.
async fn dry(ctx: &Ctx, lines: &[Line]) -> Result<Vec<ImportedLine>, AppError> {
    let keys: Vec<String> = lines.iter().filter_map(|line| line.account.as_ref().ok()).map(|account| account.email.key()).collect();
    let known: HashSet<String> = imports::list_known(&ctx.db, &keys).await?.into_iter().collect();
    let mut seen = HashMap::new();
    let would = |line: &Line| match checked(line, &mut seen) {
        Err(said) => said,
        Ok(account) if known.contains(&account.email.key()) => reported(line, ImportedAs::Known, KNOWN.to_owned()),
        Ok(account) => reported(line, ImportedAs::Created, about(account)),
    };
    Ok(lines.iter().map(would).collect())
}

/// The account of a line, or what is said of it: it is wrong, or its address stands further up.
fn checked<'a>(line: &'a Line, seen: &mut HashMap<String, usize>) -> Result<&'a Listed, ImportedLine> {
    match &line.account {
        Err(wrong) => Err(ImportedLine { field: Some(wrong.field.to_owned()), ..reported(line, ImportedAs::Wrong, wrong.message.clone()) }),
        Ok(account) => match seen.insert(account.email.key(), line.number) {
            Some(first) => Err(reported(line, ImportedAs::Known, format!("The same address as in line {first}."))),
            None => Ok(account),
        },
    }
}

fn reported(line: &Line, outcome: ImportedAs, detail: String) -> ImportedLine {
    ImportedLine { line: line.number as u64, email: line.email.clone(), outcome, field: None, detail }
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
async fn import(ctx: &Ctx, conn: &mut PgConnection, caller: &Caller, new: &Listed) -> Result<(ImportedAs, String), AppError> {
    let (id, now, email_key): (AccountId, _, _) = (ctx.new_id(), ctx.clock.now(), new.email.key());
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
        return Ok((ImportedAs::Known, KNOWN.to_owned()));
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
        said.push("No password: its owner sets one by email.".to_owned());
    }
    if !account.is_verified {
        said.push("The address is yet to be proven.".to_owned());
    }
    if !account.left_out.is_empty() {
        said.push(format!("Not imported: {}.", account.left_out.join(", ")));
    }
    said.join(" ")
}
