//! The description of the REST API (OpenAPI 3.1), made from the handlers themselves, and the files of its viewer: Swagger UI, vendored,
//! served from our own origin under our own CSP.

use super::once::ROUTES;
use crate::{
    accounts::server::{email_change, export, http as accounts, leaving, policies, programs, sign_up_work},
    admin::server::http as admin,
    blocks::server::http as blocks,
    error::AppError,
    exports::server::http as exports,
    keys::server::{
        http::{self as keys, WindowSchema},
        release_http, verify_http,
    },
    notices::server::http as notices,
    plans::server::http as plans,
    platform::Ctx,
    usage::server::{
        AttemptLine, CodeLine, LatencyLine, RefusalLine, UsageLine, UsedLimit, codes_http, files_http, http as usage, latency_http, oversight_http,
        requests_http,
    },
    values::NotNow,
};
use axum::{
    Json, Router,
    extract::Path,
    http::header,
    response::{IntoResponse, Response},
    routing::get,
};
use std::sync::{Arc, LazyLock};
use utoipa::{
    Modify, OpenApi, ToSchema,
    openapi::{
        Content, Object, OpenApi as Document, Ref, RefOr, Required, Response as Described, Type,
        header::HeaderBuilder,
        path::{ParameterBuilder, ParameterIn},
        security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityRequirement, SecurityScheme},
    },
};
use utoipa_swagger_ui::Config;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Tollgate",
        description = "Keys, verification, usage and account. Errors are RFC 9457 problem documents with a `request_id`; times are RFC 3339 UTC, durations whole seconds. \
                       Send a key for the API `tollgate`, or the access token of a program that signed in, as `Authorization: Bearer` or `X-API-Key`.",
        license(name = "MIT"),
    ),
    paths(verify_http::verify_key, release_http::release_holds, usage::list_usage, usage::list_addresses, usage::list_permissions, usage::export, usage::export_refusals, requests_http::list, files_http::export_latencies, files_http::export_limits, oversight_http::export_all, oversight_http::export_attempts, codes_http::export_codes, codes_http::export_all_codes, latency_http::report),
    components(schemas(verify_http::VerifyRequest, verify_http::VerifyAnswer, verify_http::LimitBody, verify_http::HoldBody, release_http::ReleaseRequest, release_http::ReleaseAnswer, release_http::ReleasedBody, usage::UsageAnswer, usage::UsagePoint, usage::LatencyAnswer, usage::AddressesAnswer, usage::AddressPoint, usage::PermissionsAnswer, usage::PermissionPoint, latency_http::LatenciesBody, latency_http::LatencyBody, latency_http::LatenciesAnswer, usage::UsageExport, UsageLine, usage::RefusalExport, RefusalLine, requests_http::RequestList, files_http::LatencyExport, LatencyLine, files_http::LimitExport, UsedLimit, oversight_http::AttemptExport, AttemptLine, codes_http::CodeExport, CodeLine, WindowSchema, Problem, WrongInput)),
    modifiers(&Security),
)]
struct Api;

struct Security;

impl Modify for Security {
    fn modify(&self, document: &mut Document) {
        let components = document.components.get_or_insert_default();
        components.add_security_scheme(BEARER, SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)));
        components.add_security_scheme(IN_HEADER, SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::new("X-API-Key"))));
    }
}

/// What the operations name; where it may stand, so may the other.
const BEARER: &str = "key";
const IN_HEADER: &str = "api_key";

fn requirement(scheme: &str) -> SecurityRequirement {
    SecurityRequirement::new(scheme, std::iter::empty::<String>())
}

