//! The JSON of the REST routes of plans. Unknown fields are refused.

use crate::{
    keys::{
        model::{Grant, KeyLimit, Spread},
        server::http::{KeyLimitBody, SpreadBody},
    },
    plans::model::{DryRun, NewPlan, NewPrice, Plan, PlanEdit, Price, WorkspaceHold},
};
use serde::{Deserialize, Deserializer, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;

/// What 1,000 cost units are worth: for an estimate, never for a bill.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PriceBody {
    /// A decimal number as text, with at most 6 decimals.
    #[schema(example = "0.50")]
    pub per_1000: String,
    /// Three letters, as ISO 4217 has them.
    #[schema(example = "EUR")]
    pub currency: String,
}

impl From<Price> for PriceBody {
    fn from(price: Price) -> Self {
        Self { per_1000: price.per_1000(), currency: price.currency }
    }
}

impl From<PriceBody> for NewPrice {
    fn from(body: PriceBody) -> Self {
        Self { per_1000: body.per_1000, currency: body.currency }
    }
}

/// `orders/reports:export` each.
pub(super) fn named(grants: &[Grant]) -> Vec<String> {
    grants.iter().map(ToString::to_string).collect()
}

pub(super) fn limits(bodies: Vec<KeyLimitBody>) -> Vec<KeyLimit> {
    bodies.into_iter().map(Into::into).collect()
}

/// A plan that an operator wants.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPlanBody {
    /// What the gate answers as `plan`; it stays.
    #[schema(example = "pro")]
    slug: String,
    /// 1 to 80 characters.
    #[schema(example = "Pro")]
    name: String,
    /// At most 400 characters.
    #[serde(default)]
    description: String,
    /// What else it gives: at most 20 lines of 120 characters. A line `name` or `name=value` is told to services; each name stands there once.
    #[serde(default)]
    entitlements: Vec<String>,
    /// Permissions that need a grant, for keys of who has the plan: the slug of their API, a slash, and their name. At most 200.
    #[serde(default)]
    #[schema(example = json!(["orders/reports:export"]))]
    grants: Vec<String>,
    #[serde(default)]
    price: Option<PriceBody>,
    /// At most 32.
    #[serde(default)]
    limits: Vec<KeyLimitBody>,
}

impl NewPlanBody {
    pub fn plan(self) -> NewPlan {
        NewPlan {
            slug: self.slug,
            name: self.name,
            description: self.description,
            entitlements: self.entitlements,
            grants: self.grants,
            price: self.price.map(Into::into),
            limits: limits(self.limits),
        }
    }
}

/// Changes of a plan; what is left out stays. All or nothing.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EditPlanBody {
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    description: Option<String>,
    #[serde(default)]
    entitlements: Option<Vec<String>>,
    /// All of them. What is left out passes no more, on any node, when this is answered.
    #[serde(default)]
    grants: Option<Vec<String>>,
    /// `null`: no price.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<PriceBody>)]
    price: Option<Option<PriceBody>>,
    #[serde(default)]
    limits: Option<Vec<KeyLimitBody>>,
}

/// A field that is there, even if it is `null`.
fn present<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Option<PriceBody>>, D::Error> {
    Option::deserialize(from).map(Some)
}

impl EditPlanBody {
    pub fn edit(self) -> PlanEdit {
        PlanEdit {
            name: self.name,
            description: self.description,
            entitlements: self.entitlements,
            grants: self.grants,
            price: self.price.map(|price| price.map(Into::into)),
            limits: self.limits.map(limits),
            limit: None,
            seen: None,
        }
    }
}

/// A plan.
#[derive(Debug, Serialize, ToSchema)]
pub struct PlanBody {
    pub id: String,
    #[schema(example = "pro")]
    pub slug: String,
    pub name: String,
    pub description: String,
    pub entitlements: Vec<String>,
    /// `orders/reports:export` each: permissions that need a grant, for keys of who has the plan.
    pub grants: Vec<String>,
    pub price: Option<PriceBody>,
    pub limits: Vec<KeyLimitBody>,
    /// How many workspaces have it.
    pub workspaces: u64,
    /// How many keys have it themselves.
    pub keys: u64,
    /// How many groups have it.
    pub groups: u64,
    /// Of a change: on which nodes it holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spread: Option<SpreadBody>,
}

