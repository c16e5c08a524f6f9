//! What the units of a report are worth at the prices of today's plans: an estimate, never a bill.

use super::{
    report::whole,
    store::estimate::{self, PricedRow},
    store::reading::Scope,
};
use crate::{plans::model::Price, usage::model::Estimate};
use sqlx::PgPool;
use time::OffsetDateTime;

/// One for each plan with a price whose keys passed calls in this time, the most units first.
pub async fn estimates(db: &PgPool, scope: &Scope, from: OffsetDateTime, to: OffsetDateTime) -> sqlx::Result<Vec<Estimate>> {
    let one = |row: PricedRow| {
        let price = Price { micros: whole(row.price_micros), currency: row.currency };
        let units = whole(row.units);
        Estimate { plan: row.plan, units, worth: price.of(units), price: price.to_string() }
    };
    if scope.part().is_some() {
        return Ok(Vec::new()); // of an address or a permission no cost is kept
    }
    Ok(estimate::sum_units_by_plan(db, scope, from, to).await?.into_iter().map(one).collect())
}
