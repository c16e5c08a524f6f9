//! Lists that are short enough to be read whole, given in pages all the same: `?limit=&cursor=`, keyset order. A row is found again by its
//! place in the order, not by its number, so what is added or taken away meanwhile shows no row twice and hides none. And how every list is
//! answered: where there is a next page, its address stands in `Link` (RFC 8288), too, and its cursor goes on only with the filters that it
//! came with.

use super::json::page_size;
use crate::{
    error::AppError,
    platform::{Ctx, crypto::sha256},
};
use axum::{
    Json,
    extract::{Request, State},
    http::{HeaderValue, Uri, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use url::form_urlencoded::{Serializer, parse};
use utoipa::IntoParams;

tokio::task_local! {
    /// The address that the list which is read was asked for at.
    static ASKED: Uri;
}

/// Behind it a cursor says of which list it is. No cursor of a list has it.
const MARK: char = '.';
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

/// A page of a list, as every list answers it.
#[derive(Debug)]
pub struct Listed<T> {
    body: T,
    next: Option<String>,
}

impl<T> Listed<T> {
    /// `body` is given `has_more` and `next_cursor`.
    pub fn page(next: Option<String>, body: impl FnOnce(bool, Option<String>) -> T) -> Self {
        let next = next.map(|cursor| ASKED.try_with(|asked| format!("{cursor}{MARK}{}", word_of(asked))).unwrap_or(cursor));
        Self { body: body(next.is_some(), next.clone()), next }
    }
}

impl<T: Serialize> IntoResponse for Listed<T> {
    fn into_response(self) -> Response {
        let mut response = Json(self.body).into_response();
        if let Some(cursor) = self.next {
            response.extensions_mut().insert(NextPage(cursor));
        }
        response
    }
}

/// Where the page after an answer begins.
#[derive(Debug, Clone)]
struct NextPage(String);

/// The layer over the REST routes: the address of the next page is that of this one, but for the cursor, and a cursor of other filters is
/// refused.
pub async fn link_next(State(ctx): State<Ctx>, mut request: Request, next: Next) -> Response {
    let asked = request.uri().clone();
    match without_word(&asked) {
        Ok(Some(uri)) => *request.uri_mut() = uri,
        Ok(None) => {}
        Err(error) => return error.into_response(),
    }
    let mut response = ASKED.scope(asked.clone(), next.run(request)).await;
    let link = response.extensions().get::<NextPage>().map(|NextPage(cursor)| format!("<{}>; rel=\"next\"", ctx.config.link(&following(&asked, cursor))));
    if let Some(link) = link.and_then(|link| HeaderValue::from_str(&link).ok()) {
        response.headers_mut().insert(header::LINK, link);
    }
    response
}

/// The path and query of the page that begins at this cursor, where this page was asked for. Written anew, so nothing in it ends the link.
fn following(asked: &Uri, cursor: &str) -> String {
    let kept = parse(asked.query().unwrap_or_default().as_bytes()).filter(|(name, _)| name != "cursor");
    let query = Serializer::new(String::new()).extend_pairs(kept).append_pair("cursor", cursor).finish();
    format!("{}?{query}", asked.path())
}

/// A word for a list with these filters, whatever page of it is asked for.
fn word_of(asked: &Uri) -> String {
    let mut filters: Vec<(Cow<'_, str>, Cow<'_, str>)> =
        parse(asked.query().unwrap_or_default().as_bytes()).filter(|(name, _)| name != "cursor" && name != "limit").collect();
    filters.sort();
    let filters = Serializer::new(String::new()).extend_pairs(filters).finish();
    URL_SAFE_NO_PAD.encode(&sha256(format!("{}?{filters}", asked.path()))[..6])
}

/// The address as the list reads it, if its cursor bears the word of a list: that of this one. A cursor without a word is left to the list.
fn without_word(asked: &Uri) -> Result<Option<Uri>, AppError> {
    let given: Vec<(Cow<'_, str>, Cow<'_, str>)> = parse(asked.query().unwrap_or_default().as_bytes()).collect();
    let marked = given.iter().find(|(name, _)| name == "cursor").and_then(|(_, cursor)| cursor.rsplit_once(MARK));
    let Some((place, word)) = marked else { return Ok(None) };
    if word != word_of(asked) {
        return Err(AppError::invalid("cursor", "This cursor is one of another list, or of this one with other filters. Begin without a cursor."));
    }
    let plain = given.iter().map(|(name, value)| (&**name, if name == "cursor" { place } else { &**value }));
    let query = Serializer::new(String::new()).extend_pairs(plain).finish();
    format!("{}?{query}", asked.path()).parse().map(Some).map_err(AppError::internal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_goes_on_with_the_filters_that_it_came_with() {
        let uri = |text: &str| text.parse::<Uri>().expect("an address");
        let word = word_of(&uri("/api/v1/keys?q=shop&tag=a%20b&limit=1"));
        let read = |text: &str| without_word(&uri(&format!("{text}cursor=cA-_.{word}"))).map(|uri| uri.map(|uri| uri.to_string()));
        assert_eq!(read("/api/v1/keys?q=shop&tag=a+b&"), Ok(Some("/api/v1/keys?q=shop&tag=a+b&cursor=cA-_".to_owned())));
        assert_eq!(read("/api/v1/keys?limit=50&tag=a%20b&q=shop&"), Ok(Some("/api/v1/keys?limit=50&tag=a+b&q=shop&cursor=cA-_".to_owned())), "in any order");
        for other in ["/api/v1/keys?", "/api/v1/keys?q=shop&", "/api/v1/keys?q=shop&tag=a&", "/api/v1/plans?q=shop&tag=a+b&"] {
            assert!(read(other).is_err_and(|error| error.field("cursor").is_some()), "{other}");
        }
        for plain in ["/api/v1/keys", "/api/v1/keys?q=a.b", "/api/v1/keys?q=shop&cursor=cA"] {
            assert_eq!(without_word(&uri(plain)), Ok(None), "{plain}");
        }
    }

    #[test]
    fn the_next_page_is_asked_for_as_this_one_was() {
        let next = |asked: &'static str, cursor| following(&Uri::from_static(asked), cursor);
        assert_eq!(next("/api/v1/plans", "cA"), "/api/v1/plans?cursor=cA");
        assert_eq!(
            next("/api/v1/keys?cursor=old&limit=3&q=a%20b%26c&tag=", "a+/=&>\u{e9}"),
            "/api/v1/keys?limit=3&q=a+b%26c&tag=&cursor=a%2B%2F%3D%26%3E%C3%A9"
        );
        assert_eq!(next("/api/v1/keys?%63ursor=old&q=cursor%3Done", "new"), "/api/v1/keys?q=cursor%3Done&cursor=new");
    }

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
