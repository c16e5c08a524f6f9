//! Everything a request passes, on one page: the layers from outside in, then pages, server functions, files. What is asked of the
//! gate never comes here (`front`).

use super::{answers::tell_refusals, files, forms, once::do_once, openapi, ready::ready, state::AppState, theme::choose_theme, uploads};
use crate::{
    accounts::{
        Caller,
        server::{ActsAs, OwesFactor, WAYS_IN, WITH_OTHERS, avatars, http as rest_of_accounts, identify, links},
    },
    admin::server as admin,
    app::App,
    blocks::server as blocks,
    error::AppError,
    exports::server as exports,
    keys::server::{self as keys, pacing, rest},
    notices::server as notices,
    plans::server as plans,
    platform::{
        Ctx,
        http::{
            csp_reports, csrf, headers, late,
            pages::link_next,
            reply, request,
            request::panicked,
            uploads::{LIST_PAGES, PICTURE_PAGE, limit_bodies, whole_bodies},
        },
        session::PgSessions,
    },
    ui::Theme,
    usage::server as usage,
    values::permission_names as may,
};
use axum::{
    Router,
    extract::{DefaultBodyLimit, Request, State},
    http::Method,
    middleware::{Next, from_fn, from_fn_with_state},
    response::Response,
    routing::{get, post},
};
use leptos_axum::generate_route_list;
use tower::ServiceBuilder;
use tower_http::{catch_panic::CatchPanicLayer, compression::CompressionLayer, timeout::TimeoutLayer};
use tower_sessions::{Expiry, SessionManagerLayer, cookie::SameSite};

/// The pages that nobody needs to sign in for, besides the ways in; every other page does (deny by default, R62).
const PUBLIC: &[&str] = &["/", "/sign-out", "/docs", "/docs/api", "/dev/ui", "/dev/mailbox"];

/// What works, for everybody: also while the database is away, and with it who asks. So it stands outside of the layers that need both.
const STATUS: &str = "/status";

/// What begins so needs nobody signed in either: functions and REST check in their operations. Who owes a second factor may go to a
/// provider, too, to prove again who they are.
const PUBLIC_BELOW: [&str; 5] = ["/fn/", "/api/", "/docs/", "/u/", WITH_OTHERS];

/// The pages that are of no use to who is signed in (S42).
const NOT_AGAIN: &[&str] = &["/", "/sign-up", "/sign-in", "/sign-in/code"];

/// Where a second factor is set up, and the pages of who has yet to do that where the site requires it: those of mailed links that guard
/// the account are among them.
const SET_UP: &str = "/settings/security/authenticator";
const MAY_OWE: &[&str] =
    &[SET_UP, "/settings/security/passkey", "/settings/security/recovery-codes", "/step-up", "/sign-out", "/unlock", "/not-me", "/undo-email"];

