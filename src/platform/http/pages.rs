//! Lists that are short enough to be read whole, given in pages all the same: `?limit=&cursor=`, keyset order. A row is found again by its
//! place in the order, not by its number, so what is added or taken away meanwhile shows no row twice and hides none.

use super::json::page_size;
use crate::{error::AppError, platform::Ctx};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Deserialize;
use utoipa::IntoParams;

/// What cursors are sealed for.
const SEALED: &str = "cursor";

/// The query of such a list.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// 1 to 100, 100 unless said otherwise.
    #[serde(default)]
    limit: Option<usize>,
    /// `next_cursor` of the page before.
    #[serde(default)]
    cursor: Option<String>,
}

impl PageQuery {
    /// How many rows of `what` are wanted.
    pub fn rows(&self, what: &str) -> Result<usize, AppError> {
        page_size(Some(self.limit.unwrap_or(100)), what)
    }

    /// The place after which the page begins, as `next` wrote it.
    pub fn after(&self) -> Result<Option<String>, AppError> {
        let read = |text: &String| {
            let place = URL_SAFE_NO_PAD.decode(text).ok().and_then(|bytes| String::from_utf8(bytes).ok());
            place.ok_or_else(foreign)
        };
        self.cursor.as_ref().map(read).transpose()
    }

    /// The cursor of a place.
    pub fn next(place: &str) -> String {
        URL_SAFE_NO_PAD.encode(place)
    }

    /// As `after`, of a place that says more than readers of `list` are to know, as `sealed` wrote it: of that list only.
    pub fn opened(&self, ctx: &Ctx, list: &[u8]) -> Result<Option<String>, AppError> {
        let open = |text: &String| {
            let sealed = URL_SAFE_NO_PAD.decode(text).ok()?;
            String::from_utf8(ctx.vault.open(SEALED, list, &sealed)?).ok()
        };
        self.cursor.as_ref().map(|text| open(text).ok_or_else(foreign)).transpose()
    }

    /// The cursor of such a place (`opened`).
    pub fn sealed(ctx: &Ctx, list: &[u8], place: &str) -> Result<String, AppError> {
        let sealed = ctx.vault.seal(&ctx.rng, SEALED, list, place.as_bytes()).map_err(AppError::internal)?;
        Ok(URL_SAFE_NO_PAD.encode(sealed))
    }

    /// The page of these rows that is asked for, by the order of their places, and the cursor of the next one.
    pub fn page<T>(&self, mut rows: Vec<T>, what: &str, place: impl Fn(&T) -> String) -> Result<(Vec<T>, Option<String>), AppError> {
        let most = self.rows(what)?;
        rows.sort_by_cached_key(&place);
        if let Some(after) = self.after()? {
            rows.retain(|row| place(row) > after);
        }
        let has_more = rows.len() > most;
        rows.truncate(most);
        let next = rows.last().filter(|_| has_more).map(|row| Self::next(&place(row)));
        Ok((rows, next))
    }
}

/// A cursor of another list, or of none.
pub fn foreign() -> AppError {
    AppError::invalid("cursor", "This cursor is not one of this list. Begin without a cursor.")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(rows: &[&str], limit: usize, cursor: Option<String>) -> (Vec<String>, Option<String>) {
        let query = PageQuery { limit: Some(limit), cursor };
        query.page(rows.iter().map(ToString::to_string).collect(), "rows", String::clone).expect("a page")
    }

    #[test]
    fn pages_follow_each_other_whatever_comes_and_goes() {
        let (first, next) = page(&["c", "a", "d", "b"], 2, None);
        assert_eq!(first, ["a", "b"]);
        let (second, next) = page(&["c", "a", "d", "aa"], 2, next);
        assert_eq!(second, ["c", "d"], "one is gone, one came before");
        assert_eq!(next, None);
        assert_eq!(page(&["a"], 1, None).1, None);
    }

    #[test]
    fn what_is_no_page_is_refused_by_its_field() {
        for (limit, cursor, field) in [(Some(0), None, "limit"), (Some(101), None, "limit"), (None, Some("ü".to_owned()), "cursor")] {
            let refused = PageQuery { limit, cursor }.page(vec!["a".to_owned()], "rows", String::clone).expect_err("it is wrong");
            assert!(refused.field(field).is_some(), "{field}");
        }
    }
}
