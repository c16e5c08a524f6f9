//! `POST /api/v1/keys/verify`: a service asks whether a key may pass. 200 with the outcome, whatever it is; 4xx only for the asking
//! service's own faults. No database work but for leases between nodes, the nonce of a signature and the first use of an imported secret
//! with a salted hash, no session, no quota of its own.

use super::{
    gate::{Answer, Gate, KeyFacts, LimitState, Question},
    ratelimit,
    rest::{challenge, presented},
    salted::upgrade,
    signing::{Message, Proof, field_of, is_writing, own_message, prove},
    verify_json::json,
};
use crate::{
    accounts::server::programs::is_access_token,
    error::AppError,
    keys::model::{Api, Meta},
    platform::{
        Ctx,
        http::{
            RequestInfo,
            answer::AnswerBody,
            json::{object, read_in_haste, try_to_read},
        },
    },
    values::{AccountId, KeyId, Outcome, Permission, WorkspaceId, permission_names as may},
};
use axum::{
    http::{HeaderMap, HeaderValue, Response, header, request::Parts},
    response::IntoResponse,
};
use serde::{Deserialize, Serialize, Serializer};
use std::{borrow::Cow, collections::HashMap, net::IpAddr};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

/// Where it is asked.
pub const PATH: &str = "/api/v1/keys/verify";
/// How many header fields an answer has, or a few more.
const FIELDS: usize = 10;
/// Questions of so many bytes and fewer are read before it is known who asks, if whoever asks shows a key: hardly any has more.
const SHORT: usize = 1_024;
/// The routes under which the asking service's own secret is seen.
const ASKING: &str = "POST /api/v1/keys/verify";
const RELEASING: &str = "POST /api/v1/keys/release";
/// Taken for a name of the service's own, it would pass over what its route needs.
const NO_CALL: &str = "Send the method and the path that were called, with one space between, as \"METHOD /path\": \"GET /orders/17\". A name of your own has no slash and begins with no method.";
/// Nobody can sign in here: a service has a key.
const NO_KEY: &str = "This needs a key for the API tollgate with keys:verify. Send it as Authorization: Bearer <key>, or as X-API-Key.";

/// Nor can a program that somebody signed in to.
const NO_TOKEN: &str = "This is an access token of an account. Here a service shows a key for the API tollgate with keys:verify.";

/// What a service asks.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct VerifyRequest<'a> {
    /// The secret that the caller of the service presented.
    #[serde(borrow)]
    pub key: Cow<'a, str>,
    /// The slug of the API that was called; a key of another API is then `WRONG_API`.
    #[serde(borrow, default)]
    pub api: Option<Cow<'a, str>>,
    /// A permission that the call needs, beside the one that its route needs.
    #[serde(borrow, default)]
    pub permission: Option<Cow<'a, str>>,
    /// The method and path that were called, `GET /orders/17`: what the API's routes are matched with, and how usage is counted. A key that may
    /// call certain routes only is `FORBIDDEN` without it. A name without a slash (`export-job`) is counted and matches no route; where the API
    /// has routes, everything else that is not `METHOD /path` is 422.
    #[serde(borrow, default)]
    pub route: Option<Cow<'a, str>>,
    /// Cost units; without it what the route costs, else 1; 0 asks without charging.
    #[serde(default)]
    pub cost: Option<u32>,
    /// The address of the end client. A key that may be used from certain addresses only is `IP_DENIED` without it.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub ip: Option<IpAddr>,
    /// The `Origin` that the browser of the end client sent, if it sent one. A key with a list of origins is `FORBIDDEN` from others.
    #[serde(borrow, default)]
    #[schema(example = "https://app.example.com")]
    pub origin: Option<Cow<'a, str>>,
    /// The call as it was signed (RFC 9421). A key whose calls must be signed is `FORBIDDEN` without it; a signature counts once.
    #[serde(borrow, default, deserialize_with = "object")]
    pub signature: Option<Box<SignedBody<'a>>>,
}

/// A signed call, as its client sent it.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignedBody<'a> {
    #[serde(borrow)]
    #[schema(example = "POST")]
    pub method: Cow<'a, str>,
    /// Its whole address.
    #[serde(borrow)]
    #[schema(example = "https://api.example.com/orders?page=2")]
    pub url: Cow<'a, str>,
    /// The header fields that it is signed over, with `signature-input`, `signature` and, for a body, `content-digest`. Names in any case;
    /// of a field that stands twice both values, with a comma between.
    pub headers: HashMap<String, String>,
    /// The SHA-256 of its body in 64 hexadecimal digits: then it is compared with `content-digest`. Without it compare it yourself.
    #[serde(borrow, default)]
    pub body_sha256: Option<Cow<'a, str>>,
}

