//! `tollgate admin create`: makes an operator. There is no default password: either a one-time link is printed, or the password of
//! a new account is read from standard input, never from an argument that others could see.

use super::{Exit, Invocation, with_ctx};
use crate::{
    accounts::server::{NewOperator, create_operator},
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
}

impl AdminCommand {
    pub(super) async fn run(self, invocation: &Invocation) -> Exit {
        let Self::Create { email, name, password_stdin } = self;
        with_ctx(&invocation.config, "admin", async |ctx| create(ctx, invocation, &email, name.as_deref(), password_stdin).await).await
    }
}

async fn create(ctx: &Ctx, invocation: &Invocation, email: &str, name: Option<&str>, password_stdin: bool) -> Result<Exit, AppError> {
    let email: Email = email.parse().map_err(|words: &str| AppError::invalid("email", words))?;
    let password = if password_stdin { Some(typed()?) } else { None };
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

/// The first line of standard input.
fn typed() -> Result<SecretString, AppError> {
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).map_err(|error| AppError::invalid("password", format!("standard input can't be read: {error}.")))?;
    Ok(SecretString::from(line.trim_end_matches(['\r', '\n'])))
}
