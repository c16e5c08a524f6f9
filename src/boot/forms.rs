//! Pages and forms: rendering a page, calling a server function, and the bridge between the two.
//!
//! A form is a plain HTML post to its own page, with the path of a server function in the hidden field `_fn`. The bridge calls that
//! function as a script would; if it answers, the browser goes on (303); if it refuses, the same page is rendered again with the true
//! status, the error beside its field and what was typed. So forms are the same with and without JavaScript, nothing forged can put
//! an error on a page, and nothing typed is lost. The page also shows what a function answers that changes nothing.

use super::{files::reloader, locked, resume, state::AppState};
use crate::{
    accounts::{
        Caller,
        api::{FinishWith, SignOut, StopActing},
        server::{ActsAs, Interrupted, asker},
    },
    app::shell,
    error::AppError,
    keys::api::SignCall,
    platform::{
        config::SignUpMode,
        http::{RequestInfo, csp_reports, headers::page_policy, reply, uploads::BODY_BYTES},
    },
    ui::{FormOutcome, MadeFor, RequestId, SignUpOpen, SiteOrigin, ThemeChoice, Toast, WayBack},
};
use axum::{
    body::{Body, Bytes, to_bytes},
    extract::{Path, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header, request::Parts},
    response::{IntoResponse, Response},
};
use leptos::{
    nonce::use_nonce,
    prelude::{expect_context, provide_context},
    server_fn::{
        ServerFn,
        error::{FromServerFnError, SERVER_FN_ERROR_HEADER},
    },
};
use leptos_axum::ResponseOptions;

/// A form is at most this long.
const FORM_BYTES: usize = 64 * 1024;

/// The field of a list that comes as a file (`uploads`).
pub(super) const FILE: &str = "file";

/// The page that shows mails in a frame.
const FRAMING_PAGE: &str = "/admin/templates";

/// The page whose only form is known by its address (`POST /sign-out` of the contract).
const SIGN_OUT: &str = "/sign-out";

/// GET of a page; a form on it that waited for a proof stands as it was left.
pub async fn get_page(State(state): State<AppState>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let waited = resume::take(&state.ctx, &parts).await;
    let request = Request::from_parts(parts, body);
    if waited.is_none() {
        return render(&state, request, None).await;
    }
    let mut response = render(&state, request, waited).await;
    resume::forget(&state.ctx, response.headers_mut());
    response
}

/// GET of a page outside of the layers that find out who asks: that is looked up for a moment only, and nobody's page needs it.
pub async fn get_open_page(State(state): State<AppState>, mut request: Request) -> Response {
    if let Some(address) = request.extensions().get::<RequestInfo>().map(|info| info.address) {
        asker(&state.ctx, request.headers(), address).await.enter(request.extensions_mut());
    }
    render(&state, request, None).await
}

/// The page to which a provider sends the browser back (`accounts::server::openid`).
pub const CALLBACK: &str = "/sign-in/with/{slug}/callback";

/// GET of that page: the query is a form that another site filled in, for the one server function that checks who began it.
pub async fn get_callback(State(state): State<AppState>, Path(slug): Path<String>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    if parts.extensions.get::<AppError>().is_some() {
        return render(&state, Request::from_parts(parts, Body::empty()), None).await;
    }
    let query = url::form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes());
    let known = query.filter(|(name, _)| matches!(name.as_ref(), "code" | "state" | "iss" | "error"));
    let form = url::form_urlencoded::Serializer::new(String::new()).append_pair("provider", &slug).extend_pairs(known).finish();
    let mut asked = parts.clone();
    asked.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
    match refusal(call(&state, &asked, FinishWith::PATH, form.into()).await).await {
        Ok(answer) => go_on(&Uri::from_static("/sign-in"), &answer),
        Err((error, headers)) => {
            let outcome = FormOutcome { form: None, values: Vec::new(), action: FinishWith::PATH.to_owned(), error: Some(error) };
            again(&state, parts, outcome, &headers).await
        }
    }
}

