//! Server functions of accounts: what forms post to and pages load.

use crate::{
    accounts::model::{ExportState, Factors, LinkView, MailedLinks, Profile, PublicProfile, Security, SessionList, StepUpView, TotpSetup},
    error::AppError,
    values::SessionId,
};
use leptos::prelude::*;

/// Signs up; the next page says where mail went.
#[server]
pub async fn sign_up(email: String, name: String, password: String, time_zone: Option<String>) -> Result<(), AppError> {
    use super::server::{self, NewSignUp, Visitor, links};
    use crate::platform::http::reply;
    let ctx = server::context()?;
    let invite = reply::sealed(&ctx, links::INVITE);
    let sent_to = server::sign_up(&ctx, &Visitor::here(), NewSignUp { email, name, password: password.into(), time_zone, invite }).await?;
    reply::seal(&ctx, links::PENDING, sent_to.as_str(), 24 * 3600);
    reply::redirect("/verify-email");
    Ok(())
}

/// Proves an address: by the typed code, or by the link that this browser opened.
#[server]
pub async fn verify_email(code: Option<String>) -> Result<(), AppError> {
    use super::server::{self, Proof, Visitor, links};
    use crate::platform::http::reply;
    let ctx = server::context()?;
    let proof = match (code, reply::sealed(&ctx, links::VERIFY), reply::sealed(&ctx, links::PENDING)) {
        (None, Some(token), _) => Proof::Link(token),
        (Some(code), _, Some(email)) => Proof::Code { email, code },
        _ => return Err(AppError::invalid("", "This browser knows of no sign-up. Open the link in the mail, or sign up again.")),
    };
    server::verify_email(&ctx, &Visitor::here(), proof).await?;
    for cookie in [links::VERIFY, links::PENDING] {
        reply::unseal_and_drop(&ctx, cookie);
    }
    reply::toast(&ctx, "Your email is confirmed. Sign in.");
    reply::redirect("/sign-in");
    Ok(())
}

/// Sends the proof again, to the address given or to the one that signed up in this browser.
#[server]
pub async fn resend_verification(email: Option<String>) -> Result<(), AppError> {
    use super::server::{self, Visitor, links};
    use crate::platform::http::reply;
    let ctx = server::context()?;
    let email = email.or_else(|| reply::sealed(&ctx, links::PENDING)).unwrap_or_default();
    let sent_to = server::resend_verification(&ctx, &Visitor::here(), &email).await?;
    reply::unseal_and_drop(&ctx, links::VERIFY);
    reply::seal(&ctx, links::PENDING, sent_to.as_str(), 24 * 3600);
    reply::toast(&ctx, "If the address still needs it, a new mail is on its way.");
    reply::redirect("/verify-email");
    Ok(())
}

/// Signs this browser in.
#[server]
pub async fn sign_in(email: String, password: String, next: Option<String>) -> Result<(), AppError> {
    use super::server::{self, Visitor};
    let ctx = server::context()?;
    let from = Visitor::here();
    let outcome = server::sign_in(&ctx, &from, &email, &password.into()).await?;
    server::arrive(&ctx, &server::session()?, &from, outcome, next.as_deref()).await
}

/// Ends a sign-in by its second factor: a code of the app, or a recovery code.
#[server]
pub async fn sign_in_code(code: Option<String>, recovery_code: Option<String>, next: Option<String>) -> Result<(), AppError> {
    use super::server::{self, Offered, Visitor, links};
    use crate::platform::http::reply;
    let ctx = server::context()?;
    let from = Visitor::here();
    let token = reply::sealed(&ctx, links::SECOND_FACTOR).unwrap_or_default();
    let offered = recovery_code.map_or_else(|| Offered::Code(code.unwrap_or_default()), Offered::Recovery);
    match server::finish_sign_in(&ctx, &from, &token, &offered).await {
        Ok(outcome) => server::arrive(&ctx, &server::session()?, &from, outcome, next.as_deref()).await?,
        Err(AppError::Unauthenticated) => {
            reply::toast(&ctx, "That took longer than ten minutes, or was done already. Sign in again.");
            reply::redirect("/sign-in");
        }
        Err(refused) => return Err(refused),
    }
    reply::unseal_and_drop(&ctx, links::SECOND_FACTOR);
    Ok(())
}