/// Every error (RFC 9457).
#[derive(ToSchema)]
#[allow(dead_code, reason = "only its schema is used: `AppError::problem` and the gate write them")]
struct Problem {
    /// `about:blank`, the address of a kind that is registered, or of 503 where it is described (`/docs#error-…`).
    #[schema(rename = "type")]
    kind: String,
    /// The status in words.
    title: String,
    status: u16,
    /// What happened, and the next step.
    detail: String,
    /// Of the request, as in the log of the server.
    #[schema(min_length = 8)]
    request_id: String,
    /// Of 503: why, as `/docs/errors` lists them. Of 403: `config_locked` where whoever runs the server has locked what would change. Of 401:
    /// what is wrong with the key that was sent, such as `REVOKED`.
    code: Option<String>,
    /// Of 422: what is wrong with which field.
    errors: Option<Vec<WrongInput>>,
    /// Of 403: the permission that is missing.
    permission: Option<String>,
    /// Of 429: the limits that the call would have broken.
    #[schema(rename = "violated-policies")]
    violated_policies: Option<Vec<String>>,
    /// Of tokens: the word of RFC 6749 or RFC 8628.
    error: Option<String>,
}

/// One field that is wrong.
#[derive(ToSchema)]
#[allow(dead_code, reason = "only its schema is used")]
struct WrongInput {
    /// Where it stands: `#/limits/0/window`; `#` speaks of the whole.
    pointer: String,
    detail: String,
}

/// The document, made once.
pub static DOCUMENT: LazyLock<Document> = LazyLock::new(|| {
    let document = Api::openapi()
        .merge_from(keys::Docs::openapi())
        .merge_from(keys::apis::Docs::openapi())
        .merge_from(keys::bundles::Docs::openapi())
        .merge_from(keys::trial::Docs::openapi())
        .merge_from(plans::Docs::openapi())
        .merge_from(plans::groups::Docs::openapi())
        .merge_from(exports::Docs::openapi())
        .merge_from(notices::Docs::openapi())
        .merge_from(blocks::Docs::openapi())
        .merge_from(admin::bans::Docs::openapi())
        .merge_from(admin::imports::Docs::openapi())
        .merge_from(accounts::Docs::openapi())
        .merge_from(email_change::http::Docs::openapi())
        .merge_from(export::http::Docs::openapi())
        .merge_from(leaving::http::Docs::openapi())
        .merge_from(policies::http::Docs::openapi())
        .merge_from(sign_up_work::http::Docs::openapi())
        .merge_from(programs::http::Docs::openapi())
        .merge_from(programs::device_http::Docs::openapi());
    with_errors(with_links(with_names(document)))
});

/// Where the document says what an `Idempotency-Key` is, once for all operations that take one.
const NAME: &str = "IdempotencyKey";

/// Adds the `Idempotency-Key`, and what is answered for its sake.
fn with_names(mut document: Document) -> Document {
    let header = ParameterBuilder::new()
        .name("Idempotency-Key")
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some(
            "Any text of 1 to 255 visible ASCII characters that names this request, in double quotes or not; take a random one, such as a UUID. For 24 \
             hours it stands for this request of this key (or program, or person) at this address. Sent again, nothing is done again, and the answer is that \
             of the first time, with `Idempotency-Replayed: true`. 409: it is being done (`Retry-After`), or its answer held a secret, which is stored \
             nowhere, or got lost. 422: the name belongs to another request. A refused request leaves its name free.",
        ))
        .schema(Some(Object::with_type(Type::String)))
        .build();
    document.components.get_or_insert_default().parameters.insert(NAME.to_owned(), RefOr::T(header));
    let operations = document.paths.paths.iter_mut().filter(|(path, _)| ROUTES.contains(&path.as_str()));
    for operation in operations.filter_map(|(_, item)| item.post.as_mut()) {
        operation.parameters.get_or_insert_default().push(RefOr::Ref(Ref::new(format!("#/components/parameters/{NAME}"))));
        for status in ["409", "422"] {
            operation.responses.responses.entry(status.to_owned()).or_insert_with(|| RefOr::T(Described::default()));
        }
    }
    document
}

/// Where the document says what `Link` is, once for all lists.
const NEXT_PAGE: &str = "NextPage";

