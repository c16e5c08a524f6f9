//! `tollgate admin …`: makes operators, and sets the admin PIN. There is no default password: either a one-time link is printed, or the password of
//! a new account is read from standard input, never from an argument that others could see. So is the PIN. The passwords of the demo are no
//! secrets: `close-demo` takes its accounts out of use.

use super::{Exit, Invocation, with_ctx};
use crate::{
    accounts::{
        Caller,
        server::{NewOperator, clear_admin_pin, create_operator, set_admin_pin},
    },
    boot::demo,
    error::AppError,
    platform::Ctx,
    values::Email,
};
use clap::Subcommand;
use secrecy::SecretString;
use serde_json::json;

#[derive(Subcommand)]
pub(super) enum AdminCommand {
    /// Make an operator; prints a link by which the first password is set
    Create {
        #[arg(long)]
        email: String,
        /// What the account is called [default: what stands before the @]
        #[arg(long)]
        name: Option<String>,
        /// Read the password of a new account from standard input
        #[arg(long)]
        password_stdin: bool,
    },
    /// Take the accounts of the demo out of use whose passwords everybody can read; their keys are answered BANNED
    CloseDemo,
    /// One more proof that operators give before they ban, disable, or end what belongs to others
    #[command(subcommand)]
    Pin(PinCommand),
}

#[derive(Subcommand)]
pub(super) enum PinCommand {
    /// Set it, or another one: 6 to 64 characters, the first line of standard input
    Set,
    /// Take it away
    Clear,
}

impl AdminCommand {
    pub(super) async fn run(self, invocation: &Invocation) -> Exit {
        with_ctx(&invocation.config, "admin", async |ctx| match self {
            Self::Create { email, name, password_stdin } => create(ctx, invocation, &email, name.as_deref(), password_stdin).await,
            Self::CloseDemo => close_demo(ctx, invocation).await,
            Self::Pin(PinCommand::Set) => set_pin(ctx, invocation).await,
            Self::Pin(PinCommand::Clear) => clear_pin(ctx, invocation).await,
        })
        .await
    }
}

async fn create(ctx: &Ctx, invocation: &Invocation, email: &str, name: Option<&str>, password_stdin: bool) -> Result<Exit, AppError> {
    let email = Email::anew(email).map_err(|words| AppError::invalid("email", words))?;
    let password = if password_stdin { Some(typed("password")?) } else { None };
    if invocation.dry_run {
        invocation.answer(&json!({ "would_create": email }), &format!("Would make {email} an operator."));
        return Ok(Exit::Done);
    }
    let NewOperator { account, link } = create_operator(ctx, email.clone(), name, password).await?;
    let words = match &link {
        Some(link) => format!("{email} is an operator. This link sets the password, once, within a day:\n{link}"),
        None => format!("{email} is an operator."),
    };
    invocation.answer(&json!({ "id": account, "email": email, "link": link }), &words);
    Ok(Exit::Done)
}

async fn close_demo(ctx: &Ctx, invocation: &Invocation) -> Result<Exit, AppError> {
    let closed = if invocation.dry_run { demo::with_known_passwords(ctx).await? } else { demo::close(ctx).await? };
    let people: Vec<&str> = closed.iter().map(|person| person.email).collect();
    let words = match people.as_slice() {
        [] => "No account has a password of the demo.".to_owned(),
        people if invocation.dry_run => format!("Would close {}.", people.join(", ")),
        people => format!("Closed: {}. They have no password and no role of an operator; what they made stays.", people.join(", ")),
    };
    invocation.answer(&json!({ "closed": people }), &words);
    Ok(Exit::Done)
}

async fn set_pin(ctx: &Ctx, invocation: &Invocation) -> Result<Exit, AppError> {
    let pin = typed("pin")?;
    if invocation.dry_run {
        invocation.answer(&json!({ "would_set": true }), "Would set the admin PIN.");
        return Ok(Exit::Done);
    }
    set_admin_pin(ctx, &Caller::cli(), &pin).await?;
    let words = "The admin PIN is set. Operators are asked for it after the step-up, once in ten minutes; programs send it in the header Admin-Pin.";
    invocation.answer(&json!({ "set": true }), words);
    Ok(Exit::Done)
}

async fn clear_pin(ctx: &Ctx, invocation: &Invocation) -> Result<Exit, AppError> {
    if invocation.dry_run {
        invocation.answer(&json!({ "would_clear": true }), "Would take the admin PIN away.");
        return Ok(Exit::Done);
    }
    let had = clear_admin_pin(ctx, &Caller::cli()).await?;
    invocation.answer(&json!({ "cleared": had }), if had { "There is no admin PIN any more." } else { "There was no admin PIN." });
    Ok(Exit::Done)
}

/// The first line of standard input.
fn typed(field: &str) -> Result<SecretString, AppError> {
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).map_err(|error| AppError::invalid(field, format!("standard input can't be read: {error}.")))?;
    Ok(SecretString::from(line.trim_end_matches(['\r', '\n'])))
}