/// Proves again who sits here, by one of the three; the form that waited comes back.
#[server]
pub async fn step_up(password: Option<String>, code: Option<String>, recovery_code: Option<String>, form: Option<String>) -> Result<(), AppError> {
    use super::server::{self, Offered, StepUpProof, Visitor, links};
    use crate::platform::http::reply;
    let (ctx, caller) = server::caller_who_may_owe().await?;
    let proof = match (password, code, recovery_code) {
        (Some(password), None, None) => StepUpProof::Password(password.into()),
        (None, Some(code), None) => StepUpProof::Factor(Offered::Code(code)),
        (None, None, Some(code)) => StepUpProof::Factor(Offered::Recovery(code)),
        _ => return Err(AppError::invalid("", "Send one proof: password, code or recovery_code.")),
    };
    let waiting = server::step_up(&ctx, &caller, &Visitor::here(), &server::session()?, &proof, form.as_deref()).await?;
    match waiting.zip(form) {
        Some((waiting, form)) => {
            reply::seal(&ctx, server::RESUME, &form, 60);
            reply::toast(&ctx, "Thank you. Your form is as you left it: send it again.");
            reply::redirect(&links::safe_next(&ctx, &waiting.page).unwrap_or_else(|| "/home".to_owned()));
        }
        None => {
            reply::toast(&ctx, "Thank you. For ten minutes you are not asked again.");
            reply::redirect("/home");
        }
    }
    Ok(())
}

/// Begins to set up an authenticator app.
#[server]
pub async fn start_totp() -> Result<(), AppError> {
    use super::server;
    use crate::platform::http::reply;
    let (ctx, caller) = server::caller_who_may_owe().await?;
    server::start_totp(&ctx, &caller).await?;
    reply::redirect("/settings/security/authenticator");
    Ok(())
}

/// Confirms the app by a code of it.
#[server]
pub async fn confirm_totp(#[server(default)] code: String, #[server(default)] end_others: bool) -> Result<(), AppError> {
    use super::server::{self, Visitor, new_codes};
    use crate::platform::http::reply;
    let (ctx, caller) = server::caller_who_may_owe().await?;
    match server::confirm_totp(&ctx, &caller, &Visitor::here(), &code, end_others).await? {
        Some(codes) => new_codes::show(&ctx, &caller, &codes),
        None => {
            reply::toast(&ctx, "Your new app is set up. Codes of the old one no longer work.");
            reply::redirect("/settings/security");
        }
    }
    Ok(())
}

/// Takes the authenticator app away, and the recovery codes with it.
#[server]
pub async fn remove_totp() -> Result<(), AppError> {
    use super::server::{self, Visitor};
    use crate::platform::http::reply;
    let (ctx, caller) = server::caller().await?;
    server::remove_totp(&ctx, &caller, &Visitor::here()).await?;
    reply::toast(&ctx, "Two-factor sign-in is off. Your password alone signs in now.");
    Ok(())
}

/// Makes new recovery codes; the old ones are dead.
#[server]
pub async fn make_recovery_codes() -> Result<(), AppError> {
    use super::server::{self, Visitor, new_codes};
    let (ctx, caller) = server::caller().await?;
    let codes = server::make_recovery_codes(&ctx, &caller, &Visitor::here()).await?;
    new_codes::show(&ctx, &caller, &codes);
    Ok(())
}

/// The person has saved the codes: they are shown no more.
#[server]
pub async fn finish_recovery_codes(#[server(default)] saved: bool) -> Result<(), AppError> {
    use super::server::{self, new_codes};
    use crate::platform::http::reply;
    let (ctx, _) = server::caller_who_may_owe().await?;
    if !saved {
        return Err(AppError::invalid("saved", "Save the codes first, then tick this: they are not shown again."));
    }
    new_codes::hide(&ctx);
    reply::toast(&ctx, "Your recovery codes are set.");
    reply::redirect("/settings/security");
    Ok(())
}

