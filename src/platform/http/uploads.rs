//! How long bodies may be, that they are here before anybody is known, and which routes take files: they alone read multipart bodies.
//! More than a form has is read by them, and by the routes for lists, of which only a few are in memory at a time: of one account one, and of
//! nobody none.

use crate::{error::AppError, values::AccountId};
use axum::{
    body::{Body, HttpBody, to_bytes},
    extract::Request,
    http::{HeaderMap, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError, Weak},
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, SemaphorePermit};

/// The largest body that any other route reads, in bytes.
pub const BODY_BYTES: usize = 256 * 1024;

/// The longest list of keys or accounts, in bytes: 10,000 keys as other systems export them.
pub const LIST_BYTES: usize = 8 * 1024 * 1024;

/// How much of a form that is too long is read and dropped before it is answered, in bytes.
const DROPPED_BYTES: usize = 64 * 1024 * 1024;

/// The page with a form that sends a picture.
pub const PICTURE_PAGE: &str = "/settings/profile";

/// The pages with a form that sends a list of keys, or of accounts.
pub const LIST_PAGES: [&str; 3] = ["/keys/import", "/admin/accounts/import", "/keys/create-many"];

/// The same lists over REST.
const LIST_ROUTES: [&str; 2] = ["/api/v1/keys/import", "/api/v1/admin/accounts/import"];

/// The pages that take files, and the longest body of each in bytes. It is some times what a file may have: up to here the page itself
/// can say that a file is too large, which it reads without keeping it.
const UPLOADS: [(&str, usize); 4] =
    [(PICTURE_PAGE, 32 * 1024 * 1024), (LIST_PAGES[0], 4 * LIST_BYTES), (LIST_PAGES[1], 4 * LIST_BYTES), (LIST_PAGES[2], 4 * LIST_BYTES)];

/// So many lists are in memory at a time; the next one waits for its turn, unread.
static LISTS: Semaphore = Semaphore::const_new(4);

/// Of each account one at a time, so that its slow senders keep nobody else waiting.
static TURNS: Mutex<BTreeMap<AccountId, Weak<Semaphore>>> = Mutex::new(BTreeMap::new());

/// A place in memory for a list; given back when it is dropped.
pub struct ListPlace {
    _place: Option<SemaphorePermit<'static>>,
    _turn: Option<OwnedSemaphorePermit>,
}

/// Waits for the place of this account's list.
pub async fn place_for_list(of: AccountId) -> ListPlace {
    let turn = turn_of(of).acquire_owned().await.ok();
    ListPlace { _place: LISTS.acquire().await.ok(), _turn: turn }
}

fn turn_of(account: AccountId) -> Arc<Semaphore> {
    let mut turns = TURNS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(turn) = turns.get(&account).and_then(Weak::upgrade) {
        return turn;
    }
    turns.retain(|_, turn| turn.strong_count() > 0);
    let turn = Arc::new(Semaphore::new(1));
    turns.insert(account, Arc::downgrade(&turn));
    turn
}

/// Whose long list a request brings, as far as its head says; an extension of it.
#[derive(Debug, Clone, Copy)]
pub struct ListOf(pub AccountId);

/// The body of this request was not read, since it was nobody's; an extension of it. Whoever is known after all can but send it again.
#[derive(Debug, Clone, Copy)]
pub struct Unread;

/// Whether a request may bring more than a form has: then somebody says whose it is before it is read.
pub fn is_long_list(request: &Request) -> bool {
    most_at(request.uri().path()) > BODY_BYTES && !is_short(request.headers()) && !request.body().is_end_stream()
}

/// The longest body, in bytes, that a request without files may have at this path.
pub fn most_at(path: &str) -> usize {
    if LIST_ROUTES.contains(&path) { LIST_BYTES } else { BODY_BYTES }
}

/// Whether the body is a form with files in it.
pub fn is_multipart(headers: &HeaderMap) -> bool {
    is_of_kind(headers, "multipart/form-data")
}

