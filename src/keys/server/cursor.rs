//! Where a list goes on: the creation instant and the id of a row, opaque outside.

use crate::{error::AppError, keys::model::Key, values::KeyId};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use time::OffsetDateTime;
use uuid::Uuid;

/// The cursor of a row.
pub fn of(key: &Key) -> String {
    at((key.created_at, key.id))
}

/// The same by its place.
pub fn at((created_at, id): (OffsetDateTime, KeyId)) -> String {
    let micros = i64::try_from(created_at.unix_timestamp_nanos() / 1000).unwrap_or(0);
    URL_SAFE_NO_PAD.encode([&micros.to_be_bytes()[..], id.uuid().as_bytes()].concat())
}

/// The row of a cursor.
pub fn read(text: &str) -> Result<(OffsetDateTime, KeyId), AppError> {
    parse(text).ok_or_else(|| AppError::invalid("cursor", "This cursor is not one of this list. Begin without a cursor."))
}

fn parse(text: &str) -> Option<(OffsetDateTime, KeyId)> {
    let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
    let (micros, id) = bytes.split_at_checked(8)?;
    let micros = i64::from_be_bytes(micros.try_into().ok()?);
    let at = OffsetDateTime::from_unix_timestamp_nanos(i128::from(micros) * 1000).ok()?;
    // Postgres reaches from 4713 BC to AD 294276; our rows lie between 1970 and 9999.
    (at.year() >= 1970).then_some((at, KeyId::new(Uuid::from_slice(id).ok()?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_cursors_are_refused() {
        for text in ["", "x", "AAAA", "________________________________", "ü", &"A".repeat(4000)] {
            assert!(read(text).is_err(), "{text}");
        }
        let own = URL_SAFE_NO_PAD.encode([&1_000_000i64.to_be_bytes()[..], &[7; 16]].concat());
        assert_eq!(read(&own), Ok((OffsetDateTime::UNIX_EPOCH + time::Duration::SECOND, KeyId::new(Uuid::from_bytes([7; 16])))));
    }
}
