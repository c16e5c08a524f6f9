//! The one-time secret: shown over the page of its key until "Done", which asks whether it is stored (copying ticks
//! that), with a command to try it at once.

use crate::{
    keys::{api::HideSecret, model::KeyDetail},
    ui::{Button, CheckField, CodeBlock, CodeTag, Dialog, DialogBody, DialogFoot, Fact, Facts, Form, Gate, GateGlyph, Secret},
};
use leptos::{prelude::*, server_fn::ServerFn};

#[component]
pub fn Reveal(detail: KeyDetail, secret: String) -> impl IntoView {
    let KeyDetail { key, example, expires, limits, secrets, last_used, .. } = detail;
    let title = if secrets.len() > 1 { format!("{} has a new secret", key.name) } else { format!("{} has its key", key.name) };
    let lead = "Shown until you press Done, for at most 10 minutes. Tollgate stores only a hash.".into_any();
    let may = if key.effective.is_empty() {
        view! { <span class="faint">"nothing yet"</span> }.into_any()
    } else {
        key.effective.iter().map(|p| view! { <CodeTag text=p.to_string()/>" " }).collect_view().into_any()
    };
    let limits = limits.iter().map(|l| l.unit.limit_words(l.limit, l.window)).collect::<Vec<_>>().join(", ");
    // After a rotation this is about the new secret: what the key did before says nothing.
    let is_used = secrets.iter().find(|one| one.is_newest).map_or(last_used.is_some(), |newest| newest.last_use.is_some());
    let calls = if is_used { (Gate::Passed, "It has been used") } else { (Gate::Idle, "No call yet") };
    view! {
        <Dialog id="made" title gate=Gate::Passed lead>
            <Form action=HideSecret::PATH hidden=vec![("id", key.id.to_string())]>
                <DialogBody>
                    <Secret secret=secret.clone()/>
                    <CodeBlock id="try" title="Try it" code=example.replace("$KEY", &secret) wrap=true/>
                    <Facts>
                        <Fact term="Permissions">{may}</Fact>
                        <Fact term="Limits">{limits}</Fact>
                        <Fact term="Expires">{expires.map_or_else(|| "never".to_owned(), |e| e.words)}</Fact>
                    </Facts>
                </DialogBody>
                <DialogFoot>
                    <span class="row muted"><GateGlyph position=calls.0/>{calls.1}</span>
                    <div class="push"><CheckField label="I have stored it" name="stored"/></div>
                    <Button>"Done"</Button>
                </DialogFoot>
            </Form>
        </Dialog>
    }
    .into_any()
}