/// Stops an operator's removal of second factors, by the mailed link that this browser opened.
#[server]
pub async fn keep_factors() -> Result<(), AppError> {
    use super::server::{self, Visitor, links};
    use crate::platform::http::reply;
    let ctx = server::context()?;
    let token = reply::sealed(&ctx, links::KEEP_FACTORS).unwrap_or_default();
    server::stop_reset(&ctx, &Visitor::here(), &token).await?;
    reply::unseal_and_drop(&ctx, links::KEEP_FACTORS);
    reply::toast(&ctx, "Your second factors stay as they are.");
    reply::redirect("/sign-in");
    Ok(())
}

/// Signs this browser out.
#[server]
pub async fn sign_out() -> Result<(), AppError> {
    use super::server::{self, Visitor};
    use crate::platform::http::reply;
    let (ctx, caller) = server::maybe_caller().await?;
    server::sign_out(&ctx, &server::session()?, caller.as_ref(), &Visitor::here()).await?;
    reply::clear_site_data();
    reply::redirect("/sign-in");
    Ok(())
}

/// Sends a link to set a new password.
#[server]
pub async fn forgot_password(email: String) -> Result<(), AppError> {
    use super::server::{self, Visitor};
    use crate::platform::http::reply;
    let ctx = server::context()?;
    server::forgot_password(&ctx, &Visitor::here(), &email).await?;
    reply::redirect("/forgot-password?sent=1");
    Ok(())
}

/// Sets the password that the link of this browser stands for.
#[server]
pub async fn reset_password(new_password: String, email: Option<String>) -> Result<(), AppError> {
    use super::server::{self, Visitor, links};
    use crate::platform::http::reply;
    let ctx = server::context()?;
    let token = reply::sealed(&ctx, links::RESET).unwrap_or_default();
    server::reset_password(&ctx, &Visitor::here(), &token, email.as_deref(), &new_password.into()).await?;
    reply::unseal_and_drop(&ctx, links::RESET);
    reply::toast(&ctx, "Your new password is set. All other devices were signed out.");
    reply::redirect("/sign-in");
    Ok(())
}

/// Ends the wait after wrong passwords, by the link that this browser opened.
#[server]
pub async fn unlock() -> Result<(), AppError> {
    use super::server::{self, Visitor, links};
    use crate::platform::http::reply;
    let ctx = server::context()?;
    server::unlock(&ctx, &Visitor::here(), &reply::sealed(&ctx, links::UNLOCK).unwrap_or_default()).await?;
    reply::unseal_and_drop(&ctx, links::UNLOCK);
    reply::toast(&ctx, "You need not wait any more. Sign in.");
    reply::redirect("/sign-in");
    Ok(())
}

/// "This wasn't me", by the link that this browser opened.
#[server]
pub async fn not_me() -> Result<(), AppError> {
    use super::server::{self, Visitor, links};
    use crate::platform::http::reply;
    let ctx = server::context()?;
    server::not_me(&ctx, &Visitor::here(), &reply::sealed(&ctx, links::NOT_ME).unwrap_or_default()).await?;
    reply::unseal_and_drop(&ctx, links::NOT_ME);
    reply::toast(&ctx, "Every device is signed out. Open the mail we sent you now, and set a new password.");
    reply::redirect("/sign-in");
    Ok(())
}

/// Sets a new password for who is signed in.
#[server]
pub async fn change_password(current_password: String, new_password: String) -> Result<(), AppError> {
    use super::server::{self, Visitor};
    use crate::platform::http::reply;
    let (ctx, caller) = server::caller().await?;
    server::change_password(&ctx, &caller, &Visitor::here(), &current_password.into(), &new_password.into()).await?;
    reply::toast(&ctx, "Your new password is set. All other devices were signed out.");
    Ok(())
}

/// Changes name, time zone and language of who is signed in.
#[server]
pub async fn update_profile(name: String, time_zone: String, language: Option<String>) -> Result<(), AppError> {
    use super::server::{self, ProfileChange, Visitor};
    use crate::platform::http::reply;
    let (ctx, caller) = server::caller().await?;
    let change = ProfileChange { name: Some(name), time_zone: Some(time_zone), language, ..ProfileChange::default() };
    server::update_profile(&ctx, &caller, &Visitor::here(), &change).await?;
    reply::toast(&ctx, "Saved.");
    Ok(())
}