impl PlanBody {
    pub fn changed(plan: Plan, spread: Spread) -> Self {
        Self { spread: Some(spread.into()), ..plan.into() }
    }
}

impl From<Plan> for PlanBody {
    fn from(plan: Plan) -> Self {
        Self {
            id: plan.id.to_string(),
            slug: plan.slug.to_string(),
            name: plan.name,
            description: plan.description,
            entitlements: plan.entitlements,
            grants: named(&plan.grants),
            price: plan.price.map(Into::into),
            limits: plan.limits.into_iter().map(Into::into).collect(),
            workspaces: plan.workspaces,
            keys: plan.keys,
            groups: plan.groups,
            spread: None,
        }
    }
}

/// Every plan, by name.
#[derive(Debug, Serialize, ToSchema)]
pub struct PlanListBody {
    pub data: Vec<PlanBody>,
    pub has_more: bool,
    pub next_cursor: Option<String>,
}

/// Which plan a workspace gets.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PlanOfBody {
    /// The slug of a plan; `null`: none.
    #[serde(deserialize_with = "said")]
    #[schema(example = "pro")]
    pub plan: Option<String>,
}

/// A field that must be there, though it may be `null`: to take a plan away nobody forgets to say so.
fn said<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    Option::deserialize(from)
}

/// The account whose workspace gets a plan.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AccountBody {
    /// Its email or id.
    #[schema(example = "mara@example.com")]
    pub account: String,
}

/// Limits of a workspace or an API.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LimitsBody {
    /// At most 32.
    pub limits: Vec<KeyLimitBody>,
}

impl LimitsBody {
    pub fn limits(self) -> Vec<KeyLimit> {
        limits(self.limits)
    }
}

impl From<Vec<KeyLimit>> for LimitsBody {
    fn from(limits: Vec<KeyLimit>) -> Self {
        Self { limits: limits.into_iter().map(Into::into).collect() }
    }
}

/// What is granted to a workspace itself.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GrantsBody {
    /// The slug of an API, a slash, and a permission that it knows. At most 200.
    #[schema(example = json!(["orders/reports:export"]))]
    pub grants: Vec<String>,
}

/// The limits of an API after a change.
#[derive(Debug, Serialize, ToSchema)]
pub struct ChangedLimitsBody {
    pub limits: Vec<KeyLimitBody>,
    /// On which nodes they hold.
    pub spread: SpreadBody,
}

impl ChangedLimitsBody {
    pub fn new(limits: Vec<KeyLimit>, spread: Spread) -> Self {
        Self { limits: limits.into_iter().map(Into::into).collect(), spread: spread.into() }
    }
}

/// What holds a workspace, besides the limits and plans of its keys.
#[derive(Debug, Serialize, ToSchema)]
pub struct WorkspaceHoldBody {
    pub workspace_id: String,
    pub name: String,
    /// The slug of its plan.
    pub plan: Option<String>,
    /// The slug of its group.
    pub group: Option<String>,
    /// Its own; they stand before those of the plan and of the group.
    pub limits: Vec<KeyLimitBody>,
    /// Its own, beside those of the plan and of the group: `orders/reports:export` each.
    pub grants: Vec<String>,
    /// Whether the limits of its plan apply, at least to some of its keys; left out where it has no plan.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub effective: Option<bool>,
    /// What applies instead of the plan's limits, as a sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "The plan's limits have no effect: the workspace has limits of its own, which apply instead.")]
    pub effect: Option<String>,
    /// Of an assignment: the slug of the plan that it had before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replaced: Option<String>,
    /// Of a change: on which nodes it holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spread: Option<SpreadBody>,
}

