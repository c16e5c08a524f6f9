//! The forms that send a picture or a list: a page's form like any other (`forms`), but with a file in it. It is read here piece by piece,
//! so that one that is too long is never in memory; what becomes of it is the operation's.

use super::{
    forms::{FILE, OF_SOMEBODY_ELSE, again, answer_form, is_of_somebody_else, kept, path_and_query, post_page, see_other},
    state::AppState,
};
use crate::{
    accounts::{
        Caller,
        model::PICTURE_FORM,
        server::{
            NOT_NOW, Visitor,
            avatars::{self, FIELD, MOST_BYTES, SentFile},
        },
    },
    error::AppError,
    platform::{
        Ctx,
        http::{
            RequestInfo, reply,
            uploads::{BODY_BYTES, LIST_BYTES, is_multipart, place_for_list},
        },
    },
    ui::{FormOutcome, MadeFor},
};
use axum::{
    body::Body,
    extract::{
        FromRequest, Multipart, Request, State,
        multipart::{Field, MultipartError},
    },
    http::{HeaderMap, HeaderValue, header, request::Parts},
    response::{IntoResponse, Response},
};
use http_body_util::BodyExt;

/// More than any form with a list has.
const MOST_FIELDS: usize = 20;

/// More than the id of an account has.
const LONGEST_ID: usize = 64;

/// POST of the page with that form; its other forms are posted as everywhere.
pub async fn post_picture_page(State(state): State<AppState>, request: Request) -> Response {
    if !is_multipart(request.headers()) || request.extensions().get::<AppError>().is_some() {
        return post_page(State(state), request).await;
    }
    let (parts, body) = request.into_parts();
    match take_picture(&state.ctx, &parts, body).await {
        Ok(()) => {
            let mut response = see_other(path_and_query(&parts.uri));
            if let Some(toast) = reply::sealed_cookie(&state.ctx, reply::TOAST, "Saved.".to_owned(), 60) {
                response.headers_mut().append(header::SET_COOKIE, toast);
            }
            response
        }
        Err(AppError::Unauthenticated) => AppError::Unauthenticated.into_response(),
        Err(error) => {
            let outcome = FormOutcome { form: None, values: Vec::new(), action: PICTURE_FORM.to_owned(), error: Some(error) };
            again(&state, parts, outcome, &HeaderMap::new()).await
        }
    }
}

async fn take_picture(ctx: &Ctx, parts: &Parts, body: Body) -> Result<(), AppError> {
    let caller = parts.extensions.get::<Caller>().ok_or(AppError::Unauthenticated)?;
    if caller.is_acted() {
        drain(body).await;
        return Err(AppError::refused(NOT_NOW));
    }
    let from = parts.extensions.get::<RequestInfo>().map(Visitor::of).ok_or_else(|| AppError::internal("no request layer"))?;
    let place = match avatars::expect_picture(ctx, caller).await {
        Ok(place) => place,
        Err(refused) => {
            drain(body).await;
            return Err(refused);
        }
    };
    let (made_for, file) = read_form(Request::from_parts(parts.clone(), body)).await?;
    if made_for.is_some_and(|made_for| is_of_somebody_else(parts, PICTURE_FORM, &made_for)) {
        return Err(AppError::conflict(OF_SOMEBODY_ELSE));
    }
    avatars::set_avatar(ctx, caller, &from, place, file).await
}

/// Reads what nobody wants: a browser that is still sending does not see its answer.
async fn drain(mut body: Body) {
    while let Some(Ok(_)) = body.frame().await {}
}

