//! A key that has leaked: the banner over its page, an operator's own report, and what a workspace wants done.

use super::{SaidTime, dialogs::DecideDialog};
use crate::{
    keys::{
        api::{ClearLeaks, MarkLeaked, SaveLeakChoice},
        model::{KeyDetail, KeyState, LeakView},
    },
    ui::{Button, CheckField, Form, Gate, LinkButton, Look, Note, Size, TextField},
    values::by_words,
};
use leptos::{prelude::*, server_fn::ServerFn};

/// Where its secret was found and what to do about it. Nothing where nobody reported a leak.
#[component]
pub fn LeakNote(detail: KeyDetail) -> impl IntoView {
    if detail.leaks.is_empty() {
        return ().into_any();
    }
    let path = format!("/keys/{}", detail.key.id);
    let words = match detail.key.state {
        KeyState::Active => "Others can read its secret and call with it. Rotate it, and end the old secret as soon as your programs allow.",
        KeyState::Disabled | KeyState::Revoked => "Others can read its secret. The key is off. Rotate it before you enable it again.",
    };
    let places = detail.leaks.into_iter().map(place).collect_view();
    let rotate = detail.can_edit.then(|| view! { <LinkButton href=format!("{path}?dialog=rotate") size=Size::Small>"Rotate it"</LinkButton> });
    let clear = detail.can_mark_leaked.then(|| {
        view! {
            <Form action=ClearLeaks::PATH id="clear" quiet=true hidden=vec![("id", detail.key.id.to_string())] class="quick-create">
                <TextField label="Why it is none" name="reason" label_hidden=true placeholder="Why it is not a leak" autocomplete="off" maxlength=200/>
                <Button size=Size::Small>"Clear the leak"</Button>
            </Form>
        }
    });
    view! {
        <Note gate=Gate::Refused>
            <p><strong>"Leaked. "</strong>{words}</p>
            <ul>{places}</ul>
            <div class="row">{rotate}{clear}</div>
        </Note>
    }
    .into_any()
}

fn place(leak: LeakView) -> AnyView {
    let is_web = leak.is_web();
    let LeakView { start, url, source, by, at } = leak;
    let shown = match (is_web, url.is_empty()) {
        (true, _) => view! { <a href=url.clone() rel="noopener noreferrer nofollow">{url.clone()}</a> }.into_any(),
        (false, true) => view! { "a place that was not named" }.into_any(),
        (false, false) => url.into_any(),
    };
    let source = if source.is_empty() || source == "an operator" { String::new() } else { format!(" ({source})") };
    view! { <li><code>{start}"…"</code>" at "{shown}{source}", reported "{by_words(&by)}", "<SaidTime said=at/></li> }.into_any()
}

/// An operator says where the key was found.
#[component]
pub fn LeakedDialog(detail: KeyDetail, #[prop(into)] path: String) -> impl IntoView {
    let lead = "Its owner gets an email, and the key is marked until its secret is rotated. If its workspace chose so, it is disabled at once.".into_any();
    view! {
        <DecideDialog id="leaked" title=format!("Report {} as leaked", detail.key.name) gate=Gate::Refused lead path action=MarkLeaked::PATH hidden=vec![("id", detail.key.id.to_string())] act="Report as leaked" look=Look::Danger>
            <TextField label="Found at" name="url" kind="url" placeholder="https://" autocomplete="off" maxlength=2000 required=true autofocus=true help="Leave out the key itself."/>
            <TextField label="Reason" name="reason" help="Optional. Shown in the history." autocomplete="off" maxlength=200/>
        </DecideDialog>
    }
    .into_any()
}

/// Whether leaked keys of the workspace are disabled at once.
#[component]
pub fn LeakChoice(disables: bool) -> impl IntoView {
    view! {
        <Form action=SaveLeakChoice::PATH class="stack form-narrow" label="Leaked keys">
            <CheckField
                label="Disable it at once"
                name="disables"
                checked=disables
                help="When secret scanning or an operator finds a key where others can read it. You get an email either way."
            />
            <div><Button>"Save"</Button></div>
        </Form>
    }
    .into_any()
}
