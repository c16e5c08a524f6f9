//! `tollgate block rules`, `set-rule`, `exemptions`, `set-exemptions`: what blocks by itself, and what no block holds.

use super::super::{Exit, Invocation};
use crate::{
    accounts::Caller,
    blocks::{
        model::{RuleChange, RuleSetting, lasting_words},
        server as blocks,
    },
    error::AppError,
    platform::Ctx,
    values::AbuseRule,
};
use clap::Args;
use serde_json::json;

/// What is not named stays as it is.
#[derive(Args)]
pub(in crate::boot::cli) struct Change {
    /// unknown-keys, refusals or spread
    rule: String,
    /// Let it count, or not
    #[arg(long)]
    on: Option<bool>,
    /// So many are still allowed
    #[arg(long, value_name = "N")]
    most: Option<u32>,
    /// In so many minutes of the clock: 1 to 60
    #[arg(long, value_name = "N")]
    minutes: Option<u32>,
    /// refuse, slow or tell
    #[arg(long, value_name = "WORD")]
    then: Option<String>,
    /// Calls that pass in a second; goes with --then slow
    #[arg(long, value_name = "N", requires = "then")]
    per_second: Option<u32>,
    /// How long a block of it lasts: 10m, 24h, 7d
    #[arg(long = "for", value_name = "TIME")]
    lasts: Option<String>,
    /// Mail operators when it blocks, or not
    #[arg(long)]
    mails: Option<bool>,
}

impl Change {
    fn change(&self) -> Result<RuleChange, AppError> {
        let seconds = match &self.lasts {
            Some(text) => {
                let seconds = blocks::lasting(text).map_err(|words| AppError::invalid("for", words))?;
                Some(seconds.ok_or_else(|| AppError::invalid("for", "A rule blocks for a minute to 366 days: 10m, 24h, 7d."))?)
            }
            None => None,
        };
        let then = self.then.as_deref().map(|word| blocks::then_of(word, self.per_second)).transpose()?;
        Ok(RuleChange { is_on: self.on, most: self.most, minutes: self.minutes, then, seconds, mails: self.mails })
    }
}

pub(super) async fn list(ctx: &Ctx, invocation: &Invocation) -> Result<Exit, AppError> {
    let (rules, _) = blocks::rule_settings(ctx, &Caller::cli()).await?;
    invocation.answer(&rules, &rules.iter().map(line).collect::<Vec<_>>().join("\n"));
    Ok(Exit::Done)
}

/// `refusals      on   more than 600 in 1 m: slowed to 5 calls a second for 10m, mails`
fn line(rule: &RuleSetting) -> String {
    let is_on = if rule.is_on { "on" } else { "off" };
    let then = rule.then.map_or_else(|| "only tells, again after".to_owned(), |then| format!("{} for", then.words()));
    let mails = if rule.mails || rule.then.is_none() { ", mails" } else { "" };
    format!("{:12}  {is_on:3}  more than {} in {} m: {then} {}{mails}", rule.rule.as_str(), rule.most, rule.minutes, lasting_words(rule.seconds))
}

pub(super) async fn set(ctx: &Ctx, invocation: &Invocation, change: Change) -> Result<Exit, AppError> {
    let rule: AbuseRule = change.rule.parse().map_err(|words: &str| AppError::invalid("rule", words))?;
    let wanted = change.change()?;
    if invocation.dry_run {
        let would = wanted.of(blocks::find_rule(ctx, &Caller::cli(), rule).await?);
        invocation.answer(&would, &format!("Would set: {}", line(&would)));
        return Ok(Exit::Done);
    }
    let (setting, spread) = blocks::change_rule(ctx, &Caller::cli(), rule, wanted).await?;
    invocation.answer(&json!({ "rule": setting, "spread": spread }), &format!("{}\n{}", line(&setting), spread.words("In force")));
    Ok(Exit::Done)
}

pub(super) async fn exemptions(ctx: &Ctx, invocation: &Invocation) -> Result<Exit, AppError> {
    let (_, networks) = blocks::rule_settings(ctx, &Caller::cli()).await?;
    let words = if networks.is_empty() { "None besides loopback and the trusted proxies.".to_owned() } else { networks.join("\n") };
    invocation.answer(&networks, &words);
    Ok(Exit::Done)
}

pub(super) async fn set_exemptions(ctx: &Ctx, invocation: &Invocation, networks: &[String]) -> Result<Exit, AppError> {
    if invocation.dry_run {
        invocation.answer(&json!({ "would_exempt": networks }), &format!("Would never block: {}.", networks.join(", ")));
        return Ok(Exit::Done);
    }
    let spread = blocks::set_exemptions(ctx, &Caller::cli(), &networks.join("\n"), None).await?;
    invocation.answer(&json!({ "networks": networks, "spread": spread }), &format!("These networks are never blocked. {}", spread.words("In force")));
    Ok(Exit::Done)
}
