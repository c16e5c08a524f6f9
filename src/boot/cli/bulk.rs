//! `tollgate key bulk …`: one act on many keys, those that are named or those that filters leave.

use super::{Exit, Invocation, key_filter::Filter};
use crate::{
    accounts::Caller,
    error::AppError,
    keys::{
        model::{Many, ManyAct, ManyPlan, NamedKey, Selection},
        server as keys,
    },
    platform::Ctx,
    ui::number::count,
    values::KeyId,
};
use clap::Args;
use serde_json::{Value, json};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

#[derive(Args)]
pub(super) struct Bulk {
    /// What to do with each of them
    #[arg(value_parser = ["disable", "enable", "extend", "tag", "untag", "plan", "revoke"])]
    act: String,
    /// Ids of keys; without any, those that the filters leave
    #[arg(value_name = "ID")]
    ids: Vec<String>,
    /// Every key there is
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    filter: Filter,
    /// Stands in the history of each key
    #[arg(long, value_name = "WORDS", default_value = "")]
    reason: String,
    /// For extend: those that end sooner end then: 2027-01-31T00:00:00Z
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// For tag and untag
    #[arg(long, value_name = "TAG")]
    tag: Option<String>,
    /// For plan: its slug
    #[arg(long, value_name = "SLUG", conflicts_with = "no_plan")]
    plan: Option<String>,
    /// For plan: none of their own
    #[arg(long)]
    no_plan: bool,
}

impl Bulk {
    pub(super) async fn run(self, ctx: &Ctx, invocation: &Invocation) -> Result<Exit, AppError> {
        let many = self.many(ctx).await?;
        if many.act == ManyAct::Revoke && matches!(many.keys, Selection::Matching(_)) && !invocation.dry_run && !invocation.yes {
            return Err(AppError::invalid("yes", "A revoked key never passes again. Look at which keys they are with --dry-run, then say --yes."));
        }
        let plan = match invocation.dry_run {
            true => keys::plan_many(ctx, &Caller::cli(), &many).await?,
            false => keys::change_many(ctx, &Caller::cli(), &many, None).await?,
        };
        invocation.answer(&facts(&plan, invocation.dry_run), &words(&plan, invocation.dry_run));
        Ok(Exit::Done)
    }

    async fn many(self, ctx: &Ctx) -> Result<Many, AppError> {
        let act = ManyAct::parse(&self.act).ok_or_else(|| AppError::invalid("act", "There is no such act."))?;
        let at = |text: &String| OffsetDateTime::parse(text, &Rfc3339).map_err(|_| AppError::invalid("until", "Write the end as 2027-01-31T00:00:00Z."));
        let expires_at = self.until.as_ref().map(at).transpose()?;
        let plan = if self.no_plan { Some(None) } else { self.plan.map(Some) };
        let keys = selection(ctx, &self.ids, self.all, self.filter).await?;
        Ok(Many { act, keys, reason: self.reason, expires_at, tag: self.tag, plan })
    }
}

/// Nobody means every key by saying nothing.
async fn selection(ctx: &Ctx, ids: &[String], all: bool, filter: Filter) -> Result<Selection, AppError> {
    match (ids.is_empty(), all || filter.says_anything()) {
        (true, false) => Err(AppError::invalid("ids", "Name keys by their ids, by filters, or say --all.")),
        (false, true) => Err(AppError::invalid("ids", "Name keys either by their ids or by filters.")),
        (false, false) => {
            let ids = ids.iter().map(|id| id.parse::<KeyId>().map_err(|_| AppError::invalid("ids", format!("{id} is no id of a key."))));
            Ok(Selection::These(ids.collect::<Result<_, _>>()?))
        }
        (true, true) => Ok(Selection::Matching(Box::new(filter.query(ctx).await?))),
    }
}

fn facts(plan: &ManyPlan, dry_run: bool) -> Value {
    let named = |key: &NamedKey| json!({ "id": key.id, "name": key.name });
    let skipped = |(key, why): &(NamedKey, String)| json!({ "id": key.id, "name": key.name, "reason": why });
    json!({
        "dry_run": dry_run, "changed": plan.changed.iter().map(named).collect::<Value>(), "skipped": plan.skipped.iter().map(skipped).collect::<Value>(),
        "has_more": plan.has_more, "spread": plan.spread,
    })
}

fn words(plan: &ManyPlan, dry_run: bool) -> String {
    let verb = if dry_run { "would change" } else { "changed" };
    let mut lines: Vec<String> = plan.changed.iter().map(|key| format!("{}  {}", key.id, key.name)).collect();
    lines.extend(plan.skipped.iter().map(|(key, why)| format!("{}  {}  stays as it is: {why}", key.id, key.name)));
    let spread = plan.spread.as_ref().filter(|_| !plan.changed.is_empty()).map(|spread| format!(" {}", spread.words("In force"))).unwrap_or_default();
    let more = if plan.has_more { " More match: run it again for the rest." } else { "" };
    lines.push(format!("{} {verb}.{spread}{more}", count(plan.changed.len() as u64, "key", "keys")));
    lines.join("\n")
}