/// POST of a form to its page.
pub async fn post_page(State(state): State<AppState>, request: Request) -> Response {
    let (mut parts, body) = request.into_parts();
    if parts.extensions.get::<AppError>().is_some() {
        // A layer has refused the page: it says why, and calls nothing.
        parts.method = Method::GET;
        return render(&state, Request::from_parts(parts, Body::empty()), None).await;
    }
    let Some(bytes) = form_bytes(body).await else {
        return AppError::invalid("", "This form is too long: 64 kB is the most. Go back, make it shorter, and send it again.").into_response();
    };
    let fields: Vec<(String, String)> = url::form_urlencoded::parse(&bytes).into_owned().collect();
    answer_form(&state, parts, fields, bytes).await
}

/// Does what the form asks for: `fields` as they came, `bytes` the same in the encoding of forms.
pub(super) async fn answer_form(state: &AppState, parts: Parts, fields: Vec<(String, String)>, bytes: Bytes) -> Response {
    let named = |name: &str| fields.iter().find(|(k, _)| k == name).map(|(_, v)| v.clone());
    // A program has no form of ours to send, and whoever posts to this page means that.
    let implied = (parts.uri.path() == SIGN_OUT).then(|| SignOut::PATH.to_owned());
    let Some(action) = named("_fn").or(implied).filter(|f| f.starts_with("/fn/")) else {
        return AppError::invalid("_fn", "This page takes no such form. Open the page anew and send its form again.").into_response();
    };
    if let Some(made_for) = named(MadeFor::FIELD)
        && is_of_somebody_else(&parts, &action, &made_for)
    {
        // Nothing that was typed comes back: it is about another account, and the next press would send it as this one.
        let error = AppError::conflict(OF_SOMEBODY_ELSE);
        let outcome = FormOutcome { form: named("_form"), values: Vec::new(), action, error: Some(error) };
        return again(state, parts, outcome, &HeaderMap::new()).await;
    }
    let answer = call(state, &parts, &action, bytes).await;
    match refusal(answer).await {
        // Nothing was done: its page shows what was asked for.
        Ok(_) if action == SignCall::PATH => {
            let outcome = FormOutcome { form: named("_form"), values: kept(fields), action, error: None };
            again(state, parts, outcome, &HeaderMap::new()).await
        }
        Ok(answer) => go_on(&parts.uri, &answer),
        Err((AppError::Unauthenticated, _)) => see_other(&format!("/sign-in?next={}", encoded(path_and_query(&parts.uri)))),
        Err((AppError::StepUpNeeded, _)) => {
            let form = Interrupted { page: path_and_query(&parts.uri).to_owned(), form: named("_form"), values: kept(fields), action };
            resume::prove_first(&state.ctx, parts.extensions.get::<Caller>(), form).await
        }
        Err((error, headers)) => {
            let outcome = FormOutcome { form: named("_form"), values: kept(fields), action, error: Some(error) };
            again(state, parts, outcome, &headers).await
        }
    }
}

pub(super) const OF_SOMEBODY_ELSE: &str = "This page was opened as another account, in this browser. Nothing was sent. Look at it as it is now, and try again.";

/// True if a form was made for another account than the one that sends it: another tab signed in anew, or an operator began or stopped to
/// act as somebody. Going back and signing out are always right.
pub(super) fn is_of_somebody_else(parts: &Parts, action: &str, made_for: &str) -> bool {
    let is_way_out = action == StopActing::PATH || action == SignOut::PATH;
    !is_way_out && parts.extensions.get::<Caller>().is_some_and(|caller| caller.account.to_string() != made_for)
}

