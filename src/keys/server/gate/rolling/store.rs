//! What was used within the last window, when.

use crate::{keys::model::Taken, values::KeyId};
use sqlx::PgPool;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

/// What a key used in one piece of time.
pub struct Piece {
    pub key: KeyId,
    /// Where the piece begins.
    pub at: OffsetDateTime,
    /// By what passed.
    pub used: Taken,
}

/// How long the pieces are that usage of a window of so many seconds is read by: rows are bounded by 60 minutes, 672 quarters of an hour
/// or 31 days for each route.
pub const fn piece(window: u32) -> Duration {
    match window {
        ..=3_600 => Duration::MINUTE,
        3_601..=604_800 => Duration::minutes(15),
        _ => Duration::DAY,
    }
}

/// What these keys used in the pieces that begin after a time.
pub async fn list_pieces(db: &PgPool, piece: Duration, after: OffsetDateTime, keys: &[Uuid]) -> sqlx::Result<Vec<Piece>> {
    let whole = |n: i64| u64::try_from(n).unwrap_or(0);
    let one =
        |key: Uuid, at: OffsetDateTime, units: i64, calls: i64| Piece { key: KeyId::new(key), at, used: Taken { units: whole(units), calls: whole(calls) } };
    if piece == Duration::DAY {
        let rows = sqlx::query!(
            r#"select key_id as "key_id!", day as "at!", sum(cost)::bigint as "units!", sum(taken('calls', count, cost))::bigint as "calls!" from usage_by_day($2, 'infinity')
               where key_id = any($1) and outcome = 'VALID' and day > $2 group by key_id, day"#,
            keys,
            after,
        );
        return Ok(rows.fetch_all(db).await?.into_iter().map(|r| one(r.key_id, r.at, r.units, r.calls)).collect());
    }
    if piece == Duration::MINUTE {
        let rows = sqlx::query!(
            r#"select key_id, minute as at, sum(coalesce(cost, count))::bigint as "units!", sum(taken('calls', count, cost))::bigint as "calls!" from usage_minutes
               where key_id = any($1) and outcome = 'VALID' and minute > $2 group by key_id, minute"#,
            keys,
            after,
        );
        return Ok(rows.fetch_all(db).await?.into_iter().map(|r| one(r.key_id, r.at, r.units, r.calls)).collect());
    }
    let rows = sqlx::query!(
        r#"select key_id, quarter as at, sum(coalesce(cost, count))::bigint as "units!", sum(taken('calls', count, cost))::bigint as "calls!" from usage_quarters
           where key_id = any($1) and outcome = 'VALID' and quarter > $2 group by key_id, quarter"#,
        keys,
        after,
    );
    Ok(rows.fetch_all(db).await?.into_iter().map(|r| one(r.key_id, r.at, r.units, r.calls)).collect())
}
