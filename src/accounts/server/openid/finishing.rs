//! The end of a flow: the provider sent the browser back, with a code or with why there is none (RFC 6749 §4.1.2). The flow is used up
//! before anything else is looked at, so a copy of the answer is worth nothing, not even in the same browser.

use super::{
    flow::{self, Flow, Purpose},
    linking::{self, Offer},
    named,
    signing::{self, Newcomer},
    store,
    talk::{self, Identity},
};
use crate::{
    accounts::{
        model::{Caller, Via},
        server::{
            Visitor,
            attempts::{self, Attempt},
            factors::{Interrupted, StepUpProof, step_up},
            fill_time_zone,
            sign_in::SignIn,
        },
    },
    error::AppError,
    platform::{Ctx, config::Provider},
    values::{Email, Language, SessionId},
};
use tower_sessions::Session;

/// What the provider sent along.
#[derive(Debug, Clone, Default)]
pub struct Answer {
    pub code: Option<String>,
    pub state: Option<String>,
    /// The issuer (RFC 9207).
    pub iss: Option<String>,
    pub error: Option<String>,
}

/// The browser that came back.
#[derive(Debug, Clone, Copy)]
pub struct Back<'a> {
    pub caller: Option<&'a Caller>,
    pub session: &'a Session,
    pub from: &'a Visitor,
    /// The sealed flow that it holds.
    pub flow: Option<&'a str>,
    /// The invitation that it opened.
    pub invite: Option<&'a str>,
    /// The language that it likes best, for an account that is made now.
    pub language: Option<Language>,
}

/// How it ended.
#[derive(Debug)]
pub enum Finished {
    SignedIn {
        outcome: SignIn,
        next: Option<String>,
    },
    /// A mail says how to go on, whatever is behind the address.
    Mailed {
        email: Email,
        offer: Offer,
    },
    /// Somebody is to come in as usual, then confirm the link.
    Offered {
        offer: Offer,
        name: String,
    },
    Linked {
        name: String,
    },
    /// The proof again is given; the form that waited for it, if one did.
    Proven {
        waiting: Option<Interrupted>,
        form: Option<String>,
    },
}

/// How much older than the flow a sign-in at the provider may be to count as one for it: clocks differ.
const CLOCKS_DIFFER: i64 = 60;

/// Ends the flow that this browser began.
pub async fn finish(ctx: &Ctx, back: Back<'_>, slug: &str, answer: Answer) -> Result<Finished, AppError> {
    let provider = named(ctx, slug)?;
    let attempt = Attempt::charge(ctx, &attempts::PROOF_FROM, &attempts::network(back.from.address)).await?;
    let flow = flow::take(ctx, provider, back.flow, answer.state.as_deref().unwrap_or_default()).await?;
    talk::check_issuer(ctx, provider, answer.iss.as_deref()).await?;
    let code = code(provider, answer)?;
    let who = talk::identify(ctx, provider, &flow, code).await?;
    let finished = end(ctx, back, provider, flow, &who).await?;
    attempt.refund(ctx).await?;
    Ok(finished)
}

async fn end(ctx: &Ctx, back: Back<'_>, provider: &Provider, flow: Flow, who: &Identity) -> Result<Finished, AppError> {
    match flow.purpose {
        Purpose::SignIn => {
            let (language, time_zone) = (back.language.unwrap_or(ctx.config.mail.language), flow.time_zone.as_deref());
            let new = Newcomer { caller: back.caller, invite: back.invite, language, time_zone };
            let finished = signing::sign_in(ctx, back.from, provider, who, new, flow.next).await?;
            if let Finished::SignedIn { outcome, .. } = &finished {
                fill_time_zone(ctx, back.from, outcome, time_zone).await?;
            }
            Ok(finished)
        }
        Purpose::Link { session } => {
            let caller = same_caller(back, session)?;
            linking::link(ctx, caller, back.from, provider, &who.subject, who.email.as_ref().map(Email::as_str)).await?;
            Ok(Finished::Linked { name: provider.name.clone() })
        }
        Purpose::Prove { session, form } => {
            let caller = same_caller(back, session)?;
            if store::find_linked(&ctx.db, &who.issuer, &who.subject).await? != Some(caller.account) {
                return Err(AppError::conflict(format!("At {} you are signed in as somebody else, who is not linked to this account.", provider.name)));
            }
            if who.auth_time.is_none_or(|at| at < flow.begun - CLOCKS_DIFFER) {
                return Err(AppError::conflict(format!("{} did not just ask who you are. Confirm it in another way.", provider.name)));
            }
            let waiting = step_up(ctx, caller, back.from, back.session, &StepUpProof::Elsewhere, form.as_deref()).await?;
            Ok(Finished::Proven { waiting, form })
        }
    }
}

/// Whoever began this in this session.
fn same_caller<'a>(back: Back<'a>, session: SessionId) -> Result<&'a Caller, AppError> {
    let caller = back.caller.filter(|caller| caller.via == Via::Session(session));
    caller.ok_or_else(|| AppError::conflict("You were signed out in the meantime. Sign in, then start again."))
}

/// The code, or what the provider's refusal means.
fn code(provider: &Provider, answer: Answer) -> Result<String, AppError> {
    let name = &provider.name;
    match (answer.error.as_deref(), answer.code) {
        (Some("access_denied"), _) => Err(AppError::conflict(format!("{name} did not let you in. You cancelled, or you don't have access."))),
        (Some("temporarily_unavailable" | "server_error"), _) => Err(AppError::conflict(format!("{name} has a problem right now. Try again in a moment."))),
        (Some("login_required" | "interaction_required" | "consent_required" | "account_selection_required"), _) => {
            Err(AppError::conflict(format!("{name} wants you to sign in there first. Begin again.")))
        }
        (Some(other), _) => {
            tracing::warn!(provider = %provider.slug, "the provider refused: {:?}", other.chars().take(60).collect::<String>());
            Err(AppError::conflict(format!("{name} refused the request. Tell the operator of this site.")))
        }
        (None, Some(code)) => Ok(code),
        (None, None) => Err(talk::distrusted(provider, "there is neither a code nor an error")),
    }
}
