//! The REST routes of accounts. Each is a few lines over the operation that the pages use too; errors are problem documents.
//!
//! What nobody needs to be signed in for answers known and unknown addresses alike (R15). Signing programs in is in `programs`.

mod password;
mod sessions;

use super::{
    Asked, Beginner, FieldsChange, NewSignUp, ProfileChange, Proof, SignUpWith, Visitor, email_change, export, forgot_password, leaving, profile, programs,
    public_profile, resend_verification, reset_password, sign_out, sign_up,
    sign_up_work::{self, http::WorkBody},
    token_of_reset_code, update_profile, verify_email,
};
use crate::{
    accounts::model::{Caller, FieldValue, Profile, PublicProfile, Via},
    error::AppError,
    platform::{
        Ctx,
        http::{json::Body, request},
    },
    values::PictureSize,
};
use axum::{
    Extension, Json, Router,
    extract::{Path, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use time::format_description::well_known::Rfc3339;
use tower_sessions::Session;
use utoipa::{OpenApi, ToSchema};

/// What `/api/v1/openapi.json` says of these routes.
#[derive(OpenApi)]
#[openapi(paths(
    register,
    verify,
    resend,
    logout,
    forgot,
    reset,
    read_me,
    read_auth_me,
    edit_me,
    password::change,
    sessions::read_sessions,
    sessions::read_session,
    sessions::delete_sessions,
    sessions::delete_session,
    read_user
))]
pub struct Docs;

pub fn routes() -> Router<Ctx> {
    Router::new()
        .route("/api/v1/auth/register", post(register))
        .route("/api/v1/auth/verify", post(verify))
        .route("/api/v1/auth/verify/resend", post(resend))
        .route("/api/v1/auth/logout", post(logout))
        .route("/api/v1/auth/password/forgot", post(forgot))
        .route("/api/v1/auth/password/reset", post(reset))
        .route("/api/v1/me", get(read_me).patch(edit_me))
        .route("/api/v1/auth/me", get(read_auth_me))
        .route("/api/v1/users/{handle}", get(read_user))
        .merge(password::routes())
        .merge(sessions::routes())
        .merge(email_change::http::routes())
        .merge(export::http::routes())
        .merge(leaving::http::routes())
        .merge(super::policies::http::routes())
        .merge(sign_up_work::http::routes())
        .merge(programs::http::routes())
}

/// A sign-up.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RegisterBody {
    #[schema(example = "mara@example.com")]
    pub email: String,
    /// What stands before the @ of the address, without it.
    #[serde(default)]
    pub name: Option<String>,
    /// At least 15 characters, unless the site says otherwise.
    pub password: String,
    /// IANA name; UTC without it.
    #[serde(default)]
    pub time_zone: Option<String>,
    /// The token of an invitation, where sign-up needs one.
    #[serde(default)]
    pub invite: Option<String>,
    /// What this site asks for besides, by the names of its fields; every value is text, as `2026-11-20`, `12.5` or `true`.
    #[serde(default)]
    pub fields: BTreeMap<String, String>,
    /// What `GET /api/v1/auth/register/challenge` asks for, where it asks.
    #[serde(default)]
    pub work: Option<WorkBody>,
}

/// A proof of an address: the token of the mailed link, or address and code.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct VerifyBody {
    #[serde(default)]
    pub token: Option<String>,
    #[serde(default)]
    pub email: Option<String>,
    #[serde(default)]
    pub code: Option<String>,
    /// The one that was chosen at sign-up: shows that it is yours.
    #[serde(default)]
    pub password: Option<String>,
}

/// Somebody else may have signed up with the address.
#[derive(Serialize, ToSchema)]
pub struct VerifiedBody {
    /// For `POST /api/v1/auth/password/reset`, for an hour.
    pub reset_token: String,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EmailBody {
    #[schema(example = "mara@example.com")]
    pub email: String,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ResetBody {
    /// The token of the mailed link; or, in its place, `flow`, `email` and `code`.
    #[serde(default)]
    pub token: Option<String>,
    /// What the answer of `POST /api/v1/auth/password/forgot` had.
    #[serde(default)]
    pub flow: Option<String>,
    /// The six digits of the mail.
    #[serde(default)]
    pub code: Option<String>,
    pub new_password: String,
    /// With a code, the address that the mail went to. With a token only for the first operator, who chooses an address too.
    #[serde(default)]
    pub email: Option<String>,
}

/// Which program signs out, if none says so by its access token.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LogoutBody {
    /// A refresh token of the program, for when its access token has run out.
    #[serde(default)]
    pub refresh_token: Option<String>,
}

/// The token of a mailed link.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LinkBody {
    pub token: String,
}

