//! The SQL of the rules that make blocks, and of the networks that none holds.

use super::{action, per_second};
use crate::{blocks::model::RuleSetting, values::AbuseRule};
use ipnet::IpNet;
use sqlx::PgConnection;

struct Row {
    rule: String,
    is_on: bool,
    most: i32,
    minutes: i32,
    blocks: bool,
    per_second: Option<i32>,
    seconds: i32,
    mails: bool,
}

impl Row {
    fn setting(&self) -> Option<RuleSetting> {
        let whole = |n: i32| u32::try_from(n).unwrap_or(0);
        Some(RuleSetting {
            rule: self.rule.parse().ok()?,
            is_on: self.is_on,
            most: whole(self.most),
            minutes: whole(self.minutes),
            then: self.blocks.then(|| action(self.per_second)),
            seconds: u64::from(whole(self.seconds)),
            mails: self.mails,
        })
    }
}

/// Every rule, in the order of `AbuseRule::ALL`.
pub async fn list_rules(conn: &mut PgConnection) -> sqlx::Result<Vec<RuleSetting>> {
    let rows = sqlx::query_as!(Row, "select rule, is_on, most, minutes, blocks, per_second, seconds, mails from block_rules").fetch_all(conn).await?;
    let mut rules: Vec<RuleSetting> = rows.iter().filter_map(Row::setting).collect();
    rules.sort_by_key(|setting| setting.rule);
    Ok(rules)
}

pub async fn find_rule(conn: &mut PgConnection, rule: AbuseRule) -> sqlx::Result<Option<RuleSetting>> {
    let row = sqlx::query_as!(Row, "select rule, is_on, most, minutes, blocks, per_second, seconds, mails from block_rules where rule = $1", rule.as_str());
    Ok(row.fetch_optional(conn).await?.and_then(|row| row.setting()))
}

/// Nobody else changes it until the transaction ends.
pub async fn lock_rule(conn: &mut PgConnection, rule: AbuseRule) -> sqlx::Result<Option<RuleSetting>> {
    let row = sqlx::query_as!(
        Row,
        "select rule, is_on, most, minutes, blocks, per_second, seconds, mails from block_rules where rule = $1 for update",
        rule.as_str()
    );
    Ok(row.fetch_optional(conn).await?.and_then(|row| row.setting()))
}

pub async fn update_rule(conn: &mut PgConnection, setting: &RuleSetting) -> sqlx::Result<()> {
    let whole = |n: u64| i32::try_from(n).unwrap_or(i32::MAX);
    sqlx::query!(
        "update block_rules set is_on = $2, most = $3, minutes = $4, blocks = $5, seconds = $6, per_second = $7, mails = $8 where rule = $1",
        setting.rule.as_str(),
        setting.is_on,
        whole(setting.most.into()),
        whole(setting.minutes.into()),
        setting.then.is_some(),
        whole(setting.seconds),
        setting.then.and_then(per_second),
        setting.mails,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Networks that no block holds.
pub async fn list_exempt(conn: &mut PgConnection) -> sqlx::Result<Vec<IpNet>> {
    let networks = sqlx::query_scalar!(r#"select networks::text[] as "networks!" from block_exemptions"#).fetch_optional(conn).await?;
    Ok(networks.unwrap_or_default().iter().filter_map(|n| n.parse().ok()).collect())
}

/// The same, and nobody else changes them until the transaction ends.
pub async fn lock_exempt(conn: &mut PgConnection) -> sqlx::Result<Vec<IpNet>> {
    let networks = sqlx::query_scalar!(r#"select networks::text[] as "networks!" from block_exemptions for update"#).fetch_optional(conn).await?;
    Ok(networks.unwrap_or_default().iter().filter_map(|n| n.parse().ok()).collect())
}

pub async fn replace_exempt(conn: &mut PgConnection, networks: &[IpNet]) -> sqlx::Result<()> {
    let networks: Vec<String> = networks.iter().map(ToString::to_string).collect();
    sqlx::query!("update block_exemptions set networks = $1::text[]::cidr[]", &networks).execute(conn).await?;
    Ok(())
}