impl WorkspaceHoldBody {
    pub fn changed(hold: WorkspaceHold, spread: Spread) -> Self {
        Self { spread: Some(spread.into()), ..hold.into() }
    }
}

impl From<WorkspaceHold> for WorkspaceHoldBody {
    fn from(hold: WorkspaceHold) -> Self {
        let effect = hold.effect();
        Self {
            effective: effect.as_ref().map(|effect| effect.effective),
            effect: effect.map(|effect| effect.words).filter(|words| !words.is_empty()),
            replaced: hold.replaced.map(Into::into),
            workspace_id: hold.workspace.to_string(),
            name: hold.name,
            plan: hold.plan.map(Into::into),
            group: hold.group.map(Into::into),
            limits: hold.limits.into_iter().map(Into::into).collect(),
            grants: named(&hold.grants),
            spread: None,
        }
    }
}

/// Who would have been limited.
#[derive(Debug, Serialize, ToSchema)]
pub struct DryRunBody {
    /// How many would have been limited, also those that `data` leaves out.
    pub count: u64,
    pub data: Vec<WouldBeLimitedBody>,
    /// Names of limits whose windows roll: held against whole quarters of an hour, what was asked in one counts as if at its beginning.
    pub by_quarters: Vec<String>,
    /// Names of limits that were held against usage by the minute: windows of whole minutes that quarters don't fit into, and those that roll
    /// in less than an hour, of which what was asked in one minute counts as if at its beginning.
    pub by_minutes: Vec<String>,
    /// Names of limits that count calls.
    pub by_calls: Vec<String>,
    /// What `beyond` and `units` count: `calls` where all limits that were tried count these, else `units`.
    #[schema(example = "units")]
    pub unit: String,
    /// Since when usage by the minute is kept, if there are such limits: what was before is not held against them.
    #[serde(with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub minutes_since: Option<OffsetDateTime>,
    /// Names of limits that were tried. If there are none, `count` says nothing.
    pub tried: Vec<String>,
    /// Names of limits that can't be tried: of calls at the same time, of windows that are no whole minutes, and of credits that come back more
    /// often than every hour.
    pub not_tried: Vec<String>,
    /// Those of them whose windows are no whole minutes.
    pub too_short: Vec<String>,
    /// Keys with usage that are left out, since limits of their own, or nearer ones, hold them.
    pub left_out: LeftOutBody,
}

/// Keys that limits of their own, or nearer ones, hold.
#[derive(Debug, Serialize, ToSchema)]
pub struct LeftOutBody {
    pub keys: u64,
    /// What these used and asked for since the first of last month, in cost units.
    pub units: u64,
}

/// A workspace or a key that would have been limited.
#[derive(Debug, Serialize, ToSchema)]
pub struct WouldBeLimitedBody {
    pub workspace_id: String,
    /// Only if it was asked by key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_id: Option<String>,
    pub name: String,
    /// Windows in which something would have been refused, of all limits; of a rolling limit, and of credits, quarters of an hour, or minutes.
    pub windows: u64,
    /// Cost units that would have been refused, each once however many limits had no room for it; calls where all limits count these.
    pub beyond: u64,
    /// Cost units at all; calls where all limits count these.
    pub units: u64,
}

impl From<DryRun> for DryRunBody {
    fn from(run: DryRun) -> Self {
        let row = |r: crate::plans::model::WouldBeLimited| WouldBeLimitedBody {
            workspace_id: r.workspace.to_string(),
            key_id: r.key.map(|k| k.to_string()),
            name: r.name,
            windows: r.windows,
            beyond: r.beyond,
            units: r.units,
        };
        let DryRun { limited, count, by_quarters, by_minutes, by_calls, unit, minutes_since, tried, not_tried, too_short, left_out, left_out_units, .. } = run;
        let (data, unit) = (limited.into_iter().map(row).collect(), unit.as_str().to_owned());
        let left_out = LeftOutBody { keys: left_out, units: left_out_units };
        Self { count, data, by_quarters, by_minutes, by_calls, unit, minutes_since, tried, not_tried, too_short, left_out }
    }
}