/// Sets the handle and what everybody may see behind it; what is not ticked is hidden.
#[server]
pub async fn publish_profile(handle: String, #[server(default)] published: Vec<String>) -> Result<(), AppError> {
    use super::server::{self, ProfileChange, Visitor};
    use crate::platform::http::reply;
    let (ctx, caller) = server::caller().await?;
    let change = ProfileChange { handle: Some(handle), published: Some(published), ..ProfileChange::default() };
    server::update_profile(&ctx, &caller, &Visitor::here(), &change).await?;
    reply::toast(&ctx, "Saved.");
    Ok(())
}

/// Mails a link and a code to a new address of who is signed in.
#[server]
pub async fn ask_email_change(#[server(default)] email: String) -> Result<(), AppError> {
    use super::server::{self, Visitor, email_change};
    use crate::platform::http::reply;
    let (ctx, caller) = server::caller().await?;
    let sent_to = email_change::ask_email_change(&ctx, &caller, &Visitor::here(), &email, None).await?;
    reply::toast(&ctx, &format!("A mail is on its way to {sent_to}."));
    Ok(())
}

/// The present address stays.
#[server]
pub async fn cancel_email_change() -> Result<(), AppError> {
    use super::server::{self, Visitor, email_change};
    use crate::platform::http::reply;
    let (ctx, caller) = server::caller().await?;
    email_change::cancel_email_change(&ctx, &caller, &Visitor::here()).await?;
    reply::toast(&ctx, "Your email stays as it is.");
    Ok(())
}

/// Proves the new address: by the typed code, or by the link that this browser opened.
#[server]
pub async fn confirm_new_email(code: Option<String>) -> Result<(), AppError> {
    use super::server::{
        self, Visitor,
        email_change::{self, NewAddress},
        links,
    };
    use crate::platform::http::reply;
    let (ctx, caller) = server::maybe_caller().await?;
    let is_signed_in = caller.is_some();
    let proof = match (code, caller) {
        (Some(code), Some(caller)) => NewAddress::Code { caller: Box::new(caller), code },
        (Some(_), None) => return Err(AppError::Unauthenticated),
        (None, _) => NewAddress::Link(reply::sealed(&ctx, links::CHANGE).unwrap_or_default()),
    };
    let email = email_change::confirm_email_change(&ctx, &Visitor::here(), proof).await?;
    reply::unseal_and_drop(&ctx, links::CHANGE);
    reply::toast(&ctx, &format!("Your email is {email} now. You sign in with it."));
    reply::redirect(if is_signed_in { "/settings/email" } else { "/sign-in" });
    Ok(())
}

/// Brings the old address back, by the link that this browser opened.
#[server]
pub async fn undo_email_change() -> Result<(), AppError> {
    use super::server::{self, Visitor, email_change, links};
    use crate::platform::http::reply;
    let ctx = server::context()?;
    let token = reply::sealed(&ctx, links::UNDO).unwrap_or_default();
    let email = email_change::undo_email_change(&ctx, &Visitor::here(), &token).await?;
    reply::unseal_and_drop(&ctx, links::UNDO);
    reply::toast(&ctx, &format!("{email} is back. We sent a link there to set a new password."));
    reply::redirect("/sign-in");
    Ok(())
}

/// Leaves for a while.
#[server]
pub async fn deactivate() -> Result<(), AppError> {
    use super::server::{self, Visitor, leaving};
    use crate::platform::http::reply;
    let (ctx, caller) = server::caller().await?;
    leaving::deactivate(&ctx, &caller, &Visitor::here(), None).await?;
    server::sign_out(&ctx, &server::session()?, None, &Visitor::here()).await?;
    reply::clear_site_data();
    reply::toast(&ctx, "Your account is deactivated. Sign in to bring it back.");
    reply::redirect("/sign-in");
    Ok(())
}

/// Asks to be deleted; `email` is what was typed to confirm, the address or the handle.
#[server]
pub async fn ask_deletion(#[server(default)] email: String) -> Result<(), AppError> {
    use super::server::{self, Visitor, leaving};
    use crate::platform::http::reply;
    let (ctx, caller) = server::caller().await?;
    let sent_to = leaving::ask_deletion(&ctx, &caller, &Visitor::here(), &email, None).await?;
    reply::toast(&ctx, &format!("Nothing is deleted yet: open the link that we sent to {sent_to}."));
    Ok(())
}