pub fn router(state: AppState) -> Router {
    let ctx = state.ctx.clone();
    // The cookie lives as long as any session may; when one ends is written in its row (`platform::session`).
    let sessions = SessionManagerLayer::new(PgSessions::new(ctx.db.clone(), ctx.clock.clone(), &ctx.config.auth))
        .with_name(reply::full_name(&ctx, reply::SESSION))
        .with_same_site(SameSite::Lax)
        .with_secure(ctx.config.secure_cookies())
        .with_expiry(Expiry::OnInactivity(time::Duration::try_from(ctx.config.auth.session_cap).unwrap_or(time::Duration::days(400))));

    let mut pages = Router::new();
    for route in generate_route_list(App).into_iter().filter(|route| route.path() != STATUS) {
        let get_page = if route.path() == forms::CALLBACK { get(forms::get_callback) } else { get(forms::get_page) };
        let page = match route.path() {
            // How long it may be, `limit_bodies` says.
            PICTURE_PAGE => get_page.post(uploads::post_picture_page).layer(DefaultBodyLimit::disable()),
            path if LIST_PAGES.contains(&path) => get_page.post(uploads::post_list_page).layer(DefaultBodyLimit::disable()),
            _ => get_page.post(forms::post_page),
        };
        pages = pages.route(route.path(), page);
    }
    let signed_in = ServiceBuilder::new()
        .layer(from_fn(whole_bodies))
        .layer(from_fn_with_state(ctx.clone(), links::take_token))
        .layer(from_fn_with_state(ctx.clone(), reply::take_back_whole))
        .layer(sessions)
        .layer(from_fn_with_state(ctx.clone(), identify))
        .layer(from_fn_with_state(ctx.clone(), pacing::pace))
        .layer(from_fn_with_state(ctx.clone(), guard));
    let signed_in_rest = signed_in.clone();
    let browser = pages.route("/fn/{*path}", post(forms::server_fn));
    // Outermost: who is not signed in is sent on to sign in with the address that they asked for.
    let browser = browser.layer(signed_in).layer(from_fn_with_state(ctx.clone(), keys::clean_address)).with_state(state.clone());
    let status = Router::new().route(STATUS, get(forms::get_open_page)).route_layer(from_fn_with_state(ctx.clone(), pacing::pace)).with_state(state.clone());

    // Every route here states its permission in its operation; a presented key passes the gate like anybody's.
    let rest = Router::new()
        .merge(openapi::routes())
        .merge(rest_of_accounts::routes())
        .merge(keys::http::routes())
        .merge(plans::http::routes())
        .merge(blocks::http::routes())
        .merge(admin::http::routes())
        .merge(usage::http::routes())
        .merge(exports::http::routes())
        .merge(notices::http::routes())
        .route_layer(from_fn_with_state(ctx.clone(), link_next))
        .route_layer(from_fn_with_state(ctx.clone(), do_once))
        .route_layer(from_fn_with_state(ctx.clone(), rest::authenticate))
        .layer(signed_in_rest)
        .layer(from_fn_with_state(ctx.clone(), rest::whose_list))
        .with_state(ctx.clone());
    let layers = ServiceBuilder::new()
        .layer(from_fn_with_state(ctx.clone(), request::request))
        .layer(CompressionLayer::new())
        .layer(from_fn_with_state(ctx.clone(), headers::headers))
        // For the next layer, which makes pages itself: what this says stays as it is, and the connection open.
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn_with_state(state.clone(), tell_refusals))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn(late::tell_late_bodies))
        .layer(TimeoutLayer::with_status_code(axum::http::StatusCode::GATEWAY_TIMEOUT, ctx.config.server.request_timeout))
        .layer(from_fn_with_state(ctx.clone(), csrf::csrf))
        .layer(from_fn_with_state(ctx.clone(), only_in_development))
        .layer(from_fn(limit_bodies));

    Router::new()
        .merge(browser)
        .merge(status)
        .merge(rest)
        .merge(avatars::http::routes().with_state(ctx.clone()))
        .merge(csp_reports::routes().with_state(ctx))
        .route("/healthz", get(|| async { "ok" }))
        .route("/readyz", get(ready))
        .route(Theme::PATH, post(choose_theme))
        .merge(files::files(&state))
        .with_state(state)
        .layer(layers)
}

/// Pages need a signed-in caller, and those of `/admin` an operator; who owes a second factor sets it up first, and is nobody to REST.
/// Server functions and REST check in their operations too.
async fn guard(State(ctx): State<Ctx>, mut request: Request, next: Next) -> Response {
    if request.extensions().get::<ActsAs>().is_some() {
        // What an operator may see as somebody else was decided where that began (accounts::server::acting).
        return next.run(request).await;
    }
    let path = request.uri().path();
    let is_public = PUBLIC.contains(&path) || WAYS_IN.contains(&path) || PUBLIC_BELOW.iter().any(|below| path.starts_with(below));
    let owes = request.extensions().get::<OwesFactor>().is_some();
    if owes && path.starts_with("/api/") {
        request.extensions_mut().remove::<Caller>();
        return next.run(request).await;
    }
    let caller = request.extensions().get::<Caller>();
    match caller {
        Some(_) if owes && !path.starts_with("/fn/") && !path.starts_with(WITH_OTHERS) && !MAY_OWE.contains(&path) => forms::see_other(SET_UP),
        Some(_) if NOT_AGAIN.contains(&path) && request.method() == Method::GET => {
            forms::see_other(&wanted(&ctx, &request).unwrap_or_else(|| "/home".to_owned()))
        }
        _ if is_public => next.run(request).await,
        None => forms::see_other(&format!("/sign-in?next={}", forms::encoded(forms::path_and_query(request.uri())))),
        Some(caller) => {
            let is_admin = path == "/admin" || path.starts_with("/admin/");
            if is_admin && let Err(error) = caller.require(&may::ADMIN_READ) {
                // The page says so, and a form posted to it goes nowhere (forms::post_page).
                request.extensions_mut().insert(error);
            }
            next.run(request).await
        }
    }
}

/// Where whoever signs in would go, as sign-in itself takes it (R76).
fn wanted(ctx: &Ctx, request: &Request) -> Option<String> {
    let query = request.uri().query().unwrap_or_default();
    let (_, next) = url::form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "next")?;
    links::safe_next(ctx, &next)
}

/// Production has no `/dev`: the mailbox there would sign anybody in.
async fn only_in_development(State(ctx): State<Ctx>, mut request: Request, next: Next) -> Response {
    let path = request.uri().path();
    let is_for_developers = path == "/dev" || path.starts_with("/dev/");
    if is_for_developers && !ctx.config.is_development() {
        request.extensions_mut().insert(AppError::NotFound);
    }
    next.run(request).await
}
