//! Mails: over SMTP to a server in all its moods, as files, and on the mailbox page.

mod faults;
mod files;
mod languages;
mod letters;
mod page;
mod smtp;

use crate::support::T0;
use serde::{Deserialize, Serialize};
use sqlx::PgPool;
use std::sync::Arc;
use tollgate::{
    platform::{
        Ctx,
        clock::Clock,
        config::Config,
        crypto::{Rng, Vault},
        jobs::{self, Job, JobError, Registry},
        mail::{Mail, Mailer, send},
    },
    values::JobId,
};

/// A mail that a job sends.
#[derive(Serialize, Deserialize)]
pub struct SendWords {
    pub to: String,
    pub subject: String,
}

impl Job for SendWords {
    const KIND: &'static str = "test.send_words";

    async fn run(self, ctx: &Ctx) -> Result<(), JobError> {
        send(ctx, &words(ctx, &self.to, &self.subject)).await
    }
}

pub fn words(ctx: &Ctx, to: &str, subject: &str) -> Mail {
    Mail::new(to.parse().unwrap(), subject)
        .name("Mara Lindqvist")
        .text("Confirm that this is your address.")
        .link("Confirm address", ctx.config.link("/verify-email?token=tok_0123456789&mail=mara%2Bx%40example.com"))
        .code("482913")
        .because("somebody signed up with this address")
}

/// Without a server: a context whose mails go where the test says.
pub fn ctx(db: PgPool, mail: Mailer) -> Ctx {
    let mut config = Config::development("unused".into());
    config.server.public_url = "https://gate.example.com".parse().unwrap();
    Ctx::new(db, Clock::frozen(T0), Rng::seeded(1), Vault::new([7; 32]), mail, Arc::new(config))
}

pub async fn enqueue(ctx: &Ctx, to: &str, subject: &str) -> JobId {
    let mut conn = ctx.db.acquire().await.unwrap();
    jobs::enqueue(ctx, &mut conn, &SendWords { to: to.to_owned(), subject: subject.to_owned() }).await.unwrap()
}

pub async fn run_due(ctx: &Ctx) -> usize {
    jobs::run_due(ctx, &Registry::new().register::<SendWords>()).await.unwrap()
}

/// State, tries and last error.
pub async fn ended(ctx: &Ctx, id: JobId) -> (String, i32, String) {
    sqlx::query_as("select state, attempts, coalesce(last_error, '') from jobs where id = $1").bind(id.uuid()).fetch_one(&ctx.db).await.unwrap()
}
