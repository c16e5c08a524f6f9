//! `tollgate session-policy …`: how long sessions and keys of those last who have a role or a plan.

use super::{
    Exit, Invocation,
    missing::{Thing, missing},
    with_ctx,
};
use crate::{
    accounts::{
        Caller,
        model::{Policy, PolicyForm, PolicyHolder},
        server::{
            Visitor,
            policies::{self, PolicyOf},
        },
    },
    error::AppError,
    platform::Ctx,
};
use clap::{Args, Subcommand};
use serde_json::{Value, json};

#[derive(Subcommand)]
pub(super) enum SessionPolicyCommand {
    /// List every role and every plan with what it says
    List,
    /// Show what one says
    Show {
        /// role:operator or plan:pro
        #[arg(value_name = "ROLE OR PLAN")]
        of: PolicyHolder,
    },
    /// Set what a role or a plan says; what is not said here stays. Running sessions are held by it from their next request on
    Edit(Edit),
    /// Let a role or a plan say nothing: the next one decides, at last the configuration
    Clear {
        /// role:operator or plan:pro
        #[arg(value_name = "ROLE OR PLAN")]
        of: PolicyHolder,
    },
}

#[derive(Args)]
pub(super) struct Edit {
    /// role:operator or plan:pro
    #[arg(value_name = "ROLE OR PLAN")]
    of: PolicyHolder,
    /// A session ends when it was not used for so long: 30m, 8h, 14d or never
    #[arg(long, value_name = "TIME")]
    idle: Option<String>,
    /// A session ends so long after sign-in: 12h, 30d or never
    #[arg(long, value_name = "TIME")]
    max: Option<String>,
    /// Sessions at once, 1 to 200: a new one ends the oldest
    #[arg(long, value_name = "NUMBER")]
    count: Option<String>,
    /// The longest life of a key: 12h, 90d or never; keys keep the end that they have
    #[arg(long, value_name = "TIME")]
    key_max: Option<String>,
    /// Say no more of this, more than once
    #[arg(long, value_name = "WHAT", value_parser = ["idle", "max", "count", "key-max"])]
    unset: Vec<String>,
}

impl SessionPolicyCommand {
    pub(super) async fn run(self, invocation: &Invocation) -> Exit {
        with_ctx(&invocation.config, "session-policy", async |ctx| match self {
            Self::List => list(ctx, invocation).await,
            Self::Show { of } => {
                let row = known(ctx, &of).await?;
                invocation.answer(&facts(&row), &shown(&row));
                Ok(Exit::Done)
            }
            Self::Edit(wanted) => {
                let row = known(ctx, &wanted.of).await?;
                let before = policies::policy_form(&row.holder, &row.says);
                // Who changed it since it was read is not overwritten.
                let seen = before.version();
                let form = wanted.on(before)?;
                save(ctx, invocation, row, form, Some(seen.as_str())).await
            }
            Self::Clear { of } => {
                let row = known(ctx, &of).await?;
                save(ctx, invocation, row, PolicyForm { of: of.to_string(), ..PolicyForm::default() }, None).await
            }
        })
        .await
    }
}

impl Edit {
    /// What is said, in place of what the role or the plan says.
    fn on(self, mut form: PolicyForm) -> Result<PolicyForm, AppError> {
        let Self { of: _, idle, max, count, key_max, unset } = self;
        let values = [("idle", idle, &mut form.idle), ("max", max, &mut form.max), ("count", count, &mut form.count), ("key-max", key_max, &mut form.key_max)];
        for (name, said, value) in values {
            let is_unset = unset.iter().any(|it| it == name);
            match said {
                Some(_) if is_unset => return Err(AppError::invalid("unset", format!("Either set {name} or unset it."))),
                Some(said) => *value = said,
                None if is_unset => value.clear(),
                None => {}
            }
        }
        Ok(form)
    }
}

async fn list(ctx: &Ctx, invocation: &Invocation) -> Result<Exit, AppError> {
    let rows = policies::list_policies(ctx, &Caller::cli()).await?;
    let line = |row: &PolicyOf| format!("{:24}  {:20}  {}", row.holder.to_string(), row.name, says(row));
    let lines: Vec<String> = rows.iter().map(line).collect();
    invocation.answer(&rows.iter().map(facts).collect::<Value>(), &lines.join("\n"));
    Ok(Exit::Done)
}

async fn save(ctx: &Ctx, invocation: &Invocation, row: PolicyOf, form: PolicyForm, seen: Option<&str>) -> Result<Exit, AppError> {
    let row = if invocation.dry_run {
        let (_, says) = policies::read_policy(&form).map_err(named)?;
        PolicyOf { says, ..row }
    } else {
        policies::save_policy(ctx, &Caller::cli(), &Visitor::terminal(), &form, seen).await.map_err(named)?
    };
    let will = if invocation.dry_run { "Would be" } else { "From now on" };
    invocation.answer(&facts(&row), &format!("{will}:\n{}", shown(&row)));
    Ok(Exit::Done)
}

/// The flags are not called as the inputs of the page are.
fn named(error: AppError) -> AppError {
    [("policy[idle]", "idle"), ("policy[max]", "max"), ("policy[count]", "count"), ("policy[key_max]", "key-max")]
        .into_iter()
        .fold(error, |error, (input, flag)| error.of_field(input, flag))
}

async fn known(ctx: &Ctx, of: &PolicyHolder) -> Result<PolicyOf, AppError> {
    policies::list_policies(ctx, &Caller::cli()).await?.into_iter().find(|row| row.holder == *of).ok_or_else(|| missing(Thing::Policy, of))
}

/// As REST tells it: `null` is nothing said, 0 is never.
fn facts(row: &PolicyOf) -> Value {
    let Policy { idle_seconds, max_seconds, session_count, key_max_seconds } = row.says;
    json!({
        "kind": row.holder.kind(), "slug": row.holder.slug(), "name": row.name, "idle_seconds": idle_seconds, "max_seconds": max_seconds,
        "session_count": session_count, "key_max_seconds": key_max_seconds,
    })
}

/// "idle 8h, max 30d", or that it is nothing.
fn says(row: &PolicyOf) -> String {
    let PolicyForm { idle, max, count, key_max, .. } = policies::policy_form(&row.holder, &row.says);
    let said = [("idle", idle), ("max", max), ("count", count), ("key-max", key_max)];
    let said: Vec<String> = said.into_iter().filter(|(_, value)| !value.is_empty()).map(|(name, value)| format!("{name} {value}")).collect();
    if said.is_empty() { "says nothing".to_owned() } else { said.join(", ") }
}

fn shown(row: &PolicyOf) -> String {
    format!("{}  {}\n{}", row.holder, row.name, says(row))
}