/// Deletes the account that the link of this browser speaks of.
#[server]
pub async fn confirm_deletion() -> Result<(), AppError> {
    use super::server::{self, Visitor, leaving, links};
    use crate::platform::http::reply;
    let ctx = server::context()?;
    let token = reply::sealed(&ctx, links::DELETE).unwrap_or_default();
    leaving::confirm_deletion(&ctx, &Visitor::here(), &token).await?;
    reply::unseal_and_drop(&ctx, links::DELETE);
    reply::toast(&ctx, "Your account is deleted. Sign in within 30 days to bring it back.");
    reply::redirect("/sign-in");
    Ok(())
}

/// Brings back the account whose password or link this browser has.
#[server]
pub async fn come_back() -> Result<(), AppError> {
    use super::server::{self, Visitor, leaving, links};
    use crate::platform::http::reply;
    let ctx = server::context()?;
    let by = leaving::Return::of(reply::sealed(&ctx, links::RETURN).as_deref(), reply::sealed(&ctx, links::KEEP));
    leaving::come_back(&ctx, &Visitor::here(), &by).await?;
    for cookie in [links::RETURN, links::KEEP] {
        reply::unseal_and_drop(&ctx, cookie);
    }
    reply::toast(&ctx, "Your account is back. Sign in.");
    reply::redirect("/sign-in");
    Ok(())
}

/// Asks for all data of who is signed in.
#[server]
pub async fn ask_export() -> Result<(), AppError> {
    use super::server::{self, Visitor, export};
    use crate::platform::http::reply;
    let (ctx, caller) = server::caller().await?;
    export::ask_export(&ctx, &caller, &Visitor::here(), None).await?;
    reply::toast(&ctx, "It is being written. We mail you when it can be fetched.");
    reply::redirect("/settings/danger");
    Ok(())
}

/// The account of who is signed in, and whether all its data can be fetched.
#[server]
pub async fn my_danger() -> Result<(Profile, ExportState), AppError> {
    use super::server::{self, export};
    let (ctx, caller) = server::caller().await?;
    Ok((server::profile(&ctx, &caller).await?, export::export_state(&ctx, &caller).await?))
}

/// What the links do that this browser opened, as far as they work.
#[server]
pub async fn opened_links() -> Result<MailedLinks, AppError> {
    use super::{
        model::Left,
        server::{self, email_change, in_full, leaving, links},
    };
    use crate::platform::http::reply;
    let ctx = server::context()?;
    let held = |name: &str| reply::sealed(&ctx, name).unwrap_or_default();
    let by = leaving::Return::of(reply::sealed(&ctx, links::RETURN).as_deref(), reply::sealed(&ctx, links::KEEP));
    let left = leaving::returning(&ctx, &by).await?;
    Ok(MailedLinks {
        confirms: email_change::change_link(&ctx, &held(links::CHANGE)).await?,
        restores: email_change::undo_link(&ctx, &held(links::UNDO)).await?,
        deletes: leaving::deletion_link(&ctx, &held(links::DELETE)).await?,
        returns: left.map(|left| Left { erased: left.erase_at.map(|at| in_full(at, "UTC")) }),
    })
}

/// The account of who is signed in.
#[server]
pub async fn my_account() -> Result<Profile, AppError> {
    use super::server;
    let (ctx, caller) = server::caller().await?;
    server::profile(&ctx, &caller).await
}

/// What everybody may see behind a handle.
#[server]
pub async fn user(handle: String) -> Result<PublicProfile, AppError> {
    use super::server;
    server::public_profile(&server::context()?, &handle).await
}

/// Ends one session of who is signed in.
#[server]
pub async fn end_session(id: SessionId) -> Result<(), AppError> {
    use super::server::{self, Visitor};
    use crate::platform::http::reply;
    let (ctx, caller) = server::caller().await?;
    if server::end_session(&ctx, &caller, &Visitor::here(), id).await? {
        reply::redirect("/sign-in");
    } else {
        reply::toast(&ctx, "That device is signed out.");
    }
    Ok(())
}