/// Adds the `Link` to what lists answer: who takes a cursor gives one.
fn with_links(mut document: Document) -> Document {
    let words = "`<…>; rel=\"next\"` (RFC 8288): the address of the next page, with everything that was asked for. Left out where `has_more` is false.";
    let header = HeaderBuilder::new().description(Some(words)).schema(Some(Object::with_type(Type::String))).build();
    document.components.get_or_insert_default().headers.insert(NEXT_PAGE.to_owned(), RefOr::T(header));
    for operation in document.paths.paths.values_mut().filter_map(|item| item.get.as_mut()) {
        let is_list = operation.parameters.iter().flatten().any(|parameter| matches!(parameter, RefOr::T(parameter) if parameter.name == "cursor"));
        if let Some(RefOr::T(page)) = operation.responses.responses.get_mut("200").filter(|_| is_list) {
            page.headers.insert("Link".to_owned(), RefOr::Ref(Ref::new(format!("#/components/headers/{NEXT_PAGE}"))));
        }
    }
    document
}

/// What an error is where its operation does not say it.
const ERRORS: [(&str, &str); 6] = [
    ("401", "No valid key"),
    ("403", "The key, or its owner, lacks a permission"),
    ("404", "There is none"),
    ("409", "It can't be done as things are"),
    ("422", "The input is wrong; `errors` names the fields"),
    ("429", "Too many; `Retry-After` says how long to wait"),
];

/// Adds what need not be said at each operation: whoever needs a key may have none, one that may not, or one whose own limit is used up; what
/// a path names may not be there; what is read may be wrong; anything may not be answered just now. And every error is a problem document,
/// every key may stand in either header.
fn with_errors(mut document: Document) -> Document {
    let not_now = format!("Not now: `code` says why ({}), `Retry-After` when to ask again", NotNow::ALL.map(NotNow::as_str).join(", "));
    for (path, item) in &mut document.paths.paths {
        let operations = [&mut item.get, &mut item.put, &mut item.post, &mut item.patch, &mut item.delete];
        for operation in operations.into_iter().flatten() {
            let (needs_key, named) = (operation.security.is_some(), path.matches('{').count());
            let reads = operation.request_body.is_some() || operation.parameters.as_ref().is_some_and(|all| all.len() > named);
            if let Some(security) = operation.security.as_mut().filter(|all| all.contains(&requirement(BEARER))) {
                security.push(requirement(IN_HEADER));
            }
            let responses = &mut operation.responses.responses;
            for (status, may_be) in [("401", needs_key), ("403", needs_key), ("404", named > 0), ("422", reads), ("429", needs_key), ("503", true)] {
                if may_be {
                    responses.entry(status.to_owned()).or_insert_with(|| RefOr::T(Described::default()));
                }
            }
            for (status, response) in responses.iter_mut().filter(|(status, _)| status.starts_with(['4', '5'])) {
                let RefOr::T(response) = response else { continue };
                response.content.entry("application/problem+json".to_owned()).or_insert_with(|| RefOr::T(Content::new(Some(Ref::from_schema_name("Problem")))));
                let listed = || ERRORS.iter().find(|(known, _)| known == status).map(|(_, words)| *words);
                let words = if status == "503" { Some(not_now.as_str()) } else { listed() };
                if let Some(words) = words.filter(|_| response.description.is_empty()) {
                    words.clone_into(&mut response.description);
                }
            }
        }
    }
    document
}

pub fn routes() -> Router<Ctx> {
    Router::new().route("/api/v1/openapi.json", get(|| async { Json(&*DOCUMENT) })).route("/docs/api/viewer/{file}", get(viewer))
}

async fn viewer(Path(file): Path<String>) -> Response {
    let config = Arc::new(Config::from("/api/v1/openapi.json").use_base_layout());
    match utoipa_swagger_ui::serve(&file, config) {
        Ok(Some(found)) if file != "index.html" => {
            ([(header::CONTENT_TYPE, found.content_type.as_str()), (header::CACHE_CONTROL, "public, max-age=86400")], found.bytes.into_owned()).into_response()
        }
        _ => AppError::NotFound.into_response(),
    }
}
