//! `/dev/mailbox`: the mails that development keeps instead of sending, as their readers would get them. Not in production.

use crate::{
    accounts::Caller,
    site::{
        api,
        model::{KeptMail, Mailbox, OpenedMail},
    },
    ui::{
        CodeBlock, Empty, Fact, Facts, Note, PageHeader, PublicFrame, Table, heads, loaded,
        time::{date_time, rfc3339},
    },
};
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

#[component]
pub fn MailboxPage() -> impl IntoView {
    let entered = use_context::<Caller>().is_some();
    let query = use_query_map();
    let mailbox = loaded(
        move || api::open_mailbox(query.read_untracked().get("mail")),
        |mailbox| view! { <Contents mailbox/> }.into_any(),
        ("Go to the mailbox", "/dev/mailbox"),
    );
    view! {
        <PublicFrame entered foot="Development only" foot_links=vec![("Components".to_owned(), "/dev/ui".to_owned())]>
            <div class="site">{mailbox}</div>
        </PublicFrame>
    }
}

#[component]
fn Contents(mailbox: Mailbox) -> impl IntoView {
    let Mailbox { is_smtp, mails, opened } = mailbox;
    let now_open = opened.as_ref().map(|opened| opened.mail.id.clone());
    view! {
        <div class="stack-lg">
            <PageHeader title="Mailbox" lead=view! { "Emails are kept here instead of being sent, newest first." }.into_any()/>
            {is_smtp.then(|| view! { <Note>"A mail server is configured, so emails are really sent and none are kept here."</Note> })}
            {opened.map(|opened| view! { <Opened opened/> })}
            {if mails.is_empty() {
                view! { <Empty title="No email yet" text="Create an account, and the email that verifies its address appears here."><a href="/sign-up">"Create account"</a></Empty> }.into_any()
            } else {
                view! { <List mails now_open/> }.into_any()
            }}
        </div>
    }
}

#[component]
fn List(mails: Vec<KeptMail>, now_open: Option<String>) -> impl IntoView {
    let rows = mails.into_iter().map(move |mail| {
        let is_current = now_open.as_deref() == Some(mail.id.as_str());
        view! {
            <tr class=is_current.then_some("is-current")>
                <th scope="row"><a class="row-link" href=format!("/dev/mailbox?mail={}", mail.id) aria-current=is_current.then_some("true")>{mail.subject}</a></th>
                <td>{mail.to}</td>
                <td class="num"><time datetime=rfc3339(mail.at)>{date_time(mail.at)}</time></td>
            </tr>
        }
    });
    view! {
        <Table caption="Emails, newest first">
            {heads(&[("Subject", ""), ("To", ""), ("Sent (UTC)", "num")])}
            <tbody>{rows.collect_view()}</tbody>
        </Table>
    }
}

#[component]
fn Opened(opened: OpenedMail) -> impl IntoView {
    let OpenedMail { mail, text, html, links } = opened;
    let links = links.into_iter().map(|(label, url)| view! { <Fact term="Link"><a href=url>{label}</a></Fact> });
    view! {
        <article class="stack" aria-labelledby="mail-title">
            <h2 id="mail-title">{mail.subject}</h2>
            <Facts>
                <Fact term="To">{mail.to}</Fact>
                <Fact term="Sent">{date_time(mail.at)}" UTC"</Fact>
                {links.collect_view()}
            </Facts>
            <CodeBlock id="mail-text" title="Text version" code=text wrap=true/>
            <details>
                <summary>"HTML version, as source"</summary>
                <CodeBlock id="mail-html" title="HTML version" code=html wrap=true/>
            </details>
        </article>
    }
}
