//! From where calls came: what is known of it, beside the exact counts.
//!
//! The counts by address are a part of the exact ones (`keys::server::meter::addresses`): whoever shows them shows the rest as "others".

use super::{
    calendar::{Calendar, instant, timestamp},
    parts,
    report::{scope, whole},
    store::reading::{self, Scope},
    times::Times,
};
use crate::{
    accounts::Caller,
    error::AppError,
    keys::server::meter::addresses::{folded, told},
    platform::Ctx,
    usage::model::{AddressUsage, PartKind, UsageQuery},
    values::permission_names as may,
};
use ipnet::Ipv6Net;
use sqlx::PgPool;
use std::net::IpAddr;
use time::OffsetDateTime;

/// Rows of one answer.
const MOST: i64 = 100;

/// Addresses with their calls, beside all calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddressReport {
    /// Most calls first.
    pub rows: Vec<AddressUsage>,
    /// Calls of all addresses, exactly.
    pub total: u64,
}

impl AddressReport {
    /// Calls from other addresses, or from where nobody told.
    pub fn others(&self) -> u64 {
        self.total.saturating_sub(self.rows.iter().map(|a| a.counts.total()).sum())
    }
}

/// What the filters leave, by address.
pub async fn report_addresses(ctx: &Ctx, caller: &Caller, query: &UsageQuery) -> Result<AddressReport, AppError> {
    caller.require(&may::USAGE_READ)?;
    let Times { span, .. } = Times::read(ctx, query, &Calendar::asked(query.tz.as_deref(), &caller.time_zone)?, timestamp(ctx.clock.now()))?;
    let scope = Scope { address: None, ..scope(ctx, caller, query).await? };
    let (from, to) = (instant(span.start()), instant(span.end()));
    let (known, codes) = tokio::try_join!(list(&ctx.db, &scope, from, to, MOST), reading::list_codes(&ctx.db, &scope, from, to))?;
    Ok(AddressReport { rows: known, total: codes.into_iter().map(|row| whole(row.count)).sum() })
}

/// The busiest addresses, whatever address is chosen. None where a route or a permission is chosen: calls are counted by one of them.
pub async fn list(db: &PgPool, scope: &Scope, from: OffsetDateTime, to: OffsetDateTime, most: i64) -> sqlx::Result<Vec<AddressUsage>> {
    if scope.route.is_some() || scope.permission.is_some() {
        return Ok(Vec::new());
    }
    let rows = parts::list(db, scope, PartKind::Address, from, to, most).await?;
    Ok(rows.into_iter().map(|(address, counts)| AddressUsage { address, counts }).collect())
}

/// An address as it is counted: whole addresses, and networks of IPv6 by their /64.
pub fn read(text: &str) -> Result<String, &'static str> {
    let net = text.parse::<Ipv6Net>().ok().filter(|net| net.prefix_len() == 64).map(|net| IpAddr::V6(net.network()));
    let address = text.parse::<IpAddr>().ok().or(net).ok_or("Write an address: 203.0.113.7, 2001:db8::1, or the first half of one: 2001:db8:1:2::/64.")?;
    Ok(told(folded(address)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_reads_back() {
        for (text, read_as) in [
            ("203.0.113.7", "203.0.113.7"),
            ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
            ("2001:db8:1:2::/64", "2001:db8:1:2::/64"),
            ("2001:db8:0:0::/64", "2001:db8:0:0::/64"),
        ] {
            assert_eq!(read(text).as_deref(), Ok(read_as), "{text}");
        }
        assert!(["", "home", "203.0.113.0/24", "2001:db8::/32"].iter().all(|text| read(text).is_err()));
    }
}
