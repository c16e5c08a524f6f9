//! How long sessions and keys last. Roles and plans may say it; each value is said by the first that says it of: the account's roles, the
//! strictest of them; the plan of its own workspace; the plan of that workspace's group; the configuration. So the more specific wins:
//! a plan may let its people stay for a year, and a role still keeps operators to a working day.
//!
//! "Never" ends a session at the cap of the site (`auth.session_cap`, at most 400 days: R43). Sessions are held by their rows
//! (`platform::session`), programs by theirs (`store::programs`); keys get their end when it is set (`keys`).

pub mod http;
mod words;

use super::{
    Visitor,
    factors::require_admin_proof,
    locked::must_be_open,
    store::policies::{self as store, Found, Said},
};
use crate::{
    accounts::model::{Caller, InForce, Lasting, Policy, PolicyForm, PolicyHolder, PolicyPage, PolicyRow},
    activity::server::{Change, record},
    error::AppError,
    platform::{
        Ctx,
        session::{self, Ends},
    },
    values::{AccountId, Area, WorkspaceId, permission_names as may},
};
use serde_json::json;
use sqlx::PgExecutor;
use std::{collections::HashMap, time::Duration};
use time::OffsetDateTime;

pub use store::Row as PolicyOf;
pub(super) use words::in_words;
pub use words::{form as policy_form, parsed as read_policy};

/// The ends of a session that begins now.
pub(super) async fn ends_of(ctx: &Ctx, db: impl PgExecutor<'_>, account: AccountId) -> sqlx::Result<Ends> {
    let said = store::find_said(db, account).await?;
    Ok(session::Lasting::of(&ctx.config.auth).ends(number(&said.idle), number(&said.longest)))
}

/// How many sessions an account has at once.
pub(super) async fn most_of(ctx: &Ctx, db: impl PgExecutor<'_>, account: AccountId) -> sqlx::Result<u32> {
    Ok(session::Lasting::of(&ctx.config.auth).most(number(&store::find_said(db, account).await?.most)))
}

/// What holds for an account, in words, each value with its origin.
pub(super) async fn lasting_of(ctx: &Ctx, account: AccountId) -> Result<Lasting, AppError> {
    let said = store::find_said(&ctx.db, account).await?;
    let site = session::Lasting::of(&ctx.config.auth);
    let ends = site.ends(number(&said.idle), number(&said.longest));
    let Found { idle, longest, most, key_longest } = said;
    let key = match number(&key_longest) {
        None | Some(0) => "no limit".to_owned(),
        Some(seconds) => in_words(Duration::from_secs(seconds.unsigned_abs().into())),
    };
    let count = site.most(number(&most)).to_string();
    Ok(Lasting {
        idle: in_force(in_words(ends.idle), idle),
        max: in_force(in_words(ends.max), longest),
        count: in_force(count, most),
        key_max: in_force(key, key_longest),
    })
}

/// The same for operators.
pub async fn lasting_of_account(ctx: &Ctx, caller: &Caller, account: AccountId) -> Result<Lasting, AppError> {
    caller.require(&may::ADMIN_READ)?;
    lasting_of(ctx, account).await
}

/// How long keys of some workspaces may live.
#[derive(Debug, Clone, Default)]
pub struct KeyEnds(HashMap<WorkspaceId, (Duration, String)>);

/// What is said of the keys of these workspaces, by the roles and plans of their owners.
pub async fn key_ends(ctx: &Ctx, workspaces: impl IntoIterator<Item = WorkspaceId>) -> Result<KeyEnds, AppError> {
    let ids: Vec<_> = workspaces.into_iter().map(WorkspaceId::uuid).collect();
    let rows = store::list_key_ends(&ctx.db, &ids).await?;
    Ok(KeyEnds(rows.into_iter().map(|(id, seconds, by)| (id, (Duration::from_secs(seconds.unsigned_abs().into()), by))).collect()))
}

impl KeyEnds {
    /// The end of a key that was made at `made`, as it is wished for: without a wish the latest that is allowed.
    pub fn end(&self, workspace: WorkspaceId, made: OffsetDateTime, wish: Option<OffsetDateTime>) -> Result<Option<OffsetDateTime>, String> {
        let Some(latest) = self.latest(workspace, made) else { return Ok(wish) };
        match wish {
            Some(at) if at > latest => Err(self.refusal(workspace, latest)),
            wish => Ok(Some(wish.unwrap_or(latest))),
        }
    }