/// The proof that it is not only the key which asks.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CurrentPasswordBody {
    pub current_password: String,
}

/// Where mail went, whatever is behind the address.
#[derive(Debug, Serialize, ToSchema)]
pub struct MailedBody {
    pub mailed_to: String,
}

/// Where mail went, whatever is behind the address, and what its code works with.
#[derive(Debug, Serialize, ToSchema)]
pub struct ResetAskedBody {
    pub mailed_to: String,
    /// For `POST /api/v1/auth/password/reset`, beside the address and the code of the mail.
    pub flow: String,
}

/// The caller's account.
#[derive(Debug, Serialize, ToSchema)]
pub struct MeBody {
    #[schema(example = "acc_01KB8Q5TX0AZ8WDQ8N1F0W7E2M")]
    pub id: String,
    pub email: String,
    /// A new address that waits for its proof.
    pub pending_email: Option<String>,
    pub name: String,
    /// Where the picture is on this site, a JPEG of 256 x 256; another picture is at another address.
    #[schema(example = "/avatars/5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef/256")]
    pub picture: Option<String>,
    pub time_zone: String,
    /// `en` or `de`.
    pub language: String,
    /// The name in the address of the public profile.
    pub handle: Option<String>,
    /// What everybody may see there: of `name`, `picture`, `time_zone`, `language`, `joined`.
    pub published: Vec<String>,
    /// What this site asks for besides, by the names of its fields; what is empty is not there.
    pub fields: BTreeMap<String, String>,
    /// Those of them that everybody may see.
    pub public_fields: Vec<String>,
    /// RFC 3339, UTC.
    pub created_at: String,
    pub updated_at: String,
    pub workspace_id: String,
    pub permissions: Vec<String>,
}

/// What may be changed; what is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EditMeBody {
    #[serde(default)]
    pub name: Option<String>,
    /// IANA name.
    #[serde(default)]
    pub time_zone: Option<String>,
    /// `en` or `de`.
    #[serde(default)]
    pub language: Option<String>,
    /// 3 to 30 of a-z, 0-9 and hyphens; empty takes it away. It stays for 30 days.
    #[serde(default)]
    pub handle: Option<String>,
    /// What everybody may see: of `name`, `picture`, `time_zone`, `language`, `joined`.
    #[serde(default)]
    pub published: Option<Vec<String>>,
    /// What this site asks for besides, by the names of its fields: text, as `2026-11-20`, `12.5` or `true`; empty takes it away, what is left out
    /// stays.
    #[serde(default)]
    pub fields: Option<BTreeMap<String, String>>,
    /// The names of those fields that everybody may see; only those that the operators let people show.
    #[serde(default)]
    pub public_fields: Option<Vec<String>>,
}

/// What an account shows to everybody; what its owner did not publish is not there.
#[derive(Debug, Serialize, ToSchema)]
pub struct UserBody {
    #[schema(example = "mara-l")]
    pub handle: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Where the picture is on this site, a JPEG of 256 x 256.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub picture: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// The day of the sign-up, UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "2026-11-20")]
    pub joined: Option<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: BTreeMap<String, String>,
}

/// Sign up
///
/// Mails a link and a code to the address, in the language that `Accept-Language` likes best. The answer is the same for an address that has an account; its owner is told by mail.
#[utoipa::path(
    post, path = "/api/v1/auth/register", tag = "Account", operation_id = "register", request_body = RegisterBody,
    responses(
        (status = 202, description = "A mail is on its way", body = MailedBody),
        (status = 403, description = "Nobody from this network may use accounts: it is banned"),
        (status = 409, description = "Sign-up is closed, or needs an invitation"),
        (status = 429),
    ),
)]
pub async fn register(State(ctx): State<Ctx>, visitor: Visitor, headers: HeaderMap, Body(body): Body<RegisterBody>) -> Result<Response, AppError> {
    let RegisterBody { email, name, password, time_zone, invite, fields, work } = body;
    let language = request::language(&headers);
    let input = NewSignUp {
        email,
        name: name.unwrap_or_default(),
        with: SignUpWith::Password(password.into()),
        time_zone,
        language,
        invite,
        held: None,
        fields,
        work: work.map(Into::into).unwrap_or_default(),
        is_bot: false,
    };
    let sent_to = sign_up(&ctx, &visitor, input).await?;
    Ok(mailed(sent_to.to_string()))
}