/// A server function called by a script: the same, with the true status in place of 500 for every error.
pub async fn server_fn(State(state): State<AppState>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let Some(bytes) = form_bytes(body).await else {
        return AppError::invalid("", "This is too long: 64 kB is the most.").into_response();
    };
    let path = parts.uri.path().to_owned();
    let answer = call(&state, &parts, &path, bytes).await;
    if !answer.headers().contains_key(SERVER_FN_ERROR_HEADER) {
        return answer;
    }
    let (mut head, body) = answer.into_parts();
    let bytes = to_bytes(body, FORM_BYTES).await.unwrap_or_default();
    let error = AppError::de(bytes.clone());
    head.status = status(&error);
    if let Some(seconds) = error.retry_after() {
        head.headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    head.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(head, Body::from(reply::with_request_id(bytes)))
}

/// A form as it came. One that is too long is read to its end all the same: a browser that is still sending does not see its answer.
async fn form_bytes(body: Body) -> Option<Bytes> {
    to_bytes(body, BODY_BYTES).await.ok().filter(|bytes| bytes.len() <= FORM_BYTES)
}

/// Renders the page that the request asks for, or the one that says why not.
pub(super) async fn render(state: &AppState, request: Request, outcome: Option<FormOutcome>) -> Response {
    let ctx = state.ctx.clone();
    let toast = reply::open(&ctx, request.headers(), reply::TOAST);
    let theme = theme(request.headers());
    let frames = request.uri().path() == FRAMING_PAGE;
    let caller = request.extensions().get::<Caller>().cloned();
    let acting = request.extensions().get::<ActsAs>().map(|acts| acts.bar.clone());
    let refused = request.extensions().get::<AppError>().cloned();
    let id = request.extensions().get::<RequestInfo>().map(|info| RequestId(info.id.to_string()));
    let back = request.extensions().get::<WayBack>().cloned();
    let context = {
        let ctx = ctx.clone();
        let toast = toast.clone();
        let locked = locked::forms(&ctx.config);
        let reloader = reloader(&state.leptos);
        let open = SignUpOpen(ctx.config.auth.sign_up == SignUpMode::Open);
        let site = SiteOrigin(ctx.config.origin());
        move || {
            provide_context(ctx.clone());
            provide_context(theme.clone());
            provide_context(locked.clone());
            provide_context(open);
            provide_context(site.clone());
            if let Some(caller) = caller.clone() {
                provide_context(MadeFor(caller.account.to_string()));
                provide_context(caller);
            }
            if let Some(acting) = acting.clone() {
                provide_context(acting);
                provide_context(ActsAs::SHOWN);
            }
            if let Some(refused) = refused.clone() {
                provide_context(refused);
            }
            if let Some(id) = id.clone() {
                provide_context(id);
            }
            if let Some(back) = back.clone() {
                provide_context(back);
            }
            if let Some(text) = toast.clone() {
                // One with a way back is an object, any other its text.
                provide_context(serde_json::from_str(&text).unwrap_or_else(|_| Toast::new(text)));
            }
            if let Some(outcome) = outcome.clone() {
                provide_context(outcome);
            }
            if let Some(nonce) = use_nonce()
                && let Ok(policy) = HeaderValue::from_str(&page_policy(&nonce, reloader.as_deref(), frames))
            {
                let options = expect_context::<ResponseOptions>();
                options.insert_header(header::CONTENT_SECURITY_POLICY, policy);
                options.insert_header(HeaderName::from_static("reporting-endpoints"), HeaderValue::from_static(csp_reports::ENDPOINTS));
            }
        }
    };
    let options = state.leptos.clone();
    let mut response = leptos_axum::render_app_async_with_context(context, move || shell(options.clone()))(request).await;
    if toast.is_some()
        && let Some(dropped) = reply::sealed_cookie(&ctx, reply::TOAST, String::new(), 0)
    {
        response.headers_mut().append(header::SET_COOKIE, dropped);
    }
    response
}

/// Calls a server function as a script would, on behalf of the request with these parts.
async fn call(state: &AppState, parts: &Parts, path: &str, body: Bytes) -> Response {
    if let Some(refused) = parts.extensions.get::<ActsAs>().and_then(|acts| acts.refuses(path)) {
        return (status(&refused), [(SERVER_FN_ERROR_HEADER, "refused")], refused.ser()).into_response();
    }
    let ctx = state.ctx.clone();
    let context = move || provide_context(ctx.clone());
    let Ok(uri) = path.parse::<Uri>() else { return AppError::NotFound.into_response() };
    if leptos::server_fn::axum::get_server_fn_service(uri.path(), Method::POST).is_none() {
        return AppError::NotFound.into_response();
    }
    let reach = locked::reach(uri.path());
    let mut request = Request::new(Body::from(body));
    *request.method_mut() = Method::POST;
    *request.uri_mut() = uri;
    *request.headers_mut() = parts.headers.clone();
    request.headers_mut().insert(header::ACCEPT, HeaderValue::from_static("application/json"));
    request.headers_mut().remove(header::CONTENT_LENGTH);
    *request.extensions_mut() = parts.extensions.clone();
    if let Some(caller) = request.extensions_mut().get_mut::<Caller>() {
        caller.reach = reach;
    }
    leptos_axum::handle_server_fns_with_context(context, request).await.into_response()
}

/// Splits a server function's response: its answer, or the error it gave and the headers beside it.
async fn refusal(answer: Response) -> Result<Response, (AppError, HeaderMap)> {
    if answer.status().is_success() && !answer.headers().contains_key(SERVER_FN_ERROR_HEADER) {
        return Ok(answer);
    }
    let is_ours = answer.headers().contains_key(SERVER_FN_ERROR_HEADER);
    let (head, body) = answer.into_parts();
    let bytes = to_bytes(body, FORM_BYTES).await.unwrap_or_default();
    let error = if is_ours { AppError::de(bytes) } else { AppError::NotFound };
    Err((error, head.headers))
}

/// The act is done: to where the function sent the browser, or back to the page, so that a reload repeats nothing; the dialog that it was
/// decided in is closed.
fn go_on(page: &Uri, answer: &Response) -> Response {
    let to = answer.headers().get(header::LOCATION).and_then(|v| v.to_str().ok()).map_or_else(|| without_dialog(path_and_query(page)), str::to_owned);
    let mut response = see_other(&to);
    keep_cookies(answer.headers(), response.headers_mut());
    for name in [HeaderName::from_static("clear-site-data")] {
        if let Some(value) = answer.headers().get(&name) {
            response.headers_mut().insert(name, value.clone());
        }
    }
    response
}

/// The act was refused: the page again, with the error in its place.
pub(super) async fn again(state: &AppState, parts: Parts, outcome: FormOutcome, headers: &HeaderMap) -> Response {
    let refused = outcome.error.as_ref().map(|error| (status(error), error.retry_after()));
    let mut request = Request::from_parts(parts, Body::empty());
    *request.method_mut() = Method::GET;
    for name in [header::CONTENT_TYPE, header::CONTENT_LENGTH] {
        request.headers_mut().remove(name);
    }
    let mut response = render(state, request, Some(outcome)).await;
    let (status, retry_after) = refused.unwrap_or((StatusCode::OK, None));
    if response.status() == StatusCode::OK {
        *response.status_mut() = status;
    }
    if let Some(seconds) = retry_after {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    keep_cookies(headers, response.headers_mut());
    response
}

fn keep_cookies(from: &HeaderMap, to: &mut HeaderMap) {
    for cookie in from.get_all(header::SET_COOKIE) {
        to.append(header::SET_COOKIE, cookie.clone());
    }
}

pub fn see_other(to: &str) -> Response {
    let location = HeaderValue::from_str(to).unwrap_or(HeaderValue::from_static("/"));
    (StatusCode::SEE_OTHER, [(header::LOCATION, location)]).into_response()
}

/// Which outcomes an alert rule is about: ticks, and no codes that prove anything.
const OUTCOMES: &str = "codes[]";

/// What was typed, less what must not come back: passwords, codes and keys, and a file, which no browser fills in again.
pub(super) fn kept(fields: Vec<(String, String)>) -> Vec<(String, String)> {
    let is_kept = |name: &str| {
        !name.starts_with('_')
            && !name.contains("password")
            && (name == OUTCOMES || !name.contains("code"))
            && !name.contains("token")
            && name != "secret"
            && name != "pin"
            && name != FILE
    };
    fields.into_iter().filter(|(name, _)| is_kept(name)).collect()
}

fn theme(headers: &HeaderMap) -> ThemeChoice {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|v| v.to_str().ok()).flat_map(|v| v.split(';'));
    let chosen = cookies.filter_map(|c| c.trim().strip_prefix("theme=")).find(|t| matches!(*t, "light" | "dark"));
    ThemeChoice(chosen.map(ToOwned::to_owned))
}

pub fn path_and_query(uri: &Uri) -> &str {
    uri.path_and_query().map_or("/", |p| p.as_str())
}

fn without_dialog(page: &str) -> String {
    let Some((path, query)) = page.split_once('?') else { return page.to_owned() };
    let kept: Vec<&str> = query.split('&').filter(|pair| !pair.starts_with("dialog=")).collect();
    if kept.is_empty() { path.to_owned() } else { format!("{path}?{}", kept.join("&")) }
}

pub fn encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

fn status(error: &AppError) -> StatusCode {
    StatusCode::from_u16(error.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}