    /// The same for taking an end away.
    pub fn none(&self, workspace: WorkspaceId, made: OffsetDateTime) -> Result<Option<OffsetDateTime>, String> {
        self.latest(workspace, made).map_or(Ok(None), |latest| Err(self.refusal(workspace, latest)))
    }

    fn latest(&self, workspace: WorkspaceId, made: OffsetDateTime) -> Option<OffsetDateTime> {
        // To the second, so that it reads the same everywhere.
        self.0.get(&workspace).map(|(longest, _)| (made + *longest).replace_nanosecond(0).unwrap_or(made))
    }

    fn refusal(&self, workspace: WorkspaceId, latest: OffsetDateTime) -> String {
        let rule = self.0.get(&workspace).map(|(longest, by)| format!("{} here ({by})", in_words(*longest))).unwrap_or_default();
        format!("A key lives at most {rule}: until {} at the latest.", latest.date())
    }
}

/// What `/admin/sessions` shows.
pub async fn policy_page(ctx: &Ctx, caller: &Caller) -> Result<PolicyPage, AppError> {
    let auth = &ctx.config.auth;
    let rows = list_policies(ctx, caller).await?;
    let row = |row: store::Row| PolicyRow { form: words::form(&row.holder, &row.says), holder: row.holder, name: row.name };
    Ok(PolicyPage {
        rows: rows.into_iter().map(row).collect(),
        default: PolicyForm {
            of: String::new(),
            idle: words::span(auth.session_idle),
            max: words::span(auth.session_max),
            count: auth.session_count.to_string(),
            key_max: "never".to_owned(),
        },
        cap: in_words(auth.session_cap),
        may_change: caller.may(&may::ACCOUNTS_MANAGE),
    })
}

/// Every role and every plan with what it says.
pub async fn list_policies(ctx: &Ctx, caller: &Caller) -> Result<Vec<store::Row>, AppError> {
    caller.require(&may::ADMIN_READ)?;
    Ok(store::list_policies(&ctx.db).await?)
}

/// Sets what a role or a plan says, all four values, unless it says something else by now than what was `seen` (`PolicyForm::version`); with none it
/// says nothing. What is said already is no change.
pub async fn set_policy(ctx: &Ctx, caller: &Caller, from: &Visitor, holder: &PolicyHolder, says: &Policy, seen: Option<&str>) -> Result<store::Row, AppError> {
    caller.require(&may::ACCOUNTS_MANAGE)?;
    must_be_open(ctx, caller, Area::Sessions)?;
    words::check(says)?;
    require_admin_proof(ctx, caller).await?;
    let mut tx = ctx.db.begin().await?;
    if !store::lock(&mut tx, holder).await? {
        return Err(AppError::NotFound);
    }
    let old = store::list_policies(&mut *tx).await?.into_iter().find(|row| row.holder == *holder).ok_or(AppError::NotFound)?;
    if old.says != *says {
        AppError::unless_seen(seen, &words::form(holder, &old.says).version(), &format!("What the {} {} says", holder.kind(), old.name))?;
        store::replace_policy(&mut tx, ctx.new_id(), holder, says, ctx.clock.now()).await?;
        let mut data = from.facts();
        data["name"] = json!(format!("{} {}", holder.kind(), old.name));
        (data["from"], data["to"]) = (json!(old.says), json!(says));
        let change = Change { kind: "session_policy.changed", actor: caller.actor(), actor_name: &caller.name, data, ..Change::default() };
        record(ctx, &mut tx, change).await?;
        tx.commit().await?;
    }
    Ok(store::Row { says: *says, ..old })
}

/// The same by the form of the page.
pub async fn save_policy(ctx: &Ctx, caller: &Caller, from: &Visitor, form: &PolicyForm, seen: Option<&str>) -> Result<store::Row, AppError> {
    caller.require(&may::ACCOUNTS_MANAGE)?;
    let (holder, says) = words::parsed(form)?;
    set_policy(ctx, caller, from, &holder, &says, seen).await
}

fn number(said: &Said) -> Option<i32> {
    said.as_ref().map(|(value, _)| *value)
}

fn in_force(value: String, said: Said) -> InForce {
    InForce { value, origin: said.map(|(_, by)| by) }
}