/// Prove an address
///
/// By the token of the mailed link, or by address and code. Works once. Send the password of the sign-up beside it, too: without it nobody
/// knows that you began it, so nothing that was set up by it stays, and the answer holds a token to set a password with.
#[utoipa::path(
    post, path = "/api/v1/auth/verify", tag = "Account", operation_id = "verify_email", request_body = VerifyBody,
    responses(
        (status = 200, description = "The address is confirmed, and nothing that was set up before is left: set a password", body = VerifiedBody),
        (status = 204, description = "The address is confirmed"),
        (status = 403, description = "Nobody from this network may use accounts: it is banned"),
        (status = 409, description = "The link has done its work"),
        (status = 422, description = "The link or code does not work"),
    ),
)]
pub async fn verify(State(ctx): State<Ctx>, visitor: Visitor, Body(body): Body<VerifyBody>) -> Result<Response, AppError> {
    let beginner = Beginner { mark: None, password: body.password.map(Into::into) };
    let proof = match (body.token, body.email, body.code) {
        (Some(token), None, None) => Proof::Link(token),
        (None, Some(email), Some(code)) => Proof::Code { email, code },
        _ => return Err(AppError::invalid("token", "Send either token, or email and code.")),
    };
    Ok(match verify_email(&ctx, &visitor, proof, &beginner).await?.reset {
        Some(reset_token) => ([(header::CACHE_CONTROL, "no-store")], Json(VerifiedBody { reset_token })).into_response(),
        None => StatusCode::NO_CONTENT.into_response(),
    })
}

/// Send the proof again
///
/// The same answer for every address.
#[utoipa::path(
    post, path = "/api/v1/auth/verify/resend", tag = "Account", operation_id = "resend_verification", request_body = EmailBody,
    responses(
        (status = 202, description = "If the address still needs it, a mail is on its way", body = MailedBody),
        (status = 403, description = "Nobody from this network may use accounts: it is banned"),
        (status = 429),
    ),
)]
pub async fn resend(State(ctx): State<Ctx>, visitor: Visitor, Body(body): Body<EmailBody>) -> Result<Response, AppError> {
    Ok(mailed(resend_verification(&ctx, &visitor, &body.email).await?.to_string()))
}

/// Sign out
///
/// Ends the session of the cookie, or of the program whose access token is sent or whose `refresh_token` is in the body: all its tokens
/// are dead on every node with the next request. Without any of them nothing happens.
#[utoipa::path(
    post, path = "/api/v1/auth/logout", tag = "Account", operation_id = "sign_out", request_body = LogoutBody,
    responses((status = 204, description = "The session has ended"), (status = 422, description = "The input is wrong")),
)]
pub async fn logout(
    State(ctx): State<Ctx>,
    from: Visitor,
    caller: Option<Extension<Caller>>,
    session: Session,
    Body(body): Body<LogoutBody>,
) -> Result<Response, AppError> {
    match (body.refresh_token, caller.as_ref().map(|caller| &caller.0)) {
        (Some(token), _) => programs::sign_out_by_token(&ctx, &from, &token.into()).await?,
        (None, Some(caller @ Caller { via: Via::Token(_), .. })) => programs::sign_out_program(&ctx, caller, &from).await?,
        (None, caller) => {
            sign_out(&ctx, &session, caller, &from).await?;
            let header = (HeaderName::from_static("clear-site-data"), HeaderValue::from_static("\"cache\", \"storage\""));
            return Ok((StatusCode::NO_CONTENT, [header]).into_response());
        }
    }
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Ask for a new password
///
/// Mails a link and a code, if the address has an account; the same answer for every address.
#[utoipa::path(
    post, path = "/api/v1/auth/password/forgot", tag = "Account", operation_id = "forgot_password", request_body = EmailBody,
    responses(
        (status = 202, description = "If the address has an account, a mail is on its way", body = ResetAskedBody),
        (status = 403, description = "Nobody from this network may use accounts: it is banned"),
        (status = 429),
    ),
)]
pub async fn forgot(State(ctx): State<Ctx>, visitor: Visitor, Body(body): Body<EmailBody>) -> Result<Response, AppError> {
    let asked = forgot_password(&ctx, &visitor, &body.email).await?;
    Ok((StatusCode::ACCEPTED, Json(ResetAskedBody { mailed_to: asked.email.to_string(), flow: asked.flow.to_string() })).into_response())
}