/// For whom the form was made, if it says so, and the file in it. All of it is read, so that the browser waits for the answer; of a file
/// that is too long no more is kept, and of a name that is longer than an account's id nothing.
async fn read_form(request: Request) -> Result<(Option<String>, SentFile), AppError> {
    let broken = || AppError::invalid(FIELD, "The file did not arrive whole. Try again.");
    let mut form = Multipart::from_request(request, &()).await.map_err(|_| broken())?;
    let (mut made_for, mut sent) = (None, None);
    while let Some(mut field) = form.next_field().await.map_err(|_| broken())? {
        if field.name() == Some(MadeFor::FIELD) {
            let mut name = Vec::new();
            while let Some(piece) = field.chunk().await.map_err(|_| broken())? {
                if name.len() + piece.len() <= LONGEST_ID {
                    name.extend_from_slice(&piece);
                }
            }
            made_for = Some(String::from_utf8_lossy(&name).into_owned());
        } else if field.name() == Some(FIELD) && sent.is_none() {
            let mut file = SentFile { name: field.file_name().unwrap_or_default().to_owned(), bytes: Vec::new(), is_too_long: false };
            while let Some(piece) = field.chunk().await.map_err(|_| broken())? {
                if file.is_too_long || file.bytes.len() + piece.len() > MOST_BYTES {
                    file.is_too_long = true;
                    file.bytes = Vec::new();
                } else {
                    file.bytes.extend_from_slice(&piece);
                }
            }
            sent = Some(file);
        }
    }
    Ok((made_for, sent.unwrap_or_else(|| SentFile { name: String::new(), bytes: Vec::new(), is_too_long: false })))
}

/// A form with a list in it, as far as it is kept.
#[derive(Default)]
struct SentList {
    fields: Vec<(String, String)>,
    /// What is wrong with the file, or with a field.
    wrong: Option<(String, String)>,
}

/// POST of a page that takes a list, pasted or as a file. Its form is that of a server function, to which the file is one more text.
pub async fn post_list_page(State(state): State<AppState>, request: Request) -> Response {
    if !is_multipart(request.headers()) || request.extensions().get::<AppError>().is_some() {
        return post_page(State(state), request).await;
    }
    let Some(account) = request.extensions().get::<Caller>().map(|caller| caller.operator.unwrap_or(caller.account)) else {
        return AppError::Unauthenticated.into_response();
    };
    let _place = place_for_list(account).await;
    let (mut parts, body) = request.into_parts();
    let sent = match read_list(Request::from_parts(parts.clone(), body)).await {
        Ok(sent) => sent,
        Err(error) => return error.into_response(),
    };
    if let Some((field, words)) = sent.wrong {
        let action = sent.fields.iter().find(|(name, _)| name == "_fn").map(|(_, value)| value.clone()).unwrap_or_default();
        let outcome = FormOutcome { form: None, values: kept(sent.fields), action, error: Some(AppError::invalid(&field, words)) };
        return again(&state, parts, outcome, &HeaderMap::new()).await;
    }
    let bytes = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&sent.fields).finish().into();
    parts.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
    answer_form(&state, parts, sent.fields, bytes).await
}

/// All of it is read, as a picture's form is; of what is too long nothing is kept.
async fn read_list(request: Request) -> Result<SentList, AppError> {
    let broken = || AppError::invalid("", "The form did not arrive whole. Go back, and send it again.");
    let mut form = Multipart::from_request(request, &()).await.map_err(|_| broken())?;
    let mut sent = SentList::default();
    let mut typed = 0;
    while let Some(field) = form.next_field().await.map_err(|_| broken())? {
        let name = field.name().unwrap_or_default().to_owned();
        let is_file = name == FILE;
        let most = if is_file { LIST_BYTES } else { BODY_BYTES.saturating_sub(typed) };
        let Some(bytes) = at_most(field, most).await.map_err(|_| broken())? else {
            let words = if is_file { "A file has at most 8 MB. Send a longer list in parts, or import it on the command line." } else { "This is too long." };
            sent.wrong.get_or_insert((name, words.to_owned()));
            continue;
        };
        // A form has a handful of fields.
        if sent.fields.len() >= MOST_FIELDS {
            return Err(broken());
        }
        typed += if is_file { 0 } else { name.len() + bytes.len() };
        match String::from_utf8(bytes) {
            // Text in UTF-16 is read as one that is full of these.
            Ok(text) if !text.contains('\0') => sent.fields.push((name, text)),
            _ => _ = sent.wrong.get_or_insert((name, "This file is no text in UTF-8. Save it as CSV in UTF-8, or as JSON.".to_owned())),
        }
    }
    Ok(sent)
}

/// What a field holds; none if that is more.
async fn at_most(mut field: Field<'_>, most: usize) -> Result<Option<Vec<u8>>, MultipartError> {
    let mut held = Some(Vec::new());
    while let Some(piece) = field.chunk().await? {
        held = held.filter(|bytes: &Vec<u8>| bytes.len() + piece.len() <= most);
        if let Some(bytes) = &mut held {
            bytes.extend_from_slice(&piece);
        }
    }
    Ok(held)
}
