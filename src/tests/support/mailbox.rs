//! Jobs and mails as a test sees them: it says when jobs run, and reads what they sent.

use super::TestApp;
use tollgate::{
    boot::worker,
    platform::{jobs, mail::SentMail},
};

impl TestApp {
    /// Runs all jobs that are due, and what they enqueue; answers how many tries that were.
    pub async fn run_jobs(&self) -> usize {
        jobs::run_due(&self.ctx, &worker::registry()).await.unwrap()
    }

    /// Everything that was sent, the oldest first.
    pub fn mails(&self) -> Vec<SentMail> {
        self.ctx.mail.sent()
    }

    /// The last mail to this address, once the jobs that are due have run.
    pub async fn mail_to(&self, address: &str) -> SentMail {
        self.run_jobs().await;
        self.mails().into_iter().rfind(|mail| mail.to == address).unwrap_or_else(|| panic!("no mail to {address}"))
    }
}

/// The address of the first link to a page that begins with `path`, without our origin.
pub fn link<'a>(mail: &'a SentMail, path: &str) -> &'a str {
    let pages = mail
        .text
        .lines()
        .filter(|line| line.starts_with("http"))
        .filter_map(|line| line.splitn(4, '/').nth(3).map(|page| &line[line.len() - page.len() - 1..]));
    pages.into_iter().find(|page| page.starts_with(path)).unwrap_or_else(|| panic!("no link to {path} in\n{}", mail.text))
}

/// The code to type: the line of six digits.
pub fn code(mail: &SentMail) -> &str {
    let is_code = |line: &&str| line.len() == 6 && line.bytes().all(|b| b.is_ascii_digit());
    mail.text.lines().map(str::trim).find(is_code).unwrap_or_else(|| panic!("no code in\n{}", mail.text))
}