fn is_of_kind(headers: &HeaderMap, wanted: &str) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case(wanted)
}

/// Whether this path reads forms with files in them.
pub fn takes_files(path: &str) -> bool {
    UPLOADS.iter().any(|(page, _)| *page == path)
}

/// The layer: 413 for a body that says it is too long, and the end of reading for one that turns out to be.
pub async fn limit_bodies(request: Request, next: Next) -> Response {
    let upload = UPLOADS.iter().find(|(page, _)| *page == request.uri().path() && is_multipart(request.headers()));
    let most = upload.map_or_else(|| most_at(request.uri().path()), |(_, most)| *most);
    if let Some(bytes) = said_length(request.headers()).filter(|bytes| *bytes > most) {
        let is_form = is_multipart(request.headers()) || is_of_kind(request.headers(), "application/x-www-form-urlencoded");
        if is_form && bytes <= DROPPED_BYTES {
            drop_body(request.into_body()).await;
        }
        return too_long(most).into_response();
    }
    next.run(request.map(|body| Body::new(Limited::new(body, most)))).await
}

/// The layer: nobody asks who sends a request before all of it is here. Else somebody could begin one, keep its end back while the account
/// takes its password from them, and go on as who they were. Forms with files are read piece by piece; what they change lets nobody in.
pub async fn whole_bodies(request: Request, next: Next) -> Response {
    if is_multipart(request.headers()) && takes_files(request.uri().path()) {
        return next.run(request).await;
    }
    let most = most_at(request.uri().path());
    let (is_long, whose) = (is_long_list(&request), request.extensions().get::<ListOf>().copied());
    let (head, body) = request.into_parts();
    // Held until the answer: what is read here is in memory so long.
    let _place = match whose {
        _ if !is_long => None,
        Some(ListOf(account)) => Some(place_for_list(account).await),
        // Nobody's: it is refused unread.
        None => {
            let mut request = Request::from_parts(head, Body::empty());
            request.extensions_mut().insert(Unread);
            return next.run(request).await;
        }
    };
    match to_bytes(body, most).await {
        Ok(bytes) => next.run(Request::from_parts(head, Body::from(bytes))).await,
        Err(error) if is_of_length(&error) => too_long(most).into_response(),
        Err(_) => AppError::http(400, "What was sent did not arrive whole. Nothing was stored. Send it again.").into_response(),
    }
}

/// True if reading ended because there was more than is read, and not because it came in pieces that are none.
fn is_of_length(error: &axum::Error) -> bool {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(one) = cause {
        if one.is::<LengthLimitError>() {
            return true;
        }
        cause = one.source();
    }
    false
}

/// Whether a request says that it has no more than any may have.
fn is_short(headers: &HeaderMap) -> bool {
    said_length(headers).is_some_and(|bytes| bytes <= BODY_BYTES)
}

fn said_length(headers: &HeaderMap) -> Option<usize> {
    headers.get(header::CONTENT_LENGTH).and_then(|v| v.to_str().ok()).and_then(|v| v.parse().ok())
}

/// 413: what was sent has more bytes than are read here.
pub fn too_long(most: usize) -> AppError {
    AppError::http(413, format!("This is too long: {} kB is the most. Nothing was stored. Go back, make it shorter, and send it again.", most / 1024))
}