/// Ends all other sessions, or all with this one.
#[server]
pub async fn end_sessions(#[server(default)] this_one_too: bool) -> Result<(), AppError> {
    use super::server::{self, Visitor};
    use crate::platform::http::reply;
    let (ctx, caller) = server::caller().await?;
    server::end_sessions(&ctx, &caller, &Visitor::here(), this_one_too).await?;
    if this_one_too {
        server::sign_out(&ctx, &server::session()?, None, &Visitor::here()).await?;
        reply::clear_site_data();
        reply::redirect("/sign-in");
        reply::toast(&ctx, "You are signed out everywhere.");
    } else {
        reply::toast(&ctx, "All other devices are signed out.");
    }
    Ok(())
}

/// What this browser holds of a link or a sign-up.
#[server]
pub async fn before_sign_in() -> Result<LinkView, AppError> {
    use super::server::{self, links};
    use crate::{platform::http::reply, values::Email};
    let ctx = server::context()?;
    let reset = match reply::sealed(&ctx, links::RESET) {
        Some(token) => server::reset_link(&ctx, &token).await?,
        None => None,
    };
    Ok(LinkView {
        has_verify_link: reply::sealed(&ctx, links::VERIFY).is_some(),
        pending: reply::sealed(&ctx, links::PENDING).and_then(|email| email.parse::<Email>().ok()).map(|email| email.masked()),
        reset,
        password_advice: server::password_advice(ctx.config.auth.password_min),
        door: server::door(&ctx, reply::sealed(&ctx, links::INVITE).is_some()),
        mail_from: ctx.config.mail.from.clone(),
    })
}

/// The profile of who is signed in, and the zones to choose from.
#[server]
pub async fn my_profile() -> Result<(Profile, Vec<String>), AppError> {
    use super::server;
    let (ctx, caller) = server::caller().await?;
    Ok((server::profile(&ctx, &caller).await?, server::time_zones()))
}

/// Password and devices of who is signed in.
#[server]
pub async fn my_security() -> Result<Security, AppError> {
    use super::server;
    let (ctx, caller) = server::caller().await?;
    server::security(&ctx, &caller).await
}

/// Where the caller is signed in.
#[server]
pub async fn my_sessions() -> Result<SessionList, AppError> {
    use super::server;
    let (ctx, caller) = server::caller().await?;
    server::list_sessions(&ctx, &caller).await
}

/// Whose sign-in waits in this browser for its second factor; none if none does.
#[server]
pub async fn pending_sign_in() -> Result<Option<String>, AppError> {
    use super::server::{self, links};
    use crate::platform::http::reply;
    let ctx = server::context()?;
    match reply::sealed(&ctx, links::SECOND_FACTOR) {
        Some(token) => server::pending_email(&ctx, &token).await,
        None => Ok(None),
    }
}

/// What `/step-up` asks for, and on behalf of what.
#[server]
pub async fn my_step_up(form: Option<String>) -> Result<StepUpView, AppError> {
    use super::server;
    let (ctx, caller) = server::caller_who_may_owe().await?;
    server::step_up_view(&ctx, &caller, form.as_deref()).await
}

/// The app that the caller is setting up, if one is, and what there is.
#[server]
pub async fn my_totp_setup() -> Result<(Option<TotpSetup>, Factors), AppError> {
    use super::server;
    let (ctx, caller) = server::caller_who_may_owe().await?;
    Ok((server::totp_setup(&ctx, &caller).await?, server::factors(&ctx, &caller).await?))
}

/// The recovery codes that this browser may still see.
#[server]
pub async fn my_new_codes() -> Result<Vec<String>, AppError> {
    use super::server::{self, new_codes};
    let (ctx, caller) = server::caller_who_may_owe().await?;
    Ok(new_codes::shown(&ctx, &caller))
}

/// When the reset happens that the link of this browser stops, in words; none if it stops none.
#[server]
pub async fn stoppable_reset() -> Result<Option<String>, AppError> {
    use super::server::{self, links};
    use crate::platform::http::reply;
    let ctx = server::context()?;
    match reply::sealed(&ctx, links::KEEP_FACTORS) {
        Some(token) => server::waiting_reset(&ctx, &token).await,
        None => Ok(None),
    }
}