/// How a limit stands after this verification.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct LimitBody<'a> {
    pub name: &'a str,
    pub limit: u64,
    /// Where several nodes share the limit: as far as the one that answers knows.
    pub remaining: u64,
    /// Seconds; 0 where nothing comes back by itself (prepaid credits).
    pub reset_after: u64,
}

/// The place that a call takes of a limit of calls at the same time.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct HoldBody {
    /// What `POST /api/v1/keys/release` gives back when the call has ended.
    #[schema(example = "hold_AZqy…")]
    pub id: String,
    /// When it ends by itself, RFC 3339.
    pub expires_at: String,
}

/// The answer. What the holder of an unknown key may not know is left out.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct VerifyAnswer<'a> {
    pub valid: bool,
    #[schema(value_type = String)]
    pub code: Outcome,
    /// Why exactly, where the code does not say it all: the missing permission, a path that matches no route.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub key_id: Option<KeyId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub account_id: Option<AccountId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub workspace_id: Option<WorkspaceId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plan: Option<&'a str>,
    /// What its plan gives beside limits, of its entitlements those that are `name` or `name=value`; left out where there are none.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    #[schema(value_type = Option<Vec<String>>)]
    pub entitlements: &'a [Box<str>],
    #[schema(value_type = Vec<String>)]
    pub permissions: Cow<'a, [Permission]>,
    pub limits: Vec<LimitBody<'a>>,
    /// Names of the limits that refused this call: all that it would have exceeded; or of the block that did. Left out where neither did.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub violated: Vec<&'a str>,
    /// Names of the limits that had no room for this call, which passed all the same: they slow down or mark what is beyond them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub over: Vec<&'a str>,
    /// The place that the call takes, where a limit of calls at the same time holds the key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hold: Option<HoldBody>,
    /// Seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<String>,
    /// Who uses the key, by an id of its workspace's own. Only where it passes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_id: Option<&'a str>,
    /// What whoever keeps the key says of it. Empty where it does not pass.
    #[schema(value_type = Object)]
    pub meta: MetaText<'a>,
}

/// A JSON object without spaces, which was read when it was kept.
#[derive(Debug, Clone, Copy)]
pub struct MetaText<'a>(pub &'a str);

impl Serialize for MetaText<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        serde_json::from_str::<Meta>(self.0).unwrap_or_default().serialize(to)
    }
}

/// Verify a key
///
/// The asking service presents a key for the API `tollgate` that has the permission `keys:verify`.
#[utoipa::path(
    post, path = "/api/v1/keys/verify", tag = "Verification", operation_id = "verify_key",
    request_body = VerifyRequest<'static>,
    responses(
        (status = 200, description = "The outcome, valid or not", body = VerifyAnswer<'static>),
        (status = 401, description = "The asking service presents no valid key"),
        (status = 403, description = "The asking service's key lacks keys:verify, or a block refuses it or its address: the problem names the policy"),
        (status = 422, description = "The question is malformed"),
        (status = 429, description = "A block slows the asking service's key or address: the problem and the RateLimit fields name it"),
    ),
    security(("key" = [])),
)]
pub async fn verify_key(ctx: &Ctx, gate: &Gate, info: &RequestInfo, head: &Parts, body: &[u8]) -> Result<Response<AnswerBody>, AppError> {
    // Before it is known who asks, so that memory is on its way meanwhile (`gate::finding`).
    let shown = presented(&head.headers);
    let early: Option<VerifyRequest<'_>> = if shown.is_some() && body.len() <= SHORT { try_to_read(body) } else { None };
    let foreseen = early.as_ref().and_then(|asked| gate.foresee(&asked.key)).inspect(|foreseen| gate.expect_place(foreseen));
    let own = asking(ctx, gate, (head, shown, body), info).await;
    let let_in = own.and_then(|own| {
        let known = gate.foresee(own.secret);
        foreseen.iter().for_each(|foreseen| gate.expect_record(foreseen));
        let_in(gate, Question { foreseen: known.as_ref(), ..own })
    });
    if let Err(denied) = let_in {
        return Ok(denied.into_response().map(Into::into));
    }
    // What is wrong with a question hears who may ask.
    let late: Box<VerifyRequest<'_>>;
    let asked = match &early {
        Some(asked) => asked,
        None => {
            late = Box::new(read_in_haste(body)?);
            &late
        }
    };
    foreseen.iter().for_each(|foreseen| gate.expect_counters(foreseen));
    let api = match asked.api.as_deref() {
        None => None,
        Some(slug) => Some(gate.api(slug).ok_or_else(|| AppError::invalid("api", format!("There is no API {slug}.")))?.id),
    };
    let mut question = Question {
        secret: &asked.key,
        foreseen: foreseen.as_ref(),
        api,
        permission: asked.permission.as_deref(),
        route: asked.route.as_deref().unwrap_or("-"),
        cost: asked.cost,
        address: asked.ip,
        origin: asked.origin.as_deref(),
        request_id: &info.id,
        ..Question::default()
    };
    upgrade(ctx, gate, question.secret, question.address).await?;
    if gate.misreads(&question) {
        return Err(AppError::invalid("route", NO_CALL));
    }
    if let Some(signed) = &asked.signature {
        question.proof = Box::pin(proof(ctx, gate, &question, signed)).await?;
    }
    let answer = match gate.ask(question).await {
        Ok(answer) => answer,
        Err(unleased) => return Ok(unleased.into_response().map(Into::into)),
    };
    let mut response = Response::new(AnswerBody::from(json(&told(&answer))));
    let headers = response.headers_mut();
    headers.reserve(FIELDS);
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    ratelimit::tell(headers, &answer.limits);
    Ok(response)
}