/// A browser that is still sending does not see its answer.
async fn drop_body(body: Body) {
    let mut body = Limited::new(body, DROPPED_BYTES);
    while let Some(Ok(_)) = body.frame().await {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::http::json;
    use axum::{Router, http::StatusCode, middleware::from_fn, routing::post};
    use tower::ServiceExt;

    async fn status(path: &str, kind: &str, bytes: usize, is_said: bool) -> u16 {
        let read = |request: Request| async move { to_bytes(request.into_body(), usize::MAX).await.map_or(StatusCode::BAD_REQUEST, |_| StatusCode::OK) };
        let app: Router = Router::new()
            .route(PICTURE_PAGE, post(read))
            .route("/keys", post(read))
            .route(LIST_ROUTES[0], post(read))
            .route("/api/v1/keys", post(read))
            .layer(from_fn(limit_bodies));
        let mut request = Request::post(path).header(header::CONTENT_TYPE, kind);
        if is_said {
            request = request.header(header::CONTENT_LENGTH, bytes);
        }
        app.oneshot(request.body(Body::from(vec![0; bytes])).unwrap()).await.unwrap().status().as_u16()
    }

    #[tokio::test]
    async fn only_a_file_on_its_page_may_be_long() {
        let (files, form, long) = ("multipart/form-data; boundary=x", "application/x-www-form-urlencoded", BODY_BYTES + 1);
        assert_eq!(status("/keys", form, BODY_BYTES, true).await, 200);
        for is_said in [true, false] {
            let refused = if is_said { 413 } else { 400 };
            assert_eq!(status("/keys", form, long, is_said).await, refused);
            assert_eq!(status("/keys", files, long, is_said).await, refused);
            assert_eq!(status(PICTURE_PAGE, form, long, is_said).await, refused);
            assert_eq!(status(PICTURE_PAGE, files, long, is_said).await, 200);
            assert_eq!(status(PICTURE_PAGE, files, UPLOADS[0].1 + 1, is_said).await, refused);
        }
    }

    #[tokio::test]
    async fn of_an_account_one_list_is_in_memory_at_a_time() {
        let [slow, other] = [1, 2].map(|n| AccountId::new(uuid::Uuid::from_u128(n)));
        let first = place_for_list(slow).await;
        let mut waiting: Vec<_> = (0..4).map(|_| Box::pin(place_for_list(slow))).collect();
        for second in &mut waiting {
            tokio::select! {
                biased;
                _ = second => panic!("it has the place of the first"),
                () = std::future::ready(()) => {}
            }
        }
        drop(place_for_list(other).await);
        drop(first);
        drop(waiting.remove(0).await);
        waiting.clear();
        drop(place_for_list(slow).await);
        let left = TURNS.lock().unwrap().values().filter(|turn| turn.strong_count() > 0).count();
        assert_eq!(left, 0, "who waits no more is forgotten");
    }

    #[tokio::test]
    async fn who_is_known_after_all_of_a_list_that_was_left_unread_sends_it_again() {
        async fn read(json::Body(list): json::Body<serde_json::Value>) -> String {
            list.to_string()
        }
        let app: Router = Router::new().route(LIST_ROUTES[0], post(read)).layer(from_fn(whole_bodies));
        for (of, expected) in [(Some(AccountId::new(uuid::Uuid::from_u128(3))), StatusCode::OK), (None, StatusCode::SERVICE_UNAVAILABLE)] {
            let mut request = Request::post(LIST_ROUTES[0]).header(header::CONTENT_TYPE, "application/json").body(Body::from("{\"keys\":[]}")).unwrap();
            if let Some(account) = of {
                request.extensions_mut().insert(ListOf(account));
            }
            let answer = app.clone().oneshot(request).await.unwrap();
            assert_eq!((answer.status(), answer.headers().contains_key(header::RETRY_AFTER)), (expected, of.is_none()));
        }
    }

    #[tokio::test]
    async fn only_a_list_of_an_import_may_be_long_over_rest() {
        let json = "application/json";
        assert_eq!(status(LIST_ROUTES[0], json, LIST_BYTES, true).await, 200);
        assert_eq!(status("/api/v1/keys", json, BODY_BYTES + 1, true).await, 413);
        assert_eq!((status(LIST_ROUTES[0], json, LIST_BYTES + 1, true).await, status(LIST_ROUTES[0], json, LIST_BYTES + 1, false).await), (413, 400));
    }
}