/// Set a new password
///
/// By the token of a mailed link, or by `flow`, address and code, once. Every session ends; nobody is signed in by it.
#[utoipa::path(
    post, path = "/api/v1/auth/password/reset", tag = "Account", operation_id = "reset_password", request_body = ResetBody,
    responses(
        (status = 204, description = "The password is set, all sessions have ended"),
        (status = 403, description = "Nobody from this network may use accounts: it is banned"),
        (status = 422, description = "The link or code does not work, or the password won't do; `errors` says why"),
    ),
)]
pub async fn reset(State(ctx): State<Ctx>, visitor: Visitor, Body(body): Body<ResetBody>) -> Result<StatusCode, AppError> {
    let token = match (body.token, body.flow, body.code) {
        (Some(token), None, None) => token,
        (None, Some(flow), Some(code)) => {
            let asked = Asked::of(&flow, body.email.as_deref().unwrap_or_default())?;
            token_of_reset_code(&ctx, &visitor, &asked, &code).await?
        }
        _ => return Err(AppError::invalid("token", "Send either token, or flow, email and code.")),
    };
    reset_password(&ctx, &visitor, &token, body.email.as_deref(), &body.new_password.into()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Read your account
#[utoipa::path(
    get, path = "/api/v1/me", tag = "Account", operation_id = "read_me",
    responses((status = 200, description = "The account behind the key or session", body = MeBody)),
    security(("key" = [])),
)]
pub async fn read_me(State(ctx): State<Ctx>, caller: Caller) -> Result<Json<MeBody>, AppError> {
    Ok(Json(me(profile(&ctx, &caller).await?, &caller)))
}

/// Read your account, by its other address
///
/// The same as `GET /api/v1/me`.
#[utoipa::path(
    get, path = "/api/v1/auth/me", tag = "Account", operation_id = "read_auth_me",
    responses((status = 200, description = "The account behind the key or session", body = MeBody)),
    security(("key" = [])),
)]
pub async fn read_auth_me(ctx: State<Ctx>, caller: Caller) -> Result<Json<MeBody>, AppError> {
    read_me(ctx, caller).await
}

/// Change your account
#[utoipa::path(
    patch, path = "/api/v1/me", tag = "Account", operation_id = "edit_me", request_body = EditMeBody,
    responses((status = 200, description = "The account as it is now", body = MeBody)),
    security(("key" = [])),
)]
pub async fn edit_me(State(ctx): State<Ctx>, visitor: Visitor, caller: Caller, Body(body): Body<EditMeBody>) -> Result<Json<MeBody>, AppError> {
    let EditMeBody { name, time_zone, language, handle, published, fields, public_fields } = body;
    let fields = FieldsChange { values: fields, public: public_fields, is_whole: false };
    let change = ProfileChange { name, time_zone, language, handle, published, fields, seen: None };
    let changed = update_profile(&ctx, &caller, &visitor, &change).await?;
    Ok(Json(me(changed, &caller)))
}

/// Read a public profile
///
/// What its owner shows to everybody; 404 where that is nothing, as where nobody has the handle.
#[utoipa::path(
    get, path = "/api/v1/users/{handle}", tag = "Account", operation_id = "read_user", params(("handle" = String, Path, description = "`mara-l`")),
    responses((status = 200, description = "The profile", body = UserBody), (status = 404, description = "Nothing to see")),
)]
pub async fn read_user(State(ctx): State<Ctx>, Path(handle): Path<String>) -> Result<Json<UserBody>, AppError> {
    let PublicProfile { handle, name, picture, time_zone, language, joined, fields } = public_profile(&ctx, &handle).await?;
    let picture = picture.map(|it| it.path(PictureSize::Large));
    Ok(Json(UserBody { handle, name, picture, time_zone, language, joined, fields: filled(fields) }))
}

/// The answer that mail is on its way.
pub fn mailed(mailed_to: String) -> Response {
    (StatusCode::ACCEPTED, Json(MailedBody { mailed_to })).into_response()
}

/// What is filled in, by the names of the fields.
fn filled(fields: Vec<FieldValue>) -> BTreeMap<String, String> {
    fields.into_iter().filter(|it| !it.value.is_empty()).map(|it| (it.field.slug, it.value)).collect()
}

fn me(profile: Profile, caller: &Caller) -> MeBody {
    MeBody {
        id: profile.id.to_string(),
        email: profile.email,
        pending_email: profile.pending_email,
        name: profile.name,
        picture: profile.picture.map(|it| it.path(PictureSize::Large)),
        time_zone: profile.time_zone,
        language: profile.language.as_str().to_owned(),
        handle: profile.handle,
        published: profile.published.iter().map(|one| one.as_str().to_owned()).collect(),
        public_fields: profile.fields.iter().filter(|it| it.is_public).map(|it| it.field.slug.clone()).collect(),
        fields: filled(profile.fields),
        created_at: profile.created_at.format(&Rfc3339).unwrap_or_default(),
        updated_at: profile.updated_at.format(&Rfc3339).unwrap_or_default(),
        workspace_id: caller.workspace.to_string(),
        permissions: caller.permissions.iter().map(ToString::to_string).collect(),
    }
}