/// The asking service's own key: any key for `tollgate` with `keys:verify`. Looked up, not charged: asking has no quota. Who shows none that
/// is known is counted all the same.
pub(super) async fn may_ask(ctx: &Ctx, gate: &Gate, head: &Parts, body: &[u8], info: &RequestInfo) -> Result<(), Denied> {
    let_in(gate, asking(ctx, gate, (head, presented(&head.headers), body), info).await?)
}

/// What is asked of the asking service's own key, which it has `shown`.
async fn asking<'a>(ctx: &Ctx, gate: &Gate, (head, shown, body): (&'a Parts, Option<&'a str>, &[u8]), info: &'a RequestInfo) -> Result<Question<'a>, Denied> {
    let headers: &HeaderMap = &head.headers;
    static NEEDED: Permission = may::KEYS_VERIFY;
    let own = gate.api(Api::OWN).map(|api| api.id);
    let route = if head.uri.path() == PATH { ASKING } else { RELEASING };
    let Some(secret) = shown else {
        gate.nothing_presented(own, route, info);
        return Err(AppError::http(401, NO_KEY).into());
    };
    let mut question =
        Question { secret, api: own, permission: Some(NEEDED.as_str()), route, address: Some(info.address), request_id: &info.id, ..Question::default() };
    if headers.contains_key("signature-input") {
        let field = |name: &str| field_of(headers, name);
        let message = own_message(&ctx.config.server.public_url, head, body, &field);
        question.proof = Box::pin(prove(ctx, gate, &question, &message)).await?;
    }
    Ok(question)
}

fn let_in(gate: &Gate, question: Question<'_>) -> Result<(), Denied> {
    let (outcome, slowed) = gate.standing_of(question);
    if outcome == Outcome::Valid {
        return Ok(());
    }
    if let Some(slowed) = slowed.or_else(|| gate.not_let_in(&question, outcome)) {
        return Err(Denied::slowed(slowed));
    }
    let error = match outcome {
        Outcome::IpDenied => gate.block_of(&question).unwrap_or_else(|| AppError::refused(outcome.sentence())),
        Outcome::Banned => gate.block_of(&question).unwrap_or(AppError::NotThisKey { outcome }),
        Outcome::Forbidden if gate.signer(&question).is_some() => {
            AppError::refused("Calls of this key must be signed (RFC 9421), and this one is not, or not rightly.")
        }
        Outcome::Forbidden if !gate.may_call(&question) => AppError::refused("This key may call certain routes only, and this is none of them."),
        Outcome::Forbidden => AppError::forbidden(&may::KEYS_VERIFY),
        Outcome::Malformed | Outcome::Unknown if is_access_token(question.secret) => AppError::http(401, NO_TOKEN),
        outcome => AppError::NotThisKey { outcome },
    };
    Err(Denied { was_sent: true, ..Denied::from(error) })
}

/// Why the asking service gets no answer; with where the block stands that slows its key or address, if one does.
#[derive(Debug)]
pub(super) struct Denied {
    error: AppError,
    slowed: Option<Box<LimitState>>,
    /// It is about the key that was sent, not that none was.
    was_sent: bool,
}

impl Denied {
    fn slowed(by: LimitState) -> Self {
        let error = AppError::QuotaExceeded { quotas: vec![by.name.to_string()], retry_after: Some(by.opens_after()) };
        Self { error, slowed: Some(Box::new(by)), was_sent: true }
    }
}

