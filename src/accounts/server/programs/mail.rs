//! The mails about programs: one signed in (R25), one was signed out because an old token of it came back (R71).

use crate::{
    accounts::server::{
        devices::{self, ALARM_LIVES},
        mail::{facts, to},
        store::{accounts::find_account, devices::insert_alarm},
    },
    activity::server::find_facts,
    platform::{
        Ctx,
        crypto::sha256,
        jobs::JobError,
        mail::{self, Mail},
    },
    values::{AccountId, EventId},
};
use serde::{Deserialize, Serialize};

/// What a mail tells of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Told {
    /// A program that was not signed in before.
    SignedIn,
    /// A refresh token was used a second time.
    Reused,
}

pub(super) async fn send(ctx: &Ctx, account: AccountId, cause: EventId, told: Told) -> Result<(), JobError> {
    let Some(account) = find_account(&ctx.db, account).await? else { return Ok(()) };
    let token = devices::token(ctx, account.id, cause);
    if !insert_alarm(&ctx.db, cause, account.id, &sha256(&token), ctx.clock.now() + ALARM_LIVES).await? {
        return Ok(());
    }
    let mut facts = facts(ctx, &account, cause).await?;
    let data = find_facts(&ctx.db, cause).await?.map(|(_, data)| data).unwrap_or_default();
    if let Some(program) = data.get("name").and_then(|name| name.as_str()) {
        facts.insert(0, ("Program", program.to_owned()));
    }
    let not_me = ctx.config.link(&format!("/not-me?token={token}"));
    let letter = match told {
        Told::SignedIn => signed_in(to(&account, "A program signed in to your account")?, facts, not_me),
        Told::Reused => reused(to(&account, "A program was signed out of your account")?, facts, not_me),
    };
    mail::send(ctx, &letter).await
}

fn signed_in(letter: Mail, facts: Vec<(&'static str, String)>, not_me: String) -> Mail {
    letter
        .text("A program signed in to your account. It may do what you may, until it signs out or you sign it out on the page Sessions.")
        .facts(facts)
        .text("If it was you, do nothing.")
        .text("If it wasn't you, open this link and press the button there. It signs out every device and program and takes the password away, and you set a new one. It works once, for 7 days, without signing in.")
        .link("This wasn't me", not_me)
        .because("a program signed in to your account")
}

fn reused(letter: Mail, facts: Vec<(&'static str, String)>, not_me: String) -> Mail {
    letter
        .text("A program showed a token that had been replaced long before. Either it lost an answer of ours, or somebody copied its tokens. It is signed out now, with all its tokens; whoever it was can do nothing with them any more.")
        .facts(facts)
        .text("If you know the program, sign it in again. If you don't, or it happens again, open this link and press the button there. It signs out every device and program and takes the password away, and you set a new one. It works once, for 7 days, without signing in.")
        .link("This wasn't me", not_me)
        .because("a program was signed out of your account")
}