impl From<AppError> for Denied {
    fn from(error: AppError) -> Self {
        Self { error, slowed: None, was_sent: false }
    }
}

impl IntoResponse for Denied {
    fn into_response(self) -> axum::response::Response {
        let mut response = self.error.into_response();
        if self.was_sent {
            challenge(&mut response);
        }
        if let Some(slowed) = self.slowed {
            ratelimit::tell(response.headers_mut(), std::slice::from_ref(&*slowed));
        }
        response
    }
}

/// Checks the signature of the call that is asked about.
async fn proof(ctx: &Ctx, gate: &Gate, question: &Question<'_>, signed: &SignedBody<'_>) -> Result<Proof, AppError> {
    let url = url::Url::parse(&signed.url).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
    let url = url.ok_or_else(|| AppError::invalid("signature.url", "Send the whole address of the call: https://api.example.com/orders."))?;
    let body_sha256 = match signed.body_sha256.as_deref() {
        Some(digits) => Some(digest(digits).ok_or_else(|| AppError::invalid("signature.body_sha256", "A SHA-256 has 64 hexadecimal digits."))?),
        None => None,
    };
    let field = |name: &str| signed.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim().to_owned());
    // The address as it was written: what is normal to a URL library is not what was signed.
    let (authority, target) = written(&signed.url);
    let has_body = body_sha256.is_some() || is_writing(&signed.method);
    let message = Message { method: &signed.method, scheme: url.scheme(), authority, target, field: &field, has_body, body_sha256 };
    prove(ctx, gate, question, &message).await
}

/// Host with port, and path with query, of an address that was seen to be one.
fn written(url: &str) -> (&str, &str) {
    let rest = url.trim().split_once("://").map_or("", |(_, rest)| rest);
    let rest = rest.split('#').next().unwrap_or_default();
    let (authority, target) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    (authority, if target.is_empty() { "/" } else { target })
}

fn digest(digits: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    if digits.len() != 64 || !digits.is_ascii() {
        return None;
    }
    for (n, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&digits[2 * n..2 * n + 2], 16).ok()?;
    }
    Some(bytes)
}

fn told(answer: &Answer) -> VerifyAnswer<'_> {
    let facts = answer.facts();
    let valid = answer.passes();
    VerifyAnswer {
        valid,
        code: answer.outcome,
        detail: answer.why.as_deref(),
        api: facts.map(|f| &*f.home.api_slug),
        key_id: facts.map(|f| f.key),
        account_id: facts.map(|f| f.home.owner),
        workspace_id: facts.map(|f| f.home.workspace),
        plan: facts.map(|f| f.plan()),
        entitlements: facts.filter(|_| valid).map_or(&[], |f| f.entitlements()),
        permissions: facts.filter(|_| valid).map_or(Cow::Borrowed(&[][..]), KeyFacts::permissions),
        limits: answer.limits.iter().map(limit).collect(),
        violated: match answer.blocked_by() {
            Some(block) => vec![block.as_str()],
            None => answer.violated().map(|limit| &*limit.name).collect(),
        },
        over: answer.over().map(|limit| &*limit.name).collect(),
        hold: answer.hold.as_deref().and_then(|hold| Some(HoldBody { id: hold.to_string(), expires_at: rfc3339(hold.ends())? })),
        retry_after: answer.retry_after,
        expires_at: facts.and_then(|f| f.expires.micros()).and_then(rfc3339),
        external_id: facts.filter(|_| valid).and_then(|f| f.external_id()),
        meta: MetaText(facts.filter(|_| valid).and_then(|f| f.meta()).unwrap_or("{}")),
    }
}

fn limit(state: &LimitState) -> LimitBody<'_> {
    LimitBody { name: &state.name, limit: state.limit, remaining: state.remaining, reset_after: state.resets() }
}

fn rfc3339(micros: i64) -> Option<String> {
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(micros) * 1000).ok()?.format(&Rfc3339).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_taken_as_it_was_written() {
        assert_eq!(written("https://Example.com:8443/a//b?c=%41#d"), ("Example.com:8443", "/a//b?c=%41"));
        assert_eq!(written("https://example.com"), ("example.com", "/"));
        assert_eq!(written("https://example.com?x"), ("example.com", "?x"));
    }

    #[test]
    fn a_digest_has_64_hexadecimal_digits() {
        assert_eq!(digest(&"0f".repeat(32)), Some([15; 32]));
        for wrong in ["", &"0f".repeat(31), &"0g".repeat(32), &"ü".repeat(32)] {
            assert_eq!(digest(wrong), None, "{wrong}");
        }
    }
}
